//! Sequences: in which order.

use super::condition::EventCondition;
use super::events::{AgoTest, Event, EventType, Scope};
use super::shape::{never_null, not_null};
use super::text::{Duration, EventPath};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// In which order: one event after another, with what must not be between them.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Sequence {
    /// The steps, one after another.
    pub steps: Steps,
    /// The longest time from the first step to the last.
    #[schemars(transform = not_null)]
    pub within: Option<Duration>,
    /// Which events are looked at: those of the session, or all that is known of the visitor.
    #[schemars(rename = "in", transform = not_null)]
    pub scope: Option<Scope>,
    /// The events are grouped by this value; the sequence must be in one of the groups.
    #[schemars(transform = not_null)]
    pub by: Option<EventPath>,
    /// How long ago the last step was.
    pub completed: Option<AgoTest>,
}

/// The steps of a sequence: events, with `not` for what must not be between them, or not after the last.
#[derive(Debug)]
pub struct Steps;

impl JsonSchema for Steps {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Steps".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (first, step) = (
            generator.subschema_for::<Event>(),
            generator.subschema_for::<Step>(),
        );
        let not = generator.subschema_for::<NotStep>();
        json_schema!({
            "type": "array",
            "minItems": 1,
            "maxItems": 16,
            // The first is an event, and has none before it.
            "prefixItems": [first],
            "items": {"if": {"type": "object", "required": ["not"]}, "then": not, "else": step},
        })
    }
}

/// A step: an event.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, transform = never_null)]
pub struct Step {
    /// The type of the event; `track` if only a name is given, any if neither is.
    #[schemars(rename = "type")]
    pub kind: Option<EventType>,
    /// The name of the event.
    pub name: Option<String>,
    /// What must hold for the event.
    #[schemars(rename = "where")]
    pub condition: Option<EventCondition>,
    /// The longest time since the step before.
    pub within: Option<Duration>,
}

/// What must not be between two steps; as the last step, what must not have been since the step before it.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, transform = never_null)]
pub struct NotStep {
    /// The event that must not be.
    pub not: Event,
    /// In the last step: the step before it is at least so long ago.
    #[schemars(rename = "for")]
    pub duration: Option<Duration>,
}
