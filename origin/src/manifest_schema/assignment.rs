//! How visitors are given variants.

use super::text::{Instant, PathOfDecision, Share};
use schemars::JsonSchema;

/// The version of GrowthBook's hash.
#[derive(Debug)]
pub struct HashVersion;

impl JsonSchema for HashVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HashVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The version of GrowthBook's hash; 2 unless it is given.",
            "enum": [1, 2],
        })
    }
}

/// A part of the visitors that several experiences share, so that they exclude each other.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct AssignmentFilter {
    /// The seed that it shares with others.
    #[schemars(length(max = 1_000))]
    pub seed: String,
    /// The version of the hash.
    pub hash_version: Option<HashVersion>,
    /// The attribute that is hashed; that of the assignment unless it is given.
    pub attribute: Option<PathOfDecision>,
    /// The parts that pass, such as `[[0, 0.5]]`.
    #[schemars(length(max = 100))]
    pub ranges: Vec<[f64; 2]>,
    /// Whether it also holds for visitors who keep their variant.
    pub lasting: Option<bool>,
}

/// Who takes part at all: a share of all visitors, or a ramp.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Traffic {
    /// A share of all visitors.
    Share(Share),
    /// Shares, each from an instant on.
    Ramp(#[schemars(length(min = 1, max = 100))] Vec<TrafficStep>),
}

/// From when on which share of all visitors takes part.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TrafficStep {
    /// From when on; each step begins after the one before it.
    pub from: Instant,
    /// The share of all visitors, from 0 to 1.
    pub share: Share,
}

/// Whether visitors keep their variant.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Stickiness {
    /// Whether they keep it.
    Flag(bool),
    /// They keep it, by versions.
    Versions(StickyVersions),
}

/// Which variants are kept.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct StickyVersions {
    /// The version of what is assigned: a variant of another version is not kept.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub version: Option<u32>,
    /// Visitors with a variant of a version below this take no part any more.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub min_version: Option<u32>,
}

/// Whether a query parameter may choose the variant.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum QueryOverride {
    /// `true`: the parameter has the name of what is assigned.
    Flag(bool),
    /// The parameter's name.
    Name(#[schemars(length(max = 1_000))] String),
}
