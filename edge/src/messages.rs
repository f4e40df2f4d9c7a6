//! The messages of a collection request, made whole: each has a type, ids and a corrected time.

use crate::error::ApiError;
use crate::{identifiers, json};
use nearside_engine::event::{Arrival, Event, instant};
use nearside_engine::time::{Timestamp, format_timestamp};
use nearside_engine::value::{Object, Value};

/// How many events a batch may have.
const MAX_EVENTS: usize = 2_500;
/// How large one event may be as JSON, in bytes. It bounds a queue's message too.
const MAX_EVENT: usize = 32 * 1024;
/// How large all copies of a batch's context together may be as JSON, in bytes.
const MAX_SPREAD: usize = 2 * 1024 * 1024;

/// One message on its way to the origin.
pub(crate) struct Collected {
    /// The message as it is handed on, if it is an event.
    pub(crate) message: Value,
    /// The event, if the message is one and no larger than it may be. The rest is counted, and not handed on.
    pub(crate) event: Option<Event>,
}

/// Reads a request's body. `kind` is the type of event that the route gives, on single-event routes.
///
/// # Errors
/// When the body is no event and no batch of events.
pub(crate) fn read(
    body: Value,
    kind: Option<&str>,
    visitor_id: &str,
    now: Timestamp,
) -> Result<Vec<Collected>, ApiError> {
    let Value::Object(mut body) = body else {
        return Err(ApiError::NotABatch);
    };
    let sent_at = body.get("sentAt").and_then(instant);
    let batch = match kind {
        Some(kind) => {
            body.insert("type", kind);
            vec![Value::Object(body)]
        }
        None => {
            let Some(Value::Array(batch)) = body.remove("batch") else {
                return Err(ApiError::NotABatch);
            };
            if batch.len() > MAX_EVENTS {
                return Err(ApiError::TooManyEvents);
            }
            let context = body.remove("context").unwrap_or_default();
            // One context is copied into each event: a small body must not become a large one.
            let size = json::write(&context).len();
            if size > MAX_EVENT || size.saturating_mul(batch.len()) > MAX_SPREAD {
                return Err(ApiError::TooLarge);
            }
            batch
                .into_iter()
                .map(|message| with_context(message, &context))
                .collect()
        }
    };
    let arrival = Arrival {
        received_at: now,
        sent_at,
    };
    Ok(batch
        .into_iter()
        .map(|message| complete(message, arrival, visitor_id))
        .collect())
}

/// The batch's context is the default of its messages' contexts.
fn with_context(message: Value, default: &Value) -> Value {
    let Value::Object(default) = default else {
        return message;
    };
    let Value::Object(mut message) = message else {
        return message;
    };
    let context = message.entry("context");
    match context {
        Value::Object(context) => {
            for (name, value) in default.iter() {
                if context.get(name).is_none() {
                    context.insert(name, value.clone());
                }
            }
        }
        Value::Null => *context = Value::Object(default.clone()),
        _ => {}
    }
    Value::Object(message)
}

fn complete(message: Value, arrival: Arrival, visitor_id: &str) -> Collected {
    let Value::Object(mut object) = message else {
        return Collected { message, event: None };
    };
    let is_missing = |object: &Object, name: &str| object.get(name).and_then(Value::to_identifier).is_none();
    if is_missing(&object, "messageId") {
        object.insert("messageId", identifiers::uuid());
    }
    if is_missing(&object, "anonymousId") {
        object.insert("anonymousId", visitor_id);
    }
    let message = Value::Object(object);
    let event = Event::from_message(&message, arrival, "");
    let (Ok(event), Value::Object(mut object)) = (event, message) else {
        return Collected {
            message: Value::Null,
            event: None,
        };
    };
    // From here on there is one clock: the edge's.
    object.insert("timestamp", format_timestamp(event.time));
    object.insert("receivedAt", format_timestamp(arrival.received_at));
    object.remove("sentAt");
    object.remove("originalTimestamp");
    let message = Value::Object(object);
    if json::write(&message).len() > MAX_EVENT {
        return Collected {
            message: Value::Null,
            event: None,
        };
    }
    Collected {
        message,
        event: Some(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = 1_795_262_400_000;

    fn body(text: &str) -> Value {
        json::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_message_is_made_whole() {
        let text = r#"{"batch":[{"type":"track","event":"E","timestamp":"2026-11-21T13:00:00Z"}],
                       "sentAt":"2026-11-21T13:00:05Z","context":{"library":{"name":"x"}}}"#;
        let collected = read(body(text), None, "visitor", NOON).unwrap();
        let message = &collected[0].message;
        assert_eq!(message.get("anonymousId"), &Value::from("visitor"));
        assert_eq!(message.get("timestamp"), &Value::from("2026-11-21T11:59:55.000Z"));
        assert_eq!(
            message.get("context").get("library").get("name"),
            &Value::from("x")
        );
        assert_eq!(message.get("sentAt"), &Value::Null);
        assert!(message.get("messageId").as_str().is_some_and(|id| id.len() == 36));
        assert_eq!(collected[0].event.as_ref().unwrap().time, NOON - 5_000);
    }

    #[test]
    fn one_bad_event_does_not_sink_its_batch() {
        let text = r#"{"batch":[7,{"type":"nonsense"},{"type":"page","messageId":"m"}]}"#;
        let collected = read(body(text), None, "visitor", NOON).unwrap();
        assert_eq!(
            collected.iter().map(|c| c.event.is_some()).collect::<Vec<_>>(),
            [false, false, true]
        );
    }

    #[test]
    fn an_event_that_is_too_large_is_counted_and_the_others_go_on() {
        let large = format!(
            r#"{{"type":"track","event":"E","properties":{{"x":"{}"}}}}"#,
            "x".repeat(33_000)
        );
        let text = format!(r#"{{"batch":[{{"type":"page"}},{large},{{"type":"page"}}]}}"#);
        let collected = read(body(&text), None, "visitor", NOON).unwrap();
        assert_eq!(
            collected.iter().map(|c| c.event.is_some()).collect::<Vec<_>>(),
            [true, false, true]
        );
    }

    #[test]
    fn a_small_body_does_not_become_a_large_one() {
        let error = |context: usize, events: usize| {
            let batch = vec!["{}"; events].join(",");
            let text = format!(
                r#"{{"context":{{"a":"{}"}},"batch":[{batch}]}}"#,
                "x".repeat(context)
            );
            read(body(&text), None, "visitor", NOON).err()
        };
        assert_eq!(error(490_000, 10), Some(ApiError::TooLarge));
        assert_eq!(error(30_000, 2_400), Some(ApiError::TooLarge));
        assert_eq!(error(500, 2_400), None);
    }

    #[test]
    fn what_is_no_batch_is_named() {
        let error = |text: &str| read(body(text), None, "visitor", NOON).err();
        assert_eq!(error("[]"), Some(ApiError::NotABatch));
        assert_eq!(error(r#"{"batch":{}}"#), Some(ApiError::NotABatch));
        let many = format!("{{\"batch\":[{}1]}}", "1,".repeat(2_500));
        assert_eq!(error(&many), Some(ApiError::TooManyEvents));
        let single = read(body(r#"{"event":"E"}"#), Some("track"), "visitor", NOON).unwrap();
        assert!(single[0].event.is_some());
    }
}
