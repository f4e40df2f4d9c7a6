//! A trap in the module costs nobody a page, and the next request gets an instance that is whole.

use crate::shared;
use nearside_tests::client::Visitor;
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
    edge(name, upstream, origin)
        .with_changed_module(|module| trapping::at_call(module, call))
        .unwrap()
}

fn edge(name: &str, upstream: &str, origin: &str) -> Worker {
    let settings = EdgeSettings {
        upstream: upstream.to_owned(),
        origin: origin.to_owned(),
        ..EdgeSettings::default()
    };
    Worker::edge(name, &settings).unwrap()
}

/// Asks until there is a trap. What is asked for is no page, so that no page of another request is met by it.
fn ask_until_trapped(workerd: &Workerd, url: &str) {
    let before = traps(workerd);
    let has_trapped = || {
        Visitor::new(url).send("GET", "/", &[("accept", "image/png")], "");
        traps(workerd) > before
    };
    assert!((0..400).any(|_| has_trapped()), "the instance never trapped");
}

/// Whether pages are personalised, before long.
fn is_whole(url: &str) -> bool {
    (0..20).any(|_| {
        let answer = Visitor::new(url).get("/");
        matches!(answer.outcome(), Some("unchanged" | "personalised"))
    })
}

/// How many requests the log tells of that met a trap, and got the upstream's page or the rest of it.
fn answered(workerd: &Workerd) -> usize {
    let said = workerd.said();
    let count = |text| said.matches(text).count();
    count("; the rest of a page passes as it came") + count(" passes without it")
}

/// How many traps the log tells of.
fn traps(workerd: &Workerd) -> usize {
    workerd.said().matches("nearside: a trap:").count()
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
    let end = &expected[expected.len() - b"</body></html>".len()..];
    for call in calls {
        let before = traps(&workerd);
        for _ in 0..8 {
            let answer = Visitor::new(&workerd.url(&name(call))).get("/");
            assert_eq!(answer.status, 200, "call {call}: {}", workerd.said());
            assert!(answer.body.ends_with(end), "call {call}: {}", workerd.said());
            let outcome = answer.outcome().unwrap();
            if matches!(outcome, "trap" | "no-program") {
                assert_eq!(answer.body, expected, "call {call}");
                assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
            }
        }
        assert!(traps(&workerd) > before, "call {call}: {}", workerd.said());
    }
    // A trap after the last byte is met by nobody.
    assert!(answered(&workerd) <= traps(&workerd), "{}", workerd.said());
}

#[test]
fn after_a_trap_pages_are_personalised_again() {
    let shop = shared().shop.as_ref().unwrap().url();
    let worker = trapping_at("edge", 150, &shop, &shared().origin.url());
    let workerd = Workerd::start(&[worker]).unwrap();
    let mut outcomes = String::new();
    for _ in 0..60 {
        let answer = Visitor::new(&workerd.url("edge")).get("/");
        assert_eq!(answer.status, 200);
        let has_trapped = traps(&workerd) > outcomes.matches('t').count();
        outcomes.push(match answer.outcome().unwrap() {
            _ if has_trapped => 't',
            "personalised" => 'p',
            _ => '.',
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
    ask_until_trapped(&workerd, &workerd.url("edge"));
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

/// A page whose beginning has left cannot be had anew: its rest is the upstream's, from the byte on that has not left.
#[test]
fn the_rest_of_a_page_that_is_on_its_way_passes() {
    let upstream = Upstream::start();
    let workers = [WITHIN_THE_HEAD, DONE, EDITED].map(|which| {
        trapping_at(
            &format!("edge-{which}"),
            900,
            &upstream.url,
            &shared().origin.url(),
        )
    });
    let workerd = Workerd::start(&workers).unwrap();
    for which in [WITHIN_THE_HEAD, DONE, EDITED] {
        let url = workerd.url(&format!("edge-{which}"));
        assert!(is_whole(&url), "{}", workerd.said());
        let outcome = match which {
            EDITED => "desc=\"personalised\"",
            _ => "desc=\"unchanged\"",
        };
        // Each time another visitor asks; of two, one gets the page with edits.
        let mut asked = (0..40).map(|_| {
            let (mut reader, mut page) = (ask_for_pieces(&url, which), Vec::new());
            read_until(&mut reader, &mut page, "half of it\n");
            (reader, page)
        });
        let is_wanted = |page: &[u8]| String::from_utf8_lossy(page).contains(outcome);
        let (mut reader, mut page) = asked.find(|(_, page)| is_wanted(page)).unwrap();
        // The next piece comes while the instance is whole, most probably; it is in the midst of a tag.
        upstream.go_on();
        ask_until_trapped(&workerd, &url);
        // What is left of the page must not go to the next instance.
        assert!(is_whole(&url), "{}", workerd.said());
        let before = traps(&workerd);
        upstream.go_on();
        reader.read_to_end(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        let (_, body) = page.split_once("\r\n\r\n").unwrap();
        let whole = pieces(which).concat();
        if which != WITHIN_THE_HEAD {
            let (before, after) = whole.split_once("</head>").unwrap();
            assert!(body.starts_with(before) && body.ends_with(after), "{body}");
            assert!(body.contains("/_ns/"), "{body}");
        } else {
            assert_eq!(body, whole);
        }
        assert!(is_whole(&url), "{}", workerd.said());
        assert_eq!(traps(&workerd), before, "{}", workerd.said());
    }
}

/// Wherever in a page the module breaks, nothing of it is lost, and nothing comes twice.
#[test]
fn a_page_in_which_the_module_breaks_is_whole() {
    let upstream = Upstream::start();
    // Each call that a page with so many lines makes, and those of the end.
    let ways = [("write", 8..15), ("waiting", 8..15), ("end", 8..10)];
    let (mut names, mut workers) = (Vec::new(), Vec::new());
    for (export, calls) in ways {
        for call in calls {
            let name = format!("{export}-{call}");
            let worker = edge(&name, &upstream.url, &shared().origin.url());
            let export = format!("rewriting_{export}");
            workers.push(
                worker
                    .with_changed_module(|module| trapping::at_call_of(module, &export, call))
                    .unwrap(),
            );
            names.push(name);
        }
    }
    let workerd = Workerd::start(&workers).unwrap();
    let mut broken = 0;
    for call in names {
        let url = workerd.url(&call);
        assert!(is_whole(&url), "{}", workerd.said());
        let before = traps(&workerd);
        for which in [LINES, LINES_OF_KNOWN_LENGTH].into_iter().cycle() {
            if traps(&workerd) > before {
                break;
            }
            let whole = pieces(which);
            let mut reader = ask_for_pieces(&url, which);
            let mut page = Vec::new();
            read_until(&mut reader, &mut page, "\r\n\r\n");
            for _ in 1..whole.len() {
                upstream.go_on();
                reader.read_until(b'\n', &mut page).unwrap();
            }
            reader.read_to_end(&mut page).unwrap();
            let whole = whole.concat();
            let page = String::from_utf8(page).unwrap();
            let (head, body) = page.split_once("\r\n\r\n").unwrap();
            if body == whole {
                broken += usize::from(!head.contains("desc=\"trap\""));
            } else {
                let (before, after) = whole.split_once("</head>").unwrap();
                let after = format!("</head>{after}");
                let put_in = body
                    .strip_prefix(before)
                    .and_then(|rest| rest.strip_suffix(&after));
                let put_in = put_in.unwrap_or_else(|| panic!("call {call}: {body}"));
                assert!(
                    put_in.starts_with("<script ") && !put_in.contains("<p>text"),
                    "{body}"
                );
            }
        }
        assert!(is_whole(&url), "{}", workerd.said());
    }
    assert_eq!(answered(&workerd), traps(&workerd), "{}", workerd.said());
    // The others broke before anything of a page had left, or at its end.
    assert!(broken > 3, "{broken} of {}", workers.len());
}

/// Asks for a page that comes in pieces, so that what comes is the page itself and no chunks of it.
fn ask_for_pieces(url: &str, which: usize) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let patience = Some(Duration::from_secs(60));
    connection.set_read_timeout(patience).unwrap();
    write!(
        connection,
        "GET /?pieces={which} HTTP/1.0\r\nHost: shop.example\r\nAccept: text/html\r\n\r\n"
    )
    .unwrap();
    BufReader::new(connection)
}

/// Reads on until what has come ends with `end`, at the end of a line.
fn read_until(reader: &mut BufReader<TcpStream>, page: &mut Vec<u8>, end: &str) {
    while !page.ends_with(end.as_bytes()) {
        let read = reader.read_until(b'\n', page).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(page));
    }
}

/// A page that waits within a tag where the head has not ended.
const WITHIN_THE_HEAD: usize = 0;
/// One where nothing is left to do.
const DONE: usize = 1;
/// One that comes line by line, and waits within a tag of its head each time; and the same where its length is known.
const LINES: usize = 2;
const LINES_OF_KNOWN_LENGTH: usize = 3;
/// One that is read to its end by who has edits, and of which a part of what waited leaves while more comes to wait.
const EDITED: usize = 4;

/// The pieces in which pages come.
fn pieces(which: usize) -> Vec<String> {
    let pieces = match which {
        WITHIN_THE_HEAD => [
            "<!doctype html><head><title>half of it\n</title><meta name=\"the ",
            "other ",
            "half\"></head><p>text",
        ],
        DONE => [
            "<!doctype html><head></head><p>half of it\n<p title=\"the ",
            "other ",
            "half\">text",
        ],
        EDITED => [
            "<!doctype html><head></head><svg><![CDATA[half of it\nxy",
            "b",
            "]]></svg><p>text",
        ],
        _ => {
            let lines = (0..5).map(|line| format!("line {line}'>\n<meta name='"));
            return ["<!doctype html><head><meta name='".to_owned()]
                .into_iter()
                .chain(lines)
                .chain(["'></head><p>text".to_owned()])
                .collect();
        }
    };
    pieces.map(str::to_owned).to_vec()
}

const PAGE: &str = "<!doctype html><title>a page</title><p>text";

/// What lets a page in pieces go on. If a page is asked for anew, the new one goes on, and the old one ends.
type GoingOn = Arc<Mutex<Option<Sender<()>>>>;

/// A site: `/held` is not answered when it is asked for first, `/?pieces=…` waits after each piece, and what is posted
/// comes back.
struct Upstream {
    url: String,
    posts: Arc<AtomicUsize>,
    /// Says that `/held` was asked for.
    arrived: Mutex<Receiver<()>>,
    /// Lets the page in pieces that was asked for last go on.
    going_on: GoingOn,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let posts = Arc::new(AtomicUsize::new(0));
        let (arrives, arrived) = channel();
        let going_on = GoingOn::default();
        let counter = Arc::clone(&posts);
        let last = Arc::clone(&going_on);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (posts, arrives, going_on) = (Arc::clone(&counter), arrives.clone(), Arc::clone(&last));
                thread::spawn(move || answer(connection, &posts, &arrives, &going_on));
            }
        });
        Self {
            url,
            posts,
            arrived: Mutex::new(arrived),
            going_on,
        }
    }

    /// Lets the next piece come.
    fn go_on(&self) {
        let going_on = self.going_on.lock().unwrap();
        going_on.as_ref().unwrap().send(()).unwrap();
    }
}

/// Answers one request.
fn answer(
    mut connection: TcpStream,
    posts: &AtomicUsize,
    arrives: &Sender<()>,
    going_on: &GoingOn,
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
    } else if let Some((_, which)) = head.split_once("GET /?pieces=") {
        let which: usize = which.get(..1)?.parse().ok()?;
        let length = match which {
            LINES_OF_KNOWN_LENGTH => format!("Content-Length: {}\r\n", pieces(which).concat().len()),
            _ => String::new(),
        };
        let (go_on, goes_on) = channel();
        *going_on.lock().ok()? = Some(go_on);
        write!(connection, "{html}{length}\r\n").ok()?;
        for (place, piece) in pieces(which).iter().enumerate() {
            if place > 0 {
                goes_on.recv().ok()?;
            }
            connection.write_all(piece.as_bytes()).ok()?;
        }
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
