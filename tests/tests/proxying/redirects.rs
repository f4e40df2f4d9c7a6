//! Redirect experiments: what is recorded of them before they leave, and where they lead.

use crate::client::{Answer, Request, connect, read};
use crate::rig::{ADMIN_TOKEN, Rig, Way, rig, through_edge};
use crate::upstream::{Gate, Seen, Step, Upstream, html, plain};
use nearside_tests::client::Visitor;
use nearside_tests::wait;
use nearside_tests::workerd::{EdgeSettings, Worker, Workerd};
use serde_json::Value;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::time::Instant;

const PAGE: &[u8] = b"<!DOCTYPE html><html><head></head><body><h1>Hi</h1></body></html>";

/// A visitor whose cookies are known, as a `Cookie` header.
fn known() -> String {
    cookies(&through_edge(&Request::page("/"), &html("", PAGE)).answer, "")
}

/// The cookies after an answer.
fn cookies(answer: &Answer, before: &str) -> String {
    let set = answer.head().all("set-cookie").map(|value| {
        let value = String::from_utf8_lossy(value).into_owned();
        value.split(';').next().unwrap().to_owned()
    });
    let set: Vec<String> = set.collect();
    let is_new = |pair: &&str| {
        !set.iter()
            .any(|new| new.split('=').next() == pair.split('=').next())
    };
    let kept = before
        .split("; ")
        .filter(|pair| !pair.is_empty())
        .filter(is_new)
        .map(str::to_owned);
    kept.chain(set.iter().filter(|pair| !pair.ends_with('=')).cloned())
        .collect::<Vec<_>>()
        .join("; ")
}

fn id(cookies: &str) -> &str {
    cookies
        .split("; ")
        .find_map(|pair| pair.strip_prefix("ns_id="))
        .expect("the visitor has an id")
}

fn go(target: &str, cookies: &str) -> Answer {
    let asked = Request::page(target).with(format!("Cookie: {cookies}"));
    through_edge(&asked, &html("", PAGE)).answer
}

/// The visitor's events that the origin has on disk.
fn events(rig: &Rig, visitor: &str) -> Vec<Value> {
    let path = format!("/admin/v1/events?limit=1000&anonymousId={visitor}");
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let answer = Visitor::new(&rig.origin.url()).send("GET", &path, &[("authorization", &bearer)], "");
    match answer.status {
        404 => Vec::new(),
        _ => {
            let rows: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
            rows.into_iter().map(|row| row["message"].clone()).collect()
        }
    }
}

/// The experiments that the origin knows the visitor to have been exposed to.
fn exposures(visitor: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    events(rig(), visitor)
        .iter()
        .filter(|event| event["event"] == "Experiment Viewed")
        .map(|event| {
            (
                text(&event["properties"]["experiment_id"]),
                text(&event["properties"]["variation_id"]),
            )
        })
        .collect()
}

fn pages(visitor: &str) -> usize {
    events(rig(), visitor)
        .iter()
        .filter(|event| event["type"] == "page")
        .count()
}

#[test]
fn an_exposure_is_on_disk_when_the_redirect_arrives() {
    let cookies_before = known();
    let visitor = id(&cookies_before);
    let sent = go("/moved?a=1&b=%20", &cookies_before);
    assert_eq!(
        (sent.status(), sent.head().text("location").as_deref()),
        (302, Some("/there?a=1&b=%20"))
    );
    // Not later, and not twice.
    assert_eq!(exposures(visitor), [("moved".to_owned(), "there".to_owned())]);
    let after = cookies(&sent, &cookies_before);
    let there = go("/there?a=1&b=%20", &after);
    assert_eq!(
        (there.status(), there.outcome().as_deref()),
        (200, Some("personalised"))
    );
    wait::until("the two page views", || (pages(visitor) == 2).then_some(()));
    assert_eq!(
        exposures(visitor).len(),
        1,
        "the other page does not count it again"
    );
    let event = events(rig(), visitor)
        .into_iter()
        .find(|event| event["type"] == "track")
        .unwrap();
    assert!(
        event.to_string().contains("/moved?a=1"),
        "it tells the page that they asked for: {event}"
    );
}

#[test]
fn who_is_given_the_page_is_counted_too() {
    let cookies = known();
    let shown = go("/stays", &cookies);
    assert_eq!(shown.status(), 200);
    wait::until("the exposure", || {
        (exposures(id(&cookies)) == [("stays".to_owned(), "here".to_owned())]).then_some(())
    });
}

#[test]
fn what_nobody_sees_is_not_counted() {
    let cookies = known();
    let agreed = format!("{cookies}; ns_c=personalization");
    for asked in [
        Request::new("HEAD", "/moved").with(format!("Cookie: {cookies}")),
        Request::page("/moved")
            .with(format!("Cookie: {cookies}"))
            .with("Sec-Fetch-Dest: empty"),
        Request::page("/moved").with(format!("Cookie: {agreed}")),
    ] {
        assert_eq!(
            through_edge(&asked, &html("", PAGE)).answer.status(),
            302,
            "{asked:?}"
        );
    }
    assert_eq!(
        through_edge(
            &Request::page("/moved").with("Cookie: ns_c=none"),
            &html("", PAGE)
        )
        .answer
        .status(),
        200
    );
    // What is handed on before an answer leaves is there now; of these nothing is.
    assert_eq!(exposures(id(&cookies)), []);
}

/// What a browser loads in case that the visitor goes there is used without another question, if it is used.
#[test]
fn nobody_is_sent_ahead_of_time() {
    let cookies = known();
    for purpose in [
        "Sec-Purpose: prefetch",
        "Sec-Purpose: prefetch;prerender",
        "Purpose: prefetch",
        "X-Moz: prefetch",
    ] {
        let asked = Request::page("/moved")
            .with(format!("Cookie: {cookies}"))
            .with(purpose);
        let answer = through_edge(&asked, &html("", PAGE)).answer;
        assert_eq!(answer.status(), 503, "{purpose}");
        assert!(answer.body.is_empty() && answer.is_whole());
        assert_eq!(answer.head().text("cache-control").as_deref(), Some("no-store"));
        assert!(!answer.head().has("location") && !answer.head().has("set-cookie"));
    }
    assert_eq!(exposures(id(&cookies)), []);
    // When the visitor goes there, they are sent, and that is counted.
    assert_eq!(go("/moved", &cookies).status(), 302);
    assert_eq!(exposures(id(&cookies)).len(), 1);
    // A page that sends nobody may be loaded ahead.
    let page = Request::page("/there").with("Sec-Purpose: prefetch");
    assert_eq!(
        through_edge(&page, &html("", PAGE)).answer.outcome().as_deref(),
        Some("personalised")
    );
}

#[test]
fn nobody_goes_in_circles_and_queries_are_kept() {
    let mut jar = known();
    let mut target = "/first?q=1&own=2&&flag".to_owned();
    let mut ways = Vec::new();
    loop {
        let answer = go(&target, &jar);
        jar = cookies(&answer, &jar);
        let Some(location) = answer.head().text("location") else {
            break;
        };
        // The browser keeps the fragment for itself.
        target = location.split('#').next().unwrap().to_owned();
        ways.push(location);
        assert!(ways.len() < 5, "{ways:?}");
    }
    // The other page's own parameter wins; the fragment comes last.
    assert_eq!(ways, ["/second?own=1&q=1&flag#part"]);
    assert_eq!(exposures(id(&jar)).len(), 1);
    // Without cookies nobody could tell who was sent before.
    for target in ["/first", "/second"] {
        assert_eq!(
            through_edge(&Request::page(target), &html("", PAGE))
                .answer
                .status(),
            200,
            "{target}"
        );
    }
    // A page that leads to itself is shown, whatever its query is.
    for target in ["/itself", "/itself?a=1&b"] {
        assert_eq!(go(target, &known()).status(), 200, "{target}");
    }
}

/// What recording adds to a redirect; reported, not judged: machines are shared.
#[test]
fn the_time_that_recording_takes() {
    const TIMES: usize = 60;
    let median = |cookies: &str| {
        let mut times: Vec<f64> = (0..TIMES)
            .map(|_| {
                let started = Instant::now();
                assert_eq!(go("/moved", cookies).status(), 302);
                started.elapsed().as_secs_f64() * 1_000.0
            })
            .collect();
        times.sort_by(f64::total_cmp);
        times[TIMES / 2]
    };
    let cookies = known();
    let bare = median(&format!("{cookies}; ns_c=personalization"));
    let recorded = median(&cookies);
    println!(
        "median redirect: {bare:.2} ms without an exposure, {recorded:.2} ms with one on the origin's disk"
    );
    assert_eq!(exposures(id(&cookies)).len(), TIMES);
}

/// An edge whose origin is ours to hold back: it has the real one's program.
struct HeldBack {
    origin: Upstream,
    workerd: Workerd,
}

impl HeldBack {
    fn start(answer_to_events: Vec<Step>) -> Self {
        let secret = format!("Bearer {}", xtask::stack::DEVELOPMENT_EDGE_SECRET);
        let program = Visitor::new(&rig().origin.url()).send(
            "GET",
            "/v1/edge/program",
            &[("authorization", &secret)],
            "",
        );
        assert_eq!(program.status, 200);
        let origin = Upstream::start();
        origin.prepare(
            "/v1/edge/program",
            vec![Step::Send(plain("200 OK", "", &program.body))],
        );
        origin.prepare("/v1/edge/events", answer_to_events);
        let settings = EdgeSettings {
            upstream: format!("http://{}", rig().authority()),
            origin: format!("http://127.0.0.1:{}", origin.port()),
            ..EdgeSettings::default()
        };
        let workerd = Workerd::start(&[Worker::edge("edge", &settings).unwrap()]).unwrap();
        let held = Self { origin, workerd };
        wait::until("the edge has its program", || {
            let case = rig().case(&[Step::Send(html("", PAGE))]);
            // Without consent there is no page view to hand on.
            let page = crate::client::ask(held.port(), &Request::page("/").with("Cookie: ns_c=none"), &case);
            (page.outcome()? != "no-program").then_some(())
        });
        held
    }

    fn port(&self) -> u16 {
        self.workerd.port("edge")
    }

    fn exposures(&self) -> Vec<Seen> {
        let is_exposure = |seen: &Seen| String::from_utf8_lossy(&seen.body).contains("Experiment Viewed");
        self.origin
            .seen("/v1/edge/events")
            .into_iter()
            .filter(is_exposure)
            .collect()
    }
}

/// Somebody whom this worker has not seen, but whose id it takes.
const SOMEBODY: &str = "Cookie: ns_id=0123456789abcdef0123";

#[test]
fn a_redirect_waits_until_its_exposure_is_safe() {
    let gate = Gate::default();
    let held = HeldBack::start(vec![
        Step::Wait(gate.clone()),
        Step::Send(plain("200 OK", "", b"{}")),
    ]);
    let case = rig().case(&[Step::Send(html("", PAGE))]);
    let mut stream = connect(held.port());
    stream
        .write_all(&Request::page("/moved").with(SOMEBODY).bytes(&case))
        .unwrap();
    wait::until("the exposure is at the origin", || {
        (held.exposures().len() == 1).then_some(())
    });
    stream.set_nonblocking(true).unwrap();
    let nothing = stream.read(&mut [0; 1]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock, "the redirect has not left");
    stream.set_nonblocking(false).unwrap();
    gate.open();
    let answer = read(&mut BufReader::new(stream), "GET");
    assert_eq!(
        (answer.status(), answer.outcome().as_deref()),
        (302, Some("redirected"))
    );
}

#[test]
fn an_origin_that_does_not_answer_or_refuses_keeps_nobody_from_the_page() {
    let never = Gate::default();
    for steps in [
        vec![Step::Wait(never.clone())],
        vec![Step::Send(plain("503 Later", "", b""))],
        vec![Step::Close],
    ] {
        let held = HeldBack::start(steps);
        let case = rig().case(&[Step::Send(html("", PAGE))]);
        let answer = crate::client::ask(held.port(), &Request::page("/moved").with(SOMEBODY), &case);
        assert_eq!(answer.status(), 302);
        assert!(!held.exposures().is_empty());
    }
    never.open();
}

#[test]
fn the_way_of_a_redirect_without_a_page() {
    // A page that is not there is the site's affair, and so is its own redirect.
    for (status, headers) in [("404 Not Found", ""), ("302 Found", "Location: /own\r\n")] {
        let asked = Request::page("/moved").with(format!("Cookie: {}", known()));
        let sent = crate::upstream::answer(status, &format!("{headers}Content-Type: text/html\r\n"), PAGE);
        let got = rig().exchange(Way::Edge, &asked, &[Step::Send(sent)]);
        assert_eq!(got.answer.status(), status[..3].parse::<u16>().unwrap());
        assert_ne!(got.answer.outcome().as_deref(), Some("redirected"));
    }
}
