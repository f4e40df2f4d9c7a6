//! Decisions in the form in which GrowthBook's cases expect results.

use super::visit::Visit;
use nearside_engine::assign::{equal_weights, fraction};
use nearside_engine::assignment::FeatureDecision;
use nearside_engine::decide::Reason;
use nearside_engine::program::Feature;
use nearside_engine::value::{Object, Value};
use nearside_origin::growthbook::Leaf;

/// The members of a rule that a result repeats as they are, if they are there.
const REPEATED: [&str; 16] = [
    "coverage",
    "weights",
    "hashAttribute",
    "fallbackAttribute",
    "disableStickyBucketing",
    "bucketVersion",
    "minBucketVersion",
    "namespace",
    "meta",
    "ranges",
    "name",
    "phase",
    "seed",
    "hashVersion",
    "filters",
    "condition",
];

/// JavaScript's `Boolean(value)`.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(boolean) => *boolean,
        Value::Number(number) => *number != 0.0,
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

fn result(value: Value, source: &str, rule_id: &str) -> Object {
    let mut result = Object::new();
    result.insert("on", truthy(&value));
    result.insert("off", !truthy(&value));
    result.insert("value", value);
    result.insert("source", source);
    result.insert("ruleId", rule_id);
    result
}

/// The result of a feature.
pub(super) fn of_feature(context: &Value, name: &str, visit: &Visit) -> Object {
    let Some(index) = visit.program.feature(name) else {
        return result(Value::Null, "unknownFeature", "");
    };
    let feature = &visit.program.features[index];
    let decision = visit.decisions.features[index];
    let value = decision.value(feature).cloned().unwrap_or_default();
    let Some(place) = decision.rule.map(usize::from) else {
        let source = match decision.reason {
            Reason::Prerequisite => "prerequisite",
            Reason::Invalid => "cyclicPrerequisite",
            _ => "defaultValue",
        };
        return result(value, source, "");
    };
    let origin = &visit.imported.rules[name][place];
    let rules = context.get("features").get(name).get("rules").as_array();
    let rule = &rules.unwrap()[origin.rule];
    let rule_id = feature.rules[place].id.as_str();
    if rule.as_object().unwrap().get("force").is_some() {
        return result(value, "force", rule_id);
    }
    let leaf = origin.leaf.as_ref();
    let assigned = decision.bucket.is_some();
    let mut found = result(value.clone(), "experiment", rule_id);
    found.insert("experiment", experiment(rule, name, leaf, assigned));
    found.insert(
        "experimentResult",
        experiment_result(context, name, rule, feature, &decision, leaf),
    );
    found
}

fn experiment(rule: &Value, feature: &str, leaf: Option<&Leaf>, assigned: bool) -> Object {
    let mut experiment = Object::new();
    let variations = match rule.get("contextualVariations") {
        Value::Null => rule.get("variations"),
        variations => variations,
    };
    experiment.insert("variations", variations.clone());
    experiment.insert("key", rule.get("key").as_str().unwrap_or(feature));
    for name in REPEATED {
        if let Some(value) = rule.as_object().unwrap().get(name) {
            experiment.insert(name, value.clone());
        }
    }
    if let Some(leaf) = leaf {
        if leaf.id >= 0.0 {
            experiment.insert("weights", leaf.weights.clone());
        }
        if assigned {
            experiment.insert("contextualBandit", bandit(leaf, variations));
        }
    }
    experiment
}

fn bandit(leaf: &Leaf, variations: &Value) -> Object {
    let mut bandit = Object::new();
    bandit.insert("leafId", leaf.id);
    let weights = if leaf.weights.is_empty() {
        let count = variations.as_array().map_or(0, <[Value]>::len);
        equal_weights(count).into_iter().map(Value::from).collect()
    } else {
        leaf.weights.clone()
    };
    bandit.insert("variationWeights", weights);
    if !leaf.version.is_null() {
        bandit.insert("banditVersion", leaf.version.clone());
    }
    bandit
}

fn experiment_result(
    context: &Value,
    name: &str,
    rule: &Value,
    feature: &Feature,
    decision: &FeatureDecision,
    leaf: Option<&Leaf>,
) -> Object {
    let compiled = &feature.rules[usize::from(decision.rule.unwrap())];
    let place = usize::from(decision.variant.unwrap());
    let variant = &compiled.variants[place];
    let attributes = context.get("attributes");
    let units = std::iter::once(&compiled.assignment.unit).chain(&compiled.assignment.fallback);
    let names = units.map(|unit| unit.path().last().unwrap().as_str());
    let unit = names
        .clone()
        .find(|name| truthy(attributes.get(name)))
        .or_else(|| names.clone().next());
    let unit = unit.unwrap();
    let mut result = Object::new();
    result.insert("featureId", name);
    result.insert("value", variant.value.clone());
    result.insert("variationId", place as f64);
    result.insert("key", variant.id.as_str());
    result.insert("inExperiment", true);
    result.insert("hashUsed", decision.bucket.is_some());
    result.insert("stickyBucketUsed", decision.reason == Reason::Sticky);
    result.insert("hashAttribute", unit);
    result.insert("hashValue", attributes.get(unit).clone());
    if let Some(bucket) = decision.bucket {
        result.insert("bucket", fraction(bucket));
        if let Some(leaf) = leaf {
            let variations = Value::Array(compiled.variants.iter().map(|v| v.value.clone()).collect());
            for (name, value) in bandit(leaf, &variations).iter() {
                result.insert(name, value.clone());
            }
        }
    }
    let meta = rule.get("meta").as_array().and_then(|meta| meta.get(place));
    if let Some(name) = meta.and_then(|meta| meta.get("name").as_str()) {
        result.insert("name", name);
    }
    result
}
