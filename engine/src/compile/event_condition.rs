//! `$events`: how often something was done.

use super::condition::{ConditionCompiler, is_operators};
use super::warning::{Place, Report, suggestion};
use crate::cell::MAX_EXACT;
use crate::condition::{Comparison, Node};
use crate::event::EventKind;
use crate::program::{Matcher, Scope};
use crate::time::parse_duration;
use crate::value::{Object, Value};

const KEYS: [&str; 6] = ["type", "name", "where", "in", "within", "count"];
const LATER: [&str; 9] = [
    "by",
    "sum",
    "min",
    "max",
    "avg",
    "distinct",
    "first",
    "last",
    "mostFrequent",
];
const KINDS: [&str; 6] = ["page", "track", "identify", "screen", "group", "alias"];

impl ConditionCompiler<'_> {
    pub(super) fn events(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<Node> {
        let Some(object) = value.as_object() else {
            report.error(
                place,
                "expected an object such as {\"name\": \"Product Viewed\", \"count\": {\"$gte\": 3}}",
            );
            return None;
        };
        for (key, _) in object.iter() {
            if LATER.contains(&key) {
                report.error(
                    &place.member(key),
                    format!("`{key}` is not supported by this version"),
                );
                return None;
            }
            if !KEYS.contains(&key) {
                let near = suggestion(key, &KEYS);
                report.error(
                    &place.member(key),
                    format!("`{key}` is not known in `$events`{near}"),
                );
                return None;
            }
        }
        let matcher = self.matcher(object, place, report)?;
        let scope = match object.get("in") {
            None => Scope::Session,
            Some(Value::String(text)) if text == "session" => Scope::Session,
            Some(Value::String(text)) if text == "visitor" => Scope::Visitor,
            Some(_) => {
                report.error(&place.member("in"), "expected `session` or `visitor`");
                return None;
            }
        };
        let within = match object.get("within") {
            None => None,
            Some(text) => {
                let duration = text.as_str().and_then(parse_duration);
                if duration.is_none() {
                    let place = &place.member("within");
                    report.error(
                        place,
                        "expected a duration such as `30s`, `15m`, `2h` or `7d`, of at most ten years",
                    );
                    return None;
                }
                duration
            }
        };
        let at_least_one = Value::Object([("$gte", Value::Number(1.0))].into_iter().collect());
        let count_place = &place.member("count");
        let test = object.get("count").unwrap_or(&at_least_one);
        let is_test = match test {
            Value::Number(_) => true,
            Value::Object(operators) => is_operators(operators),
            _ => false,
        };
        if !is_test {
            report.error(
                count_place,
                "expected a number, or operators such as {\"$gte\": 3}",
            );
            return None;
        }
        let first = self.nodes().len();
        let test = self.test(test, count_place, report, depth + 1)?;
        let enough = self.enough(first);
        match self.shared().cell(scope, matcher, within, enough) {
            Ok(cell) => Some(Node::Count(cell, test)),
            Err(message) => {
                report.error(place, message);
                None
            }
        }
    }

    fn matcher(&mut self, object: &Object, place: &Place<'_>, report: &mut Report) -> Option<Matcher> {
        let name = match object.get("name") {
            None => None,
            Some(Value::String(name)) => Some(name.clone()),
            Some(_) => {
                report.error(&place.member("name"), "expected the name of an event");
                return None;
            }
        };
        let kind = match object.get("type") {
            // A name alone is the name of something that was done.
            None => name.as_ref().map(|_| EventKind::Track),
            Some(value) => {
                let text = value.as_str().unwrap_or_default();
                let kind = EventKind::parse(text);
                if kind.is_none() {
                    let near = suggestion(text, &KINDS);
                    report.error(
                        &place.member("type"),
                        format!("expected one of {}{near}", KINDS.join(", ")),
                    );
                    return None;
                }
                kind
            }
        };
        let condition = match object.get("where") {
            None => None,
            Some(value) => {
                let place = &place.member("where");
                Some(ConditionCompiler::compile_for_event(
                    self.shared(),
                    value,
                    place,
                    report,
                )?)
            }
        };
        Some(Matcher {
            kind,
            name,
            condition,
        })
    }

    /// How many events decide a count's test; `None` when more than a cell keeps exactly.
    ///
    /// Each test of a count compares it with constants. A count above all of them fares like any other
    /// count above all of them, so that nothing is lost when counting stops one past the largest.
    fn enough(&self, first: usize) -> Option<u8> {
        let mut largest = 0.0_f64;
        for node in &self.nodes()[first..] {
            let constant = |value: &Value| match value {
                Value::Number(number) => *number,
                _ => 1.0,
            };
            largest = match node {
                // Not past the largest: what counts is whether it is reached.
                Node::Compare(Comparison::GreaterOrEqual | Comparison::Less, value) => {
                    largest.max(constant(value).ceil())
                }
                Node::Compare(_, value)
                | Node::Is(value)
                | Node::Equal(value)
                | Node::IsIgnoringCase(value)
                | Node::Version(_, value) => largest.max(constant(value).floor() + 1.0),
                Node::In(set, _) => set
                    .numbers()
                    .iter()
                    .fold(largest, |l, number| l.max(number.floor() + 1.0)),
                _ => largest,
            };
        }
        let largest = largest.max(1.0);
        (largest <= MAX_EXACT as f64).then_some(largest as u8)
    }
}
