//! Base64 in the alphabet that cookies and addresses can hold (RFC 4648, section 5), without padding.
//!
//! Our own, since in the browser each kilobyte is paid for by every visitor.

use crate::codec::Malformed;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What is no digit.
const NONE: u8 = u8::MAX;

/// The digit of each byte.
static DIGITS: [u8; 256] = {
    let mut digits = [NONE; 256];
    let mut digit = 0;
    while digit < ALPHABET.len() {
        digits[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

/// Writes bytes as text.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let digit = |number: u32| ALPHABET[number as usize & 63];
    let (groups, rest) = bytes.as_chunks::<3>();
    for [first, second, third] in groups {
        let group = u32::from_be_bytes([0, *first, *second, *third]);
        text.extend_from_slice(&[group >> 18, group >> 12, group >> 6, group].map(digit));
    }
    match rest {
        [first] => text.extend([*first >> 2, *first << 4].map(|number| digit(number.into()))),
        [first, second] => {
            let group = u32::from_be_bytes([0, *first, *second, 0]);
            text.extend_from_slice(&[group >> 18, group >> 12, group >> 6].map(digit));
        }
        _ => {}
    }
    // All of it is ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// On any other text.
pub fn decode(text: &str) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let digit = |byte: u8| DIGITS[usize::from(byte)];
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    for group in groups {
        let digits = group.map(digit);
        if digits.contains(&NONE) {
            return Err(Malformed);
        }
        let [first, second, third, fourth] = digits.map(u32::from);
        let [_, group @ ..] = (first << 18 | second << 12 | third << 6 | fourth).to_be_bytes();
        bytes.extend_from_slice(&group);
    }
    // Bits that no byte takes are zero in what `encode` writes: one text for the same bytes, no other.
    match *rest {
        [] => {}
        [first, second] => {
            let (first, second) = (digit(first), digit(second));
            if first == NONE || second == NONE || second & 15 != 0 {
                return Err(Malformed);
            }
            bytes.push(first << 2 | second >> 4);
        }
        [first, second, third] => {
            let (first, second, third) = (digit(first), digit(second), digit(third));
            if first == NONE || second == NONE || third == NONE || third & 3 != 0 {
                return Err(Malformed);
            }
            bytes.extend([first << 2 | second >> 4, second << 4 | third >> 2]);
        }
        _ => return Err(Malformed),
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648, section 10, and the two digits that differ from plain base64.
    #[test]
    fn known_texts() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg"),
            (b"fooba", "Zm9vYmE"),
            (b"\xfb\xff", "-_8"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes);
        }
        for wrong in ["A", "AA=", "A A", "é", "Zh", "Zm9", "Zm8AZm9"] {
            assert_eq!(decode(wrong), Err(Malformed), "{wrong}");
        }
    }

    /// One text for the same bytes, and no other: what is changed is read as something else, or not at all.
    #[test]
    fn every_text_is_that_of_its_bytes() {
        let bytes: Vec<u8> = (0..=255_u8).map(|byte| byte.wrapping_mul(167) ^ 0x5a).collect();
        for length in 0..9 {
            for start in 0..=bytes.len() - length {
                let bytes = &bytes[start..start + length];
                let text = encode(bytes);
                assert_eq!(decode(&text).unwrap(), bytes);
                for place in 0..text.len() {
                    for other in 0..128_u8 {
                        let mut changed = text.clone().into_bytes();
                        changed[place] = other;
                        let changed = String::from_utf8(changed).unwrap();
                        if let Ok(read) = decode(&changed) {
                            assert_eq!(encode(&read), changed);
                        }
                    }
                }
            }
        }
    }
}
