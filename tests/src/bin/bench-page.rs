//! `cargo xtask bench page`: what Nearside adds to a page's time, and what the origin has to do with it.
//!
//! All of it in one run, in turn, through one workerd: medians of times to the last byte.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench that cannot run ends"
)]

use nearside_tests::client::Visitor;
use nearside_tests::wait;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use xtask::stack::{Stack, StackOptions};

const PAGE: &str = "/products/tents/dome-tent";
/// Rounds with the origin running and stopped in turn, and pages of each kind in a round.
const ROUNDS: usize = 6;
const PAGES: usize = 150;

fn main() {
    let mut stack = Stack::start(StackOptions::default()).expect("the stack starts");
    let edge = stack.edge.url();
    let mut personalised = Visitor::new(&edge);
    wait::until("the edge has the program", || {
        (personalised.get(PAGE).outcome() != Some("no-program")).then_some(())
    });
    let mut untouched = Visitor::new(&edge);
    untouched.set_cookie("ns_c", "none");
    let mut upstream = Visitor::new(&stack.shop.as_ref().unwrap().url());

    let mut running = Times::default();
    let mut stopped = Times::default();
    for _ in 0..ROUNDS {
        running.measure(&mut personalised, &mut untouched, &mut upstream);
        stack.origin.stop().unwrap();
        stopped.measure(&mut personalised, &mut untouched, &mut upstream);
        stack.origin.restart().unwrap();
    }
    let row = |name: &str, ours: f64, peer: f64, peer_name: &str| json!({"name": name, "ours": ours, "peer": peer, "peer_name": peer_name, "unit": "ms", "ratio": ours / peer});
    let (with, without) = (median(running.personalised), median(stopped.personalised));
    let passed = median(running.untouched);
    write(
        "page",
        &[
            row(
                "page with the origin stopped",
                without,
                with,
                "the same with it running",
            ),
            row(
                "page with the SDK and its state",
                with,
                passed,
                "the same page passed untouched by the worker",
            ),
            row(
                "page passed untouched by the worker",
                passed,
                median(running.upstream),
                "the upstream itself",
            ),
        ],
    );
}

#[derive(Default)]
struct Times {
    personalised: Vec<f64>,
    untouched: Vec<f64>,
    upstream: Vec<f64>,
}

impl Times {
    /// Asks for the page in turn in all three ways.
    fn measure(&mut self, personalised: &mut Visitor, untouched: &mut Visitor, upstream: &mut Visitor) {
        for _ in 0..PAGES {
            self.personalised.push(time(personalised, Some("unchanged")));
            self.untouched.push(time(untouched, Some("no-consent")));
            self.upstream.push(time(upstream, None));
        }
    }
}

fn time(visitor: &mut Visitor, outcome: Option<&str>) -> f64 {
    let started = Instant::now();
    let answer = visitor.get(PAGE);
    let time = started.elapsed().as_secs_f64() * 1_000.0;
    assert_eq!((answer.status, answer.outcome()), (200, outcome));
    time
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn write(name: &str, rows: &[Value]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let text = serde_json::to_string_pretty(rows).unwrap();
    std::fs::write(folder.join(format!("{name}.json")), text).unwrap();
}
