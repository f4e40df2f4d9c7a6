//! Each reason, the order in which reasons are found, groups, shares, and what a preview forces.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helper fails its test by a panic"
)]

use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, Decisions, Reason, decide};
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::time::{Timestamp, parse_timestamp};
use nearside_engine::value::Object;

const NOON: Timestamp = 1_795_262_400_000;

fn program(experiences: &str) -> Program {
    let manifest = format!(
        r#"{{"segments":{{"nobody":{{"when":{{"$or":[{{"request.x":1}}]}}}}}},"experiences":[{experiences}]}}"#
    );
    compile(&serde_json::from_str(&manifest).unwrap()).0
}

struct Visit<'a> {
    id: &'a str,
    url: &'a str,
    consent: bool,
    forced: &'a [(u16, u16)],
    now: Timestamp,
}

const PLAIN: Visit<'static> = Visit {
    id: "visitor",
    url: "https://x.example/",
    consent: true,
    forced: &[],
    now: NOON,
};

fn decisions(program: &Program, visit: &Visit<'_>) -> Decisions {
    let context = Context {
        visitor_id: visit.id,
        request: &Request::new(visit.url, Object::new()),
        consent: visit.consent,
        forced: visit.forced,
    };
    decide(program, &State::new(program), &context, visit.now)
}

#[track_caller]
fn check(experiences: &str, visit: &Visit<'_>, expected: &[(Option<u16>, Reason)]) {
    let found = decisions(&program(experiences), visit);
    let found: Vec<_> = found.decisions.iter().map(|d| (d.variant, d.reason)).collect();
    assert_eq!(found, expected, "{experiences}");
}

#[test]
fn every_reason() {
    let variants = r#""variants":[{"id":"v"}]"#;
    let none = |reason| [(None, reason)];
    check(
        &format!(r#"{{"id":"a",{variants}}}"#),
        &PLAIN,
        &[(Some(0), Reason::Assigned)],
    );
    check(r#"{"id":"a","variants":[]}"#, &PLAIN, &none(Reason::Invalid));
    for status in ["paused", "draft", "stopped"] {
        check(
            &format!(r#"{{"id":"a","status":"{status}",{variants}}}"#),
            &PLAIN,
            &none(Reason::Paused),
        );
    }
    let other_page = format!(r#"{{"id":"a","pages":[{{"path":"/b"}},{{"url":"https://y/*"}}],{variants}}}"#);
    check(&other_page, &PLAIN, &none(Reason::OffPage));
    check(
        &other_page,
        &Visit {
            url: "https://y/",
            ..PLAIN
        },
        &[(Some(0), Reason::Assigned)],
    );
    check(
        &format!(r#"{{"id":"a","segment":"nobody",{variants}}}"#),
        &PLAIN,
        &none(Reason::NotInSegment),
    );
    check(
        &format!(r#"{{"id":"a","when":{{"request.path":"/b"}},{variants}}}"#),
        &PLAIN,
        &none(Reason::NotInSegment),
    );
    check(
        &format!(r#"{{"id":"a",{variants}}}"#),
        &Visit {
            consent: false,
            ..PLAIN
        },
        &none(Reason::NoConsent),
    );
    check(
        &format!(r#"{{"id":"a","holdout":1,{variants}}}"#),
        &PLAIN,
        &none(Reason::Holdout),
    );
    check(
        &format!(r#"{{"id":"a","traffic":0,{variants}}}"#),
        &PLAIN,
        &none(Reason::NotInTraffic),
    );
    // What is found first is the reason.
    let all = format!(
        r#"{{"id":"a","status":"paused","pages":[{{"path":"/b"}}],"segment":"nobody","holdout":1,{variants}}}"#
    );
    check(
        &all,
        &Visit {
            consent: false,
            ..PLAIN
        },
        &none(Reason::Paused),
    );
    let running = all.replace("paused", "running");
    check(
        &running,
        &Visit {
            consent: false,
            ..PLAIN
        },
        &none(Reason::NoConsent),
    );
    check(&running, &PLAIN, &none(Reason::OffPage));
    check(
        &running,
        &Visit {
            url: "https://x.example/b",
            ..PLAIN
        },
        &none(Reason::NotInSegment),
    );
}

#[test]
fn schedules_begin_at_their_first_instant_and_end_before_their_last() {
    let (from, to) = ("2026-11-21T10:00:00Z", "2026-11-21T12:00:00Z");
    let (start, end) = (parse_timestamp(from).unwrap(), parse_timestamp(to).unwrap());
    let experience =
        format!(r#"{{"id":"a","schedule":{{"from":"{from}","to":"{to}"}},"variants":[{{"id":"v"}}]}}"#);
    let program = program(&experience);
    for (now, reason, next) in [
        (start - 1, Reason::Paused, Some(start)),
        (start, Reason::Assigned, Some(end)),
        (end - 1, Reason::Assigned, Some(end)),
        (end, Reason::Paused, None),
    ] {
        let found = decisions(&program, &Visit { now, ..PLAIN });
        assert_eq!(
            (found.decisions[0].reason, found.next_change_at),
            (reason, next),
            "{now}"
        );
    }
}

#[test]
fn one_experience_of_a_group_is_given_by_priority() {
    let experience = |id: &str, more: &str| format!(r#"{{"id":"{id}",{more}"variants":[{{"id":"v"}}]}}"#);
    let (low, high) = (
        experience("low", r#""group":"hero","#),
        experience("high", r#""group":"hero","priority":2,"#),
    );
    let alone = experience("alone", "");
    let other = experience("other", r#""group":"bar","priority":-1,"#);
    let (given, excluded) = ((Some(0), Reason::Assigned), (None, Reason::Excluded));
    check(
        &[low.clone(), alone, high.clone(), other].join(","),
        &PLAIN,
        &[excluded, given, given, given],
    );
    // One that is not given leaves its place to the next.
    for (more, reason) in [
        (r#""holdout":1,"#, Reason::Holdout),
        (r#""traffic":0,"#, Reason::NotInTraffic),
        (r#""segment":"nobody","#, Reason::NotInSegment),
        (r#""pages":[{"path":"/b"}],"#, Reason::OffPage),
        (r#""status":"paused","#, Reason::Paused),
    ] {
        let high = experience("high", &format!(r#"{more}"group":"hero","priority":2,"#));
        check(&[low.clone(), high].join(","), &PLAIN, &[given, (None, reason)]);
    }
    // Of equals, the author's first.
    let twin = experience("twin", r#""group":"hero","#);
    check(&[low, twin, high].join(","), &PLAIN, &[excluded, excluded, given]);
}

#[test]
fn a_preview_forces_a_variant_that_there_is() {
    let experiences = r#"{"id":"a","status":"paused","pages":[{"path":"/b"}],"segment":"nobody","holdout":1,"group":"g",
        "variants":[{"id":"v"},{"id":"w"}]},
        {"id":"b","group":"g","variants":[{"id":"v"}]},
        {"id":"c","variants":[]}"#;
    let forced = |forced, expected: [(Option<u16>, Reason); 3]| {
        check(
            experiences,
            &Visit {
                forced,
                consent: false,
                url: "https://x.example/b",
                ..PLAIN
            },
            &expected,
        );
    };
    let (refused, invalid) = ((None, Reason::NoConsent), (None, Reason::Invalid));
    forced(&[(0, 1)], [(Some(1), Reason::Forced), refused, invalid]);
    forced(
        &[(1, 0)],
        [(None, Reason::Paused), (Some(0), Reason::Forced), invalid],
    );
    forced(&[(0, 2)], [(None, Reason::Paused), refused, invalid]);
    forced(&[(2, 0), (9, 0)], [(None, Reason::Paused), refused, invalid]);
    // A forced one takes its group's place.
    check(
        experiences,
        &Visit {
            forced: &[(0, 1)],
            url: "https://x.example/b",
            ..PLAIN
        },
        &[(Some(1), Reason::Forced), (None, Reason::Excluded), invalid],
    );
    // Where it cannot be, it is not; nor can two of a group be.
    let given = (Some(0), Reason::Assigned);
    let elsewhere = Visit {
        forced: &[(0, 1)],
        ..PLAIN
    };
    check(
        experiences,
        &elsewhere,
        &[(None, Reason::OffPage), given, invalid],
    );
    let both = Visit {
        forced: &[(1, 0), (0, 0)],
        url: "https://x.example/b",
        ..PLAIN
    };
    check(
        experiences,
        &both,
        &[(Some(0), Reason::Forced), (None, Reason::Excluded), invalid],
    );
    // One of higher priority makes room too.
    let lower = r#"{"id":"a","group":"g","variants":[{"id":"v"}]},
        {"id":"b","group":"g","priority":9,"variants":[{"id":"v"}]}"#;
    let first = Visit {
        forced: &[(0, 0)],
        ..PLAIN
    };
    check(
        lower,
        &first,
        &[(Some(0), Reason::Forced), (None, Reason::Excluded)],
    );
}

/// How many of 10,000 visitors get each variant, and which reason the others have.
fn shares(experience: &str) -> (Vec<usize>, usize, usize) {
    let program = program(experience);
    let mut variants = vec![0; program.experiences[0].variants.len()];
    let (mut holdout, mut outside) = (0, 0);
    for index in 0..10_000 {
        let found = decisions(
            &program,
            &Visit {
                id: &format!("visitor-{index}"),
                ..PLAIN
            },
        );
        match (found.decisions[0].variant, found.decisions[0].reason) {
            (Some(variant), Reason::Assigned) => variants[usize::from(variant)] += 1,
            (None, Reason::Holdout) => holdout += 1,
            (None, Reason::NotInTraffic) => outside += 1,
            other => panic!("{other:?}"),
        }
    }
    (variants, holdout, outside)
}

/// Within five standard deviations of a binomial distribution: by chance, one in a million seeds is not.
#[track_caller]
fn near(found: usize, share: f64) {
    let (expected, deviation) = (10_000.0 * share, (10_000.0 * share * (1.0 - share)).sqrt());
    assert!(
        (found as f64 - expected).abs() <= 5.0 * deviation,
        "{found} of 10,000, not {share}"
    );
}

#[test]
fn shares_are_as_the_author_wrote_them() {
    for id in ["hero", "a", "experiment-2026", "ü"] {
        let (variants, holdout, outside) = shares(&format!(
            r#"{{"id":"{id}","variants":[{{"id":"v","weight":1}},{{"id":"w","weight":3}}]}}"#
        ));
        near(variants[0], 0.25);
        near(variants[1], 0.75);
        assert_eq!((holdout, outside), (0, 0));

        let (variants, holdout, outside) = shares(&format!(
            r#"{{"id":"{id}","holdout":0.1,"traffic":0.5,"variants":[{{"id":"v"}},{{"id":"w"}}]}}"#
        ));
        near(holdout, 0.1);
        // The holdout is independent of the variant: it takes the same share of each.
        near(variants[0], 0.9 * 0.25);
        near(variants[1], 0.9 * 0.25);
        near(outside, 0.9 * 0.5);
    }
}

#[test]
fn more_traffic_or_less_holdout_moves_nobody_from_one_variant_to_another() {
    let with = |more: &str| {
        program(&format!(
            r#"{{"id":"a",{more}"variants":[{{"id":"v"}},{{"id":"w"}}]}}"#
        ))
    };
    let all = with("");
    for narrower in [with(r#""traffic":0.3,"#), with(r#""holdout":0.4,"#)] {
        let mut fewer = 0;
        for index in 0..2_000 {
            let visit = Visit {
                id: &format!("visitor-{index}"),
                ..PLAIN
            };
            let variant = decisions(&narrower, &visit).decisions[0].variant;
            match variant {
                Some(_) => assert_eq!(variant, decisions(&all, &visit).decisions[0].variant),
                None => fewer += 1,
            }
        }
        assert!(fewer > 500);
    }
    // The same seed, the same buckets; another seed, others.
    let one = with(r#""seed":"s","#);
    let renamed = program(r#"{"id":"b","seed":"s","variants":[{"id":"v"},{"id":"w"}]}"#);
    let differ = |a: &Program, b: &Program| {
        (0..1_000)
            .filter(|index| {
                let visit = Visit {
                    id: &format!("visitor-{index}"),
                    ..PLAIN
                };
                decisions(a, &visit).decisions != decisions(b, &visit).decisions
            })
            .count()
    };
    assert_eq!(differ(&one, &renamed), 0);
    assert!(differ(&one, &all) > 300);
}

/// `session.duration` grows by itself: its changes are announced, and only those.
#[test]
fn the_passing_of_time_is_announced() {
    use nearside_engine::event::{Event, EventKind};
    use nearside_engine::fold::fold;
    use nearside_engine::state::SESSION_GAP;
    use nearside_engine::value::Value;
    let manifest = r#"{"segments":{
        "long":{"when":{"session.duration":{"$gte":90}}},
        "exact":{"when":{"$not":{"session.duration":{"$in":[5,7.5]}}}},
        "unread":{"when":{"session.pageViews":{"$gt":45}}}}}"#;
    let program = compile(&serde_json::from_str(manifest).unwrap()).0;
    let mut state = State::new(&program);
    let event = Event {
        key: 1,
        kind: EventKind::Page,
        name: String::new(),
        time: NOON,
        properties: Value::Null,
        context: Value::Null,
        traits: Value::Null,
        user_id: None,
        anonymous_id: None,
    };
    fold(&program, &mut state, &event);
    let context = Context {
        visitor_id: "v",
        request: &Request::new("/", Object::new()),
        consent: true,
        forced: &[],
    };
    let mut announced = Vec::new();
    let mut now = NOON;
    while let Some(next) = decide(&program, &state, &context, now).next_change_at {
        announced.push(next - NOON);
        now = next;
    }
    assert_eq!(announced, [5_000, 6_000, 90_000, SESSION_GAP]);
}

#[test]
fn a_redirect_of_the_decided_variant() {
    use nearside_engine::facts::edits;
    use nearside_engine::redirect::{may_redirect, redirect};
    let to = |id: &str, more: &str, mutation: &str| {
        format!(
            r#"{{"id":"{id}",{more}"variants":[{{"id":"v","mutations":[{{"op":"redirect",{mutation}}},
                {{"op":"text","selector":"h1","value":"x"}}]}}]}}"#
        )
    };
    let find = |experiences: &str| {
        let program = program(experiences);
        let request = Request::new("https://x.example/a?q=1&to=%2F%2Fevil.example", Object::new());
        let context = Context {
            visitor_id: "visitor",
            request: &request,
            consent: true,
            forced: &[],
        };
        let state = State::new(&program);
        let decisions = decide(&program, &state, &context, NOON);
        assert!(may_redirect(&program));
        // In the page, there is nothing of it.
        assert_eq!(edits(&program, &state, &context, 0, 0, NOON).len(), 1);
        redirect(&program, &state, &context, &decisions, NOON)
    };
    assert_eq!(find(&to("a", "", r#""value":"/b""#)).as_deref(), Some("/b"));
    let kept = r#""value":"/b?q=2","keepQuery":true"#;
    assert_eq!(
        find(&to("a", "", kept)).as_deref(),
        Some("/b?q=2&to=%2F%2Fevil.example")
    );
    let filled = r#""value":"/go/{{request.query.to}}""#;
    assert_eq!(
        find(&to("a", "", filled)).as_deref(),
        Some("/go/%2F%2Fevil.example")
    );
    // Of two, the one of higher priority; of none that is given, none.
    let two = [
        to("a", "", r#""value":"/low""#),
        to("b", r#""priority":1,"#, r#""value":"/high""#),
    ];
    assert_eq!(find(&two.join(",")).as_deref(), Some("/high"));
    assert_eq!(find(&to("a", r#""status":"paused","#, r#""value":"/b""#)), None);
    assert_eq!(find(&to("a", "", r#""value":"{{request.nothing}}""#)), None);
}
