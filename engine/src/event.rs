//! Events: what a visitor did, as the engine folds it.

use crate::hash::fnv1a_32;
use crate::time::{Timestamp, parse_timestamp, timestamp_from_number};
use crate::value::{MAX_DEPTH, Value};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest `messageId` that is taken, in characters, as Segment's servers have it.
pub const MAX_MESSAGE_ID: usize = 100;
/// The longest event name that is taken, in characters.
pub const MAX_NAME: usize = 200;
/// The longest `userId` or `anonymousId` that is taken, in characters.
pub const MAX_IDENTIFIER: usize = 200;

/// The six kinds of events of Segment's specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventKind {
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

impl EventKind {
    /// The kind's name in an event's `type`.
    pub const fn name(self) -> &'static str {
        match self {
            EventKind::Page => "page",
            EventKind::Track => "track",
            EventKind::Identify => "identify",
            EventKind::Screen => "screen",
            EventKind::Group => "group",
            EventKind::Alias => "alias",
        }
    }

    /// Reads an event's `type`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "page" => EventKind::Page,
            "track" => EventKind::Track,
            "identify" => EventKind::Identify,
            "screen" => EventKind::Screen,
            "group" => EventKind::Group,
            "alias" => EventKind::Alias,
            _ => return None,
        })
    }
}

/// What identifies an event in state: 32 bits of its `messageId`'s hash.
///
/// A cell holds at most a few dozen keys, so that two events of one visitor are mistaken for each other
/// less than once in 2²⁶ events.
pub type EventKey = u32;

/// The key of a `messageId`.
pub fn event_key(message_id: &str) -> EventKey {
    fnv1a_32(message_id.as_bytes())
}

/// One event, validated, its time corrected.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Identifies the event; folding the same key twice changes nothing.
    pub key: EventKey,
    /// What kind of event it is.
    pub kind: EventKind,
    /// The name of a `track` or `page` event; may be empty.
    pub name: String,
    /// When it happened, by the receiver's clock; never in the receiver's future.
    pub time: Timestamp,
    /// An object, or `null`.
    pub properties: Value,
    /// An object, or `null`.
    pub context: Value,
    /// An object, or `null`.
    pub traits: Value,
    /// Who the visitor says to be.
    pub user_id: Option<String>,
    /// The visitor's id, where the event has one.
    pub anonymous_id: Option<String>,
}

/// When and by which clocks a batch of messages arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// The receiver's clock when the message arrived.
    pub received_at: Timestamp,
    /// The sender's clock when it sent the message.
    pub sent_at: Option<Timestamp>,
}

/// Why a message is not an event. The event is rejected, never its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventError {
    /// The message is no JSON object.
    NotAnObject,
    /// There is no `type`, or an unknown one.
    Type(String),
    /// A `track` event without the name of what was done.
    NoName,
    /// Neither `anonymousId` nor `userId`.
    NoIdentity,
    /// The field is longer than its limit, in characters.
    TooLong(&'static str, usize),
    /// The field should be an object.
    NotAnObjectField(&'static str),
    /// The field nests deeper than [`MAX_DEPTH`]: state and journal could not be read again.
    TooDeep(&'static str),
}

impl fmt::Display for EventError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EventError::NotAnObject => formatter.write_str("an event is a JSON object"),
            EventError::Type(found) if found.is_empty() => formatter
                .write_str("`type` is missing: give one of page, track, identify, screen, group, alias"),
            EventError::Type(found) => write!(
                formatter,
                "`type` is `{found}`: give one of page, track, identify, screen, group, alias"
            ),
            EventError::NoName => formatter.write_str("`event` is missing: a track event needs a name"),
            EventError::NoIdentity => {
                formatter.write_str("`anonymousId` and `userId` are missing: an event needs one of them")
            }
            EventError::TooLong(field, limit) => {
                write!(formatter, "`{field}` is too long: at most {limit} characters")
            }
            EventError::NotAnObjectField(field) => write!(formatter, "`{field}` is not an object"),
            EventError::TooDeep(field) => {
                write!(
                    formatter,
                    "`{field}` nests too deeply: at most {MAX_DEPTH} levels"
                )
            }
        }
    }
}

impl std::error::Error for EventError {}

impl Event {
    /// Makes an event of a message in the form of Segment's tracking API.
    ///
    /// The time is corrected for the sender's clock: `received_at − (sent_at − originalTimestamp)`, where
    /// a missing `originalTimestamp` is the `timestamp`; without `sent_at`, the sender's own; and an
    /// instant in the receiver's future becomes the time of arrival.
    ///
    /// `fallback_id` stands in for a missing `messageId`.
    ///
    /// # Errors
    /// When the message is not an event; see [`EventError`].
    pub fn from_message(message: &Value, arrival: Arrival, fallback_id: &str) -> Result<Self, EventError> {
        let object = message.as_object().ok_or(EventError::NotAnObject)?;
        let field = |name: &str| object.get(name).unwrap_or(&Value::Null);
        let kind_name = field("type").as_str().unwrap_or_default();
        let kind = EventKind::parse(kind_name)
            .ok_or_else(|| EventError::Type(kind_name.chars().take(40).collect()))?;
        let name = match kind {
            EventKind::Track => field("event").to_identifier().ok_or(EventError::NoName)?,
            EventKind::Page | EventKind::Screen => field("name").as_str().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let name_field = if kind == EventKind::Track { "event" } else { "name" };
        let name = at_most(name, name_field, MAX_NAME)?;
        let identifier = |name: &'static str| {
            field(name)
                .to_identifier()
                .map(|id| at_most(id, name, MAX_IDENTIFIER))
                .transpose()
        };
        let (user_id, anonymous_id) = (identifier("userId")?, identifier("anonymousId")?);
        if user_id.is_none() && anonymous_id.is_none() {
            return Err(EventError::NoIdentity);
        }
        let message_id = match field("messageId").to_identifier() {
            Some(id) => at_most(id, "messageId", MAX_MESSAGE_ID)?,
            None => fallback_id.to_owned(),
        };
        let part = |name: &'static str| match field(name) {
            Value::Null => Ok(Value::Null),
            value @ Value::Object(_) if value.nests_within(MAX_DEPTH) => Ok(value.clone()),
            Value::Object(_) => Err(EventError::TooDeep(name)),
            _ => Err(EventError::NotAnObjectField(name)),
        };
        let context = part("context")?;
        let traits = match part("traits")? {
            // Some clients put the traits of later events into the context.
            Value::Null => match context.get("traits") {
                traits @ Value::Object(_) => traits.clone(),
                _ => Value::Null,
            },
            traits => traits,
        };
        Ok(Self {
            key: event_key(&message_id),
            kind,
            name,
            time: corrected_time(message, arrival),
            properties: part("properties")?,
            context,
            traits,
            user_id,
            anonymous_id,
        })
    }
}

fn at_most(text: String, field: &'static str, limit: usize) -> Result<String, EventError> {
    // The number of bytes bounds the number of characters, and is known without counting.
    if text.len() > limit && text.chars().count() > limit {
        Err(EventError::TooLong(field, limit))
    } else {
        Ok(text)
    }
}

fn corrected_time(message: &Value, arrival: Arrival) -> Timestamp {
    let timestamp = instant(message.get("timestamp"));
    let original = instant(message.get("originalTimestamp")).or(timestamp);
    let sent_at = instant(message.get("sentAt")).or(arrival.sent_at);
    let time = match (original, sent_at) {
        (Some(original), Some(sent_at)) => arrival.received_at - (sent_at - original),
        (Some(original), None) => original,
        (None, _) => arrival.received_at,
    };
    time.clamp(0, arrival.received_at.max(0))
}

/// Reads an instant that a client sent: RFC 3339 text, or milliseconds.
pub fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse_timestamp(text),
        Value::Number(number) => timestamp_from_number(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = 1_795_262_400_000;

    fn event(json: &str, sent_at: Option<Timestamp>) -> Result<Event, EventError> {
        let message = serde_json::from_str(json).unwrap();
        Event::from_message(
            &message,
            Arrival {
                received_at: NOON,
                sent_at,
            },
            "made",
        )
    }

    #[track_caller]
    fn time_of(json: &str, sent_at: Option<Timestamp>, expected: Timestamp) {
        let json = format!(r#"{{"type":"track","event":"E","userId":"u",{json}}}"#);
        assert_eq!(event(&json, sent_at).unwrap().time, expected);
    }

    #[test]
    fn the_sender_s_clock_is_corrected() {
        let (sent, original) = (NOON + 60_000, NOON + 55_000);
        time_of(&format!(r#""timestamp":{original}"#), Some(sent), NOON - 5_000);
        time_of(
            &format!(r#""timestamp":1,"originalTimestamp":{original},"sentAt":{sent}"#),
            None,
            NOON - 5_000,
        );
        time_of(r#""timestamp":"2026-11-21T11:59:00Z""#, None, NOON - 60_000);
        time_of(&format!(r#""timestamp":{original}"#), None, NOON);
        time_of(r#""timestamp":"yesterday""#, Some(sent), NOON);
        time_of(r#""timestamp":0"#, Some(253_402_300_799_999), 0);
    }

    #[test]
    fn what_is_not_an_event_is_named() {
        let cases = [
            ("[]", EventError::NotAnObject),
            (r#"{"userId":"u"}"#, EventError::Type(String::new())),
            (r#"{"type":"trak","userId":"u"}"#, EventError::Type("trak".into())),
            (r#"{"type":"track","userId":"u"}"#, EventError::NoName),
            (r#"{"type":"page"}"#, EventError::NoIdentity),
            (
                r#"{"type":"page","userId":"u","properties":[]}"#,
                EventError::NotAnObjectField("properties"),
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(event(json, None), Err(expected), "{json}");
        }
        let long = format!(r#"{{"type":"track","event":"{}","userId":"u"}}"#, "é".repeat(201));
        assert_eq!(event(&long, None), Err(EventError::TooLong("event", 200)));
        let long = format!(r#"{{"type":"page","name":"{}","userId":"u"}}"#, "é".repeat(201));
        assert_eq!(event(&long, None), Err(EventError::TooLong("name", 200)));
        let deep = |levels: usize| {
            let (open, close) = ("[".repeat(levels - 2), "]".repeat(levels - 2));
            format!(r#"{{"type":"page","userId":"u","properties":{{"a":{open}1{close}}}}}"#)
        };
        assert!(event(&deep(MAX_DEPTH), None).is_ok());
        assert_eq!(
            event(&deep(MAX_DEPTH + 1), None),
            Err(EventError::TooDeep("properties"))
        );
    }

    #[test]
    fn identifiers_may_be_numbers() {
        let found = event(
            r#"{"type":"identify","userId":42,"traits":{"a":1},"messageId":7}"#,
            None,
        )
        .unwrap();
        assert_eq!(found.user_id.as_deref(), Some("42"));
        assert_eq!(found.key, event_key("7"));
        assert_eq!(found.traits.get("a"), &Value::Number(1.0));
    }
}
