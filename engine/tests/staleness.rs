//! Attributes that become too old: what is read then, which decisions that changes, and when.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, Decision, Decisions, Reason, decide};
use nearside_engine::event::{Arrival, Event};
use nearside_engine::explain::explain;
use nearside_engine::facts::edits;
use nearside_engine::fold::{fold, fold_profile};
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::{Snapshot, State};
use nearside_engine::time::{DAY, HOUR, MINUTE, Timestamp};
use nearside_engine::value::{Object, Value};

const NOON: Timestamp = 1_795_262_400_000;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A program in which `plan` is stale after a day, read back from its bytes.
fn program(when_stale: &str, rest: &str) -> Program {
    let manifest = format!(
        r#"{{"attributes":{{"profile.traits.plan":{{"maxAge":"1d"{when_stale}}}}},
            "segments":{{"gold":{{"when":{{"profile.traits.plan":"gold"}}}}}}{rest}}}"#
    );
    let (program, warnings) = compile(&json(&manifest));
    assert_eq!(warnings, []);
    Program::from_bytes(&program.to_bytes()).unwrap()
}

fn identify(user: &str, traits: &str, time: Timestamp) -> Event {
    let message = format!(
        r#"{{"type":"identify","anonymousId":"v","userId":"{user}","messageId":"{user}-{time}","traits":{traits}}}"#
    );
    let arrival = Arrival {
        received_at: time,
        sent_at: None,
    };
    Event::from_message(&json(&message), arrival, "").unwrap()
}

fn told(program: &Program, traits: &[(&str, Timestamp)]) -> State {
    let mut state = State::new(program);
    for (traits, time) in traits {
        fold(program, &mut state, &identify("u", traits, *time));
    }
    State::from_bytes(program, &state.to_bytes(program)).unwrap()
}

fn decided(program: &Program, state: &State, now: Timestamp) -> Decisions {
    let request = Request::new("/", Object::new());
    decide(program, state, &context(&request), now)
}

fn context(request: &Request) -> Context<'_> {
    Context {
        visitor_id: "v",
        request,
        consent: true,
        forced: &[],
    }
}

const EXPERIENCES: &str = r#","experiences":[
    {"id":"for-gold","segment":"gold","group":"g","priority":1,"variants":[{"id":"v"}]},
    {"id":"for-all","group":"g","variants":[{"id":"v"}]},
    {"id":"elsewhere","segment":"gold","pages":[{"path":"/b"}],"variants":[{"id":"v"}]}]"#;

fn decisions(decided: &Decisions) -> [(Option<u16>, Reason); 3] {
    let pair = |decision: &Decision| (decision.variant, decision.reason);
    let found: Vec<_> = decided.decisions.iter().map(pair).collect();
    found.try_into().unwrap()
}

#[test]
fn a_stale_value_is_unknown_and_what_that_changed_says_so() {
    let program = program("", EXPERIENCES);
    let state = told(&program, &[(r#"{"plan":"gold"}"#, NOON)]);
    let fresh = decided(&program, &state, NOON + DAY - 1);
    assert_eq!(fresh.segments, [true]);
    assert_eq!(
        decisions(&fresh),
        [
            (Some(0), Reason::Assigned),
            (None, Reason::Excluded),
            (None, Reason::OffPage)
        ]
    );
    assert_eq!(fresh.next_change_at, Some(NOON + DAY));
    let stale = decided(&program, &state, NOON + DAY);
    assert_eq!(stale.segments, [false]);
    // The other one of the group is given in its place, for the same reason; who is elsewhere is there anyway.
    assert_eq!(
        decisions(&stale),
        [
            (None, Reason::StaleData),
            (Some(0), Reason::StaleData),
            (None, Reason::OffPage)
        ]
    );
    assert_eq!(stale.next_change_at, None);
}

#[test]
fn a_default_or_the_old_value_may_be_taken() {
    let silver = program(r#","whenStale":{"default":"silver"}"#, EXPERIENCES);
    let state = told(&silver, &[(r#"{"plan":"gold"}"#, NOON)]);
    assert_eq!(decided(&silver, &state, NOON + DAY).segments, [false]);
    let gold = program(r#","whenStale":{"default":"gold"}"#, EXPERIENCES);
    // Nothing differs.
    let state = told(&gold, &[(r#"{"plan":"gold"}"#, NOON)]);
    let decided_then = decided(&gold, &state, NOON + DAY);
    assert_eq!(decisions(&decided_then)[0], (Some(0), Reason::Assigned));
    assert_eq!(decided(&gold, &state, NOON).next_change_at, None);
    // A default comes in the place of a value, not of nothing.
    let nobody = told(&gold, &[(r#"{"age":3}"#, NOON)]);
    assert_eq!(decided(&gold, &nobody, NOON + DAY).segments, [false]);
    let used = program(r#","whenStale":"use""#, EXPERIENCES);
    let state = told(&used, &[(r#"{"plan":"gold"}"#, NOON)]);
    let found = decided(&used, &state, NOON + 100 * DAY);
    assert_eq!((found.segments, found.next_change_at), (vec![true], None));
}

#[test]
fn each_trait_has_its_own_age() {
    let program = program("", "");
    let state = told(
        &program,
        &[(r#"{"plan":"gold"}"#, NOON), (r#"{"age":3}"#, NOON + 20 * HOUR)],
    );
    assert_eq!(decided(&program, &state, NOON + DAY).segments, [false]);
    let again = told(
        &program,
        &[
            (r#"{"plan":"gold"}"#, NOON),
            (r#"{"plan":"gold"}"#, NOON + 20 * HOUR),
        ],
    );
    let found = decided(&program, &again, NOON + DAY);
    assert_eq!(
        (found.segments, found.next_change_at),
        (vec![true], Some(NOON + 44 * HOUR))
    );
}

#[test]
fn a_state_that_is_older_than_the_declaration_goes_by_the_last_identify() {
    let before = compile(&json(
        r#"{"segments":{"gold":{"when":{"profile.traits.plan":"gold"}}}}"#,
    ));
    let mut state = State::new(&before.0);
    fold(&before.0, &mut state, &identify("u", r#"{"plan":"gold"}"#, NOON));
    fold(
        &before.0,
        &mut state,
        &identify("u", r#"{"age":3}"#, NOON + 20 * HOUR),
    );
    let program = program("", "");
    let state = State::from_bytes(&program, &state.to_bytes(&before.0)).unwrap();
    assert_eq!(
        decided(&program, &state, NOON).next_change_at,
        Some(NOON + 44 * HOUR)
    );
}

/// What nobody sees is not announced, and what only shows in a reason is.
#[test]
fn the_reason_changes_when_it_would_not_matter_any_more() {
    let recent = r#"{"$events":{"type":"identify","in":"visitor","within":"2d"}}"#;
    let segment = format!(r#"{{"$and":[{{"profile.traits.plan":"gold"}},{recent}]}}"#);
    let rest = format!(
        r#","experiences":[
            {{"id":"a","when":{segment},"variants":[{{"id":"v"}}]}},
            {{"id":"b","when":{{"$and":[{segment},{{"request.path":"/b"}}]}},"variants":[{{"id":"v"}}]}}]"#
    );
    let program = program("", &rest);
    let state = told(&program, &[(r#"{"plan":"gold"}"#, NOON)]);
    let found = decided(&program, &state, NOON + DAY + HOUR);
    let reasons = |found: &Decisions| [found.decisions[0].reason, found.decisions[1].reason];
    assert_eq!(reasons(&found), [Reason::StaleData, Reason::NotInSegment]);
    assert_eq!(found.next_change_at, Some(NOON + 2 * DAY));
    let later = decided(&program, &state, NOON + 2 * DAY);
    assert_eq!(reasons(&later), [Reason::NotInSegment; 2]);
    assert_eq!(later.next_change_at, None);
}

#[test]
fn placeholders_and_hashes_read_the_same() {
    let rest = r#","experiences":[{"id":"a","hashAttribute":"profile.traits.plan","variants":[
        {"id":"v","mutations":[{"op":"text","selector":"h1","value":"{{profile.traits.plan|nothing}}"}]}]}]"#;
    let program = program("", rest);
    let state = told(&program, &[(r#"{"plan":"gold"}"#, NOON)]);
    let request = Request::new("/", Object::new());
    let text = |now| {
        edits(&program, &state, &context(&request), 0, 0, now)[0]
            .content
            .clone()
    };
    assert_eq!(
        (text(NOON).as_str(), text(NOON + DAY).as_str()),
        ("gold", "nothing")
    );
    let found = decided(&program, &state, NOON);
    assert_eq!(found.decisions[0].variant, Some(0));
    assert_eq!(found.next_change_at, Some(NOON + DAY));
    let reason = decided(&program, &state, NOON + DAY).decisions[0].reason;
    assert_eq!(reason, Reason::StaleData);
}

/// What the person tells elsewhere does not make the value that is known here any fresher, unless it is taken over.
#[test]
fn a_snapshot_brings_the_age_with_the_value() {
    for (shared, is_fresh) in [("", false), (r#","site":{"traits":"shared"}"#, true)] {
        let program = program("", shared);
        let mut state = told(&program, &[(r#"{"plan":"gold"}"#, NOON)]);
        let mut origin = State::new(&program);
        fold_profile(&program, &mut origin, &identify("u", r#"{"plan":"gold"}"#, NOON));
        fold_profile(
            &program,
            &mut origin,
            &identify("u", r#"{"plan":"gold"}"#, NOON + 20 * HOUR),
        );
        let snapshot = Snapshot {
            as_of: NOON + 21 * HOUR,
            state: origin.to_bytes(&program),
        };
        state.apply_snapshot(&program, &snapshot).unwrap();
        assert_eq!(decided(&program, &state, NOON + DAY).segments, [is_fresh]);
    }
}

#[test]
fn explanations_say_how_old_and_what_became_of_it() {
    let program = program("", "");
    let state = told(&program, &[(r#"{"plan":"gold"}"#, NOON)]);
    let request = Request::new("/", Object::new());
    let context = context(&request);
    let trace = |now: Timestamp| {
        let decisions = decide(&program, &state, &context, now);
        let explanation = explain(&program, &state, &context, &decisions, now);
        let segments = explanation.get("segments").as_array().unwrap().to_vec();
        segments[0].get("because").clone()
    };
    let stale = trace(NOON + DAY + MINUTE);
    let member = |name| stale.get(name).clone();
    assert_eq!(member("value"), Value::Null);
    assert_eq!(member("observedAt").as_f64(), Some(NOON as f64));
    assert_eq!(member("maxAge").as_f64(), Some(DAY as f64));
    assert_eq!(member("whenStale").as_str(), Some("unknown"));
    assert!(trace(NOON).get("whenStale").is_null());
}

#[test]
fn mistakes() {
    let check = |attributes: &str, expected: &str| {
        let manifest = format!(
            r#"{{"attributes":{attributes},"segments":{{"s":{{"when":{{"profile.traits.a":1}}}}}}}}"#
        );
        let (program, warnings) = compile(&json(&manifest));
        let found: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(found.join("\n"), expected);
        assert!(program.aging.is_empty() == expected.contains("error") || expected.starts_with("warning"));
    };
    check(
        "[]",
        "error: $.attributes: expected an object of attributes by path",
    );
    check(
        r#"{"profile.traits.a":"1d"}"#,
        "error: $.attributes[\"profile.traits.a\"]: expected an object such as {\"maxAge\": \"1d\", \"whenStale\": \"unknown\"}",
    );
    check(
        r#"{"profile.traits.a":{"maxAge":"1 day"}}"#,
        "error: $.attributes[\"profile.traits.a\"].maxAge: expected a duration such as `30s`, `15m`, `2h` or `7d`",
    );
    check(
        r#"{"profile.traits.a":{"maxAge":"1d","whenStale":"unknwon"}}"#,
        "error: $.attributes[\"profile.traits.a\"].whenStale: expected `use`, `unknown` or {\"default\": value}: did you mean `unknown`?",
    );
    check(
        r#"{"profile.traits.a":{"maxAge":"1d","whenStale":{"default":null}}}"#,
        "error: $.attributes[\"profile.traits.a\"].whenStale: expected `use`, `unknown` or {\"default\": value}",
    );
    check(
        r#"{"profile.userId":{"maxAge":"1d"}}"#,
        "error: $.attributes[\"profile.userId\"]: only traits have an age that is known: `profile.traits.` and a trait's name",
    );
    check(
        r#"{"profile.traits.b":{"maxAge":"1d"}}"#,
        "warning: $.attributes[\"profile.traits.b\"]: nothing reads this attribute, so that its age has no effect",
    );
    check(
        r#"{"profile.traits.a":{"maxAge":"1d","whenstale":"use"}}"#,
        "warning: $.attributes[\"profile.traits.a\"].whenstale: `whenstale` is not known here: did you mean `whenStale`?",
    );
}
