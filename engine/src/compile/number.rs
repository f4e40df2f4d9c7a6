//! Tests of numbers: which operators they may have, and what they compare with.

use super::event_condition::has_operators;
use super::vocabulary::NUMBER_OPERATOR;
use super::warning::{Place, Report, suggestion};
use crate::time::parse_duration;
use crate::value::{Object, Value};

/// Deeper tests are left to the condition's own limit.
const MAX_DEPTH: usize = 64;

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Anything: it is written as a number.
    Number,
    /// Milliseconds: they are written as durations.
    Duration,
}

impl Unit {
    fn read(self, value: &Value) -> Option<f64> {
        match (self, value) {
            (Unit::Number, Value::Number(number)) => Some(*number),
            (Unit::Duration, Value::String(text)) => parse_duration(text).map(|duration| duration as f64),
            _ => None,
        }
    }

    const fn expected(self) -> &'static str {
        match self {
            Unit::Number => "expected a number, or operators such as {\"$gte\": 3}",
            Unit::Duration => "expected operators with durations, such as {\"$lt\": \"30m\"}",
        }
    }
}

/// The same test with plain numbers; `None` after an error.
///
/// Numbers that change with time or are counted only so far have no other operators: it must be known which
/// numbers they are compared with.
pub(super) fn test(value: &Value, unit: Unit, place: &Place<'_>, report: &mut Report) -> Option<Value> {
    if unit == Unit::Duration && !has_operators(value) {
        report.error(place, unit.expected());
        return None;
    }
    checked(value, unit, place, report, 0)
}

fn checked(value: &Value, unit: Unit, place: &Place<'_>, report: &mut Report, depth: usize) -> Option<Value> {
    if depth > MAX_DEPTH {
        report.error(place, format!("the test nests deeper than {MAX_DEPTH} levels"));
        return None;
    }
    let Some(object) = value.as_object().filter(|_| has_operators(value)) else {
        let number = unit.read(value);
        if number.is_none() {
            report.error(place, unit.expected());
        }
        return number.map(Value::Number);
    };
    let mut tested = Object::new();
    for (operator, operand) in object.iter() {
        let place = &place.member(operator);
        let list =
            |report: &mut Report, item: fn(&Value, Unit, &Place<'_>, &mut Report, usize) -> Option<Value>| {
                let Some(items) = operand.as_array() else {
                    report.error(place, "expected a list");
                    return None;
                };
                let items = items.iter().enumerate();
                let items =
                    items.map(|(index, operand)| item(operand, unit, &place.item(index), report, depth + 1));
                items.collect::<Option<Vec<Value>>>().map(Value::Array)
            };
        let operand = match operator {
            other if !NUMBER_OPERATOR.contains(other) => {
                let near = suggestion(other, NUMBER_OPERATOR.words);
                report.error(place, format!("`{other}` does not compare numbers{near}"));
                None
            }
            "$and" | "$or" | "$nor" => list(report, checked),
            "$in" | "$nin" | "$between" => list(report, constant),
            "$not" => checked(operand, unit, place, report, depth + 1),
            _ => constant(operand, unit, place, report, depth),
        };
        tested.insert(operator, operand?);
    }
    Some(Value::Object(tested))
}

fn constant(value: &Value, unit: Unit, place: &Place<'_>, report: &mut Report, _: usize) -> Option<Value> {
    let number = unit.read(value);
    if number.is_none() {
        let expected = match unit {
            Unit::Number => "expected a number",
            Unit::Duration => "expected a duration such as `30s`, `15m`, `2h` or `7d`",
        };
        report.error(place, expected);
    }
    number.map(Value::Number)
}
