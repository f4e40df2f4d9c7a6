//! Inputs of a size that nobody means: each is a named error or a bounded result.
//!
//! Conditions that nest 10,000 deep and 5,001 segments are in the compiler's own tests, regular expressions that
//! would take for ever in `regex.rs`.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::compile::{Warning, compile};
use nearside_engine::decide::{Context, decide};
use nearside_engine::event::{Arrival, Event, EventError};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::value::{Object, Value};
use nearside_engine::wire::{MAX_JOURNAL, read_journal, write_journal};
use serde_json::json;

const NOON: i64 = 1_795_262_400_000;
const MEGABYTE: usize = 1 << 20;

fn read(json: serde_json::Value) -> Value {
    serde_json::from_value(json).unwrap()
}

fn program(manifest: serde_json::Value) -> Program {
    let (program, warnings) = compile(&read(manifest));
    // Hosts may say more of a request than the edge does.
    let of_host = |warning: &Warning| warning.message.starts_with("there is no `request.");
    assert!(warnings.iter().all(of_host), "{warnings:?}");
    program
}

/// The only mistake of a manifest, cut to what a person reads of it.
#[track_caller]
fn mistake(manifest: serde_json::Value) -> String {
    let (program, warnings) = compile(&read(manifest));
    assert_eq!(warnings.len(), 1);
    assert_eq!(Program::from_bytes(&program.to_bytes()), Ok(program));
    warnings[0].to_string()
}

fn event(message: serde_json::Value) -> Result<Event, EventError> {
    let arrival = Arrival {
        received_at: NOON,
        sent_at: None,
    };
    Event::from_message(&read(message), arrival, "made")
}

fn segments(program: &Program, state: &State, request: &Request) -> Vec<bool> {
    let context = Context {
        visitor_id: "v",
        request,
        consent: true,
        forced: &[],
    };
    decide(program, state, &context, NOON).segments
}

#[test]
fn ten_thousand_saved_groups_are_taken_and_one_more_is_a_mistake() {
    let manifest = |count: usize| {
        let groups: serde_json::Map<_, _> = (0..count)
            .map(|index| (format!("g{index}"), json!([format!("u{index}")])))
            .collect();
        json!({"groups": groups, "segments": {"last": {"when": {"profile.userId": {"$inGroup": "g9999"}}}}})
    };
    let program = program(manifest(10_000));
    let mut state = State::new(&program);
    let identify = json!({"type": "identify", "userId": "u9999"});
    fold(&program, &mut state, &event(identify).unwrap());
    assert_eq!(
        segments(&program, &state, &Request::new("/", Object::new())),
        [true]
    );
    let (_, warnings) = compile(&read(manifest(10_001)));
    assert_eq!(warnings[0].to_string(), "error: $.groups: more than 10000 groups");
}

#[test]
fn ten_thousand_groups_of_events_leave_the_newest() {
    let program = program(json!({"segments": {
        "counted": {"when": {"$events": {"name": "A", "in": "visitor", "by": "properties.k", "count": {"$gte": 2}}}},
        "in-order": {"when": {"$sequence": {"steps": [{"name": "A"}, {"name": "A"}], "in": "visitor", "by": "properties.k"}}},
    }}));
    let mut state = State::new(&program);
    let mut add = |index: i64, group: i64| {
        let message = json!({"type": "track", "event": "A", "userId": "u", "messageId": format!("m{index}"),
            "timestamp": NOON - 100_000 + index, "properties": {"k": group}});
        fold(&program, &mut state, &event(message).unwrap());
        let request = Request::new("/", Object::new());
        segments(&program, &state, &request)
    };
    for index in 0..10_000 {
        assert_eq!(add(index, index), [false, false]);
    }
    // The first group is forgotten, the last one is not.
    assert_eq!(add(10_000, 0), [false, false]);
    assert_eq!(add(10_001, 9_999), [true, true]);
    let bytes = state.to_bytes(&program);
    assert!(bytes.len() < 2_500, "{} bytes", bytes.len());
}

#[test]
fn a_megabyte_of_text_in_a_manifest() {
    let text = "a".repeat(MEGABYTE);
    let constants = json!({"segments": {
        "equal": {"when": {"request.a": text}},
        "in": {"when": {"request.a": {"$in": [text]}}},
        "any-case": {"when": {"request.a": {"$ini": [text]}}},
        "text": {"when": {"request.a": {"$containsi": text}}},
    }});
    let program = program(constants);
    assert_eq!(Program::from_bytes(&program.to_bytes()), Ok(program.clone()));
    let state = State::new(&program);
    for (value, expected) in [(&text[..], true), (&text[1..], false)] {
        let document: Object = [("a", Value::from(value))].into_iter().collect();
        let request = Request::new("/", document);
        assert_eq!(segments(&program, &state, &request), [expected; 4]);
    }
    let named = |said: String, words: &str| {
        assert!(said.contains(words), "{}", &said[..said.len().min(500)]);
    };
    named(
        mistake(json!({"segments": {"s": {"when": {"profile.traits.a": {"$regex": text}}}}})),
        "1000 characters",
    );
    named(
        mistake(json!({"segments": {"s": {"when": {(format!("request.{text}.{}", "b.".repeat(100))): 1}}}})),
        "a path has at most",
    );
    named(
        mistake(
            json!({"experiences": [{"id": "e", "pages": [{"path": format!("/{text}")}], "variants": [{"id": "v"}]}]}),
        ),
        "longer than 500 characters",
    );
    named(
        mistake(
            json!({"experiences": [{"id": "e", "variants": [{"id": "v", "mutations":
            [{"op": "text", "selector": "h1", "value": text}]}]}]}),
        ),
        "100000",
    );
}

#[test]
fn a_megabyte_of_text_in_an_event() {
    let text = "é".repeat(MEGABYTE / 2);
    for (field, limit) in [
        ("event", 200),
        ("userId", 200),
        ("anonymousId", 200),
        ("messageId", 100),
    ] {
        let mut message = json!({"type": "track", "event": "A", "userId": "u"});
        message[field] = json!(text);
        assert_eq!(event(message), Err(EventError::TooLong(field, limit)), "{field}");
    }
    let program = program(json!({
        "affinities": {"k": {"of": "properties.k", "on": [{"type": "track"}, {"type": "identify"}], "halfLife": "1d"}},
        "segments": {
            "trait": {"when": {"profile.traits.plan": {"$exists": true}}},
            "landing": {"when": {"session.landingPage": {"$exists": true}}},
            "group": {"when": {"$events": {"in": "visitor", "by": "properties.k"}}},
            "affinity": {"when": {"affinity.k.top": {"$exists": true}}},
        },
    }));
    let mut state = State::new(&program);
    for kind in ["page", "track", "identify"] {
        let message = json!({"type": kind, "event": "A", "userId": "u", "messageId": kind,
            "properties": {"k": text, "path": text, "url": text}, "traits": {"plan": text},
            "context": {"page": {"url": text, "referrer": text}, "campaign": {"source": text}}});
        let event = event(message).unwrap();
        fold(&program, &mut state, &event);
        // It does not fit into a journal, which says so.
        let (journal, skipped) = write_journal(std::slice::from_ref(&event));
        assert_eq!((journal.len(), skipped), (0, 1));
    }
    let bytes = state.to_bytes(&program);
    assert!(bytes.len() < 2_000, "{} bytes", bytes.len());
    assert_eq!(State::from_bytes(&program, &bytes), Ok(state.clone()));
    // A trait that does not fit is unknown; the rest is cut.
    let request = Request::new(&text, Object::new());
    assert!(!segments(&program, &state, &request)[position(&program, "trait")]);
    assert!(segments(&program, &state, &request)[position(&program, "landing")]);
}

fn position(program: &Program, segment: &str) -> usize {
    let found = program.segments.iter().position(|known| known.id == segment);
    found.unwrap()
}

#[test]
fn a_megabyte_of_address_and_of_journal() {
    let request = Request::new(&"/a?b=c&".repeat(MEGABYTE / 7), Object::new());
    assert!(request.url().len() <= 4_096);
    assert!(read_journal(&"A".repeat(MEGABYTE), NOON).is_err());
    assert!(read_journal(&"A".repeat(MAX_JOURNAL + 1), NOON).is_err());
}

/// Values this deep come from no parser that is in use: they are built here, and need room to be dropped.
#[test]
fn ten_thousand_levels_in_an_event_are_named() {
    let test = || {
        for field in ["properties", "traits", "context"] {
            let deep = (0..10_000).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
            let holder: Object = [("a", deep)].into_iter().collect();
            let mut message = Object::new();
            message.insert("type", "page");
            message.insert("userId", "u");
            message.insert(field, holder);
            let arrival = Arrival {
                received_at: NOON,
                sent_at: None,
            };
            let found = Event::from_message(&Value::Object(message), arrival, "made");
            assert_eq!(found, Err(EventError::TooDeep(field)));
        }
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test);
    thread.unwrap().join().unwrap();
}
