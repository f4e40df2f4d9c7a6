//! Content codings: what can be opened is personalised, all else passes with its bytes.

use crate::client::{Answer, Request};
use crate::compare::{Like, passes};
use crate::pages::spelled;
use crate::rig::{GREETING, through_edge};
use crate::upstream::{answer, html};
use std::io::{Read, Write};

const PAGE: &[u8] =
    b"<!DOCTYPE html><html><head><title>t</title></head><body><h1>Hi</h1><p>More</p></body></html>";

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Brotli that stores: a window of 16 bits, one meta-block as it is, and an empty last one.
pub(crate) fn brotli(bytes: &[u8]) -> Vec<u8> {
    let header = u32::try_from(bytes.len() - 1).unwrap() << 4 | 1 << 20;
    let mut coded = header.to_le_bytes()[..3].to_vec();
    coded.extend_from_slice(bytes);
    coded.push(3);
    coded
}

/// Zstandard that stores: one segment of a length in one byte, and one raw block.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap();
    let block = u32::from(length) << 3 | 1;
    let mut coded = vec![0x28, 0xb5, 0x2f, 0xfd, 0x20, length];
    coded.extend_from_slice(&block.to_le_bytes()[..3]);
    coded.extend_from_slice(bytes);
    coded
}

/// The body as a browser opens it; `None` if it can't.
pub(crate) fn open(answer: &Answer) -> Option<Vec<u8>> {
    let mut opened = Vec::new();
    let body = answer.body.as_slice();
    match answer.head().text("content-encoding").as_deref() {
        None | Some("identity") => opened.extend_from_slice(body),
        Some("gzip") => {
            flate2::read::MultiGzDecoder::new(body)
                .read_to_end(&mut opened)
                .ok()?;
        }
        Some("br") => {
            brotli_decompressor::Decompressor::new(body, 4_096)
                .read_to_end(&mut opened)
                .ok()?;
        }
        Some(other) => panic!("{other} is not to be opened"),
    }
    Some(opened)
}

#[test]
fn pages_that_can_be_opened_are_personalised() {
    for (coding, bytes) in [
        ("", PAGE.to_vec()),
        ("identity", PAGE.to_vec()),
        ("gzip", gzip(PAGE)),
        ("br", brotli(PAGE)),
    ] {
        let line = if coding.is_empty() {
            String::new()
        } else {
            format!("Content-Encoding: {coding}\r\n")
        };
        let got = through_edge(
            &Request::page("/coded").with("Accept-Encoding: gzip, deflate, br, zstd"),
            &html(&format!("{line}Vary: Accept-Encoding\r\n"), &bytes),
        );
        assert_eq!(got.answer.outcome().as_deref(), Some("personalised"), "{coding}");
        assert!(got.answer.is_whole());
        let page = String::from_utf8(open(&got.answer).unwrap()).unwrap();
        assert!(
            page.contains(&format!("<h1>{}</h1><p>More</p>", spelled(GREETING))),
            "{coding}: {page}"
        );
        // The visitor gets the coding that the upstream chose for them, and no other.
        assert_eq!(
            got.answer.head().text("content-encoding").unwrap_or_default(),
            coding
        );
        assert_eq!(got.answer.head().text("vary").as_deref(), Some("Accept-Encoding"));
    }
}

#[test]
fn pages_that_cannot_be_opened_pass_with_their_bytes() {
    for (coding, bytes) in [
        ("zstd", zstd(PAGE)),
        ("deflate", deflate(PAGE)),
        ("gzip, gzip", gzip(&gzip(PAGE))),
        ("gzip, br", brotli(&gzip(PAGE))),
        ("br\r\nContent-Encoding: gzip", gzip(&brotli(PAGE))),
        ("x-gzip", gzip(PAGE)),
        ("GZIP", gzip(PAGE)),
        ("compress", b"\x1f\x9d\x90".to_vec()),
        ("aes128gcm", b"\x00\x01".to_vec()),
        ("own", b"\x00\x01".to_vec()),
    ] {
        let page = html(&format!("Content-Encoding: {coding}\r\nETag: \"1\"\r\n"), &bytes);
        let got = passes(coding, &Request::page("/coded"), &page, Like::Direct);
        assert_eq!(got.answer.outcome().as_deref(), Some("untouched"), "{coding}");
    }
}

#[test]
fn what_is_no_page_passes_with_its_bytes() {
    let text = b"body{color:red}".repeat(10);
    for (coding, bytes) in [
        ("gzip", gzip(&text)),
        ("br", brotli(&text)),
        ("zstd", zstd(&text)),
        ("deflate", deflate(&text)),
        ("gzip, br", brotli(&gzip(&text))),
        ("identity", text.clone()),
        ("gzip", b"no gzip".to_vec()),
    ] {
        let file = answer(
            "200 OK",
            &format!("Content-Type: text/css\r\nContent-Encoding: {coding}\r\nETag: \"1\"\r\n"),
            &bytes,
        );
        for asked in [
            Request::new("GET", "/a.css"),
            Request::new("GET", "/a.css")
                .with("Sec-Fetch-Dest: style")
                .with("Accept-Encoding: gzip, deflate, br, zstd"),
            Request::page("/a.css"),
        ] {
            passes(coding, &asked, &file, Like::Direct);
        }
        let file = answer(
            "200 OK",
            &format!("Content-Type: application/json\r\nContent-Encoding: {coding}\r\n"),
            &bytes,
        );
        passes(
            coding,
            &Request::new("POST", "/api").with_body(b"{}"),
            &file,
            Like::Direct,
        );
    }
}

/// Who asks for `accepts` makes the edge ask for `asked`.
#[track_caller]
fn check_asked(request: Request, accepts: Option<&str>, asked: Option<&str>) {
    let request = match accepts {
        Some(accepts) => request.with(format!("Accept-Encoding: {accepts}")),
        None => request,
    };
    let got = through_edge(&request, &html("", PAGE));
    assert_eq!(
        got.only().head.text("accept-encoding").as_deref(),
        asked,
        "{accepts:?}"
    );
}

#[test]
fn for_pages_the_upstream_is_asked_for_what_can_be_opened() {
    for (accepts, asked) in [
        (None, None),
        (Some("gzip, deflate, br, zstd"), Some("gzip, br")),
        (
            Some("zstd;q=1.0, br;q=0.5, gzip ; Q=0.2, deflate"),
            Some("br;q=0.5, gzip ; Q=0.2"),
        ),
        (Some("gzip"), Some("gzip")),
        (Some("BR, GZip"), Some("BR, GZip")),
        (Some("br"), Some("br")),
        (Some("identity"), Some("identity")),
        (Some("gzip;q=0, identity"), Some("gzip;q=0, identity")),
        (Some("zstd"), Some("identity")),
        (Some("deflate, zstd;q=0.5"), Some("identity")),
        // Everything may be anything.
        (Some("*"), Some("identity")),
        (Some("gzip, *;q=0.1"), Some("gzip")),
        (Some("*;q=0, gzip"), Some("*;q=0, gzip")),
    ] {
        check_asked(Request::page("/coded"), accepts, asked);
    }
}

#[test]
fn for_anything_else_the_upstream_is_asked_for_what_the_visitor_takes() {
    for accepts in [
        None,
        Some("gzip, deflate, br, zstd"),
        Some("zstd"),
        Some("*"),
        Some("identity;q=0, own"),
    ] {
        for request in [
            Request::new("GET", "/a.css")
                .with("Sec-Fetch-Dest: style")
                .with("Accept: text/css,*/*;q=0.1"),
            Request::new("GET", "/api").with("Accept: application/json"),
            Request::new("GET", "/api").with("Accept: */*"),
            Request::new("POST", "/p")
                .with("Accept: text/html")
                .with_body(b"x"),
        ] {
            check_asked(request, accepts, accepts);
        }
    }
}
