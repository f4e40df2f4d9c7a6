//! The same texts through `serde_json`, as the edge and the origin read and write them.

use super::*;

#[track_caller]
fn check(text: &str) {
    let theirs: Option<Value> = serde_json::from_str(text).ok();
    let ours = read(text);
    // -0 equals 0 but is not the same.
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{text}");
}

#[track_caller]
fn check_written(text: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(write(&value), serde_json::to_string(&value).unwrap());
    check(text);
}

/// Marsaglia's xorshift: any spread of bits does.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

#[test]
fn structures_are_the_same() {
    for text in [
        "null",
        " true ",
        "false",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1, 2 ,3]",
        r#"{"a" : 1,"b":[{}],"a":2}"#,
        "\n[\t]\r",
    ] {
        check_written(text);
    }
    for text in [
        "",
        " ",
        "nul",
        "nulll",
        "tru",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,]",
        "[1 2]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "{,}",
        "1 2",
        "\"",
        "\"a",
        "'a'",
        "]",
        "}",
        "\u{feff}1",
        "\0",
        "[1}",
        "{\"a\":1]",
        "//",
        "é",
        "\u{b}1",
        "NaN",
        "Infinity",
        "-Infinity",
        "undefined",
    ] {
        check(text);
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn numbers_are_the_same() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "0.0",
        "1",
        "-1",
        "10",
        "01",
        "-01",
        "00",
        "1.",
        ".5",
        "-.5",
        "-",
        "+1",
        "1e",
        "1e+",
        "1e5",
        "1E-5",
        "1e999",
        "-1e999",
        "1e-999",
        "0e999",
        "5e-324",
        "2e-324",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "9007199254740991",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890",
        "0.1",
        "0.30000000000000004",
        "1e23",
        "8.41e21",
        "0x10",
        "1_000",
        "1,0",
        "1e5.5",
        "--1",
        "1-1",
    ] {
        check(text);
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..200_000 {
        let digits = random.below(17) as u32 + 1;
        let significand = random.below(10_u64.pow(digits));
        let text = match random.below(4) {
            0 => format!("{significand}e{}", random.below(700) as i64 - 350),
            1 => format!("-{}.{significand}", random.below(1_000)),
            2 => format!("{}", random.next()),
            _ => {
                let number = f64::from_bits(random.next());
                if !number.is_finite() {
                    continue;
                }
                format!("{number:?}")
            }
        };
        check(&text);
    }
}

#[test]
fn numbers_are_written_the_same() {
    for text in [
        "0",
        "-1",
        "1",
        "500",
        "1795255200250",
        "9007199254740991",
        "-9007199254740991",
        "0.5",
        "-2.25",
        "0.0001",
        "0.00001",
        "0.000012",
        "9.999e-6",
        "-0.0000026876942359947047",
        "1e-7",
        "5e-324",
    ] {
        check_written(text);
    }
}

#[test]
fn strings_are_the_same() {
    for text in [
        r#""""#,
        r#""é✓🚲""#,
        r#""\"\\\/\b\f\n\r\t""#,
        r#""\u0041\u00e9\u2028\ud83d\udeb2""#,
        r#""\uD83D\uDEB2""#,
        r#""\u0000\u0001\u000f\u0010\u001f\u007f""#,
        "\"\u{2028}\u{7f}\"",
    ] {
        check_written(text);
    }
    for text in [
        r#""\ud83d""#,
        r#""\udeb2""#,
        r#""\ud83d\ud83d""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\u12""#,
        r#""\u12G4""#,
        r#""\x""#,
        r#""\"#,
        "\"\n\"",
        "\"\0\"",
        r#""\u+123""#,
    ] {
        check(text);
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn texts_of_random_bytes_are_the_same() {
    const PIECES: [&str; 22] = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "u", "d83d", "e", "-", "1", "0", ".", " ", "null", "é",
        "\"a\":", "\n", "true", "E+",
    ];
    let mut random = Random(7);
    for _ in 0..200_000 {
        let text: String = (0..random.below(12))
            .map(|_| PIECES[random.below(PIECES.len() as u64) as usize])
            .collect();
        check(&text);
    }
}

#[test]
fn deep_texts_do_not_overflow() {
    for depth in [1, 126, 127, 128, 129, 1_000, 1_000_000] {
        check(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
        check(&format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)));
    }
    check(&"[".repeat(1_000_000));
}

/// Numbers half way between two texts: a few bits, far behind the point.
#[test]
fn numbers_half_way_between_two_texts_are_written_the_same() {
    let mut random = Random(11);
    let mut differ = 0;
    for _ in 0..400_000 {
        let (bits, places) = (random.below(53), random.below(30) as i32);
        let number = (random.next() >> (63 - bits)) as f64 / 2_f64.powi(places);
        for number in [number, -number] {
            let value = Value::Number(number);
            let ours = write(&value);
            assert_eq!(ours, serde_json::to_string(&value).unwrap(), "{number:e}");
            differ += usize::from(number.abs() >= 1e-5 && ours != value.to_text());
        }
    }
    assert!(differ > 20, "{differ}");
    assert_eq!(
        write(&Value::Number(1_048_608.0 / 8_388_608.0)),
        "0.12500381469726562"
    );
}
