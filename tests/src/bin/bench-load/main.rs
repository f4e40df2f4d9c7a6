//! `cargo xtask bench load`: fifty visitors for a minute, at pages that are kept, at pages that are not, and at a
//! pass-through.
//!
//! Every answer has to be whole and personalised, and workerd's memory must not grow: else this fails. Each way has a
//! workerd of its own, so that its memory is its own. `NEARSIDE_BENCH_QUICK=1` takes three seconds for each.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench that cannot run ends, and it prints its tables"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nearside_tests::rewriting::load::{Answer, Crowd, Met, Visitor};
use nearside_tests::rewriting::pages::{Page, pages};
use nearside_tests::rewriting::peers::{OURS, PASS, Stage};
use nearside_tests::rewriting::usage;
use serde_json::json;
use xtask::paths;
use xtask::report::table;

const VISITORS: usize = 50;
/// How often workerd's memory is looked at.
const LOOKS: usize = 60;
/// Memory may not grow by more than this part, or these bytes where that is more: what V8 has not collected yet
/// comes and goes.
const GROWTH: f64 = 0.10;
const GROWTH_BYTES: u64 = 24 << 20;
/// The page, and how many edits it gets.
const PAGE: &str = "75k";
const EDITS: usize = 5;

/// What was seen of one way.
struct Seen {
    name: &'static str,
    met: Met,
    /// Bytes at equal times.
    memory: Vec<u64>,
}

fn main() {
    xtask::stack::ensure_built().expect("everything is built");
    let time = match std::env::var_os("NEARSIDE_BENCH_QUICK") {
        Some(_) => Duration::from_secs(3),
        None => Duration::from_secs(60),
    };
    let mut all = pages().expect("the pages are there");
    all.retain(|page| page.name == PAGE);
    let page = &all[0];
    let seen = [
        run("pass-through", page, PASS, "streamed", time),
        run("ours, streamed", page, OURS, "streamed", time),
        run("ours, cached", page, OURS, "cached", time),
    ];
    report(&seen);
    for seen in &seen {
        check_memory(seen);
    }
}

fn run(name: &'static str, page: &Page, worker: &'static str, way: &str, time: Duration) -> Seen {
    let stage = Stage::start(std::slice::from_ref(page)).expect("the workers start");
    let pid = stage.workerd.pid();
    let visitors = (0..VISITORS)
        .map(|_| Visitor::new(stage.workerd.port(worker), true))
        .collect();
    let mut crowd = Crowd::new(pid, visitors);
    let end = page.bytes[page.bytes.len() - 64..].to_vec();
    let check = |answer: &Answer<'_>| {
        assert_eq!(answer.status(), 200, "{name}: {}", answer.head);
        assert!(answer.body.ends_with(&end), "{name}: a page breaks off");
        if worker == OURS {
            assert_eq!(answer.outcome(), Some("personalised"), "{name}: {}", answer.head);
            let body = std::str::from_utf8(answer.body).expect("the page is text");
            assert!(
                body.contains("Edit 0: bikes &amp; tents, for less"),
                "{name}: a page is not personalised"
            );
        } else {
            assert_eq!(answer.body, page.bytes, "{name}: a page is changed");
        }
    };
    let is_over = AtomicBool::new(false);
    let (met, memory) = thread::scope(|scope| {
        let looking = scope.spawn(|| {
            let mut memory = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                memory.push(usage::memory(pid));
                thread::sleep(time / LOOKS as u32);
            }
            memory
        });
        let met = crowd.ask(&format!("/{way}/{PAGE}/{EDITS}"), time, check);
        is_over.store(true, Ordering::Relaxed);
        (met, looking.join().unwrap())
    });
    Seen { name, met, memory }
}

/// The most in a third of the time; the first is the start.
fn most(seen: &Seen, third: usize) -> u64 {
    let part = seen.memory.len() / 3;
    *seen.memory[part * third..part * (third + 1)]
        .iter()
        .max()
        .unwrap()
}

/// A percentile of the times to the last byte, in milliseconds.
fn percentile(seen: &Seen, part: usize) -> f64 {
    let mut times = seen.met.last_bytes.clone();
    times.sort_unstable();
    times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0
}

fn check_memory(seen: &Seen) {
    let (middle, last) = (most(seen, 1), most(seen, 2));
    let bound = middle + GROWTH_BYTES.max((middle as f64 * GROWTH) as u64);
    assert!(
        last <= bound,
        "{}: the memory of workerd grows, from {middle} to {last} bytes",
        seen.name
    );
}

fn report(all: &[Seen]) {
    let mut lines = vec![
        [
            "way",
            "answers",
            "answers/s",
            "p50",
            "p99",
            "CPU each",
            "memory: 1st third",
            "2nd",
            "3rd",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut rows = Vec::new();
    let passed = &all[0];
    for seen in all {
        let megabytes = |third| format!("{:.0} MB", most(seen, third) as f64 / 1e6);
        lines.push(vec![
            seen.name.to_owned(),
            seen.met.answers.to_string(),
            format!("{:.0}", seen.met.rate()),
            format!("{:.1} ms", percentile(seen, 50)),
            format!("{:.1} ms", percentile(seen, 99)),
            format!("{:.3} ms", seen.met.cpu_each()),
            megabytes(0),
            megabytes(1),
            megabytes(2),
        ]);
        if seen.name != passed.name {
            let row = |what: &str, unit: &str, of: &dyn Fn(&Seen) -> f64| json!({"name": format!("{}, {VISITORS} visitors: {what}", seen.name), "ours": of(seen), "peer": of(passed), "peer_name": passed.name, "unit": unit, "ratio": of(seen) / of(passed)});
            rows.extend([
                row("answers a second", "1/s", &|seen| seen.met.rate()),
                row("p50 to the last byte", "ms", &|seen| percentile(seen, 50)),
                row("p99 to the last byte", "ms", &|seen| percentile(seen, 99)),
                row("memory of workerd at the end", "MB", &|seen| {
                    most(seen, 2) as f64 / 1e6
                }),
            ]);
        }
    }
    println!("{}", table(&lines));
    let folder = paths::artifacts().join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("load.json"),
        serde_json::to_string_pretty(&rows).unwrap(),
    )
    .unwrap();
}
