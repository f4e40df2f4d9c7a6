//! The manifests and conditions that the documentation shows compile without a mistake.
//!
//! A block of JSON says what it is after ```` ```json ````: a whole `manifest`, or a part that is tried within the page's first
//! manifest, so that it can refer to what is there: `condition`, `event-condition`, `experience`, `feature`. An
//! `event` is one of a log. In the page about the language, code within a line that begins with `{"` is a condition.

use nearside_engine::compile::{compile, vocabulary};
use nearside_engine::replay::LoggedEvent;
use serde_json::{Value, json};

const LANGUAGE: &str = include_str!("../../docs/decision-language.md");

/// A piece of JSON in a page.
struct Example {
    /// The line that it begins in.
    line: usize,
    kind: String,
    text: String,
}

/// The blocks of JSON of a page, and, if `inline`, the conditions within lines.
fn examples(page: &str, inline: bool) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut is_code = false;
    let mut is_json = false;
    for (number, line) in (1..).zip(page.lines()) {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            is_code = !is_code;
            let kind = info.strip_prefix("json").filter(|_| is_code);
            is_json = kind.is_some();
            if let Some(kind) = kind {
                examples.push(Example {
                    line: number,
                    kind: kind.trim().to_owned(),
                    text: String::new(),
                });
            }
        } else if is_code {
            if let Some(example) = examples.last_mut().filter(|_| is_json) {
                example.text.push_str(line);
                example.text.push('\n');
            }
        } else if inline {
            let spans = line.split('`').skip(1).step_by(2);
            let conditions = spans.filter(|span| span.starts_with("{\""));
            examples.extend(conditions.map(|span| Example {
                line: number,
                kind: "condition".to_owned(),
                // In a table, a `|` is written with a `\` before it.
                text: span.replace("\\|", "|"),
            }));
        }
    }
    examples
}

/// Compiles an example.
fn tried(example: &Example, base: &Value) -> Result<(), String> {
    let text = |error: serde_json::Error| error.to_string();
    let value: Value = serde_json::from_str(&example.text).map_err(text)?;
    let mut manifest = base.clone();
    match example.kind.as_str() {
        "manifest" => manifest = value,
        "condition" => add_experience(
            &mut manifest,
            json!({"id": "example", "when": value, "variants": [{"id": "a"}]}),
        ),
        "event-condition" => add_experience(
            &mut manifest,
            json!({"id": "example", "when": {"$events": {"where": value}}, "variants": [{"id": "a"}]}),
        ),
        "experience" => add_experience(&mut manifest, value),
        "feature" => manifest["features"]["example"] = value,
        "event" => {
            let message = serde_json::from_value(value).map_err(text)?;
            let read = LoggedEvent::read(1, &message, None);
            return read.map(|_| ()).map_err(|error| error.to_string());
        }
        other => return Err(format!("`{other}` is no kind of example")),
    }
    let (_, warnings) = compile(&serde_json::from_value(manifest).map_err(text)?);
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    if warnings.is_empty() {
        Ok(())
    } else {
        Err(warnings.join("; "))
    }
}

fn add_experience(manifest: &mut Value, experience: Value) {
    match manifest["experiences"].as_array_mut() {
        Some(experiences) => experiences.push(experience),
        None => manifest["experiences"] = json!([experience]),
    }
}

/// The mistakes of a page's examples, each with its file and line.
fn mistakes(file: &str, page: &str, inline: bool) -> Vec<String> {
    let examples = examples(page, inline);
    let base = examples.iter().find(|example| example.kind == "manifest");
    let base = base.and_then(|example| serde_json::from_str(&example.text).ok());
    let base: Value = base.unwrap_or_else(|| json!({}));
    let found = examples.iter().filter_map(|example| {
        let mistake = tried(example, &base).err()?;
        Some(format!("{file}:{}: {mistake}", example.line))
    });
    found.collect()
}

#[track_caller]
fn check(file: &str, page: &str, at_least: usize, inline: bool) {
    assert_eq!(mistakes(file, page, inline), Vec::<String>::new());
    let found = examples(page, inline).len();
    assert!(
        found >= at_least,
        "{file}: only {found} examples: is it still read?"
    );
}

#[test]
fn the_examples_of_the_decision_language_compile() {
    check("docs/decision-language.md", LANGUAGE, 20, true);
}

#[test]
fn the_decision_language_s_page_has_every_word() {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '$';
    let has = |word: &str| {
        let mut places = LANGUAGE.match_indices(word);
        places.any(|(at, _)| {
            let (before, after) = (&LANGUAGE[..at], &LANGUAGE[at + word.len()..]);
            !before.ends_with(is_of_word) && !after.starts_with(is_of_word)
        })
    };
    for words in vocabulary() {
        for word in words.words {
            // The page has the paths below `session` and `profile` in short.
            let short = word.split('.').next_back().unwrap_or(word);
            assert!(
                has(short),
                "docs/decision-language.md does not say `{word}` of {}",
                words.of
            );
        }
    }
}

#[test]
fn the_examples_of_the_readme_compile() {
    check("README.md", include_str!("../../README.md"), 1, false);
}

/// A test that lets everything pass would not be noticed otherwise.
#[test]
fn a_mistake_is_found_with_its_line() {
    let page = "\
```json manifest
{\"groups\": {\"vip\": [\"ada\"]}}
```
Holds for `{\"profile.userId\": {\"$inGroup\": \"vip\"}}` and not for `{\"profile.userId\": {\"$regx\": \"a\"}}`.
```json condition
{\"profile.userId\": {\"$inGroup\": \"vips\"}}
```
```json
{}
```
```sh
{\"no\": \"JSON\"
```
";
    let found = mistakes("page.md", page, true);
    let starts: Vec<&str> = found.iter().filter_map(|mistake| mistake.get(..10)).collect();
    assert_eq!(starts, ["page.md:4:", "page.md:5:", "page.md:8:"], "{found:?}");
    assert!(found[0].contains("did you mean `$regex`"), "{found:?}");
}
