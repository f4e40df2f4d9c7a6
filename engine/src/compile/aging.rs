//! `attributes`: how old they may be, and what becomes of them then.

use super::vocabulary::WHEN_STALE;
use super::warning::{Place, Report, suggestion};
use super::{Compiler, attribute, vocabulary};
use crate::aging::AgingTrait;
use crate::cell::spec::{CellKind, CellSpec, Keep, Matcher, Note, Scope, Shape};
use crate::condition::{Condition, Node};
use crate::event::EventKind;
use crate::time::parse_duration;
use crate::value::{MAX_DEPTH, Object, Value};

/// More are a mistake: each is a cell of every visitor's state.
const MAX_ATTRIBUTES: usize = 200;

/// Comes last: what nothing reads need not be kept.
pub(super) fn compile(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) {
    let attributes = match value {
        Value::Null => return,
        Value::Object(attributes) if attributes.len() <= MAX_ATTRIBUTES => attributes,
        Value::Object(_) => return report.error(place, format!("more than {MAX_ATTRIBUTES} attributes")),
        _ => return report.error(place, "expected an object of attributes by path"),
    };
    for (path, value) in attributes.iter() {
        let place = &place.member(path);
        let Some(path) = trait_path(path, place, report) else {
            continue;
        };
        let Some(object) = value.as_object() else {
            report.error(
                place,
                "expected an object such as {\"maxAge\": \"1d\", \"whenStale\": \"unknown\"}",
            );
            continue;
        };
        report.unknown_keys(object, place, &[vocabulary::ATTRIBUTE]);
        let (max_age, when_stale) = (max_age(object, place, report), when_stale(object, place, report));
        let (Some(max_age), Some((is_used, default))) = (max_age, when_stale) else {
            continue;
        };
        let mut read = compiler.program.trait_paths.iter();
        if !read.any(|read| read.starts_with(&path)) {
            report.warning(
                place,
                "nothing reads this attribute, so that its age has no effect",
            );
            continue;
        }
        match compiler.cell(told(&path)) {
            Ok(cell) => compiler.program.aging.push(AgingTrait {
                path,
                max_age,
                is_used,
                default,
                cell,
            }),
            Err(message) => report.error(place, message),
        }
    }
    let aging = &mut compiler.program.aging;
    aging.sort_by(|a, b| b.path.len().cmp(&a.path.len()).then_with(|| a.path.cmp(&b.path)));
}

/// The path below `profile.traits`; `None` after an error.
fn trait_path(path: &str, place: &Place<'_>, report: &mut Report) -> Option<Vec<String>> {
    let mut path = attribute::of_decision(path, place, report)?;
    if path.first().is_some_and(|root| root == "profile") && path.get(1).is_some_and(|name| name == "traits")
    {
        return Some(path.split_off(2));
    }
    report.error(
        place,
        "only traits have an age that is known: `profile.traits.` and a trait's name",
    );
    None
}

fn max_age(object: &Object, place: &Place<'_>, report: &mut Report) -> Option<i64> {
    let text = object.get("maxAge").and_then(Value::as_str);
    let duration = text.and_then(parse_duration);
    if duration.is_none() {
        report.error(
            &place.member("maxAge"),
            "expected a duration such as `30s`, `15m`, `2h` or `7d`",
        );
    }
    duration
}

/// Whether a stale value is used, and what is taken in its place else; `None` after an error.
fn when_stale(object: &Object, place: &Place<'_>, report: &mut Report) -> Option<(bool, Value)> {
    let place = &place.member("whenStale");
    match object.get("whenStale") {
        None | Some(Value::Null) => Some((false, Value::Null)),
        Some(Value::String(word)) if word == "unknown" => Some((false, Value::Null)),
        Some(Value::String(word)) if word == "use" => Some((true, Value::Null)),
        Some(Value::Object(object)) if object.get("default").is_some_and(|value| !value.is_null()) => {
            report.unknown_keys(object, place, &[vocabulary::STALE_DEFAULT]);
            let default = object.get("default")?;
            if !default.nests_within(MAX_DEPTH) {
                report.error(place, format!("the value nests deeper than {MAX_DEPTH} levels"));
                return None;
            }
            Some((false, default.clone()))
        }
        other => {
            let word = other.and_then(Value::as_str).unwrap_or_default();
            let near = suggestion(word, WHEN_STALE.words);
            report.error(
                place,
                format!("expected `use`, `unknown` or {{\"default\": value}}{near}"),
            );
            None
        }
    }
}

/// The cell that keeps when a trait was told last: the newest `identify` that has a value for it.
fn told(path: &[String]) -> CellSpec {
    let mut of_event = vec!["traits".to_owned()];
    of_event.extend_from_slice(path);
    let anything = Condition::new(vec![Node::All(Vec::new())]);
    let shape = Shape {
        keep: Keep::Newest(1),
        within: None,
    };
    CellSpec {
        key: 0,
        scope: Scope::Visitor,
        matchers: vec![Matcher {
            kind: Some(EventKind::Identify),
            name: None,
            condition: None,
        }],
        by: None,
        kind: CellKind::Events(shape, Note::Fits(of_event, anything)),
    }
}
