//! Headers, both ways: all that are the visitor's or the site's, and none that are a connection's.

use crate::client::{HOST, Request};
use crate::compare::{Like, passes};
use crate::rig::through_edge;
use crate::upstream::{answer_with, plain};

fn lines(lines: &[&str]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| [line.as_bytes(), b"\r\n"].concat())
        .collect()
}

/// With several header lines.
fn with(request: Request, lines: &[&str]) -> Request {
    lines.iter().fold(request, Request::with)
}

#[test]
fn a_request_s_headers() {
    let asked = with(
        Request::new("GET", "/headers"),
        &[
            "User-Agent: Test/1.0 (x; y)",
            "Accept-Language: fr-FR, fr;q=0.9",
            "Referer: http://shop.example/?a=b",
            "Authorization: Bearer a.b-c_d==",
            "Origin: https://other.example",
            "X-Dup: 1",
            "X-Between: x",
            "X-Dup: 2, 3",
            "x-lower: a",
            "X-Empty:",
            "X-Quoted: \"a, b\"; c=\"\\\"\"",
            "Upgrade-Insecure-Requests: 1",
            "DNT: 1",
            "Sec-Fetch-Mode: cors",
            "Cache-Control: no-cache",
            "Pragma: no-cache",
            "X-Requested-With: XMLHttpRequest",
            "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "Cookie: a=1; b=\"2\"; c=%20; d",
            "X-CSRF-Token: t",
            "Via: 1.1 before",
            "Max-Forwards: 10",
            "From: a@b.example",
            "If-Match: \"1\"",
        ],
    );
    passes("headers", &asked, &plain("200 OK", "", b"x"), Like::Direct);
}

#[test]
fn bytes_that_are_no_ascii() {
    let asked = Request::new("GET", "/bytes")
        .with(b"X-Latin: caf\xe9 \xff\x80")
        .with("X-Unicode: é日")
        .with(b"Cookie: a=\xe9; b=\xc3\xa9")
        .with("X-Tab: a\tb");
    passes("of a request", &asked, &plain("200 OK", "", b"x"), Like::Direct);
    let headers = [
        b"Content-Type: text/plain\r\nX-Latin: caf\xe9 \xff\x80\r\nSet-Cookie: a=\xe9\r\n".as_slice(),
        "X-Unicode: é日\r\n".as_bytes(),
    ]
    .concat();
    for asked in [
        Request::new("GET", "/bytes"),
        Request::page("/bytes"),
        Request::new("POST", "/bytes").with_body(b"x"),
    ] {
        passes(
            "of an answer",
            &asked,
            &answer_with("200 OK", &headers, b"x"),
            Like::Direct,
        );
    }
}

#[test]
fn many_and_long_headers() {
    let many: Vec<String> = (0..80)
        .map(|number| format!("X-Many-{number}: {}", "v".repeat(100)))
        .collect();
    let long = format!("X-Long: {}", "l".repeat(16_000));
    let names: Vec<&str> = many.iter().map(String::as_str).chain([long.as_str()]).collect();
    passes(
        "of a request",
        &with(Request::new("GET", "/"), &names),
        &plain("200 OK", "", b"x"),
        Like::Direct,
    );
    let cookies: Vec<String> = (0..40)
        .map(|number| format!("Set-Cookie: c{number}={}; Path=/", "v".repeat(200)))
        .collect();
    let names: Vec<&str> = names
        .into_iter()
        .chain(cookies.iter().map(String::as_str))
        .collect();
    passes(
        "of an answer",
        &Request::new("GET", "/"),
        &answer_with("200 OK", &lines(&names), b"x"),
        Like::Direct,
    );
}

#[test]
fn an_answer_s_headers() {
    let headers = lines(&[
        "Content-Type: application/json; charset=utf-8",
        "X-Dup: 1",
        "X-Other: x",
        "X-Dup: 2",
        "Vary: Accept",
        "Vary: Cookie, Origin",
        "Link: </a>; rel=preload",
        "Link: </b>; rel=next",
        "Server: own/1.0",
        "Via: 1.1 behind",
        "Age: 10",
        "Expires: 0",
        "Cache-Control: max-age=60, public",
        "Access-Control-Allow-Origin: *",
        "Strict-Transport-Security: max-age=1",
        "Content-Disposition: inline",
        "Server-Timing: db;dur=5",
        "Content-Language: de",
        "WWW-Authenticate: Basic realm=\"a\", Bearer",
        "Set-Cookie: a=1",
        "Set-Cookie: b=2; Domain=other.example; SameSite=None; Secure",
        "Retry-After: 5",
        "X-Empty:",
        "ETag: W/\"1\"",
        "Content-MD5: x==",
        "Digest: sha-256=x=",
        "Content-Security-Policy: default-src 'self'",
        "X-Frame-Options: DENY",
        "Refresh: 5",
        "Alt-Svc: clear",
        "Clear-Site-Data: \"cache\"",
        "NEL: {}",
        "Deprecation: @1",
    ]);
    for asked in [
        Request::new("GET", "/api").with("Accept: application/json"),
        Request::new("POST", "/api").with_body(b"{}"),
    ] {
        passes(
            "headers",
            &asked,
            &answer_with("200 OK", &headers, b"{}"),
            Like::Direct,
        );
    }
    // Of an answer that says what Nearside did, the upstream's own timing is still there.
    let got = through_edge(
        &Request::new("GET", "/api"),
        &answer_with("200 OK", &headers, b"{}"),
    );
    let timing = got.answer.head().text("server-timing").unwrap();
    assert!(timing.starts_with("db;dur=5, nearside;dur="), "{timing}");
}

#[test]
fn what_is_a_connection_s_own_goes_no_further() {
    let names = [
        "Keep-Alive: timeout=5",
        "X-Gone: 1",
        "x-gone: 2",
        "X-Also-Gone: 1",
        "TE: trailers",
        "Trailer: X-Sum",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic eA==",
        "Proxy-Authenticate: Basic",
        "Proxy-Authentication-Info: x",
        "X-Stays: 1",
        "Cache-Control: no-cache",
    ];
    let gone = [
        "connection",
        "keep-alive",
        "x-gone",
        "x-also-gone",
        "te",
        "trailer",
        "upgrade",
        "proxy-connection",
        "proxy-authorization",
    ];
    // What an upstream asks of a proxy is nothing for its own visitors.
    let asked_of_a_proxy = ["proxy-authenticate", "proxy-authentication-info"];
    for asked in [
        Request::new("GET", "/hop"),
        Request::page("/hop"),
        Request::new("POST", "/hop").with_body(b"x"),
    ] {
        let asked = with(
            asked.with("Connection: close, X-Gone,\tx-also-gone , ,Cache-Control"),
            &names,
        );
        // What each message needs is not to be named by a connection (RFC 9110, 7.6.1): it stays.
        let got = through_edge(&asked, &plain("200 OK", "", b"x"));
        for name in gone {
            assert!(!got.only().head.has(name), "{name} in {:?}", got.only().head);
        }
        assert!(
            got.only().head.has("x-stays") && got.only().head.has("x-case") && got.only().head.has("host")
        );
    }
    let headers = [
        lines(&names),
        lines(&[
            "Connection: X-Gone, close, x-also-gone",
            "Upgrade: h2c",
            "Content-Type: text/plain",
        ]),
    ]
    .concat();
    let html = [
        lines(&names),
        lines(&[
            "Connection: X-Gone, x-also-gone, Content-Length",
            "Content-Type: text/html",
        ]),
    ]
    .concat();
    for asked in [
        Request::new("GET", "/hop"),
        Request::page("/hop"),
        Request::new("GET", "/hop").with("Sec-Fetch-Dest: image"),
        Request::new("POST", "/hop").with_body(b"x"),
    ] {
        for headers in [&headers, &html] {
            let got = through_edge(
                &asked,
                &answer_with("200 OK", headers, b"<!DOCTYPE html><h1>x</h1>"),
            );
            let head = got.answer.head();
            let own = gone[1..].iter().filter(|name| **name != "proxy-authorization");
            for name in own.chain(&asked_of_a_proxy) {
                assert!(!head.has(name), "{name} in {head:?}");
            }
            assert_eq!(
                head.text("connection").as_deref(),
                Some("close"),
                "the runtime's own"
            );
            assert!(head.has("x-stays") && got.answer.is_whole());
        }
    }
}

/// What the upstream is told of the visitor and of what they asked for.
#[track_caller]
fn check_forwarded(lines: &[&str], expected: &[(&str, Option<&str>)]) {
    for asked in [
        Request::new("GET", "/"),
        Request::new("POST", "/").with_body(b"x"),
    ] {
        let got = through_edge(&with(asked, lines), &plain("200 OK", "", b"x"));
        for (name, value) in expected {
            assert_eq!(
                got.only().head.text(name).as_deref(),
                *value,
                "{name} of {lines:?}"
            );
        }
    }
}

#[test]
fn what_the_upstream_is_told_of_the_visitor() {
    check_forwarded(
        &[],
        &[
            ("x-forwarded-host", Some(HOST)),
            ("x-forwarded-proto", Some("http")),
            ("x-forwarded-for", None),
            ("forwarded", None),
            ("x-forwarded-port", None),
        ],
    );
    // Of host, protocol and port there is one truth.
    check_forwarded(
        &[
            "X-Forwarded-Host: evil.example",
            "X-Forwarded-Proto: gopher",
            "X-Forwarded-Port: 666",
        ],
        &[
            ("x-forwarded-host", Some(HOST)),
            ("x-forwarded-proto", Some("http")),
            ("x-forwarded-port", Some("80")),
        ],
    );
    // Lists of addresses are added to: who believes them counts from their end.
    check_forwarded(
        &["X-Forwarded-For: 192.0.2.1, 192.0.2.2"],
        &[("x-forwarded-for", Some("192.0.2.1, 192.0.2.2"))],
    );
    check_forwarded(
        &["X-Forwarded-For: 192.0.2.1", "CF-Connecting-IP: 198.51.100.7"],
        &[
            ("x-forwarded-for", Some("192.0.2.1, 198.51.100.7")),
            ("cf-connecting-ip", Some("198.51.100.7")),
        ],
    );
    check_forwarded(
        &["CF-Connecting-IP: 198.51.100.7"],
        &[("x-forwarded-for", Some("198.51.100.7"))],
    );
    check_forwarded(
        &[
            "X-Forwarded-For: 192.0.2.1, 198.51.100.7",
            "CF-Connecting-IP: 198.51.100.7",
        ],
        &[("x-forwarded-for", Some("192.0.2.1, 198.51.100.7"))],
    );
    check_forwarded(&["CF-Connecting-IP: no, address"], &[("x-forwarded-for", None)]);
    // Who speaks of `Forwarded` gets a last element that is true.
    check_forwarded(
        &["Forwarded: for=192.0.2.1;host=evil.example"],
        &[(
            "forwarded",
            Some("for=192.0.2.1;host=evil.example, for=unknown;host=\"shop.example\";proto=http"),
        )],
    );
    check_forwarded(
        &["Forwarded: for=192.0.2.1", "CF-Connecting-IP: 2001:db8::7"],
        &[(
            "forwarded",
            Some("for=192.0.2.1, for=\"[2001:db8::7]\";host=\"shop.example\";proto=http"),
        )],
    );
}

#[test]
fn the_upstream_gets_its_own_cookies() {
    let got = through_edge(
        &Request::page("/").with("Cookie: a=1; ns_id=abc; b=\"x y\"; ns_s=1; ns_j=; c"),
        &plain("200 OK", "", b"x"),
    );
    assert_eq!(
        got.only().head.text("cookie").as_deref(),
        Some("a=1; b=\"x y\"; c")
    );
    let got = through_edge(
        &Request::page("/").with("Cookie: ns_id=abc; ns_s=1"),
        &plain("200 OK", "", b"x"),
    );
    assert!(!got.only().head.has("cookie"));
    let got = through_edge(
        &Request::page("/").with("Cookie: ns_id=abc; b=日; c=é"),
        &plain("200 OK", "", b"x"),
    );
    assert_eq!(got.only().head.text("cookie").as_deref(), Some("b=日; c=é"));
    // The runtime cannot read bytes that are no UTF-8, and so nothing could be taken out without spoiling them.
    let line = b"ns_id=abc; b=\xe9; c=\xff";
    let got = through_edge(
        &Request::page("/").with([b"Cookie: ".as_slice(), line].concat()),
        &plain("200 OK", "", b"x"),
    );
    assert_eq!(
        got.only().head.all("cookie").collect::<Vec<_>>(),
        [line.as_slice()]
    );
}
