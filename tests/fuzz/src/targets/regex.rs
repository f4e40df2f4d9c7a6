//! A pattern, and after the first line break the text that it walks over.

use nearside_engine::regex::Regex;

pub(crate) fn run(data: &[u8]) -> bool {
    let Ok(data) = std::str::from_utf8(data) else {
        return false;
    };
    let (pattern, text) = data.split_once('\n').unwrap_or((data, ""));
    let mut is_pattern = false;
    for ignore_case in [false, true] {
        match Regex::compile(pattern, ignore_case) {
            Ok(regex) => {
                is_pattern = true;
                check(&regex, pattern, text, ignore_case);
            }
            Err(error) => {
                assert!(error.position <= pattern.chars().count());
                assert!(!error.to_string().is_empty());
            }
        }
    }
    is_pattern
}

fn check(regex: &Regex, pattern: &str, text: &str, ignore_case: bool) {
    assert!(regex.check(), "what compiles passes the check of what is read");
    let matches = regex.is_match(text);
    regex.is_match("");
    // The same, said in another way.
    for other in [
        format!("(?:{pattern})"),
        format!("(?:{pattern}){{1}}"),
        format!("{pattern}|{pattern}"),
    ] {
        if let Ok(other) = Regex::compile(&other, ignore_case) {
            assert_eq!(other.is_match(text), matches, "{pattern} | {text}");
        }
    }
    if let Ok(anywhere) = Regex::compile(&format!("^(?:[^]*(?:{pattern}))"), ignore_case) {
        assert_eq!(anywhere.is_match(text), matches, "^[^]*(?:{pattern}) | {text}");
    }
}
