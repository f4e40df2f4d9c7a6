//! Mutations as an author writes them → [`Mutation`].

use super::warning::{Place, Report, suggestion};
use super::{assignment, redirect, vocabulary};
use crate::mutation::{Mutation, Operation, TITLE_SELECTOR, meta_place};
use crate::template::{ContentKind, Template};
use crate::value::{Object, Value};

/// The longest selector, and the longest content of a mutation, in bytes.
const MAX_SELECTOR: usize = 1_000;
const MAX_CONTENT: usize = 100_000;

/// The mutations that one of the manifest's makes, each with the member that has its content.
pub(super) fn compile(
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Vec<(&'static str, Mutation)> {
    let Some(object) = value.as_object() else {
        report.error(place, "expected a mutation: a JSON object");
        return Vec::new();
    };
    let Some(operation) = operation(value, place, report) else {
        return Vec::new();
    };
    let words = match operation {
        Operation::Redirect => vocabulary::REDIRECT,
        Operation::Move => vocabulary::MOVE,
        Operation::Image => vocabulary::IMAGE,
        Operation::Title => vocabulary::TITLE,
        Operation::Meta => vocabulary::META,
        _ => vocabulary::MUTATION,
    };
    report.unknown_keys(object, place, &[words]);
    match operation {
        Operation::Redirect => {
            let keeps_query = assignment::flag(value.get("keepQuery"), &place.member("keepQuery"), report);
            let made = redirect::mutation(value.get("value"), keeps_query, &place.member("value"), report);
            made.map(|made| ("value", made)).into_iter().collect()
        }
        Operation::Move => movement(value, place, report).into_iter().collect(),
        Operation::Image => image(object, place, report).unwrap_or_default(),
        _ => change(object, operation, place, report)
            .map(|made| ("value", made))
            .into_iter()
            .collect(),
    }
}

fn operation(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<Operation> {
    let name = value.get("op").as_str().unwrap_or_default();
    let operation = Operation::parse(name);
    if operation.is_none() {
        let known: Vec<&str> = Operation::ALL.iter().map(|(name, _)| *name).collect();
        let mut near = suggestion(name, &known);
        if near.is_empty() {
            near = format!(": there are {}", known.join(", "));
        }
        report.error(&place.member("op"), format!("`{name}` is no operation{near}"));
    }
    operation
}

/// A mutation with a selector, a name and a value, as far as its operation takes them.
fn change(object: &Object, operation: Operation, place: &Place<'_>, report: &mut Report) -> Option<Mutation> {
    let (selector, name) = match operation {
        Operation::Title => (TITLE_SELECTOR.to_owned(), String::new()),
        Operation::Meta => meta(object, place, report)?,
        _ => (
            selector(object, "selector", place, report)?,
            name(object, operation, place, report)?,
        ),
    };
    let content = match object.get("value") {
        None if !operation.takes_value() => "",
        Some(Value::String(text)) if operation.takes_value() && text.len() <= MAX_CONTENT => text.as_str(),
        _ if !operation.takes_value() => {
            report.warning(
                &place.member("value"),
                format!("`{}` takes no value", operation.name()),
            );
            ""
        }
        _ => {
            report.error(
                &place.member("value"),
                format!("expected text of at most {MAX_CONTENT} bytes"),
            );
            return None;
        }
    };
    let kind = match operation {
        Operation::Style => ContentKind::Style,
        operation if operation.takes_address() => ContentKind::Address,
        operation if operation.takes_html() => ContentKind::Html,
        _ => ContentKind::Plain,
    };
    let content = content_of(content, kind, &place.member("value"), report)?;
    if operation == Operation::Attribute && !content.is_literal() {
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("on") || matches!(lower.as_str(), "style" | "srcdoc" | "srcset") {
            let message = format!("a placeholder may not stand in the attribute `{name}`");
            report.error(&place.member("value"), message);
            return None;
        }
    }
    Some(Mutation {
        selector,
        operation,
        name,
        content,
    })
}

fn content_of(text: &str, kind: ContentKind, place: &Place<'_>, report: &mut Report) -> Option<Template> {
    match Template::parse(text, kind) {
        Ok(content) => Some(content),
        Err(message) => {
            report.error(place, message);
            None
        }
    }
}

fn selector(object: &Object, member: &str, place: &Place<'_>, report: &mut Report) -> Option<String> {
    match object.get(member) {
        Some(Value::String(selector)) if !selector.trim().is_empty() && selector.len() <= MAX_SELECTOR => {
            Some(selector.clone())
        }
        _ => {
            report.error(
                &place.member(member),
                format!("expected a CSS selector of at most {MAX_SELECTOR} bytes"),
            );
            None
        }
    }
}

/// The name of an attribute or style property; empty for operations that take none.
fn name(object: &Object, operation: Operation, place: &Place<'_>, report: &mut Report) -> Option<String> {
    let place = &place.member("name");
    match object.get("name") {
        Some(Value::String(name)) if operation.takes_name() && is_name(name) => Some(name.clone()),
        None if !operation.takes_name() => Some(String::new()),
        Some(_) if !operation.takes_name() => {
            report.warning(place, format!("`{}` takes no name", operation.name()));
            Some(String::new())
        }
        _ => {
            let message = format!(
                "`{}` needs the name of the attribute or style property",
                operation.name()
            );
            report.error(place, message);
            None
        }
    }
}

/// The selector and the name of a mutation of a `<meta>`.
fn meta(object: &Object, place: &Place<'_>, report: &mut Report) -> Option<(String, String)> {
    let (attribute, value) = match (object.get("name"), object.get("property")) {
        (Some(value), None) => ("name", value),
        (None, Some(value)) => ("property", value),
        _ => {
            report.error(
                place,
                "`meta` needs a `name` such as `description`, or a `property` such as `og:title`",
            );
            return None;
        }
    };
    match value {
        Value::String(value) if is_name(value) => Some(meta_place(attribute, value)),
        _ => {
            report.error(
                &place.member(attribute),
                "expected 1 to 100 letters, digits, `-`, `_`, `:` and `.`",
            );
            None
        }
    }
}

/// A mutation that moves elements. Its content is the selector of the element that they are moved to.
fn movement(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<(&'static str, Mutation)> {
    let object = value.as_object()?;
    let position = match value.get("position").as_str() {
        Some(position) if vocabulary::POSITION.contains(position) => position,
        other => {
            let known = vocabulary::POSITION.words;
            let near = suggestion(other.unwrap_or_default(), known);
            let message = format!("expected one of {}{near}", known.join(", "));
            report.error(&place.member("position"), message);
            return None;
        }
    };
    let to = selector(object, "to", place, report)?;
    let to = content_of(&to, ContentKind::Plain, &place.member("to"), report)?;
    if !to.is_literal() {
        report.error(&place.member("to"), "a placeholder may not stand in a selector");
        return None;
    }
    let mutation = Mutation {
        selector: selector(object, "selector", place, report)?,
        operation: Operation::Move,
        name: position.to_owned(),
        content: to,
    };
    Some(("to", mutation))
}

/// The mutations that show another image. The `<source>`s of a `<picture>` would win over it, so they go.
fn image(object: &Object, place: &Place<'_>, report: &mut Report) -> Option<Vec<(&'static str, Mutation)>> {
    let shown = change(object, Operation::Image, place, report)?;
    let selector = shown.selector.clone();
    let mut made = vec![("value", shown)];
    match object.get("alt") {
        None => {}
        Some(Value::String(alt)) if alt.len() <= MAX_CONTENT => {
            let alt = Mutation {
                selector: selector.clone(),
                operation: Operation::Attribute,
                name: "alt".to_owned(),
                content: content_of(alt, ContentKind::Plain, &place.member("alt"), report)?,
            };
            made.push(("alt", alt));
        }
        Some(_) => {
            report.error(
                &place.member("alt"),
                format!("expected text of at most {MAX_CONTENT} bytes"),
            );
            return None;
        }
    }
    let sources = Mutation {
        selector: format!("picture:has(> img:is({selector})) > source"),
        operation: Operation::Remove,
        name: String::new(),
        content: Template::default(),
    };
    made.push(("value", sources));
    Some(made)
}

/// A name that is safe as an attribute's, as a style property's, and in a selector's string.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.'))
}
