//! Paths of attributes: which there are, and which of them this version has.

use super::warning::{Place, Report, suggestion};

/// The longest path, in segments.
const MAX_PATH: usize = 32;

const DECISION_ROOTS: [&str; 6] = ["request", "session", "profile", "score", "affinity", "data"];
const EVENT_ROOTS: [&str; 5] = ["type", "name", "properties", "context", "traits"];
const SESSION: [&str; 4] = ["number", "isNew", "pageViews", "duration"];
const PROFILE: [&str; 4] = ["traits", "userId", "identified", "firstSeenAt"];

/// Splits a path of the decision's document; `None` after an error.
pub(super) fn of_decision(path: &str, place: &Place<'_>, report: &mut Report) -> Option<Vec<String>> {
    let path = split(path, place, report)?;
    let name = path.get(1).map_or("", String::as_str);
    let problem = match path.first().map_or("", String::as_str) {
        "request" => None,
        "session" if path.len() == 2 && SESSION.contains(&name) => None,
        "session" => Some(unknown("session", name, &SESSION)),
        "profile" if name == "traits" && path.len() == 2 => {
            Some("`profile.traits` needs the name of a trait: `profile.traits.plan`".to_owned())
        }
        "profile" if name == "traits" => None,
        "profile" if path.len() == 2 && PROFILE.contains(&name) => None,
        "profile" if path.len() == 2 && matches!(name, "sessions" | "consent") => {
            Some(format!("`profile.{name}` is not supported by this version"))
        }
        "profile" => Some(unknown("profile", name, &PROFILE)),
        later @ ("score" | "affinity" | "data") => {
            Some(format!("`{later}` is not supported by this version"))
        }
        root => Some(no_root(root, &DECISION_ROOTS)),
    };
    named(path, problem, place, report)
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
    let near = suggestion(root, roots);
    format!("no attribute begins with `{root}`{}", or_list(near, "", roots))
}

fn unknown(root: &str, name: &str, known: &[&str]) -> String {
    let near = suggestion(name, known);
    format!("there is no `{root}.{name}`{}", or_list(near, root, known))
}

/// The suggestion, or else all there are.
fn or_list(near: String, root: &str, known: &[&str]) -> String {
    if !near.is_empty() {
        return near;
    }
    let dot = if root.is_empty() { "" } else { "." };
    let all: Vec<String> = known.iter().map(|name| format!("`{root}{dot}{name}`")).collect();
    format!(": there are {}", all.join(", "))
}
