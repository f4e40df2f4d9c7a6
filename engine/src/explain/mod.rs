//! Explains decisions: every condition with the values that it read, when they were observed and by whom.
//!
//! An explanation is data in the form of JSON ([`explain`]); the command line makes text of it. It is the same,
//! byte for byte, wherever the engine runs.
//!
//! ```json
//! {"at": 1795262400000,
//!  "segments": [{"segment": "readers", "member": true, "because": TRACE}],
//!  "features": [{"feature": "checkout", "value": "new", "reason": "assigned", "rules": [{"rule": "beta", "when": TRACE}]}],
//!  "experiences": [{"experience": "hero", "variant": "bikes", "reason": "assigned", "onPage": true,
//!                   "when": TRACE, "bucket": {"of": "visitor", "place": 0.1234, "traffic": 1}}]}
//! ```
//!
//! A TRACE has `holds`, and one of: `all`, `any` (traces), `not` (a trace), `segment`, `feature`, `path` with `value`
//! and `test`, `measure` with `events`, `value` and `test`, or `groups` with the trace of the group that decided.
//! What was read has `observedAt` (milliseconds) and `by` (`request`, `event`, `identify`, `origin`), if it is known;
//! an attribute that may become too old has `maxAge`, and what became of a value that is: `whenStale`.
//! `exact` is `false` where so many events were seen that a window's edge may be off by 1/32 of its length.

mod assignment;
mod condition;
mod test;

use crate::decide::{Context, Decisions};
use crate::program::{Experience, Program, Rule};
use crate::reading::{Reading, Views};
use crate::sort::sort_by;
use crate::state::State;
use crate::time::Timestamp;
use crate::value::{Object, Value};
use condition::trace;

/// What an explanation is made of.
pub(crate) struct Asked<'a> {
    program: &'a Program,
    state: &'a State,
    context: &'a Context<'a>,
    decisions: &'a Decisions,
    reading: Reading<'a>,
    now: Timestamp,
}

/// Explains decisions that were made of this state at this instant.
pub fn explain(
    program: &Program,
    state: &State,
    context: &Context<'_>,
    decisions: &Decisions,
    now: Timestamp,
) -> Value {
    let views = Views::new(state, context);
    let reading = Reading::new(program, state, context, &views, now);
    let asked = Asked {
        program,
        state,
        context,
        decisions,
        reading: reading.with(decisions, &[]),
        now,
    };
    let mut explanation = Object::new();
    explanation.insert("at", now as f64);
    explanation.insert("consent", context.consent);
    explanation.insert("segments", segments(&asked));
    if !program.features.is_empty() {
        explanation.insert("features", features(&asked));
    }
    explanation.insert("experiences", experiences(&asked));
    Value::Object(explanation)
}

fn segments(asked: &Asked<'_>) -> Vec<Value> {
    let segments = asked.program.segments.iter().zip(&asked.decisions.segments);
    let mut named: Vec<_> = segments.collect();
    sort_by(&mut named, |(a, _), (b, _)| a.id < b.id);
    let explained = named.into_iter().map(|(segment, member)| {
        let mut object = Object::new();
        object.insert("segment", segment.id.as_str());
        object.insert("member", *member);
        object.insert("because", trace(asked, &segment.condition));
        Value::Object(object)
    });
    explained.collect()
}

fn features(asked: &Asked<'_>) -> Vec<Value> {
    let features = asked.program.features.iter().zip(&asked.decisions.features);
    let explained = features.map(|(feature, decision)| {
        let mut object = Object::new();
        object.insert("feature", feature.id.as_str());
        object.insert("value", decision.value(feature).cloned().unwrap_or_default());
        object.insert("reason", decision.reason.name());
        // The rules after the one that gave the value were not asked.
        let asked_rules = decision.rule.map_or(usize::MAX, |rule| usize::from(rule) + 1);
        let rules = feature
            .rules
            .iter()
            .take(asked_rules)
            .map(|rule| explained_rule(asked, rule));
        object.insert("rules", rules.collect::<Vec<_>>());
        Value::Object(object)
    });
    explained.collect()
}

fn explained_rule(asked: &Asked<'_>, rule: &Rule) -> Value {
    let mut object = Object::new();
    object.insert("rule", rule.id.as_str());
    insert_schedule(&mut object, rule.starts_at, rule.ends_at, asked.now);
    for (name, condition) in [
        ("gate", &rule.gate),
        ("requires", &rule.requires),
        ("when", &rule.condition),
    ] {
        if let Some(condition) = condition {
            object.insert(name, trace(asked, condition));
        }
    }
    assignment::insert(&mut object, asked, &rule.assignment);
    Value::Object(object)
}

fn experiences(asked: &Asked<'_>) -> Vec<Value> {
    let experiences = asked.program.experiences.iter().zip(&asked.decisions.decisions);
    let explained = experiences.map(|(experience, decision)| {
        let mut object = Object::new();
        object.insert("experience", experience.id.as_str());
        let variant = decision
            .variant
            .and_then(|place| experience.variants.get(usize::from(place)));
        object.insert("variant", variant.map(|variant| variant.id.as_str()));
        object.insert("reason", decision.reason.name());
        insert_schedule(&mut object, experience.starts_at, experience.ends_at, asked.now);
        let request = asked.context.request;
        if !experience.pages.is_empty() {
            let mut pages = experience.pages.iter();
            object.insert(
                "onPage",
                pages.any(|page| page.matches(request.url(), request.path())),
            );
        }
        for (name, condition) in [
            ("requires", &experience.requires),
            ("when", &experience.condition),
        ] {
            if let Some(condition) = condition {
                object.insert(name, trace(asked, condition));
            }
        }
        insert_group(&mut object, asked, experience);
        assignment::insert(&mut object, asked, &experience.assignment);
        Value::Object(object)
    });
    explained.collect()
}

/// From when to when it runs, if that is limited.
fn insert_schedule(object: &mut Object, from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) {
    if from.is_none() && to.is_none() {
        return;
    }
    let mut schedule = Object::new();
    schedule.insert("from", from.map(|at| at as f64));
    schedule.insert("to", to.map(|at| at as f64));
    schedule.insert(
        "now",
        from.is_none_or(|at| now >= at) && to.is_none_or(|at| now < at),
    );
    object.insert("schedule", schedule);
}

/// The experience of the same group that is given on this page.
fn insert_group(object: &mut Object, asked: &Asked<'_>, experience: &Experience) {
    let Some(name) = &experience.group else { return };
    let experiences = asked.program.experiences.iter().zip(&asked.decisions.decisions);
    let given = experiences
        .filter(|(other, decision)| other.group.as_ref() == Some(name) && decision.variant.is_some())
        .map(|(other, _)| other.id.as_str());
    let mut group = Object::new();
    group.insert("name", name.as_str());
    group.insert("given", given.map(Value::from).collect::<Vec<_>>());
    object.insert("group", group);
}
