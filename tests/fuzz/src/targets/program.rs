//! A program's bytes. The first bytes and the checksum are made right, so that the content is reached.

use crate::drive;
use nearside_engine::hash::fnv1a_64;
use nearside_engine::program::Program;
use nearside_engine::state::State;

/// The first bytes that this version has, from a program that it writes.
fn magic() -> [u8; 4] {
    Program::default().to_bytes()[..4].try_into().unwrap()
}

/// The bytes of a program with this content, whatever it is.
pub fn bytes_of(content: &[u8]) -> Vec<u8> {
    let mut bytes = magic().to_vec();
    bytes.extend_from_slice(content);
    let checksum = fnv1a_64(&bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

pub(crate) fn run(data: &[u8]) -> bool {
    assert!(Program::from_bytes(data).is_err() || data.starts_with(&magic()));
    let Ok(program) = Program::from_bytes(&bytes_of(data)) else {
        return false;
    };
    let bytes = program.to_bytes();
    let again = Program::from_bytes(&bytes).expect("what was written can be read");
    assert_eq!(again.to_bytes(), bytes, "the same program has the same bytes");

    let mut state = State::new(&program);
    drive::run_log(&program, &mut state, drive::log());
    drive::check_bytes(&program, &state);
    drive::decide_at_odd_instants(&program, &state);
    let profile = drive::busy_profile(&program);
    state.merge_cells(&program, &profile);
    drive::check_bytes(&program, &state);
    true
}
