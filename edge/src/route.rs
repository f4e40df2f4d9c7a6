//! Nearside's own addresses, and everything else.

use crate::address::Parts;
use crate::config::Config;
use crate::error::ApiError;
use crate::explain::{MAX_EXPLANATION, within};
use crate::preview::Preview;
use crate::visit::{Consent, Visit, consent_cookie};
use crate::{
    assets, clock, collect, json, page, page_state, programs, proxy, replay, request_facts, snapshots,
};
use nearside_engine::decide::{Context as Question, decide};
use nearside_engine::explain::explain;
use nearside_engine::request::Request;
use worker::{Context, Env, Headers, Response, Result, web_sys};

/// Answers a request.
pub(crate) async fn handle(
    request: web_sys::Request,
    env: &Env,
    context: &Context,
    config: &Config,
) -> Result<web_sys::Response> {
    let url = request.url();
    let url = Parts::of(&url).ok_or("the request has no address of the web")?;
    // The runtime joins several `Host` headers.
    if url.host.contains([',', ' ']) {
        return proxy::bad_request();
    }
    let Some(own) = url.path.strip_prefix("/_ns/") else {
        return page::handle(&request, env, context, config).await;
    };
    match own {
        "v1/replay" => {
            let loaded = programs::current(env, context, config).await;
            replay::handle(&request, loaded.as_deref(), config).await
        }
        "state" => state(&request, &url, false, env, context, config).await,
        "v1/reset" => state(&request, &url, true, env, context, config).await,
        other => match (other.strip_prefix("v1/").map(collect::route), program_id(other)) {
            (Some(Some(kind)), _) => collect::handle(&request, kind, env, context, config).await,
            (Some(None), _) => ApiError::NotFound.response(),
            (None, Some(id)) => assets::program(programs::bytes_of(id, env, config).await),
            (None, None) => assets::file(&request, env).await,
        },
    }
}

fn program_id(name: &str) -> Option<&str> {
    let id = name.strip_prefix("program-")?.strip_suffix(".bin")?;
    (id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

/// The visitor's state for a page that the edge did not write, or, after a reset, somebody new's.
async fn state(
    request: &web_sys::Request,
    url: &Parts<'_>,
    reset: bool,
    env: &Env,
    context: &Context,
    config: &Config,
) -> Result<web_sys::Response> {
    if request.method() != if reset { "POST" } else { "GET" } {
        return ApiError::Method.response();
    }
    let Some(loaded) = programs::current(env, context, config).await else {
        return ApiError::NoProgram.response();
    };
    let program = &loaded.program;
    let headers = Headers(request.headers());
    if reset && collect::is_cross_site(request, &headers) {
        return ApiError::CrossSite.response();
    }
    let cookie = headers.get("cookie")?.unwrap_or_default();
    let now = clock::now();
    let consent = Consent::read(&cookie, program).personalization;
    let visit = if reset {
        Visit::anew(&cookie, program)
    } else {
        Visit::read(&cookie, program, config, now, consent)
    };
    let Some(mut visit) = visit else {
        return ApiError::Unavailable.response();
    };
    if consent {
        snapshots::take(&mut visit, program);
    }
    let facts = request_facts::of_visitor(request, &headers, program, config, now);
    let asked = url.parameter("url");
    let page_url = asked.or(headers.get("referer")?).unwrap_or_default();
    let page = Request::new(&page_url, facts.clone())
        .with_consent(consent_cookie(&cookie), program.site.consent_required);
    let preview = Preview::read(&page_url, &cookie, program, config, now);
    let question = Question {
        visitor_id: &visit.visitor_id,
        request: &page,
        consent,
        forced: &preview.forced,
    };
    let decisions = decide(program, &visit.state, &question, now);
    let mut state =
        page_state::page_state(&loaded, &visit, facts, Vec::new(), &preview, None, now).to_value();
    if let nearside_engine::value::Value::Object(state) = &mut state {
        for (name, value) in nearside_engine::replay::decisions_to_object(program, &decisions).iter() {
            state.insert(name, value.clone());
        }
        // Who may see what is to come may also see why, and in full.
        if preview.is_on() {
            let explanation = explain(program, &visit.state, &question, &decisions, now);
            state.insert("explanation", within(&explanation, MAX_EXPLANATION));
        }
    }
    let response: web_sys::Response = Response::from_bytes(json::write(&state).into_bytes())?.into();
    let leaving = Headers(response.headers());
    leaving.set("content-type", "application/json")?;
    leaving.set("cache-control", "private, no-store")?;
    let secure = url.scheme == "https";
    let visit_cookies = if consent {
        visit.cookies(program, config, secure)
    } else {
        Vec::new()
    };
    for cookie in visit_cookies.into_iter().chain(preview.cookie(secure)) {
        leaving.append("set-cookie", &cookie)?;
    }
    Ok(response)
}
