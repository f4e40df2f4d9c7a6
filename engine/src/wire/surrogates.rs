//! Halves of characters, as JavaScript writes them.

/// Replaces `\ud83d` and its like in JSON text by `\ufffd` where the other half is missing.
///
/// JavaScript cuts a text in the midst of an emoji, and writes the half as JSON. Parsers rightly refuse it, but
/// one such text must not sink a batch.
pub fn repair_surrogates(json: &[u8]) -> Vec<u8> {
    let mut repaired = json.to_vec();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        if *byte != b'\\' {
            at += 1;
            continue;
        }
        match (escaped_unit(json, at), escaped_unit(json, at + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => at += 12,
            (Some(0xd800..=0xdfff), _) => {
                repaired[at..at + 6].copy_from_slice(b"\\ufffd");
                at += 6;
            }
            // An escape of two characters, or one whose digits are no backslashes.
            _ => at += 2,
        }
    }
    repaired
}

/// The unit of UTF-16 that `\uXXXX` at this place stands for.
fn escaped_unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0_u16, |unit, digit| {
        Some(unit << 4 | char::from(*digit).to_digit(16)? as u16)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_replaced_and_wholes_stay() {
        for (json, expected) in [
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\ude00\ud83d\ud83d\ude00""#, r#""\ufffd\ufffd\ud83d\ude00""#),
            (r#""\ud83d\n""#, r#""\ufffd\n""#),
            (r#""\\ud83d\ud83d""#, r#""\\ud83d\ufffd""#),
            (r#""\ud83"#, r#""\ud83"#),
            (r#""\"#, r#""\"#),
        ] {
            assert_eq!(repair_surrogates(json.as_bytes()), expected.as_bytes(), "{json}");
        }
    }
}
