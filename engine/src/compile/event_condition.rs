//! `$events`: how often, how recently, how much.

use super::condition::{ConditionCompiler, is_operators};
use super::vocabulary::Words;
use super::warning::{Place, Report, suggestion};
use super::{attribute, number, vocabulary};
use crate::cell::MAX_EXACT;
use crate::cell::measure::Measure;
use crate::cell::spec::{CellKind, CellSpec, Keep, Matcher, Note, Scope, Shape};
use crate::condition::{Comparison, Condition, Node, NodeId};
use crate::event::EventKind;
use crate::time::parse_duration;
use crate::value::{Object, Value};

/// What all aggregates of one `$events` share.
struct Events {
    scope: Scope,
    within: Option<i64>,
    by: Option<Vec<String>>,
    matcher: Matcher,
    cells: Vec<u16>,
}

impl Events {
    fn spec(&self, keep: Keep, note: Note) -> CellSpec {
        let shape = Shape {
            keep,
            within: self.within,
        };
        CellSpec {
            key: 0,
            scope: self.scope,
            matchers: vec![self.matcher.clone()],
            by: self.by.clone(),
            kind: CellKind::Events(shape, note),
        }
    }
}

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
        known_keys(object, &vocabulary::EVENTS, place, report)?;
        let mut events = Events {
            scope: scope(object, place, report)?,
            within: duration(object, "within", place, report)?,
            by: self.by(object, place, report)?,
            matcher: self.matcher(object, place, report)?,
            cells: Vec::new(),
        };
        let mut all = Vec::new();
        for (name, aggregate) in object
            .iter()
            .filter(|(name, _)| vocabulary::AGGREGATE.contains(name))
        {
            let place = &place.member(name);
            let node = self.aggregate(&mut events, name, aggregate, place, report, depth)?;
            all.push(self.push(node, place, report)?);
        }
        if all.is_empty() {
            let node = self.count(&mut events, &at_least_one(), place, report, depth)?;
            all.push(self.push(node, place, report)?);
        }
        let all = self.join(all, place, report)?;
        match events.by {
            Some(_) => Some(Node::AnyGroup(events.cells, all)),
            None => Some(Node::All(vec![all])),
        }
    }

    fn aggregate(
        &mut self,
        events: &mut Events,
        name: &str,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<Node> {
        match name {
            "count" => self.count(events, value, place, report, depth),
            "first" | "last" if value.get("ago").is_null() => {
                let (keep, measure) = match (name, events.within) {
                    ("last", _) => (Keep::Newest(1), Measure::LastFits),
                    (_, None) => (Keep::Oldest, Measure::FirstFits),
                    _ => (Keep::All, Measure::FirstFits),
                };
                let (path, is) = self.of_and_is(value, place, report)?;
                self.holds_if(events, keep, Note::Fits(path, is), measure, place, report)
            }
            "first" | "last" => {
                known_keys(value.as_object()?, &vocabulary::AGO, place, report)?;
                let (keep, measure) = match (name, events.within) {
                    ("last", _) => (Keep::Newest(1), Measure::LastAgo),
                    (_, None) => (Keep::Oldest, Measure::FirstAgo),
                    _ => (Keep::All, Measure::FirstAgo),
                };
                let place = &place.member("ago");
                let test = self.duration_test(value.get("ago"), place, report, depth)?;
                self.measured(events, keep, Note::Nothing, measure, test, place, report)
            }
            "mostFrequent" => {
                let (path, is) = self.of_and_is(value, place, report)?;
                let keep = Keep::Newest(MAX_EXACT as u8);
                let note = Note::IdentityFits(path, is);
                self.holds_if(events, keep, note, Measure::MostFrequentFits, place, report)
            }
            _ => {
                let Some(object) = value.as_object().filter(|object| object.get("of").is_some()) else {
                    report.error(
                        place,
                        "expected an object such as {\"of\": \"properties.price\", \"$gte\": 100}",
                    );
                    return None;
                };
                let path = event_path(object.get("of"), &place.member("of"), report)?;
                let mut operators = object.clone();
                operators.remove("of");
                let first = self.nodes().len();
                let test = self.number_test(&Value::Object(operators), place, report, depth)?;
                let (keep, note, measure) = match name {
                    "distinct" => {
                        let enough = self.enough(first);
                        if enough.is_none() {
                            report.warning(
                                place,
                                format!("at most {MAX_EXACT} different values are told apart"),
                            );
                        }
                        let enough = enough.unwrap_or(MAX_EXACT as u8);
                        (
                            Keep::NewestOfEach(enough),
                            Note::Identity(path),
                            Measure::Distinct,
                        )
                    }
                    "sum" => (Keep::All, Note::Number(path), Measure::Sum),
                    "min" => (Keep::All, Note::Number(path), Measure::Least),
                    "max" => (Keep::All, Note::Number(path), Measure::Greatest),
                    _ => (Keep::All, Note::Number(path), Measure::Average),
                };
                self.measured(events, keep, note, measure, test, place, report)
            }
        }
    }

    fn count(
        &mut self,
        events: &mut Events,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<Node> {
        let first = self.nodes().len();
        let test = self.number_test(value, place, report, depth)?;
        let keep = self.enough(first).map_or(Keep::All, Keep::Newest);
        self.measured(events, keep, Note::Nothing, Measure::Count, test, place, report)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a cell and its test are made of so many parts"
    )]
    fn measured(
        &mut self,
        events: &mut Events,
        keep: Keep,
        note: Note,
        measure: Measure,
        test: NodeId,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Node> {
        let cell = self.cell(events.spec(keep, note), place, report)?;
        events.cells.push(cell);
        Some(Node::Measure(cell, measure, test))
    }

    fn holds_if(
        &mut self,
        events: &mut Events,
        keep: Keep,
        note: Note,
        measure: Measure,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Node> {
        let test = self.is_yes(place, report)?;
        self.measured(events, keep, note, measure, test, place, report)
    }

    /// A test that holds for 1, which stands for yes.
    pub(super) fn is_yes(&mut self, place: &Place<'_>, report: &mut Report) -> Option<NodeId> {
        self.push(
            Node::Compare(Comparison::Greater, Value::Number(0.0)),
            place,
            report,
        )
    }

    /// The cell with this definition; `None` after an error.
    pub(super) fn cell(&mut self, spec: CellSpec, place: &Place<'_>, report: &mut Report) -> Option<u16> {
        match self.shared().cell(spec) {
            Ok(cell) => Some(cell),
            Err(message) => {
                report.error(place, message);
                None
            }
        }
    }

    /// A test of a number: a number, or operators that compare with numbers.
    pub(super) fn number_test(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<NodeId> {
        let test = number::test(value, number::Unit::Number, place, report)?;
        self.test(&test, place, report, depth + 1)
    }

    /// A test of a time that has gone by: operators that compare with durations.
    pub(super) fn duration_test(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<NodeId> {
        let test = number::test(value, number::Unit::Duration, place, report)?;
        self.test(&test, place, report, depth + 1)
    }

    /// `{"of": path, "is": condition}`.
    fn of_and_is(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<(Vec<String>, Condition)> {
        let object = value
            .as_object()
            .filter(|object| object.get("of").is_some() && object.get("is").is_some());
        let Some(object) = object else {
            let example = "{\"of\": \"properties.category\", \"is\": \"bikes\"}";
            report.error(place, format!("expected an object such as {example}"));
            return None;
        };
        known_keys(object, &vocabulary::OF_AND_IS, place, report)?;
        let path = event_path(object.get("of"), &place.member("of"), report)?;
        let is = ConditionCompiler::compile_for_value(
            self.shared(),
            value.get("is"),
            &place.member("is"),
            report,
        )?;
        Some((path, is))
    }

    /// The path by which events are grouped; `None` after an error.
    #[expect(clippy::option_option, reason = "no path and a mistake are two things")]
    pub(super) fn by(
        &mut self,
        object: &Object,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Option<Vec<String>>> {
        match object.get("by") {
            None => Some(None),
            path => event_path(path, &place.member("by"), report).map(Some),
        }
    }

    /// An event matcher: `type`, `name`, `where`.
    pub(super) fn matcher(
        &mut self,
        object: &Object,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Matcher> {
        matcher(self.shared(), object, place, report)
    }

    /// How many events decide a count's test; `None` when more than a cell keeps exactly.
    ///
    /// Each test of a count compares it with constants. A count above all of them fares like any other
    /// count above all of them, so that nothing is lost when counting stops one past the largest.
    fn enough(&self, first: usize) -> Option<u8> {
        let mut largest = 1.0_f64;
        for node in &self.nodes()[first..] {
            match node {
                // Not past the largest: what counts is whether it is reached.
                Node::Compare(Comparison::GreaterOrEqual | Comparison::Less, Value::Number(number)) => {
                    largest = largest.max(number.ceil());
                }
                Node::All(_) | Node::Any(_) | Node::Not(_) => {}
                node => {
                    let mut numbers = Vec::new();
                    if !node.numbers(&mut numbers) {
                        return None;
                    }
                    largest = numbers
                        .iter()
                        .fold(largest, |largest, number| largest.max(number.floor() + 1.0));
                }
            }
        }
        (largest <= MAX_EXACT as f64).then_some(largest as u8)
    }
}

fn at_least_one() -> Value {
    Value::Object([("$gte", Value::Number(1.0))].into_iter().collect())
}

/// Reads an event matcher: `type`, `name`, `where`.
pub(super) fn matcher(
    compiler: &mut super::Compiler,
    object: &Object,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Matcher> {
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
                let types = vocabulary::EVENT_TYPE.words;
                let near = suggestion(text, types);
                report.error(
                    &place.member("type"),
                    format!("expected one of {}{near}", types.join(", ")),
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
                compiler, value, place, report,
            )?)
        }
    };
    Some(Matcher {
        kind,
        name,
        condition,
    })
}

pub(super) fn known_keys(
    object: &Object,
    known: &Words,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<()> {
    report.texts(object, place, &["description"]);
    for (key, _) in object.iter() {
        if !known.contains(key) {
            let near = suggestion(key, known.words);
            report.error(
                &place.member(key),
                format!("`{key}` is not known in `{}`{near}", known.of),
            );
            return None;
        }
    }
    Some(())
}

pub(super) fn scope(object: &Object, place: &Place<'_>, report: &mut Report) -> Option<Scope> {
    match object.get("in") {
        None => Some(Scope::Session),
        Some(Value::String(text)) if text == "session" => Some(Scope::Session),
        Some(Value::String(text)) if text == "visitor" => Some(Scope::Visitor),
        Some(_) => {
            report.error(&place.member("in"), "expected `session` or `visitor`");
            None
        }
    }
}

/// A member that is a duration, if there is one; `None` after an error.
#[expect(clippy::option_option, reason = "no duration and a mistake are two things")]
pub(super) fn duration(
    object: &Object,
    name: &str,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Option<i64>> {
    let Some(text) = object.get(name) else {
        return Some(None);
    };
    let duration = text.as_str().and_then(parse_duration);
    if duration.is_none() {
        let place = &place.member(name);
        report.error(
            place,
            "expected a duration such as `30s`, `15m`, `2h` or `7d`, of at most ten years",
        );
    }
    duration.map(Some)
}

/// The path of an event's value.
pub(super) fn event_path(
    value: Option<&Value>,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Vec<String>> {
    match value.and_then(Value::as_str) {
        Some(path) => attribute::of_event(path, place, report),
        None => {
            report.error(
                place,
                "expected the path of a value such as `properties.category`",
            );
            None
        }
    }
}

/// Whether a test is given as operators.
pub(super) fn has_operators(value: &Value) -> bool {
    value.as_object().is_some_and(is_operators)
}
