//! The manifest as a whole, the site, segments.

use super::aging::AgingAttribute;
use super::condition::Condition;
use super::experience::{Experience, PagePattern};
use super::feature::Feature;
use super::score::{Affinity, Score};
use super::text::GroupValue;
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// What Nearside decides for the visitors of a site.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase", title = "Nearside manifest")]
pub struct Manifest {
    /// The address or path of this schema, for editors.
    #[schemars(rename = "$schema")]
    pub schema: Option<String>,
    /// What the manifest is for; nothing reads it.
    pub description: Option<String>,
    /// What holds for the whole site.
    pub site: Option<Site>,
    /// Named sets of visitors.
    pub segments: Option<BTreeMap<String, Segment>>,
    /// Named lists of values, for `$inGroup` and `$notInGroup`.
    pub groups: Option<BTreeMap<String, Vec<GroupValue>>>,
    /// Points for what visitors do, which decay, by name.
    #[schemars(extend("propertyNames" = {"pattern": "^[A-Za-z0-9_-]{1,64}$"}))]
    pub scores: Option<BTreeMap<String, Score>>,
    /// What visitors like, by name: the values of what they do with the most points.
    #[schemars(extend("propertyNames" = {"pattern": "^[A-Za-z0-9_-]{1,64}$"}))]
    pub affinities: Option<BTreeMap<String, Affinity>>,
    /// How old traits may be, by their paths, such as `profile.traits.plan`.
    #[schemars(extend("maxProperties" = 200, "propertyNames" = {"pattern": r"^profile\.traits(\.[^.]+)+$"}))]
    pub attributes: Option<BTreeMap<String, AgingAttribute>>,
    /// Values that programs read, by name.
    pub features: Option<BTreeMap<String, Feature>>,
    /// What visitors see.
    #[schemars(length(max = 2_000))]
    pub experiences: Option<Vec<Experience>>,
}

/// What holds for the whole site.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct Site {
    /// Pages that are passed untouched.
    #[schemars(length(max = 200))]
    pub exclude: Option<Vec<PagePattern>>,
    /// Whether visitors must agree before anything is stored; `granted` unless it is given.
    pub consent: Option<Consent>,
    /// Whether traits count that a person told in another browser; `own` unless it is given.
    pub traits: Option<TraitSharing>,
}

/// Whether visitors must agree before anything is stored.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum Consent {
    /// They have agreed already.
    Granted,
    /// Nothing is stored before the cookie `ns_c` agrees.
    Required,
}

/// Whose traits count.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum TraitSharing {
    /// Only those that were told in the visitor's own browser.
    Own,
    /// Also those that the same user told in another browser: who somebody says to be is proved elsewhere.
    Shared,
}

/// A named set of visitors.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Segment {
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// Who is in it.
    pub when: Condition,
}
