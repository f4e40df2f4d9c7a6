//! Exposures to redirect experiments: that a visitor is sent to the other page, or that they were given this one.
//!
//! That somebody is sent elsewhere is handed on before the answer leaves: once the redirect is on its way, the queue
//! or the origin's disk has the exposure. The page there says nothing of it again, so it counts once. A redirect
//! waits for that no longer than [`PATIENCE`]; then it leaves, and the exposure is handed on behind it. Who is given
//! the page itself waits for nothing.

use crate::config::Config;
use crate::{background, forward, identifiers};
use futures_util::future::{Either, select};
use nearside_engine::decide::{Decisions, Reason};
use nearside_engine::event::{Event, EventKind, event_key};
use nearside_engine::mutation::Operation;
use nearside_engine::program::{Experience, Program};
use nearside_engine::time::Timestamp;
use nearside_engine::value::{Object, Value};
use std::pin::pin;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen_futures::{JsFuture, future_to_promise};
use worker::{Context, Delay, Env, console_log};

/// The event's name, as Segment's specification has it.
const NAME: &str = "Experiment Viewed";
/// The longest that a redirect waits until its exposure is safe.
const PATIENCE: Duration = Duration::from_secs(1);

/// An exposure, as an event and as the message that is handed on.
pub(crate) struct Exposure {
    pub(crate) event: Event,
    pub(crate) message: Value,
}

/// The exposures on a page: of those experiences that can redirect, the ones whose variant the visitor gets. Where they
/// are sent elsewhere, that ends with the one that sends them: later ones have no part in it. A variant that would
/// redirect and does not is none: who was sent here is counted already. Neither is one that its author gives to all, or
/// that a preview shows: nothing is tried out with it.
pub(crate) fn on_page(
    program: &Program,
    decisions: &Decisions,
    visitor_id: &str,
    page: &Object,
    is_sent: bool,
    now: Timestamp,
) -> Vec<Exposure> {
    let mut exposures = Vec::new();
    for index in &program.by_priority {
        let index = usize::from(*index);
        let (Some(experience), Some(decision)) =
            (program.experiences.get(index), decisions.decisions.get(index))
        else {
            continue;
        };
        let Some(variant) = decision.variant.map(usize::from) else {
            continue;
        };
        if !(0..experience.variants.len()).any(|variant| redirects(experience, variant)) {
            continue;
        }
        let sends = redirects(experience, variant);
        let is_tried = matches!(decision.reason, Reason::Assigned | Reason::Sticky);
        if is_tried && (is_sent || !sends) {
            exposures.extend(exposure(experience, variant, visitor_id, page, now));
        }
        if is_sent && sends {
            break;
        }
    }
    exposures
}

fn redirects(experience: &Experience, variant: usize) -> bool {
    experience.variants.get(variant).is_some_and(|variant| {
        let mut mutations = variant.mutations.iter();
        mutations.any(|mutation| mutation.operation == Operation::Redirect)
    })
}

fn exposure(
    experience: &Experience,
    variant: usize,
    visitor_id: &str,
    page: &Object,
    now: Timestamp,
) -> Option<Exposure> {
    let message_id = identifiers::uuid()?;
    let mut properties = Object::new();
    properties.insert("experiment_id", experience.id.as_str());
    properties.insert("variation_id", experience.variants.get(variant)?.id.as_str());
    let message = forward::track(
        &message_id,
        visitor_id,
        now,
        NAME,
        properties.clone(),
        page.clone(),
    );
    let event = Event {
        key: event_key(&message_id),
        kind: EventKind::Track,
        name: NAME.to_owned(),
        time: now,
        properties: Value::Object(properties),
        context: Value::Null,
        traits: Value::Null,
        user_id: None,
        anonymous_id: None,
    };
    Some(Exposure { event, message })
}

/// Hands exposures on, and waits until they are safe, within bounds.
pub(crate) async fn record(messages: Vec<Value>, env: &Env, context: &Context) {
    if messages.is_empty() {
        return;
    }
    let env = env.clone();
    let handing_on = future_to_promise(async move {
        let config = Config::of_isolate(&env);
        if let Err(error) = forward::hand_on(messages, &env, &config).await {
            console_log!("nearside: an exposure could not be handed on: {error}");
        }
        Ok(JsValue::UNDEFINED)
    });
    // It goes on when the answer has left.
    let behind = JsFuture::from(handing_on.clone());
    background::go_on(context, async move {
        let _ = behind.await;
    });
    let (safe, late) = (pin!(JsFuture::from(handing_on)), pin!(Delay::from(PATIENCE)));
    if let Either::Right(_) = select(safe, late).await {
        console_log!("nearside: a redirect leaves before its exposure is safe");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearside_engine::compile::compile;
    use nearside_engine::decide::{Context, decide};
    use nearside_engine::request::Request;
    use nearside_engine::state::State;

    /// The exposures of a visitor on a page of these experiences: who is sent elsewhere, and who is given the page.
    #[track_caller]
    fn check(experiences: &serde_json::Value, sent: &[(&str, &str)], shown: &[(&str, &str)]) {
        let manifest = serde_json::json!({ "experiences": experiences }).to_string();
        let (program, _) = compile(&serde_json::from_str(&manifest).unwrap());
        let question = Context {
            visitor_id: "visitor",
            request: &Request::new("https://x.example/a", Object::new()),
            consent: true,
            forced: &[],
        };
        let decisions = decide(&program, &State::new(&program), &question, 0);
        for (is_sent, expected) in [(true, sent), (false, shown)] {
            let found = on_page(&program, &decisions, "visitor", &Object::new(), is_sent, 0);
            let text = |exposure: &Exposure, name| {
                let properties = exposure.message.get("properties");
                assert_eq!(properties, &exposure.event.properties);
                properties.get(name).as_str().unwrap().to_owned()
            };
            let found: Vec<_> = found
                .iter()
                .map(|exposure| (text(exposure, "experiment_id"), text(exposure, "variation_id")))
                .collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(id, variant)| ((*id).to_owned(), (*variant).to_owned()))
                .collect();
            assert_eq!(found, expected, "{manifest} {is_sent}");
        }
    }

    /// A redirect experience whose first variant stays; the weights say who gets which.
    fn experience(id: &str, priority: u32, weights: [u32; 2]) -> serde_json::Value {
        serde_json::json!({"id": id, "kind": "redirect", "priority": priority, "variants": [
            {"id": "stay", "weight": weights[0]}, {"id": "go", "weight": weights[1], "redirect": "/b"}]})
    }

    #[test]
    fn the_one_that_sends_is_the_last() {
        let experiences = serde_json::json!([
            experience("late", 1, [0, 1]),
            experience("stays", 9, [1, 0]),
            experience("sends", 5, [0, 1]),
            {"id": "other", "priority": 10, "variants": [{"id": "v", "mutations": [{"op": "remove", "selector": "p"}]}]}
        ]);
        check(
            &experiences,
            &[("stays", "stay"), ("sends", "go")],
            &[("stays", "stay")],
        );
    }

    #[test]
    fn what_is_given_to_nobody_or_to_all_is_not_tried_out() {
        let mut paused = experience("paused", 1, [1, 0]);
        paused["status"] = "paused".into();
        let mut elsewhere = experience("elsewhere", 1, [1, 0]);
        elsewhere["pages"] = serde_json::json!([{"path": "/z"}]);
        let mut released = experience("released", 1, [1, 0]);
        released["release"] = "go".into();
        check(&serde_json::json!([paused, elsewhere, released]), &[], &[]);
    }
}
