//! JSON text → manifest → program → bytes → program → decisions.

use crate::drive;
use nearside_engine::compile::compile;
use nearside_engine::program::Program;
use nearside_engine::replay::{Replay, brute_force};
use nearside_engine::state::State;
use nearside_engine::value::Value;

/// The most bytes that a program has for each byte of its manifest, regular expressions aside.
const GROWTH: usize = 64;
/// The most bytes of a program's regular expression.
const PATTERN: usize = 32_000;

pub(crate) fn run(data: &[u8]) -> bool {
    let Ok(manifest) = serde_json::from_slice::<Value>(data) else {
        return false;
    };
    let (program, warnings) = compile(&manifest);
    for warning in &warnings {
        let said = warning.to_string();
        assert!(said.contains(": $"), "a warning names its place: {said}");
    }
    let bytes = program.to_bytes();
    let patterns = data.windows(6).filter(|word| word == b"$regex").count();
    assert!(
        bytes.len() <= 1_000 + data.len() * GROWTH + patterns * PATTERN,
        "a program of {} bytes from {} bytes",
        bytes.len(),
        data.len()
    );
    let read = Program::from_bytes(&bytes);
    assert_eq!(read.as_ref(), Ok(&program), "whatever compiles can be read again");
    let written = manifest.get("experiences").as_array().unwrap_or_default();
    assert!(program.experiences.len() <= written.len());

    let mut state = State::new(&program);
    drive::run_log(&program, &mut state, drive::log());
    drive::check_bytes(&program, &state);
    drive::decide_at_odd_instants(&program, &state);
    compare_with_the_whole_log(&program);
    true
}

/// The log is short enough for folded state to be exact. Where points fade, both add up in another order.
fn compare_with_the_whole_log(program: &Program) {
    if !program.scores.is_empty() || !program.affinities.is_empty() {
        return;
    }
    let expected = brute_force(program, drive::log());
    let mut replay = Replay::new(program);
    for (logged, expected) in drive::log().iter().zip(&expected) {
        assert_eq!(replay.step(logged), *expected, "line {}", logged.line);
    }
}
