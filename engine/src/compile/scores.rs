//! Scores and affinities as an author writes them → cells.

use super::Compiler;
use super::event_condition::{duration, event_path, known_keys, matcher};
use super::vocabulary;
use super::warning::{Place, Report};
use crate::cell::spec::{CellKind, CellSpec, Decay, MAX_MATCHERS, Scope};
use crate::value::{Object, Value};

/// More of either are a mistake: each is a cell of every visitor's state.
const MAX_SCORES: usize = 1_000;
/// More values of an affinity are a mistake.
const MAX_KEEP: f64 = 32.0;
const DEFAULT_KEEP: u8 = 8;
/// Points beyond this are a mistake.
const MAX_POINTS: f64 = 1e9;

pub(super) fn compile(compiler: &mut Compiler, manifest: &Object, place: &Place<'_>, report: &mut Report) {
    for (kind, one) in [("scores", score as Compile), ("affinities", affinity)] {
        let place = &place.member(kind);
        let members = match manifest.get(kind) {
            None | Some(Value::Null) => continue,
            Some(Value::Object(members)) if members.len() <= MAX_SCORES => members,
            Some(Value::Object(_)) => {
                report.error(place, format!("more than {MAX_SCORES} {kind}"));
                continue;
            }
            Some(_) => {
                report.error(place, format!("expected an object of {kind} by name"));
                continue;
            }
        };
        for (name, value) in members.iter() {
            let place = &place.member(name);
            if !is_name(name) {
                report.error(place, "a name has 1 to 64 letters, digits, `-` and `_`");
                continue;
            }
            let checkpoint = compiler.checkpoint();
            let errors = report.errors();
            let cell = match value.as_object() {
                Some(object) => one(compiler, object, place, report),
                None => {
                    report.error(place, "expected an object with `on` and `halfLife`");
                    None
                }
            };
            if report.errors() > errors {
                compiler.roll_back(&checkpoint);
            }
            let named = match kind {
                "scores" => (&mut compiler.program.scores, &mut compiler.broken_scores),
                _ => (&mut compiler.program.affinities, &mut compiler.broken_affinities),
            };
            match cell {
                Some(cell) => named.0.push((name.to_owned(), cell)),
                None => named.1.push(name.to_owned()),
            }
        }
    }
}

type Compile = fn(&mut Compiler, &Object, &Place<'_>, &mut Report) -> Option<u16>;

/// Whether a name can be a part of a path.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

fn score(compiler: &mut Compiler, object: &Object, place: &Place<'_>, report: &mut Report) -> Option<u16> {
    known_keys(object, &vocabulary::SCORE, place, report)?;
    let (matchers, decay) = decay(compiler, object, place, report)?;
    let spec = CellSpec {
        key: 0,
        scope: Scope::Visitor,
        matchers,
        by: None,
        kind: CellKind::Score(decay),
    };
    added(compiler, spec, place, report)
}

fn affinity(compiler: &mut Compiler, object: &Object, place: &Place<'_>, report: &mut Report) -> Option<u16> {
    known_keys(object, &vocabulary::AFFINITY, place, report)?;
    let (matchers, decay) = decay(compiler, object, place, report)?;
    let of = event_path(object.get("of"), &place.member("of"), report)?;
    let keep = match object.get("keep") {
        None => DEFAULT_KEEP,
        Some(Value::Number(keep)) if (1.0..=MAX_KEEP).contains(keep) && keep.fract() == 0.0 => *keep as u8,
        Some(_) => {
            report.error(
                &place.member("keep"),
                format!("expected a whole number from 1 to {MAX_KEEP}"),
            );
            return None;
        }
    };
    let spec = CellSpec {
        key: 0,
        scope: Scope::Visitor,
        matchers,
        by: None,
        kind: CellKind::Affinity(decay, of, keep),
    };
    added(compiler, spec, place, report)
}

fn added(compiler: &mut Compiler, spec: CellSpec, place: &Place<'_>, report: &mut Report) -> Option<u16> {
    match compiler.cell(spec) {
        Ok(cell) => Some(cell),
        Err(message) => {
            report.error(place, message);
            None
        }
    }
}

fn decay(
    compiler: &mut Compiler,
    object: &Object,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<(Vec<crate::cell::spec::Matcher>, Decay)> {
    let Some(half_life) = duration(object, "halfLife", place, report)? else {
        report.error(
            place,
            "`halfLife` is missing: after how long is half of the points left, such as `7d`?",
        );
        return None;
    };
    let cap = match object.get("cap") {
        None => None,
        Some(Value::Number(cap)) if *cap > 0.0 && *cap <= MAX_POINTS => Some(*cap),
        Some(_) => {
            report.error(
                &place.member("cap"),
                format!("expected a number above 0, at most {MAX_POINTS}"),
            );
            return None;
        }
    };
    let place = &place.member("on");
    let items = match object.get("on").and_then(Value::as_array) {
        Some(items) if !items.is_empty() && items.len() <= MAX_MATCHERS => items,
        _ => {
            report.error(
                place,
                format!("expected a list of 1 to {MAX_MATCHERS} events such as {{\"name\": \"Product Viewed\", \"points\": 1}}"),
            );
            return None;
        }
    };
    let mut matchers = Vec::with_capacity(items.len());
    let mut points = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = &place.item(index);
        let Some(object) = item.as_object() else {
            report.error(
                place,
                "expected an event such as {\"name\": \"Product Viewed\", \"points\": 1}",
            );
            return None;
        };
        known_keys(object, &vocabulary::EVENT_WITH_POINTS, place, report)?;
        points.push(match object.get("points") {
            None => 1.0,
            Some(Value::Number(points)) if points.abs() <= MAX_POINTS => *points,
            Some(_) => {
                report.error(&place.member("points"), "expected a number");
                return None;
            }
        });
        matchers.push(matcher(compiler, object, place, report)?);
    }
    Some((
        matchers,
        Decay {
            points,
            half_life,
            cap,
        },
    ))
}
