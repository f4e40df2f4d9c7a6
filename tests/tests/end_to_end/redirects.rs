//! Variants that send the visitor to another page.

use crate::start;
use nearside_tests::client::Visitor;
use serde_json::json;
use std::sync::OnceLock;
use tempfile::TempDir;
use xtask::stack::{Stack, StackOptions};

/// A shop whose bikes have moved, in several ways.
fn moved() -> &'static Stack {
    static STACK: OnceLock<(TempDir, Stack)> = OnceLock::new();
    let (_, stack) = STACK.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("redirects.json");
        std::fs::write(&manifest, manifest_of_redirects().to_string()).unwrap();
        let options = StackOptions {
            manifest: Some(manifest),
            ..StackOptions::default()
        };
        (folder, start(options))
    });
    stack
}

fn manifest_of_redirects() -> serde_json::Value {
    let redirect = |id: &str, path: &str, to: &str| {
        json!({"id": id, "kind": "redirect", "pages": [{"path": path}], "variants": [
            {"id": "control", "weight": 0},
            {"id": "there", "mutations": [{"op": "redirect", "value": to, "keepQuery": true}]}]})
    };
    let mut paused = redirect("paused", "/products/shoes/trail-shoes", "/");
    paused["status"] = "paused".into();
    json!({"experiences": [
        redirect("city", "/products/bikes/city-bike", "/products/bikes/gravel-bike?moved={{request.query.q|no}}"),
        redirect("nowhere", "/nowhere", "/"),
        redirect("circle", "/products/bikes/folding-bike", "/cart"),
        redirect("back", "/cart", "/products/bikes/folding-bike"),
        redirect("itself", "/", "/#itself"),
        redirect("away", "/products/bikes/gravel-bike", "https://other.example/{{request.query.q}}"),
        paused
    ]})
}

/// A visitor whose cookies are known.
fn known() -> Visitor {
    let mut visitor = Visitor::new(&moved().edge.url());
    visitor.get("/products/shoes/trail-shoes");
    visitor
}

#[test]
fn a_page_is_answered_with_the_address_of_another() {
    let mut visitor = known();
    let answer = visitor.get("/products/bikes/city-bike?q=a%20b%0d%0aset-cookie:x&r=1");
    assert_eq!(answer.status, 302, "{}", answer.text());
    assert_eq!(
        answer.header("location"),
        Some("/products/bikes/gravel-bike?moved=a%20b%0D%0Aset-cookie%3Ax&q=a%20b%0d%0aset-cookie:x&r=1")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.outcome(), Some("redirected"));
    assert_eq!(answer.body, b"");
    assert!(visitor.cookie("ns_id").is_some() && visitor.cookie("ns_s").is_some());
    // What is not seen is not counted; there, who was sent is not sent on.
    let next = visitor.get("/products/bikes/gravel-bike?moved=no");
    assert_eq!((next.status, next.outcome()), (200, Some("unchanged")));
    assert_eq!(visitor.cookie("ns_to"), Some(""));
    // Later it is a page as any.
    let later = visitor.get("/products/bikes/gravel-bike?q=%2F%2Fevil.example");
    assert_eq!(
        later.header("location"),
        Some("https://other.example/%2F%2Fevil.example?q=%2F%2Fevil.example")
    );
}

#[test]
fn only_pages_are_redirected() {
    let mut visitor = known();
    let page = "/products/bikes/city-bike";
    assert_eq!(visitor.send("HEAD", page, &[("accept", "*/*")], "").status, 302);
    assert_eq!(visitor.cookie("ns_to"), None);
    let post = visitor.send("POST", page, &[("accept", "text/html")], "x");
    assert_ne!(post.status, 302);
    let script = visitor.send("GET", page, &[("sec-fetch-dest", "script")], "");
    assert_eq!(script.status, 200);
    // A page that is not there is the site's affair, and a file is none.
    assert_eq!(visitor.get("/nowhere").status, 404);
    assert_eq!(visitor.get("/products/shoes/trail-shoes").status, 200);
    let mut refuses = Visitor::new(&moved().edge.url());
    refuses.set_cookie("ns_c", "none");
    assert_eq!(refuses.get(page).status, 200);
}

#[test]
fn head_of_another_page_is_the_upstream_s() {
    let stack = moved();
    let ask = |base: &str| {
        let answer = Visitor::new(base).send(
            "HEAD",
            "/products/shoes/trail-shoes",
            &[("accept", "text/html")],
            "",
        );
        assert_eq!(answer.outcome(), None);
        (
            answer.status,
            answer.header("etag").map(str::to_owned),
            answer.all("set-cookie").count(),
        )
    };
    assert_eq!(ask(&stack.edge.url()), ask(&stack.shop.as_ref().unwrap().url()));
}

#[test]
fn nobody_goes_in_circles() {
    let stack = moved();
    let edge = stack.edge.url();
    let itself = Visitor::new(&edge).get("/?q=1");
    assert_eq!((itself.status, itself.outcome()), (200, Some("unchanged")));
    // Without cookies, nobody could tell who was sent before: the page is shown.
    for path in [
        "/products/bikes/folding-bike",
        "/cart",
        "/products/bikes/city-bike",
    ] {
        assert_eq!(Visitor::new(&edge).get(path).status, 200, "{path}");
    }
    // With cookies, one is sent once.
    let mut visitor = known();
    let mut path = "/cart".to_owned();
    let mut ways = 0;
    loop {
        let answer = visitor.get(&path);
        match answer.header("location") {
            Some(location) => path = location.to_owned(),
            None => break,
        }
        ways += 1;
        assert!(ways < 5);
    }
    assert_eq!((ways, path.as_str()), (1, "/products/bikes/folding-bike"));
}

#[test]
fn a_preview_redirects_too() {
    let token = crate::previews::token(&["paused=there", "city=control"]);
    let mut author = known();
    let shown = author.get(&format!("/products/bikes/city-bike?ns_preview={token}"));
    assert_eq!((shown.status, shown.outcome()), (200, Some("unchanged preview")));
    author = Visitor::new(&moved().edge.url());
    let sent = author.get(&format!("/products/shoes/trail-shoes?a&ns_preview={token}"));
    assert_eq!((sent.status, sent.header("location")), (302, Some("/?a")));
    assert!(author.cookie("ns_p").is_some() && sent.header("x-nearside-explain").is_some());
    assert_eq!(sent.outcome(), Some("redirected preview"));
}
