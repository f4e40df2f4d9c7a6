//! `$held`: for how long an attribute has fitted.

use super::attribute;
use super::condition::ConditionCompiler;
use super::event_condition::{duration, known_keys};
use super::vocabulary;
use super::warning::{Place, Report};
use crate::cell::measure::Measure;
use crate::cell::spec::{CellKind, CellSpec, Scope};
use crate::condition::{Comparison, Node};
use crate::value::Value;

impl ConditionCompiler<'_> {
    pub(super) fn held(&mut self, value: &Value, place: &Place<'_>, report: &mut Report) -> Option<Node> {
        let complete = ["path", "is", "for"]
            .iter()
            .all(|name| !value.get(name).is_null());
        let Some(object) = value.as_object().filter(|_| complete) else {
            let example = "{\"path\": \"profile.traits.plan\", \"is\": \"trial\", \"for\": \"14d\"}";
            report.error(place, format!("expected an object such as {example}"));
            return None;
        };
        known_keys(object, &vocabulary::HELD, place, report)?;
        let path_place = &place.member("path");
        let path =
            attribute::of_decision(value.get("path").as_str().unwrap_or_default(), path_place, report)?;
        let Some((root, rest)) = path.split_first().filter(|(root, _)| *root == "profile") else {
            // Others change without an event, so that nobody is there to see since when.
            report.error(path_place, "only attributes of the profile are watched over time");
            return None;
        };
        if rest
            .first()
            .is_some_and(|name| name == "consent" || name == "sessions")
        {
            report.error(
                path_place,
                "this attribute of the profile is not watched over time",
            );
            return None;
        }
        let duration = duration(object, "for", place, report)??;
        let is = ConditionCompiler::compile_for_value(
            self.shared(),
            value.get("is"),
            &place.member("is"),
            report,
        )?;
        debug_assert_eq!(root, "profile");
        self.shared().reads(&path);
        let spec = CellSpec {
            key: 0,
            scope: Scope::Visitor,
            matchers: Vec::new(),
            by: None,
            kind: CellKind::Held(rest.to_vec(), is),
        };
        let test = Node::Compare(Comparison::GreaterOrEqual, Value::Number(duration as f64));
        let test = self.push(test, place, report)?;
        let cell = self.cell(spec, place, report)?;
        Some(Node::Measure(cell, Measure::HeldFor, test))
    }
}
