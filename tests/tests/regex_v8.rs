//! Regular expressions give the answers that V8 gives: for patterns as authors write them and for scraps of patterns,
//! and for each character in each class.
//!
//! `NEARSIDE_LONG=1` tries ten times as many.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::regex::{Problem, Regex};
use nearside_tests::corpus::Random;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use xtask::{paths, setup};

/// A pattern, its flags, and the texts that it is asked about.
struct Question {
    pattern: String,
    flags: &'static str,
    /// `None` for those of the question before.
    texts: Option<Vec<String>>,
}

/// What V8 says: an answer for each text, or its message.
type Answer = Result<Vec<bool>, String>;

/// Asks V8, all at once.
fn ask(questions: &[Question]) -> Vec<Answer> {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("questions"), folder.path().join("answers"));
    let lines: Vec<String> = questions
        .iter()
        .map(|question| {
            let mut line = json!({"pattern": question.pattern, "flags": question.flags});
            if let Some(texts) = &question.texts {
                line["texts"] = json!(texts);
            }
            line.to_string()
        })
        .collect();
    fs::write(&input, lines.join("\n")).unwrap();
    let script = paths::repository().join("tests/v8/regex.cjs");
    let node = setup::npm_tools().unwrap().node;
    let status = node
        .command(&script)
        .unwrap()
        .arg(&input)
        .arg(&output)
        .status()
        .unwrap();
    assert!(status.success(), "node failed");
    let answers: Vec<Answer> = fs::read_to_string(&output)
        .unwrap()
        .split('\n')
        .map(|line| match line.strip_prefix('!') {
            Some(message) => Err(message.to_owned()),
            None => Ok(line.bytes().map(|byte| byte == b'1').collect()),
        })
        .collect();
    assert_eq!(answers.len(), questions.len());
    answers
}

/// How many patterns went which way, so that a test can say that it tried what it meant to.
#[derive(Debug, Default)]
struct Tally {
    matching: usize,
    others: usize,
    rejected: usize,
    /// By problem, those that V8 accepts.
    excluded: BTreeMap<String, usize>,
}

/// Compares our answers with V8's.
fn compare(questions: &[Question]) -> Tally {
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    let mut texts: &[String] = &[];
    for (question, answer) in questions.iter().zip(ask(questions)) {
        let Question { pattern, flags, .. } = question;
        texts = question.texts.as_deref().unwrap_or(texts);
        match (Regex::compile(pattern, *flags == "i"), answer) {
            (Ok(regex), Ok(answers)) => {
                assert!(regex.check(), "{pattern:?}");
                assert_eq!(texts.len(), answers.len());
                for (text, expected) in texts.iter().zip(answers) {
                    if regex.is_match(text) != expected {
                        wrong.push(format!("{pattern:?} {flags}: {text:?} should give {expected}"));
                    }
                    tally.matching += usize::from(expected);
                    tally.others += usize::from(!expected);
                }
            }
            (Err(error), Ok(_)) => {
                if is_documented(error.problem, pattern) {
                    *tally.excluded.entry(format!("{:?}", error.problem)).or_default() += 1;
                } else {
                    wrong.push(format!(
                        "{pattern:?} {flags}: V8 takes it, and here it is {error}"
                    ));
                }
            }
            (Ok(_), Err(message)) => {
                // The names of groups are not read here, so they may be the same.
                if !message.contains("Duplicate capture group name") {
                    wrong.push(format!("{pattern:?} {flags}: it is taken, but V8 says {message}"));
                }
            }
            (Err(_), Err(_)) => tally.rejected += 1,
        }
    }
    wrong.sort_by_key(String::len);
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "{} are wrong, of {tally:?}; the shortest:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    tally
}

/// Whether the documentation of the dialect says that we do not have it.
fn is_documented(problem: Problem, pattern: &str) -> bool {
    match problem {
        Problem::BackReference => pattern.contains('\\'),
        Problem::LookAround => ["(?=", "(?!", "(?<=", "(?<!"]
            .iter()
            .any(|part| pattern.contains(part)),
        Problem::HalfOfPair => pattern.contains("\\ud8") || pattern.contains("\\ude"),
        // Flags within a pattern, which newer versions of V8 have.
        Problem::UnknownGroup => pattern.contains("(?i") || pattern.contains("(?-i"),
        Problem::GroupName => pattern.contains("(?<\\u"),
        Problem::TooLarge | Problem::TooDeep | Problem::TooLong | Problem::TooManyRanges => true,
        _ => false,
    }
}

fn tries(normal: usize) -> usize {
    match std::env::var("NEARSIDE_LONG").as_deref() {
        Ok("1") => normal * 10,
        _ => normal,
    }
}

/// Characters of patterns and texts: letters that have other cases, word edges, spaces, line breaks, syntax.
const CHARACTERS: [&str; 46] = [
    "a", "b", "c", "k", "s", "A", "B", "K", "S", "0", "1", "9", "_", "-", " ", "/", ",", "{", "}", "]", "\n",
    "\r", "\t", "\u{0}", "\u{8}", "\u{b}", "\u{1f}", "\u{a0}", "\u{2028}", "\u{feff}", "é", "É", "ß", "ẞ",
    "ſ", "\u{212a}", "Å", "\u{212b}", "µ", "μ", "σ", "ς", "Σ", "ı", "İ", "ŉ",
];
const ESCAPES: [&str; 50] = [
    "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "\\t", "\\n", "\\v", "\\f", "\\r", "\\0", "\\00", "\\08",
    "\\101", "\\377", "\\400", "\\x41", "\\x6b", "\\x4", "\\x", "\\u0061", "\\u00e9", "\\u017f", "\\u006",
    "\\u", "\\u{2}", "\\cA", "\\ca", "\\c", "\\c1", "\\c_", "\\-", "\\/", "\\.", "\\\\", "\\]", "\\[", "\\{",
    "\\}", "\\^", "\\$", "\\(", "\\)", "\\|", "\\a", "\\e", "\\8", "\\9", "\\p",
];
const COUNTS: [&str; 16] = [
    "*", "+", "?", "*?", "+?", "??", "{0}", "{1}", "{2}", "{0,1}", "{1,2}", "{0,}", "{1,}", "{2,3}?", "{,2}",
    "{1",
];

/// A pattern of the dialect.
fn pattern(random: &mut Random, depth: usize) -> String {
    let alternatives = if random.chance(70) { 1 } else { 1 + random.below(3) };
    let made: Vec<String> = (0..alternatives).map(|_| sequence(random, depth)).collect();
    made.join("|")
}

fn sequence(random: &mut Random, depth: usize) -> String {
    (0..random.below(4)).map(|_| term(random, depth)).collect()
}

fn term(random: &mut Random, depth: usize) -> String {
    let atom = match random.below(20) {
        0..=6 => random.one(&CHARACTERS).to_owned(),
        7 => ".".to_owned(),
        8..=9 => random.one(&ESCAPES).to_owned(),
        10..=13 => class(random),
        14..=16 if depth > 0 => {
            let open = random.one(&["(", "(?:", "(?:", "(?<n>", "(?<Ünï$1>"]);
            format!("{open}{})", pattern(random, depth - 1))
        }
        17 => return random.one(&["^", "$", "\\b", "\\B"]).to_owned(),
        _ => random.one(&["a", "b", "k", "é"]).to_owned(),
    };
    if random.chance(35) {
        atom + random.one(&COUNTS)
    } else {
        atom
    }
}

fn class(random: &mut Random) -> String {
    let mut class = random.one(&["[", "[", "[^"]).to_owned();
    for _ in 0..random.below(5) {
        class += match random.below(10) {
            0..=3 => random.one(&CHARACTERS),
            4..=5 => random.one(&ESCAPES),
            6 => random.one(&[
                "a-c",
                "A-Z",
                "0-9",
                "!--",
                "\\0-\\x20",
                "à-ÿ",
                "Z-a",
                "\\u0100-\\u024f",
                "α-ω",
            ]),
            7 => random.one(&[
                "\\b",
                "\\B",
                "\\ud800-\\udfff",
                "\\u0080-\\uffff",
                "^",
                ".",
                "\\1",
            ]),
            8 => "-",
            _ => random.one(&["a-\\d", "\\w-z", "--a", "b-a", "\\ud83d\\ude00"]),
        };
    }
    // Most often one that can be read: `]` may have come before.
    class + "]"
}

fn text(random: &mut Random) -> String {
    (0..random.below(9))
        .map(|_| {
            if random.chance(50) {
                random.one(&["a", "b", "k", "A", "é", "1"])
            } else {
                random.one(&CHARACTERS)
            }
        })
        .collect()
}

fn texts(random: &mut Random) -> Option<Vec<String>> {
    Some((0..8).map(|_| text(random)).collect())
}

/// Whether JavaScript reads as two units what is one character here, so that the answers may differ.
fn has_pair(pattern: &str) -> bool {
    pattern.contains("\\ude00") || pattern.chars().any(|character| character > '\u{ffff}')
}

#[test]
fn patterns_of_the_dialect() {
    let mut random = Random::new(0x7265_6765);
    let mut questions = Vec::new();
    for _ in 0..tries(20_000) {
        let pattern = pattern(&mut random, 3);
        if has_pair(&pattern) {
            continue;
        }
        let texts = texts(&mut random);
        for (flags, texts) in [("", texts), ("i", None)] {
            let pattern = pattern.clone();
            questions.push(Question {
                pattern,
                flags,
                texts,
            });
        }
    }
    let tally = compare(&questions);
    eprintln!("{tally:?}");
    assert!(tally.matching > 10_000 && tally.others > 10_000, "{tally:?}");
}

#[test]
fn scraps_of_patterns() {
    const SCRAPS: [&str; 58] = [
        "a",
        "b",
        "k",
        "1",
        "2",
        "0",
        ",",
        "-",
        "(",
        "(",
        ")",
        ")",
        "[",
        "]",
        "]",
        "{",
        "}",
        "|",
        "*",
        "+",
        "?",
        "^",
        "$",
        ".",
        "\\",
        "\\\\",
        "(?:",
        "(?<n>",
        "(?<m>",
        "(?<1>",
        "(?<>",
        "(?<\\u0061>",
        "(?",
        "(?=",
        "(?!",
        "(?<=",
        "(?<!",
        "(?i:",
        "\\b",
        "\\d",
        "\\W",
        "\\u",
        "\\x",
        "\\ud83d",
        "\\u0061",
        "\\c",
        "\\k",
        "\\k<n>",
        "\\1",
        "\\2",
        "\\10",
        "{2,3}",
        "{3,2}",
        "{2}",
        "{1,",
        "[^",
        "é",
        "[]",
    ];
    let mut random = Random::new(0x7363_7261);
    let mut questions = Vec::new();
    for _ in 0..tries(40_000) {
        let length = 1 + random.below(8);
        let pattern: String = (0..length).map(|_| random.one(&SCRAPS)).collect();
        let texts = texts(&mut random);
        let flags = random.one(&["", "i"]);
        questions.push(Question {
            pattern,
            flags,
            texts,
        });
    }
    let tally = compare(&questions);
    eprintln!("{tally:?}");
    assert!(
        tally.matching > 10_000 && tally.others > 10_000 && tally.rejected > 10_000,
        "{tally:?}"
    );
    assert!(tally.excluded.contains_key("BackReference"), "{tally:?}");
    assert!(tally.excluded.contains_key("LookAround"), "{tally:?}");
}

/// With characters past U+FFFF we are as V8 is with the flag `u`, for what means the same with and without it.
#[test]
fn whole_characters() {
    const WHOLE: [&str; 10] = ["😀", "🙏", "😁", "𐐀", "𐐨", "a", "b", "é", " ", "\n"];
    const PARTS: [&str; 22] = [
        "😀",
        "🙏",
        "𐐨",
        "a",
        "b",
        ".",
        "\\w",
        "\\W",
        "\\S",
        "\\b",
        "^",
        "$",
        "|",
        "(",
        ")",
        "(?:",
        "[😀-🙏]",
        "[^😀a]",
        "[^]",
        "\\ud83d\\ude00",
        "[\\ud83d\\ude00b]",
        "[𐐀-𐐨]",
    ];
    let mut random = Random::new(0x7768_6f6c);
    let questions: Vec<Question> = (0..tries(10_000))
        .map(|_| {
            let mut pattern = String::new();
            for _ in 0..1 + random.below(5) {
                pattern += random.one(&PARTS);
                if random.chance(25) {
                    pattern += random.one(&["*", "+", "?", "{2}", "{1,2}"]);
                }
            }
            let text = |random: &mut Random| -> String {
                (0..random.below(6)).map(|_| random.one(&WHOLE)).collect()
            };
            Question {
                pattern,
                flags: "u",
                texts: Some((0..8).map(|_| text(&mut random)).collect()),
            }
        })
        .collect();
    let tally = compare(&questions);
    eprintln!("{tally:?}");
    assert!(tally.matching > 5_000 && tally.others > 5_000, "{tally:?}");
}

/// Each character up to U+FFFF as a text.
fn every_character() -> Vec<String> {
    ('\0'..='\u{ffff}').map(String::from).collect()
}

#[test]
fn every_character_in_every_class() {
    let patterns = [
        "^.$",
        "\\w",
        "\\W",
        "\\d",
        "\\D",
        "\\s",
        "\\S",
        "\\b",
        "\\B",
        "[^]",
        "[^a-zà-ÿ]",
        "[Z-a]",
        "[\\W_]",
        "[^\\Wk]",
        "[\\u0100-\\u2000]",
        "[^\\u0100-\\u2000]",
        "[\\u0080-\\uffff]",
        "[\\ud800-\\udfff]",
    ];
    let mut questions = Vec::new();
    for flags in ["", "i"] {
        for pattern in patterns {
            questions.push(Question {
                pattern: pattern.to_owned(),
                flags,
                texts: questions.is_empty().then(every_character),
            });
        }
    }
    compare(&questions);
}

#[test]
fn every_letter_and_its_other_cases() {
    // V8 may know an older Unicode: what is no character for it cannot be compared.
    let characters = every_character();
    let unknown = ask(&[Question {
        pattern: "\\p{Cn}".to_owned(),
        flags: "u",
        texts: Some(characters.clone()),
    }]);
    let Ok(unknown) = &unknown[0] else {
        panic!("{unknown:?}")
    };
    let has_cases = |text: &String| text.to_uppercase() != *text || text.to_lowercase() != *text;
    let letters: Vec<String> = characters
        .into_iter()
        .zip(unknown)
        .filter(|(text, is_unknown)| !**is_unknown && has_cases(text))
        .map(|(text, _)| text)
        .collect();
    assert!(letters.len() > 2_000);
    let questions: Vec<Question> = letters
        .iter()
        .enumerate()
        .map(|(index, letter)| Question {
            pattern: letter.clone(),
            flags: "i",
            texts: (index == 0).then(|| letters.clone()),
        })
        .collect();
    let tally = compare(&questions);
    // Each letter, and nearly each its other case.
    assert!(tally.matching > letters.len() * 19 / 10, "{tally:?}");
}
