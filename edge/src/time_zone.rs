//! The visitor's time: how far their clock is from UTC, now and after its next change.
//!
//! The runtime knows the time zones of the world; nothing of them is shipped with the worker.

use nearside_engine::time::{DAY, HOUR, MINUTE, Timestamp};
use nearside_engine::value::Object;
use std::cell::RefCell;
use std::collections::HashMap;
use worker::js_sys::{Array, Function, Object as JsObject, Reflect, global};
use worker::wasm_bindgen::{JsCast, JsValue};

/// How far ahead a change of the clocks is looked for: pages stay open for days.
const AHEAD: i64 = 8 * DAY;

/// What was found out of a zone holds for so long: a change of its clocks is known days ahead.
const FRESH: i64 = HOUR;

/// So many zones are remembered: there are some four hundred.
const MAX_ZONES: usize = 512;

/// What is known of a zone, and since when.
type Known = (Timestamp, Option<Object>);

thread_local! {
    /// To ask the runtime takes longer than all decisions, and visitors of a site share few zones.
    static ZONES: RefCell<HashMap<String, Known>> = RefCell::default();
}

/// What conditions read of `request.time` is made of this: `{"offset", "changesAt"?, "then"?}`. `None` if the
/// runtime does not know the zone.
pub(crate) fn time_in(zone: &str, now: Timestamp) -> Option<Object> {
    remembered(zone, now, || {
        let clock = clock(zone)?;
        described(now, |at| {
            let shown = clock.call1(&JsValue::UNDEFINED, &JsValue::from_f64(at as f64));
            offset(&shown.ok()?.as_string()?)
        })
    })
}

/// What is known of a zone; found out, if that was too long ago.
fn remembered(zone: &str, now: Timestamp, find: impl FnOnce() -> Option<Object>) -> Option<Object> {
    ZONES.with_borrow_mut(|zones| {
        if let Some((since, known)) = zones.get(zone)
            && (*since..since.saturating_add(FRESH)).contains(&now)
        {
            return known.clone();
        }
        if zones.len() >= MAX_ZONES {
            zones.clear();
        }
        let found = find();
        zones.insert(zone.to_owned(), (now, found.clone()));
        found
    })
}

/// A function that writes an instant with the zone's distance from UTC.
fn clock(zone: &str) -> Option<Function> {
    let member = |of: &JsValue, name: &str| Reflect::get(of, &JsValue::from_str(name)).ok();
    let options = JsObject::new();
    for (name, value) in [("timeZone", zone), ("timeZoneName", "longOffset")] {
        Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value)).ok()?;
    }
    let constructor = member(&member(&global(), "Intl")?, "DateTimeFormat")?;
    let arguments = Array::of2(&JsValue::from_str("en"), &options);
    // What it throws for a zone that it does not know is caught here.
    let format = Reflect::construct(constructor.dyn_ref::<Function>()?, &arguments).ok()?;
    member(&format, "format")?.dyn_into().ok()
}

/// Finds the offset at an instant, and the change that lies ahead, to the minute.
fn described(now: Timestamp, offset_at: impl Fn(Timestamp) -> Option<f64>) -> Option<Object> {
    let mut time = Object::new();
    let offset = offset_at(now)?;
    time.insert("offset", offset);
    // Clocks are changed at full minutes.
    let (mut before, mut after) = (now / MINUTE, (now + AHEAD) / MINUTE);
    let then = offset_at(after * MINUTE)?;
    if then != offset {
        while after - before > 1 {
            let middle = before.midpoint(after);
            if offset_at(middle * MINUTE)? == offset {
                before = middle;
            } else {
                after = middle;
            }
        }
        time.insert("changesAt", (after * MINUTE) as f64);
        time.insert("then", then);
    }
    Some(time)
}

/// The minutes ahead of UTC in a text that ends with `GMT`, `GMT+05:30` or `GMT-8`.
fn offset(text: &str) -> Option<f64> {
    let (_, distance) = text.rsplit_once("GMT")?;
    let Some(sign) = distance.chars().next() else {
        return Some(0.0);
    };
    let sign = match sign {
        '+' => 1.0,
        '-' | '\u{2212}' => -1.0,
        _ => return None,
    };
    let digits = distance.trim_start_matches(['+', '-', '\u{2212}']);
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(sign * (f64::from(hours) * 60.0 + f64::from(minutes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearside_engine::value::Value;

    #[test]
    fn offsets() {
        for (text, expected) in [
            ("11/22/2026, GMT", Some(0.0)),
            ("11/22/2026, GMT+01:00", Some(60.0)),
            ("GMT+05:30", Some(330.0)),
            ("GMT-08:00", Some(-480.0)),
            ("GMT\u{2212}3", Some(-180.0)),
            ("11/22/2026, UTC", None),
            ("GMT+x", None),
            ("", None),
        ] {
            assert_eq!(offset(text), expected, "{text}");
        }
    }

    #[test]
    fn a_zone_is_asked_for_once_an_hour() {
        let asked = std::cell::Cell::new(0);
        let ask = |zone: &str, now| {
            let time = remembered(zone, now, || {
                asked.set(asked.get() + 1);
                (zone != "None/Such").then(Object::new)
            });
            (time.is_some(), asked.get())
        };
        assert_eq!(ask("Europe/Vienna", HOUR), (true, 1));
        assert_eq!(ask("Europe/Vienna", 2 * HOUR - 1), (true, 1));
        assert_eq!(ask("None/Such", HOUR), (false, 2));
        assert_eq!(ask("None/Such", HOUR + 1), (false, 2));
        assert_eq!(ask("Europe/Vienna", 2 * HOUR), (true, 3));
        // A clock that was put back.
        assert_eq!(ask("Europe/Vienna", HOUR), (true, 4));
        for zone in 0..2_000 {
            ask(&zone.to_string(), HOUR);
        }
        assert!(ZONES.with_borrow(|zones| zones.len() <= MAX_ZONES));
    }

    #[test]
    fn a_change_ahead_is_found_to_the_minute() {
        let now = 1_795_390_200_123;
        for (change, is_ahead) in [
            (now / MINUTE * MINUTE + MINUTE, true),
            (now / MINUTE * MINUTE + 3 * DAY + 7 * MINUTE, true),
            (now + 9 * DAY, false),
            (now - HOUR, false),
        ] {
            let offset_at = |at| Some(if at < change { 120.0 } else { 60.0 });
            let time = Value::Object(described(now, offset_at).unwrap());
            assert_eq!(time.get("offset").as_f64(), offset_at(now));
            let found = time.get("changesAt").as_f64().map(|at| at as Timestamp);
            assert_eq!(found, is_ahead.then_some(change));
            assert_eq!(time.get("then").as_f64(), is_ahead.then_some(60.0));
        }
        assert_eq!(described(now, |_| None), None);
    }
}
