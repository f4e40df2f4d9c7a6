//! What was acknowledged is not lost, and no page waits for the origin.

use crate::{shared, start};
use nearside_tests::client::Visitor;
use nearside_tests::wait;
use serde_json::Value;
use std::time::Instant;
use xtask::stack::{Stack, StackOptions};

/// What operators show; the stack's origins are started with it.
pub(crate) const ADMIN_TOKEN: &str = "an-operator-of-the-tests";

fn admin(stack: &Stack, path: &str) -> Option<Value> {
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let answer = Visitor::new(&stack.origin.url()).send("GET", path, &[("authorization", &bearer)], "");
    match answer.status {
        200 => Some(serde_json::from_slice(&answer.body).unwrap()),
        404 => None,
        status => panic!("{path}: {status} {}", answer.text()),
    }
}

/// The message ids of a visitor's profile, in the order of their arrival at the origin.
pub(crate) fn origin_events(stack: &Stack, visitor_id: &str) -> Vec<String> {
    let events = admin(
        stack,
        &format!("/admin/v1/events?limit=1000&anonymousId={visitor_id}"),
    );
    let events = events.unwrap_or(Value::Array(Vec::new()));
    events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["messageId"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_killed_origin_has_everything_that_it_acknowledged() {
    let mut stack = start(StackOptions::default());
    let mut phone = Visitor::new(&stack.edge.url());
    phone.get("/");
    let identify = r#"{"userId":"ada","traits":{"firstName":"Ada"},"messageId":"kill-identify"}"#;
    assert_eq!(phone.post("/_ns/v1/i", identify).status, 200);
    let order = r#"{"event":"Order Completed","messageId":"kill-order"}"#;
    assert_eq!(phone.post("/_ns/v1/t", order).status, 200);
    let id = phone.cookie("ns_id").unwrap().to_owned();
    wait::until("the origin has the order and the page view", || {
        (origin_events(&stack, &id).len() == 3).then_some(())
    });
    let known = |stack: &Stack| {
        let mut profile = admin(stack, "/admin/v1/profiles?userId=ada").unwrap();
        // The instant of the answer is no part of what is known.
        profile.as_object_mut().unwrap().remove("asOf");
        (profile, origin_events(stack, &id))
    };
    let before = known(&stack);

    stack.origin.kill9().unwrap();
    stack.origin.restart().unwrap();
    assert_eq!(known(&stack), before);
    assert_eq!(before.0["traits"]["firstName"], "Ada");

    // Another browser of the same person gets what only the profile knows.
    let mut laptop = Visitor::new(&stack.edge.url());
    assert!(!laptop.get("/").text().contains("Good to see you again"));
    let identify = r#"{"userId":"ada","messageId":"laptop-identify"}"#;
    assert_eq!(laptop.post("/_ns/v1/i", identify).status, 200);
    let page = laptop.get("/").text();
    assert!(
        page.contains("Good to see you again, <strong>Ada</strong>"),
        "{page}"
    );
    // And somebody else does not.
    let mut stranger = Visitor::new(&stack.edge.url());
    stranger.get("/");
    stranger.post("/_ns/v1/i", r#"{"userId":"bob","messageId":"bob-identify"}"#);
    assert!(!stranger.get("/").text().contains("Good to see you again"));
}

#[test]
fn with_the_origin_down_pages_go_on_and_events_wait() {
    let mut stack = start(StackOptions::default());
    let mut visitor = Visitor::new(&stack.edge.url());
    let running = median_page_time(&mut visitor);
    stack.origin.stop().unwrap();

    for product in ["city-bike", "gravel-bike", "folding-bike"] {
        visitor.get(&format!("/products/bikes/{product}"));
    }
    let page = visitor.get("/").text();
    assert!(page.contains("Ride on"), "the session still personalises: {page}");
    for number in 0..5 {
        let event = format!(r#"{{"event":"Product Added","messageId":"waiting-{number}"}}"#);
        assert_eq!(visitor.post("/_ns/v1/t", &event).status, 200);
    }
    // Sent twice, as a client does that did not hear the answer.
    visitor.post(
        "/_ns/v1/t",
        r#"{"event":"Product Added","messageId":"waiting-0"}"#,
    );
    let identify = r#"{"userId":"waiting","messageId":"waiting-identify"}"#;
    assert_eq!(visitor.post("/_ns/v1/i", identify).status, 200);
    let stopped = median_page_time(&mut visitor);
    println!(
        "median page: {running:.2} ms with the origin, {stopped:.2} ms without, {:+.2} ms",
        stopped - running
    );

    stack.origin.restart().unwrap();
    let id = visitor.cookie("ns_id").unwrap().to_owned();
    // Two rounds of measured pages, four pages, five events and the identify.
    let expected = 2 * PAGES + 4 + 5 + 1;
    let events = wait::until("all events arrive", || {
        let events = origin_events(&stack, &id);
        (events.len() >= expected).then_some(events)
    });
    assert_eq!(events.len(), expected, "each once");
    for number in 0..5 {
        assert!(events.contains(&format!("waiting-{number}")));
    }
    assert_eq!(
        admin(&stack, "/admin/v1/profiles?userId=waiting").unwrap()["userId"],
        "waiting"
    );
}

const PAGES: usize = 60;

/// Milliseconds until a page's last byte; reported, not judged: machines are shared.
fn median_page_time(visitor: &mut Visitor) -> f64 {
    let mut times: Vec<f64> = (0..PAGES)
        .map(|_| {
            let started = Instant::now();
            assert_eq!(visitor.get("/products/tents/dome-tent").status, 200);
            started.elapsed().as_secs_f64() * 1_000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[PAGES / 2]
}

#[test]
fn without_a_program_pages_pass_untouched() {
    let stack = Stack::start(StackOptions {
        variables: vec![("NEARSIDE_ORIGIN".to_owned(), String::new())],
        ..StackOptions::default()
    });
    let stack = stack.unwrap();
    let theirs = Visitor::new(&stack.shop.as_ref().unwrap().url()).get("/");
    let ours = Visitor::new(&stack.edge.url()).get("/");
    assert_eq!(ours.body, theirs.body);
    assert_eq!(ours.outcome(), Some("no-program"));
    assert_eq!(ours.header("etag"), theirs.header("etag"));
    let mut visitor = Visitor::new(&stack.edge.url());
    assert_eq!(visitor.get("/_ns/state").status, 503);
    // Whether events may be collected is not known without a program; but when the visitor has agreed, they are.
    let event = r#"{"event":"Product Added","messageId":"no-program","anonymousId":"someone"}"#;
    assert_eq!(
        visitor.post("/_ns/v1/t", event).status,
        503,
        "the client keeps it and tries again"
    );
    visitor.set_cookie("ns_c", "all");
    assert_eq!(visitor.post("/_ns/v1/t", event).status, 200);
}

#[test]
fn a_restarted_edge_has_its_program_without_the_origin() {
    let mut stack = start(StackOptions::default());
    stack.origin.stop().unwrap();
    stack.edge.restart().unwrap();
    let answer = Visitor::new(&stack.edge.url()).get("/");
    assert_eq!(answer.status, 200);
    assert_ne!(answer.outcome(), Some("no-program"), "the program is in KV");
    // The shared stack is not disturbed by any of this.
    assert_eq!(Visitor::new(&shared().edge.url()).get("/").status, 200);
}
