//! Events as conditions count them.

use super::condition::EventCondition;
use super::quantity::{Quantity, QuantityOperators};
use super::shape::never_null;
use super::text::{Duration, EventPath, Number};
use super::value_test::ElementTest;
use schemars::{JsonSchema, Schema};
use serde_json::json;

/// How often, how recently, how much. All aggregates that are given must hold; without one, there must be at
/// least one event.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase", transform = never_null)]
pub struct Events {
    /// The type of the events; `track` if only a name is given, any if neither is.
    #[schemars(rename = "type")]
    pub kind: Option<EventType>,
    /// The name of the events.
    pub name: Option<String>,
    /// What must hold for each of the events.
    #[schemars(rename = "where")]
    pub condition: Option<EventCondition>,
    /// Which events are counted: those of the session, or all that is known of the visitor.
    #[schemars(rename = "in")]
    pub scope: Option<Scope>,
    /// Only events of the last so long, such as `7d`.
    pub within: Option<Duration>,
    /// The events are grouped by this value; it must hold for one of the groups.
    pub by: Option<EventPath>,
    /// How many there are.
    pub count: Option<Quantity<Number>>,
    /// The sum of a value.
    pub sum: Option<EventMeasure>,
    /// The least value.
    pub min: Option<EventMeasure>,
    /// The greatest value.
    pub max: Option<EventMeasure>,
    /// The average of a value.
    pub avg: Option<EventMeasure>,
    /// How many different values there are.
    pub distinct: Option<EventMeasure>,
    /// How long ago the first was, or what a value of it is.
    pub first: Option<FirstOrLast>,
    /// How long ago the last was, or what a value of it is.
    pub last: Option<FirstOrLast>,
    /// What the value is that comes most often.
    pub most_frequent: Option<ValueOfEvent>,
}

/// Which events are counted.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum Scope {
    /// Those of this session.
    Session,
    /// All that is known of the visitor, over sessions and devices.
    Visitor,
}

/// The type of an event.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum EventType {
    /// A page was seen.
    Page,
    /// Something with a name was done.
    Track,
    /// The visitor said who they are.
    Identify,
    /// A screen of an app was seen.
    Screen,
    /// The visitor was tied to a group.
    Group,
    /// Two user ids are the same person.
    Alias,
}

/// A value of the events, and operators for the number that is made of it.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, transform = with_operators)]
pub struct EventMeasure {
    /// The path of the value; an event without it does not count.
    pub of: EventPath,
    /// Operators for the number.
    #[schemars(flatten)]
    pub operators: QuantityOperators<Number>,
}

/// A path alone asks for nothing.
fn with_operators(schema: &mut Schema) {
    schema.insert("minProperties".to_owned(), json!(2));
}

/// How long ago an event was, or what a value of it is.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum FirstOrLast {
    /// How long ago it was.
    Ago(Box<AgoTest>),
    /// What a value of it is.
    Value(ValueOfEvent),
}

/// How long ago something was.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AgoTest {
    /// Operators with durations, such as `{"$lt": "1h"}`.
    pub ago: QuantityOperators<Duration>,
}

/// What a value of an event is.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ValueOfEvent {
    /// The path of the value; an event without it does not count.
    pub of: EventPath,
    /// What must hold for it.
    pub is: ElementTest,
}

/// Which events are meant.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, transform = never_null)]
pub struct Event {
    /// The type of the event; `track` if only a name is given, any if neither is.
    #[schemars(rename = "type")]
    pub kind: Option<EventType>,
    /// The name of the event.
    pub name: Option<String>,
    /// What must hold for the event.
    #[schemars(rename = "where")]
    pub condition: Option<EventCondition>,
}
