//! Paths of attributes: which there are, and which of them this version has.

use super::vocabulary::{PROFILE, REQUEST, SESSION};
use super::warning::{Place, Report, suggestion};

/// The longest path, in segments.
const MAX_PATH: usize = 32;

const DECISION_ROOTS: [&str; 7] = [
    "visitor", "request", "session", "profile", "score", "affinity", "data",
];
const EVENT_ROOTS: [&str; 5] = ["type", "name", "properties", "context", "traits"];

/// Splits a path of the decision's document; `None` after an error.
pub(super) fn of_decision(path: &str, place: &Place<'_>, report: &mut Report) -> Option<Vec<String>> {
    let path = split(path, place, report)?;
    let name = path.get(1).map_or("", String::as_str);
    let problem = match path.first().map_or("", String::as_str) {
        "request" => {
            let is_parameter = matches!(name, "query" | "utm") && path.len() == 3;
            if !is_parameter && !REQUEST.contains(&path.join(".")) {
                // What a host of its own says of a request may be read all the same.
                report.warning(place, unknown_of_request(&path, name));
            }
            None
        }
        "visitor" if name == "id" && path.len() == 2 => None,
        "visitor" => Some(unknown(&path, &["visitor.id"])),
        "session" if SESSION.contains(&path.join(".")) => None,
        "session" if name == "campaign" && path.len() == 3 => None,
        "session" => Some(unknown(&path, SESSION.words)),
        "profile" if name == "traits" && path.len() == 2 => {
            Some("`profile.traits` needs the name of a trait: `profile.traits.plan`".to_owned())
        }
        "profile" if name == "traits" => None,
        "profile" if name == "consent" && path.len() == 3 => None,
        "profile" if name == "consent" => {
            Some("`profile.consent` needs the name of a purpose: `profile.consent.analytics`".to_owned())
        }
        "profile" if PROFILE.contains(&path.join(".")) => None,
        "profile" => Some(unknown(&path, PROFILE.words)),
        "score" if path.len() == 2 => None,
        "score" => Some("expected `score.` and the score's name".to_owned()),
        "affinity" => match path.get(2).map(String::as_str) {
            Some("top" | "second") if path.len() == 3 => None,
            Some("weight") if path.len() > 3 => None,
            _ => Some(format!(
                "expected `affinity.{name}.top`, `affinity.{name}.second` or `affinity.{name}.weight.` and a value"
            )),
        },
        "data" => Some("`data` is not supported by this version".to_owned()),
        root => Some(no_root(root, &DECISION_ROOTS)),
    };
    let mut path = named(path, problem, place, report)?;
    if path.first().is_some_and(|root| root == "affinity") && path.len() > 4 {
        // The value whose weight is asked for may have dots of its own.
        let value = path.split_off(3).join(".");
        path.push(value);
    }
    Some(path)
}

/// Whether the attribute is a number that changes by time alone.
pub(super) fn changes_with_time(path: &[String]) -> bool {
    match path.first().map_or("", String::as_str) {
        "score" => true,
        "session" => path.get(1).is_some_and(|name| name == "duration"),
        "request" => is_of_clock(path),
        "affinity" => path.get(2).is_some_and(|name| name == "weight"),
        _ => false,
    }
}

/// What there is below `request` and a name; or at all, if there is nothing of that name.
fn unknown_of_request(path: &[String], name: &str) -> String {
    let words = REQUEST.words.iter().copied();
    let below = |word: &&str| word.split('.').nth(1) == Some(name);
    let members: Vec<&str> = words.clone().filter(below).collect();
    let path = path.join(".");
    let near = if members.is_empty() {
        let first: Vec<&str> = words.filter(|word| word.split('.').count() == 2).collect();
        or_list(&format!("request.{name}"), &first)
    } else {
        or_list(&path, &members)
    };
    format!("there is no `{path}`{near}")
}

/// Whether the attribute is what the visitor's clock shows.
fn is_of_clock(path: &[String]) -> bool {
    path.len() == 3 && path.get(1).is_some_and(|time| time == "time")
}

/// Splits a path of an event; `None` after an error.
pub(super) fn of_event(path: &str, place: &Place<'_>, report: &mut Report) -> Option<Vec<String>> {
    let path = split(path, place, report)?;
    let problem = match path.first().map_or("", String::as_str) {
        root @ ("type" | "name") if path.len() > 1 => Some(format!("`{root}` is text: it has no members")),
        root if EVENT_ROOTS.contains(&root) => None,
        root => Some(no_root(root, &EVENT_ROOTS)),
    };
    named(path, problem, place, report)
}

/// Splits a path of anything.
pub(super) fn split(path: &str, place: &Place<'_>, report: &mut Report) -> Option<Vec<String>> {
    let path: Vec<String> = path.split('.').take(MAX_PATH + 1).map(str::to_owned).collect();
    let problem = if path.iter().any(String::is_empty) {
        Some("a path has a name before and after each `.`".to_owned())
    } else if path.len() > MAX_PATH {
        Some(format!("a path has at most {MAX_PATH} names"))
    } else {
        None
    };
    named(path, problem, place, report)
}

fn named(
    path: Vec<String>,
    problem: Option<String>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Vec<String>> {
    match problem {
        None => Some(path),
        Some(message) => {
            report.error(place, message);
            None
        }
    }
}

fn no_root(root: &str, roots: &[&str]) -> String {
    format!("no attribute begins with `{root}`{}", or_list(root, roots))
}

fn unknown(path: &[String], known: &[&str]) -> String {
    let path = path.join(".");
    format!("there is no `{path}`{}", or_list(&path, known))
}

/// The nearest, or else all there are.
fn or_list(name: &str, known: &[&str]) -> String {
    let near = suggestion(name, known);
    if near.is_empty() {
        format!(": there are `{}`", known.join("`, `"))
    } else {
        near
    }
}
