//! Takes the batches of events that the SDK sends: folds them, and hands them on.

use crate::config::Config;
use crate::error::ApiError;
use crate::programs::{self, Loaded};
use crate::visit::{Consent, Visit};
use crate::{body, clock, forward, json, messages, snapshots};
use nearside_engine::event::EventKind;
use nearside_engine::value::{Object, Value};
use worker::{Context, Env, Headers, Response, Result, console_log, web_sys};

/// The largest body, in bytes.
const MAX_BODY: usize = 500 * 1024;

/// The route of a collection address: the type of event that it gives, if it is for single events.
pub(crate) fn route(name: &str) -> Option<Option<&'static str>> {
    Some(match name.trim_end_matches('/') {
        "batch" | "b" => None,
        "t" | "track" => Some("track"),
        "i" | "identify" => Some("identify"),
        "p" | "page" => Some("page"),
        "s" | "screen" => Some("screen"),
        "g" | "group" => Some("group"),
        "a" | "alias" => Some("alias"),
        _ => return None,
    })
}

/// Answers a collection request.
pub(crate) async fn handle(
    request: &web_sys::Request,
    kind: Option<&str>,
    env: &Env,
    context: &Context,
    config: &Config,
) -> Result<web_sys::Response> {
    if request.method() != "POST" {
        return ApiError::Method.response();
    }
    let headers = Headers(request.headers());
    let Some(body) = body::read(request, MAX_BODY).await? else {
        return ApiError::TooLarge.response();
    };
    let Some(body) = json::read(&body) else {
        return ApiError::NotJson.response();
    };
    let cookie = headers.get("cookie")?.unwrap_or_default();
    let now = clock::now();
    match programs::current(env, context, config).await {
        Some(loaded) => fold_and_hand_on(request, body, kind, &loaded, &cookie, now, env, config).await,
        // Without a program nothing can be folded; the events are no less worth.
        None => match messages::read(body, kind, "", now) {
            Ok(collected) => {
                let messages = collected.into_iter().map(|collected| collected.message).collect();
                match forward::hand_on(messages, env, config).await {
                    Ok(()) => answer(Object::new()),
                    Err(_) => ApiError::Unavailable.response(),
                }
            }
            Err(error) => error.response(),
        },
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a request's way has these parts, and a struct for them one user"
)]
async fn fold_and_hand_on(
    request: &web_sys::Request,
    body: Value,
    kind: Option<&str>,
    loaded: &Loaded,
    cookie: &str,
    now: i64,
    env: &Env,
    config: &Config,
) -> Result<web_sys::Response> {
    let program = &loaded.program;
    let consent = Consent::read(cookie, program);
    let Some(mut visit) = Visit::read(cookie, program, config, now) else {
        return ApiError::Unavailable.response();
    };
    let collected = match messages::read(body, kind, &visit.visitor_id, now) {
        Ok(collected) => collected,
        Err(error) => return error.response(),
    };
    let mut result = Object::new();
    if !consent.analytics {
        result.insert("filtered", collected.len() as f64);
        return answer(result);
    }
    let mut identifies = false;
    for event in collected.iter().filter_map(|collected| collected.event.as_ref()) {
        // Another library on the page may have an id of its own; its events are handed on alone.
        if event.anonymous_id.as_deref() == Some(visit.visitor_id.as_str()) {
            identifies |= event.kind == EventKind::Identify;
            visit.fold(program, event);
        }
    }
    let invalid = collected
        .iter()
        .filter(|collected| collected.event.is_none())
        .count();
    if invalid > 0 {
        result.insert("invalid", invalid as f64);
    }
    let messages = collected.into_iter().map(|collected| collected.message).collect();
    let handed_on = if identifies {
        forward::hand_on_now(messages, env, config).await
    } else {
        forward::hand_on(messages, env, config).await
    };
    if let Err(error) = handed_on {
        console_log!("nearside: events could not be handed on: {error}");
        return ApiError::Unavailable.response();
    }
    if identifies {
        // The next page should know what the person did elsewhere.
        snapshots::ask_now(&mut visit, program, config).await;
    }
    let confirmed = visit.confirmed.iter().map(|key| Value::Number(f64::from(*key)));
    result.insert("confirmed", confirmed.collect::<Vec<_>>());
    let response = answer(result)?;
    if consent.personalization {
        let headers = Headers(response.headers());
        for cookie in visit.cookies(program, config, request.url().starts_with("https:")) {
            headers.append("set-cookie", &cookie)?;
        }
    }
    Ok(response)
}

/// Success is exactly 200, with a small object: some clients take anything else for an error.
fn answer(mut result: Object) -> Result<web_sys::Response> {
    result.insert("success", true);
    let headers = Headers::new();
    headers.set("content-type", "application/json")?;
    headers.set("cache-control", "no-store")?;
    Ok(Response::from_bytes(json::write(&result.into()).into_bytes())?
        .with_headers(headers)
        .into())
}
