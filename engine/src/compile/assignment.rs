//! How visitors are given variants, as an author writes it for an experience or a feature's rule → [`Assignment`].

use super::warning::{Place, Report};
use super::{Compiler, attribute, vocabulary};
use crate::assign::{HashVersion, Seed, Share, shares};
use crate::assignment::Unit;
use crate::event::instant;
use crate::program::{Assignment, Filter, TrafficStep};
use crate::sticky::Stickiness;
use crate::time::Timestamp;
use crate::value::Value;

/// More of either are a mistake.
const MAX_FILTERS: usize = 20;
const MAX_RANGES: usize = 100;
const MAX_STEPS: usize = 100;
/// The longest seed or key, in bytes.
const MAX_TEXT: usize = 1_000;
/// The highest version of an assignment.
const MAX_VERSION: f64 = 1e9;

/// One variant's part, as the author wrote it.
pub(super) struct Part {
    pub(super) id: String,
    weight: f64,
    range: Option<(f64, f64)>,
}

impl Part {
    /// Reads `weight` and `range` of a variant.
    pub(super) fn read(id: &str, variant: &Value, place: &Place<'_>, report: &mut Report) -> Self {
        let weight = match variant.get("weight") {
            Value::Null => 1.0,
            Value::Number(number) if number.is_finite() && *number >= 0.0 => *number,
            _ => {
                report.error(&place.member("weight"), "expected a number of at least 0");
                1.0
            }
        };
        let range = match variant.get("range") {
            Value::Null => None,
            range => read_range(range, &place.member("range"), report),
        };
        Self {
            id: id.to_owned(),
            weight,
            range,
        }
    }
}

/// Each variant's part of the visitors.
fn parts_to_shares(parts: &[Part], place: &Place<'_>, report: &mut Report) -> Vec<Share> {
    if parts.iter().any(|part| part.range.is_some()) {
        if parts.iter().any(|part| part.range.is_none()) {
            report.error(place, "give each of the variants a `range`, or none of them");
        }
        let ranges = parts.iter().map(|part| part.range.unwrap_or_default());
        return ranges
            .map(|(start, end)| Share {
                start,
                weight: end - start,
                end: Some(end),
            })
            .collect();
    }
    let total: f64 = parts.iter().map(|part| part.weight).sum();
    let is_something = total > 0.0 && total.is_finite();
    if !parts.is_empty() && !is_something {
        report.error(
            place,
            "the variants' weights add up to nothing: give at least one a weight above 0",
        );
        return Vec::new();
    }
    // Weights that already are shares stay as they are: a division could move a boundary.
    let divisor = if (total - 1.0).abs() > 1e-9 { total } else { 1.0 };
    shares(parts.iter().map(|part| part.weight / divisor))
}

/// Compiles the members of an experience or rule that say how visitors are given its variants. `key` is what it
/// is known by: the default of the seed, and of the query parameter.
pub(super) fn compile(
    compiler: &mut Compiler,
    key: &str,
    value: &Value,
    parts: &[Part],
    place: &Place<'_>,
    report: &mut Report,
) -> Assignment {
    let text = |name: &str, report: &mut Report| text(value.get(name), &place.member(name), report);
    let version = hash_version(value.get("hashVersion"), &place.member("hashVersion"), report);
    let seed = text("seed", report).unwrap_or_else(|| key.to_owned());
    let holdout = match value.get("holdout") {
        Value::Null => 0.0,
        share => read_share(share, &place.member("holdout"), report),
    };
    let query_override = match value.get("queryOverride") {
        Value::Null | Value::Bool(false) => None,
        Value::Bool(true) => Some(key.to_owned()),
        _ => text("queryOverride", report),
    };
    let release = text("release", report).and_then(|id| {
        let found = parts.iter().position(|part| part.id == id);
        if found.is_none() {
            report.error(&place.member("release"), format!("there is no variant `{id}`"));
        }
        u16::try_from(found?).ok()
    });
    let mut unit =
        |name: &str, report: &mut Report| read_unit(compiler, value.get(name), &place.member(name), report);
    Assignment {
        hashes: true,
        unit: unit("hashAttribute", report).unwrap_or_default(),
        fallback: unit("fallbackAttribute", report),
        filters: filters(compiler, value.get("filters"), &place.member("filters"), report),
        traffic: traffic(value.get("traffic"), &place.member("traffic"), report),
        holdout: (holdout > 0.0).then(|| (Seed::new(&format!("{seed}:holdout"), HashVersion::Two), holdout)),
        seed: Seed::new(&seed, version),
        sticky: sticky(key, value.get("sticky"), parts, &place.member("sticky"), report),
        query_override,
        release,
        shares: parts_to_shares(parts, &place.member("variants"), report),
    }
}

fn text(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.len() <= MAX_TEXT => Some(text.clone()),
        Value::String(_) => {
            report.error(place, format!("expected at most {MAX_TEXT} bytes"));
            None
        }
        _ => {
            report.error(place, "expected text");
            None
        }
    }
}

fn read_share(value: &Value, place: &Place<'_>, report: &mut Report) -> f64 {
    match value {
        Value::Number(number) if (0.0..=1.0).contains(number) => *number,
        _ => {
            report.error(place, "expected a share between 0 and 1");
            0.0
        }
    }
}

fn read_range(value: &Value, place: &Place<'_>, report: &mut Report) -> Option<(f64, f64)> {
    match value.as_array() {
        Some([Value::Number(start), Value::Number(end)]) if start.is_finite() && end.is_finite() => {
            Some((*start, *end))
        }
        _ => {
            report.error(place, "expected a range such as [0, 0.5]");
            None
        }
    }
}

fn hash_version(value: &Value, place: &Place<'_>, report: &mut Report) -> HashVersion {
    match value.as_f64() {
        None if value.is_null() => HashVersion::Two,
        Some(1.0) => HashVersion::One,
        Some(2.0) => HashVersion::Two,
        _ => {
            report.error(place, "expected 1 or 2");
            HashVersion::Two
        }
    }
}

/// Whom a hash is about: the path of an attribute.
fn read_unit(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) -> Option<Unit> {
    let path = match value {
        Value::Null => return None,
        Value::String(path) => attribute::of_decision(path, place, report)?,
        _ => {
            report.error(place, "expected an attribute such as `profile.userId`");
            return None;
        }
    };
    if path.iter().map(String::as_str).eq(["visitor", "id"]) {
        return Some(Unit::Visitor);
    }
    if attribute::changes_with_time(&path) {
        report.error(
            place,
            "this changes by itself, so that nobody would keep a variant",
        );
        return None;
    }
    compiler.reads(&path);
    Some(Unit::Attribute(path.into()))
}

fn filters(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) -> Vec<Filter> {
    let items = match value {
        Value::Null => return Vec::new(),
        Value::Array(items) if items.len() <= MAX_FILTERS => items,
        _ => {
            report.error(place, format!("expected a list of at most {MAX_FILTERS} filters"));
            return Vec::new();
        }
    };
    let mut filters = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = &place.item(index);
        let Some(object) = item.as_object() else {
            report.error(place, "expected {\"seed\": …, \"ranges\": [[0, 0.5]]}");
            continue;
        };
        report.unknown_keys(object, place, &[vocabulary::FILTER]);
        let Some(seed) = text(item.get("seed"), &place.member("seed"), report) else {
            report.error(
                &place.member("seed"),
                "a filter needs the `seed` that it shares with others",
            );
            continue;
        };
        let ranges = match item.get("ranges").as_array() {
            Some(ranges) if ranges.len() <= MAX_RANGES => ranges,
            _ => {
                report.error(
                    &place.member("ranges"),
                    format!("expected a list of at most {MAX_RANGES} ranges"),
                );
                &[]
            }
        };
        let ranges_place = &place.member("ranges");
        let ranges = ranges.iter().enumerate();
        let version = hash_version(item.get("hashVersion"), &place.member("hashVersion"), report);
        filters.push(Filter {
            unit: read_unit(
                compiler,
                item.get("attribute"),
                &place.member("attribute"),
                report,
            ),
            seed: Seed::new(&seed, version),
            ranges: ranges
                .filter_map(|(index, range)| read_range(range, &ranges_place.item(index), report))
                .collect(),
            lasting: flag(item.get("lasting"), &place.member("lasting"), report),
        });
    }
    filters
}

/// `true` or `false`; false unless it is given.
pub(super) fn flag(value: &Value, place: &Place<'_>, report: &mut Report) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        _ => {
            report.error(place, "expected `true` or `false`");
            false
        }
    }
}

/// One share, or a ramp: `[{"from": instant, "share": 0.1}, …]`.
fn traffic(value: &Value, place: &Place<'_>, report: &mut Report) -> Vec<TrafficStep> {
    let always = |share| {
        vec![TrafficStep {
            from: Timestamp::MIN,
            share,
        }]
    };
    let items = match value {
        Value::Null => return always(1.0),
        Value::Array(items) if (1..=MAX_STEPS).contains(&items.len()) => items,
        Value::Array(_) => {
            report.error(place, format!("a ramp has 1 to {MAX_STEPS} steps"));
            return always(1.0);
        }
        share => return always(read_share(share, place, report)),
    };
    let mut steps: Vec<TrafficStep> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let place = &place.item(index);
        if let Some(object) = item.as_object() {
            report.unknown_keys(object, place, &[vocabulary::TRAFFIC_STEP]);
        }
        let Some(from) = instant(item.get("from")) else {
            report.error(
                &place.member("from"),
                "expected an instant such as `2026-11-21T10:00:00Z`",
            );
            continue;
        };
        if steps.last().is_some_and(|last| last.from >= from) {
            report.error(&place.member("from"), "each step begins after the one before it");
            continue;
        }
        let share = read_share(item.get("share"), &place.member("share"), report);
        steps.push(TrafficStep { from, share });
    }
    steps
}

fn sticky(
    key: &str,
    value: &Value,
    parts: &[Part],
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Stickiness> {
    let object = match value {
        Value::Null | Value::Bool(false) => return None,
        Value::Bool(true) => None,
        Value::Object(object) => Some(object),
        _ => {
            report.error(place, "expected `true`, or {\"version\": 1, \"minVersion\": 1}");
            return None;
        }
    };
    if let Some(object) = object {
        report.unknown_keys(object, place, &[vocabulary::STICKY]);
    }
    let mut version = |name: &str| match value.get(name) {
        Value::Null => 0,
        Value::Number(number) if number.fract() == 0.0 && (0.0..=MAX_VERSION).contains(number) => {
            *number as u32
        }
        _ => {
            report.error(&place.member(name), "expected a whole number of at least 0");
            0
        }
    };
    let (version, min_version) = (version("version"), version("minVersion"));
    let ids = parts.iter().map(|part| part.id.as_str());
    Some(Stickiness::new(key, version, min_version, ids))
}
