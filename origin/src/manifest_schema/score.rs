//! Scores and affinities.

use super::condition::EventCondition;
use super::events::EventType;
use super::shape::not_null;
use super::text::{Duration, EventPath};
use schemars::JsonSchema;

/// Points for what a visitor does, which decay: `score.NAME` in a condition.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct Score {
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// The events that give points.
    #[schemars(length(min = 1, max = 16))]
    pub on: Vec<EventWithPoints>,
    /// After so long, half of the points are left.
    pub half_life: Duration,
    /// The most points that there can be.
    #[schemars(range(max = 1e9), extend("exclusiveMinimum" = 0), transform = not_null)]
    pub cap: Option<f64>,
}

/// Points for each value of what a visitor does, which decay: `affinity.NAME.top` in a condition.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct Affinity {
    /// What it is for; nothing reads it.
    pub description: Option<String>,
    /// The value that the points are for, such as `properties.category`.
    pub of: EventPath,
    /// The events that give points.
    #[schemars(length(min = 1, max = 16))]
    pub on: Vec<EventWithPoints>,
    /// After so long, half of the points are left.
    pub half_life: Duration,
    /// The most points that a value can have.
    #[schemars(range(max = 1e9), extend("exclusiveMinimum" = 0), transform = not_null)]
    pub cap: Option<f64>,
    /// How many values are kept; 8 unless it is given.
    #[schemars(range(min = 1, max = 32), transform = not_null)]
    pub keep: Option<u8>,
}

/// Events, and how many points each gives.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, transform = super::shape::never_null)]
pub struct EventWithPoints {
    /// The type of the event; `track` if only a name is given, any if neither is.
    #[schemars(rename = "type")]
    pub kind: Option<EventType>,
    /// The name of the event.
    pub name: Option<String>,
    /// What must hold for the event.
    #[schemars(rename = "where")]
    pub condition: Option<EventCondition>,
    /// The points; 1 unless they are given.
    #[schemars(range(min = -1e9, max = 1e9))]
    pub points: Option<f64>,
}
