//! What edge, browser and origin hand to each other as JSON: page states and snapshots.

use crate::{drive, programs};
use nearside_engine::state::{Snapshot, State};
use nearside_engine::value::Value;
use nearside_engine::wire::{PageState, consents, read_reset, repair_surrogates};

pub(crate) fn run(data: &[u8]) -> bool {
    let repaired = repair_surrogates(data);
    assert_eq!(repaired.len(), data.len());
    assert_eq!(
        repair_surrogates(&repaired),
        repaired,
        "what is repaired is whole"
    );
    if let Ok(text) = std::str::from_utf8(data) {
        consents(Some(text), "analytics", true);
        read_reset(text);
    }
    let Ok(value) = serde_json::from_slice::<Value>(&repaired) else {
        return false;
    };
    let page = page_state(&value);
    snapshot(&value) || page
}

fn page_state(value: &Value) -> bool {
    let Ok(page) = PageState::from_value(value) else {
        return false;
    };
    let written = page.to_value();
    assert_eq!(PageState::from_value(&written).as_ref(), Ok(&page));
    let text = serde_json::to_string(&written).expect("a page state is JSON");
    assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(written));
    true
}

fn snapshot(value: &Value) -> bool {
    let Ok(snapshot) = Snapshot::from_value(value) else {
        return false;
    };
    assert_eq!(Snapshot::from_value(&snapshot.to_value()).as_ref(), Ok(&snapshot));
    for program in programs::all() {
        let mut state = drive::busy(program);
        let before = state.clone();
        match state.apply_snapshot(program, &snapshot) {
            Ok(()) => {
                drive::check_bytes(program, &state);
            }
            Err(_) => assert_eq!(state, before, "what cannot be read changes nothing"),
        }
        drive::decide_at_odd_instants(program, &state);
        let mut empty = State::new(program);
        if empty.apply_snapshot(program, &snapshot).is_ok() {
            drive::check_bytes(program, &empty);
        }
    }
    true
}
