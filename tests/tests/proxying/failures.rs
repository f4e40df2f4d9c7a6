//! An upstream that breaks off, hangs, is not there or says what is no HTTP.

use crate::client::{Answer, Request, connect, read};
use crate::compare::{Like, untouched};
use crate::rig::{Way, rig};
use crate::upstream::{Gate, Step, answer, chunks, html, plain};
use std::io::{BufReader, ErrorKind, Read, Write};

const PAGE: &[u8] =
    b"<!DOCTYPE html><html><head><title>t</title></head><body><h1>Hi</h1><p>More</p></body></html>";

#[track_caller]
fn is_bad_gateway(answer: &Answer, asked: &Request, name: &str) {
    let head = answer.head();
    assert_eq!(head.status(), 502, "{name}: {answer:?}");
    let says_so = asked.method == "HEAD" || answer.text().contains("could not be reached");
    assert!(answer.is_whole() && says_so, "{name}");
    assert_eq!(
        head.text("content-type").as_deref(),
        Some("text/plain; charset=utf-8"),
        "{name}"
    );
    assert_eq!(head.text("cache-control").as_deref(), Some("no-store"), "{name}");
}

fn all_ways_to_ask() -> [Request; 4] {
    [
        Request::page("/x"),
        Request::new("GET", "/x").with("Sec-Fetch-Dest: image"),
        Request::new("POST", "/x").with_body(b"b"),
        Request::new("HEAD", "/x"),
    ]
}

#[test]
fn no_answer_and_what_is_none() {
    for (name, bytes) in [
        ("nothing", b"".as_slice()),
        ("garbage", b"\x00\x01\x02 hello\r\n\r\n"),
        (
            "half a head",
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Half",
        ),
        ("no status", b"HTTP/1.1 OK\r\n\r\n"),
        ("a header without a name", b"HTTP/1.1 200 OK\r\n: x\r\n\r\n"),
        ("an early hint and no more", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ] {
        for asked in all_ways_to_ask() {
            let got = rig().exchange(Way::Edge, &asked, &[Step::Send(bytes.to_vec()), Step::Close]);
            is_bad_gateway(&got.answer, &asked, name);
        }
    }
}

#[test]
fn nobody_listens() {
    for asked in all_ways_to_ask() {
        let answer = crate::client::ask(rig().workerd.port("edge-of-nobody"), &asked, "nobody");
        is_bad_gateway(&answer, &asked, "nobody");
    }
}

/// What ends too early must not look whole, and what came of it came.
#[test]
fn an_early_end_never_looks_whole() {
    let sent = |head: &str, body: &[u8]| {
        [
            Step::Send([head.as_bytes(), b"\r\n\r\n", body].concat()),
            Step::Close,
        ]
    };
    for kind in ["text/plain", "text/html"] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}");
        let long = format!("{head}\r\nContent-Length: {}", PAGE.len() + 100);
        let chunked = format!("{head}\r\nTransfer-Encoding: chunked");
        let bad = [chunks(&[PAGE]), b"zz\r\nabc".to_vec()].concat();
        for (name, steps) in [
            ("a short body", sent(&long, PAGE)),
            ("no last chunk", sent(&chunked, &chunks(&[PAGE]))),
            (
                "half a chunk",
                sent(
                    &chunked,
                    &[format!("{:x}\r\n", PAGE.len() + 9).as_bytes(), PAGE].concat(),
                ),
            ),
            ("what is no chunk", sent(&chunked, &bad)),
        ] {
            for asked in [
                Request::page("/cut"),
                Request::new("GET", "/cut").with("Sec-Fetch-Dest: image"),
            ] {
                let [pass, edge] =
                    [Way::PassThrough, Way::Edge].map(|way| rig().exchange(way, &asked, &steps).answer);
                assert!(!pass.is_whole(), "{name}: {pass:?}");
                assert!(!edge.is_whole(), "{kind}, {name}: {edge:?}");
                assert_eq!(edge.status(), 200);
            }
        }
    }
}

/// A coded page that cannot be opened to its end does not look whole.
#[track_caller]
fn check_coded(coding: &str, bytes: &[u8]) {
    let page = html(&format!("Content-Encoding: {coding}\r\n"), bytes);
    let request = Request::page("/cut").with("Accept-Encoding: gzip, br");
    let got = rig().exchange(Way::Edge, &request, &[Step::Send(page)]).answer;
    let opened = got.is_whole().then(|| crate::encodings::open(&got)).flatten();
    assert!(opened.is_none(), "{coding}: {opened:?}");
}

#[test]
fn an_early_end_of_a_coded_page_never_looks_whole() {
    use crate::encodings::{brotli, gzip};
    for (coding, bytes) in [("gzip", gzip(PAGE)), ("br", brotli(PAGE))] {
        for cut in [1, 5, bytes.len() / 2] {
            // The upstream's length fits what it sent: only the coding tells that there should be more.
            check_coded(coding, &bytes[..bytes.len() - cut]);
        }
        check_coded(coding, b"this is neither");
    }
}

/// What broke off is not kept for the next visitor either, whatever its lifetime.
#[test]
fn a_page_that_broke_off_is_not_kept() {
    let kept = "Content-Type: text/html\r\nCache-Control: public, max-age=600\r\n";
    let short = format!(
        "HTTP/1.1 200 OK\r\n{kept}Content-Length: {}\r\n\r\n",
        PAGE.len() + 1
    );
    let chunked = format!("HTTP/1.1 200 OK\r\n{kept}Transfer-Encoding: chunked\r\n\r\n");
    let coded = crate::encodings::gzip(PAGE);
    let coded = answer(
        "200 OK",
        &format!("{kept}Content-Encoding: gzip\r\n"),
        &coded[..coded.len() - 9],
    );
    for (target, sent) in [
        ("/kept/short", [short.as_bytes(), PAGE].concat()),
        ("/kept/chunked", [chunked.as_bytes(), &chunks(&[PAGE])].concat()),
        ("/kept/coded", coded),
    ] {
        let asked = Request::page(target).with("Accept-Encoding: gzip");
        let cut = rig().exchange(Way::Edge, &asked, &[Step::Send(sent), Step::Close]);
        assert_eq!((cut.seen.len(), cut.answer.status()), (1, 200), "{target}");
        let opened = cut.answer.is_whole().then(|| crate::encodings::open(&cut.answer));
        assert!(opened.flatten().is_none(), "{target}: {:?}", cut.answer);
        let whole = answer("200 OK", kept, PAGE);
        let next = rig().exchange(Way::Edge, &asked, &[Step::Send(whole)]);
        assert_eq!(next.seen.len(), 1, "{target}: the upstream is asked again");
        assert!(next.answer.is_whole() && next.answer.text().contains("<p>More</p></body></html>"));
        // That one is kept, and looks the same.
        let kept = rig().exchange(Way::Edge, &asked, &[Step::Close]);
        assert_eq!((kept.seen.len(), kept.answer.status()), (0, 200), "{target}");
        assert!(kept.answer.is_whole() && kept.answer.text().contains("<p>More</p></body></html>"));
    }
}

#[test]
fn a_slow_upstream_is_waited_for() {
    for asked in [
        Request::page("/slow"),
        Request::new("POST", "/slow").with_body(b"x"),
    ] {
        let gate = Gate::default();
        let case = rig().case(&[
            Step::Wait(gate.clone()),
            Step::Send(plain("200 OK", "", b"at last")),
        ]);
        let mut stream = connect(rig().port(Way::Edge));
        stream.write_all(&asked.bytes(&case)).unwrap();
        nearside_tests::wait::until("the upstream has the request", || {
            (!rig().upstream.seen(&case).is_empty()).then_some(())
        });
        stream.set_nonblocking(true).unwrap();
        let nothing = stream.read(&mut [0; 1]).unwrap_err();
        assert_eq!(
            nothing.kind(),
            ErrorKind::WouldBlock,
            "there is no answer before the upstream's"
        );
        stream.set_nonblocking(false).unwrap();
        gate.open();
        assert_eq!(read(&mut BufReader::new(stream), "GET").text(), "at last");
        assert_eq!(rig().upstream.seen(&case).len(), 1);
    }
}

#[test]
fn a_visitor_who_leaves_disturbs_nobody() {
    let gate = Gate::default();
    let case = rig().case(&[Step::Wait(gate.clone()), Step::Send(html("", PAGE))]);
    let mut stream = connect(rig().port(Way::Edge));
    stream.write_all(&Request::page("/left").bytes(&case)).unwrap();
    nearside_tests::wait::until("the upstream has the request", || {
        (!rig().upstream.seen(&case).is_empty()).then_some(())
    });
    drop(stream);
    gate.open();
    let next = rig().exchange(Way::Edge, &Request::page("/next"), &[Step::Send(html("", PAGE))]);
    assert_eq!((next.answer.status(), next.answer.is_whole()), (200, true));
}

#[test]
fn more_bytes_than_the_length_says() {
    let steps = [
        Step::Send([plain("200 OK", "", b"body"), b"and more".to_vec()].concat()),
        Step::Close,
    ];
    untouched("more", &Request::new("GET", "/more"), &steps, Like::Direct);
}
