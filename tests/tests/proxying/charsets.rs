//! Character encodings: a page is personalised right, or it passes with its bytes. Never is it spoiled.

use crate::client::Request;
use crate::rig::{GREETING, through_edge};
use crate::upstream::answer_with;
use ::encodings::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, ISO_8859_2, ISO_8859_15, KOI8_R, SHIFT_JIS,
    UTF_8, WINDOWS_1251, WINDOWS_1252,
};

/// What is to become of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Becomes {
    Personalised,
    Untouched,
}
use Becomes::{Personalised, Untouched};

/// The bytes of a page: a declaration, and a text in the encoding.
fn page(meta: &str, text: &str, encoding: &'static Encoding) -> Vec<u8> {
    let page = format!(
        "<!DOCTYPE html><html><head>{meta}<title>{text}</title></head><body><h1>{text}</h1><p title=\"{text}\">{text}</p></body></html>"
    );
    let (bytes, _, is_lossy) = encoding.encode(&page);
    assert!(!is_lossy, "{text} in {}", encoding.name());
    bytes.into_owned()
}

fn utf_16(page: &str, to_bytes: fn(u16) -> [u8; 2], mark: bool) -> Vec<u8> {
    let mark = mark.then_some(0xfeff);
    mark.into_iter()
        .chain(page.encode_utf16())
        .flat_map(to_bytes)
        .collect()
}

/// Numeric references as the browser reads them.
fn with_references(text: &str) -> String {
    let mut parts = text.split("&#");
    let mut read = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once(';').unwrap();
        read.push(char::from_u32(number.parse().unwrap()).unwrap());
        read.push_str(rest);
    }
    read
}

/// A page with this `Content-Type` that browsers read in `encoding`.
#[track_caller]
fn check(kind: &str, bytes: &[u8], encoding: &'static Encoding, becomes: Becomes) {
    let sent = answer_with("200 OK", format!("Content-Type: {kind}\r\n").as_bytes(), bytes);
    let got = through_edge(&Request::page("/charset"), &sent).answer;
    let outcome = got.outcome();
    assert!(got.is_whole());
    if becomes == Untouched {
        assert!(got.body == bytes, "{kind}: {outcome:?} {}", got.text());
        return;
    }
    assert_eq!(outcome.as_deref(), Some("personalised"), "{kind}");
    let (read, _, is_spoiled) = encoding.decode(&got.body);
    assert!(!is_spoiled, "{kind}: {read}");
    assert!(
        with_references(&read).contains(&format!("<h1>{GREETING}</h1>")),
        "{kind}: {read}"
    );
    // All else is what it was, byte for byte.
    let is_tail = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'p').is_some();
    assert!(is_tail(bytes));
    let tail = |bytes: &[u8]| {
        let at = bytes.windows(5).position(|window| window == b"</h1>").unwrap();
        bytes[at..].to_vec()
    };
    assert_eq!(tail(&got.body), tail(bytes), "{kind}");
    let title = |bytes: &[u8]| {
        let at = bytes.windows(8).position(|window| window == b"</title>").unwrap();
        bytes[..at].to_vec()
    };
    assert_eq!(title(&got.body), title(bytes), "{kind}");
}

const ENCODINGS: [(&Encoding, &str, &str); 13] = [
    (UTF_8, "utf-8", "Straße 日本 €"),
    (WINDOWS_1252, "windows-1252", "Straße – 5 €"),
    (WINDOWS_1252, "iso-8859-1", "Straße é"),
    (WINDOWS_1251, "windows-1251", "Привет"),
    (KOI8_R, "koi8-r", "Привет"),
    (ISO_8859_2, "iso-8859-2", "Żółć"),
    (ISO_8859_15, "iso-8859-15", "5 € œ"),
    (SHIFT_JIS, "shift_jis", "日本ソ表"),
    (EUC_JP, "euc-jp", "日本語"),
    (EUC_KR, "euc-kr", "한국어"),
    (BIG5, "big5", "中文"),
    (GBK, "gbk", "中文"),
    (GB18030, "gb18030", "中文€"),
];

#[test]
fn declared_in_the_header() {
    for (encoding, label, text) in ENCODINGS {
        let upper = label.to_ascii_uppercase();
        for kind in [
            format!("text/html; charset={label}"),
            format!("Text/HTML;charset=\"{upper}\""),
            format!("text/html; x=y ; charset={label} ; z"),
        ] {
            check(&kind, &page("", text, encoding), encoding, Personalised);
        }
    }
}

#[test]
fn declared_in_the_page() {
    for (encoding, label, text) in ENCODINGS {
        for meta in [
            format!("<meta charset={label}>"),
            format!("<META http-equiv='Content-Type' content='text/html; charset={label}'>"),
        ] {
            check("text/html", &page(&meta, text, encoding), encoding, Personalised);
        }
    }
}

#[test]
fn declared_by_a_mark() {
    let marked = |meta: &str| [b"\xef\xbb\xbf".as_slice(), &page(meta, "Straße 日本", UTF_8)].concat();
    check("text/html", &marked(""), UTF_8, Personalised);
    // The mark is believed, whatever else says something different.
    check(
        "text/html",
        &marked("<meta charset=windows-1252>"),
        UTF_8,
        Personalised,
    );
    check(
        "text/html; charset=windows-1252",
        &marked(""),
        UTF_8,
        Personalised,
    );
    check(
        "text/html; charset=shift_jis",
        &marked("<meta charset=euc-kr>"),
        UTF_8,
        Personalised,
    );
}

#[test]
fn utf_16_passes() {
    let page = "<!DOCTYPE html><html><head><title>Straße</title></head><body><h1>日本</h1></body></html>";
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        for kind in [
            "text/html",
            "text/html; charset=utf-16",
            "text/html; charset=utf-16le",
            "text/html; charset=utf-16be",
            "text/html; charset=utf-8",
            "text/html; charset=windows-1252",
        ] {
            check(kind, &utf_16(page, to_bytes, true), UTF_8, Untouched);
        }
        for kind in [
            "text/html; charset=utf-16",
            "text/html; charset=utf-16le",
            "text/html; charset=utf-16be",
            "text/html",
            "text/html; charset=utf-8",
        ] {
            check(kind, &utf_16(page, to_bytes, false), UTF_8, Untouched);
        }
    }
}

#[test]
fn what_is_no_superset_of_ascii_passes() {
    let japanese = page("", "日本語", ISO_2022_JP);
    check(
        "text/html; charset=iso-2022-jp",
        &japanese,
        ISO_2022_JP,
        Untouched,
    );
    check(
        "text/html",
        &page("<meta charset=iso-2022-jp>", "日本語", ISO_2022_JP),
        ISO_2022_JP,
        Untouched,
    );
    check(
        "text/html",
        &page(
            "<meta http-equiv=content-type content='text/html;charset=ISO-2022-JP'>",
            "日本語",
            ISO_2022_JP,
        ),
        ISO_2022_JP,
        Untouched,
    );
    for label in [
        "hz-gb-2312",
        "iso-2022-kr",
        "iso-2022-cn",
        "replacement",
        "utf-7",
        "unknown",
        "x-user-defined-2",
        "utf-32",
    ] {
        check(
            &format!("text/html; charset={label}"),
            &page("", "plain", UTF_8),
            UTF_8,
            Untouched,
        );
    }
}

#[test]
fn undeclared_or_wrong() {
    // Browsers guess; what is put in is the same in whatever they take.
    for (encoding, _, text) in ENCODINGS {
        check("text/html", &page("", text, encoding), encoding, Personalised);
        check(
            "text/html; charset=",
            &page("", text, encoding),
            encoding,
            Personalised,
        );
    }
    // The header wins over the page.
    check(
        "text/html; charset=windows-1252",
        &page("<meta charset=utf-8>", "Straße", WINDOWS_1252),
        WINDOWS_1252,
        Personalised,
    );
    check(
        "text/html; charset=utf-8",
        &page("<meta charset=shift_jis>", "Straße 日本", UTF_8),
        UTF_8,
        Personalised,
    );
    // The first declaration of a page wins.
    check(
        "text/html",
        &page(
            "<meta charset=windows-1251><meta charset=utf-8>",
            "Привет",
            WINDOWS_1251,
        ),
        WINDOWS_1251,
        Personalised,
    );
    // Who can read this label has no UTF-16.
    check(
        "text/html",
        &page("<meta charset=utf-16>", "Straße", UTF_8),
        UTF_8,
        Personalised,
    );
    // Bytes that the declared encoding does not have are the page's own affair, and stay.
    for kind in [
        "text/html; charset=utf-8",
        "text/html; charset=shift_jis",
        "text/html",
    ] {
        let broken =
            b"<!DOCTYPE html><head><title>\xff\xfe \x81</title></head><h1>\xe9</h1><p>p \xf0\x9f \x80</p>"
                .to_vec();
        let sent = answer_with("200 OK", format!("Content-Type: {kind}\r\n").as_bytes(), &broken);
        let got = through_edge(&Request::page("/charset"), &sent).answer;
        let tail = b"<p>p \xf0\x9f \x80</p>";
        assert!(
            got.body.windows(tail.len()).any(|window| window == tail),
            "{kind}"
        );
        assert!(
            got.body
                .starts_with(b"<!DOCTYPE html><head><title>\xff\xfe \x81</title>"),
            "{kind}"
        );
    }
}
