//! Every status, with and without a body, for each way to ask.

use crate::client::Request;
use crate::compare::{Like, passes, untouched};
use crate::upstream::{Step, answer, plain};

const TWO_COOKIES: &str = "Set-Cookie: a=1; Path=/\r\nX-One: 1\r\nSet-Cookie: b=\"2, 3\"; Expires=Wed, 09 Jun 2027 10:18:14 GMT\r\nSet-Cookie: a=1; Path=/x\r\n";

/// Statuses that have a body: all that are named, and some that nobody has named.
const STATUSES: [&str; 60] = [
    "200 OK",
    "201 Created",
    "202 Accepted",
    "203 Non-Authoritative Information",
    "206 Partial Content",
    "207 Multi-Status",
    "208 Already Reported",
    "226 IM Used",
    "299 Mine",
    "300 Multiple Choices",
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "305 Use Proxy",
    "306 Switch Proxy",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
    "400 Bad Request",
    "401 Unauthorized",
    "402 Payment Required",
    "403 Forbidden",
    "404 Not Found",
    "405 Method Not Allowed",
    "406 Not Acceptable",
    "407 Proxy Authentication Required",
    "408 Request Timeout",
    "409 Conflict",
    "410 Gone",
    "411 Length Required",
    "412 Precondition Failed",
    "413 Content Too Large",
    "414 URI Too Long",
    "415 Unsupported Media Type",
    "416 Range Not Satisfiable",
    "417 Expectation Failed",
    "418 I'm a teapot",
    "421 Misdirected Request",
    "422 Unprocessable Content",
    "423 Locked",
    "424 Failed Dependency",
    "425 Too Early",
    "426 Upgrade Required",
    "428 Precondition Required",
    "429 Too Many Requests",
    "431 Request Header Fields Too Large",
    "451 Unavailable For Legal Reasons",
    "499 Mine",
    "500 Internal Server Error",
    "501 Not Implemented",
    "502 Bad Gateway",
    "503 Service Unavailable",
    "504 Gateway Timeout",
    "505 HTTP Version Not Supported",
    "506 Variant Also Negotiates",
    "507 Insufficient Storage",
    "508 Loop Detected",
    "510 Not Extended",
    "511 Network Authentication Required",
    "530 Mine",
    "599 Odd",
];

#[test]
fn every_status_with_a_body_and_without() {
    for status in STATUSES {
        let asked = Request::new("GET", "/status").with("Accept: */*");
        passes(
            status,
            &asked,
            &plain(status, TWO_COOKIES, b"the body"),
            Like::Direct,
        );
        passes(status, &asked, &plain(status, TWO_COOKIES, b""), Like::Direct);
    }
}

#[test]
fn pages_that_are_no_success_are_not_touched() {
    for status in [
        "201 Created",
        "404 Not Found",
        "410 Gone",
        "418 I'm a teapot",
        "500 Internal Server Error",
        "503 Later",
    ] {
        let page = answer(
            status,
            "Content-Type: text/html; charset=utf-8\r\nETag: \"1\"\r\n",
            b"<!DOCTYPE html><h1>Gone</h1>",
        );
        let got = passes(status, &Request::page("/gone"), &page, Like::Direct);
        assert_eq!(got.answer.outcome().as_deref(), Some("untouched"), "{status}");
    }
}

#[test]
fn statuses_that_never_have_a_body() {
    for status in ["204 No Content", "304 Not Modified"] {
        let bare = format!("HTTP/1.1 {status}\r\nETag: \"1\"\r\n{TWO_COOKIES}\r\n");
        passes(
            status,
            &Request::new("GET", "/none"),
            bare.as_bytes(),
            Like::Direct,
        );
        passes(
            status,
            &Request::new("GET", "/none").with("Sec-Fetch-Dest: image"),
            bare.as_bytes(),
            Like::Direct,
        );
        passes(
            status,
            &Request::new("HEAD", "/none"),
            bare.as_bytes(),
            Like::Direct,
        );
    }
    passes(
        "205",
        &Request::new("GET", "/reset"),
        &answer("205 Reset Content", TWO_COOKIES, b""),
        Like::Direct,
    );
    // The runtime drops what must not be there.
    passes(
        "205 with a body",
        &Request::new("GET", "/reset"),
        &plain("205 Reset Content", "", b"x"),
        Like::PassThrough,
    );
}

#[test]
fn what_is_no_status_of_http() {
    for status in ["600 Six", "777 Lucky", "999 Last"] {
        for asked in [
            Request::page("/odd"),
            Request::new("POST", "/odd").with_body(b"x"),
        ] {
            passes(
                status,
                &asked,
                &plain(status, TWO_COOKIES, b"the body"),
                Like::Direct,
            );
        }
    }
}

#[test]
fn interim_answers() {
    let hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    let processing = b"HTTP/1.1 102 Processing\r\n\r\n";
    for (name, interim) in [
        ("100", [go_on.as_slice()].concat()),
        ("103", [hints.as_slice()].concat()),
        ("three", [go_on.as_slice(), processing, hints, hints].concat()),
    ] {
        // No worker ever sees them; the answer is the last.
        let steps = [
            Step::Send(interim),
            Step::Send(plain("200 OK", TWO_COOKIES, b"final")),
        ];
        let got = untouched(name, &Request::new("GET", "/hints"), &steps, Like::PassThrough);
        assert_eq!(
            (got.answer.status(), got.answer.text().as_str()),
            (200, "final"),
            "{name}"
        );
    }
}

#[test]
fn who_waits_to_be_told_to_send_is_told() {
    let asked = Request::new("POST", "/expects")
        .with("Expect: 100-continue")
        .with_body(b"body");
    let got = passes(
        "100-continue",
        &asked,
        &plain("200 OK", "", b"done"),
        Like::PassThrough,
    );
    assert_eq!(got.only().body, b"body");
    assert_eq!(got.answer.interim.len(), 1, "the runtime tells");
}

#[test]
fn head_options_and_others() {
    let headers = format!("Content-Type: text/html\r\nETag: \"1\"\r\nContent-Length: 1234\r\n{TWO_COOKIES}");
    let head = format!("HTTP/1.1 200 OK\r\n{headers}\r\n");
    passes(
        "HEAD of a page",
        &Request::new("HEAD", "/").with("Accept: text/html"),
        head.as_bytes(),
        Like::Direct,
    );
    passes(
        "HEAD of anything",
        &Request::new("HEAD", "/"),
        head.as_bytes(),
        Like::Direct,
    );
    for method in ["OPTIONS", "DELETE", "PROPFIND", "REPORT", "PURGE", "TRACE"] {
        let page = answer(
            "200 OK",
            &format!("Allow: GET\r\nContent-Type: text/html\r\n{TWO_COOKIES}"),
            b"<h1>x</h1>",
        );
        passes(method, &Request::new(method, "/any"), &page, Like::Direct);
    }
    let star = passes(
        "OPTIONS *",
        &Request::new("OPTIONS", "*"),
        &answer("200 OK", "Allow: GET\r\n", b""),
        Like::PassThrough,
    );
    assert_eq!(star.only().head.line, b"OPTIONS / HTTP/1.1");
    // What the runtime does not know, it refuses before any worker is asked.
    let unknown = passes(
        "BREW",
        &Request::new("BREW", "/pot"),
        &plain("200 OK", "", b"x"),
        Like::PassThrough,
    );
    assert_eq!(unknown.answer.status(), 501);
}
