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
//!
//! To look closer at one of them, `bench-rewrite WORKER PATH SECONDS [ahead]` asks for nothing else, and tells workerd's
//! process for `perf record -g -p PID`. With `NEARSIDE_V8_FLAGS=--perf-basic-prof`, `perf` knows the names of functions in
//! JavaScript and the numbers of those in WebAssembly, of which `cargo xtask symbols` makes names.

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
mod first_byte;
mod growth;
mod start;
mod tables;

use std::time::{Duration, Instant};

use cases::{Cases, VISITORS, Visitors};
use nearside_tests::rewriting::load::Crowd;
use nearside_tests::rewriting::pages::{Page, pages};
use nearside_tests::rewriting::peers::{OURS, Stage};

/// Rounds in turn, and how long each case has in one.
struct Effort {
    rounds: usize,
    time: Duration,
}

fn main() {
    xtask::stack::ensure_built().expect("everything is built");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [worker, path, seconds, who @ ..] = arguments.as_slice() {
        let visitors = match who.is_empty() {
            true => Visitors::Returning,
            false => Visitors::Ahead,
        };
        return look_closer(
            worker,
            path,
            Duration::from_secs(seconds.parse().expect("seconds")),
            visitors,
        );
    }
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
    let growth = growth::measure(if is_quick { 20 } else { 300 });
    let first_bytes = first_byte::measure(&stage, if is_quick { 20 } else { 200 });
    drop(stage);
    let starts = start::measure(&all, if is_quick { 3 } else { 15 });
    tables::print(&tables::Measured {
        pages: &all,
        cases,
        growth,
        first_bytes,
        starts,
    });
    println!("\n{:.0} s in all", started.elapsed().as_secs_f64());
}

/// Asks one worker for one page.
fn look_closer(worker: &str, path: &str, time: Duration, visitors: Visitors) {
    let stage = Stage::start(&pages().expect("the pages are there")).expect("the workers start");
    let (pid, port) = (stage.workerd.pid(), stage.workerd.port(worker));
    let mut crowd = Crowd::new(pid, (0..VISITORS).map(|_| visitors.one(port)).collect());
    if worker == OURS {
        stage.introduce(&mut crowd, path);
    }
    crowd.ask(path, Duration::from_secs(1), |_| {});
    println!("workerd is {pid}");
    let met = crowd.ask(path, time, |answer| {
        assert_eq!(answer.status(), 200, "{}", answer.head);
    });
    println!(
        "{:.3} ms of computing each, {:.0} answers a second",
        met.cpu_each(),
        met.rate()
    );
}

/// Asks for everything in turn, again and again. The first round is not counted.
fn measure(stage: &Stage, pages: &[Page], effort: &Effort) -> Cases {
    let mut cases = Cases::new(stage, pages);
    for round in 0..=effort.rounds {
        cases.round(effort.time, round > 0);
    }
    cases
}
