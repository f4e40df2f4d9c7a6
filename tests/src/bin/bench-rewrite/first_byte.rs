//! How long a visitor waits for the first byte of a page's body, while the rest of it has not left the site: the site
//! sends the rest when the visitor has the first.

use std::time::Duration;

use nearside_tests::rewriting::load::Visitor;
use nearside_tests::rewriting::peers::{HTML_REWRITER, OURS, PASS, Stage};
use nearside_tests::timing::median;
use serde_json::{Value as Json, json};

use crate::cases::MAIN;

/// The middle time to the first byte of each, in milliseconds.
pub(crate) fn measure(stage: &Stage, rounds: usize) -> Vec<(&'static str, f64)> {
    let mut all = [PASS, HTML_REWRITER, OURS]
        .map(|worker| (worker, Visitor::new(stage.workerd.port(worker), true), Vec::new()));
    for _ in 0..rounds {
        for (worker, visitor, times) in &mut all {
            let answer = visitor.get_telling(&format!("/slow/{MAIN}/5"), || stage.upstream.release());
            let answer = answer.unwrap_or_else(|error| {
                panic!("{worker} waits for the last byte before it sends the first: {error}")
            });
            times.push(answer.first_byte);
        }
    }
    let milliseconds =
        |times: Vec<Duration>| median(times.iter().map(|time| time.as_secs_f64() * 1_000.0).collect());
    all.into_iter()
        .map(|(worker, _, times)| (worker, milliseconds(times)))
        .collect()
}

/// One worker's time.
pub(crate) fn of(times: &[(&'static str, f64)], worker: &str) -> f64 {
    times.iter().find(|(known, _)| *known == worker).unwrap().1
}

/// Ours beside the pass-through.
pub(crate) fn rows(times: &[(&'static str, f64)]) -> Vec<Json> {
    let (ours, passed) = (of(times, OURS), of(times, PASS));
    vec![
        json!({"name": format!("{MAIN}, 5 edits, slow site: first byte of the body"), "ours": ours, "peer": passed, "peer_name": "pass-through", "unit": "ms", "ratio": ours / passed}),
    ]
}
