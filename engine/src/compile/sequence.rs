//! `$sequence`: in which order.

use super::condition::ConditionCompiler;
use super::event_condition::{duration, known_keys, scope};
use super::vocabulary;
use super::warning::{Place, Report};
use crate::cell::measure::Measure;
use crate::cell::spec::{CellKind, CellSpec, MAX_MATCHERS, Matcher, Sequence, Step};
use crate::condition::Node;
use crate::value::{Object, Value};

impl ConditionCompiler<'_> {
    pub(super) fn sequence(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<Node> {
        let Some(object) = value.as_object() else {
            report.error(
                place,
                "expected an object such as {\"steps\": [{\"name\": \"Product Added\"}, {\"name\": \"Order Completed\"}]}",
            );
            return None;
        };
        known_keys(object, &vocabulary::SEQUENCE, place, report)?;
        let scope = scope(object, place, report)?;
        let within = duration(object, "within", place, report)?;
        let by = self.by(object, place, report)?;
        let (matchers, mut sequence) = self.steps(value.get("steps"), &place.member("steps"), report)?;
        sequence.within = within;
        let has_groups = by.is_some();
        let spec = CellSpec {
            key: 0,
            scope,
            matchers,
            by,
            kind: CellKind::Sequence(sequence),
        };
        let completed = value.get("completed");
        let (measure, test) = match completed {
            Value::Null => (Measure::Completed, self.is_yes(place, report)?),
            _ => {
                let place = &place.member("completed");
                let object = completed.as_object();
                let Some((object, ago)) = object.and_then(|object| Some((object, object.get("ago")?))) else {
                    report.error(place, "expected an object such as {\"ago\": {\"$lt\": \"1h\"}}");
                    return None;
                };
                known_keys(object, &vocabulary::AGO, place, report)?;
                let test = self.duration_test(ago, &place.member("ago"), report, depth)?;
                (Measure::CompletedAgo, test)
            }
        };
        let cell = self.cell(spec, place, report)?;
        let node = Node::Measure(cell, measure, test);
        if has_groups {
            let id = self.push(node, place, report)?;
            return Some(Node::AnyGroup(vec![cell], id));
        }
        Some(node)
    }

    fn steps(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<(Vec<Matcher>, Sequence)> {
        let items = match value.as_array() {
            Some(items) if !items.is_empty() && items.len() <= MAX_MATCHERS => items,
            _ => {
                report.error(place, format!("expected a list of 1 to {MAX_MATCHERS} steps"));
                return None;
            }
        };
        let mut matchers = Vec::new();
        let mut sequence = Sequence {
            steps: Vec::new(),
            within: None,
            quiet: None,
        };
        let mut without = 0;
        for (index, item) in items.iter().enumerate() {
            let place = &place.item(index);
            let Some(object) = item.as_object() else {
                report.error(place, "expected a step such as {\"name\": \"Product Added\"}");
                return None;
            };
            if object.get("not").is_none() {
                let step = self.step(
                    object,
                    &mut matchers,
                    without,
                    sequence.steps.is_empty(),
                    place,
                    report,
                )?;
                sequence.steps.push(step);
                without = 0;
                continue;
            }
            known_keys(object, &vocabulary::NOT_STEP, place, report)?;
            if sequence.steps.is_empty() {
                report.error(place, "a sequence begins with a step, not with `not`");
                return None;
            }
            let place_of_not = &place.member("not");
            let Some(not) = item.get("not").as_object() else {
                report.error(
                    place_of_not,
                    "expected an event such as {\"name\": \"Order Completed\"}",
                );
                return None;
            };
            known_keys(not, &vocabulary::EVENT, place_of_not, report)?;
            let matcher = self.matcher(not, place_of_not, report)?;
            let matcher = place_among(&mut matchers, matcher);
            let is_last = index + 1 == items.len();
            match (is_last, duration(object, "for", place, report)?) {
                (true, Some(quiet)) => sequence.quiet = Some((matcher, quiet)),
                (true, None) => {
                    report.error(place, "a last `not` needs `for`: for how long, such as `15m`");
                    return None;
                }
                (false, None) => without |= 1 << matcher,
                (false, Some(_)) => {
                    report.error(&place.member("for"), "`for` may stand only in the last step");
                    return None;
                }
            }
        }
        Some((matchers, sequence))
    }

    fn step(
        &mut self,
        object: &Object,
        matchers: &mut Vec<Matcher>,
        without: u32,
        is_first: bool,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Step> {
        known_keys(object, &vocabulary::STEP, place, report)?;
        let gap = duration(object, "within", place, report)?;
        if is_first && gap.is_some() {
            report.error(
                &place.member("within"),
                "the first step has none before it: `within` beside `steps` is for the whole sequence",
            );
            return None;
        }
        let matcher = self.matcher(object, place, report)?;
        Some(Step {
            matcher: place_among(matchers, matcher),
            gap,
            without,
        })
    }
}

/// The place of a matcher; the same one is there once.
fn place_among(matchers: &mut Vec<Matcher>, matcher: Matcher) -> u8 {
    let place = matchers.iter().position(|known| *known == matcher);
    place.unwrap_or_else(|| {
        matchers.push(matcher);
        matchers.len() - 1
    }) as u8
}
