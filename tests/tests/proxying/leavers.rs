//! Visitors who leave while the upstream says nothing: nothing of theirs may stay.
//!
//! What they do is told from the memory that workerd holds. It counts what V8, the module and the runtime keep alike,
//! and a tidy workerd holds no more than is in use.

use crate::client::{Request, connect};
use crate::rig::{GREETING, Rig, Way};
use crate::upstream::{Gate, Silent, Step, answer, chunks};
use nearside_tests::rewriting::usage::memory;
use nearside_tests::wait;
use nearside_tests::workerd::Workerd;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

/// How many visitors are there at a time.
const AT_A_TIME: usize = 25;
/// How many visits each of them makes in a round.
const VISITS: usize = 36;
/// Of so many visits, one is over before the first byte has come.
const IMPATIENT: usize = 5;
/// What may stay of a visitor who left, in bytes: some hundred do. The rewriter of their page takes 7,000, and the whole
/// of their visit 155,000.
const KEPT: usize = 4_000;
/// What a visitor who waits may take, in bytes. It is some 155 KB, of which the runtime takes 75 KB for a page that it
/// passes.
const WAITING: usize = 200_000;

/// What the head of a page with edits says.
const PERSONALISED: &str = "desc=\"personalised\"";

/// Edits in the part of the page that comes.
fn edits() -> Value {
    json!({"experiences": [{"id": "greeting", "variants": [{"id": "warm", "mutations": [
        {"op": "text", "selector": "h1", "value": GREETING},
        {"op": "addClass", "selector": "p", "value": "seen"}]}]}]})
}

/// The beginning of a page that nobody may keep, 4 KB of it, and no more.
fn beginning() -> Vec<u8> {
    let page = format!(
        "<!doctype html><html><head><title>t</title></head><body><h1>Hi</h1>{}",
        "<p>some <b>text</b></p>".repeat(180)
    );
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\
                Cache-Control: private, no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
    [head.as_bytes(), &chunks(&[page.as_bytes()])].concat()
}

/// Asks for the page.
fn ask(rig: &Rig, way: Way, case: &str) -> TcpStream {
    let mut stream = connect(rig.port(way));
    stream.write_all(&Request::page("/silent").bytes(case)).unwrap();
    stream
}

/// Reads the page's first bytes, which come with this in the head, and leaves the rest where it is.
#[track_caller]
fn read_beginning(stream: &mut TcpStream, says: &str) {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains("<!doctype html>") {
        let mut more = [0; 64];
        stream.read_exact(&mut more).unwrap();
        bytes.extend(more);
    }
    let text = String::from_utf8_lossy(&bytes);
    assert!(
        text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains(says),
        "{text}"
    );
    // There is more: so the connection's end is told at once, as a reset.
    assert!(stream.peek(&mut [0]).unwrap() > 0);
}

/// Many visitors come and leave.
fn round(rig: &Rig, case: &str, says: &str) {
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                for visit in 0..VISITS {
                    let mut stream = ask(rig, Way::Edge, case);
                    if visit % IMPATIENT > 0 {
                        read_beginning(&mut stream, says);
                    }
                }
            });
        }
    });
    wait::until("the upstream hears that nobody reads any more", || {
        let Silent { all, ended } = rig.upstream.silent(case);
        (all == ended).then_some(())
    });
}

#[track_caller]
fn is_served(rig: &Rig, expected: &str) {
    let headers = "Content-Type: text/html; charset=utf-8\r\nCache-Control: private, no-cache\r\n";
    let page = answer("200 OK", headers, b"<h1>Hi</h1><p>More</p>");
    let next = rig.exchange(Way::Edge, &Request::page("/next"), &[Step::Send(page)]);
    assert_eq!((next.answer.status(), next.answer.is_whole()), (200, true));
    let text = next.answer.text();
    assert!(text.contains(expected) && text.contains("More</p>"), "{text}");
}

fn check_nothing_stays(manifest: &Value, says: &str, expected: &str) {
    let rig = Rig::with(manifest, Workerd::start_tidy);
    let case = rig.case(&[Step::Send(beginning()), Step::Silence]);
    let held: Vec<u64> = (0..3)
        .map(|_| {
            round(&rig, &case, says);
            memory(rig.workerd.pid())
        })
        .collect();
    let patient = 3 * AT_A_TIME * (VISITS - VISITS.div_ceil(IMPATIENT));
    assert!(rig.upstream.silent(&case).all >= patient, "everybody was served");
    let growth = held[2].saturating_sub(held[0]);
    let most = 2 * AT_A_TIME * VISITS * KEPT;
    eprintln!("{says}: workerd holds {held:?} bytes after each round");
    assert!(growth < most as u64, "{says}: {growth} bytes more: {held:?}");
    is_served(&rig, expected);
}

#[test]
fn of_who_leaves_an_edited_page_nothing_stays() {
    check_nothing_stays(&edits(), PERSONALISED, GREETING);
}

#[test]
fn of_who_leaves_a_page_with_the_injection_alone_nothing_stays() {
    check_nothing_stays(&json!({"experiences": []}), "desc=\"unchanged\"", "<h1>Hi</h1>");
}

/// Who has read all there was and closes the connection does not reset it: HTTP lets who has asked close their end, and
/// wait. So the runtime takes them for gone when it writes to them and not before, where a worker passes pages, too.
#[test]
fn who_leaves_quietly_is_missed_when_the_page_goes_on() {
    let rig = Rig::with(&edits(), Workerd::start_tidy);
    for (way, says) in [(Way::PassThrough, ""), (Way::Edge, PERSONALISED)] {
        let gate = Gate::default();
        let case = rig.case(&[
            Step::Send(beginning()),
            Step::Wait(gate.clone()),
            Step::Send(chunks(&[&b"<p>more</p>".repeat(500)])),
            Step::Silence,
        ]);
        for _ in 0..AT_A_TIME {
            let mut stream = ask(&rig, way, &case);
            read_beginning(&mut stream, says);
            let mut read = Vec::new();
            // The beginning's end, and its chunk's.
            while !read.ends_with(b"</p>\r\n") {
                let mut more = [0; 4_096];
                let count = stream.read(&mut more).unwrap();
                read.extend_from_slice(&more[..count]);
            }
        }
        gate.open();
        wait::until("the upstream hears that nobody reads any more", || {
            (rig.upstream.silent(&case).ended == AT_A_TIME).then_some(())
        });
        is_served(&rig, GREETING);
    }
}

#[test]
fn who_waits_takes_little() {
    let rig = Rig::with(&edits(), Workerd::start_tidy);
    let case = rig.case(&[Step::Send(beginning()), Step::Silence]);
    let waiting = || -> Vec<TcpStream> {
        let streams = (0..8 * AT_A_TIME).map(|_| {
            let mut stream = ask(&rig, Way::Edge, &case);
            read_beginning(&mut stream, PERSONALISED);
            stream
        });
        streams.collect()
    };
    let first = waiting();
    let before = memory(rig.workerd.pid());
    let more = waiting();
    let each = memory(rig.workerd.pid()).saturating_sub(before) / more.len() as u64;
    eprintln!("who waits takes {each} bytes");
    assert!(each < WAITING as u64, "{each} bytes");
    drop((first, more));
    wait::until("the upstream hears that nobody reads any more", || {
        let Silent { all, ended } = rig.upstream.silent(&case);
        (all == ended).then_some(())
    });
    is_served(&rig, GREETING);
}
