//! What is the same as in the crate that this one stands for, and what differs on purpose.

use encoding_rs::{
    CoderResult, Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16LE, WINDOWS_1252, X_USER_DEFINED,
};
use std::collections::BTreeSet;

/// A small generator: the same cases in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    /// Bytes among which valid and broken characters are frequent.
    fn bytes(&mut self) -> Vec<u8> {
        let parts: [&[u8]; 14] = [
            b"a",
            b"<p class=x>",
            "\u{e9}".as_bytes(),
            "\u{20ac}".as_bytes(),
            "\u{1f600}".as_bytes(),
            b"\xef\xbb\xbf",
            b"\xfe\xff",
            b"\xf0\x9f",
            b"\xe2\x82",
            b"\xc3",
            b"\x80",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xc0\xaf",
        ];
        let mut bytes = Vec::new();
        for _ in 0..self.below(30) {
            match self.below(6) {
                0 => bytes.push(self.below(256) as u8),
                _ => bytes.extend_from_slice(parts[self.below(parts.len())]),
            }
        }
        bytes
    }
}

fn pairs() -> [(&'static Encoding, &'static upstream::Encoding); 3] {
    [
        (UTF_8, upstream::UTF_8),
        (WINDOWS_1252, upstream::WINDOWS_1252),
        (X_USER_DEFINED, upstream::X_USER_DEFINED),
    ]
}

#[test]
fn bytes_are_read_as_upstream_reads_them() {
    let mut random = Random(1);
    for _ in 0..50_000 {
        let bytes = random.bytes();
        for (ours, theirs) in pairs() {
            let (expected, replaced) = theirs.decode_without_bom_handling(&bytes);
            let (text, _, has_replacements) = ours.decode(&bytes);
            assert_eq!(
                (&*text, has_replacements),
                (&*expected, replaced),
                "{ours:?} {bytes:x?}"
            );
            assert_eq!(
                Encoding::ascii_valid_up_to(&bytes),
                upstream::Encoding::ascii_valid_up_to(&bytes)
            );

            let mut decoder = ours.new_decoder_without_bom_handling();
            let mut decoded = String::new();
            let mut place = 0;
            while place < bytes.len() {
                let until = (place + 1 + random.below(9)).min(bytes.len());
                let last = until == bytes.len();
                loop {
                    // Characters of two bytes, so that what is left behind them is seen.
                    let mut room = "\u{e9}".repeat(2 + random.below(4));
                    let (result, read, written, _) =
                        decoder.decode_to_str(&bytes[place..until], &mut room, last);
                    assert!(std::str::from_utf8(room.as_bytes()).is_ok());
                    decoded.push_str(&room[..written]);
                    place += read;
                    if result == CoderResult::InputEmpty {
                        break;
                    }
                }
                assert_eq!(place, until);
            }
            assert_eq!(decoded, expected, "{ours:?} in parts: {bytes:x?}");
        }
    }
}

#[test]
fn text_is_written_as_upstream_writes_it() {
    let mut random = Random(2);
    for _ in 0..50_000 {
        let text = String::from_utf8_lossy(&random.bytes()).replace('\u{fffd}', "\u{f7e9}\u{2019}\u{81}");
        for (ours, theirs) in pairs() {
            let (expected, _, referenced) = theirs.encode(&text);
            let (bytes, _, has_references) = ours.encode(&text);
            assert_eq!(
                (&*bytes, has_references),
                (&*expected, referenced),
                "{ours:?} {text:?}"
            );
            let mut encoder = ours.new_encoder();
            let (mut encoded, mut rest) = (Vec::new(), &*text);
            while !rest.is_empty() {
                let mut room = [0; 13];
                let (_, read, written, _) = encoder.encode_from_utf8(rest, &mut room, false);
                assert!(read > 0 && !encoder.has_pending_state());
                encoded.extend_from_slice(&room[..written]);
                rest = &rest[read..];
            }
            assert_eq!(encoded, &*expected);
        }
    }
}

/// Every byte that a page has comes out as it was.
#[test]
fn every_byte_comes_back() {
    let bytes: Vec<u8> = (0..=255).collect();
    for encoding in [WINDOWS_1252, X_USER_DEFINED] {
        let (text, _, _) = encoding.decode(&bytes);
        let (back, _, has_references) = encoding.encode(&text);
        assert_eq!((&*back, has_references), (&*bytes, false));
    }
}

#[test]
fn labels_mean_what_they_mean_upstream() {
    let known = include_str!("../src/labels.rs").split(['"', ' ', '\\', '\n']);
    let mut labels: BTreeSet<String> = known.map(str::to_owned).collect();
    for odd in [
        "",
        " utf-8\n",
        "UTF-8",
        "utf-8 utf8",
        "utf-9",
        "\u{a0}utf-8",
        "latin1\0",
        "x",
        "ISO-8859-1 ",
    ] {
        labels.insert(odd.to_owned());
    }
    let mut found = 0;
    for label in &labels {
        let theirs = upstream::Encoding::for_label(label.as_bytes());
        let ours = Encoding::for_label(label.as_bytes());
        let expected = theirs.map(|encoding| match encoding.name() {
            "UTF-8" => UTF_8,
            "windows-1252" => WINDOWS_1252,
            "UTF-16LE" | "UTF-16BE" => UTF_16LE,
            "ISO-2022-JP" => ISO_2022_JP,
            "replacement" => REPLACEMENT,
            _ => X_USER_DEFINED,
        });
        assert_eq!(ours, expected, "{label:?}");
        assert_eq!(
            ours.is_some_and(Encoding::is_ascii_compatible),
            theirs.is_some_and(upstream::Encoding::is_ascii_compatible),
            "{label:?}"
        );
        let shown = Encoding::for_label_no_replacement(label.as_bytes());
        assert_eq!(
            shown.is_some(),
            upstream::Encoding::for_label_no_replacement(label.as_bytes()).is_some()
        );
        found += usize::from(ours.is_some());
    }
    // The standard's 228, and three of the odd ones.
    assert_eq!(found, 231);
}

/// An attribute's value that begins with the bytes of a mark is a value.
#[test]
fn a_mark_within_a_page_is_text() {
    assert_eq!(UTF_8.decode(b"\xef\xbb\xbfa").0, "\u{feff}a");
    assert_eq!(WINDOWS_1252.decode(b"\xfe\xffa").0, "\u{fe}\u{ff}a");
}
