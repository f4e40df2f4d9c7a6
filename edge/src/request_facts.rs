//! What conditions read below `request`, as far as the edge knows it.

use crate::config::Config;
use crate::number;
use crate::time_zone;
use crate::user_agent::{self, Hints};
use nearside_engine::program::Program;
use nearside_engine::time::Timestamp;
use nearside_engine::value::{Object, Value};
use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsValue;
use worker::{Headers, web_sys};

/// The longest header value that is read.
const MAX_HEADER: usize = 1_000;

/// Facts that the page cannot know itself, or not as the edge does: `gpc`, and, if the program reads them, `geo`,
/// `language`, `device`, `browser`, `bot` and `time`. The SDK gets them with the page, so that both decide by the same.
pub(crate) fn of_visitor(
    request: &web_sys::Request,
    headers: &Headers,
    program: &Program,
    config: &Config,
    now: Timestamp,
) -> Object {
    let mut facts = Object::new();
    // To ask the runtime for these takes as long as all decisions.
    let geo = match program.reads_of_request("geo") || program.reads_of_request("time") {
        true => geo(request, headers, config),
        false => Object::new(),
    };
    let asks_for_browser = ["device", "browser", "bot"];
    if asks_for_browser.iter().any(|name| program.reads_of_request(name)) {
        let known = |name: &str| header(headers, name).unwrap_or_default();
        let hints = Hints {
            brands: &known("sec-ch-ua"),
            mobile: &known("sec-ch-ua-mobile"),
            platform: &known("sec-ch-ua-platform"),
        };
        let browser = user_agent::facts(&known("user-agent"), &hints);
        for (name, fact) in browser.iter().filter(|(name, _)| program.reads_of_request(name)) {
            facts.insert(name, fact.clone());
        }
    }
    if program.reads_of_request("time")
        && let Some(time) = geo
            .get("timezone")
            .and_then(Value::as_str)
            .and_then(|zone| time_zone::time_in(zone, now))
    {
        facts.insert("time", time);
    }
    if !geo.is_empty() && program.reads_of_request("geo") {
        facts.insert("geo", geo);
    }
    if program.reads_of_request("language")
        && let Some(language) = header(headers, "accept-language").and_then(|value| first_language(&value))
    {
        facts.insert("language", language);
    }
    if header(headers, "sec-gpc").as_deref() == Some("1") {
        facts.insert("gpc", true);
    }
    facts
}

/// The same, with what the page knows too.
pub(crate) fn of_page(mut facts: Object, headers: &Headers) -> Object {
    if let Some(referrer) = header(headers, "referer") {
        facts.insert("referrer", referrer);
    }
    facts
}

fn header(headers: &Headers, name: &str) -> Option<String> {
    headers
        .get(name)
        .ok()
        .flatten()
        .filter(|value| value.len() <= MAX_HEADER)
}

fn geo(request: &web_sys::Request, headers: &Headers, config: &Config) -> Object {
    let mut geo = Object::new();
    let cf = Reflect::get(request, &JsValue::from_str("cf")).unwrap_or(JsValue::UNDEFINED);
    if cf.is_object() {
        for (ours, theirs) in [
            ("country", "country"),
            ("region", "region"),
            ("city", "city"),
            ("timezone", "timezone"),
            ("lat", "latitude"),
            ("lon", "longitude"),
        ] {
            let value = Reflect::get(&cf, &JsValue::from_str(theirs))
                .ok()
                .and_then(|value| value.as_string());
            let Some(value) = value else { continue };
            match (ours, number::read(&value)) {
                ("lat" | "lon", Some(number)) => geo.insert(ours, number),
                _ => geo.insert(ours, value),
            }
        }
    }
    if let Some(country) = config
        .country_header
        .as_deref()
        .and_then(|name| header(headers, name))
    {
        // Whoever names this header vouches for what stands before the edge; the rest would be about
        // somewhere else.
        geo = Object::new();
        geo.insert("country", Value::from(country.trim().to_ascii_uppercase()));
    }
    geo
}

/// The language that the visitor likes best: the first of `Accept-Language`.
fn first_language(header: &str) -> Option<String> {
    let first = header.split(',').next()?.split(';').next()?.trim();
    (!first.is_empty() && first != "*").then(|| first.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages() {
        assert_eq!(
            first_language("fr-FR,fr;q=0.9,en;q=0.8").as_deref(),
            Some("fr-fr")
        );
        assert_eq!(first_language("*"), None);
        assert_eq!(first_language(""), None);
    }
}
