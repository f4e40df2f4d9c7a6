//! Bodies of requests and answers: every byte, in every framing.

use crate::client::Request;
use crate::compare::{Like, passes, untouched};
use crate::upstream::{Step, chunks, plain};

/// Bytes of every value that compress badly and repeat nowhere near.
fn binary(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(next).collect()
}

#[test]
fn requests_with_a_length_in_chunks_and_empty() {
    let large = binary(1 << 20);
    let done = plain("201 Created", "Location: /made\r\n", b"done");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        for (name, body) in [
            ("text", b"a=1&b=%20".to_vec()),
            ("binary", binary(3_000)),
            ("1 MB", large.clone()),
        ] {
            let asked = Request::new(method, "/form").with("Content-Type: application/octet-stream");
            let got = passes(name, &asked.clone().with_body(&body), &done, Like::Direct);
            assert!(got.only().body == body, "{method} {name}");
            let mut frames = chunks(&body.chunks(7_001).collect::<Vec<_>>());
            frames.extend_from_slice(b"0\r\n\r\n");
            let got = passes(name, &asked.with_chunks(frames), &done, Like::Direct);
            assert!(got.only().body == body, "{method} {name} in chunks");
            assert_eq!(
                got.only().head.text("transfer-encoding").as_deref(),
                Some("chunked")
            );
        }
        let empty = passes(
            "empty",
            &Request::new(method, "/form").with_body(b""),
            &done,
            Like::Direct,
        );
        assert_eq!(
            empty.only().head.text("content-length").as_deref(),
            Some("0"),
            "{method}"
        );
        passes(
            "no chunk",
            &Request::new(method, "/form").with_chunks(b"0\r\n\r\n".to_vec()),
            &done,
            Like::Direct,
        );
    }
}

#[test]
fn a_length_reaches_the_upstream() {
    let got = passes(
        "length",
        &Request::new("POST", "/").with_body(b"12345"),
        &plain("200 OK", "", b""),
        Like::Direct,
    );
    assert_eq!(got.only().head.text("content-length").as_deref(), Some("5"));
    assert!(!got.only().head.has("transfer-encoding"));
}

#[test]
fn a_get_with_a_body() {
    let got = passes(
        "GET",
        &Request::new("GET", "/search").with_body(b"{}"),
        &plain("200 OK", "", b"x"),
        Like::Direct,
    );
    assert_eq!(got.only().body, b"{}");
}

#[test]
fn trailers_are_dropped_by_the_runtime_and_nothing_else_is() {
    let mut frames = chunks(&[b"abc"]);
    frames.extend_from_slice(b"0\r\nX-Sum: 1\r\n\r\n");
    let request = Request::new("POST", "/")
        .with("Trailer: X-Sum")
        .with_chunks(frames.clone());
    let got = passes(
        "of a request",
        &request,
        &plain("200 OK", "", b"x"),
        Like::PassThrough,
    );
    assert_eq!(got.only().body, b"abc");
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answer = [head.as_slice(), &frames].concat();
    let got = passes(
        "of an answer",
        &Request::new("GET", "/"),
        &answer,
        Like::PassThrough,
    );
    assert_eq!((got.answer.text().as_str(), got.answer.is_whole()), ("abc", true));
}

#[test]
fn answers_with_a_length_in_chunks_until_the_end_and_empty() {
    let large = binary(1 << 20);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n";
    let asked = [
        Request::new("GET", "/file"),
        Request::new("GET", "/file").with("Sec-Fetch-Dest: image"),
        Request::page("/file"),
    ];
    for asked in &asked[..2] {
        passes(
            "length",
            asked,
            &[
                format!("{head}Content-Length: {}\r\n\r\n", large.len()).as_bytes(),
                &large,
            ]
            .concat(),
            Like::Direct,
        );
        let mut chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
        chunked.extend(chunks(&large.chunks(9_999).collect::<Vec<_>>()));
        chunked.extend_from_slice(b"0\r\n\r\n");
        let got = passes("chunks", asked, &chunked, Like::Direct);
        assert_eq!(
            got.answer.head().text("transfer-encoding").as_deref(),
            Some("chunked")
        );
    }
    for asked in &asked {
        let until_end = [
            Step::Send([format!("{head}\r\n").as_bytes(), &large].concat()),
            Step::Close,
        ];
        // What ends with the connection, the runtime sends in chunks: then its end is certain.
        let got = untouched(
            "until the end",
            &asked.clone().with("Accept-Encoding: gzip"),
            &until_end,
            Like::PassThrough,
        );
        assert!(got.answer.body == large && got.answer.is_whole());
        passes(
            "empty",
            asked,
            format!("{head}Content-Length: 0\r\n\r\n").as_bytes(),
            Like::Direct,
        );
        passes(
            "no chunk",
            asked,
            format!("{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n").as_bytes(),
            Like::Direct,
        );
    }
}

#[test]
fn old_clients_get_no_chunks() {
    use crate::client::{connect, read};
    use crate::rig::{Way, rig};
    use std::io::{BufReader, Write};
    let page = crate::upstream::html("", b"<!DOCTYPE html><title>t</title><h1>x</h1>");
    let case = rig().case(&[Step::Send(page)]);
    let mut stream = connect(rig().port(Way::Edge));
    write!(
        stream,
        "GET / HTTP/1.0\r\nHost: shop.example\r\nX-Case: {case}\r\nAccept: text/html\r\n\r\n"
    )
    .unwrap();
    let answer = read(&mut BufReader::new(stream), "GET");
    assert_eq!(answer.outcome().as_deref(), Some("personalised"));
    assert!(
        !answer.head().has("transfer-encoding")
            && answer
                .text()
                .contains(&crate::pages::spelled(crate::rig::GREETING)),
        "{answer:?}"
    );
}
