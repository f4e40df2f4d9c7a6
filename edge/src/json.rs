//! JSON text ↔ the engine's values.

use nearside_engine::value::Value;
use nearside_engine::wire::repair_surrogates;

/// Reads JSON; `None` if it is none, or nests too deeply.
pub(crate) fn read(bytes: &[u8]) -> Option<Value> {
    let read = serde_json::from_slice(bytes).ok();
    read.or_else(|| serde_json::from_slice(&repair_surrogates(bytes)).ok())
}

/// Writes JSON.
pub(crate) fn write(value: &Value) -> String {
    // Fails only for numbers that are none, which JSON cannot have brought.
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Writes JSON for a `<script>` element: no character in it can end the element, or begin anything in HTML.
pub(crate) fn write_for_script(value: &Value) -> String {
    let json = write(value);
    let mut escaped = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            // The page may have any encoding that has ASCII.
            other => push_ascii(other, &mut escaped),
        }
    }
    escaped
}

/// Writes JSON for a header: printable ASCII alone.
pub(crate) fn write_for_header(value: &Value) -> String {
    let json = write(value);
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        push_ascii(character, &mut escaped);
    }
    escaped
}

fn push_ascii(character: char, escaped: &mut String) {
    if character.is_ascii() && !character.is_ascii_control() {
        return escaped.push(character);
    }
    for unit in character.encode_utf16(&mut [0; 2]) {
        escaped.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_script_can_end_it() {
        let value = Value::from("</script><!--&\u{2028}é\u{1f6b2}");
        let json = write_for_script(&value);
        assert_eq!(
            json,
            r#""\u003c/script\u003e\u003c!--\u0026\u2028\u00e9\ud83d\udeb2""#
        );
        assert_eq!(read(json.as_bytes()), Some(value));
    }

    #[test]
    fn a_header_has_printable_ascii_alone() {
        let value = Value::from("a\"\r\n\u{7f}é\u{1f6b2}");
        let json = write_for_header(&value);
        assert_eq!(json, r#""a\"\r\n\u007f\u00e9\ud83d\udeb2""#);
        assert_eq!(read(json.as_bytes()), Some(value));
    }

    #[test]
    fn half_a_character_does_not_sink_a_batch() {
        assert_eq!(
            read(br#"["a","hi \ud83d"]"#).unwrap().as_array().unwrap()[1],
            Value::from("hi \u{fffd}")
        );
    }

    #[test]
    fn what_nests_too_deeply_is_no_json() {
        assert_eq!(read("[".repeat(100_000).as_bytes()), None);
    }
}
