//! Where nothing applies, the upstream's bytes and headers come through.

use crate::shared;
use nearside_tests::client::{Answer, Visitor};

/// Headers that are about one connection, one moment, or say what the edge did.
const OWN: [&str; 6] = [
    "date",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "server-timing",
    "set-cookie",
];

#[track_caller]
fn check(method: &str, path: &str, headers: &[(&str, &str)], status: u16) {
    let stack = shared();
    let theirs = Visitor::new(&stack.shop.as_ref().unwrap().url()).send(method, path, headers, "");
    let ours = Visitor::new(&stack.edge.url()).send(method, path, headers, "");
    assert_eq!((theirs.status, ours.status), (status, status), "{method} {path}");
    assert_eq!(ours.body, theirs.body, "{method} {path}");
    // wrangler's development proxy sends each HTML page through a rewriter of its own, for its live reload,
    // which knows no length beforehand; a deployed worker has no such proxy.
    let is_html = theirs
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"));
    assert_eq!(kept(&ours, is_html), kept(&theirs, is_html), "{method} {path}");
}

fn kept(answer: &Answer, without_length: bool) -> Vec<(String, String)> {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .filter(|(name, _)| !without_length || name != "content-length")
        .cloned()
        .collect();
    headers.sort();
    headers
}

#[test]
fn an_excluded_page() {
    check("GET", "/raw/terms", &[("accept", "text/html")], 200);
}

#[test]
fn an_image_a_script_a_style_sheet_and_a_font() {
    check("GET", "/images/city-bike.svg", &[], 200);
    check("GET", "/assets/favicon.ico", &[], 200);
    check("GET", "/js/shop.js", &[("accept", "*/*")], 200);
    check("GET", "/css/styles.css", &[("accept", "text/css,*/*;q=0.1")], 200);
    check(
        "GET",
        "/icons/fonts/bootstrap-icons.woff2",
        &[("sec-fetch-dest", "font")],
        200,
    );
}

#[test]
fn a_redirect() {
    check("GET", "/old", &[("accept", "text/html")], 302);
}

#[test]
fn a_page_that_is_not_there() {
    check(
        "GET",
        "/nowhere?x=%3Cy%3E&z=%ff&&%C3%A9",
        &[("accept", "text/html")],
        404,
    );
}

#[test]
fn head_requests() {
    check("HEAD", "/", &[("accept", "text/html")], 200);
    check("HEAD", "/images/city-bike.svg", &[], 200);
    check("HEAD", "/nowhere", &[], 404);
}

#[test]
fn other_methods() {
    check("DELETE", "/", &[], 405);
    check("OPTIONS", "/", &[], 405);
}

#[test]
fn a_copy_that_is_still_fresh() {
    let stack = shared();
    let image = Visitor::new(&stack.edge.url()).get("/images/city-bike.svg");
    let tag = image.header("etag").unwrap().to_owned();
    check("GET", "/images/city-bike.svg", &[("if-none-match", &tag)], 304);
}
