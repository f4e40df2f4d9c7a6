//! Features as an author writes them → [`Feature`], in an order in which each comes after those it refers to.

use super::assignment::{self, Part};
use super::condition::ConditionCompiler;
use super::experience::{read_status, schedule};
use super::segments::{Kind, order};
use super::value_operator::near_name;
use super::warning::{Place, Report};
use super::{Compiler, attribute, vocabulary};
use crate::condition::Node;
use crate::program::{Feature, FeatureVariant, Rule, Status};
use crate::value::{MAX_DEPTH, Object, Value};

/// More of any are a mistake.
const MAX_FEATURES: usize = 5_000;
const MAX_RULES: usize = 500;
const MAX_VARIANTS: usize = 100;

pub(super) fn compile(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) {
    compiler.features_may_be_read = true;
    let features = match value {
        Value::Null => return,
        Value::Object(features) => features,
        _ => return report.error(place, "expected an object of features by name"),
    };
    if features.len() > MAX_FEATURES {
        return report.error(place, format!("more than {MAX_FEATURES} features"));
    }
    compiler.feature_names = features.iter().map(|(name, _)| name.to_owned()).collect();
    compiler.program.features = features
        .iter()
        .map(|(name, _)| Feature {
            id: name.to_owned(),
            default: Value::Null,
            rules: Vec::new(),
        })
        .collect();
    for index in order(features, &Kind::FEATURES, place, report) {
        let Some((name, value)) = features.member(index) else {
            continue;
        };
        let checkpoint = compiler.checkpoint();
        let errors = report.errors();
        let feature = one(compiler, name, value, &place.member(name), report);
        if report.errors() > errors {
            compiler.roll_back(&checkpoint);
            continue;
        }
        if let (Some(feature), Ok(index)) = (feature, u16::try_from(index)) {
            compiler.program.features[usize::from(index)] = feature;
            compiler.program.feature_order.push(index);
            compiler.feature_places.insert(name.to_owned(), index);
        }
    }
}

fn one(
    compiler: &mut Compiler,
    name: &str,
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Feature> {
    let Some(object) = value.as_object() else {
        report.error(place, "expected a feature: an object with `default` and `rules`");
        return None;
    };
    report.unknown_keys(object, place, &[vocabulary::FEATURE]);
    let rules = match value.get("rules") {
        Value::Null => &[],
        Value::Array(rules) if rules.len() <= MAX_RULES => rules.as_slice(),
        _ => {
            report.error(
                &place.member("rules"),
                format!("expected a list of at most {MAX_RULES} rules"),
            );
            &[]
        }
    };
    let default = constant(value.get("default"), &place.member("default"), report);
    let place = &place.member("rules");
    let mut compiled = Vec::with_capacity(rules.len());
    for (index, value) in rules.iter().enumerate() {
        compiled.extend(rule(compiler, name, value, &place.item(index), report));
    }
    Some(Feature {
        id: name.to_owned(),
        default,
        rules: compiled,
    })
}

/// Values go into the program's bytes, and bytes that nest too deeply are not read.
fn constant(value: &Value, place: &Place<'_>, report: &mut Report) -> Value {
    if value.nests_within(MAX_DEPTH) {
        return value.clone();
    }
    report.error(place, format!("the value nests deeper than {MAX_DEPTH} levels"));
    Value::Null
}

fn rule(
    compiler: &mut Compiler,
    feature: &str,
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Rule> {
    let Some(object) = value.as_object() else {
        report.error(place, "expected a rule: a JSON object");
        return None;
    };
    report.unknown_keys(object, place, &[vocabulary::RULE, vocabulary::ASSIGNMENT]);
    let text = |name: &str, report: &mut Report| match value.get(name) {
        Value::Null => None,
        Value::String(text) if text.len() <= 1_000 => Some(text.clone()),
        _ => {
            report.error(&place.member(name), "expected text of at most 1000 bytes");
            None
        }
    };
    let (values, parts) = variants(object, value, place, report);
    let key = text("key", report).unwrap_or_else(|| feature.to_owned());
    let id = text("id", report).unwrap_or_default();
    let mut optional = |name: &str, report: &mut Report| match value.get(name) {
        Value::Null => None,
        condition => ConditionCompiler::compile(compiler, condition, &place.member(name), report),
    };
    let gate = optional("gate", report);
    let requires = optional("requires", report);
    let condition = super::experience::condition(compiler, value, place, report);
    let (starts_at, ends_at) = schedule(value.get("schedule"), &place.member("schedule"), report);
    let mut assignment = assignment::compile(compiler, &key, value, &parts, place, report);
    // A value for all that the rule is for needs no hash.
    let divides = ["traffic", "range", "holdout", "sticky"]
        .iter()
        .any(|name| object.get(name).is_some());
    assignment.hashes = object.get("variants").is_some() || divides;
    if values.is_empty() && gate.is_none() && object.get("variants").is_none() {
        report.warning(
            place,
            "the rule gives no value: add `value`, `variants` or `gate`",
        );
    }
    let status = read_status(value, place, report);
    Some(Rule {
        id,
        status: if status == Status::Stopped && assignment.release.is_some() {
            Status::Running
        } else {
            status
        },
        gate,
        requires,
        condition,
        starts_at,
        ends_at,
        assignment,
        variants: values,
    })
}

/// The values that a rule may give, and each one's part of the visitors.
fn variants(
    object: &Object,
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> (Vec<FeatureVariant>, Vec<Part>) {
    let mut values: Vec<FeatureVariant> = Vec::new();
    let mut parts = Vec::new();
    let items = match (object.get("value"), object.get("variants")) {
        (None, None) => return (values, parts),
        (Some(only), None) => {
            values.push(FeatureVariant {
                id: String::new(),
                value: constant(only, &place.member("value"), report),
                passes_through: false,
            });
            parts.push(Part::read("", value, place, report));
            return (values, parts);
        }
        (None, Some(Value::Array(items))) if (1..=MAX_VARIANTS).contains(&items.len()) => items,
        (Some(_), Some(_)) => {
            report.error(place, "`value` and `variants` exclude each other");
            return (values, parts);
        }
        _ => {
            report.error(
                &place.member("variants"),
                format!("expected a list of 1 to {MAX_VARIANTS} variants"),
            );
            return (values, parts);
        }
    };
    let place = &place.member("variants");
    for (index, item) in items.iter().enumerate() {
        let place = &place.item(index);
        let Some(object) = item.as_object() else {
            report.error(place, "expected a variant: {\"value\": …, \"weight\": 1}");
            continue;
        };
        report.unknown_keys(object, place, &[vocabulary::FEATURE_VARIANT]);
        report.texts(object, place, &["name"]);
        let id = match item.get("id") {
            // As in GrowthBook, the place is the name of a variant without one.
            Value::Null => index.to_string(),
            Value::String(id) if !id.is_empty() && id.len() <= 200 => id.clone(),
            _ => {
                report.error(&place.member("id"), "expected text of at most 200 bytes");
                continue;
            }
        };
        if values.iter().any(|variant| variant.id == id) {
            report.error(&place.member("id"), format!("there are two variants `{id}`"));
        }
        parts.push(Part::read(&id, item, place, report));
        values.push(FeatureVariant {
            id,
            value: constant(item.get("value"), &place.member("value"), report),
            passes_through: assignment::flag(item.get("passThrough"), &place.member("passThrough"), report),
        });
    }
    (values, parts)
}

impl ConditionCompiler<'_> {
    /// `{"$feature": {"id": …, "path"?: …, "is": test}}`.
    pub(super) fn feature(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<Node> {
        let Some(object) = value.as_object() else {
            report.error(
                place,
                "expected {\"id\": the feature's name, \"is\": what its value is}",
            );
            return None;
        };
        report.unknown_keys(object, place, &[vocabulary::FEATURE_TEST]);
        let feature = {
            let name = value.get("id").as_str().unwrap_or_default();
            self.shared().feature(name, &place.member("id"), report)?
        };
        let path = match value.get("path") {
            Value::Null => Vec::new(),
            Value::String(path) => attribute::split(path, &place.member("path"), report)?,
            _ => {
                report.error(&place.member("path"), "expected a path within the value");
                return None;
            }
        };
        let Some(is) = object.get("is") else {
            report.error(place, "`is` is missing: what must the feature's value be?");
            return None;
        };
        let test = self.test(is, &place.member("is"), report, depth + 1)?;
        Some(Node::Feature(feature, path, test))
    }
}

impl Compiler {
    /// The place of a feature; `None` after an error.
    fn feature(&self, name: &str, place: &Place<'_>, report: &mut Report) -> Option<u16> {
        if !self.features_may_be_read {
            report.error(
                place,
                "a segment cannot depend on a feature: ask for both in the experience's `when`",
            );
            return None;
        }
        let found = self.feature_places.get(name).copied();
        if found.is_none() {
            let message = if self.feature_names.contains(name) {
                format!("the feature `{name}` has a mistake of its own")
            } else if report.may_compare(self.feature_names.len()) {
                let near = near_name(name, self.feature_names.iter());
                format!("there is no feature `{name}`{near}")
            } else {
                format!("there is no feature `{name}`")
            };
            report.error(place, message);
        }
        found
    }
}
