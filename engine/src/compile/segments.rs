//! Segments, in an order in which each comes after those that it refers to.

use super::condition::ConditionCompiler;
use super::warning::{Place, Report};
use super::{Compiler, MAX_SEGMENTS, vocabulary};
use crate::condition::MAX_NESTING;
use crate::program::Segment;
use crate::value::{Object, Value};

/// How many segments of a circle a mistake names.
const MAX_WAY: usize = 20;

pub(super) fn compile(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) {
    let segments = match value {
        Value::Null => return,
        Value::Object(segments) => segments,
        _ => return report.error(place, "expected an object of segments by name"),
    };
    if segments.len() > MAX_SEGMENTS {
        return report.error(place, format!("more than {MAX_SEGMENTS} segments"));
    }
    compiler.segment_names = segments.iter().map(|(name, _)| name.to_owned()).collect();
    for index in order(segments, &Kind::SEGMENTS, place, report) {
        if let Some((name, segment)) = segments.member(index) {
            let checkpoint = compiler.checkpoint();
            let errors = report.errors();
            one(compiler, name, segment, &place.member(name), report);
            if report.errors() > errors {
                compiler.roll_back(&checkpoint);
            }
        }
    }
}

fn one(compiler: &mut Compiler, name: &str, value: &Value, place: &Place<'_>, report: &mut Report) {
    let Some(object) = value.as_object() else {
        return report.error(place, "expected an object with `when`");
    };
    report.unknown_keys(object, place, &[vocabulary::SEGMENT]);
    if object.get("when").is_none() {
        return report.error(place, "`when` is missing: who is in this segment?");
    }
    if let Some(condition) =
        ConditionCompiler::compile(compiler, value.get("when"), &place.member("when"), report)
    {
        compiler.program.segments.push(Segment {
            id: name.to_owned(),
            condition,
        });
        let place = compiler.program.segments.len() - 1;
        compiler.segment_places.insert(name.to_owned(), place as u16);
    }
}

/// What is put into an order.
pub(super) struct Kind {
    /// What one of them is called.
    name: &'static str,
    /// The name of the one that a member of a condition refers to, if it does.
    reference: for<'v> fn(&str, &'v Value) -> Option<&'v str>,
    /// How many levels of JSON are around a condition.
    around: usize,
}

impl Kind {
    const SEGMENTS: Self = Self {
        name: "segment",
        reference: |key, value| value.as_str().filter(|_| key == "$segment"),
        around: 0,
    };
    pub(super) const FEATURES: Self = Self {
        name: "feature",
        reference: |key, value| value.get("id").as_str().filter(|_| key == "$feature"),
        around: 4,
    };
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Not,
    /// It refers, directly or not, to the one that is looked at.
    Under,
    Done,
    /// It is part of a circle.
    Circular,
}

/// A segment that is looked at, with the segments that it refers to and that are still to be looked at.
struct Step {
    index: usize,
    references: Vec<usize>,
}

/// The places of the segments in an order in which each comes after those that it refers to, without those
/// that refer to themselves in a circle. No recursion: a chain of segments may be as long as it likes.
pub(super) fn order(segments: &Object, kind: &Kind, place: &Place<'_>, report: &mut Report) -> Vec<usize> {
    let mut visits = vec![Visit::Not; segments.len()];
    let mut sorted = Vec::with_capacity(segments.len());
    for start in 0..segments.len() {
        if visits[start] != Visit::Not {
            continue;
        }
        visits[start] = Visit::Under;
        let mut under = vec![Step::new(segments, kind, start)];
        while let Some(step) = under.last_mut() {
            let index = step.index;
            let Some(other) = step.references.pop() else {
                under.pop();
                if visits[index] == Visit::Under {
                    visits[index] = Visit::Done;
                    sorted.push(index);
                }
                continue;
            };
            match visits[other] {
                Visit::Not => {
                    visits[other] = Visit::Under;
                    under.push(Step::new(segments, kind, other));
                }
                Visit::Done => {}
                Visit::Under | Visit::Circular => {
                    // A circular one that is no longer looked at only makes this one's reference fail.
                    let Some(from) = under.iter().position(|step| step.index == other) else {
                        continue;
                    };
                    circle(segments, kind, &under[from..], &mut visits, place, report);
                }
            }
        }
    }
    sorted
}

/// Names a circle, once for each segment in it that was not in another one.
fn circle(
    segments: &Object,
    kind: &Kind,
    steps: &[Step],
    visits: &mut [Visit],
    place: &Place<'_>,
    report: &mut Report,
) {
    let name = |step: &Step| segments.member(step.index).map_or("", |(name, _)| name);
    for (at, step) in steps.iter().enumerate() {
        if std::mem::replace(&mut visits[step.index], Visit::Circular) == Visit::Circular {
            continue;
        }
        let way = steps[at..].iter().chain(&steps[..at]).take(MAX_WAY).map(name);
        let mut way: Vec<&str> = way.collect();
        if steps.len() > MAX_WAY {
            way.push("…");
        }
        way.push(name(step));
        report.error(
            &place.member(name(step)),
            format!(
                "the {} refers to itself in a circle: {}",
                kind.name,
                way.join(" → ")
            ),
        );
    }
}

impl Step {
    fn new(segments: &Object, kind: &Kind, index: usize) -> Self {
        let mut names = Vec::new();
        if let Some((_, segment)) = segments.member(index) {
            collect(segment, kind, &mut names, 0);
        }
        let references = names.iter().filter_map(|name| segments.position(name));
        Self {
            index,
            references: references.collect(),
        }
    }
}

/// The names of the segments that a segment refers to.
fn collect<'a>(value: &'a Value, kind: &Kind, names: &mut Vec<&'a str>, depth: usize) {
    // A level of conditions is two levels of JSON at most, and deeper conditions are mistakes.
    if depth > 2 * MAX_NESTING + kind.around {
        return;
    }
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter() {
                match (kind.reference)(key, value) {
                    Some(name) => names.push(name),
                    None => collect(value, kind, names, depth + 1),
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect(item, kind, names, depth + 1)),
        _ => {}
    }
}
