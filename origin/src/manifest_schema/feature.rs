//! Features: values that programs read.

use super::assignment::{AssignmentFilter, HashVersion, QueryOverride, Stickiness, Traffic};
use super::condition::Condition;
use super::experience::{Schedule, Status};
use super::shape::{not_both, not_null};
use super::text::{PathOfDecision, Share};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// A value that programs read: that of the first rule that gives one.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Feature {
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// The value where no rule gives one.
    pub default: Option<Value>,
    /// The rules, the first that fits first.
    #[schemars(length(max = 500))]
    pub rules: Option<Vec<Rule>>,
}

/// A rule: for whom which value.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase", transform = exclusive)]
pub struct Rule {
    /// Its name in decisions.
    #[schemars(length(max = 1_000))]
    pub id: Option<String>,
    /// What its experiment is known by; the feature's name unless it is given.
    #[schemars(length(max = 1_000))]
    pub key: Option<String>,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// Where this does not hold, no rule gives a value, and the feature has none.
    pub gate: Option<Condition>,
    /// What must hold besides.
    pub requires: Option<Condition>,
    /// Whom it is for, if no segment says so.
    pub when: Option<Condition>,
    /// The segment that it is for.
    pub segment: Option<String>,
    /// Whether it is applied; `running` unless it is given.
    pub status: Option<Status>,
    /// From when on, and until when.
    pub schedule: Option<Schedule>,
    /// The value for all whom it is for.
    pub value: Option<Value>,
    /// With `value`: the part of the visitors who get it, such as `[0, 0.5]`.
    pub range: Option<[f64; 2]>,
    /// Values that visitors get one of, in place of `value`.
    #[schemars(length(min = 1, max = 100), transform = not_null)]
    pub variants: Option<Vec<FeatureVariant>>,
    /// What the hash begins with; the id, unless it is given. The same seed gives the same places.
    #[schemars(length(max = 1_000))]
    pub seed: Option<String>,
    /// The version of the hash.
    pub hash_version: Option<HashVersion>,
    /// The attribute that is hashed; the visitor's id unless it is given.
    pub hash_attribute: Option<PathOfDecision>,
    /// The attribute that is hashed where the first one is missing.
    pub fallback_attribute: Option<PathOfDecision>,
    /// Parts of the visitors that are shared with others.
    #[schemars(length(max = 20))]
    pub filters: Option<Vec<AssignmentFilter>>,
    /// Who takes part at all: a share of all visitors, or a ramp.
    pub traffic: Option<Traffic>,
    /// The share of visitors who never get it, so that its effect can be known.
    pub holdout: Option<Share>,
    /// Whether visitors keep their variant.
    pub sticky: Option<Stickiness>,
    /// Whether a query parameter may choose the variant.
    pub query_override: Option<QueryOverride>,
    /// The variant that all get who would be assigned one.
    #[schemars(length(max = 1_000))]
    pub release: Option<String>,
}

fn exclusive(schema: &mut Schema) {
    not_both(schema, "segment", "when");
    let conditions = schema.remove("not");
    // Even a value of `null` is one.
    schema.insert(
        "allOf".to_owned(),
        json!([{"not": conditions}, {"not": {"required": ["value", "variants"]}}]),
    );
}

/// A value that visitors may get.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct FeatureVariant {
    /// Its name in decisions; its place unless it is given.
    #[schemars(length(min = 1, max = 200))]
    pub id: Option<String>,
    /// Its name for people; nothing reads it.
    pub name: Option<String>,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// The value.
    pub value: Option<Value>,
    /// How large its part of the visitors is beside the others'; 1 unless it is given.
    #[schemars(range(min = 0))]
    pub weight: Option<f64>,
    /// Its part of the visitors, in place of a weight: `[0, 0.5]`.
    pub range: Option<[f64; 2]>,
    /// Whether the next rules are asked for the value.
    pub pass_through: Option<bool>,
}
