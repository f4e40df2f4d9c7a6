//! What leaves with a page that was rewritten, and what is no page and is not touched.

use crate::client::Request;
use crate::compare::{Like, passes};
use crate::rig::{GREETING, through_edge};
use crate::upstream::{answer, html};

const PAGE: &[u8] =
    b"<!DOCTYPE html><html><head><title>t</title></head><body><h1>Hi</h1><p>A &amp; B</P ></body></html>";

#[test]
fn what_leaves_with_a_personalised_page() {
    let said = "Content-Security-Policy: img-src *\r\nVary: Cookie\r\nVary: Accept-Encoding\r\nLink: </a.css>; rel=preload\r\nX-Own: 1\r\nX-Own: 2\r\nContent-Language: de\r\nServer-Timing: db;dur=1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2, 3; HttpOnly\r\n";
    let gone = "ETag: \"1\"\r\nLast-Modified: Wed, 09 Jun 2021 10:18:14 GMT\r\nAccept-Ranges: bytes\r\nExpires: Wed, 09 Jun 2027 10:18:14 GMT\r\nAge: 3\r\nContent-MD5: x\r\nDigest: sha-256=x\r\nContent-Digest: sha-256=:x:\r\nRepr-Digest: sha-256=:x:\r\nCDN-Cache-Control: max-age=60\r\nCloudflare-CDN-Cache-Control: max-age=60\r\nSurrogate-Control: max-age=60\r\nPragma: cache\r\n";
    let got = through_edge(
        &Request::page("/p").with("Accept-Encoding: identity"),
        &html(
            &format!("{said}{gone}Cache-Control: public, max-age=60\r\n"),
            PAGE,
        ),
    );
    let (answer, head) = (&got.answer, got.answer.head());
    assert_eq!(answer.outcome().as_deref(), Some("personalised"));
    assert!(
        answer.is_whole() && answer.text().contains(&format!("<h1>{}</h1>", spelled(GREETING))),
        "{}",
        answer.text()
    );
    assert!(
        answer.text().contains("</h1><p>A &amp; B</P ></body></html>"),
        "the rest is the upstream's"
    );
    assert_eq!(answer.text().matches("/_ns/sdk.js").count(), 1);
    // The upstream's length is not the page's; the runtime may tell that, and who reads it has checked it.
    assert_ne!(head.text("content-length").as_deref(), Some("1"));
    for line in gone.lines() {
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        assert!(!head.has(&name), "{name}");
    }
    assert_eq!(head.text("cache-control").as_deref(), Some("private, no-store"));
    assert_eq!(head.text("content-type").as_deref(), Some("text/html"));
    assert_eq!(head.text("vary").as_deref(), Some("Cookie, Accept-Encoding"));
    assert_eq!(head.text("x-own").as_deref(), Some("1, 2"));
    assert_eq!(head.text("content-security-policy").as_deref(), Some("img-src *"));
    assert!(
        head.text("server-timing")
            .unwrap()
            .starts_with("db;dur=1, nearside;")
    );
    let cookies: Vec<&[u8]> = head.all("set-cookie").collect();
    assert_eq!(cookies[..2], [b"a=1".as_slice(), b"b=2, 3; HttpOnly"]);
    assert!(
        cookies[2..].iter().all(|cookie| cookie.starts_with(b"ns_")) && cookies.len() == 4,
        "{cookies:?}"
    );
}

/// Without a declared encoding, characters beyond ASCII are references.
pub(crate) fn spelled(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii() {
                c.to_string()
            } else {
                format!("&#{};", u32::from(c))
            }
        })
        .collect()
}

#[test]
fn what_is_no_page_is_not_touched_and_asked_for_once() {
    let types = [
        "text/css",
        "application/javascript",
        "text/javascript; charset=utf-8",
        "application/json",
        "application/ld+json",
        "image/svg+xml",
        "application/xml",
        "text/xml",
        "application/xhtml+xml",
        "application/atom+xml",
        "text/plain",
        "text/html-fragment",
        "text/htmlx",
        "application/octet-stream",
        "application/pdf",
        "image/png",
        "image/webp",
        "video/mp4",
        "audio/mpeg",
        "font/woff2",
        "application/wasm",
        "text/event-stream",
        "multipart/form-data; boundary=x",
        "text/html, text/plain",
        "html",
        "text/vnd.turbo-stream.html",
        "x; text/html",
        "",
    ];
    for kind in types {
        let line = if kind.is_empty() {
            String::new()
        } else {
            format!("Content-Type: {kind}\r\n")
        };
        let file = answer(
            "200 OK",
            &format!("{line}ETag: \"1\"\r\nContent-Digest: sha-256=:x:\r\n"),
            PAGE,
        );
        for asked in [
            Request::new("GET", "/f"),
            Request::new("GET", "/f").with("Accept: */*"),
            Request::new("GET", "/f").with("Accept: image/*"),
            Request::new("GET", "/f").with("Sec-Fetch-Dest: script"),
            Request::page("/f"),
        ] {
            passes(kind, &asked, &file, Like::Direct);
        }
    }
}

#[test]
fn pages_that_nobody_may_change() {
    for headers in [
        "Content-Disposition: attachment; filename=x.html\r\n",
        "content-disposition: ATTACHMENT\r\n",
        "Cache-Control: public, no-transform\r\n",
        "Cache-Control: No-Transform\r\n",
        "Cache-Control: max-age=1\r\nCache-Control: no-transform\r\n",
    ] {
        let got = passes(
            headers,
            &Request::page("/f"),
            &html(&format!("{headers}ETag: \"1\"\r\n"), PAGE),
            Like::Direct,
        );
        assert_eq!(got.answer.outcome().as_deref(), Some("untouched"));
    }
    let got = passes(
        "excluded",
        &Request::page("/excluded/x"),
        &html("ETag: \"1\"\r\n", PAGE),
        Like::Direct,
    );
    assert_eq!(got.answer.outcome().as_deref(), Some("excluded"));
    // The visitor's refusal is the edge's to know, and not the site's.
    let page = html("ETag: \"1\"\r\n", PAGE);
    let got = through_edge(&Request::page("/f").with("Cookie: ns_c=none"), &page);
    assert_eq!(got.answer.outcome().as_deref(), Some("no-consent"));
    assert!(got.answer.body == PAGE && got.answer.head().has("etag") && !got.answer.head().has("set-cookie"));
    for method in ["POST", "PUT", "DELETE"] {
        passes(
            method,
            &Request::new(method, "/f")
                .with("Accept: text/html")
                .with_body(b"x"),
            &html("ETag: \"1\"\r\n", PAGE),
            Like::Direct,
        );
    }
}

#[test]
fn pages_are_asked_for_once() {
    for page in [PAGE, b"", b"<", b"\xef\xbb\xbf", b"no markup", b"\x00\x01\x02"] {
        let got = through_edge(&Request::page("/once"), &html("", page));
        assert_eq!(
            (got.seen.len(), got.answer.status(), got.answer.is_whole()),
            (1, 200, true)
        );
    }
    // A fragment that a script fetches stays as it is.
    let fragment = through_edge(
        &Request::new("GET", "/once").with("Accept: */*"),
        &html("", b"<li>one</li><li>two"),
    );
    assert_eq!(fragment.answer.text(), "<li>one</li><li>two");
}
