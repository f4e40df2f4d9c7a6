//! An order of a module's functions in which alike ones stand near each other, for gzip finds only what it has seen
//! in the last 32 KB.
//!
//! One function after the other is taken: the one of those left that shares most with what stands before it, in so far
//! as gzip still sees that. What functions share are runs of bytes. The order by names does the same for what is called
//! alike; this takes a further 4 % off the compressed module.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::wasm_module;

/// How long the runs are that are looked for: shorter ones are everywhere, longer ones break at each number in them.
const RUN: usize = 6;

/// Runs in more functions than these say nothing of any of them.
const MOST_FUNCTIONS: usize = 200;

/// How many bytes back gzip finds something again, less what the next function takes.
const WINDOW: usize = 28_000;

/// How much it counts against a function that it is long: nothing with 0; with 1, short ones that share little
/// would come first.
const LENGTH_COUNTS: f64 = 0.6;

/// The module of a file, which has names, with its functions in that order.
pub(super) fn ordered(file: &Path) -> Result<Vec<u8>> {
    let module = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    wasm_module::reordered(&module, alike_together)
        .with_context(|| format!("cannot order the functions of {}", file.display()))
}

/// The indices of the functions with those bodies, in the order in which they compress well.
fn alike_together(bodies: &[&[u8]]) -> Vec<usize> {
    let runs = Runs::of(bodies);
    let mut left: Vec<usize> = (0..bodies.len()).collect();
    let mut order = Vec::with_capacity(bodies.len());
    let mut seen = Seen::new(&runs, bodies.len());
    let weights: Vec<f64> = bodies
        .iter()
        .map(|body| length(body).max(1.0).powf(LENGTH_COUNTS))
        .collect();
    let worth = |shared: u32, function: usize| weights.get(function).map(|weight| f64::from(shared) / weight);
    let mut behind = VecDeque::new();
    let mut bytes_behind = 0;
    loop {
        let rated = left.iter().enumerate().map(|(place, &function)| {
            let shared = seen.shared.get(function).copied().unwrap_or(0);
            (place, worth(shared, function).unwrap_or(0.0))
        });
        // The first of equals, so that the order is the same each time.
        let best = rated.reduce(|best, next| if next.1 > best.1 { next } else { best });
        let Some((place, _)) = best else {
            return order;
        };
        let function = left.remove(place);
        order.push(function);
        seen.comes(function);
        behind.push_back(function);
        bytes_behind += bodies.get(function).map_or(0, |body| body.len());
        while bytes_behind > WINDOW
            && behind.len() > 1
            && let Some(function) = behind.pop_front()
        {
            seen.goes(function);
            bytes_behind -= bodies.get(function).map_or(0, |body| body.len());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a function is shorter than 2^52 bytes")]
fn length(body: &[u8]) -> f64 {
    body.len() as f64
}

/// Which function has which runs; only those that several have.
struct Runs {
    of_function: Vec<Vec<usize>>,
    functions: Vec<Vec<usize>>,
}

impl Runs {
    fn of(bodies: &[&[u8]]) -> Self {
        let mut numbers: HashMap<&[u8], usize> = HashMap::new();
        let mut functions: Vec<Vec<usize>> = Vec::new();
        for (function, body) in bodies.iter().enumerate() {
            for run in body.windows(RUN) {
                let number = *numbers.entry(run).or_insert(functions.len());
                if number == functions.len() {
                    functions.push(Vec::new());
                }
                if let Some(having) = functions.get_mut(number)
                    && having.last() != Some(&function)
                {
                    having.push(function);
                }
            }
        }
        functions.retain(|having| (2..=MOST_FUNCTIONS).contains(&having.len()));
        let mut of_function = vec![Vec::new(); bodies.len()];
        for (run, having) in functions.iter().enumerate() {
            for &function in having {
                if let Some(runs) = of_function.get_mut(function) {
                    runs.push(run);
                }
            }
        }
        Self {
            of_function,
            functions,
        }
    }
}

/// What gzip sees at a place.
struct Seen<'a> {
    runs: &'a Runs,
    /// How often each run is among what is seen.
    times: Vec<u32>,
    /// How many runs of each function are among it.
    shared: Vec<u32>,
}

impl<'a> Seen<'a> {
    fn new(runs: &'a Runs, functions: usize) -> Self {
        Self {
            runs,
            times: vec![0; runs.functions.len()],
            shared: vec![0; functions],
        }
    }

    fn comes(&mut self, function: usize) {
        let is_new = |times: &mut u32| {
            *times += 1;
            *times == 1
        };
        self.change(function, is_new, |shared| *shared += 1);
    }

    fn goes(&mut self, function: usize) {
        let was_last = |times: &mut u32| {
            *times -= 1;
            *times == 0
        };
        self.change(function, was_last, |shared| *shared -= 1);
    }

    /// Counts each run of a function; where that says so, changes what the run's functions share with what is seen.
    fn change(&mut self, function: usize, count: impl Fn(&mut u32) -> bool, share: impl Fn(&mut u32)) {
        for &run in self.runs.of_function.get(function).into_iter().flatten() {
            if self.times.get_mut(run).is_some_and(&count) {
                for &having in self.runs.functions.get(run).into_iter().flatten() {
                    if let Some(shared) = self.shared.get_mut(having) {
                        share(shared);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_functions_come_one_after_the_other() {
        let bodies: [&[u8]; 5] = [
            b"the quick brown fox",
            b"pack my box with five",
            b"",
            b"a quick brown dog",
            b"a box with five jugs",
        ];
        let order = alike_together(&bodies);
        let place = |function| order.iter().position(|at| *at == function).unwrap();
        assert_eq!(place(0).abs_diff(place(3)), 1, "{order:?}");
        assert_eq!(place(1).abs_diff(place(4)), 1, "{order:?}");
    }

    #[test]
    fn each_function_comes_once() {
        let bodies: Vec<Vec<u8>> = (0..300_u32)
            .map(|number| number.to_le_bytes().repeat(number as usize))
            .collect();
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        let mut order = alike_together(&bodies);
        assert_eq!(order, alike_together(&bodies));
        order.sort_unstable();
        assert!(order.into_iter().eq(0..300));
    }
}
