//! Connections: several requests on one, and bytes that leave as they come.

use crate::client::{HOST, Request, connect, read};
use crate::rig::{Way, rig};
use crate::upstream::{CASE, Gate, Step, answer, chunks, html, plain};
use crate::wire::read_head;
use std::io::{BufRead, BufReader, Write};

const PAGE: &[u8] = b"<!DOCTYPE html><html><head><title>t</title></head><body><h1>Hi</h1></body></html>";

#[test]
fn many_requests_on_one_connection() {
    let mut stream = connect(rig().port(Way::Edge));
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let kept = "Connection: keep-alive";
    let not_modified = b"HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n".to_vec();
    for _ in 0..3 {
        for (asked, sent, status) in [
            (Request::page("/a"), html("", PAGE), 200),
            (
                Request::new("HEAD", "/a"),
                b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n".to_vec(),
                200,
            ),
            (
                Request::new("GET", "/a.css").with("If-None-Match: \"1\""),
                not_modified.clone(),
                304,
            ),
            (
                Request::new("POST", "/a").with_body(&[7; 100_000]),
                plain("204 None", "", b""),
                204,
            ),
            (
                Request::new("POST", "/a").with_chunks(b"3\r\nabc\r\n0\r\n\r\n".to_vec()),
                plain("201 Made", "", b"made"),
                201,
            ),
            (
                Request::page("/a"),
                answer("302 Found", "Location: /b\r\n", b""),
                302,
            ),
            (
                Request::page("/nowhere"),
                answer("404 Not Found", "Content-Type: text/html\r\n", PAGE),
                404,
            ),
        ] {
            let asked = asked.with(kept);
            let case = rig().case(&[Step::Send(sent)]);
            stream.write_all(&asked.bytes(&case)).unwrap();
            let got = read(&mut reader, &asked.method);
            assert_eq!((got.status(), got.is_whole()), (status, true), "{asked:?}");
            assert_ne!(got.head().text("connection").as_deref(), Some("close"));
        }
    }
}

#[test]
fn what_has_come_leaves() {
    for (asked, kind) in [
        (Request::page("/slow"), "text/html"),
        (Request::page("/slow"), "text/plain"),
        (
            Request::new("GET", "/events").with("Accept: text/event-stream"),
            "text/event-stream",
        ),
        (Request::new("POST", "/slow").with_body(b"x"), "application/json"),
    ] {
        let gate = Gate::default();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let first = [
            head.as_bytes(),
            &chunks(&[b"<!DOCTYPE html><html><head><title>first</title></head><body><p>"]),
        ]
        .concat();
        let last = [
            chunks(&[b"</p><h1>last</h1></body></html>"]),
            b"0\r\n\r\n".to_vec(),
        ]
        .concat();
        let case = rig().case(&[Step::Send(first), Step::Wait(gate.clone()), Step::Send(last)]);
        let mut stream = connect(rig().port(Way::Edge));
        stream.write_all(&asked.bytes(&case)).unwrap();
        let mut reader = BufReader::new(stream);
        assert_eq!(
            read_head(&mut reader).expect("the head comes first").status(),
            200,
            "{kind}"
        );
        // Until here the upstream waits; these lines came through before its last bytes.
        let mut seen = Vec::new();
        while !seen.windows(5).any(|window| window == b"first") {
            assert!(reader.read_until(b'>', &mut seen).unwrap() > 0, "{kind}");
        }
        gate.open();
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut reader, &mut rest).unwrap();
        assert!(rest.ends_with(b"0\r\n\r\n"), "{kind}");
    }
}

/// The status that these bytes get, by this way.
fn status_of(way: Way, bytes: &str) -> u16 {
    let mut stream = connect(rig().port(way));
    // Who refuses a request may do so before it has all of it.
    let _ = stream.write_all(bytes.as_bytes());
    read(&mut BufReader::new(stream), "GET").status()
}

/// HTTP asks for a host, and takes one only.
#[test]
fn what_is_no_request() {
    let case = rig().case(&[Step::Send(plain("200 OK", "", b"x"))]);
    let rest = format!("{CASE}: {case}\r\nConnection: close\r\n\r\n");
    for head in [
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/9.9\r\nHost: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
    ] {
        let bytes = format!("{head}{rest}");
        assert_eq!(
            status_of(Way::Edge, &bytes),
            status_of(Way::PassThrough, &bytes),
            "{head:?}"
        );
    }
    // The runtime makes one host of two.
    for host in ["Host: a\r\nHost: b", "Host: a, b", "Host: a b"] {
        let bytes = format!("GET / HTTP/1.1\r\n{host}\r\n{rest}");
        assert_eq!(status_of(Way::Edge, &bytes), 400, "{host}");
    }
    // One with a length and with chunks could be read in two ways: it is refused, or it has one.
    let case = rig().case(&[Step::Send(plain("200 OK", "", b"x"))]);
    let head = format!("POST / HTTP/1.1\r\nHost: {HOST}\r\n{CASE}: {case}\r\nConnection: close\r\n");
    let body = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let status = status_of(Way::Edge, &format!("{head}{body}"));
    let seen = rig().upstream.seen(&case);
    let framings = seen.iter().map(|seen| {
        let names = ["content-length", "transfer-encoding"];
        names.into_iter().filter(|name| seen.head.has(name)).count()
    });
    assert_eq!(
        framings.sum::<usize>(),
        usize::from(status == 200),
        "{status} {seen:?}"
    );
}
