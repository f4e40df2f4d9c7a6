//! Takes the batches of events that the SDK sends: folds them, and hands them on.

use crate::address::Parts;
use crate::config::Config;
use crate::error::ApiError;
use crate::preview::Preview;
use crate::programs::{self, Loaded};
use crate::visit::{Consent, Visit, known_id, new_id};
use crate::{body, clock, cookies, forward, json, messages, snapshots};
use nearside_engine::event::EventKind;
use nearside_engine::value::{Object, Value};
use nearside_engine::wire::{CONSENT_COOKIE, JOURNAL_COOKIE, consents, read_reset};
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
    if is_cross_site(request, &headers) {
        return ApiError::CrossSite.response();
    }
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
        None => hand_on_alone(body, kind, &cookie, now, env, config).await,
    }
}

/// Without a program nothing can be folded; the events are no less worth. But whether they may be collected at
/// all is known only from the visitor's own word.
async fn hand_on_alone(
    body: Value,
    kind: Option<&str>,
    cookie: &str,
    now: i64,
    env: &Env,
    config: &Config,
) -> Result<web_sys::Response> {
    let is_reset = cookies::read(cookie, JOURNAL_COOKIE)
        .and_then(read_reset)
        .is_some();
    match cookies::read(cookie, CONSENT_COOKIE) {
        None => return ApiError::NoProgram.response(),
        agreed if !consents(agreed, "analytics", true) => {
            let mut result = Object::new();
            result.insert("filtered", true);
            return answer(result);
        }
        Some(_) => {}
    }
    let Some(visitor_id) = known_id(cookie)
        .filter(|_| !is_reset)
        .map(str::to_owned)
        .or_else(|| new_id(cookie))
    else {
        return ApiError::Unavailable.response();
    };
    let collected = match messages::read(body, kind, &visitor_id, now) {
        Ok(collected) => collected,
        Err(error) => return error.response(),
    };
    let events = collected
        .into_iter()
        .filter(|collected| collected.event.is_some());
    match forward::hand_on(events.map(|collected| collected.message).collect(), env, config).await {
        Ok(()) => answer(Object::new()),
        Err(_) => ApiError::Unavailable.response(),
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
    let Some(mut visit) = Visit::read(cookie, program, config, now, consent.personalization) else {
        return ApiError::Unavailable.response();
    };
    let mut collected = match messages::read(body, kind, &visit.visitor_id, now) {
        Ok(collected) => collected,
        Err(error) => return error.response(),
    };
    let mut result = Object::new();
    if !consent.analytics {
        result.insert("filtered", collected.len() as f64);
        return answer(result);
    }
    let received = collected.len();
    collected.retain(|collected| collected.event.is_some());
    if received > collected.len() {
        result.insert("invalid", (received - collected.len()) as f64);
    }
    // Inside a batch events are taken in the order of their times.
    collected.sort_by_key(|collected| collected.event.as_ref().map(|event| event.time));
    let mut identifies = false;
    for event in collected.iter().filter_map(|collected| collected.event.as_ref()) {
        // Another library on the page may have an id of its own; its events are handed on alone.
        if event.anonymous_id.as_deref() == Some(visit.visitor_id.as_str()) {
            identifies |= event.kind == EventKind::Identify;
            visit.fold(program, event);
        }
    }
    let messages: Vec<_> = collected.into_iter().map(|collected| collected.message).collect();
    let handed_on = if Preview::read("", cookie, program, config, now).is_on() {
        // What is done in a preview shows its effect there, and counts nowhere else.
        result.insert("filtered", messages.len() as f64);
        Ok(false)
    } else if identifies && consent.personalization {
        forward::hand_on_now(messages, env, config).await
    } else {
        forward::hand_on(messages, env, config).await.map(|()| false)
    };
    match handed_on {
        // The origin knows who this is: the next page should know what the person did elsewhere.
        Ok(true) => snapshots::ask_now(&mut visit, program, config).await,
        Ok(false) => {}
        Err(error) => {
            console_log!("nearside: events could not be handed on: {error}");
            return ApiError::Unavailable.response();
        }
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

/// Whether another site's page sends this. It could make the visitor somebody that it chooses.
pub(crate) fn is_cross_site(request: &web_sys::Request, headers: &Headers) -> bool {
    let header = |name: &str| headers.get(name).ok().flatten();
    match (header("sec-fetch-site"), header("origin")) {
        (Some(site), _) => site == "cross-site",
        (None, Some(origin)) => {
            let url = request.url();
            let (own, theirs) = (Parts::of(&url), Parts::of(&origin));
            !own.zip(theirs)
                .is_some_and(|(own, theirs)| own.is_same_origin(&theirs))
        }
        // No browser sends neither with a POST.
        (None, None) => false,
    }
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
