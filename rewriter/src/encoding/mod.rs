//! Character encodings, as far as a rewriter needs them that changes a page's bytes here and there and gives out all
//! others as they came.
//!
//! Nothing of a page is converted here to anything but itself: what is read from an attribute goes back into the same
//! page. So three ways of reading are enough, and none of the tables for East Asian encodings, which are larger than the
//! rest of the edge worker.

mod labels;

use std::borrow::Cow;

/// How a page's bytes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    /// windows-1252, which is also what is meant by Latin 1 and by ASCII, and what most of the other pages are in.
    Windows1252,
    /// Any other one in which ASCII is ASCII: each byte beyond ASCII is a character of its own in Unicode's private use
    /// area, and comes out as the byte that it was.
    Opaque,
    /// In either byte order. No page in it is rewritten.
    Utf16,
    /// ASCII is not ASCII, or nothing is shown: no page in it is rewritten, either.
    Refused,
}

/// The characters of windows-1252 for the bytes from 0x80 to 0x9F; all others are those of Latin 1.
const WINDOWS_1252: [u16; 32] = [
    0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d,
    0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a,
    0x153, 0x9d, 0x17e, 0x178,
];

/// The private character of the byte 0x80; the others follow.
const OPAQUE: u32 = 0xf780;

impl Encoding {
    /// The encoding that a label names, if it is one of the Encoding Standard.
    pub(crate) fn for_label(label: &str) -> Option<Self> {
        labels::find(label)
    }

    /// Whether pages in it are rewritten.
    pub(crate) const fn is_rewritten(self) -> bool {
        !matches!(self, Self::Utf16 | Self::Refused)
    }

    /// Reads bytes; what is none of the encoding's becomes U+FFFD.
    pub(crate) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        if self == Self::Utf8 || bytes.is_ascii() {
            return String::from_utf8_lossy(bytes);
        }
        bytes.iter().map(|byte| self.character(*byte)).collect()
    }

    /// Writes text; a character that the encoding does not have becomes a reference.
    pub(crate) fn encode(self, text: &str) -> Cow<'_, [u8]> {
        if self == Self::Utf8 || text.is_ascii() {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            match self.byte(character) {
                Some(byte) => bytes.push(byte),
                None => bytes.extend_from_slice(format!("&#{};", u32::from(character)).as_bytes()),
            }
        }
        Cow::Owned(bytes)
    }

    /// Whether all of a text can be written as it is.
    pub(crate) fn has(self, text: &str) -> bool {
        self == Self::Utf8 || text.is_ascii() || text.chars().all(|character| self.byte(character).is_some())
    }

    /// The character of a byte; not for UTF-8.
    pub(crate) fn character(self, byte: u8) -> char {
        let code = match (self, byte) {
            (_, 0..=0x7f) => u32::from(byte),
            (Self::Windows1252, 0x80..=0x9f) => WINDOWS_1252
                .get(usize::from(byte - 0x80))
                .copied()
                .unwrap_or(0xfffd)
                .into(),
            (Self::Windows1252, _) => u32::from(byte),
            (_, _) => OPAQUE + u32::from(byte - 0x80),
        };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    /// The byte of a character, if it has one; not for UTF-8.
    fn byte(self, character: char) -> Option<u8> {
        let code = u32::from(character);
        match (self, code) {
            (_, 0..=0x7f) => u8::try_from(code).ok(),
            (Self::Windows1252, 0xa0..=0xff) => u8::try_from(code).ok(),
            (Self::Windows1252, _) => {
                let place = WINDOWS_1252.iter().position(|known| u32::from(*known) == code)?;
                u8::try_from(place + 0x80).ok()
            }
            (_, _) => u8::try_from(code.checked_sub(OPAQUE)?).ok()?.checked_add(0x80),
        }
    }
}

#[cfg(test)]
mod tests;
