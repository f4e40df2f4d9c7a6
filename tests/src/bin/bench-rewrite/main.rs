//! `cargo xtask bench rewrite`: what it costs to change pages, beside others that make the same changes.
//!
//! One workerd runs all of them, and each gets its turn in each round:
//!
//! | worker | does |
//! | --- | --- |
//! | pass-through | asks the site, and passes its answer on; what the others use more is what they *add* |
//! | HTMLRewriter | makes the edits with the runtime's own rewriter |
//! | node-html-parser | waits for the page, reads it into a DOM, and writes it out (GrowthBook's way) |
//! | ours | the edge worker with a real origin: who asks, what they get, the edits, state, cookies, page view |
//!
//! Measured is what the process computes (`utime + stime`), not what the clock shows, so that other work on the
//! machine disturbs little. The site and the visitors are in this process and not counted. Before anything is
//! measured, every edit is looked for in every result. `NEARSIDE_BENCH_QUICK=1` makes few rounds of two pages.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot run ends, and it prints its tables"
)]

mod agreement;
mod cases;
mod tables;

use std::time::{Duration, Instant};

use cases::Cases;
use nearside_tests::rewriting::pages::{Page, pages};
use nearside_tests::rewriting::peers::Stage;

/// Rounds in turn, and how long each case has in one.
struct Effort {
    rounds: usize,
    time: Duration,
}

fn main() {
    xtask::stack::ensure_built().expect("everything is built");
    let started = Instant::now();
    let is_quick = std::env::var_os("NEARSIDE_BENCH_QUICK").is_some();
    let mut all = pages().expect("the pages are there");
    let effort = match is_quick {
        true => {
            all.retain(|page| ["16k", "75k"].contains(&page.name));
            Effort {
                rounds: 2,
                time: Duration::from_millis(300),
            }
        }
        false => Effort {
            rounds: 5,
            time: Duration::from_millis(800),
        },
    };
    let stage = Stage::start(&all).expect("the workers start");
    agreement::check(&stage, &all);
    let cases = measure(&stage, &all, &effort);
    tables::print(&cases, &all);
    println!("\n{:.0} s in all", started.elapsed().as_secs_f64());
}

/// Asks for everything in turn, again and again. The first round is not counted.
fn measure(stage: &Stage, pages: &[Page], effort: &Effort) -> Cases {
    let mut cases = Cases::new(stage, pages);
    for round in 0..=effort.rounds {
        cases.round(effort.time, round > 0);
    }
    cases
}
