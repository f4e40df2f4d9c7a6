//! Attributes that may become too old.

use super::text::Duration;
use schemars::JsonSchema;
use serde_json::Value;

/// How old an attribute may be, and what becomes of it when it is older.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct AgingAttribute {
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// A value is stale when it was told as long ago as this.
    pub max_age: Duration,
    /// What becomes of it then; `unknown` unless it is given.
    pub when_stale: Option<WhenStale>,
}

/// What becomes of a stale value.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum WhenStale {
    /// Without a value of its own.
    Word(StaleWord),
    /// Another value is taken in its place.
    Default(StaleDefault),
}

/// What becomes of a stale value, in a word.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum StaleWord {
    /// It is used all the same; explanations say how old it is.
    Use,
    /// It is as if there were none.
    Unknown,
}

/// The value that is taken in the place of a stale one.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StaleDefault {
    /// The value.
    #[schemars(extend("not" = {"type": "null"}))]
    pub default: Value,
}
