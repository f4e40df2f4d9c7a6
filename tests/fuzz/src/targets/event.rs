//! Messages, a JSON text a line → events → state, journal, decisions.

use crate::{drive, programs};
use nearside_engine::event::{Arrival, Event, MAX_IDENTIFIER, MAX_NAME};
use nearside_engine::fold::fold;
use nearside_engine::replay::{LoggedEvent, Replay, brute_force};
use nearside_engine::state::State;
use nearside_engine::value::{MAX_DEPTH, Value};
use nearside_engine::wire::{MAX_JOURNAL, read_journal, repair_surrogates, write_journal};

/// Enough for what events do to each other.
const MAX_LINES: usize = 12;

pub(crate) fn run(data: &[u8]) -> bool {
    let messages: Vec<Value> = data
        .split(|byte| *byte == b'\n')
        .take(MAX_LINES)
        .filter_map(|line| serde_json::from_slice(&repair_surrogates(line)).ok())
        .collect();
    let events: Vec<Event> = messages.iter().filter_map(event).collect();
    if events.is_empty() {
        return false;
    }
    journal(&events);
    for program in programs::all() {
        let mut state = State::new(program);
        for event in &events {
            fold(program, &mut state, event);
            program.concerns(event);
            assert!(program.means_the_same(event, event));
        }
        drive::check_bytes(program, &state);
        drive::decide_at_odd_instants(program, &state);
    }
    replay(&messages);
    true
}

fn event(message: &Value) -> Option<Event> {
    let mut found = None;
    for sent_at in [None, Some(drive::NOON - 7), Some(i64::MAX / 4), Some(0)] {
        let arrival = Arrival {
            received_at: drive::NOON,
            sent_at,
        };
        match Event::from_message(message, arrival, "made") {
            Ok(event) => {
                assert!((0..=drive::NOON).contains(&event.time), "{}", event.time);
                assert!(event.name.chars().count() <= MAX_NAME);
                for id in event.user_id.iter().chain(&event.anonymous_id) {
                    assert!(!id.is_empty() && id.chars().count() <= MAX_IDENTIFIER);
                }
                for part in [&event.properties, &event.context, &event.traits] {
                    assert!(part.nests_within(MAX_DEPTH));
                    assert!(part.is_null() || part.as_object().is_some());
                }
                found = Some(event);
            }
            Err(error) => assert!(error.to_string().len() < 300),
        }
    }
    found
}

/// The journal has the newest events, all but what only the browser's own request knows.
fn journal(events: &[Event]) {
    let (text, skipped) = write_journal(events);
    assert!(text.len() <= MAX_JOURNAL);
    let kept: Vec<Event> = events[skipped..]
        .iter()
        .map(|event| Event {
            context: Value::Null,
            anonymous_id: None,
            ..event.clone()
        })
        .collect();
    assert_eq!(read_journal(&text, drive::NOON), Ok(kept));
}

/// Folded state decides as the whole log does, states written and read between any two events.
fn replay(messages: &[Value]) {
    let log: Vec<LoggedEvent> = messages
        .iter()
        .enumerate()
        .filter_map(|(index, message)| LoggedEvent::read(index + 1, message, None).ok())
        .collect();
    let program = programs::everything();
    let mut replay = Replay::new(program);
    let mut kept = Replay::new(program);
    brute_force(program, &log);
    for logged in &log {
        let line = replay.step(logged);
        assert_eq!(kept.step(logged), line, "bytes in between change nothing");
        kept.reload().expect("what was written can be read");
    }
}
