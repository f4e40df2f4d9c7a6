//! Addresses in an answer's headers: what points at the upstream's own host points at the edge's afterwards.

use crate::client::{HOST, Request};
use crate::compare::{Like, passes};
use crate::rig::{rig, through_edge};
use crate::upstream::answer;

/// Through the edge a header with `{up}` for the upstream's authority becomes `expected`.
#[track_caller]
fn check(status: &str, name: &str, value: &str, expected: &str) {
    let value = value.replace("{up}", &rig().authority());
    let redirect = answer(
        status,
        &format!("{name}: {value}\r\nX-Other: {value}\r\nContent-Type: text/html\r\n"),
        b"<p>",
    );
    for asked in [
        Request::page("/a"),
        Request::new("GET", "/a").with("Sec-Fetch-Dest: image"),
        Request::new("POST", "/a").with_body(b"x"),
        Request::new("HEAD", "/a"),
    ] {
        let got = through_edge(&asked, &redirect);
        let head = got.answer.head();
        assert_eq!(
            head.text(name).as_deref(),
            Some(expected),
            "{} {status} {name}: {value}",
            asked.method
        );
        assert_eq!(head.text("x-other").as_deref(), Some(value.as_str()));
    }
}

#[test]
fn the_upstream_s_own_address_becomes_the_edge_s() {
    for status in [
        "201 Created",
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        check(
            status,
            "location",
            "http://{up}/x?y=1&z#part",
            &format!("http://{HOST}/x?y=1&z#part"),
        );
    }
    for (value, expected) in [
        ("http://{up}", format!("http://{HOST}")),
        ("http://{up}?x", format!("http://{HOST}?x")),
        ("HTTP://{up}/%ff/../A%20b", format!("http://{HOST}/%ff/../A%20b")),
        ("//{up}/x", format!("//{HOST}/x")),
        (
            "http://{up}/?to=http://{up}/",
            format!("http://{HOST}/?to=http://{}/", rig().authority()),
        ),
    ] {
        check("302 Found", "location", value, &expected);
        check("200 OK", "content-location", value, &expected);
    }
    check(
        "200 OK",
        "refresh",
        "5; url=http://{up}/x",
        &format!("5; url=http://{HOST}/x"),
    );
    check(
        "200 OK",
        "refresh",
        "0;URL='http://{up}/x'",
        &format!("0;URL='http://{HOST}/x'"),
    );
}

#[test]
fn other_addresses_stay() {
    for value in [
        "/x",
        "x?y",
        "#part",
        "?a=http://{up}/",
        "https://other.example/x",
        "//other.example/http://{up}/",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1/x",
        "http://{up}.other.example/",
        "http://{up}0/",
        "http://name@{up}/",
        "https://{up}/x",
        "ftp://{up}/x",
        "http:/{up}/x",
        "http:x",
        "mailto:a@{up}",
    ] {
        let value = value.replace("{up}", &rig().authority());
        check("302 Found", "location", &value, &value);
    }
    check("200 OK", "refresh", "5", "5");
    check("200 OK", "refresh", "5; url=/x", "5; url=/x");
}

#[test]
fn redirects_pass_otherwise_as_they_are() {
    for asked in [
        Request::page("/old"),
        Request::new("POST", "/old").with_body(b"a=1"),
    ] {
        let redirect = answer(
            "302 Found",
            "Location: /new?x=%20\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nCache-Control: no-store\r\n",
            b"moved",
        );
        passes("redirect", &asked, &redirect, Like::Direct);
        let bytes = crate::upstream::answer_with("302 Found", b"Location: /caf\xe9\r\n", b"");
        passes("no UTF-8", &asked, &bytes, Like::Direct);
    }
}

#[test]
fn cookies_of_the_upstream_s_own_host_become_the_visited_host_s() {
    let own = "Set-Cookie: a=1; Domain=127.0.0.1; Path=/; HttpOnly\r\nSet-Cookie: b=2; path=/; domain=.other.example\r\nSet-Cookie: c=\"x; y\r\nSet-Cookie: d=4;DOMAIN=.127.0.0.1;Secure\r\nSet-Cookie: domain=127.0.0.1\r\n";
    for asked in [
        Request::page("/a"),
        Request::new("POST", "/login").with_body(b"x"),
    ] {
        let got = through_edge(&asked, &answer("303 See Other", own, b""));
        let cookies: Vec<String> = got
            .answer
            .head()
            .all("set-cookie")
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect();
        assert_eq!(
            cookies,
            [
                "a=1; Path=/; HttpOnly",
                "b=2; path=/; domain=.other.example",
                "c=\"x; y",
                "d=4;Secure",
                "domain=127.0.0.1"
            ]
        );
    }
}
