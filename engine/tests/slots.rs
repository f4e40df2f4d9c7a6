//! A program may read more attributes than a decider looks up at once: all of them mean the same.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, decide};
use nearside_engine::decider::Decider;
use nearside_engine::event::{Arrival, Event};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::value::{Object, Value};

/// More than there are slots.
const TRAITS: usize = 90;
const NOON: i64 = 1_795_262_400_000;

/// For each trait a segment of those who have it: its value, not its value, what its list has, and an item's member.
fn program() -> Program {
    let segments = (0..TRAITS).map(|place| {
        let path = format!("profile.traits.t{place}");
        let when = match place % 4 {
            0 => format!(r#"{{"{path}": "v{place}", "request.path": "/"}}"#),
            1 => format!(r#"{{"$nor": [{{"{path}": {{"$in": ["v{place}", null]}}}}]}}"#),
            2 => format!(r#"{{"{path}": {{"$size": 2, "$all": [2]}}}}"#),
            _ => format!(r#"{{"{path}": {{"$elemMatch": {{"name": "v{place}"}}}}, "{path}.0.name": {{"$exists": true}}}}"#),
        };
        format!(r#""s{place}": {{"when": {when}}}"#)
    });
    let manifest = format!(
        r#"{{"segments": {{{}}}}}"#,
        segments.collect::<Vec<_>>().join(",")
    );
    let (program, warnings) = compile(&serde_json::from_str(&manifest).unwrap());
    assert_eq!(warnings, []);
    program
}

fn traits(place: usize, fits: bool) -> String {
    let name = if fits { place } else { TRAITS };
    match place % 4 {
        0 => format!(r#""v{name}""#),
        1 => format!(r#""v{}""#, if fits { TRAITS } else { place }),
        2 => format!("[0, {}]", if fits { 2 } else { 1 }),
        _ => format!(r#"[{{"name": "v{name}"}}]"#),
    }
}

#[test]
fn attributes_mean_the_same_with_a_slot_and_without() {
    let program = program();
    // A program that comes from its bytes has slots too.
    let read = Program::from_bytes(&program.to_bytes()).unwrap();
    assert_eq!(read, program);
    let request = Request::new("https://shop.example/", Object::new());
    let context = Context {
        visitor_id: "v",
        request: &request,
        consent: true,
        forced: &[],
    };
    let (mut state, mut decider) = (State::new(&program), Decider::new());
    for round in 0..5 {
        let told: Vec<String> = (0..TRAITS)
            .filter(|_| round > 0)
            .map(|place| format!(r#""t{place}": {}"#, traits(place, place % 5 < round)))
            .collect();
        let message = format!(
            r#"{{"type": "identify", "anonymousId": "v", "messageId": "m{round}", "traits": {{{}}}}}"#,
            told.join(",")
        );
        let message: Value = serde_json::from_str(&message).unwrap();
        let arrival = Arrival {
            received_at: NOON,
            sent_at: None,
        };
        fold(
            &program,
            &mut state,
            &Event::from_message(&message, arrival, "").unwrap(),
        );
        let decided = decide(&read, &state, &context, NOON);
        let expected: Vec<bool> = (0..TRAITS).map(|place| round > 0 && place % 5 < round).collect();
        // Segments stand in an order of their own.
        for (segment, is_in) in program.segments.iter().zip(&decided.segments) {
            let place: usize = segment.id[1..].parse().unwrap();
            assert_eq!(*is_in, expected[place], "{} in round {round}", segment.id);
        }
        assert_eq!(decider.decide(&program, &mut state, &context, NOON), &decided);
    }
}
