//! Experiences: what visitors see.

use super::assignment::{AssignmentFilter, HashVersion, QueryOverride, Stickiness, Traffic};
use super::condition::Condition;
use super::events::Event;
use super::mutation::Mutation;
use super::shape::not_both;
use super::text::{Instant, PathOfDecision, Share};
use schemars::{JsonSchema, Schema};

/// What some visitors see on some pages.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase", transform = one_condition)]
pub struct Experience {
    /// Its name in decisions; no two have the same.
    #[schemars(length(min = 1, max = 200))]
    pub id: String,
    /// Its name for people; nothing reads it.
    pub name: Option<String>,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// What kind of experience it is.
    pub kind: Option<Kind>,
    /// What the visitor must have agreed to besides personalization.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$"), extend("not" = {"enum": ["all", "none"]}))]
    pub purpose: Option<String>,
    /// Whether it runs; `running` unless it is given.
    pub status: Option<Status>,
    /// From when on, and until when.
    pub schedule: Option<Schedule>,
    /// The pages that it is for; all pages unless it is given.
    #[schemars(length(max = 200))]
    pub pages: Option<Vec<PagePattern>>,
    /// The segment that it is for.
    pub segment: Option<String>,
    /// Whom it is for, if no segment says so.
    pub when: Option<Condition>,
    /// What must hold besides; where it does not, the reason is `prerequisite`.
    pub requires: Option<Condition>,
    /// At most one experience of a group is given on a page.
    pub group: Option<String>,
    /// Within a group, the experience with the highest priority comes first; 0 unless it is given.
    pub priority: Option<f64>,
    /// What visitors get one of.
    #[schemars(length(min = 1, max = 100))]
    pub variants: Vec<Variant>,
    /// The event that it is to bring about.
    pub goal: Option<Event>,
    /// Whether a redirect takes the page's query parameters along.
    pub keep_query: Option<bool>,
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

fn one_condition(schema: &mut Schema) {
    not_both(schema, "segment", "when");
}

/// What kind of experience it is.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum Kind {
    /// For some visitors.
    Personalization,
    /// To find out which variant is best.
    Experiment,
    /// To send visitors to another page.
    Redirect,
}

/// Whether something runs.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum Status {
    /// It runs.
    Running,
    /// It does not run for now.
    Paused,
    /// It does not run yet.
    Draft,
    /// It no longer runs; what is released goes on.
    Stopped,
}

/// From when on, and until when.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Schedule {
    /// From this instant on.
    pub from: Option<Instant>,
    /// Until this instant.
    pub to: Option<Instant>,
}

/// Pages: literal text, `*` for anything, `:name` for one segment of the path.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
pub enum PagePattern {
    /// By the path.
    Path {
        /// The pages' path, such as `/products/*`.
        #[schemars(length(max = 500), regex(pattern = r"^[/*:]([^?#{}()\\]|\\.)*\\?$"))]
        path: String,
    },
    /// By the whole address.
    Url {
        /// The pages' whole address without the fragment, such as `https://shop.example/*`.
        #[schemars(length(max = 500), regex(pattern = r"^([^{}()\\]|\\.)*\\?$"))]
        url: String,
    },
}

/// What visitors may get.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct Variant {
    /// Its name in decisions; no two of an experience have the same.
    #[schemars(length(min = 1, max = 200))]
    pub id: String,
    /// Its name for people; nothing reads it.
    pub name: Option<String>,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// How large its part of the visitors is beside the others'; 1 unless it is given.
    #[schemars(range(min = 0))]
    pub weight: Option<f64>,
    /// Its part of the visitors, in place of a weight: `[0, 0.5]`.
    pub range: Option<[f64; 2]>,
    /// What is changed in the page.
    #[schemars(length(max = 500))]
    pub mutations: Option<Vec<Mutation>>,
    /// The address that the visitor is sent to; it may hold `{{path|default}}`.
    #[schemars(length(max = 4_000))]
    pub redirect: Option<String>,
}
