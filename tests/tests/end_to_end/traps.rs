//! A trap in the module costs nobody a page, and the next request gets an instance that is whole.

use crate::shared;
use nearside_tests::client::{Answer, Visitor};
use nearside_tests::trapping;
use nearside_tests::workerd::{EdgeSettings, Worker, Workerd};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A worker each of whose instances traps at that call, before an upstream.
fn trapping_at(name: &str, call: i32, upstream: &str, origin: &str) -> Worker {
    let settings = EdgeSettings {
        upstream: upstream.to_owned(),
        origin: origin.to_owned(),
        ..EdgeSettings::default()
    };
    let edge = Worker::edge(name, &settings).unwrap();
    edge.with_changed_module(|module| trapping::at_call(module, call))
        .unwrap()
}

/// Asks until a request has met a trap. What is asked for is no page, so that nothing but the request can meet it.
fn ask_until_trapped(url: &str) {
    let ask = || Visitor::new(url).send("GET", "/", &[("accept", "image/png")], "");
    let trapped = (0..400).any(|_| ask().outcome() == Some("trap"));
    assert!(trapped, "the instance never trapped");
}

/// Asks for a page; `None` if it broke off, which it does when the trap comes after its beginning has left.
fn get(url: &str) -> Option<Answer> {
    // The client takes what breaks off for a failure of the test.
    std::panic::catch_unwind(|| Visitor::new(url).get("/")).ok()
}

#[test]
fn wherever_a_request_traps_the_visitor_gets_the_page() {
    let shop = shared().shop.as_ref().unwrap().url();
    let calls = [1, 2, 3, 4, 6, 8, 11, 15, 20, 26, 33];
    let name = |call: i32| format!("edge-{call}");
    let workers: Vec<Worker> = calls
        .iter()
        .map(|call| trapping_at(&name(*call), *call, &shop, &shared().origin.url()))
        .collect();
    let workerd = Workerd::start(&workers).unwrap();
    let expected = Visitor::new(&shop).get("/").body;
    for call in calls {
        let mut traps = 0;
        for _ in 0..8 {
            let Some(answer) = get(&workerd.url(&name(call))) else {
                traps += 1;
                continue;
            };
            assert_eq!(answer.status, 200, "call {call}: {}", workerd.said());
            let outcome = answer.outcome().unwrap();
            traps += usize::from(outcome == "trap");
            if matches!(outcome, "trap" | "no-program") {
                assert_eq!(answer.body, expected, "call {call}");
                assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
            }
        }
        assert!(traps > 0, "call {call}: {}", workerd.said());
    }
}

#[test]
fn after_a_trap_pages_are_personalised_again() {
    let shop = shared().shop.as_ref().unwrap().url();
    let worker = trapping_at("edge", 150, &shop, &shared().origin.url());
    let workerd = Workerd::start(&[worker]).unwrap();
    let mut outcomes = String::new();
    for _ in 0..60 {
        let answer = get(&workerd.url("edge"));
        assert!(answer.as_ref().is_none_or(|answer| answer.status == 200));
        outcomes.push(match answer.as_ref().map(|answer| answer.outcome().unwrap()) {
            Some("trap") | None => 't',
            Some("personalised") => 'p',
            Some(_) => '.',
        });
    }
    let (before, after) = outcomes.split_once('t').unwrap();
    assert!(before.contains('p') && after.contains('p'), "{outcomes}");
}

/// After five traps within a minute, pages pass without any more of them.
#[test]
fn who_traps_again_and_again_costs_little() {
    let upstream = Upstream::start();
    let workerd = Workerd::start(&[trapping_at("edge", 1, &upstream.url, "")]).unwrap();
    for _ in 0..20 {
        let answer = Visitor::new(&workerd.url("edge")).get("/");
        assert_eq!((answer.status, answer.outcome()), (200, Some("trap")));
    }
    let said = workerd.said();
    assert_eq!(said.matches("the module broke").count(), 5);
    // The place, for `cargo xtask symbols`.
    assert!(said.contains("wasm-function["), "{said}");
}

#[test]
fn requests_in_flight_do_not_wait_for_an_instance_that_is_no_more() {
    let upstream = Upstream::start();
    let workerd = Workerd::start(&[trapping_at("edge", 80, &upstream.url, "")]).unwrap();
    let url = workerd.url("edge");
    let waiting = thread::spawn(move || Visitor::new(&url).get("/held"));
    // The upstream has the request, and never answers it.
    upstream.arrived.lock().unwrap().recv().unwrap();
    ask_until_trapped(&workerd.url("edge"));
    let answer = waiting.join().unwrap();
    assert_eq!((answer.status, answer.outcome()), (200, Some("trap")));
    assert_eq!(answer.text(), PAGE);
}

#[test]
fn what_cannot_be_repeated_is_not_sent_twice() {
    let upstream = Upstream::start();
    let calls = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14];
    let workers: Vec<Worker> = calls
        .iter()
        .map(|call| trapping_at(&format!("edge-{call}"), *call, &upstream.url, ""))
        .collect();
    let workerd = Workerd::start(&workers).unwrap();
    let (mut refused, mut passed) = (0, 0);
    for call in calls {
        let before = upstream.posts.load(Ordering::SeqCst);
        let answer = Visitor::new(&workerd.url(&format!("edge-{call}"))).post("/order", "{\"bike\":1}");
        let posts = upstream.posts.load(Ordering::SeqCst) - before;
        match answer.status {
            200 => {
                assert_eq!(
                    (answer.text().as_str(), posts),
                    ("{\"bike\":1}", 1),
                    "call {call}"
                );
                passed += 1;
            }
            503 => {
                assert!(posts <= 1, "call {call}");
                assert_eq!(answer.outcome(), Some("trap"));
                refused += 1;
            }
            other => panic!("call {call}: {other}"),
        }
        // Nearside's own addresses are not the upstream's.
        let own = Visitor::new(&workerd.url("edge-1")).post("/_ns/v1/t", "{\"event\":\"x\"}");
        assert_eq!((own.status, own.outcome()), (503, Some("trap")));
    }
    assert!(refused > 0 && passed > 0, "{refused} refused, {passed} passed");
}

/// A page whose beginning has left cannot be had anew: it breaks off, as it would if the upstream did.
#[test]
fn a_page_that_is_on_its_way_breaks_off() {
    let upstream = Upstream::start();
    let worker = trapping_at("edge", 400, &upstream.url, &shared().origin.url());
    let workerd = Workerd::start(&[worker]).unwrap();
    let url = workerd.url("edge");
    let has_program = (0..20).any(|_| Visitor::new(&url).get("/").outcome() == Some("unchanged"));
    assert!(has_program, "{}", workerd.said());
    let mut connection = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    connection
        .write_all(b"GET /half HTTP/1.1\r\nHost: shop.example\r\nAccept: text/html\r\n\r\n")
        .unwrap();
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    while !line.contains("half of it") {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "{}", workerd.said());
    }
    ask_until_trapped(&url);
    // What is left of the page must not go to the next instance.
    let is_whole_again = || (0..20).any(|_| Visitor::new(&url).get("/").outcome() == Some("unchanged"));
    assert!(is_whole_again(), "{}", workerd.said());
    upstream.go_on.send(()).unwrap();
    let mut rest = Vec::new();
    // The end of a connection that is cut off may be an error; that it comes is what counts.
    let _ = reader.read_to_end(&mut rest);
    assert!(!String::from_utf8_lossy(&rest).contains("the other half"));
    assert!(
        !rest.ends_with(b"\r\n0\r\n\r\n"),
        "a page that is cut off looks whole"
    );
    assert!(is_whole_again(), "{}", workerd.said());
    assert_eq!(
        workerd.said().matches("nearside: a trap:").count(),
        1,
        "{}",
        workerd.said()
    );
}

const PAGE: &str = "<!doctype html><title>a page</title><p>text";

/// A site: `/held` is not answered when it is asked for first, `/half` waits in its midst, and what is posted comes
/// back.
struct Upstream {
    url: String,
    posts: Arc<AtomicUsize>,
    /// Says that `/held` was asked for.
    arrived: Mutex<Receiver<()>>,
    /// Lets `/half` go on.
    go_on: Sender<()>,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let posts = Arc::new(AtomicUsize::new(0));
        let (arrives, arrived) = channel();
        let (go_on, goes_on) = channel();
        let goes_on = Arc::new(Mutex::new(goes_on));
        let counter = Arc::clone(&posts);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (posts, arrives, goes_on) = (Arc::clone(&counter), arrives.clone(), Arc::clone(&goes_on));
                thread::spawn(move || answer(connection, &posts, &arrives, &goes_on));
            }
        });
        Self {
            url,
            posts,
            arrived: Mutex::new(arrived),
            go_on,
        }
    }
}

/// Answers one request.
fn answer(
    mut connection: TcpStream,
    posts: &AtomicUsize,
    arrives: &Sender<()>,
    goes_on: &Mutex<Receiver<()>>,
) -> Option<()> {
    static HELD: Mutex<Vec<TcpStream>> = Mutex::new(Vec::new());
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";
    if head.starts_with("POST ") {
        let lower = head.to_ascii_lowercase();
        let length = lower.split_once("content-length: ")?.1.split("\r\n").next()?;
        let mut body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
        posts.fetch_add(1, Ordering::SeqCst);
        write!(
            connection,
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
        .ok()?;
        connection.write_all(&body).ok()?;
    } else if head.starts_with("GET /half ") {
        write!(
            connection,
            "{html}\r\n<!doctype html><head></head><p>half of it\n<p>"
        )
        .ok()?;
        goes_on.lock().ok()?.recv().ok()?;
        write!(connection, "the other half").ok()?;
    } else {
        let mut held = HELD.lock().ok()?;
        if head.starts_with("GET /held ") && held.is_empty() {
            held.push(connection);
            arrives.send(()).ok()?;
            return None;
        }
        write!(connection, "{html}Content-Length: {}\r\n\r\n{PAGE}", PAGE.len()).ok()?;
    }
    connection.shutdown(Shutdown::Both).ok()
}
