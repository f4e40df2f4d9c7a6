//! The operators over a value that GrowthBook's language and ours have besides the plain ones.

use super::condition::{About, ConditionCompiler, expected};
use super::vocabulary;
use super::warning::{Place, Report, suggestion};
use crate::condition::{Comparison, Node};
use crate::near::Circle;
use crate::regex::Regex;
use crate::value::Value;
use crate::value_tests::Set;
use crate::version::VersionTest;

impl ConditionCompiler<'_> {
    /// The node of an operator; `Some(None)` after an error, `None` if there is no such operator.
    pub(super) fn value_operator(
        &mut self,
        operator: &str,
        operand: &Value,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Option<Node>> {
        Some(match operator {
            "$eq" => Some(self.equal(operand, place, report)),
            "$ne" => {
                let equal = self.equal(operand, place, report);
                self.not(Some(equal), place, report)
            }
            "$in" => set(operand, false, place, report),
            "$ini" => set(operand, true, place, report),
            "$nin" => self.not(set(operand, false, place, report), place, report),
            "$nini" => self.not(set(operand, true, place, report), place, report),
            "$alli" => self.all_ignoring_case(operand, place, report),
            "$veq" => version(VersionTest::Equal, operand, place, report),
            "$vne" => self.not(version(VersionTest::Equal, operand, place, report), place, report),
            "$vlt" => version(VersionTest::Ordered(Comparison::Less), operand, place, report),
            "$vlte" => version(
                VersionTest::Ordered(Comparison::LessOrEqual),
                operand,
                place,
                report,
            ),
            "$vgt" => version(VersionTest::Ordered(Comparison::Greater), operand, place, report),
            "$vgte" => version(
                VersionTest::Ordered(Comparison::GreaterOrEqual),
                operand,
                place,
                report,
            ),
            "$inGroup" => self.group(operand, place, report),
            "$notInGroup" => {
                let group = self.group(operand, place, report);
                self.not(group, place, report)
            }
            "$near" => near(operand, place, report),
            "$regex" => regex(operand, false, place, report),
            "$regexi" => regex(operand, true, place, report),
            _ => return None,
        })
    }

    fn not(&mut self, node: Option<Node>, place: &Place<'_>, report: &mut Report) -> Option<Node> {
        Some(Node::Not(self.push(node?, place, report)?))
    }

    fn equal(&self, operand: &Value, place: &Place<'_>, report: &mut Report) -> Node {
        if matches!(operand, Value::Array(_) | Value::Object(_)) {
            report.warning(
                place,
                "no list or object equals another here: to compare what it holds, write it without an operator",
            );
        }
        Node::Equal(operand.clone())
    }

    fn all_ignoring_case(&mut self, operand: &Value, place: &Place<'_>, report: &mut Report) -> Option<Node> {
        let Some(items) = operand.as_array() else {
            return expected("a list of values", place, report);
        };
        let mut all = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let place = &place.item(index);
            all.push(match item {
                Value::String(text) => {
                    let node = Node::IsIgnoringCase(Value::from(text.to_lowercase()));
                    self.push(node, place, report)?
                }
                other => self.test(other, place, report, 1)?,
            });
        }
        Some(Node::Every(all))
    }

    fn group(&mut self, operand: &Value, place: &Place<'_>, report: &mut Report) -> Option<Node> {
        let Some(name) = operand.as_str() else {
            return expected("the name of a group", place, report);
        };
        let group = self.shared().group(name, place, report)?;
        if self.about == About::Decision {
            return Some(Node::Group(group));
        }
        // Only what is asked about a decision knows the program's groups.
        let set = self.shared().program.groups.get(usize::from(group))?.clone();
        Some(Node::In(Box::new(set), false))
    }
}

fn set(operand: &Value, ignore_case: bool, place: &Place<'_>, report: &mut Report) -> Option<Node> {
    let Some(items) = operand.as_array() else {
        return expected("a list of values", place, report);
    };
    if let Some(index) = items
        .iter()
        .position(|item| matches!(item, Value::Array(_) | Value::Object(_)))
    {
        report.warning(&place.item(index), "a list or an object is equal to nothing");
    }
    Some(Node::In(Box::new(Set::new(items, ignore_case)), ignore_case))
}

fn version(test: VersionTest, operand: &Value, place: &Place<'_>, report: &mut Report) -> Option<Node> {
    match operand {
        Value::String(_) | Value::Number(_) => Some(Node::Version(test, operand.clone())),
        _ => expected("a version such as `1.4.0`", place, report),
    }
}

fn regex(operand: &Value, ignore_case: bool, place: &Place<'_>, report: &mut Report) -> Option<Node> {
    let Some(pattern) = operand.as_str() else {
        return expected("a regular expression as text", place, report);
    };
    match Regex::compile(pattern, ignore_case) {
        Ok(regex) => Some(Node::Regex(Box::new(regex))),
        Err(error) => {
            report.error(place, error.to_string());
            None
        }
    }
}

fn near(operand: &Value, place: &Place<'_>, report: &mut Report) -> Option<Node> {
    let Some(object) = operand.as_object() else {
        return expected(
            "a place and a distance: {\"lat\": 48.86, \"lon\": 2.35, \"km\": 20}",
            place,
            report,
        );
    };
    report.unknown_keys(object, place, &[vocabulary::NEAR]);
    let mut number = |name: &str, lowest: f64, highest: f64| match operand.get(name) {
        Value::Number(number) if (lowest..=highest).contains(number) => Some(*number),
        _ => {
            let message = format!("expected a number between {lowest} and {highest}");
            report.error(&place.member(name), message);
            None
        }
    };
    let (latitude, longitude) = (number("lat", -90.0, 90.0), number("lon", -180.0, 180.0));
    let kilometres = number("km", 0.0, 30_000.0);
    let circle = Circle::new(latitude?, longitude?, kilometres?);
    Some(Node::Near(Box::new(circle)))
}

/// The nearest of many names, if any is near.
pub(super) fn near_name<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> String {
    suggestion(name, &known.map(String::as_str).collect::<Vec<_>>())
}
