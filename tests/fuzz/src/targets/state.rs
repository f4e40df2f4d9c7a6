//! A state's bytes: the first byte chooses the program that reads them.

use crate::{drive, programs};
use nearside_engine::program::Program;
use nearside_engine::state::{Snapshot, State};

pub(crate) fn run(data: &[u8]) -> bool {
    let Some((choice, bytes)) = data.split_first() else {
        return false;
    };
    let programs = programs::all();
    let program = &programs[usize::from(*choice) % programs.len()];
    let Ok(state) = State::from_bytes(program, bytes) else {
        return false;
    };
    let written = drive::check_bytes(program, &state);
    for other in programs {
        // Another program takes over what it has too.
        if let Ok(taken) = State::from_bytes(other, &written) {
            drive::check_bytes(other, &taken);
        }
    }
    drive::decide_at_odd_instants(program, &state);
    merge(program, &state, &written);
    let mut state = state;
    drive::run_log(program, &mut state, drive::log());
    drive::check_bytes(program, &state);
    true
}

fn merge(program: &Program, state: &State, bytes: &[u8]) {
    let busy = drive::busy(program);
    for (mine, theirs) in [(state, state), (state, &busy), (&busy, state)] {
        let mut merged = mine.clone();
        merged.merge_cells(program, theirs);
        drive::check_bytes(program, &merged);
        let once = merged.to_bytes(program);
        merged.merge_cells(program, theirs);
        assert_eq!(merged.to_bytes(program), once, "merging again changes nothing");
    }
    let snapshot = Snapshot {
        as_of: drive::NOON,
        state: bytes.to_vec(),
    };
    let mut completed = busy;
    completed
        .apply_snapshot(program, &snapshot)
        .expect("what was read can be a snapshot");
    drive::check_bytes(program, &completed);
}
