//! How long a worker takes to start: from the start of a process that has this worker alone to its first answer.

use std::time::{Duration, Instant};

use nearside_tests::rewriting::load::Visitor;
use nearside_tests::rewriting::pages::Page;
use nearside_tests::rewriting::upstream::Upstream;
use nearside_tests::rewriting::usage;
use nearside_tests::timing::median;
use nearside_tests::workerd::{EdgeSettings, Worker, Workerd};
use serde_json::{Value as Json, json};

use crate::cases::MAIN;

/// What a worker took, in milliseconds: by the clock, and of computing.
pub(crate) struct Start {
    pub(crate) worker: &'static str,
    pub(crate) time: f64,
    pub(crate) cpu: f64,
}

/// Starts each in turn, so many times.
pub(crate) fn measure(pages: &[Page], rounds: usize) -> Vec<Start> {
    let upstream = Upstream::start(pages);
    let settings = EdgeSettings {
        upstream: upstream.url(),
        ..EdgeSettings::default()
    };
    let passes =
        "export default { fetch: (request, env) => fetch(env.UPSTREAM + new URL(request.url).pathname) }";
    let workers = [
        (
            "a plain JavaScript worker",
            Worker::script("worker", passes).with_variable("UPSTREAM", &upstream.url()),
        ),
        (
            "ours",
            Worker::edge("worker", &settings).expect("the edge is built"),
        ),
    ];
    let mut taken = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for round in 0..=rounds {
        for ((_, worker), (times, cpu)) in workers.iter().zip(&mut taken) {
            let start = one(worker);
            // The first brings the program into the machine's memory.
            if round > 0 {
                times.push(start.0);
                cpu.push(start.1);
            }
        }
    }
    let milliseconds =
        |times: Vec<Duration>| median(times.iter().map(|time| time.as_secs_f64() * 1_000.0).collect());
    workers
        .iter()
        .zip(taken)
        .map(|((worker, _), (time, cpu))| Start {
            worker,
            time: milliseconds(time),
            cpu: milliseconds(cpu),
        })
        .collect()
}

fn one(worker: &Worker) -> (Duration, Duration) {
    let started = Instant::now();
    let workerd = Workerd::spawn(std::slice::from_ref(worker)).expect("workerd runs");
    let port = workerd.port("worker");
    let mut visitor = loop {
        match Visitor::try_new(port) {
            Some(visitor) => break visitor,
            None => std::thread::yield_now(),
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "workerd does not start: {}",
            workerd.said()
        );
    };
    let answer = visitor
        .get(&format!("/streamed/{MAIN}/5"))
        .expect("the worker answers");
    assert_eq!(answer.status(), 200, "{}", answer.head);
    (started.elapsed(), usage::cpu(workerd.pid()))
}

/// Ours beside plain JavaScript.
pub(crate) fn rows(starts: &[Start]) -> Vec<Json> {
    let (plain, ours) = (&starts[0], &starts[1]);
    vec![
        json!({"name": "start: from the process to the first answer", "ours": ours.time, "peer": plain.time, "peer_name": plain.worker, "unit": "ms", "ratio": ours.time / plain.time}),
    ]
}
