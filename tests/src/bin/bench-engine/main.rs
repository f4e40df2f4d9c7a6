//! `cargo xtask bench engine`: how fast the engine decides, beside GrowthBook's SDKs and beside what was asked.
//!
//! | rows | measured |
//! | --- | --- |
//! | 100 features, native | by `tests/benches/engine/native`, against the crate `growthbook-rust` |
//! | 100 features, WebAssembly | by `tests/benches/engine/features.cjs` in Node.js, against `@growthbook/growthbook` |
//! | segments | here, against the number that was asked, or the engine itself with fewer segments |
//! | state | its sealed length after 10,000 events, against the number that was asked |
//!
//! All times are medians of what was done in turn in one run.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot run ends"
)]

mod payload;
mod peers;
mod shop;
mod visit;

use nearside_engine::base64url;
use nearside_engine::wire::MAX_STATE_COOKIE;
use nearside_tests::timing::{median, microseconds};
use serde_json::{Value as Json, json};
use shop::Kind;
use visit::Visit;

const EVENTS: usize = 10_000;
/// Rounds in turn, and events in each.
const ROUNDS: usize = 60;
const ROUND: usize = 500;
/// The state is written after so many events.
const SAMPLE: usize = 50;

/// What sealing adds to a state: the key's id, a nonce and a tag; see `edge/src/seal.rs`.
const SEAL: usize = 1 + 24 + 16;

fn main() {
    let mut rows = segments();
    rows.extend(state());
    rows.extend(peers::features());
    let folder = xtask::paths::artifacts().join("bench");
    std::fs::create_dir_all(&folder).unwrap();
    let text = serde_json::to_string_pretty(&rows).unwrap();
    std::fs::write(folder.join("engine.json"), text).unwrap();
}

fn row(name: &str, ours: f64, peer: f64, peer_name: &str, unit: &str) -> Json {
    json!({"name": name, "ours": ours, "peer": peer, "peer_name": peer_name, "unit": unit, "ratio": ours / peer})
}

fn segments() -> Vec<Json> {
    let mut visits = [
        Visit::new(Kind::Shop, 100, EVENTS),
        Visit::new(Kind::Themes(100), 1_000, EVENTS),
        Visit::new(Kind::Themes(10), 100, EVENTS),
        Visit::new(Kind::Themes(100), 100, EVENTS),
        Visit::new(Kind::Shop, 100, EVENTS).with_fresh(),
    ];
    for _ in 0..ROUNDS {
        visits.iter_mut().for_each(|visit| visit.go_on(ROUND));
    }
    for visit in &visits {
        let members = visit.membership();
        assert!(
            (0.05..0.95).contains(&members),
            "segments that tell nothing: {members}"
        );
    }
    let [shop, thousand, hundred, sparse, fresh] = &visits;
    vec![
        row(
            "100 segments, 50 experiences: fold an event and decide everything, p50",
            shop.times.kept(),
            10.0,
            "what was asked at most",
            "µs",
        ),
        row(
            "the same: the first decision, of a fresh decider, p50",
            fresh.times.fresh(),
            shop.times.kept(),
            "ours, fold and decide with the decider kept",
            "µs",
        ),
        row(
            "1,000 segments, an event can touch 10: fold and decide, p50",
            thousand.times.kept(),
            hundred.times.kept(),
            "ours, 100 segments, an event can touch 10",
            "µs",
        ),
        row(
            "1,000 segments, an event can touch 10: fold and decide, p50",
            thousand.times.kept(),
            shop.times.kept(),
            "ours, the 100 segments of the shop",
            "µs",
        ),
        row(
            "1,000 segments, an event can touch 10: fold and decide, p50",
            thousand.times.kept(),
            sparse.times.kept(),
            "ours, 100 segments, an event can touch 1",
            "µs",
        ),
    ]
}

/// The state's length at the end, at its longest, and how long it takes to write it.
fn state() -> Vec<Json> {
    let mut visit = Visit::new(Kind::Shop, 100, EVENTS);
    let sealed = |length: usize| base64url::encode(&vec![0; SEAL + length]).len();
    let content = MAX_STATE_COOKIE / 4 * 3 - SEAL;
    let (mut whole, mut length, mut longest, mut differing) = (0, 0, 0, 0);
    let (mut writing, mut shortening) = (Vec::new(), Vec::new());
    for _ in 0..EVENTS / SAMPLE {
        visit.go_on(SAMPLE);
        let (mut full, mut short) = (Vec::new(), Vec::new());
        writing.push(microseconds(|| full = visit.state.to_bytes(visit.program())));
        shortening.push(microseconds(|| {
            short = visit.state.to_bytes_within(visit.program(), content).0;
        }));
        whole = sealed(full.len());
        length = sealed(short.len());
        longest = longest.max(length);
        differing += visit.differing(&short);
    }
    let asked = "what was asked at most";
    vec![
        row(
            &format!("state after 10,000 events, sealed ({whole} before it is shortened)"),
            length as f64,
            3_000.0,
            asked,
            "bytes",
        ),
        row(
            &format!("the longest of every {SAMPLE}th; {differing} segments differ in all of them"),
            longest as f64,
            3_000.0,
            asked,
            "bytes",
        ),
        row(
            "the same: write it shortened, p50",
            median(shortening),
            median(writing),
            "ours, write all of it",
            "µs",
        ),
    ]
}
