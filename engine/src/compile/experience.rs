//! Experiences as an author writes them → [`Experience`].

use super::assignment::{self, Part};
use super::condition::ConditionCompiler;
use super::warning::{Place, Report, suggestion};
use super::{Compiler, MAX_EXPERIENCES, attribute, event_condition, mutation, redirect, vocabulary};
use crate::condition::{Condition, Node};
use crate::decide::PERSONALIZATION;
use crate::event::instant;
use crate::mutation::Mutation;
use crate::pages::{PagePart, PagePattern};
use crate::program::{Experience, Status, Variant};
use crate::value::{Object, Value};

const MAX_VARIANTS: usize = 100;
const MAX_MUTATIONS: usize = 500;
const MAX_PAGES: usize = 200;

pub(super) fn compile(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) {
    let experiences = match value {
        Value::Null => return,
        Value::Array(experiences) => experiences,
        _ => return report.error(place, "expected a list of experiences"),
    };
    if experiences.len() > MAX_EXPERIENCES {
        return report.error(place, format!("more than {MAX_EXPERIENCES} experiences"));
    }
    for (index, value) in experiences.iter().enumerate() {
        let place = &place.item(index);
        let errors = report.errors();
        let Some(object) = value.as_object() else {
            report.error(place, "expected an experience: a JSON object");
            continue;
        };
        let id = match value.get("id") {
            Value::String(id) if !id.is_empty() && id.len() <= 200 => id.clone(),
            _ => {
                report.error(
                    &place.member("id"),
                    "an experience needs an `id` of at most 200 bytes",
                );
                continue;
            }
        };
        if compiler.program.experience(&id).is_some() {
            report.error(
                &place.member("id"),
                format!("there are two experiences `{id}`: give each its own id"),
            );
            continue;
        }
        let checkpoint = compiler.checkpoint();
        let mut experience = one(compiler, id, object, value, place, report);
        if report.errors() > errors {
            compiler.roll_back(&checkpoint);
            experience.status = Status::Invalid;
            experience.variants.clear();
            experience.condition = None;
            experience.requires = None;
        }
        compiler.program.experiences.push(experience);
    }
    let experiences = &compiler.program.experiences;
    let mut order: Vec<u16> = (0..experiences.len())
        .filter_map(|index| u16::try_from(index).ok())
        .collect();
    order.sort_by(|a, b| {
        let priority = |index: &u16| experiences[usize::from(*index)].priority;
        priority(b).total_cmp(&priority(a))
    });
    compiler.program.by_priority = order;
}

fn one(
    compiler: &mut Compiler,
    id: String,
    object: &Object,
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Experience {
    report.unknown_keys(object, place, &[vocabulary::EXPERIENCE, vocabulary::ASSIGNMENT]);
    report.texts(object, place, &["name"]);
    let kind = value.get("kind");
    let is_kind = kind.as_str().is_some_and(|kind| vocabulary::KIND.contains(kind));
    if !kind.is_null() && !is_kind {
        let kinds = vocabulary::KIND.words;
        let near = suggestion(kind.as_str().unwrap_or_default(), kinds);
        let message = format!("expected one of {}{near}", kinds.join(", "));
        report.error(&place.member("kind"), message);
    }
    let purpose = purpose(value.get("purpose"), &place.member("purpose"), report);
    goal(compiler, value.get("goal"), &place.member("goal"), report);
    let text = |name: &str, report: &mut Report| match value.get(name) {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        _ => {
            report.error(&place.member(name), "expected text");
            None
        }
    };
    let status = read_status(value, place, report);
    let (starts_at, ends_at) = schedule(value.get("schedule"), &place.member("schedule"), report);
    let priority = match value.get("priority") {
        Value::Null => 0.0,
        Value::Number(number) if number.is_finite() => *number,
        _ => {
            report.error(&place.member("priority"), "expected a number");
            0.0
        }
    };
    let requires = match value.get("requires") {
        Value::Null => None,
        requires => ConditionCompiler::compile(compiler, requires, &place.member("requires"), report),
    };
    let pages = pages(value.get("pages"), &place.member("pages"), report);
    let condition = condition(compiler, value, place, report);
    let group = text("group", report);
    let (variants, parts) = variants(compiler, value.get("variants"), &place.member("variants"), report);
    let assignment = assignment::compile(compiler, &id, value, &parts, place, report);
    redirect::check(value, &pages, &variants, place, report);
    let status = match status {
        // All who would be assigned a variant get the released one.
        Status::Stopped if assignment.release.is_some() => Status::Running,
        Status::Stopped => Status::Paused,
        status => status,
    };
    Experience {
        id,
        status,
        purpose,
        pages,
        condition,
        requires,
        starts_at,
        ends_at,
        assignment,
        keeps_query: assignment::flag(value.get("keepQuery"), &place.member("keepQuery"), report),
        group,
        priority,
        variants,
    }
}

/// What the visitor must agree to besides personalisation, which nothing does without.
fn purpose(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match value {
        Value::Null => None,
        Value::String(name) if name == PERSONALIZATION => None,
        // In a cookie `all` and `none` are no purposes.
        Value::String(name) if name == "all" || name == "none" => {
            report.error(place, format!("`{name}` is no purpose of its own"));
            None
        }
        Value::String(name) if (1..=64).contains(&name.len()) && name.chars().all(is_plain) => {
            Some(name.clone())
        }
        _ => {
            report.error(
                place,
                "expected the name of a purpose: 1 to 64 letters, digits, `-` and `_`",
            );
            None
        }
    }
}

/// Nothing reads goals yet. What is written must be right all the same.
fn goal(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) {
    match value {
        Value::Null => {}
        Value::Object(object) => {
            if event_condition::known_keys(object, &vocabulary::EVENT, place, report).is_some() {
                event_condition::matcher(compiler, object, place, report);
            }
        }
        _ => report.error(place, "expected an event such as {\"name\": \"Order Completed\"}"),
    }
}

/// Whether something is shown at all.
pub(super) fn read_status(value: &Value, place: &Place<'_>, report: &mut Report) -> Status {
    match value.get("status") {
        Value::Null => Status::Running,
        Value::String(text) if text == "running" => Status::Running,
        Value::String(text) if text == "paused" || text == "draft" => Status::Paused,
        Value::String(text) if text == "stopped" => Status::Stopped,
        other => {
            let near = suggestion(other.as_str().unwrap_or_default(), vocabulary::STATUS.words);
            report.error(
                &place.member("status"),
                format!("expected `running`, `paused`, `draft` or `stopped`{near}"),
            );
            Status::Invalid
        }
    }
}

/// The page patterns of a list; empty without one.
pub(super) fn pages(value: &Value, place: &Place<'_>, report: &mut Report) -> Vec<PagePattern> {
    let items = match value {
        Value::Null => return Vec::new(),
        Value::Array(items) if items.len() <= MAX_PAGES => items,
        _ => {
            report.error(
                place,
                format!("expected a list of at most {MAX_PAGES} page patterns"),
            );
            return Vec::new();
        }
    };
    let mut patterns = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = &place.item(index);
        let object = item.as_object();
        if let Some(object) = object {
            report.unknown_keys(object, place, &[vocabulary::PAGE]);
        }
        let part = |name: &str| object.and_then(|object| object.get(name));
        let pattern = match (part("path"), part("url")) {
            (Some(Value::String(path)), None) => PagePattern::parse(PagePart::Path, path),
            (None, Some(Value::String(url))) => PagePattern::parse(PagePart::Url, url),
            _ => Err("expected {\"path\": …} or {\"url\": …}".to_owned()),
        };
        match pattern {
            Ok(pattern) => patterns.push(pattern),
            Err(message) => report.error(place, message),
        }
    }
    patterns
}

pub(super) fn schedule(value: &Value, place: &Place<'_>, report: &mut Report) -> (Option<i64>, Option<i64>) {
    let Some(object) = value.as_object() else {
        if !value.is_null() {
            report.error(place, "expected an object with `from` and `to`");
        }
        return (None, None);
    };
    report.unknown_keys(object, place, &[vocabulary::SCHEDULE]);
    let mut at = |name: &str| match value.get(name) {
        Value::Null => None,
        text => {
            let found = instant(text);
            if found.is_none() {
                report.error(
                    &place.member(name),
                    "expected an instant such as `2026-11-21T10:00:00Z`",
                );
            }
            found
        }
    };
    let (from, to) = (at("from"), at("to"));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        report.warning(place, "it ends before it begins: the experience never runs");
    }
    (from, to)
}

pub(super) fn condition(
    compiler: &mut Compiler,
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Condition> {
    match (value.get("segment"), value.get("when")) {
        (Value::Null, Value::Null) => None,
        (Value::String(name), Value::Null) => {
            let segment = compiler.segment(name, &place.member("segment"), report);
            segment.map(|segment| Condition::new(vec![Node::Segment(segment)]))
        }
        (Value::Null, when) => ConditionCompiler::compile(compiler, when, &place.member("when"), report),
        (Value::String(_), _) => {
            report.error(
                place,
                "`segment` and `when` exclude each other: put the segment into `when` as `$segment`",
            );
            None
        }
        _ => {
            report.error(&place.member("segment"), "expected the name of a segment");
            None
        }
    }
}

fn variants(
    compiler: &mut Compiler,
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> (Vec<Variant>, Vec<Part>) {
    let items = match value.as_array() {
        Some(items) if !items.is_empty() && items.len() <= MAX_VARIANTS => items,
        _ => {
            report.error(place, format!("expected a list of 1 to {MAX_VARIANTS} variants"));
            return (Vec::new(), Vec::new());
        }
    };
    let mut parts = Vec::with_capacity(items.len());
    let mut variants: Vec<Variant> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = &place.item(index);
        let Some(object) = item.as_object() else {
            report.error(place, "expected a variant: a JSON object");
            continue;
        };
        report.unknown_keys(object, place, &[vocabulary::VARIANT]);
        report.texts(object, place, &["name"]);
        let id = match item.get("id").as_str() {
            Some(id) if !id.is_empty() && id.len() <= 200 => id.to_owned(),
            _ => {
                report.error(
                    &place.member("id"),
                    "a variant needs an `id` of at most 200 bytes",
                );
                continue;
            }
        };
        if variants.iter().any(|variant| variant.id == id) {
            report.error(&place.member("id"), format!("there are two variants `{id}`"));
        }
        parts.push(Part::read(&id, item, place, report));
        let mut mutations = mutations(
            compiler,
            item.get("mutations"),
            &place.member("mutations"),
            report,
        );
        if !item.get("redirect").is_null() {
            let place = &place.member("redirect");
            if let Some(mutation) = redirect::mutation(item.get("redirect"), false, place, report) {
                read_placeholders(compiler, &mutation, place, report);
                mutations.push(mutation);
            }
        }
        variants.push(Variant { id, mutations });
    }
    (variants, parts)
}

fn mutations(
    compiler: &mut Compiler,
    value: &Value,
    place: &Place<'_>,
    report: &mut Report,
) -> Vec<Mutation> {
    let items = match value {
        Value::Null => return Vec::new(),
        Value::Array(items) if items.len() <= MAX_MUTATIONS => items,
        _ => {
            report.error(
                place,
                format!("expected a list of at most {MAX_MUTATIONS} mutations"),
            );
            return Vec::new();
        }
    };
    let mut mutations = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = &place.item(index);
        for (member, mutation) in mutation::compile(item, place, report) {
            read_placeholders(compiler, &mutation, &place.member(member), report);
            mutations.push(mutation);
        }
    }
    mutations
}

fn read_placeholders(compiler: &mut Compiler, mutation: &Mutation, place: &Place<'_>, report: &mut Report) {
    for path in mutation.content.paths() {
        let path = attribute::of_decision(&path.join("."), place, report);
        if let Some(path) = path.filter(|path| compiler.knows(path, place, report)) {
            compiler.reads(&path);
        }
    }
}
