//! The oracle: decisions from folded state equal decisions from the whole log by brute force.
//!
//! `NEARSIDE_LONG=1` tries 100,000 random logs instead of 2,000. A failure prints its seed, its manifest and the
//! shortest log that still fails.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helper fails its test by a panic"
)]

use nearside_engine::cell::measure::Measure;
use nearside_engine::cell::spec::{CellKind, Keep, Note};
use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, Decisions, Reason, decide};
use nearside_engine::decider::Decider;
use nearside_engine::facts::Facts;
use nearside_engine::fold::{fold, fold_profile};
use nearside_engine::oracle::Log;
use nearside_engine::program::{Program, Scope};
use nearside_engine::replay::{LoggedEvent, Replay, brute_force};
use nearside_engine::state::{SESSION_GAP, Snapshot, State};
use nearside_engine::time::{DAY, MINUTE, Timestamp};
use nearside_engine::value::Value;
use nearside_tests::corpus::{self, Random};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Tries a property on many seeds, on all processors, and shows the smallest log on which it fails.
fn for_all(salt: u64, property: impl Fn(&Program, &[LoggedEvent], u64) -> Result<(), String> + Sync) {
    let property = &property;
    let tries: u64 = match std::env::var("NEARSIDE_LONG").as_deref() {
        Ok("1") => 100_000,
        // Any other number of logs.
        Ok(number) => number.parse().unwrap(),
        _ => 2_000,
    };
    let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || {
                for seed in (first..tries).step_by(threads as usize) {
                    try_one(salt ^ seed, property);
                }
            });
        }
    });
}

fn try_one(seed: u64, property: &(impl Fn(&Program, &[LoggedEvent], u64) -> Result<(), String> + Sync)) {
    let manifest = corpus::manifest(seed);
    let (program, warnings) = compile(&manifest);
    assert_eq!(warnings, [], "seed {seed}");
    let sessions = 1 + (seed % 7) as usize;
    let mut log = corpus::log(seed, sessions);
    let fails = |log: &[Value]| property(&program, &read(log), seed).err();
    let Some(mut message) = fails(&log) else { return };
    // Leave out what is not needed for the failure.
    let mut step = log.len() / 2;
    while step > 0 {
        let mut start = 0;
        while start < log.len() {
            let mut shorter = log.clone();
            shorter.drain(start..(start + step).min(log.len()));
            match fails(&shorter) {
                Some(found) => (log, message) = (shorter, found),
                None => start += step,
            }
        }
        step /= 2;
    }
    let lines: Vec<String> = log.iter().map(|m| serde_json::to_string(m).unwrap()).collect();
    panic!(
        "seed {seed}: {message}\nmanifest: {}\nlog:\n{}",
        serde_json::to_string(&manifest).unwrap(),
        lines.join("\n")
    );
}

fn read(log: &[Value]) -> Vec<LoggedEvent> {
    log.iter()
        .enumerate()
        .map(|(index, message)| LoggedEvent::read(index + 1, message, None).unwrap())
        .collect()
}

/// Whether so many events decide some condition that folded state need not be exact.
fn is_crowded(program: &Program, known: &Log<'_>, now: Timestamp) -> bool {
    (0..program.cells.len()).any(|cell| known.is_crowded(program, cell, now))
}

#[test]
fn folded_state_decides_as_the_whole_log_does() {
    let (compared, left_out) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    for_all(0x1000_0000, |program, log, seed| {
        let random = &mut Random::new(seed);
        let expected = brute_force(program, log);
        let mut replay = Replay::new(program);
        let mut visitors: BTreeMap<&str, (Log<'_>, Timestamp)> = BTreeMap::new();
        let mut strangers = BTreeSet::new();
        for (logged, expected) in log.iter().zip(&expected) {
            let (known, latest) = visitors.entry(&logged.visitor_id).or_default();
            known.add(&logged.event);
            *latest = (*latest).max(logged.event.time);
            let found = replay.step(logged);
            // What was assigned then may be kept, so that all that comes later may differ.
            if is_crowded(program, known, *latest) {
                strangers.insert(logged.visitor_id.as_str());
            }
            if strangers.contains(logged.visitor_id.as_str()) {
                left_out.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            compared.fetch_add(1, Ordering::Relaxed);
            if found != *expected {
                return Err(format!(
                    "line {}\n folded: {}\n  whole: {}",
                    logged.line,
                    serde_json::to_string(&found).unwrap(),
                    serde_json::to_string(expected).unwrap()
                ));
            }
            // Between any two events, states may be written into cookies and read again.
            if random.chance(40) {
                replay.reload().map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    });
    let (compared, left_out) = (compared.load(Ordering::Relaxed), left_out.load(Ordering::Relaxed));
    println!("{compared} decisions compared, {left_out} left out");
    assert!(left_out * 10 < compared, "{left_out} of {compared}");
}

fn decided(program: &Program, facts: &dyn Facts, logged: &LoggedEvent, now: Timestamp) -> Decisions {
    decide(program, facts, &context(logged), now)
}

fn context(logged: &LoggedEvent) -> Context<'_> {
    Context {
        visitor_id: &logged.visitor_id,
        request: &logged.request,
        consent: true,
        forced: &[],
    }
}

fn differ(one: &Decisions, other: &Decisions) -> bool {
    (&one.segments, &one.features, &one.decisions) != (&other.segments, &other.features, &other.decisions)
}

/// Values that become too old are looked ahead for at 256 instants at most; an instant so far away may be announced
/// unseen, where the visitor's clock turns twice a day for what would be decided if the values were fresh.
const UNSEEN: i64 = 100 * DAY;

/// Nothing differs before the instant that was announced, and something does at it; and a decider, which
/// evaluates what changed, agrees with decisions made anew and with the whole log.
#[test]
fn time_alone_changes_decisions_as_the_whole_log_says_and_when_it_was_announced() {
    let (announced, unseen) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    for_all(0x2000_0000, |program, log, seed| {
        let random = &mut Random::new(seed);
        let mut visitors: BTreeMap<&str, (State, Decider, Log<'_>, Timestamp)> = BTreeMap::new();
        for logged in log {
            let (state, decider, known, latest) = visitors
                .entry(&logged.visitor_id)
                .or_insert_with(|| (State::new(program), Decider::new(), Log::default(), 0));
            fold(program, state, &logged.event);
            known.add(&logged.event);
            *latest = (*latest).max(logged.event.time);
            let mut now = *latest;
            // Go on to random instants, and often exactly to those that were announced.
            for _ in 0..4 {
                let ours = decider.decide(program, state, &context(logged), now).clone();
                let anew = decided(program, state, logged, now);
                if ours != anew {
                    return Err(format!(
                        "line {} at {now}:\n kept: {ours:?}\n anew: {anew:?}",
                        logged.line
                    ));
                }
                let next = ours.next_change_at;
                if next.is_some_and(|next| next <= now) {
                    return Err(format!("line {}: announced {next:?} at {now}", logged.line));
                }
                if let Some(next) = next {
                    announced.fetch_add(1, Ordering::Relaxed);
                    let can_be_unseen = !program.aging.is_empty() && program.reads_of_request("time");
                    let is_unseen = can_be_unseen && next - now > UNSEEN;
                    unseen.fetch_add(usize::from(is_unseen), Ordering::Relaxed);
                    if !is_unseen && !differ(&decided(program, state, logged, next), &ours) {
                        return Err(format!(
                            "line {}: nothing differs at {next}, announced at {now}",
                            logged.line
                        ));
                    }
                }
                let before = next.map_or(20 * DAY, |next| next - now);
                for instant in [now, now + random.span(before), now + before - 1] {
                    let later = decided(program, state, logged, instant);
                    if differ(&later, &ours) {
                        return Err(format!(
                            "line {}: changed at {instant}, after {now} but before {next:?}",
                            logged.line
                        ));
                    }
                    if is_crowded(program, known, instant) {
                        continue;
                    }
                    let theirs = decided(program, known, logged, instant);
                    if differ(&later, &theirs) {
                        return Err(format!(
                            "line {} at {instant}:\n folded: {later:?}\n  whole: {theirs:?}",
                            logged.line
                        ));
                    }
                }
                now = match next {
                    Some(next) if random.chance(70) => next,
                    _ => now + random.span(3 * SESSION_GAP),
                };
                // What comes next must not happen before what was asked about.
                *latest = (*latest).max(now);
                if random.chance(50) {
                    break;
                }
            }
        }
        Ok(())
    });
    let (announced, unseen) = (announced.load(Ordering::Relaxed), unseen.load(Ordering::Relaxed));
    println!("{announced} instants announced, {unseen} of them so far away that they may be unseen");
    assert!(
        announced > 10_000 && unseen * 1_000 < announced,
        "{unseen} of {announced}"
    );
}

/// Where room is short, what no later event can use is left out: nothing is decided otherwise, as long as events
/// come in order.
#[test]
fn a_settled_state_decides_as_the_whole_log_does() {
    let (before, after) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    for_all(0x4000_0000, |program, log, seed| {
        let random = &mut Random::new(seed);
        let mut visitors: BTreeMap<&str, (State, State, Log<'_>, Timestamp)> = BTreeMap::new();
        for logged in log {
            let (settled, full, known, latest) = visitors
                .entry(&logged.visitor_id)
                .or_insert_with(|| (State::new(program), State::new(program), Log::default(), 0));
            if logged.event.time < *latest {
                continue;
            }
            fold(program, settled, &logged.event);
            fold(program, full, &logged.event);
            known.add(&logged.event);
            *latest = logged.event.time;
            for instant in [
                *latest,
                *latest + random.span(SESSION_GAP),
                *latest + random.span(9 * DAY),
            ] {
                if is_crowded(program, known, instant) {
                    continue;
                }
                let ours = decided(program, settled, logged, instant);
                let whole = decided(program, known, logged, instant);
                let unsettled = decided(program, full, logged, instant);
                if differ(&ours, &whole) || ours != unsettled {
                    return Err(format!(
                        "line {} at {instant}:\n  settled: {ours:?}\nunsettled: {unsettled:?}\n    whole: {whole:?}",
                        logged.line
                    ));
                }
            }
            if random.chance(30) {
                before.fetch_add(full.to_bytes(program).len(), Ordering::Relaxed);
                settled.settle(program);
                let bytes = settled.to_bytes(program);
                after.fetch_add(bytes.len(), Ordering::Relaxed);
                *settled = State::from_bytes(program, &bytes).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    });
    let (before, after) = (before.load(Ordering::Relaxed), after.load(Ordering::Relaxed));
    println!("{before} bytes settled to {after}");
    assert!(after * 20 < before * 19, "{after} of {before} bytes are left");
}

/// A decision is due to stale values exactly if the same manifest, without ages, gives another variant.
#[test]
fn stale_data_is_the_reason_where_fresh_values_would_give_another_variant() {
    let stale = &AtomicUsize::new(0);
    for_all(0x5000_0000, |program, log, seed| {
        if program.aging.is_empty() {
            return Ok(());
        }
        let random = &mut Random::new(seed);
        let mut manifest = corpus::manifest(seed);
        if let Value::Object(members) = &mut manifest {
            members.remove("attributes");
        }
        let (ageless, _) = compile(&manifest);
        let mut visitors: BTreeMap<&str, (State, State, Timestamp)> = BTreeMap::new();
        for logged in log {
            let (state, other, latest) = visitors
                .entry(&logged.visitor_id)
                .or_insert_with(|| (State::new(program), State::new(&ageless), 0));
            fold(program, state, &logged.event);
            fold(&ageless, other, &logged.event);
            *latest = (*latest).max(logged.event.time);
            let now = *latest + random.span(2 * DAY);
            let ours = decided(program, state, logged, now);
            let fresh = decided(&ageless, other, logged, now);
            for (ours, fresh) in ours.decisions.iter().zip(&fresh.decisions) {
                let is_due = ours.reason == Reason::StaleData;
                stale.fetch_add(usize::from(is_due), Ordering::Relaxed);
                if is_due != (ours.variant != fresh.variant) {
                    return Err(format!("line {} at {now}: {ours:?}, but {fresh:?}", logged.line));
                }
            }
        }
        Ok(())
    });
    assert!(stale.load(Ordering::Relaxed) > 100);
}

/// What the visitor's cells count at some instants.
fn visitor_counts(program: &Program, facts: &dyn Facts, now: Timestamp) -> Vec<Vec<u32>> {
    let visitor_cells = program.cells.iter().enumerate();
    let counts = |kind: &CellKind| matches!(kind, CellKind::Events(_, Note::Nothing | Note::Number(_)));
    let visitor_cells = visitor_cells
        .filter(|(_, cell)| cell.scope == Scope::Visitor && cell.by.is_none() && counts(&cell.kind));
    visitor_cells
        .map(|(index, cell)| {
            let bound = match cell.shape().keep {
                Keep::Newest(enough) => f64::from(enough),
                Keep::Oldest => 1.0,
                _ => f64::INFINITY,
            };
            let at = |later| facts.measure(program, index, Measure::Count, None, now + later);
            [0, 1, MINUTE, SESSION_GAP, DAY, 8 * DAY]
                .map(|later| at(later).unwrap_or_default().min(bound) as u32)
                .to_vec()
        })
        .collect()
}

#[test]
fn two_states_that_saw_parts_of_a_log_merge_to_the_whole() {
    for_all(0x3000_0000, |program, log, seed| {
        let random = &mut Random::new(seed);
        let Some(visitor_id) = log.first().map(|logged| logged.visitor_id.as_str()) else {
            return Ok(());
        };
        // Totals that both sides dropped cannot be told apart: at most 32 events. Who somebody is, one side
        // may not know yet: without a change of user.
        let mut seen = Vec::new();
        let mut events = Vec::new();
        for logged in log.iter().filter(|logged| logged.visitor_id == visitor_id) {
            let again = seen.contains(&logged.event.key);
            if again || events.len() == 32 {
                continue;
            }
            seen.push(logged.event.key);
            let mut event = logged.event.clone();
            event.user_id = None;
            events.push(event);
        }
        let (mut one, mut other, mut whole) = (State::new(program), State::new(program), Log::default());
        let mut origin = State::new(program);
        let mut latest = 0;
        for event in &events {
            let side = random.below(4);
            if side != 0 {
                fold(program, &mut one, event);
            }
            if side != 1 {
                fold(program, &mut other, event);
                fold_profile(program, &mut origin, event);
            }
            whole.add(event);
            latest = latest.max(event.time);
            if random.chance(10) {
                // Tabs tell each other what they know at any time.
                one.merge_cells(program, &other);
            }
        }
        let expected = visitor_counts(program, &whole, latest);
        let mut with_snapshot = one.clone();
        let snapshot = Snapshot {
            as_of: latest,
            state: origin.to_bytes(program),
        };
        with_snapshot
            .apply_snapshot(program, &snapshot)
            .map_err(|error| error.to_string())?;
        let mut one_with_other = one.clone();
        one_with_other.merge_cells(program, &other);
        let mut other_with_one = other.clone();
        other_with_one.merge_cells(program, &one);
        let mut again = one_with_other.clone();
        again.merge_cells(program, &other);
        for (name, state) in [
            ("one with the other", &one_with_other),
            ("the other with one", &other_with_one),
            ("twice", &again),
            ("with a snapshot", &with_snapshot),
        ] {
            let found = visitor_counts(program, state, latest);
            if found != expected {
                return Err(format!("{name}: {found:?}, not {expected:?}"));
            }
        }
        Ok(())
    });
}

/// A window of which more events decide than a cell keeps: exact while at most 32 of them lie in it, however many
/// there were before; past that, its edge is off by at most 1/32 of its length.
#[test]
fn a_crowded_window_is_off_by_at_most_its_edge() {
    let manifest =
        r#"{"segments":{"a":{"when":{"$events":{"in":"visitor","within":"1h","count":{"$gte":100}}}}}}"#;
    let (program, _) = compile(&serde_json::from_str(manifest).unwrap());
    let (hour, slot) = (60 * MINUTE, 60 * MINUTE / 32);
    let mut crowded = 0;
    for seed in 0..300 {
        let random = &mut Random::new(seed);
        // From one event in a few minutes to several in a second.
        let pace = 1 + random.span(4 * MINUTE);
        let mut state = State::new(&program);
        let mut times: Vec<Timestamp> = Vec::new();
        let mut clock = 1_795_262_400_000;
        for index in 0..400 {
            clock += random.span(pace) + if random.chance(1) { 2 * hour } else { 0 };
            let message = format!(
                r#"{{"type":"page","anonymousId":"v","messageId":"{seed}-{index}","timestamp":{clock}}}"#
            );
            let logged =
                LoggedEvent::read(index + 1, &serde_json::from_str(&message).unwrap(), None).unwrap();
            fold(&program, &mut state, &logged.event);
            times.push(clock);
            let within = |length: i64| times.iter().filter(|time| **time > clock - length).count() as u32;
            let found = state.count(&program, 0, clock);
            let (least, most) = (within(hour), within(hour + slot));
            assert!(
                (least..=most).contains(&found),
                "seed {seed}, event {index}: {found}, not {least} to {most}"
            );
            if within(2 * hour) <= 32 {
                assert_eq!(found, least, "seed {seed}, event {index}");
            }
            crowded += usize::from(least > 32);
        }
    }
    assert!(crowded > 10_000, "{crowded}");
}
