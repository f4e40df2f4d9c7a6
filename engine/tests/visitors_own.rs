//! What the visitor brings along: their clock, how many sessions they had, what they agree to.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, Decisions, Reason, decide};
use nearside_engine::decider::Decider;
use nearside_engine::event::{Arrival, Event};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::time::{DAY, HOUR, MINUTE, Timestamp};
use nearside_engine::value::{Object, Value};

/// A Saturday.
const NOON: Timestamp = 1_795_262_400_000;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn program(rest: &str) -> Program {
    let (program, warnings) = compile(&json(&format!("{{{rest}}}")));
    assert_eq!(warnings, []);
    Program::from_bytes(&program.to_bytes()).unwrap()
}

fn segment(condition: &str) -> Program {
    program(&format!(r#""segments":{{"s":{{"when":{condition}}}}}"#))
}

fn request(members: &str) -> Request {
    Request::new("/", json(members).as_object().cloned().unwrap())
}

fn decided(program: &Program, request: &Request, consent: bool, now: Timestamp) -> Decisions {
    let context = Context {
        visitor_id: "v",
        request,
        consent,
        forced: &[],
    };
    decide(program, &State::new(program), &context, now)
}

/// Follows what is announced, and gives for how many hours from noon on the condition changes.
#[track_caller]
fn hours(condition: &str, time: &str, expected: &[i64]) {
    let program = segment(condition);
    let request = request(&format!(r#"{{"time":{time}}}"#));
    let mut at = NOON;
    let mut found = Vec::new();
    for _ in 0..expected.len() + 1 {
        let decided = decided(&program, &request, true, at);
        let Some(next) = decided.next_change_at else { break };
        assert_eq!((next - NOON) % (30 * MINUTE), 0);
        found.push((next - NOON) / HOUR);
        at = next;
    }
    let shown = &found[..found.len().min(expected.len())];
    assert_eq!(shown, expected, "{condition} at {time}");
}

#[test]
fn the_hour_turns_where_the_visitor_is() {
    let office = r#"{"request.time.hour":{"$gte":9,"$lt":17}}"#;
    hours(office, r#"{"offset":0}"#, &[5, 21, 29, 45]);
    hours(office, r#"{"offset":60}"#, &[4, 20]);
    // In India it is half past five in the afternoon.
    hours(office, r#"{"offset":330}"#, &[15, 23]);
    let work = r#"{"request.time.hour":{"$gte":9,"$lt":17},"request.time.weekday":{"$lte":5}}"#;
    hours(work, r#"{"offset":0}"#, &[45, 53, 69]);
    hours(
        r#"{"request.time.weekday":1}"#,
        r#"{"offset":0}"#,
        &[36, 60, 36 + 168],
    );
    // The clocks are put back on Sunday at one.
    let change = NOON + 13 * HOUR;
    let changing = format!(r#"{{"offset":120,"changesAt":{change},"then":60}}"#);
    hours(
        r#"{"request.time.hour":{"$gte":9,"$lt":17}}"#,
        &changing,
        &[3, 20, 28],
    );
    hours(r#"{"request.time.offset":60}"#, &changing, &[13]);
    // What never comes is not looked for in vain, and without a clock nothing turns.
    hours(r#"{"request.time.hour":{"$gt":23.5}}"#, r#"{"offset":0}"#, &[]);
    hours(office, "{}", &[]);
    hours(office, "null", &[]);
}

#[test]
fn the_hour_and_a_window_that_ends_much_later() {
    // Nothing of it holds before the schedule begins, weeks ahead.
    let from = NOON + 30 * DAY + HOUR;
    let rest = format!(
        r#""experiences":[{{"id":"e","when":{{"request.time.hour":9}},"schedule":{{"from":{from}}},"variants":[{{"id":"v"}}]}}]"#
    );
    let program = program(&rest);
    let request = request(r#"{"time":{"offset":0}}"#);
    let first = decided(&program, &request, true, NOON).next_change_at;
    assert_eq!(first, Some(from));
    let second = decided(&program, &request, true, from).next_change_at;
    assert_eq!(second, Some(NOON + 30 * DAY + 21 * HOUR));
}

#[test]
fn sessions_are_counted() {
    let program = segment(r#"{"profile.sessions":2}"#);
    let mut state = State::new(&program);
    let request = request("{}");
    let mut decider = Decider::new();
    let mut held = Vec::new();
    for (place, time) in [NOON, NOON + MINUTE, NOON + 2 * HOUR, NOON + 5 * HOUR]
        .into_iter()
        .enumerate()
    {
        let message = format!(r#"{{"type":"page","anonymousId":"v","messageId":"m{place}"}}"#);
        let arrival = Arrival {
            received_at: time,
            sent_at: None,
        };
        let event = Event::from_message(&json(&message), arrival, "").unwrap();
        fold(&program, &mut state, &event);
        let context = Context {
            visitor_id: "v",
            request: &request,
            consent: true,
            forced: &[],
        };
        held.push(decider.decide(&program, &mut state, &context, time).segments[0]);
        // Between sessions nothing is added.
        let later = decider.decide(&program, &mut state, &context, time + HOUR);
        assert_eq!(later.segments[0], held[place]);
    }
    assert_eq!(held, [false, false, true, false]);
}

#[test]
fn purposes() {
    let program = program(
        r#""segments":{"s":{"when":{"profile.consent.ads":true}}},
            "experiences":[{"id":"plain","variants":[{"id":"v"}]},
                {"id":"ads","purpose":"ads","queryOverride":true,"variants":[{"id":"v"}]},
                {"id":"same","purpose":"personalization","variants":[{"id":"v"}]}]"#,
    );
    let plain = || Request::new("/?ads=0", Object::new());
    for (request, consent, expected) in [
        // A host that says nothing of purposes.
        (plain(), true, [true, true, true, true]),
        (plain(), false, [false; 4]),
        (
            plain().with_consent(Some("personalization.ads"), true),
            true,
            [true; 4],
        ),
        (plain().with_consent(Some("all"), true), true, [true; 4]),
        (plain().with_consent(None, false), true, [true; 4]),
        (plain().with_consent(None, true), true, [false, true, false, true]),
        (
            plain().with_consent(Some("personalization.adsense"), false),
            true,
            [false, true, false, true],
        ),
        // Without personalisation nothing is made, whatever else is agreed to.
        (
            plain().with_consent(Some("ads"), true),
            false,
            [true, false, false, false],
        ),
    ] {
        let decided = decided(&program, &request, consent, NOON);
        let given = |place: usize| decided.decisions[place].variant.is_some();
        let found = [decided.segments[0], given(0), given(1), given(2)];
        assert_eq!(found, expected, "{request:?} {consent}");
        let ads = &decided.decisions[1];
        assert_eq!(ads.reason == Reason::NoConsent, ads.variant.is_none());
        let elsewhere = request.elsewhere("/b", Object::new());
        assert_eq!(elsewhere.agrees("ads"), request.agrees("ads"));
    }
}

/// Who changes their mind is decided anew, without an event.
#[test]
fn consent_that_is_given_or_taken_back() {
    let program = segment(r#"{"profile.consent.ads":true}"#);
    let mut state = State::new(&program);
    let mut decider = Decider::new();
    for (cookie, consent, expected) in [
        (Some("personalization.ads"), true, true),
        (Some("personalization"), true, false),
        (None, true, true),
        (Some("ads"), false, true),
    ] {
        let request = request("{}").with_consent(cookie, false);
        let context = Context {
            visitor_id: "v",
            request: &request,
            consent,
            forced: &[],
        };
        let decided = decider.decide(&program, &mut state, &context, NOON);
        assert_eq!(decided.segments, [expected], "{cookie:?}");
    }
    // A host that knows of personalisation alone.
    let request = request("{}");
    for consent in [true, false, true] {
        let context = Context {
            visitor_id: "v",
            request: &request,
            consent,
            forced: &[],
        };
        let decided = decider.decide(&program, &mut state, &context, NOON);
        assert_eq!(decided.segments, [consent]);
    }
}
