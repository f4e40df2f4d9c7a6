//! JSON text ↔ the engine's values.
//!
//! The edge has a reader and a writer of its own: what `serde_json` needs besides is 20 KB of the worker. The tests
//! hold them against it, which the origin uses.

mod read;
mod write;

use nearside_engine::value::Value;

/// Reads JSON; `None` if it is none, or nests too deeply.
pub(crate) fn read(bytes: &[u8]) -> Option<Value> {
    read::read(bytes)
}

/// Writes JSON.
pub(crate) fn write(value: &Value) -> String {
    // Fails only for numbers that are none, which JSON cannot have brought.
    let mut text = String::new();
    match write::write(value, &mut text) {
        Some(()) => text,
        None => "null".to_owned(),
    }
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
        write::push_unit(*unit, escaped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator: the same cases in each run.
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn below(&mut self, limit: usize) -> usize {
            (self.next() >> 33) as usize % limit
        }
    }

    fn by_serde_json(bytes: &[u8]) -> Option<Value> {
        let read = serde_json::from_slice(bytes).ok();
        read.or_else(|| serde_json::from_slice(&nearside_engine::wire::repair_surrogates(bytes)).ok())
    }

    #[test]
    fn texts_are_read_as_serde_json_reads_them() {
        const PARTS: [&str; 64] = [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\"a\"",
            "\"a\":",
            "\"b\":1",
            "null",
            "true",
            "false",
            "nul",
            "0",
            "-0",
            "01",
            "-",
            "1.5",
            "1.",
            ".5",
            "1e3",
            "1E+3",
            "1e-400",
            "1e400",
            "123456789012345678901234567890",
            "0.1",
            "9007199254740993",
            "5e-324",
            "1.7976931348623157e308",
            "\\u0041",
            "\\ud83d",
            "\\ude00",
            "\\ud83d\\ude00",
            "\\ud83d\\ud83d",
            "\\u00",
            "\\u+041",
            "\\n",
            "\\/",
            "\\x",
            "\\",
            "\"\\ud83d\"",
            "\"\\udc00x\"",
            "\"\\u0000\"",
            "\n",
            "\t",
            " ",
            "\u{a0}",
            "\u{feff}",
            "\u{e9}",
            "\u{1f600}",
            "\u{0}",
            "\u{7f}",
            "[1,2]",
            "{\"a\":1,\"a\":2}",
            "[]",
            "{}",
            "[[",
            "]]",
            "{\"x\":",
            "+1",
            "1e",
            "NaN",
            "\u{1f}",
        ];
        let mut random = Random(1);
        let mut read_ones = 0;
        for _ in 0..300_000 {
            let mut text = String::new();
            for _ in 0..=random.below(7) {
                text.push_str(PARTS[random.below(PARTS.len())]);
            }
            if random.below(2) == 0 {
                text = format!("[\"{text}\"]");
            }
            let mut bytes = text.into_bytes();
            if random.below(20) == 0 && !bytes.is_empty() {
                let place = random.below(bytes.len());
                bytes[place] = random.below(256) as u8;
            }
            let expected = by_serde_json(&bytes);
            read_ones += usize::from(expected.is_some());
            assert_eq!(read(&bytes), expected, "{}", String::from_utf8_lossy(&bytes));
        }
        assert!(read_ones > 20_000, "{read_ones}");
    }

    #[test]
    fn numbers_are_read_and_written_as_by_serde_json() {
        let mut random = Random(2);
        for case in 0..300_000 {
            let number = match case % 4 {
                0 => f64::from_bits(random.next()),
                1 => random.next() as f64 / 1e3,
                2 => (random.below(2_000_000) as f64 - 1e6) / 10_f64.powi(random.below(12) as i32),
                _ => 10_f64.powi(random.below(600) as i32 - 300),
            };
            let value = Value::Number(number);
            let Ok(expected) = serde_json::to_string(&value) else {
                assert_eq!(write(&value), "null");
                continue;
            };
            let written = write(&value);
            // Of two shortest texts that mean the same number, each has its own.
            assert_eq!(read(written.as_bytes()), Some(value), "{written} {expected}");
            assert_eq!(written.len(), expected.len(), "{written} {expected}");
            assert_eq!(
                read(expected.as_bytes()),
                by_serde_json(expected.as_bytes()),
                "{expected}"
            );
        }
    }

    #[test]
    fn texts_are_written_as_by_serde_json() {
        let every: String = (0..0x300).filter_map(char::from_u32).collect();
        let value = Value::from(vec![
            Value::from(every.as_str()),
            Value::from("\u{2028}\u{1f6b2}"),
            read(br#"{"a\n":[true,null,{}],"b":[[],-0.5]}"#).unwrap(),
        ]);
        assert_eq!(write(&value), serde_json::to_string(&value).unwrap());
        assert_eq!(read(write(&value).as_bytes()), Some(value));
    }

    #[test]
    fn the_depth_is_bounded_as_by_serde_json() {
        for depth in [1, 100, 125, 126, 127, 128, 129, 200] {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                assert_eq!(read(text.as_bytes()), by_serde_json(text.as_bytes()), "{depth}");
            }
        }
    }

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
