//! What was acknowledged survives `kill -9`.

use crate::process::{Process, request};
use crate::support::{MANIFEST, refold};
use nearside_engine::compile::compile;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const THREADS: usize = 4;
const EVENTS: usize = 5;

/// The batch of a thread's round. Every thread is a browser of one of two users; they say so in round 3.
fn batch(thread: usize, round: usize) -> Value {
    let events = (0..EVENTS).map(|event| {
        let id = format!("{thread}-{round}-{event}");
        let time = 1_000_000 + (round * 10 + event) as i64;
        let mut message = json!({"type": "track", "event": "Seen", "anonymousId": format!("browser-{thread}"),
            "messageId": id, "timestamp": time});
        if round == 3 && event == 0 {
            message["type"] = json!("identify");
            message["userId"] = json!(user(thread));
            message["traits"] = json!({"plan": "gold"});
        }
        message
    });
    json!({ "batch": events.collect::<Vec<_>>() })
}

fn user(thread: usize) -> String {
    format!("user-{}", thread % 2)
}

fn all_events(address: &str, query: &str) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    loop {
        let after = events
            .last()
            .map_or(0, |event| event["sequence"].as_i64().unwrap());
        let path = format!("/admin/v1/events?{query}&limit=1000&after={after}");
        let (status, page) = request(address, "GET", &path, "admin-token", "").unwrap();
        assert_eq!(status, 200);
        match page.as_array().unwrap().as_slice() {
            [] => return events,
            page => events.extend_from_slice(page),
        }
    }
}

#[test]
fn acknowledged_events_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (database, manifest) = (folder.path().join("x.db"), folder.path().join("manifest.json"));
    std::fs::write(&manifest, MANIFEST).unwrap();
    let arguments = ["--manifest", manifest.to_str().unwrap()];
    let mut process = Process::start(&database, &arguments);

    // Each thread posts until the process is gone, and notes what was acknowledged.
    let acknowledged = Mutex::new(Vec::new());
    let (rounds, count) = ([const { AtomicUsize::new(0) }; THREADS], AtomicUsize::new(0));
    let address = process.address.clone();
    std::thread::scope(|scope| {
        for (thread, rounds) in rounds.iter().enumerate() {
            let (acknowledged, address, count) = (&acknowledged, &address, &count);
            scope.spawn(move || {
                for round in 0.. {
                    rounds.store(round + 1, Ordering::SeqCst);
                    let body = batch(thread, round).to_string();
                    match request(address, "POST", "/v1/edge/events", "edge-secret", &body) {
                        Some((200, answer)) => {
                            assert_eq!(answer["accepted"], EVENTS, "{answer}");
                            acknowledged.lock().unwrap().push((thread, round));
                            count.fetch_add(1, Ordering::SeqCst);
                        }
                        Some((status, answer)) => panic!("{status} {answer}"),
                        None => return,
                    }
                }
            });
        }
        let deadline = Instant::now() + Duration::from_secs(120);
        while count.load(Ordering::SeqCst) < 60 {
            assert!(
                Instant::now() < deadline,
                "only {} batches were acknowledged",
                count.load(Ordering::SeqCst)
            );
            std::thread::yield_now();
        }
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    });

    let process = Process::start(&database, &arguments);
    let (program, _) = compile(&serde_json::from_str(MANIFEST).unwrap());
    let check = |complete: bool| {
        let mut found: BTreeMap<String, usize> = BTreeMap::new();
        for name in ["user-0", "user-1"] {
            let query = format!("userId={name}");
            let events = all_events(&process.address, &query);
            let path = format!("/admin/v1/profiles?{query}");
            let (status, profile) = request(&process.address, "GET", &path, "admin-token", "").unwrap();
            assert_eq!(status, 200, "{profile}");
            assert_eq!(profile["state"], refold(&program, &profile, &events), "{name}");
            for event in events {
                *found
                    .entry(event["messageId"].as_str().unwrap().to_owned())
                    .or_default() += 1;
            }
        }
        assert!(found.values().all(|times| *times == 1), "an event is there twice");
        for (thread, round) in acknowledged.lock().unwrap().iter() {
            for event in 0..EVENTS {
                let id = format!("{thread}-{round}-{event}");
                assert!(found.contains_key(&id), "{id} was acknowledged and is lost");
            }
        }
        let sent: usize = rounds
            .iter()
            .map(|rounds| rounds.load(Ordering::SeqCst) * EVENTS)
            .sum();
        assert!(
            found.len() <= sent && (!complete || found.len() == sent),
            "{} of {sent}",
            found.len()
        );
    };
    check(false);
    // The senders send again what was not acknowledged, and some of what was.
    for (thread, rounds) in rounds.iter().enumerate() {
        for round in 0..rounds.load(Ordering::SeqCst) {
            let body = batch(thread, round).to_string();
            let (status, answer) =
                request(&process.address, "POST", "/v1/edge/events", "edge-secret", &body).unwrap();
            assert_eq!(status, 200, "{answer}");
        }
    }
    check(true);
}

#[test]
fn a_stop_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("x.db");
    let mut process = Process::start(&database, &[]);
    let body = batch(0, 0).to_string();
    request(&process.address, "POST", "/v1/edge/events", "edge-secret", &body).unwrap();
    // Connections that send nothing, or half a request, do not keep the process.
    let silent = TcpStream::connect(&process.address).unwrap();
    let mut half = TcpStream::connect(&process.address).unwrap();
    half.write_all(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&process.child),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert!(process.child.wait().unwrap().success());
    drop((silent, half));
    assert!(
        !folder.path().join("x.db-wal").exists(),
        "the log was not brought back into the database"
    );
}
