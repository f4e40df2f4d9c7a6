//! Messages: what a client sent, made into events that the store can take.

use nearside_engine::event::{Arrival, Event, EventError, EventKind, instant};
use nearside_engine::time::{Timestamp, format_timestamp};
use nearside_engine::value::{Object, Value};
use uuid::Uuid;

/// The most messages that a batch may have.
pub const MAX_MESSAGES: usize = 2_500;
/// The largest message, in bytes of JSON.
pub const MAX_MESSAGE: usize = 32 * 1024;
/// The largest batch once its `context` was given to each of its messages: a small batch must not become
/// a large one.
const MAX_SPREAD: usize = 8 * 1024 * 1024;

/// An event with all that is stored of it.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Identifies the event for good.
    pub message_id: String,
    /// The event, its time corrected.
    pub event: Event,
    /// The message as JSON, with the defaults of its batch and its `messageId`.
    pub message: String,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// What became of a message before it reaches the store.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// It is an event.
    Event(Box<NewEvent>),
    /// It is none, for a reason in one word.
    Invalid(&'static str),
}

/// Why a body is not a batch. No message of it is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// It is no object.
    NotAnObject,
    /// There is no list of messages.
    NoBatch,
    /// There are too many messages.
    TooMany,
    /// The batch's `context` and `integrations` would make the batch too large.
    TooLarge,
    /// The one message of the request is no event.
    Message(EventError),
    /// The one message of the request is too large.
    MessageTooLarge,
}

/// The messages of `{"batch": […], "context"?, "integrations"?, "sentAt"?}`, the earliest first.
///
/// # Errors
/// When the body is not a batch.
pub fn read_batch(body: Value, received_at: Timestamp) -> Result<Vec<Incoming>, BatchError> {
    let Value::Object(mut body) = body else {
        return Err(BatchError::NotAnObject);
    };
    let Some(Value::Array(messages)) = body.remove("batch") else {
        return Err(BatchError::NoBatch);
    };
    if messages.len() > MAX_MESSAGES {
        return Err(BatchError::TooMany);
    }
    let defaults: Vec<(&str, Object)> = ["context", "integrations"]
        .into_iter()
        .filter_map(|name| match body.remove(name) {
            Some(Value::Object(object)) => Some((name, object)),
            _ => None,
        })
        .collect();
    let size: usize = defaults
        .iter()
        .filter_map(|(_, object)| to_json(object))
        .map(|json| json.len())
        .sum();
    if size > MAX_MESSAGE || size * messages.len() > MAX_SPREAD {
        return Err(BatchError::TooLarge);
    }
    let arrival = Arrival {
        received_at,
        sent_at: body.get("sentAt").and_then(instant),
    };
    let incoming = messages.into_iter().map(|mut message| {
        give_defaults(&mut message, &defaults);
        into_incoming(message, arrival)
    });
    Ok(in_order(incoming.collect()))
}

/// The messages that the edge forwards: their times are corrected already.
///
/// # Errors
/// When the body is not a batch.
pub fn read_edge_batch(body: Value, received_at: Timestamp) -> Result<Vec<Incoming>, BatchError> {
    let Value::Object(mut body) = body else {
        return Err(BatchError::NotAnObject);
    };
    let Some(Value::Array(messages)) = body.remove("batch") else {
        return Err(BatchError::NoBatch);
    };
    if messages.len() > MAX_MESSAGES {
        return Err(BatchError::TooMany);
    }
    let arrival = Arrival {
        received_at,
        sent_at: None,
    };
    let incoming = messages.into_iter().map(|mut message| {
        if let Value::Object(message) = &mut message
            && message.get("timestamp").is_some()
        {
            // By these the time would be corrected a second time.
            message.remove("sentAt");
            message.remove("originalTimestamp");
        }
        into_incoming(message, arrival)
    });
    Ok(in_order(incoming.collect()))
}

/// The one message of a request whose route says its type.
///
/// # Errors
/// When the body is not an event. There is no batch that it could sink, so its sender is told.
pub fn read_single(
    body: Value,
    kind: EventKind,
    received_at: Timestamp,
) -> Result<Vec<Incoming>, BatchError> {
    let Value::Object(mut message) = body else {
        return Err(BatchError::NotAnObject);
    };
    message.remove("writeKey");
    message.insert("type", kind.name());
    let arrival = Arrival {
        received_at,
        sent_at: None,
    };
    match read_message(Value::Object(message), arrival) {
        Ok(event) => Ok(vec![Incoming::Event(Box::new(event))]),
        Err(Rejected::Event(error)) => Err(BatchError::Message(error)),
        Err(Rejected::TooLarge) => Err(BatchError::MessageTooLarge),
    }
}

enum Rejected {
    Event(EventError),
    TooLarge,
}

fn into_incoming(message: Value, arrival: Arrival) -> Incoming {
    match read_message(message, arrival) {
        Ok(event) => Incoming::Event(Box::new(event)),
        Err(Rejected::Event(error)) => Incoming::Invalid(word(&error)),
        Err(Rejected::TooLarge) => Incoming::Invalid("too_large"),
    }
}

fn read_message(mut message: Value, arrival: Arrival) -> Result<NewEvent, Rejected> {
    let message_id = message
        .get("messageId")
        .to_identifier()
        .unwrap_or_else(|| Uuid::new_v4().to_string());
    let event = Event::from_message(&message, arrival, &message_id).map_err(Rejected::Event)?;
    if let Value::Object(message) = &mut message {
        message.insert("messageId", message_id.as_str());
        message.insert("receivedAt", format_timestamp(arrival.received_at));
    }
    let json = to_json(&message)
        .filter(|json| json.len() <= MAX_MESSAGE)
        .ok_or(Rejected::TooLarge)?;
    Ok(NewEvent {
        message_id,
        event,
        message: json,
        received_at: arrival.received_at,
    })
}

/// Reads a stored message again, as it was when it arrived.
pub(crate) fn read_stored(
    json: &str,
    message_id: &str,
    time: Timestamp,
    received_at: Timestamp,
) -> Option<Event> {
    let message: Value = serde_json::from_str(json).ok()?;
    let arrival = Arrival {
        received_at,
        sent_at: None,
    };
    let event = Event::from_message(&message, arrival, message_id).ok()?;
    Some(Event { time, ..event })
}

fn give_defaults(message: &mut Value, defaults: &[(&str, Object)]) {
    let Value::Object(message) = message else { return };
    for (name, default) in defaults {
        match message.entry(name) {
            Value::Object(own) => {
                for (key, value) in default
                    .iter()
                    .filter(|(key, _)| own.get(key).is_none())
                    .collect::<Vec<_>>()
                {
                    own.insert(key, value.clone());
                }
            }
            place @ Value::Null => *place = Value::Object(default.clone()),
            // What is no object makes the message invalid; that is said later.
            _ => {}
        }
    }
}

/// Inside a batch, time is the order; between batches, arrival is.
fn in_order(mut incoming: Vec<Incoming>) -> Vec<Incoming> {
    incoming.sort_by_key(|incoming| match incoming {
        Incoming::Event(new) => new.event.time,
        Incoming::Invalid(_) => Timestamp::MAX,
    });
    incoming
}

fn to_json<T: serde::Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// The word under which an invalid message is counted.
fn word(error: &EventError) -> &'static str {
    match error {
        EventError::NotAnObject => "not_an_object",
        EventError::Type(_) => "type",
        EventError::NoName => "no_name",
        EventError::NoIdentity => "no_identity",
        EventError::TooLong(..) => "too_long",
        EventError::NotAnObjectField(_) => "not_an_object_field",
        EventError::TooDeep(_) => "too_deep",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = 1_795_262_400_000;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn events(incoming: Vec<Incoming>) -> Vec<NewEvent> {
        incoming
            .into_iter()
            .filter_map(|incoming| match incoming {
                Incoming::Event(event) => Some(*event),
                Incoming::Invalid(_) => None,
            })
            .collect()
    }

    #[test]
    fn the_batch_s_context_is_a_default() {
        let body = json(
            r#"{"context":{"a":1,"b":2},"batch":[
                {"type":"page","userId":"u"},
                {"type":"page","userId":"u","context":{"b":3}},
                {"type":"page","userId":"u","context":7}]}"#,
        );
        let found = events(read_batch(body, NOON).unwrap());
        let contexts: Vec<_> = found
            .iter()
            .map(|new| to_json(&new.event.context).unwrap())
            .collect();
        assert_eq!(contexts, [r#"{"a":1,"b":2}"#, r#"{"a":1,"b":3}"#]);
    }

    #[test]
    fn a_small_batch_does_not_become_a_large_one() {
        let context = format!(r#"{{"a":"{}"}}"#, "x".repeat(30_000));
        let messages = vec![r#"{"type":"page","userId":"u"}"#; 2_000].join(",");
        let body = json(&format!(r#"{{"context":{context},"batch":[{messages}]}}"#));
        assert_eq!(read_batch(body, NOON).unwrap_err(), BatchError::TooLarge);
    }

    #[test]
    fn a_batch_is_in_the_order_of_its_times() {
        let body = json(
            r#"{"batch":[
                {"type":"track","event":"late","userId":"u","timestamp":2000},
                {"type":"nonsense","userId":"u"},
                {"type":"track","event":"early","userId":"u","timestamp":1000}]}"#,
        );
        let names: Vec<_> = events(read_batch(body, NOON).unwrap())
            .into_iter()
            .map(|n| n.event.name)
            .collect();
        assert_eq!(names, ["early", "late"]);
    }

    #[test]
    fn the_edge_s_times_are_taken_as_they_are() {
        let body = r#"{"batch":[{"type":"page","userId":"u","messageId":"m",
            "timestamp":1000,"originalTimestamp":5,"sentAt":6}],"sentAt":7}"#;
        assert_eq!(
            events(read_edge_batch(json(body), NOON).unwrap())[0].event.time,
            1_000
        );
    }

    #[test]
    fn a_stored_message_is_read_as_it_was() {
        let body = r#"{"batch":[{"type":"track","event":"E","userId":7,"messageId":8,"timestamp":50000}],
            "sentAt":60000}"#;
        let new = events(read_batch(json(body), NOON).unwrap()).remove(0);
        assert_eq!(new.event.time, NOON - 10_000);
        let again = read_stored(&new.message, &new.message_id, new.event.time, new.received_at).unwrap();
        assert_eq!(again, new.event);
    }
}
