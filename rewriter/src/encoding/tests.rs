//! What is the same as in the crate `encoding_rs`, and what differs on purpose.

use super::Encoding;
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

const PAIRS: [(Encoding, &upstream::Encoding); 3] = [
    (Encoding::Utf8, upstream::UTF_8),
    (Encoding::Windows1252, upstream::WINDOWS_1252),
    (Encoding::Opaque, upstream::X_USER_DEFINED),
];

#[test]
fn bytes_are_read_as_upstream_reads_them() {
    let mut random = Random(1);
    for _ in 0..50_000 {
        let bytes = random.bytes();
        for (ours, theirs) in PAIRS {
            let (expected, _) = theirs.decode_without_bom_handling(&bytes);
            assert_eq!(ours.decode(&bytes), expected, "{ours:?} {bytes:x?}");
        }
    }
}

#[test]
fn text_is_written_as_upstream_writes_it() {
    let mut random = Random(2);
    for _ in 0..50_000 {
        let text = String::from_utf8_lossy(&random.bytes()).replace('\u{fffd}', "\u{f7e9}\u{2019}\u{81}");
        for (ours, theirs) in PAIRS {
            let (expected, _, referenced) = theirs.encode(&text);
            assert_eq!(ours.encode(&text), expected, "{ours:?} {text:?}");
            assert_eq!(ours.has(&text), !referenced, "{ours:?} {text:?}");
        }
    }
}

/// Every byte that a page has comes out as it was.
#[test]
fn every_byte_comes_back() {
    let bytes: Vec<u8> = (0..=255).collect();
    for encoding in [Encoding::Windows1252, Encoding::Opaque] {
        let text = encoding.decode(&bytes);
        assert_eq!(&*encoding.encode(&text), &*bytes);
    }
}

#[test]
fn labels_mean_what_they_mean_upstream() {
    let known = include_str!("labels.rs").split(['"', ' ', '\\', '\n']);
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
        let ours = Encoding::for_label(label);
        let expected = theirs.map(|encoding| match encoding.name() {
            "UTF-8" => Encoding::Utf8,
            "windows-1252" => Encoding::Windows1252,
            "UTF-16LE" | "UTF-16BE" => Encoding::Utf16,
            "ISO-2022-JP" | "replacement" => Encoding::Refused,
            _ => Encoding::Opaque,
        });
        assert_eq!(ours, expected, "{label:?}");
        found += usize::from(ours.is_some());
    }
    // The standard's 228, and three of the odd ones.
    assert_eq!(found, 231);
}

/// An attribute's value that begins with the bytes of a mark is a value.
#[test]
fn a_mark_within_a_page_is_text() {
    assert_eq!(Encoding::Utf8.decode(b"\xef\xbb\xbfa"), "\u{feff}a");
    assert_eq!(Encoding::Windows1252.decode(b"\xfe\xffa"), "\u{fe}\u{ff}a");
}
