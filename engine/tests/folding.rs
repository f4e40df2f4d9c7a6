//! Sessions, people and counts, as events come: early, late, again and at the same instant.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, decide};
use nearside_engine::event::{Event, EventKind, event_key};
use nearside_engine::fold::{Folded, fold, fold_profile};
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::{MAX_RECENT, SESSION_GAP, State};
use nearside_engine::time::{MINUTE, Timestamp};
use nearside_engine::value::{Object, Value};

const NOON: Timestamp = 1_795_262_400_000;

fn program(segments: &str) -> Program {
    let manifest = serde_json::from_str(&format!(r#"{{"segments":{{{segments}}}}}"#)).unwrap();
    let (program, warnings) = compile(&manifest);
    assert_eq!(warnings, []);
    program
}

fn event(id: &str, kind: EventKind, name: &str, time: Timestamp) -> Event {
    Event {
        key: event_key(id),
        kind,
        name: name.to_owned(),
        time,
        properties: Value::Null,
        context: Value::Null,
        traits: Value::Null,
        user_id: None,
        anonymous_id: Some("v".to_owned()),
    }
}

fn identify(id: &str, user: &str, traits: &str, time: Timestamp) -> Event {
    Event {
        user_id: Some(user.to_owned()).filter(|user| !user.is_empty()),
        traits: serde_json::from_str(traits).unwrap(),
        ..event(id, EventKind::Identify, "", time)
    }
}

fn members(program: &Program, state: &State, now: Timestamp) -> Vec<String> {
    let context = Context {
        visitor_id: "v",
        request: &Request::new("/", Object::new()),
        consent: true,
        forced: &[],
    };
    let decisions = decide(program, state, &context, now);
    let mut names: Vec<String> = program
        .segments
        .iter()
        .zip(decisions.segments)
        .filter(|(_, member)| *member)
        .map(|(segment, _)| segment.id.clone())
        .collect();
    names.sort();
    names
}

#[test]
fn a_session_ends_after_exactly_thirty_quiet_minutes() {
    let program = program(
        r#""twice":{"when":{"$events":{"name":"A","count":{"$gte":2}}}},
           "ever-twice":{"when":{"$events":{"name":"A","in":"visitor","count":{"$gte":2}}}},
           "second-visit":{"when":{"session.number":2}}"#,
    );
    for (gap, number) in [
        (0, 1),
        (SESSION_GAP - 1, 1),
        (SESSION_GAP, 2),
        (SESSION_GAP + 1, 2),
    ] {
        let mut state = State::new(&program);
        fold(&program, &mut state, &event("1", EventKind::Track, "A", NOON));
        assert!(state.in_session(NOON + SESSION_GAP - 1));
        assert!(!state.in_session(NOON + SESSION_GAP));
        fold(
            &program,
            &mut state,
            &event("2", EventKind::Track, "A", NOON + gap),
        );
        assert_eq!(state.session.number, number, "{gap}");
        let expected: &[&str] = if number == 1 {
            &["ever-twice", "twice"]
        } else {
            &["ever-twice", "second-visit"]
        };
        assert_eq!(members(&program, &state, NOON + gap), expected, "{gap}");
        // When the session is over, what was done in it no longer counts, and the next one is meant.
        let later = NOON + gap + SESSION_GAP;
        let expected: &[&str] = if number == 1 {
            &["ever-twice", "second-visit"]
        } else {
            &["ever-twice"]
        };
        assert_eq!(members(&program, &state, later), expected, "{gap}");
    }
}

#[test]
fn late_events_belong_to_the_session_that_they_touch() {
    let program = program(
        r#""a":{"when":{"$events":{"name":"A"}}},"ever":{"when":{"$events":{"name":"A","in":"visitor"}}}"#,
    );
    for (late, joins) in [
        (1, true),
        (SESSION_GAP - 1, true),
        (SESSION_GAP, false),
        (10 * SESSION_GAP, false),
    ] {
        let mut state = State::new(&program);
        fold(&program, &mut state, &event("1", EventKind::Page, "", NOON));
        fold(
            &program,
            &mut state,
            &event("2", EventKind::Track, "A", NOON - late),
        );
        assert_eq!(state.session.number, 1);
        assert_eq!(state.session.last_at, NOON);
        assert_eq!(state.session.started_at, if joins { NOON - late } else { NOON });
        let expected: &[&str] = if joins { &["a", "ever"] } else { &["ever"] };
        assert_eq!(members(&program, &state, NOON), expected, "{late}");
        assert_eq!(state.profile.first_seen_at, NOON - late);
    }
}

#[test]
fn page_views_count_in_their_session_and_once() {
    let program = program(r#""a":{"when":{}}"#);
    let mut state = State::new(&program);
    let page = |id: &str, time| event(id, EventKind::Page, "", time);
    assert_eq!(fold(&program, &mut state, &page("1", NOON)), Folded::New);
    assert_eq!(fold(&program, &mut state, &page("1", NOON)), Folded::Duplicate);
    assert_eq!(
        fold(&program, &mut state, &page("1", NOON + 5)),
        Folded::Duplicate
    );
    assert_eq!(fold(&program, &mut state, &page("2", NOON)), Folded::New);
    fold(&program, &mut state, &page("late", NOON - SESSION_GAP));
    fold(&program, &mut state, &event("3", EventKind::Screen, "", NOON));
    assert_eq!((state.session.page_views, state.session.last_at), (2, NOON));
    fold(&program, &mut state, &page("4", NOON + SESSION_GAP));
    assert_eq!((state.session.page_views, state.session.number), (1, 2));
}

#[test]
fn events_at_the_same_instant_all_count() {
    let program = program(r#""five":{"when":{"$events":{"within":"1m","count":5}}}"#);
    let mut state = State::new(&program);
    for id in ["a", "b", "c", "d", "e"] {
        assert!(members(&program, &state, NOON).is_empty());
        fold(&program, &mut state, &event(id, EventKind::Track, "A", NOON));
    }
    assert_eq!(members(&program, &state, NOON), ["five"]);
    assert_eq!(members(&program, &state, NOON + MINUTE - 1), ["five"]);
    assert!(members(&program, &state, NOON + MINUTE).is_empty());
}

#[test]
fn the_newest_keys_are_known() {
    let program = program(r#""a":{"when":{}}"#);
    let mut state = State::new(&program);
    for index in 0..1_000 {
        fold(
            &program,
            &mut state,
            &event(&index.to_string(), EventKind::Track, "A", NOON),
        );
    }
    assert_eq!(state.recent().len(), MAX_RECENT);
    assert!(state.has_seen(event_key("999")) && state.has_seen(event_key(&(1_000 - MAX_RECENT).to_string())));
    assert!(!state.has_seen(event_key(&(999 - MAX_RECENT).to_string())));
}

#[test]
fn traits_are_replaced_as_a_whole() {
    let program = program(
        r#""paris":{"when":{"profile.traits.address.city":"Paris"}},
           "pro":{"when":{"profile.traits.plan":"pro"}},
           "tagged":{"when":{"profile.traits.tags":{"$elemMatch":{"$eq":"x"}}}},
           "first-tag":{"when":{"profile.traits.tags.0":"x"}},
           "known":{"when":{"profile.identified":true}}"#,
    );
    let mut state = State::new(&program);
    let mut step = |id: &str, traits: &str, expected: &[&str]| {
        fold(&program, &mut state, &identify(id, "", traits, NOON));
        assert_eq!(members(&program, &state, NOON), expected, "{traits}");
    };
    step(
        "1",
        r#"{"plan":"pro","address":{"city":"Paris","zip":1},"tags":["x","y"]}"#,
        &["first-tag", "paris", "pro", "tagged"],
    );
    step("2", r#"{"tags":["y","x"]}"#, &["paris", "pro", "tagged"]);
    step("3", r#"{"address":{"zip":1}}"#, &["pro", "tagged"]);
    step(
        "4",
        r#"{"address":{"city":"Paris"},"plan":null}"#,
        &["paris", "tagged"],
    );
    step("5", r#"{"address":null}"#, &["tagged"]);
    step("6", "null", &["tagged"]);
    step("7", r#"{"address":"Paris","other":7}"#, &["tagged"]);
    // What is too large for a visitor's state is unknown there.
    step(
        "8",
        &format!(r#"{{"tags":["x","{}"]}}"#, "y".repeat(300)),
        &["first-tag"],
    );
}

#[test]
fn another_person_starts_from_nothing_but_the_session() {
    let program = program(
        r#""ever":{"when":{"$events":{"name":"A","in":"visitor"}}},
           "now":{"when":{"$events":{"name":"A"}}},
           "pro":{"when":{"profile.traits.plan":"pro"}},
           "ada":{"when":{"profile.userId":"ada"}},
           "bob":{"when":{"profile.userId":"bob"}}"#,
    );
    let mut state = State::new(&program);
    fold(&program, &mut state, &event("1", EventKind::Track, "A", NOON));
    fold(
        &program,
        &mut state,
        &identify("2", "ada", r#"{"plan":"pro"}"#, NOON + 1),
    );
    // What was done before is what Ada did.
    assert_eq!(members(&program, &state, NOON + 1), ["ada", "ever", "now", "pro"]);
    fold(&program, &mut state, &identify("3", "ada", "{}", NOON + 2));
    assert_eq!(members(&program, &state, NOON + 2), ["ada", "ever", "now", "pro"]);
    fold(&program, &mut state, &identify("4", "bob", "{}", NOON + 3));
    assert_eq!(members(&program, &state, NOON + 3), ["bob", "now"]);
    assert_eq!(state.profile.first_seen_at, NOON + 3);
}

#[test]
fn a_profile_has_no_session() {
    let program = program(
        r#""ever":{"when":{"$events":{"name":"A","in":"visitor","within":"1d"}}},
           "now":{"when":{"$events":{"name":"A"}}}"#,
    );
    let mut state = State::new(&program);
    fold_profile(&program, &mut state, &event("1", EventKind::Track, "A", NOON));
    fold_profile(
        &program,
        &mut state,
        &event("2", EventKind::Track, "A", NOON - MINUTE),
    );
    assert_eq!(members(&program, &state, NOON), ["ever"]);
    assert_eq!((state.session.number, state.session.last_at), (0, NOON));
    let read = State::from_bytes(&program, &state.to_bytes(&program)).unwrap();
    assert_eq!(read, state);
}

/// A log that is full forgets what a sequence without limits does not need, and nothing else.
#[test]
fn a_sequence_of_equal_steps_survives_a_full_log() {
    let program = program(
        r#""three":{"when":{"$sequence":{"steps":[{"name":"A"},{"name":"A"},{"name":"A"}]}}},
           "a-b":{"when":{"$sequence":{"steps":[{"name":"A"},{"name":"B"}]}}},
           "close":{"when":{"$sequence":{"steps":[{"name":"A"},{"name":"A"}],"within":"2s"}}}"#,
    );
    let mut state = State::new(&program);
    fold(&program, &mut state, &event("b", EventKind::Track, "B", NOON));
    for number in 0..100_i64 {
        let id = format!("a{number}");
        fold(
            &program,
            &mut state,
            &event(&id, EventKind::Track, "A", NOON + 1_000 * number),
        );
        let now = NOON + 1_000 * number;
        let expected: &[&str] = match number {
            0 => &[],
            1 => &["close"],
            _ => &["close", "three"],
        };
        assert_eq!(members(&program, &state, now), expected, "{number}");
        // Also where there is not room for all.
        let (bytes, _) = state.to_bytes_within(&program, 300);
        let read = State::from_bytes(&program, &bytes).unwrap();
        let kept = members(&program, &read, now);
        assert!(number < 2 || kept.iter().any(|name| name == "three"), "{number}");
    }
}

/// Where there is not room for all, what sequences remember goes before what counts need.
#[test]
fn a_shortened_state_counts_as_the_whole_one_does() {
    let mut segments = Vec::new();
    for number in 0..20 {
        segments.push(format!(
            r#""count-{number}":{{"when":{{"$events":{{"in":"visitor","name":"E{number}","within":"7d","count":{{"$gte":3}}}}}}}}"#
        ));
        segments.push(format!(
            r#""order-{number}":{{"when":{{"$sequence":{{"in":"visitor","within":"1h","steps":[{{"name":"E{number}"}},{{"type":"page"}}]}}}}}}"#
        ));
    }
    let program = program(&segments.join(","));
    let mut state = State::new(&program);
    for number in 0..600_i64 {
        let name = format!("E{}", number * 8 % 21);
        let kind = if number % 5 == 0 {
            EventKind::Page
        } else {
            EventKind::Track
        };
        let event = event(&number.to_string(), kind, &name, NOON + number * MINUTE);
        fold(&program, &mut state, &event);
    }
    let now = NOON + 600 * MINUTE;
    let counts = |state: &State| {
        let names = members(&program, state, now).into_iter();
        names.filter(|name| name.starts_with("count")).collect::<Vec<_>>()
    };
    let whole = state.to_bytes(&program).len();
    let (bytes, is_cut) = state.to_bytes_within(&program, whole / 3);
    assert!(is_cut);
    let short = State::from_bytes(&program, &bytes).unwrap();
    assert_eq!(counts(&state).len(), 20);
    assert_eq!(counts(&short), counts(&state));
}

/// A list is kept whole where its length is read, also beside its items.
#[test]
fn the_length_of_a_list_that_was_told() {
    let program = program(
        r#""many":{"when":{"profile.traits.tags.length":{"$gte":2}}},
           "second":{"when":{"profile.traits.tags.1":"b"}},
           "none":{"when":{"profile.traits.tags.length":0}},
           "named":{"when":{"profile.traits.length":7}}"#,
    );
    let mut state = State::new(&program);
    let mut step = |id: &str, traits: &str, expected: &[&str]| {
        fold(&program, &mut state, &identify(id, "", traits, NOON));
        state = State::from_bytes(&program, &state.to_bytes(&program)).unwrap();
        assert_eq!(members(&program, &state, NOON), expected, "{traits}");
    };
    step("1", r#"{"tags":["a","b","c"]}"#, &["many", "second"]);
    step("2", r#"{"tags":["a"]}"#, &[]);
    step("3", r#"{"tags":[]}"#, &["none"]);
    step("4", r#"{"length":7}"#, &["named", "none"]);
    step("5", r#"{"tags":"ab"}"#, &["named"]);
}
