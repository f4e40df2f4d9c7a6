//! Mistakes in a manifest, each with its place.

use super::vocabulary::Words;
use crate::value::{Object, Value};
use std::fmt;

/// How bad a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The segment or experience around it is left out.
    Error,
    /// It has no effect, which is hardly what the author meant.
    Warning,
}

/// A mistake in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is, as a JSON path: `$.experiences[0].pages`.
    pub path: String,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(formatter, "{severity}: {}: {}", self.path, self.message)
    }
}

/// A place in the manifest, linked to the one around it, so that a path is written only when it is needed.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl<'a> Place<'a> {
    pub(super) const fn root() -> Self {
        Place::Root
    }

    pub(super) const fn member(&'a self, name: &'a str) -> Self {
        Place::Member(self, name)
    }

    pub(super) const fn item(&'a self, index: usize) -> Self {
        Place::Item(self, index)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Root => formatter.write_str("$"),
            Place::Member(around, name) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-');
                if !name.is_empty() && name.chars().all(plain) {
                    write!(formatter, "{around}.{name}")
                } else {
                    write!(formatter, "{around}[{name:?}]")
                }
            }
            Place::Item(around, index) => write!(formatter, "{around}[{index}]"),
        }
    }
}

/// After so many comparisons, similar names are no longer looked for: with thousands of mistakes among
/// thousands of names it takes long.
const MAX_COMPARISONS: usize = 20_000;

/// Collects the mistakes.
#[derive(Default)]
pub(super) struct Report {
    pub(super) warnings: Vec<Warning>,
}

impl Report {
    pub(super) fn error(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.add(Severity::Error, place, message.into());
    }

    pub(super) fn warning(&mut self, place: &Place<'_>, message: impl Into<String>) {
        self.add(Severity::Warning, place, message.into());
    }

    fn add(&mut self, severity: Severity, place: &Place<'_>, message: String) {
        self.warnings.push(Warning {
            severity,
            path: place.to_string(),
            message,
        });
    }

    /// How many errors there are so far.
    pub(super) fn errors(&self) -> usize {
        self.warnings
            .iter()
            .filter(|warning| warning.severity == Severity::Error)
            .count()
    }

    /// Whether similar names are still looked for among so many.
    pub(super) fn may_compare(&self, names: usize) -> bool {
        self.warnings.len() * names <= MAX_COMPARISONS
    }

    /// Names the members that nothing reads.
    pub(super) fn unknown_keys(&mut self, object: &Object, place: &Place<'_>, known: &[Words]) {
        self.texts(object, place, &["description"]);
        for (key, _) in object.iter() {
            if !known.iter().any(|words| words.contains(key)) {
                let known: Vec<&str> = known.iter().flat_map(|words| words.words).copied().collect();
                let message = format!("`{key}` is not known here{}", suggestion(key, &known));
                self.warning(&place.member(key), message);
            }
        }
    }

    /// Names the members that are for people only and are no texts.
    pub(super) fn texts(&mut self, object: &Object, place: &Place<'_>, names: &[&str]) {
        for name in names {
            if !matches!(object.get(name), None | Some(Value::Null | Value::String(_))) {
                self.warning(&place.member(name), "expected text");
            }
        }
    }
}

/// `: did you mean …?`, where something near is known.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    let length = word.chars().take(MAX_WORD).count();
    let nearest = known
        .iter()
        // With thousands of names, most are not worth a closer look.
        .filter(|candidate| {
            let candidate_length = candidate.chars().take(MAX_WORD).count();
            candidate_length.abs_diff(length) <= 1 + candidate.len() / 4
        })
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min();
    match nearest {
        Some((_, candidate)) => format!(": did you mean `{candidate}`?"),
        None => String::new(),
    }
}

/// How many characters of a word are compared.
const MAX_WORD: usize = 40;

/// Levenshtein's distance, over the first characters of both.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(MAX_WORD).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().take(MAX_WORD).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(!a.eq_ignore_ascii_case(b));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
