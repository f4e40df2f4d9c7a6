//! From bytes to characters and back, one by one and in parts.

use crate::{Encoding, Kind};

/// The characters of windows-1252 for the bytes from 0x80 to 0x9F; all others are those of Latin 1.
const WINDOWS_1252: [u16; 32] = [
    0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d,
    0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a,
    0x153, 0x9d, 0x17e, 0x178,
];

/// The private character of the byte 0x80; the others follow.
const OPAQUE: u32 = 0xf780;

/// The character of a byte; not for UTF-8.
pub(crate) fn read(kind: Kind, byte: u8) -> char {
    let code = match (kind, byte) {
        (_, 0..=0x7f) => u32::from(byte),
        (Kind::Windows1252, 0x80..=0x9f) => WINDOWS_1252
            .get(usize::from(byte - 0x80))
            .copied()
            .unwrap_or(0xfffd)
            .into(),
        (Kind::Windows1252, _) => u32::from(byte),
        (_, _) => OPAQUE + u32::from(byte - 0x80),
    };
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte of a character, if it has one; not for UTF-8.
pub(crate) fn write(kind: Kind, character: char) -> Option<u8> {
    let code = u32::from(character);
    match (kind, code) {
        (_, 0..=0x7f) => u8::try_from(code).ok(),
        (Kind::Windows1252, 0xa0..=0xff) => u8::try_from(code).ok(),
        (Kind::Windows1252, _) => {
            let place = WINDOWS_1252.iter().position(|known| u32::from(*known) == code)?;
            u8::try_from(place + 0x80).ok()
        }
        (_, _) => u8::try_from(code.checked_sub(OPAQUE)?).ok()?.checked_add(0x80),
    }
}

/// The numeric reference of a character.
pub(crate) fn reference(character: char) -> String {
    format!("&#{};", u32::from(character))
}

/// How many bytes at the beginning are ASCII.
pub(crate) fn ascii_prefix(bytes: &[u8]) -> usize {
    const STEP: usize = 16;
    let whole = bytes
        .chunks_exact(STEP)
        .take_while(|chunk| chunk.is_ascii())
        .count()
        * STEP;
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|byte| byte.is_ascii()).count()
}

/// Why a coder stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoderResult {
    /// Everything was read.
    InputEmpty,
    /// The output has no room for what comes next.
    OutputFull,
}

/// Reads bytes that come in parts.
#[derive(Debug)]
pub struct Decoder {
    encoding: &'static Encoding,
    /// A character of UTF-8 that has begun: its bytes so far, whose number is enough to tell how many follow.
    begun: [u8; 4],
    count: usize,
}

/// What becomes of a byte.
enum Step {
    /// It belongs to a character that is not complete.
    Begun,
    /// It is, or completes, a character.
    Character(char),
    /// What had begun is no character; the byte is still to be read.
    Broken,
    /// The byte is part of no character.
    Stray,
}

impl Decoder {
    pub(crate) fn new(encoding: &'static Encoding) -> Self {
        Self {
            encoding,
            begun: [0; 4],
            count: 0,
        }
    }

    /// The encoding that is read.
    #[must_use]
    pub fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// Reads `source` into `target`, which has room for four bytes at least; `last` says that no more comes. Gives why
    /// it stopped, how much was read and written, and whether something was replaced.
    pub fn decode_to_str(
        &mut self,
        source: &[u8],
        target: &mut str,
        last: bool,
    ) -> (CoderResult, usize, usize, bool) {
        // SAFETY: only whole characters are written, from the beginning on, and `clear_rest` leaves no part of a
        // character behind them.
        let bytes = unsafe { target.as_bytes_mut() };
        let answer = self.decode_to_bytes(source, bytes, last);
        clear_rest(bytes, answer.2);
        answer
    }

    fn decode_to_bytes(
        &mut self,
        source: &[u8],
        target: &mut [u8],
        last: bool,
    ) -> (CoderResult, usize, usize, bool) {
        let (mut read, mut written, mut has_replacements) = (0, 0, false);
        loop {
            if self.count == 0 {
                let rest = source.get(read..).unwrap_or_default();
                let room = target.get_mut(written..).unwrap_or_default();
                let ascii = ascii_prefix(rest.get(..room.len()).unwrap_or(rest));
                if let (Some(from), Some(to)) = (rest.get(..ascii), room.get_mut(..ascii)) {
                    to.copy_from_slice(from);
                }
                read += ascii;
                written += ascii;
            }
            let next = source.get(read).copied();
            let is_cut = next.is_none() && last && self.count > 0;
            if next.is_none() && !is_cut {
                return (CoderResult::InputEmpty, read, written, has_replacements);
            }
            let Some(room) = target.get_mut(written..).filter(|room| room.len() >= 4) else {
                return (CoderResult::OutputFull, read, written, has_replacements);
            };
            let character = match next.map_or(Step::Broken, |byte| self.step(byte)) {
                Step::Begun => {
                    read += 1;
                    continue;
                }
                Step::Character(character) => {
                    read += 1;
                    character
                }
                Step::Stray => {
                    read += 1;
                    has_replacements = true;
                    char::REPLACEMENT_CHARACTER
                }
                Step::Broken => {
                    self.count = 0;
                    has_replacements = true;
                    char::REPLACEMENT_CHARACTER
                }
            };
            written += character.encode_utf8(room).len();
        }
    }

    fn step(&mut self, byte: u8) -> Step {
        if self.encoding.kind != Kind::Utf8 {
            return Step::Character(read(self.encoding.kind, byte));
        }
        if let Some(place) = self.begun.get_mut(self.count) {
            *place = byte;
        }
        let begun = self.begun.get(..=self.count).unwrap_or_default();
        match str::from_utf8(begun) {
            Ok(text) => {
                self.count = 0;
                text.chars().next().map_or(Step::Stray, Step::Character)
            }
            // The bytes may become a character.
            Err(error) if error.error_len().is_none() => {
                self.count += 1;
                Step::Begun
            }
            Err(_) if self.count == 0 => Step::Stray,
            Err(_) => Step::Broken,
        }
    }
}

/// Overwrites the rest of a character that stood where the written part ends.
fn clear_rest(bytes: &mut [u8], written: usize) {
    let rest = bytes.get_mut(written..).unwrap_or_default();
    for byte in rest.iter_mut().take_while(|byte| **byte & 0xc0 == 0x80) {
        *byte = 0;
    }
}

/// Writes text that comes in parts.
#[derive(Debug)]
pub struct Encoder {
    encoding: &'static Encoding,
}

impl Encoder {
    pub(crate) fn new(encoding: &'static Encoding) -> Self {
        Self { encoding }
    }

    /// Whether something is still to be written; no encoding here has such states.
    #[must_use]
    pub fn has_pending_state(&self) -> bool {
        false
    }

    /// Writes `source` into `target`, which has room for a reference at least. Gives why it stopped, how much was read
    /// and written, and whether a character became a reference.
    pub fn encode_from_utf8(
        &mut self,
        source: &str,
        target: &mut [u8],
        _last: bool,
    ) -> (CoderResult, usize, usize, bool) {
        let (mut read, mut written, mut has_references) = (0, 0, false);
        let mut utf8 = [0; 4];
        for character in source.chars() {
            let reference_text;
            let single;
            let bytes = match self.encoding.kind {
                Kind::Utf8 | Kind::Refused => character.encode_utf8(&mut utf8).as_bytes(),
                kind => match write(kind, character) {
                    Some(byte) => {
                        single = [byte];
                        single.as_slice()
                    }
                    None => {
                        reference_text = reference(character);
                        has_references = true;
                        reference_text.as_bytes()
                    }
                },
            };
            let Some(room) = target.get_mut(written..written + bytes.len()) else {
                return (CoderResult::OutputFull, read, written, has_references);
            };
            room.copy_from_slice(bytes);
            written += bytes.len();
            read += character.len_utf8();
        }
        (CoderResult::InputEmpty, read, written, has_references)
    }
}
