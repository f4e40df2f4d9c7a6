//! Parts of files, copies that may still be fresh, and what a page makes of both.

use crate::client::Request;
use crate::compare::{Like, passes};
use crate::rig::through_edge;
use crate::upstream::{answer, html, plain};

const FILE: &str = "Content-Type: application/pdf\r\nETag: \"v1\"\r\nLast-Modified: Wed, 09 Jun 2021 10:18:14 GMT\r\nAccept-Ranges: bytes\r\n";

/// How browsers ask for what is no page: for something to show in it, or by a script.
fn file() -> [Request; 3] {
    [
        Request::new("GET", "/file.pdf"),
        Request::new("GET", "/file.pdf")
            .with("Accept: */*")
            .with("Sec-Fetch-Dest: video"),
        Request::new("GET", "/file.pdf")
            .with("Accept: */*")
            .with("Sec-Fetch-Dest: empty"),
    ]
}

#[test]
fn parts_of_a_file() {
    for file in file() {
        for (range, status, headers, body) in [
            (
                "bytes=0-3",
                "206 Partial Content",
                "Content-Range: bytes 0-3/10\r\n",
                "%PDF",
            ),
            (
                "bytes=-2",
                "206 Partial Content",
                "Content-Range: bytes 8-9/10\r\n",
                "OF",
            ),
            (
                "bytes=99-",
                "416 Range Not Satisfiable",
                "Content-Range: bytes */10\r\n",
                "",
            ),
            ("lines=1-2", "200 OK", "", "%PDF-..EOF"),
        ] {
            let asked = file.clone().with(format!("Range: {range}"));
            passes(
                range,
                &asked,
                &answer(status, &format!("{FILE}{headers}"), body.as_bytes()),
                Like::Direct,
            );
            let asked = asked.with("If-Range: \"v1\"");
            let got = passes(
                range,
                &asked,
                &answer(status, &format!("{FILE}{headers}"), body.as_bytes()),
                Like::Direct,
            );
            assert_eq!(got.only().head.text("if-range").as_deref(), Some("\"v1\""));
        }
    }
}

#[test]
fn several_parts_of_a_file() {
    let body = "--x\r\nContent-Type: text/html\r\nContent-Range: bytes 0-1/10\r\n\r\n<h\r\n--x\r\nContent-Type: text/html\r\nContent-Range: bytes 4-5/10\r\n\r\n1>\r\n--x--\r\n";
    let parts = answer(
        "206 Partial Content",
        "Content-Type: multipart/byteranges; boundary=x\r\n",
        body.as_bytes(),
    );
    passes(
        "parts",
        &Request::new("GET", "/file").with("Range: bytes=0-1,4-5"),
        &parts,
        Like::Direct,
    );
}

#[test]
fn a_part_of_a_page_is_not_touched() {
    let part = answer(
        "206 Partial Content",
        "Content-Type: text/html\r\nContent-Range: bytes 0-9/99\r\n",
        b"<h1>Part</",
    );
    let got = passes(
        "part",
        &Request::new("GET", "/page").with("Range: bytes=0-9"),
        &part,
        Like::Direct,
    );
    assert_eq!(got.answer.outcome().as_deref(), Some("untouched"));
}

#[test]
fn copies_that_are_still_fresh() {
    let fresh =
        b"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\nVary: Accept\r\n\r\n";
    for file in file() {
        for condition in [
            "If-None-Match: \"v0\", W/\"v1\"",
            "If-Modified-Since: Wed, 09 Jun 2021 10:18:14 GMT",
            "If-None-Match: *",
        ] {
            let got = passes(condition, &file.clone().with(condition), fresh, Like::Direct);
            let name = condition.split(':').next().unwrap().to_ascii_lowercase();
            assert!(got.only().head.has(&name), "{condition}");
        }
    }
    for condition in [
        "If-Match: \"v0\"",
        "If-Unmodified-Since: Wed, 09 Jun 2021 10:18:14 GMT",
    ] {
        passes(
            condition,
            &Request::new("PUT", "/file").with(condition).with_body(b"x"),
            &plain("412 Precondition Failed", "", b""),
            Like::Direct,
        );
        passes(
            condition,
            &Request::page("/file").with(condition),
            &plain("412 Precondition Failed", "", b""),
            Like::Direct,
        );
    }
}

/// A visitor's copy of a page was made for another moment, and a part of the upstream's page is no part of theirs.
#[test]
fn who_goes_to_a_page_gets_it_whole_and_new() {
    let page = html(
        "ETag: \"v1\"\r\nLast-Modified: Wed, 09 Jun 2021 10:18:14 GMT\r\nAccept-Ranges: bytes\r\n",
        b"<!DOCTYPE html><head></head><h1>New</h1>",
    );
    let asked = Request::page("/page")
        .with("If-None-Match: \"v1\"")
        .with("If-Modified-Since: Wed, 09 Jun 2021 10:18:14 GMT")
        .with("Range: bytes=0-9")
        .with("If-Range: \"v1\"");
    let got = through_edge(&asked, &page);
    for name in ["if-none-match", "if-modified-since", "range", "if-range"] {
        assert!(!got.only().head.has(name), "{name}");
    }
    assert_eq!(
        (got.answer.status(), got.answer.outcome().as_deref()),
        (200, Some("personalised"))
    );
    assert!(got.answer.is_whole());
    for name in ["etag", "last-modified", "accept-ranges"] {
        assert!(!got.answer.head().has(name), "{name}");
    }
    // What is no page after all is whole, too, and asked for once.
    let file = through_edge(&asked, &answer("200 OK", FILE, b"%PDF-..EOF"));
    assert_eq!(
        (file.answer.status(), file.answer.text().as_str(), file.seen.len()),
        (200, "%PDF-..EOF", 1)
    );
    assert_eq!(file.answer.head().text("etag").as_deref(), Some("\"v1\""));
}
