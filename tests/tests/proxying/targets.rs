//! Addresses: what the visitor asks for is what the upstream is asked for.

use crate::client::Request;
use crate::compare::{Like, passes};
use crate::rig::through_edge;
use crate::upstream::plain;

#[track_caller]
fn check(target: &str, like: Like) {
    passes(
        target,
        &Request::new("GET", target),
        &plain("200 OK", "", b"x"),
        like,
    );
    passes(
        target,
        &Request::new("POST", target).with_body(b"b"),
        &plain("200 OK", "", b"x"),
        like,
    );
}

#[test]
fn addresses_reach_the_upstream_as_they_are() {
    for target in [
        "/",
        "//",
        "//a//b//",
        "/a;b=c,d",
        "/%41%7e~",
        "/%ff%fe%zz%",
        "/%00",
        "/%2F%5c",
        "/a%20b+c",
        "/a%3Fb%23c",
        "/:",
        "/@!$&*()",
        "/?a=1&&b",
        "/?a?b?",
        "/?%ff=%C3%A9",
        "/?a=%27%22",
        "/?a=/../b",
        "/?=&=",
        "/?a[]=1&a[]=2",
        "/...",
        "/a/.b/..c",
        "/?next=http://other.example/",
        "/a=b&c",
        "/%E6%97%A5%E6%9C%AC",
    ] {
        check(target, Like::Direct);
    }
}

#[test]
fn an_empty_query_is_kept() {
    // A plain pass-through loses it.
    let got = through_edge(&Request::new("GET", "/empty?"), &plain("200 OK", "", b"x"));
    assert_eq!(got.only().head.line, b"GET /empty? HTTP/1.1");
}

#[test]
fn what_every_fetch_of_the_runtime_makes_plain() {
    for target in [
        "/a/../b",
        "/a/./b",
        "/a/%2e%2e/b",
        "/a/.%2E/",
        "/?a='b'",
        "/é?日",
        "/\"",
        "/<>",
        "/`{}|^",
        "/\\x",
    ] {
        check(target, Like::PassThrough);
    }
}

#[test]
fn what_the_runtime_refuses() {
    for target in [b"/a b".as_slice(), b"/\xe9", b"/?\xe9", b"/a\tb"] {
        let name = target.escape_ascii().to_string();
        let got = passes(
            &name,
            &Request::new("GET", target),
            &plain("200 OK", "", b"x"),
            Like::PassThrough,
        );
        assert_eq!((got.answer.status(), got.seen.len()), (400, 0), "{name}");
    }
}

#[test]
fn long_addresses() {
    for length in [2_000, 8_000, 16_000, 32_000, 60_000] {
        check(&format!("/{}", "a".repeat(length)), Like::Direct);
        check(&format!("/?{}", "a%20".repeat(length / 4)), Like::Direct);
    }
    let got = passes(
        "too long",
        &Request::new("GET", "/a".repeat(40_000)),
        &plain("200 OK", "", b"x"),
        Like::PassThrough,
    );
    assert_eq!((got.answer.status(), got.seen.len()), (414, 0));
}

#[test]
fn an_absolute_address() {
    let got = through_edge(
        &Request::new("GET", "http://shop.example/a?b"),
        &plain("200 OK", "", b"x"),
    );
    assert_eq!(got.only().head.line, b"GET /a?b HTTP/1.1");
}
