//! Hands events on to the origin: through the queue where one is bound, which keeps them while the origin is
//! down; else directly.

use crate::clock;
use crate::config::Config;
use crate::json;
use crate::origin::{Origin, PATIENT, PROMPT};
use nearside_engine::value::{Object, Value};
use worker::js_sys::{Object as JsObject, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::worker_sys::{Message, MessageBatch, Queue};
use worker::{Env, Result, console_log};

const QUEUE: &str = "NEARSIDE_EVENTS";
/// A queue's message holds 128 KB.
const MAX_MESSAGE: usize = 100_000;
/// The longest that a message waits to be tried again, in seconds.
const MAX_DELAY: i64 = 600;

/// Hands messages on; once this returns `Ok`, the queue or the origin's disk has them.
///
/// # Errors
/// When neither took them.
pub(crate) async fn hand_on(messages: Vec<Value>, env: &Env, config: &Config) -> Result<()> {
    for batch in batches(messages) {
        if enqueue(&batch, env).await.is_err() {
            post(&batch, config, PROMPT)
                .await
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

async fn enqueue(batch: &str, env: &Env) -> Result<()> {
    let queue = Reflect::get(env, &QUEUE.into())?;
    if queue.is_undefined() {
        return Err(format!("there is no {QUEUE}").into());
    }
    let queue: Queue = queue.unchecked_into();
    JsFuture::from(queue.send(batch.into(), option("contentType", &"text".into())?)?).await?;
    Ok(())
}

/// An object with one member.
fn option(name: &str, value: &JsValue) -> Result<JsValue> {
    let options = JsObject::new();
    Reflect::set(&options, &name.into(), value)?;
    Ok(options.into())
}

/// Hands messages to the origin itself, and waits until they are on its disk; through the queue, if it is down.
/// Says whether the origin has them.
///
/// # Errors
/// When neither took them.
pub(crate) async fn hand_on_now(messages: Vec<Value>, env: &Env, config: &Config) -> Result<bool> {
    if let [batch] = batches(messages.clone()).as_slice()
        && post(batch, config, PROMPT).await.is_ok()
    {
        return Ok(true);
    }
    hand_on(messages, env, config).await.map(|()| false)
}

/// The bodies for the origin, none larger than a queue's message.
fn batches(messages: Vec<Value>) -> Vec<String> {
    let mut batches = Vec::new();
    let mut batch = String::new();
    for message in messages {
        let text = json::write(&message);
        if !batch.is_empty() && batch.len() + text.len() > MAX_MESSAGE {
            batches.push(format!("{{\"batch\":[{batch}]}}"));
            batch.clear();
        }
        if !batch.is_empty() {
            batch.push(',');
        }
        batch.push_str(&text);
    }
    if !batch.is_empty() {
        batches.push(format!("{{\"batch\":[{batch}]}}"));
    }
    batches
}

/// Delivers what the queue brings. What the origin does not take now is tried again later; what it never takes
/// ends in the queue for dead letters.
pub(crate) async fn deliver(batch: &MessageBatch, config: &Config) {
    let mut is_away = false;
    for message in batch.messages().iter().flat_map(|messages| messages.iter()) {
        let message: Message = message.unchecked_into();
        let answer = match message.body().ok().and_then(|body| body.as_string()) {
            None => Err(Undelivered::Refused("it is no text".to_owned())),
            // One look at an origin that does not answer is enough: each takes its time.
            Some(_) if is_away => Err(Undelivered::Away("it did not answer before".to_owned())),
            Some(body) => post(&body, config, PATIENT).await,
        };
        let Err(error) = answer else {
            let _ = message.ack();
            continue;
        };
        is_away |= matches!(error, Undelivered::Away(_));
        // The longer it has waited, the longer it waits: half its age.
        let now = clock::now();
        let sent = message.timestamp().map_or(now, |date| date.get_time() as i64);
        let age = (now - sent) / 1_000;
        let delay = u32::try_from((age / 2).clamp(1, MAX_DELAY)).unwrap_or(1);
        console_log!("nearside: events wait {delay} s for the origin: {error}");
        // Without the delay, it comes again at once.
        let delay = option("delaySeconds", &delay.into()).unwrap_or_default();
        let _ = message.retry(delay);
    }
}

/// Why the origin did not take events.
enum Undelivered {
    /// It did not answer.
    Away(String),
    /// It answered, but did not take them.
    Refused(String),
}

impl std::fmt::Display for Undelivered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Away(reason) | Self::Refused(reason) => formatter.write_str(reason),
        }
    }
}

async fn post(body: &str, config: &Config, limit: u32) -> std::result::Result<(), Undelivered> {
    let Some(origin) = Origin::of(config) else {
        return Err(Undelivered::Away(
            "NEARSIDE_ORIGIN or NEARSIDE_EDGE_SECRET is not set".to_owned(),
        ));
    };
    let away = |error: worker::Error| Undelivered::Away(error.to_string());
    let mut response = origin.post("/v1/edge/events", body, limit).await.map_err(away)?;
    // The connection can be used again only when the body was read.
    let answer = response.bytes().await;
    match response.status_code() {
        200 => answer.map(|_| ()).map_err(away),
        status => Err(Undelivered::Refused(format!("the origin answered {status}"))),
    }
}

/// A page view as a message.
pub(crate) fn page_view(message_id: &str, visitor_id: &str, time: i64, page: Object) -> Value {
    let mut message = message("page", message_id, visitor_id, time, page.clone());
    message.insert("properties", page);
    Value::Object(message)
}

/// An event of the edge's own as a message.
pub(crate) fn track(
    message_id: &str,
    visitor_id: &str,
    time: i64,
    name: &str,
    properties: Object,
    page: Object,
) -> Value {
    let mut message = message("track", message_id, visitor_id, time, page);
    message.insert("event", name);
    message.insert("properties", properties);
    Value::Object(message)
}

fn message(kind: &str, message_id: &str, visitor_id: &str, time: i64, page: Object) -> Object {
    let time = nearside_engine::time::format_timestamp(time);
    let mut context = Object::new();
    context.insert("page", page);
    let mut library = Object::new();
    library.insert("name", "nearside-edge");
    library.insert("version", env!("CARGO_PKG_VERSION"));
    context.insert("library", library);
    let mut message = Object::new();
    message.insert("type", kind);
    message.insert("messageId", message_id);
    message.insert("anonymousId", visitor_id);
    message.insert("timestamp", time.as_str());
    message.insert("receivedAt", time.as_str());
    message.insert("context", context);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_fit_into_the_queue_and_keep_the_order() {
        let messages: Vec<Value> = (0..40)
            .map(|i| Value::from(format!("{i}-{}", "x".repeat(10_000))))
            .collect();
        let batches = batches(messages.clone());
        assert!(batches.len() > 3 && batches.iter().all(|batch| batch.len() < 128_000));
        let joined: Vec<Value> = batches
            .iter()
            .flat_map(|batch| {
                json::read(batch.as_bytes())
                    .unwrap()
                    .get("batch")
                    .as_array()
                    .unwrap()
                    .to_vec()
            })
            .collect();
        assert_eq!(joined, messages);
    }
}
