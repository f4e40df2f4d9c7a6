//! Segments, in an order in which each comes after those that it refers to.

use super::condition::ConditionCompiler;
use super::warning::{Place, Report};
use super::{Compiler, MAX_SEGMENTS};
use crate::program::Segment;
use crate::value::{Object, Value};

/// How deep segments may refer to each other.
const MAX_REFERENCES: usize = 50;

pub(super) fn compile(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) {
    let segments = match value {
        Value::Null => return,
        Value::Object(segments) => segments,
        _ => return report.error(place, "expected an object of segments by name"),
    };
    if segments.len() > MAX_SEGMENTS {
        return report.error(place, format!("more than {MAX_SEGMENTS} segments"));
    }
    let mut order = Order {
        segments,
        states: vec![Visit::Not; segments.len()],
        sorted: Vec::new(),
    };
    for index in 0..segments.len() {
        order.visit(index, place, report, 0);
    }
    for index in order.sorted {
        let Some((name, segment)) = segments.iter().nth(index) else {
            continue;
        };
        one(compiler, name, segment, &place.member(name), report);
    }
}

fn one(compiler: &mut Compiler, name: &str, value: &Value, place: &Place<'_>, report: &mut Report) {
    let Some(object) = value.as_object() else {
        return report.error(place, "expected an object with `when`");
    };
    report.unknown_keys(object, place, &["when", "description"]);
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
        compiler.segment_names.push(name.to_owned());
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Not,
    Under,
    Done,
}

struct Order<'a> {
    segments: &'a Object,
    states: Vec<Visit>,
    sorted: Vec<usize>,
}

impl Order<'_> {
    fn visit(&mut self, index: usize, place: &Place<'_>, report: &mut Report, depth: usize) {
        let Some((name, value)) = self.segments.iter().nth(index) else {
            return;
        };
        match self.states[index] {
            Visit::Done => return,
            Visit::Under => {
                return report.error(
                    &place.member(name),
                    format!("segment `{name}` refers to itself in a circle"),
                );
            }
            Visit::Not if depth > MAX_REFERENCES => {
                return report.error(&place.member(name), "segments refer to each other too deeply");
            }
            Visit::Not => {}
        }
        self.states[index] = Visit::Under;
        let mut references = Vec::new();
        collect(value, &mut references, 0);
        for reference in references {
            if let Some(other) = self.segments.iter().position(|(name, _)| name == reference) {
                self.visit(other, place, report, depth + 1);
            }
        }
        self.states[index] = Visit::Done;
        self.sorted.push(index);
    }
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>, depth: usize) {
    if depth > crate::condition::MAX_NESTING {
        return;
    }
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter() {
                match value.as_str() {
                    Some(name) if key == "$segment" => references.push(name),
                    _ => collect(value, references, depth + 1),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references, depth + 1)),
        _ => {}
    }
}
