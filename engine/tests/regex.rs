//! Regular expressions: the dialect, its limits, and that nothing blows up.
//!
//! `tests/tests/regex_v8.rs` holds them against V8.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helper fails its test by a panic"
)]

use nearside_engine::regex::{
    MAX_INSTRUCTIONS, MAX_NESTING, MAX_PATTERN, MAX_TEXT, Problem, Regex, RegexError,
};

fn regex(pattern: &str) -> Regex {
    let regex = Regex::compile(pattern, false).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    assert!(regex.check(), "{pattern}");
    regex
}

fn check(pattern: &str, matching: &[&str], others: &[&str]) {
    let regex = regex(pattern);
    for text in matching {
        assert!(regex.is_match(text), "{pattern} matches {text:?}");
    }
    for text in others {
        assert!(!regex.is_match(text), "{pattern} does not match {text:?}");
    }
}

fn check_ignoring_case(pattern: &str, matching: &[&str], others: &[&str]) {
    let regex = Regex::compile(pattern, true).unwrap();
    assert!(regex.check(), "{pattern}");
    for text in matching {
        assert!(regex.is_match(text), "{pattern} matches {text:?}");
    }
    for text in others {
        assert!(!regex.is_match(text), "{pattern} does not match {text:?}");
    }
}

fn problem(pattern: &str) -> (usize, Problem) {
    let RegexError { position, problem } = Regex::compile(pattern, false).unwrap_err();
    (position, problem)
}

#[test]
fn what_authors_write() {
    check("", &["", "anything"], &[]);
    check("bikes", &["bikes", "/bikes/1"], &["", "bike", "bikeS"]);
    check(
        "^/products/\\d+$",
        &["/products/12"],
        &["/products/", "/products/12/", "x/products/1"],
    );
    check(
        "^(?:fr|de)(-[A-Z]{2})?$",
        &["fr", "de-AT"],
        &["fr-", "de-at", "it", "frde"],
    );
    check(
        "@(gmail|example)\\.com$",
        &["a@gmail.com"],
        &["a@gmail.com.au", "a@gmailxcom"],
    );
    check("a.c", &["abc", "a😀c"], &["a\nc", "ac", "a\u{2028}c"]);
    check("^[^]$", &["\n", "😀"], &["", "ab"]);
    check("[]", &[], &["", "a"]);
    check("\\bsale\\b", &["on sale!", "sale"], &["sales", "wholesale"]);
    check("\\Bsale\\B", &["wholesales"], &["sale", "sales"]);
    check("^a{2,3}$", &["aa", "aaa"], &["a", "aaaa"]);
    check("^a{2,}?$", &["aa", "aaaaa"], &["a"]);
    check("^a{0}b$", &["b"], &["ab"]);
    check("^(a|b|)+c$", &["c", "abbac"], &["abd"]);
    check("(?<year>\\d{4})-(?<month>\\d\\d)", &["2026-11"], &["26-11"]);
    check("x*", &["", "y"], &[]);
    check("^x*$", &["", "xxx"], &["xy"]);
    // Longer than a word of the machine has bits.
    let long = |times: usize| "a".repeat(70 * times) + "b";
    check(
        "^(?:a{70}|c)*b$",
        &["b", &long(1), "ccb", &long(3)],
        &["a", &("a".repeat(69) + "b"), &("a".repeat(139) + "b")],
    );
    check(
        "^(?:a{70}c?)+b$",
        &[&long(1), &long(2)],
        &["b", &("a".repeat(71) + "b")],
    );
    check("$", &["", "a\n"], &[]);
    check("^$", &[""], &["a", "\n"]);
    check("a$|^b", &["a", "ba", "bc"], &["ab", "cb"]);
}

#[test]
fn corners_that_browsers_keep() {
    check("^{$", &["{"], &[]);
    check("^a{,2}]}$", &["a{,2}]}"], &["aa"]);
    check("^x{1$", &["x{1"], &["x"]);
    check("^[\\w-a]+$", &["b-"], &["."]);
    check("^\\101\\0$", &["A\0"], &[]);
    check("^\\9\\8$", &["98"], &[]);
    check("^\\c$", &["\\c"], &[]);
    check("^\\cJ[\\c_]$", &["\n\u{1f}"], &[]);
    check("^[\\b]\\-\\/$", &["\u{8}-/"], &[]);
    check("^\\u{2}\\x4\\k$", &["uux4k"], &["\u{2}x4k"]);
    check("^[--/]$", &["-", ".", "/"], &["0"]);
}

#[test]
fn case_is_ignored_as_in_javascript() {
    check_ignoring_case("^straße$", &["STRAßE", "straße"], &["STRASSE"]);
    check_ignoring_case("^[a-f]\\d$", &["A1", "f2"], &["G1"]);
    check_ignoring_case("^é$", &["é", "É"], &["e"]);
    check_ignoring_case("^[^é]$", &["e"], &["é", "É"]);
    check_ignoring_case("^[k-s]$", &["K", "S"], &["\u{212a}", "\u{17f}"]);
    check_ignoring_case("^σ$", &["Σ", "σ", "ς"], &["s"]);
    check_ignoring_case("^µ$", &["μ", "Μ", "µ"], &["m"]);
    check_ignoring_case("^\\W$", &["\u{17f}", "\u{212a}"], &["a", "A"]);
    check_ignoring_case("^𐐨$", &["𐐨"], &["𐐀"]);
}

#[test]
fn characters_are_whole() {
    check("^.$", &["😀"], &["😀😀"]);
    check("^😀+$", &["😀😀"], &["😀🙏"]);
    check("^[😀-🙏]$", &["😁"], &["🚀"]);
    check("^\\ud83d\\ude00$", &["😀"], &[]);
    check("^[\\ud83d\\ude00]$", &["😀"], &["🙏"]);
    check("^[\\u0080-\\uffff]$", &["😀", "é"], &["a"]);
    check("^[^\\ud800-\\udfff]$", &["a", "é"], &["😀"]);
    assert_eq!(problem("a\\ud83d"), (1, Problem::HalfOfPair));
    assert_eq!(problem("x[\\ud800-\\udbff]"), (1, Problem::HalfOfPair));
    assert_eq!(problem("[^\\udc00]"), (0, Problem::HalfOfPair));
}

#[test]
fn a_mistake_is_named_with_its_place() {
    for (pattern, position, expected) in [
        ("(a|b)\\1", 5, Problem::BackReference),
        ("\\1(a)", 0, Problem::BackReference),
        ("(?<n>a)\\k<n>", 7, Problem::BackReference),
        ("é(?=a)", 1, Problem::LookAround),
        ("(?!a)", 0, Problem::LookAround),
        ("(?<=a)", 0, Problem::LookAround),
        ("(?<!a)", 0, Problem::LookAround),
        ("*a", 0, Problem::NothingToRepeat),
        ("a**", 2, Problem::NothingToRepeat),
        ("a|+", 2, Problem::NothingToRepeat),
        ("(?)", 0, Problem::UnknownGroup),
        ("^*", 1, Problem::NothingToRepeat),
        ("\\b+", 2, Problem::NothingToRepeat),
        ("a{2}{3}", 4, Problem::NothingToRepeat),
        ("{2}", 0, Problem::NothingToRepeat),
        ("a{3,2}", 1, Problem::RepetitionOutOfOrder),
        ("[z-a]", 1, Problem::RangeOutOfOrder),
        ("a(b", 1, Problem::OpenGroup),
        ("a)b", 1, Problem::UnopenedGroup),
        ("(?i:a)", 0, Problem::UnknownGroup),
        ("(?<1>a)", 0, Problem::GroupName),
        ("(?<>a)", 0, Problem::GroupName),
        ("(?<n", 0, Problem::GroupName),
        ("a[b", 1, Problem::OpenClass),
        ("a[b\\]", 1, Problem::OpenClass),
        ("a\\", 1, Problem::OpenEscape),
        ("[\\", 1, Problem::OpenEscape),
        ("(?<n>)[\\k]", 7, Problem::UnknownEscape),
    ] {
        assert_eq!(problem(pattern), (position, expected), "{pattern}");
    }
    assert_eq!(
        Regex::compile("a{3,2}", false).unwrap_err().to_string(),
        "at character 2: the repetition has its larger number first: write `{2,3}` for `{3,2}`"
    );
}

#[test]
fn limits_are_named() {
    regex(&"é".repeat(MAX_PATTERN));
    assert_eq!(
        problem(&"é".repeat(MAX_PATTERN + 1)),
        (MAX_PATTERN, Problem::TooLong)
    );
    let nested = |depth: usize| "(".repeat(depth) + "a" + &")".repeat(depth);
    check(&nested(MAX_NESTING), &["a"], &["b"]);
    assert_eq!(problem(&nested(MAX_NESTING + 1)), (MAX_NESTING, Problem::TooDeep));
    assert_eq!(problem(&"(".repeat(MAX_PATTERN)), (MAX_NESTING, Problem::TooDeep));
    let most = MAX_INSTRUCTIONS - 1;
    check(&format!("^a{{{}}}$", most - 2), &[&"a".repeat(most - 2)], &["a"]);
    assert_eq!(
        problem(&format!("^a{{{}}}$", most - 1)),
        (most.to_string().len() + 4, Problem::TooLarge)
    );
    for pattern in [
        "a{2000}",
        "a{0,1000}",
        "(a{100}){100}",
        "((a{30}){30}){30}",
        "a{99999999999999999999}",
        "a{0,99999999999999999999}",
        "a{4294967295,}",
        "((a*){40}){40}",
    ] {
        assert_eq!(problem(pattern).1, Problem::TooLarge, "{pattern}");
    }
    // Nothing, however often, is nothing.
    check("^(?:){4000000000}$", &[""], &["a"]);
    // Each of these classes is another one, and the capitals of its letters are all over the place.
    let classes = |count: u32| -> String {
        (0..count)
            .filter_map(|at| char::from_u32(0x4e00 + at))
            .map(|other| format!("[ɐ-ʯ{other}]"))
            .collect()
    };
    assert!(Regex::compile(&classes(50), true).unwrap().check());
    let error = Regex::compile(&classes(160), true).unwrap_err();
    assert_eq!(error.problem, Problem::TooManyRanges);
    // The same class again is no other one.
    assert!(Regex::compile(&"[ɐ-ʯ]".repeat(160), true).unwrap().check());
}

#[test]
fn bombs_go_off_harmlessly() {
    let text = "a".repeat(1 << 20);
    for pattern in [
        "(a+)+$",
        "(a|a)*b",
        "(a|aa)+$",
        "(a*)*b",
        "^(([a-z])+.)+[A-Z]([a-z])+$",
        "(.*)*(.*)*(.*)*x",
        "(a?){300}a{300}b",
        "((((a*)*)*)*)*b",
    ] {
        assert!(!regex(pattern).is_match(&text), "{pattern}");
    }
    assert_eq!(problem("a{1000}{1000}").1, Problem::NothingToRepeat);
    assert_eq!(problem("(a{1000}){1000}").1, Problem::TooLarge);
}

#[test]
fn what_is_past_the_limit_of_the_text_is_no_part_of_a_match() {
    let text = |length: usize, end: &str| "a".repeat(length) + end;
    check("b", &[&text(MAX_TEXT - 1, "b")], &[&text(MAX_TEXT, "b")]);
    check("a$", &[&text(MAX_TEXT, "")], &[&text(MAX_TEXT + 1, "")]);
    check("a\\b", &[&text(MAX_TEXT, " ")], &[&text(MAX_TEXT + 1, "")]);
    check("^a*$", &[&text(MAX_TEXT, "")], &[&text(MAX_TEXT + 1, "")]);
    // Characters are counted, not bytes.
    check(
        "b",
        &[&("é".repeat(MAX_TEXT - 1) + "b")],
        &[&("é".repeat(MAX_TEXT) + "b")],
    );
}

#[test]
fn a_program_comes_back_from_its_bytes() {
    for pattern in ["", "^a[b-d]*(x|y)$", "[^😀]\\b."] {
        let regex = regex(pattern);
        let bytes = postcard::to_allocvec(&regex).unwrap();
        assert_eq!(postcard::from_bytes::<Regex>(&bytes).unwrap(), regex);
    }
}

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

#[test]
fn any_pattern_and_any_text_have_an_answer() {
    const PARTS: [&str; 40] = [
        "a", "b", "(", ")", "[", "]", "{", "}", "|", "*", "+", "?", "^", "$", ".", "\\", "-", ",", "1", "3",
        "0", "(?:", "(?<n>", "(?", "\\b", "\\d", "\\W", "\\u", "\\x", "d83d", "\\ude00", "\\c", "\\k",
        "{2,3}", "{2}", "[^", "é", "😀", "ſ", "\u{0}",
    ];
    let mut random = Random(1);
    for attempt in 0..100_000 {
        let pattern: String = if attempt % 2 == 0 {
            (0..random.below(24))
                .map(|_| PARTS[random.below(PARTS.len())])
                .collect()
        } else {
            let bytes: Vec<u8> = (0..random.below(40)).map(|_| random.below(256) as u8).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let bytes: Vec<u8> = (0..random.below(40)).map(|_| random.below(256) as u8).collect();
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(regex) = Regex::compile(&pattern, attempt % 4 < 2) {
            assert!(regex.check(), "{pattern:?}");
            let _ = regex.is_match(&text);
            let _ = regex.is_match("aab1 😀é");
        }
    }
}
