//! Who is given a variant: hashes, filters, ramps, what visitors keep, what an address asks for; and features.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::compile::{Warning, compile};
use nearside_engine::decide::{Context, Decisions, Reason, decide};
use nearside_engine::facts::edits;
use nearside_engine::program::Program;
use nearside_engine::redirect::redirect;
use nearside_engine::replay::features_to_object;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::time::{DAY, Timestamp};
use nearside_engine::value::{Object, Value};
use std::collections::BTreeSet;

const NOON: Timestamp = 1_795_262_400_000;

/// Whether the compiler warned of more than attributes of the request that only a host of its own has.
fn has_mistakes(warnings: &[Warning]) -> bool {
    let of_host = |warning: &Warning| warning.message.starts_with("there is no `request.");
    !warnings.iter().all(of_host)
}

fn valid(manifest: &str) -> Program {
    let (program, warnings) = compile(&serde_json::from_str(manifest).unwrap());
    assert!(!has_mistakes(&warnings), "{warnings:?}");
    // Through its bytes, as the edge has it.
    Program::from_bytes(&program.to_bytes()).unwrap()
}

fn experience(members: &str) -> Program {
    valid(&format!(
        r#"{{"experiences":[{{"id":"e",{members},"variants":[{{"id":"a"}},{{"id":"b"}}]}}]}}"#
    ))
}

struct Visitor<'a> {
    id: &'a str,
    url: &'a str,
    request: &'a str,
    now: Timestamp,
}

const VISITOR: Visitor<'static> = Visitor {
    id: "v",
    url: "https://x.example/",
    request: "{}",
    now: NOON,
};

impl Visitor<'_> {
    fn decide(&self, program: &Program, state: &mut State) -> Decisions {
        let members: Object = serde_json::from_str::<Value>(self.request)
            .unwrap()
            .as_object()
            .cloned()
            .unwrap();
        let context = Context {
            visitor_id: self.id,
            request: &Request::new(self.url, members),
            consent: true,
            forced: &[],
        };
        let decisions = decide(program, state, &context, self.now);
        state.keep_sticky(program, &context, &decisions, self.now);
        decisions
    }

    fn first(&self, program: &Program) -> (Option<u16>, Reason) {
        let decision = self.decide(program, &mut State::new(program)).decisions[0];
        (decision.variant, decision.reason)
    }
}

/// For 1,000 visitors, how many get each variant, and how many none.
fn shares(program: &Program, now: Timestamp) -> [usize; 3] {
    let mut counts = [0; 3];
    for number in 0..1_000 {
        let id = format!("visitor-{number}");
        let visitor = Visitor {
            id: &id,
            now,
            ..VISITOR
        };
        counts[visitor.first(program).0.map_or(2, usize::from)] += 1;
    }
    counts
}

#[test]
fn the_hash_is_about_the_attribute_that_is_asked_for() {
    let program = experience(r#""hashAttribute":"request.company","fallbackAttribute":"request.device""#);
    let of = |id, request| {
        Visitor {
            id,
            request,
            ..VISITOR
        }
        .first(&program)
    };
    let company = of("v", r#"{"company":"c1","device":"d"}"#);
    assert_eq!(company, of("w", r#"{"company":"c1"}"#));
    assert_eq!(of("v", r#"{"company":"","device":"c1"}"#), company);
    assert_eq!(of("v", r#"{"company":7}"#), of("w", r#"{"company":"7"}"#));
    for nobody in [
        "{}",
        r#"{"company":0}"#,
        r#"{"company":true}"#,
        r#"{"company":["c1"]}"#,
    ] {
        assert_eq!(of("v", nobody), (None, Reason::NotInTraffic), "{nobody}");
    }
}

#[test]
fn experiences_with_ranges_that_do_not_meet_share_no_visitor() {
    let manifest = |from: f64, to: f64| {
        experience(&format!(
            r#""filters":[{{"seed":"checkout","ranges":[[{from},{to}]]}}]"#
        ))
    };
    let (first, second) = (manifest(0.0, 0.4), manifest(0.4, 1.0));
    for number in 0..500 {
        let id = format!("visitor-{number}");
        let visitor = Visitor { id: &id, ..VISITOR };
        let (first, second) = (visitor.first(&first), visitor.first(&second));
        assert_ne!(first.0.is_some(), second.0.is_some(), "{id}");
        assert!(first.1 == Reason::Excluded || second.1 == Reason::Excluded);
    }
}

#[test]
fn a_ramp_lets_in_more_and_more() {
    let program = experience(
        r#""traffic":[{"from":"2026-11-21T12:00:00Z","share":0.1},{"from":"2026-11-22T12:00:00Z","share":0.5},
           {"from":"2026-11-23T12:00:00Z","share":1}]"#,
    );
    let start = NOON;
    assert_eq!(shares(&program, start - 1), [0, 0, 1_000]);
    let [a, b, _] = shares(&program, start);
    assert!((70..130).contains(&(a + b)), "{a} {b}");
    let [a, b, _] = shares(&program, start + DAY);
    assert!((440..560).contains(&(a + b)), "{a} {b}");
    assert_eq!(shares(&program, start + 2 * DAY)[2], 0);
    // Of each visitor it is known at which of the steps they are let in.
    let nexts = |now| {
        let next = |number| {
            let id = format!("visitor-{number}");
            let visitor = Visitor {
                id: &id,
                now,
                ..VISITOR
            };
            visitor.decide(&program, &mut State::new(&program)).next_change_at
        };
        (0..100).map(next).collect::<BTreeSet<_>>()
    };
    let steps = [start, start + DAY, start + 2 * DAY].map(Some);
    assert_eq!(nexts(start - 1), BTreeSet::from(steps));
    assert_eq!(nexts(start), BTreeSet::from([None, steps[1], steps[2]]));
    assert_eq!(nexts(start + 2 * DAY), BTreeSet::from([None]));
}

#[test]
fn who_was_let_in_stays_where_they_are() {
    let all_a = r#""variants":[{"id":"a"},{"id":"b","weight":0}]"#;
    let all_b = r#""variants":[{"id":"a","weight":0},{"id":"b"}]"#;
    let with = |sticky: &str, variants: &str, when: &str| {
        valid(&format!(
            r#"{{"experiences":[{{"id":"e","sticky":{sticky},"when":{when},{variants}}}]}}"#
        ))
    };
    let before = with("true", all_a, "{}");
    let mut state = State::new(&before);
    let decided = |program: &Program, state: &mut State| {
        // Through its bytes, as it is between requests.
        *state = State::from_bytes(program, &state.to_bytes(program)).unwrap();
        let decision = VISITOR.decide(program, state).decisions[0];
        (decision.variant, decision.reason)
    };
    assert_eq!(decided(&before, &mut state), (Some(0), Reason::Assigned));
    assert_eq!(decided(&before, &mut state), (Some(0), Reason::Sticky));
    let moved = with("true", all_b, r#"{"request.never":1}"#);
    assert_eq!(decided(&moved, &mut state), (Some(0), Reason::Sticky));
    let anew = with(r#"{"version":1}"#, all_b, "{}");
    assert_eq!(decided(&anew, &mut state.clone()), (Some(1), Reason::Assigned));
    let blocked = with(r#"{"version":1,"minVersion":1}"#, all_b, "{}");
    assert_eq!(decided(&blocked, &mut state), (None, Reason::Excluded));
    // Somebody else is not kept where this visitor is.
    let other = Visitor { id: "w", ..VISITOR };
    let decision = other.decide(&with("true", all_b, "{}"), &mut state).decisions[0];
    assert_eq!((decision.variant, decision.reason), (Some(1), Reason::Assigned));
}

#[test]
fn an_address_asks_for_a_variant_where_it_may() {
    let asking = Visitor {
        url: "https://x.example/?e=1",
        ..VISITOR
    };
    let paused = r#""status":"paused""#;
    assert_eq!(
        asking.first(&experience(&format!(r#"{paused},"queryOverride":true"#))),
        (Some(1), Reason::Forced)
    );
    assert_eq!(asking.first(&experience(paused)), (None, Reason::Paused));
    let elsewhere = r#""queryOverride":true,"pages":[{"path":"/b"}]"#;
    assert_eq!(asking.first(&experience(elsewhere)), (None, Reason::OffPage));
}

#[test]
fn what_is_released_goes_to_all_who_would_be_assigned() {
    let released = experience(r#""status":"stopped","release":"b""#);
    assert_eq!(shares(&released, NOON), [0, 1_000, 0]);
    assert_eq!(VISITOR.first(&released).1, Reason::Forced);
    let none = experience(r#""release":"b","traffic":0"#);
    assert_eq!(VISITOR.first(&none), (None, Reason::NotInTraffic));
}

#[test]
fn ranges_are_taken_as_they_are() {
    let program = valid(
        r#"{"experiences":[{"id":"e","traffic":0.01,"variants":[{"id":"a","range":[0.5,1]},{"id":"b","range":[0,0.25]}]}]}"#,
    );
    let [a, b, none] = shares(&program, NOON);
    assert!(
        (440..560).contains(&a) && (200..300).contains(&b),
        "{a} {b} {none}"
    );
}

fn features(manifest: &str, request: &str) -> Vec<(String, Value, Reason)> {
    let program = valid(manifest);
    let visitor = Visitor { request, ..VISITOR };
    let decisions = visitor.decide(&program, &mut State::new(&program));
    let values = features_to_object(&program, &decisions);
    let reasons = decisions.features.iter().map(|decision| decision.reason);
    values
        .iter()
        .zip(reasons)
        .map(|((name, value), reason)| (name.to_owned(), value.clone(), reason))
        .collect()
}

#[test]
fn the_first_rule_that_applies_gives_the_value() {
    let manifest = r#"{"features":{"color":{"default":"grey","rules":[
        {"when":{"request.geo.country":"FR"},"value":"blue"},
        {"when":{"request.geo.country":"DE"},"variants":[{"value":"red","weight":0},{"value":{"hex":"f00"}}]},
        {"status":"paused","value":"never"}]}}}"#;
    for (country, value, reason) in [
        ("FR", Value::from("blue"), Reason::Assigned),
        (
            "DE",
            serde_json::from_str(r#"{"hex":"f00"}"#).unwrap(),
            Reason::Assigned,
        ),
        ("IT", Value::from("grey"), Reason::Default),
    ] {
        let request = format!(r#"{{"geo":{{"country":"{country}"}}}}"#);
        assert_eq!(
            features(manifest, &request),
            [("color".to_owned(), value, reason)]
        );
    }
}

#[test]
fn features_may_ask_for_others() {
    let manifest = r#"{"features":{
        "a-child":{"default":1,"rules":[{"gate":{"$feature":{"id":"z-parent","is":"on"}}},{"value":2}]},
        "other":{"default":1,"rules":[{"when":{"$feature":{"id":"z-parent","path":"x.y","is":7}},"value":2}]},
        "z-parent":{"default":"off","rules":[
            {"when":{"request.on":true},"value":"on"},{"when":{"request.on":"deep"},"value":{"x":{"y":7}}}]}}}"#;
    let values = |request: &str| -> Vec<(Value, Reason)> {
        let found = features(manifest, request);
        found
            .into_iter()
            .map(|(_, value, reason)| (value, reason))
            .collect()
    };
    let number = |number: f64| Value::from(number);
    assert_eq!(
        values(r#"{"on":true}"#)[..2],
        [(number(2.0), Reason::Assigned), (number(1.0), Reason::Default)]
    );
    assert_eq!(
        values(r#"{"on":"deep"}"#)[..2],
        [
            (Value::Null, Reason::Prerequisite),
            (number(2.0), Reason::Assigned)
        ]
    );
}

#[test]
fn a_circle_of_features_is_named_and_breaks_only_them() {
    let (program, warnings) = compile(
        &serde_json::from_str(
            r#"{"features":{
            "a":{"default":1,"rules":[{"when":{"$feature":{"id":"b","is":1}},"value":2}]},
            "b":{"default":1,"rules":[{"gate":{"$feature":{"id":"a","is":1}}}]},
            "c":{"default":1}},
            "segments":{"s":{"when":{"$feature":{"id":"c","is":1}}}}}"#,
        )
        .unwrap(),
    );
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "error: $.segments.s.when.$feature.id: a segment cannot depend on a feature: ask for both in the experience's `when`",
            "error: $.features.a: the feature refers to itself in a circle: a → b → a",
            "error: $.features.b: the feature refers to itself in a circle: b → a → b",
        ]
    );
    let decisions = VISITOR.decide(&program, &mut State::new(&program));
    let reasons: Vec<Reason> = decisions.features.iter().map(|d| d.reason).collect();
    assert_eq!(reasons, [Reason::Invalid, Reason::Invalid, Reason::Default]);
}

#[test]
fn experiences_may_ask_for_features() {
    let program = valid(
        r#"{"features":{"on":{"default":true}},"experiences":[
            {"id":"a","when":{"$feature":{"id":"on","is":true}},"variants":[{"id":"v"}]},
            {"id":"b","when":{"$feature":{"id":"on","is":false}},"variants":[{"id":"v"}]}]}"#,
    );
    let decisions = VISITOR.decide(&program, &mut State::new(&program)).decisions;
    assert_eq!(
        [decisions[0].reason, decisions[1].reason],
        [Reason::Assigned, Reason::NotInSegment]
    );
}

#[test]
fn a_variant_that_passes_through_lets_the_next_rule_decide() {
    let manifest = |held: f64| {
        format!(
            r#"{{"features":{{"f":{{"default":0,"rules":[
                {{"key":"holdout","variants":[{{"value":1,"range":[0,{held}]}},{{"value":2,"range":[{held},1],"passThrough":true}}]}},
                {{"value":3}}]}}}}}}"#
        )
    };
    assert_eq!(features(&manifest(0.0), "{}")[0].1, Value::from(3.0));
    assert_eq!(features(&manifest(1.0), "{}")[0].1, Value::from(1.0));
}

#[test]
fn a_redirect_is_an_address_and_no_change_of_the_page() {
    let program = valid(
        r#"{"experiences":[
            {"id":"none","variants":[{"id":"a","mutations":[{"op":"remove","selector":"p"}]}]},
            {"id":"first","kind":"redirect","keepQuery":true,"pages":[{"path":"/a"}],
             "variants":[{"id":"a","redirect":"/b?x={{request.query.x}}"}]},
            {"id":"second","kind":"redirect","variants":[{"id":"a","redirect":"https://y.example/"}]}]}"#,
    );
    let state = State::new(&program);
    let sent = |url: &str| {
        let context = Context {
            visitor_id: "v",
            request: &Request::new(url, Object::new()),
            consent: true,
            forced: &[],
        };
        let decisions = decide(&program, &state, &context, NOON);
        for experience in 0..3 {
            let edits = edits(&program, &state, &context, experience, 0, NOON);
            assert_eq!(edits.len(), usize::from(experience == 0));
        }
        redirect(&program, &state, &context, &decisions, NOON)
    };
    assert_eq!(sent("https://x/a?x=1&y=2").as_deref(), Some("/b?x=1&y=2"));
    assert_eq!(sent("https://x/c").as_deref(), Some("https://y.example/"));
}
