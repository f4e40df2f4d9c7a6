//! What is done with a program or a state, whatever it is, and what must hold then.

use nearside_engine::decide::{Context, Decisions, decide};
use nearside_engine::decider::Decider;
use nearside_engine::explain::explain;
use nearside_engine::facts::edits;
use nearside_engine::fold::{Folded, fold, fold_profile};
use nearside_engine::program::Program;
use nearside_engine::replay::LoggedEvent;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::time::{DAY, HOUR, MINUTE, Timestamp};
use nearside_engine::value::Object;
use std::sync::OnceLock;

/// The instant of the first event of [`log`].
pub(crate) const NOON: Timestamp = 1_795_262_400_000;

/// What a visitor does; some of it late, or twice.
pub(crate) fn log() -> &'static [LoggedEvent] {
    static LOG: OnceLock<Vec<LoggedEvent>> = OnceLock::new();
    LOG.get_or_init(|| {
        include_str!("../manifests/log.jsonl")
            .lines()
            .enumerate()
            .map(|(index, line)| {
                let message = serde_json::from_str(line).expect("a message is JSON");
                LoggedEvent::read(index + 1, &message, None).expect("a message is an event")
            })
            .collect()
    })
}

pub(crate) const fn context_of(request: &Request) -> Context<'_> {
    Context {
        visitor_id: "visitor-1",
        request,
        consent: true,
        forced: &[],
    }
}

/// Folds the log, and decides after each event.
pub(crate) fn run_log(program: &Program, state: &mut State, log: &[LoggedEvent]) {
    let mut decider = Decider::new();
    let mut latest = Timestamp::MIN;
    for logged in log {
        fold(program, state, &logged.event);
        assert_eq!(fold(program, state, &logged.event), Folded::Duplicate);
        latest = latest.max(logged.event.time);
        let decisions = decide_in_both_ways(program, state, &mut decider, &logged.request, latest);
        state.keep_sticky(program, &context_of(&logged.request), &decisions, latest);
    }
    for now in [
        latest,
        latest.saturating_add(10 * MINUTE),
        latest.saturating_add(400 * DAY),
    ] {
        let request = Request::new("https://shop.example/products/hats/2.html?q=a", Object::new());
        decide_in_both_ways(program, state, &mut decider, &request, now);
    }
}

/// What a decider remembers must not change what is decided; and nothing differs before it is said to.
fn decide_in_both_ways(
    program: &Program,
    state: &mut State,
    decider: &mut Decider,
    request: &Request,
    now: Timestamp,
) -> Decisions {
    let context = context_of(request);
    let anew = decide(program, state, &context, now);
    let kept = decider.decide(program, state, &context, now);
    assert_eq!(*kept, anew, "a decider that is kept decides as a new one does");
    check_decisions(program, &anew);
    if let Some(at) = anew.next_change_at {
        assert!(at > now, "the next change is not now");
        let before = decide(program, state, &context, at - 1);
        assert_eq!(
            (&before.segments, &before.decisions, &before.features),
            (&anew.segments, &anew.decisions, &anew.features),
            "nothing differs before {at}, at {now}"
        );
    }
    for (experience, decision) in anew.decisions.iter().enumerate() {
        if let Some(variant) = decision.variant {
            edits(program, state, &context, experience, usize::from(variant), now);
        }
    }
    anew
}

fn check_decisions(program: &Program, decisions: &Decisions) {
    assert_eq!(decisions.segments.len(), program.segments.len());
    assert_eq!(decisions.decisions.len(), program.experiences.len());
    assert_eq!(decisions.features.len(), program.features.len());
    for (decision, feature) in decisions.features.iter().zip(&program.features) {
        if let (Some(rule), Some(_)) = (decision.rule, decision.variant) {
            assert!(usize::from(rule) < feature.rules.len() && decision.value(feature).is_some());
        }
    }
    for (decision, experience) in decisions.decisions.iter().zip(&program.experiences) {
        if let Some(variant) = decision.variant {
            assert!(usize::from(variant) < experience.variants.len());
        }
    }
}

/// Decides and fills in content at instants that no clock shows.
pub(crate) fn decide_at_odd_instants(program: &Program, state: &State) {
    let request = Request::new("https://shop.example/a?utm_source=x&e0=1", Object::new());
    let forced = [(0, 0), (1, 60_000), (60_000, 0)];
    let context = Context {
        forced: &forced,
        ..context_of(&request)
    };
    for now in [Timestamp::MIN, 0, NOON, Timestamp::MAX] {
        let decisions = decide(program, state, &context, now);
        check_decisions(program, &decisions);
        explain(program, state, &context, &decisions, now);
        for (experience, decision) in decisions.decisions.iter().enumerate() {
            if let Some(variant) = decision.variant {
                edits(program, state, &context, experience, usize::from(variant), now);
            }
        }
    }
    edits(program, state, &context, usize::MAX, usize::MAX, NOON);
}

/// A settled state decides as the whole one does, from its last event on.
fn check_settled(program: &Program, state: &State) {
    let mut settled = state.clone();
    settled.settle(program);
    let request = Request::new("https://shop.example/a?utm_source=x&e0=1", Object::new());
    let context = context_of(&request);
    let last = state.session.last_at;
    for later in [0, 1, MINUTE, HOUR, 10 * DAY] {
        let now = last.saturating_add(later);
        let [whole, less] = [state, &settled].map(|state| decide(program, state, &context, now));
        assert_eq!(less, whole, "at {now}");
    }
}

/// A state survives its bytes, and fits into any room.
pub(crate) fn check_bytes(program: &Program, state: &State) -> Vec<u8> {
    let bytes = state.to_bytes(program);
    let read = State::from_bytes(program, &bytes).expect("what was written can be read");
    assert_eq!(read, *state, "a state survives its bytes");
    assert_eq!(read.to_bytes(program), bytes, "the same state has the same bytes");
    check_settled(program, state);
    let least = State::new(program).to_bytes(program).len();
    for limit in [0, 150, 700, 3_500] {
        let (cut, is_cut) = state.to_bytes_within(program, limit);
        assert!(cut.len() <= limit.max(least), "{} bytes in {limit}", cut.len());
        assert!(is_cut || cut == bytes, "what was left out is told");
        State::from_bytes(program, &cut).expect("what was cut can be read");
    }
    bytes
}

/// A state as a visitor makes it; the same for the same program.
pub(crate) fn busy(program: &Program) -> State {
    let mut state = State::new(program);
    for logged in log() {
        fold(program, &mut state, &logged.event);
    }
    state
}

/// The same as a profile of the origin's.
pub(crate) fn busy_profile(program: &Program) -> State {
    let mut state = State::new(program);
    for logged in log() {
        fold_profile(program, &mut state, &logged.event);
    }
    state
}
