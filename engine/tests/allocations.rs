//! Deciding again allocates nothing, whatever the conditions read.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::compile::{Warning, compile};
use nearside_engine::decide::Context;
use nearside_engine::decider::Decider;
use nearside_engine::event::{Arrival, Event};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::time::{DAY, HOUR, MINUTE, SECOND, Timestamp};
use nearside_engine::value::{Object, Value};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// How often this thread has asked for memory: tests run beside each other.
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all that it does besides counting is what the system's allocator does.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NOON: Timestamp = 1_795_262_400_000;

/// Texts in which case is ignored, also where its forms have other lengths than the text.
const LANGUAGE: &str = "Französisch ΟΔΟς İstanbul";

fn request() -> Request {
    let text = r#"{
        "referrer": "https://search.example/?q=Zelte", "language": "Französisch ΟΔΟς İstanbul", "bot": false,
        "geo": {"country": "FR", "lat": 48.86, "lon": 2.35}, "time": {"offset": 60}, "device": {"type": "Mobile", "width": 390},
        "app": {"version": "2.10.3-beta.1"}, "tags": ["Beta", "VIP", "ÉTÉ"], "lines": [{"sku": "a", "price": 12}, {"sku": "b", "price": 3}]
    }"#;
    let extra: Object = match serde_json::from_str(text).unwrap() {
        Value::Object(extra) => extra,
        _ => Object::new(),
    };
    Request::new("https://shop.example/products/tents?utm_source=Mail&q=1", extra)
}

fn message(place: usize, time: Timestamp) -> Event {
    let rest = match place % 9 {
        0 => r#""type": "page", "properties": {"category": "tents", "path": "/Products/A"}"#,
        1 => {
            r#""type": "track", "event": "Product Viewed", "properties": {"category": "bikes", "price": 20}"#
        }
        2 => {
            r#""type": "track", "event": "Product Added", "properties": {"category": "tents", "price": 30.5}"#
        }
        3 => {
            r#""type": "track", "event": "Order Completed", "properties": {"category": "hats", "price": 99}"#
        }
        4 => {
            r#""type": "identify", "userId": "u1", "traits": {"plan": "Gold", "age": 30, "email": "Ada@Acme.example", "version": "1.2.3", "tags": ["x", "y"]}"#
        }
        5 => {
            r#""type": "track", "event": "Product Viewed", "properties": {"category": "Zelte & mehr", "price": 7}"#
        }
        6 => r#""type": "identify", "userId": "u1", "traits": {"plan": "free", "age": 31, "email": null}"#,
        7 => {
            r#""type": "page", "properties": {"category": "bikes", "path": "/cart"}, "context": {"campaign": {"source": "mail"}}"#
        }
        _ => r#""type": "track", "event": "Signed Up""#,
    };
    let text = format!(r#"{{"messageId": "m{place}", "anonymousId": "v", {rest}}}"#);
    let arrival = Arrival {
        received_at: time,
        sent_at: None,
    };
    Event::from_message(&serde_json::from_str(&text).unwrap(), arrival, "").unwrap()
}

/// Decides for a visitor to whom everything happens, and gives how often memory was asked for in decisions
/// after the first, and how often these differed from the one before.
fn run(program: &Program) -> (usize, usize) {
    let request = request();
    let mut state = State::new(program);
    let mut decider = Decider::new();
    let context = Context {
        visitor_id: "visitor-1",
        request: &request,
        consent: true,
        forced: &[],
    };
    let (mut allocations, mut differences) = (0, 0);
    let mut now = NOON;
    let mut decide = |state: &mut State, now: Timestamp, is_first: bool| {
        let known = decider.decisions().clone();
        let before = ALLOCATIONS.get();
        let decisions = decider.decide(program, state, &context, now);
        let asked = ALLOCATIONS.get() - before;
        if !is_first {
            allocations += asked;
            let is_other = (&known.segments, &known.features, &known.decisions)
                != (&decisions.segments, &decisions.features, &decisions.decisions);
            differences += usize::from(is_other);
        }
        let kept = decider.decisions().clone();
        state.keep_sticky(program, &context, &kept, now);
    };
    decide(&mut state, now, true);
    for place in 0..400 {
        now += match place % 7 {
            0 => 3 * SECOND,
            1 => 2 * MINUTE,
            2 => 11 * MINUTE,
            3 => 40 * MINUTE,
            4 => 0,
            5 => 3 * HOUR,
            _ => DAY / 3,
        };
        fold(program, &mut state, &message(place, now));
        decide(&mut state, now, false);
        // Nothing happens, but time goes by.
        for pause in [SECOND, 7 * MINUTE, HOUR] {
            now += pause;
            decide(&mut state, now, false);
        }
    }
    (allocations, differences)
}

const SHARED: &str = r#"
    "groups": {"countries": ["FR", "DE"], "people": ["u1", "u2"]},
    "scores": {"engaged": {"on": [{"name": "Product Viewed", "points": 1}, {"name": "Order Completed", "points": 10}], "halfLife": "1h", "cap": 30}},
    "affinities": {"category": {"of": "properties.category", "on": [{"name": "Product Viewed", "points": 1}, {"type": "page", "points": 0.5}], "halfLife": "2h", "keep": 4}}
"#;

/// Whether the compiler warned of more than attributes of the request that only a host of its own has.
fn has_mistakes(warnings: &[Warning]) -> bool {
    let of_host = |warning: &Warning| warning.message.starts_with("there is no `request.");
    !warnings.iter().all(of_host)
}

/// One condition, as a segment, an experience's own, and a feature's rule, held against the counter.
#[track_caller]
fn check(condition: &str) {
    let manifest = format!(
        r#"{{{SHARED}, "segments": {{"s": {{"when": {condition}}}, "other": {{"when": {{"$not": {{"$segment": "s"}}}}}}}},
            "features": {{"f": {{"default": 0, "rules": [{{"when": {condition}, "value": 1}}]}}}},
            "experiences": [{{"id": "e", "when": {condition}, "variants": [{{"id": "a"}}, {{"id": "b"}}]}}]}}"#
    );
    let (program, warnings) = compile(&serde_json::from_str(&manifest).unwrap());
    assert!(!has_mistakes(&warnings), "{warnings:?}");
    assert_eq!(run(&program).0, 0, "{condition}");
}

/// The same, of a condition that must both begin and cease to hold.
#[track_caller]
fn check_changing(condition: &str) {
    let manifest = format!(r#"{{{SHARED}, "segments": {{"s": {{"when": {condition}}}}}}}"#);
    let (program, _) = compile(&serde_json::from_str(&manifest).unwrap());
    assert!(run(&program).1 > 0, "{condition} never differs");
    check(condition);
}

#[test]
fn the_counter_counts() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![1]));
    assert_eq!(ALLOCATIONS.get(), before + 1);
}

#[test]
fn event_conditions() {
    for aggregates in [
        r#""count": {"$gte": 2}"#,
        r#""count": {"$lt": 3}"#,
        r#""count": {"$in": [1, 2, 3]}"#,
        r#""sum": {"of": "properties.price", "$gt": 40}"#,
        r#""min": {"of": "properties.price", "$lt": 20}"#,
        r#""max": {"of": "properties.price", "$gte": 30}"#,
        r#""avg": {"of": "properties.price", "$between": [10, 40]}"#,
        r#""distinct": {"of": "properties.category", "$gte": 2}"#,
        r#""first": {"ago": {"$gt": "10m"}}"#,
        r#""last": {"ago": {"$lt": "1h"}}"#,
        r#""first": {"of": "properties.category", "is": "tents"}"#,
        r#""last": {"of": "properties.category", "is": {"$startsi": "Z"}}"#,
        r#""mostFrequent": {"of": "properties.category", "is": "tents"}"#,
        r#""by": "properties.category", "count": {"$gte": 2}"#,
    ] {
        let aggregates = aggregates.replace("$startsi", "$startsWithi");
        for scope in [
            r#""in": "visitor", "within": "6h""#,
            r#""in": "visitor""#,
            r#""in": "session""#,
        ] {
            check(&format!(r#"{{"$events": {{{scope}, {aggregates}}}}}"#));
        }
        check_changing(&format!(
            r#"{{"$events": {{"in": "visitor", "within": "6h", "where": {{"properties.category": {{"$exists": true}}}}, {aggregates}}}}}"#
        ));
    }
}

#[test]
fn sequences_and_held_attributes() {
    for condition in [
        r#"{"$sequence": {"steps": [{"name": "Product Viewed"}, {"name": "Product Added", "within": "2h"}], "in": "visitor", "within": "1d"}}"#,
        r#"{"$sequence": {"steps": [{"name": "Product Added"}, {"not": {"name": "Product Viewed"}}, {"name": "Order Completed"}], "in": "visitor", "completed": {"ago": {"$lt": "1d"}}}}"#,
        r#"{"$sequence": {"steps": [{"name": "Product Added"}, {"not": {"name": "Order Completed"}, "for": "15m"}], "in": "visitor"}}"#,
        r#"{"$sequence": {"steps": [{"type": "page"}, {"name": "Product Viewed"}], "by": "properties.category", "in": "visitor", "within": "8h"}}"#,
        r#"{"$held": {"path": "profile.traits.plan", "is": "Gold", "for": "1h"}}"#,
    ] {
        check_changing(condition);
    }
    check(r#"{"$sequence": {"steps": [{"type": "page"}, {"name": "Product Viewed"}]}}"#);
}

#[test]
fn scores_and_affinities() {
    for condition in [
        r#"{"score.engaged": {"$gte": 5}}"#,
        r#"{"affinity.category.top": "tents"}"#,
        r#"{"affinity.category.second": {"$ini": ["TENTS", "bikes", "ZELTE & MEHR"]}}"#,
        r#"{"affinity.category.weight.tents": {"$gt": 0.5}}"#,
        r#"{"affinity.category.weight.Zelte & mehr": {"$gt": 0.5}}"#,
    ] {
        check_changing(condition);
    }
    check(r#"{"affinity.category.weight.1.5": {"$gt": 0.5}}"#);
}

#[test]
fn attributes_of_session_and_profile() {
    for condition in [
        r#"{"session.number": {"$in": [2, 5, 9]}}"#,
        r#"{"session.pageViews": {"$gte": 1}}"#,
        r#"{"session.duration": {"$gt": 60}}"#,
        r#"{"session.landingPage": {"$contains": "products"}}"#,
        r#"{"session.campaign.source": {"$exists": true}}"#,
        r#"{"profile.traits.plan": "Gold"}"#,
        r#"{"profile.traits.plan": {"$ini": ["GOLD", "silver"]}}"#,
        r#"{"profile.traits.email": {"$regexi": "^ada@(.+\\.)?example$"}}"#,
        r#"{"profile.traits.age": {"$between": [31, 40]}}"#,
    ] {
        if condition.contains("landing") || condition.contains("campaign") {
            check(condition);
        } else {
            check_changing(condition);
        }
    }
    for condition in [
        r#"{"request.time.hour": {"$gte": 9, "$lt": 17}, "request.time.weekday": {"$lte": 5}}"#,
        r#"{"profile.sessions": {"$in": [2, 5, 9]}}"#,
        r#"{"profile.consent.ads": true}"#,
        r#"{"session.isNew": true}"#,
        r#"{"session.referrer": {"$containsi": "SEARCH"}}"#,
        r#"{"profile.userId": {"$inGroup": "people"}}"#,
        r#"{"profile.identified": true}"#,
        r#"{"profile.firstSeenAt": {"$gt": "2026-01-01T00:00:00Z"}}"#,
        r#"{"profile.traits.version": {"$vgte": "1.2.0"}}"#,
        r#"{"profile.traits.tags.length": 2}"#,
        r#"{"profile.traits.nothing.at.all": null}"#,
        r#"{"visitor.id": {"$endsWith": "-1"}}"#,
    ] {
        check(condition);
    }
}

#[test]
fn every_operator() {
    let text = LANGUAGE.to_uppercase();
    for test in [
        r#"{"request.path": "/products/tents"}"#.to_owned(),
        r#"{"request.lines": [{"sku": "a", "price": 12}, {"sku": "b", "price": 3}]}"#.to_owned(),
        r#"{"request.geo.country": {"$eq": "FR"}}"#.to_owned(),
        r#"{"request.device.width": {"$ne": 1, "$lt": 400, "$lte": 390, "$gt": 1, "$gte": 390}}"#.to_owned(),
        r#"{"request.language": {"$gt": "Französisch", "$lt": "Z"}}"#.to_owned(),
        r#"{"request.device.width": {"$gt": "20", "$lt": "400"}}"#.to_owned(),
        r#"{"request.geo.country": {"$in": ["FR", 1, null], "$nin": ["DE"]}}"#.to_owned(),
        format!(r#"{{"request.language": {{"$ini": ["x", "{text}"], "$nini": ["straße"]}}}}"#),
        r#"{"request.tags": {"$in": ["VIP"], "$ini": ["été"], "$all": ["Beta"], "$alli": ["BETA", "été"]}}"#.to_owned(),
        r#"{"request.bot": {"$exists": true, "$type": "boolean"}}"#.to_owned(),
        r#"{"request.tags": {"$size": {"$gt": 2}, "$elemMatch": {"$eq": "VIP"}}}"#.to_owned(),
        r#"{"request.lines": {"$elemMatch": {"sku": "b", "price": {"$lt": 5}}}}"#.to_owned(),
        r#"{"request.language": {"$regex": "^Fran.*(bul|x)$", "$regexi": "οδος|ΟΔΟΣ"}}"#.to_owned(),
        r#"{"request.app.version": {"$veq": "2.10.3-beta.1", "$vne": "2", "$vlt": "2.10.3", "$vlte": "3.0.0", "$vgt": "2.9.9", "$vgte": "2.10.0"}}"#.to_owned(),
        r#"{"request.geo.country": {"$inGroup": "countries"}, "request.utm.source": {"$notInGroup": "countries"}}"#.to_owned(),
        r#"{"request.geo": {"$near": {"lat": 48.8, "lon": 2.3, "km": 20}}}"#.to_owned(),
        r#"{"request.language": {"$startsWith": "Fr", "$endsWith": "bul", "$contains": "ΟΔ"}}"#.to_owned(),
        r#"{"request.language": {"$startsWithi": "FRANZÖ", "$endsWithi": "STANBUL", "$containsi": "οδος"}}"#.to_owned(),
        r#"{"request.device.type": {"$startsWithi": "mob", "$endsWithi": "ILE", "$containsi": "OBI"}}"#.to_owned(),
        r#"{"request.device.width": {"$between": [300, 400], "$not": {"$gt": 1000}}}"#.to_owned(),
        r#"{"$or": [{"request.tags.1": "VIP"}, {"$nor": [{"request.query.q": "1"}, {"$not": {"request.bot": true}}]}]}"#.to_owned(),
        r#"{"request.lines.0.price": {"$gte": 12}, "request.tags.length": 3}"#.to_owned(),
    ] {
        check(&test);
        // So that it is asked again whenever something happens, and all of it.
        check(&format!(r#"{{"$and": [{{"session.pageViews": {{"$gte": 0}}}}, {test}]}}"#));
        check(&format!(r#"{{"$or": [{{"session.pageViews": {{"$lt": 0}}}}, {test}, {{"session.duration": {{"$gt": 100}}}}]}}"#));
    }
}

#[test]
fn experiences_and_features() {
    let manifest = format!(
        r#"{{{SHARED},
        "segments": {{"keen": {{"when": {{"$events": {{"name": "Product Viewed", "in": "visitor", "within": "3h", "count": {{"$gte": 2}}}}}}}}}},
        "features": {{
            "first": {{"default": "no", "rules": [{{"when": {{"score.engaged": {{"$gt": 4}}}}, "value": "yes"}}]}},
            "second": {{"default": 0, "rules": [
                {{"gate": {{"$feature": {{"id": "first", "is": "yes"}}}}, "hashAttribute": "profile.traits.age", "fallbackAttribute": "visitor.id", "sticky": true,
                  "filters": [{{"seed": "x", "attribute": "profile.userId", "ranges": [[0, 0.9]]}}],
                  "variants": [{{"value": 1}}, {{"value": {{"a": 2}}}}], "traffic": [{{"from": "2026-11-21T00:00:00Z", "share": 0.5}}, {{"from": "2026-12-01T00:00:00Z", "share": 1}}]}},
                {{"hashAttribute": "profile.traits.email", "range": [0, 0.5], "when": {{"$segment": "keen"}}, "value": 3}}]}},
            "third": {{"default": 0, "rules": [{{"requires": {{"$feature": {{"id": "second", "path": "a", "is": {{"$gt": 1}}}}}}, "value": 5, "queryOverride": true}}]}}
        }},
        "experiences": [
            {{"id": "a", "segment": "keen", "group": "g", "priority": 2, "holdout": 0.2, "variants": [{{"id": "x"}}, {{"id": "y"}}]}},
            {{"id": "b", "group": "g", "priority": 1, "pages": [{{"path": "/products/*"}}], "variants": [{{"id": "x"}}], "sticky": {{"version": 2, "minVersion": 1}}}},
            {{"id": "c", "group": "g", "schedule": {{"from": "2026-11-22T00:00:00Z", "to": "2026-12-24T00:00:00Z"}}, "variants": [{{"id": "x"}}], "traffic": 0.9}},
            {{"id": "d", "hashAttribute": "profile.userId", "sticky": true, "when": {{"$feature": {{"id": "first", "is": "yes"}}}}, "variants": [{{"id": "x"}}, {{"id": "y"}}]}},
            {{"id": "e", "queryOverride": "q", "requires": {{"affinity.category.top": "bikes"}}, "variants": [{{"id": "x"}}, {{"id": "y"}}]}},
            {{"id": "f", "status": "paused", "variants": [{{"id": "x"}}]}}
        ]}}"#
    );
    let (program, warnings) = compile(&serde_json::from_str(&manifest).unwrap());
    assert!(!has_mistakes(&warnings), "{warnings:?}");
    let (allocations, differences) = run(&program);
    assert_eq!(allocations, 0);
    assert!(differences > 20, "{differences}");
}

#[test]
fn attributes_that_become_too_old() {
    let manifest = format!(
        r#"{{{SHARED},
        "attributes": {{"profile.traits.plan": {{"maxAge": "5h"}}, "profile.traits.age": {{"maxAge": "2h", "whenStale": {{"default": 7}}}}}},
        "segments": {{"gold": {{"when": {{"profile.traits.plan": "Gold"}}}},
            "grown": {{"when": {{"profile.traits.age": {{"$gt": 18}}, "$events": {{"name": "Product Viewed", "in": "visitor", "within": "3h", "count": {{"$gte": 2}}}}}}}}}},
        "features": {{"f": {{"default": 0, "rules": [{{"segment": "grown", "value": 1}}]}}}},
        "experiences": [
            {{"id": "a", "segment": "gold", "group": "g", "priority": 2, "variants": [{{"id": "x"}}, {{"id": "y"}}]}},
            {{"id": "b", "group": "g", "when": {{"$feature": {{"id": "f", "is": 1}}}}, "variants": [{{"id": "x"}}]}}
        ]}}"#
    );
    let (program, warnings) = compile(&serde_json::from_str(&manifest).unwrap());
    assert!(!has_mistakes(&warnings), "{warnings:?}");
    let (allocations, differences) = run(&program);
    assert_eq!(allocations, 0);
    assert!(differences > 20, "{differences}");
}
