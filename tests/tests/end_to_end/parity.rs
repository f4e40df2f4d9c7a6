//! The same log, the same decisions, byte for byte: natively, in the worker, and in the browser.

use crate::browser::script;
use crate::start;
use nearside_tests::client::Visitor;
use nearside_tests::corpus;
use std::fs;
use std::process::Command;
use xtask::stack::{DEVELOPMENT_EDGE_SECRET, StackOptions};

/// How many random sessions are compared at once; their explanations are some 20 MB.
const SESSIONS: usize = 500;
const SEED: u64 = 20_261_121;

/// A random manifest in which values become too old and hours turn.
fn manifest_with_everything_that_changes() -> String {
    (SEED..)
        .map(|seed| serde_json::to_string(&corpus::manifest(seed)).unwrap())
        .find(|manifest| {
            [
                "\"whenStale\":{",
                "\"request.time.hour\"",
                "\"request.time.weekday\"",
                "\"purpose\":\"ads\"",
            ]
            .iter()
            .all(|word| manifest.contains(word))
        })
        .unwrap()
}

#[test]
fn decisions_and_their_explanations_are_the_same_in_all_three_places() {
    let parts: u64 = match std::env::var("NEARSIDE_LONG").as_deref() {
        Ok("1") => 20,
        _ => 2,
    };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let manifest = at("manifest.json");
    fs::write(&manifest, manifest_with_everything_that_changes()).unwrap();
    let stack = start(StackOptions {
        manifest: Some(manifest.clone()),
        ..StackOptions::default()
    });
    let bearer = format!("Bearer {DEVELOPMENT_EDGE_SECRET}");
    let headers = [("authorization", bearer.as_str())];
    let (mut events, mut assigned) = (0, 0);
    for part in 0..parts {
        let log: String = corpus::log(SEED + part, SESSIONS)
            .iter()
            .map(|message| serde_json::to_string(message).unwrap() + "\n")
            .collect();
        fs::write(at("log.jsonl"), &log).unwrap();
        let native = Command::new(xtask::paths::origin_binary())
            .args(["replay", "--explain=json", "--manifest"])
            .args([&manifest, &at("log.jsonl")])
            .output()
            .unwrap();
        assert!(
            native.status.success(),
            "{}",
            String::from_utf8_lossy(&native.stderr)
        );
        let native = String::from_utf8(native.stdout).unwrap();
        assert_eq!(native.lines().count(), log.lines().count());
        events += log.lines().count();
        assigned += native
            .lines()
            .filter(|line| line.contains("\"assigned\""))
            .count();

        let worker = Visitor::new(&stack.edge.url()).send("POST", "/_ns/v1/replay?explain", &headers, &log);
        assert_eq!(worker.status, 200, "{}", worker.text());
        compare("the worker", &worker.text(), &native);

        let output = at("browser.jsonl");
        let arguments = [
            at("log.jsonl").display().to_string(),
            output.display().to_string(),
        ];
        script("parity.cjs", &stack.edge.url(), &[&arguments[0], &arguments[1]]);
        compare("the browser", &fs::read_to_string(output).unwrap(), &native);
    }
    assert!(
        assigned > events / 10,
        "a corpus that decides nothing compares nothing: {assigned}"
    );
    println!(
        "{} sessions, {events} events, {assigned} with an assigned variant",
        parts as usize * SESSIONS
    );
}

#[track_caller]
fn compare(place: &str, lines: &str, native: &str) {
    for (line, (theirs, ours)) in lines.lines().zip(native.lines()).enumerate() {
        assert_eq!(theirs, ours, "{place}, line {}", line + 1);
    }
    assert_eq!(lines.len(), native.len(), "{place}");
}
