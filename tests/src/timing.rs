//! Times of two things that are done in turn, on a machine that does other things too.

use std::time::Instant;

/// The middle one of some numbers.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How long something takes, in microseconds.
pub fn microseconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64() * 1_000_000.0
}

/// The medians of two times, in microseconds for each of `parts`: in each round, the one is done and then the
/// other, so that whatever else the machine does comes upon both. A round before the first is not counted.
pub fn in_turn(rounds: usize, parts: usize, mut ours: impl FnMut(), mut peer: impl FnMut()) -> (f64, f64) {
    let mut times = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let time = (microseconds(&mut ours), microseconds(&mut peer));
        if round > 0 {
            times.0.push(time.0 / parts as f64);
            times.1.push(time.1 / parts as f64);
        }
    }
    (median(times.0), median(times.1))
}
