//! A page of the site: asked for at the upstream, decided, rewritten while it passes.

use crate::asked::Asked;
use crate::cache::{self, Answer, Ask};
use crate::config::Config;
use crate::explain::{EXPLAIN_HEADER, explain_header};
use crate::preview::Preview;
use crate::private::make_private;
use crate::programs::{self, Loaded};
use crate::proxy::{self, UpstreamRequest};
use crate::timing::{Outcome, Timing};
use crate::upstream_page::UpstreamPage;
use crate::visit::{Consent, Visit, consent_cookie};
use crate::{
    clock, cookies, exposures, forward, identifiers, page_state, page_views, policy, redirects,
    request_facts, rewrite, snapshots,
};
use futures_util::future::join;
use nearside_engine::decide::{Context as Question, Decisions, decide};
use nearside_engine::event::{Event, EventKind, event_key};
use nearside_engine::explain::explain;
use nearside_engine::program::Program;
use nearside_engine::replay::features_to_object;
use nearside_engine::request::Request;
use nearside_engine::value::{Object, Value};
use nearside_engine::wire::{PageView, REDIRECT_COOKIE, split_preview};
use worker::{Context, Env, Headers, Response, Result, console_log, web_sys};

/// Answers a request for anything of the site.
pub(crate) async fn handle(
    request: &web_sys::Request,
    env: &Env,
    context: &Context,
    config: &Config,
) -> Result<web_sys::Response> {
    let mut timing = Timing::start();
    let headers = Headers(request.headers());
    let asked = Asked::read(request, &headers);
    if !asked.may_be_page(&headers) {
        let answer = match UpstreamRequest::new(request, config) {
            Ok(upstream) => upstream.send().headers().await,
            Err(error) => Err(error),
        };
        return or_bad_gateway(answer);
    }
    let is_head = asked.is_head();
    let cookie = headers.get("cookie")?.unwrap_or_default();
    let secure = asked.is_secure();
    let is_whole = asked.accepts_html() && !is_head;
    let key = kept_key(&asked, &headers, config, is_whole);
    let ask = Ask {
        request,
        headers: &headers,
        context,
        config,
        is_page: |response| is_page(response, false),
        is_whole,
    };
    let asked_at = clock::now();
    let visitor = async {
        let loaded = programs::current(env, context, config).await;
        let now = clock::now();
        let preview = loaded.as_ref().map_or_else(Preview::default, |loaded| {
            Preview::read(&asked.url, &cookie, &loaded.program, config, now)
        });
        let visitor = loaded
            .as_ref()
            .map(|loaded| read_visit(&asked, loaded, &cookie, &preview, context, config, now));
        (loaded, preview, visitor)
    };
    let (answer, (loaded, preview, visitor)) = join(cache::answer(&ask, key.as_deref()), visitor).await;
    timing.note(preview.note);
    let untouched = |page: UpstreamPage, timing: &Timing, outcome| {
        // Of a page without its body only a redirect is ours.
        match page {
            UpstreamPage::Arriving(response) if is_head => Ok(response),
            page => untouched(&page, timing, outcome, preview.cookie(secure)),
        }
    };
    let Answer { page, source } = match answer {
        Ok(answer) => answer,
        Err(error) => return or_bad_gateway(Err(error)),
    };
    timing.upstream(clock::now() - asked_at);
    timing.source(source);
    if let UpstreamPage::Arriving(response) = &page
        && !is_page(response, is_head)
    {
        return untouched(page, &timing, Outcome::Untouched);
    }
    let (Some(loaded), Some(visitor)) = (loaded, visitor) else {
        return untouched(page, &timing, Outcome::NoProgram);
    };
    let visit = match visitor {
        Ok(visit) => visit,
        Err(outcome) => return untouched(page, &timing, outcome),
    };
    match personalise(
        request, &asked, &headers, &cookie, &page, &loaded, visit, &preview, env, context, config, &timing,
    )
    .await
    {
        Ok(personalised) => {
            if let (Some(key), UpstreamPage::Kept(kept)) = (&key, &page)
                && kept.has_grown()
            {
                cache::count_again(key, config.cache_bytes);
            }
            Ok(personalised)
        }
        Err(Stop(outcome, error)) => {
            if !is_head {
                console_log!("nearside: a page passed as it came: {error}");
            }
            untouched(page, &timing, outcome)
        }
    }
}

/// The address by which a page is kept, if the request can be answered by a page that is kept for all.
fn kept_key(asked: &Asked, headers: &Headers, config: &Config, is_whole: bool) -> Option<String> {
    const PARTIAL: [&str; 5] = [
        "range",
        "if-none-match",
        "if-modified-since",
        "if-match",
        "if-unmodified-since",
    ];
    let has = |name: &str| headers.has(name).unwrap_or(true);
    let forbids = has("authorization") || (!is_whole && PARTIAL.into_iter().any(has));
    let is_kept = config.cache_bytes > 0 && asked.is_get() && !forbids;
    // A preview's token is no part of the page's address.
    is_kept.then(|| split_preview(&asked.url).0.into_owned())
}

/// Why a page is not personalised, found out before its body was touched.
struct Stop(Outcome, String);

impl From<worker::Error> for Stop {
    fn from(error: worker::Error) -> Self {
        Self(Outcome::Failed, error.to_string())
    }
}

/// Whether the answer is a page that can be read and changed.
fn is_page(response: &web_sys::Response, is_head: bool) -> bool {
    let headers = Headers(response.headers());
    let header = |name: &str| headers.get(name).ok().flatten().unwrap_or_default();
    let is_html = header("content-type")
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"));
    // The runtime opens these, spelled like this; the rest passes as it is.
    let is_readable = matches!(
        header("content-encoding").as_str(),
        "" | "identity" | "gzip" | "br"
    );
    // A file to keep would keep the visitor's state too; and who forbids changes is obeyed.
    let is_file = header("content-disposition")
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("attachment");
    let is_fixed = header("cache-control")
        .to_ascii_lowercase()
        .contains("no-transform");
    let has_body = is_head || response.body().is_some();
    response.status() == 200 && is_html && is_readable && !is_file && !is_fixed && has_body
}

/// Reads who asks, and asks the origin for what it knows of them; of who asks for an excluded page, nothing.
fn read_visit(
    asked: &Asked,
    loaded: &Loaded,
    cookie: &str,
    preview: &Preview,
    context: &Context,
    config: &Config,
    now: i64,
) -> std::result::Result<Visit, Outcome> {
    if !loaded.program.site.exclude.is_empty() {
        let page = Request::new(&asked.url, Object::new());
        let mut excluded = loaded.program.site.exclude.iter();
        if excluded.any(|excluded| excluded.matches(page.url(), page.path())) {
            return Err(Outcome::Excluded);
        }
    }
    let consent = Consent::read(cookie, &loaded.program).personalization;
    // Who has asked for variants gets them; without consent nothing else is read or kept for it.
    if !consent && !preview.is_on() {
        return Err(Outcome::NoConsent);
    }
    let visit = Visit::read(cookie, &loaded.program, config, now, consent).ok_or(Outcome::Failed)?;
    if consent {
        snapshots::ask(&visit, context, config, now);
    }
    Ok(visit)
}

#[expect(
    clippy::too_many_arguments,
    reason = "a request's way has these parts, and a struct for them one user"
)]
async fn personalise(
    request: &web_sys::Request,
    asked: &Asked,
    headers: &Headers,
    cookie: &str,
    upstream_page: &UpstreamPage,
    loaded: &Loaded,
    mut visit: Visit,
    preview: &Preview,
    env: &Env,
    context: &Context,
    config: &Config,
    timing: &Timing,
) -> std::result::Result<web_sys::Response, Stop> {
    let program = &loaded.program;
    let facts = request_facts::of_visitor(request, headers, program, config, clock::now());
    let page = Request::new(&asked.url, request_facts::of_page(facts.clone(), headers))
        .with_consent(consent_cookie(cookie), program.site.consent_required);
    let now = clock::now();
    let consent = Consent::read(cookie, program);
    if consent.personalization {
        snapshots::take(&mut visit, program);
    }
    let is_head = asked.is_head();
    let counts = !is_head && is_seen_by_a_person(asked, headers) && consent.analytics;
    // Who is sent elsewhere has not seen this page.
    let may_redirect = redirects::are_possible(program, cookie);
    let unseen = may_redirect.then(|| visit.state.clone());
    let page_view = if counts {
        view(&mut visit, loaded, &page, now)
    } else {
        None
    };
    let question = Question {
        visitor_id: &visit.visitor_id,
        request: &page,
        consent: consent.personalization,
        forced: &preview.forced,
    };
    let decisions = decide(program, &visit.state, &question, now);
    let explained = preview.is_on().then(|| {
        let explanation = explain(program, &visit.state, &question, &decisions, now);
        explain_header(program, &decisions, preview, &explanation)
    });
    let secure = asked.is_secure();
    let location = unseen.and_then(|unseen| {
        let location = redirects::find(program, &visit, &question, &decisions, &facts, now)?;
        Some((location, unseen))
    });
    if let Some((location, unseen)) = location {
        upstream_page.cancel();
        if is_ahead_of_time(headers) {
            return Ok(later(timing)?);
        }
        let redirected = redirected(&location)?;
        let leaving = Headers(redirected.headers());
        visit.state = unseen;
        if !preview.is_on() {
            visit.state.keep_sticky(program, &question, &decisions, now);
        }
        if counts && !preview.is_on() {
            let exposures = exposures_on(&mut visit, program, &decisions, &page, true, now);
            exposures::record(exposures, env, context).await;
        }
        let cookies = cookies_of(&visit, consent, preview, program, config, secure);
        // Who asks for the headers alone does not go there.
        let mark = (!is_head).then(|| redirects::mark(secure));
        for cookie in cookies.into_iter().chain(mark) {
            leaving.append("set-cookie", &cookie)?;
        }
        leaving.append("server-timing", &timing.header(Outcome::Redirected))?;
        tell_of_preview(&leaving, explained.as_deref(), preview)?;
        return Ok(redirected);
    }
    if !preview.is_on() {
        visit.state.keep_sticky(program, &question, &decisions, now);
    }
    if is_head {
        return Err(Stop(Outcome::Untouched, "it has no body".to_owned()));
    }
    let (edits, applied) = page_state::edits_of(program, &visit, &question, &decisions, now);
    let exposures = if counts && may_redirect && !preview.is_on() {
        exposures_on(&mut visit, program, &decisions, &page, false, now)
    } else {
        Vec::new()
    };
    let view = page_view.clone();
    let mut state = page_state::page_state(loaded, &visit, facts, applied, preview, page_view, now);
    state.features = features_to_object(program, &decisions);

    let policy = policy::verdict(
        upstream_page.header("content-security-policy").as_deref(),
        upstream_page
            .header("content-security-policy-report-only")
            .as_deref(),
        &asked.url,
    );
    policy.tell(timing);
    let html = page_state::html(&state, policy.nonce.as_deref());
    let (personalised, is_spliced) = rewrite::page(upstream_page, loaded, &edits, &html)
        .await
        .map_err(|error| Stop(error.outcome(), error.to_string()))?;
    let outcome = if edits.is_empty() {
        Outcome::Unchanged
    } else {
        Outcome::Personalised
    };
    let leaving = Headers(personalised.headers());
    timing.spliced(is_spliced);
    leaving.append("server-timing", &timing.header(outcome))?;
    let mark_ends = redirects::was_sent(cookie).then(|| cookies::expire(REDIRECT_COOKIE, secure));
    let cookies = cookies_of(&visit, consent, preview, program, config, secure);
    for cookie in cookies.into_iter().chain(mark_ends) {
        leaving.append("set-cookie", &cookie)?;
    }
    tell_of_preview(&leaving, explained.as_deref(), preview)?;
    // What is seen in a preview says nothing of visitors.
    if let Some(view) = view.filter(|_| !preview.is_on()) {
        let properties = page_properties(&page);
        let message = forward::page_view(&view.message_id, &visit.visitor_id, view.time, properties);
        for message in [message].into_iter().chain(exposures) {
            page_views::hand_on_soon(message, env, context);
        }
    }
    Ok(personalised)
}

/// The `Set-Cookie` headers of a page.
fn cookies_of(
    visit: &Visit,
    consent: Consent,
    preview: &Preview,
    program: &Program,
    config: &Config,
    secure: bool,
) -> Vec<String> {
    let mut cookies = Vec::new();
    if consent.personalization {
        cookies = visit.cookies(program, config, secure);
    }
    cookies.extend(preview.cookie(secure));
    cookies
}

/// What a page in a preview says besides: its decisions and why, and where its address has the token, that no other
/// site and no log of this one is to get it as a referrer.
fn tell_of_preview(headers: &Headers, explained: Option<&str>, preview: &Preview) -> Result<()> {
    if let Some(explained) = explained {
        headers.set(EXPLAIN_HEADER, explained)?;
    }
    if preview.begins() {
        headers.set("referrer-policy", "strict-origin")?;
    }
    Ok(())
}

/// The answer that sends the visitor to another page.
fn redirected(location: &str) -> Result<web_sys::Response> {
    let headers = Headers::new();
    headers.set("location", location)?;
    headers.set("cache-control", "no-store")?;
    let redirected = Response::empty()?.with_status(302).with_headers(headers);
    Ok(redirected.into())
}

/// The answer to who loads a redirected page ahead of time: browsers throw it away and ask again when the visitor goes
/// there. A redirect that nobody has followed yet would be used without being recorded.
fn later(timing: &Timing) -> Result<web_sys::Response> {
    let headers = Headers::new();
    headers.set("cache-control", "no-store")?;
    headers.set("server-timing", &timing.header(Outcome::Redirected))?;
    let later = Response::empty()?.with_status(503).with_headers(headers);
    Ok(later.into())
}

/// Whether the page is loaded for a person to see now: not ahead of time, and not by a script.
fn is_seen_by_a_person(asked: &Asked, headers: &Headers) -> bool {
    asked.is_for_a_document() && !is_ahead_of_time(headers)
}

/// Whether a browser loads the page in case that the visitor goes there.
fn is_ahead_of_time(headers: &Headers) -> bool {
    let header = |name: &str| headers.get(name).ok().flatten().unwrap_or_default();
    ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .any(|name| header(name).contains("prefetch"))
}

/// Folds the page view itself.
fn view(visit: &mut Visit, loaded: &Loaded, page: &Request, now: i64) -> Option<PageView> {
    let message_id = identifiers::uuid()?;
    let event = Event {
        key: event_key(&message_id),
        kind: EventKind::Page,
        name: String::new(),
        time: now,
        properties: Value::Object(page_properties(page)),
        context: Value::Null,
        traits: Value::Null,
        user_id: None,
        anonymous_id: None,
    };
    visit.fold(&loaded.program, &event);
    Some(PageView {
        message_id,
        time: now,
    })
}

/// Folds the exposures to redirect experiments, and gives them as messages.
fn exposures_on(
    visit: &mut Visit,
    program: &Program,
    decisions: &Decisions,
    page: &Request,
    is_sent: bool,
    now: i64,
) -> Vec<Value> {
    let page = page_properties(page);
    let exposures = exposures::on_page(program, decisions, &visit.visitor_id, &page, is_sent, now);
    let mut messages = Vec::new();
    for exposure in exposures {
        visit.fold(program, &exposure.event);
        messages.push(exposure.message);
    }
    messages
}

/// The properties of a page view, as Segment's specification names them.
fn page_properties(page: &Request) -> Object {
    let mut properties = Object::new();
    properties.insert("url", page.url());
    properties.insert("path", page.path());
    let referrer = page.document().get("referrer");
    if !referrer.is_null() {
        properties.insert("referrer", referrer.clone());
    }
    properties
}

/// The upstream's answer, with the reason why it was not touched, and the cookie of a preview that begins or ends.
fn untouched(
    page: &UpstreamPage,
    timing: &Timing,
    outcome: Outcome,
    cookie: Option<String>,
) -> Result<web_sys::Response> {
    let passed = match (page.untouched(), page) {
        (Ok(passed), _) => passed,
        // The runtime copies no status beyond 599: then there is no place to say why.
        (Err(_), UpstreamPage::Arriving(response)) => return Ok(Clone::clone(response)),
        (Err(error), UpstreamPage::Kept(_)) => return Err(error),
    };
    let leaving = Headers(passed.headers());
    leaving.append("server-timing", &timing.header(outcome))?;
    if let Some(cookie) = cookie {
        make_private(&leaving)?;
        leaving.append("set-cookie", &cookie)?;
    }
    Ok(passed)
}

fn or_bad_gateway(answer: Result<web_sys::Response>) -> Result<web_sys::Response> {
    answer.or_else(|error| {
        console_log!("nearside: the upstream did not answer: {error}");
        proxy::bad_gateway()
    })
}
