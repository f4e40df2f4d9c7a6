//! Character encodings, as far as a rewriter needs them that changes a page's bytes here and there and gives out all
//! others as they came.
//!
//! It stands in for the crate of the same name, which `lol_html` asks for and whose tables for East Asian encodings
//! are larger than the rest of the edge worker. Nothing of a page is converted here to anything but itself: what is
//! read from an attribute goes back into the same page. So three encodings are enough:
//!
//! - UTF-8;
//! - windows-1252, which is what most of the other pages are in;
//! - [`X_USER_DEFINED`] for every other encoding in which ASCII is ASCII: each byte beyond ASCII is a character of its
//!   own in Unicode's private use area, and comes out as the byte that it was. What cannot be written so is written as
//!   a numeric character reference, which means the same in every encoding.
//!
//! Unlike the crate that it stands for, [`Encoding::decode`] looks for no byte order mark: it is asked for parts of a
//! page, and an attribute's value that begins with the bytes of a mark is no page in another encoding.

mod coder;
mod labels;

pub use coder::{CoderResult, Decoder, Encoder};

use std::borrow::Cow;
use std::fmt;

/// A character encoding.
pub struct Encoding {
    name: &'static str,
    kind: Kind,
}

/// How an encoding's bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Utf8,
    Windows1252,
    /// Bytes beyond ASCII are characters of the private use area.
    Opaque,
    /// ASCII is not ASCII, or nothing is shown: no page in it is rewritten.
    Refused,
}

macro_rules! encodings {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:ident;)*) => {
        $(
            $(#[$doc])*
            pub static $name: &Encoding = &Encoding { name: $text, kind: Kind::$kind };
        )*
    };
}

encodings! {
    /// UTF-8.
    UTF_8 = "UTF-8", Utf8;
    /// windows-1252, which is also what is meant by Latin 1 and by ASCII.
    WINDOWS_1252 = "windows-1252", Windows1252;
    /// Stands for all other encodings in which ASCII is ASCII.
    X_USER_DEFINED = "x-user-defined", Opaque;
    /// Stands for UTF-16 in both byte orders.
    UTF_16LE = "UTF-16LE", Refused;
    /// ISO-2022-JP, in which the bytes of ASCII also mean something else.
    ISO_2022_JP = "ISO-2022-JP", Refused;
    /// Stands for encodings that browsers do not show any more.
    REPLACEMENT = "replacement", Refused;
}

impl PartialEq for Encoding {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Encoding {}

impl fmt::Debug for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Encoding {
    /// The encoding that a label names, if it is one of the Encoding Standard.
    #[must_use]
    pub fn for_label(label: &[u8]) -> Option<&'static Self> {
        labels::find(label)
    }

    /// The same, without those that browsers do not show.
    #[must_use]
    pub fn for_label_no_replacement(label: &[u8]) -> Option<&'static Self> {
        labels::find(label).filter(|encoding| *encoding != REPLACEMENT)
    }

    /// Its name. Encodings of one kind have one name.
    #[must_use]
    pub fn name(&'static self) -> &'static str {
        self.name
    }

    /// Whether ASCII is ASCII in it.
    #[must_use]
    pub fn is_ascii_compatible(&'static self) -> bool {
        self.kind != Kind::Refused
    }

    /// How many bytes at the beginning are ASCII.
    #[must_use]
    pub fn ascii_valid_up_to(bytes: &[u8]) -> usize {
        coder::ascii_prefix(bytes)
    }

    /// Reads bytes; what is none of the encoding's becomes U+FFFD, and the last answer says so.
    #[must_use]
    pub fn decode<'a>(&'static self, bytes: &'a [u8]) -> (Cow<'a, str>, &'static Self, bool) {
        if self.kind == Kind::Utf8 {
            let text = String::from_utf8_lossy(bytes);
            // Only what is not UTF-8 had to be copied.
            let has_replacements = matches!(text, Cow::Owned(_));
            return (text, self, has_replacements);
        }
        if let (Ok(text), true) = (str::from_utf8(bytes), bytes.is_ascii()) {
            return (Cow::Borrowed(text), self, false);
        }
        let text = bytes.iter().map(|byte| coder::read(self.kind, *byte)).collect();
        (Cow::Owned(text), self, false)
    }

    /// Writes text; a character that the encoding does not have becomes a reference, and the last answer says so.
    #[must_use]
    pub fn encode<'a>(&'static self, text: &'a str) -> (Cow<'a, [u8]>, &'static Self, bool) {
        // What UTF-16 is written as is UTF-8, as the standard has it.
        if matches!(self.kind, Kind::Utf8 | Kind::Refused) || text.is_ascii() {
            return (Cow::Borrowed(text.as_bytes()), self, false);
        }
        let mut bytes = Vec::with_capacity(text.len());
        let mut has_references = false;
        for character in text.chars() {
            match coder::write(self.kind, character) {
                Some(byte) => bytes.push(byte),
                None => {
                    has_references = true;
                    bytes.extend_from_slice(coder::reference(character).as_bytes());
                }
            }
        }
        (Cow::Owned(bytes), self, has_references)
    }

    /// Reads bytes that come in parts.
    #[must_use]
    pub fn new_decoder_without_bom_handling(&'static self) -> Decoder {
        Decoder::new(self)
    }

    /// Writes text that comes in parts.
    #[must_use]
    pub fn new_encoder(&'static self) -> Encoder {
        Encoder::new(self)
    }
}
