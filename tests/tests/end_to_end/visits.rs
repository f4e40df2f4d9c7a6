//! What a visitor does changes the next page's HTML, without any JavaScript.

use crate::{shared, start};
use nearside_tests::client::Visitor;
use nearside_tests::wait;
use serde_json::json;
use xtask::stack::StackOptions;

#[test]
fn three_views_of_a_category_personalise_the_home_page() {
    let mut visitor = Visitor::new(&shared().edge.url());
    let before = visitor.get("/");
    assert!(!before.text().contains("Ride on"), "{}", before.text());
    for product in ["city-bike", "gravel-bike"] {
        visitor.get(&format!("/products/bikes/{product}"));
    }
    assert!(
        !visitor.get("/").text().contains("Ride on"),
        "two views are not enough"
    );
    visitor.get("/products/bikes/folding-bike");
    let after = visitor.get("/");
    assert_eq!(after.status, 200);
    assert!(after.text().contains(">Ride on, friend</h1>"), "{}", after.text());
    assert_eq!(after.outcome(), Some("personalised"));
    assert_eq!(after.header("cache-control"), Some("private, no-store"));
    // Somebody else still gets the shop's own page.
    assert!(
        !Visitor::new(&shared().edge.url())
            .get("/")
            .text()
            .contains("Ride on")
    );
}

#[test]
fn outside_of_what_is_edited_the_page_is_the_upstream_s() {
    let stack = shared();
    let upstream = Visitor::new(&stack.shop.as_ref().unwrap().url()).get("/products/shoes/trail-shoes");
    let answer = Visitor::new(&stack.edge.url()).get("/products/shoes/trail-shoes");
    let page = answer.text();
    let (before, rest) = page
        .split_once("<script type=\"application/json\" id=\"nearside-state\">")
        .unwrap();
    let (_, after) = rest
        .split_once("<script async src=\"/_ns/sdk.js\"></script>")
        .unwrap();
    assert_eq!(format!("{before}{after}"), upstream.text());
    assert_eq!(answer.outcome(), Some("unchanged"));
}

#[test]
fn the_request_s_country_greets() {
    let french = start(StackOptions {
        connection: Some(json!({"country": "FR"})),
        ..StackOptions::default()
    });
    let page = Visitor::new(&french.edge.url()).get("/").text();
    assert!(page.contains("Bonjour !"), "{page}");
    let page = Visitor::new(&shared().edge.url()).get("/").text();
    assert!(!page.contains("Bonjour !"), "{page}");
}

#[test]
fn a_visitor_who_does_not_agree_is_not_remembered() {
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.set_cookie("ns_c", "none");
    let answer = visitor.get("/");
    assert_eq!(answer.outcome(), Some("no-consent"));
    assert_eq!(answer.all("set-cookie").count(), 0);
    let answer = visitor.post(
        "/_ns/v1/t",
        r#"{"event":"Product Added","messageId":"no-consent"}"#,
    );
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("\"filtered\":1"), "{}", answer.text());
    assert_eq!(answer.all("set-cookie").count(), 0);
}

#[test]
fn a_collected_event_changes_the_next_page_and_reaches_the_origin() {
    let stack = shared();
    let mut visitor = Visitor::new(&stack.edge.url());
    visitor.get("/");
    let answer = visitor.post(
        "/_ns/v1/batch",
        r#"{"batch":[{"type":"track","event":"Product Added","messageId":"collected-1"}]}"#,
    );
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json")),
        "{}",
        answer.text()
    );
    assert!(visitor.get("/cart").text().contains("id=\"cart-reminder\""));
    visitor.post(
        "/_ns/v1/t",
        r#"{"event":"Order Completed","messageId":"collected-2"}"#,
    );
    let page = visitor.get("/").text();
    assert!(
        !page.contains("id=\"cart-reminder\"") && page.contains("Good to see you again"),
        "{page}"
    );
    let id = visitor.cookie("ns_id").unwrap().to_owned();
    wait::until("the origin has both events and the page views", || {
        let events = crate::faults::origin_events(stack, &id);
        (events.len() == 5
            && events.contains(&"collected-1".to_owned())
            && events.contains(&"collected-2".to_owned()))
        .then_some(())
    });
}

#[test]
fn the_state_of_a_page_that_the_edge_did_not_write() {
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.get("/");
    visitor.post("/_ns/v1/t", r#"{"event":"Product Added","messageId":"state-1"}"#);
    let answer = visitor.get("/_ns/state?url=http%3A%2F%2Fshop.example%2Fcart");
    assert_eq!(
        (answer.status, answer.header("cache-control")),
        (200, Some("private, no-store"))
    );
    let state: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(state["visitor"], visitor.cookie("ns_id").unwrap());
    assert_eq!(state["segments"], json!(["cart-abandoner"]));
    let reminder = &state["decisions"][2];
    assert_eq!(
        *reminder,
        json!({"experience": "cart-reminder", "variant": "bar", "reason": "assigned"})
    );

    let program = visitor.get(&format!(
        "/_ns/program-{}.bin",
        state["program"].as_str().unwrap()
    ));
    assert_eq!(program.status, 200);
    assert_eq!(
        program.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(visitor.get("/_ns/program-0123456789abcdef.bin").status, 404);
}

#[test]
fn a_reset_makes_somebody_new() {
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.get("/");
    visitor.post("/_ns/v1/t", r#"{"event":"Product Added","messageId":"reset-1"}"#);
    let before = visitor.cookie("ns_id").unwrap().to_owned();
    let answer = visitor.post("/_ns/v1/reset", "");
    let state: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(state["segments"], json!([]));
    assert_ne!(visitor.cookie("ns_id").unwrap(), before);
    assert!(!visitor.get("/cart").text().contains("id=\"cart-reminder\""));
}

#[test]
fn the_sdk_s_files() {
    let mut visitor = Visitor::new(&shared().edge.url());
    let loader = visitor.get("/_ns/sdk.js");
    assert_eq!(loader.status, 200);
    assert_eq!(
        loader.header("cache-control"),
        Some("public, max-age=300, stale-while-revalidate=86400")
    );
    let text = loader.text();
    let engine = text
        .split('"')
        .find(|part| part.starts_with("/_ns/engine-"))
        .unwrap();
    let engine = visitor.get(engine);
    assert_eq!(engine.status, 200);
    assert_eq!(
        engine.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert!(
        engine
            .header("content-type")
            .unwrap()
            .starts_with("text/javascript")
    );
}

#[test]
fn a_reset_that_the_next_page_overtakes() {
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.get("/");
    visitor.post(
        "/_ns/v1/t",
        r#"{"event":"Product Added","messageId":"overtaken-1"}"#,
    );
    let before = visitor.cookie("ns_id").unwrap().to_owned();
    visitor.set_cookie("ns_j", "r");
    assert!(!visitor.get("/cart").text().contains("id=\"cart-reminder\""));
    assert_ne!(visitor.cookie("ns_id").unwrap(), before);
    assert_eq!(visitor.cookie("ns_j"), Some(""));
}

#[test]
fn a_reset_that_several_requests_carry_makes_one_visitor() {
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.get("/");
    let proposed = format!("{}-of-the-tests", visitor.cookie("ns_id").unwrap());
    let mut ids = Vec::new();
    for (method, path) in [("GET", "/cart"), ("GET", "/_ns/state"), ("POST", "/_ns/v1/reset")] {
        // The requests of several tabs overtake each other's answers.
        visitor.set_cookie("ns_j", &format!("r.{proposed}"));
        let accepted = [("accept", "text/html")];
        assert_eq!(visitor.send(method, path, &accepted, "").status, 200);
        assert_eq!(visitor.cookie("ns_j"), Some(""));
        ids.push(visitor.cookie("ns_id").unwrap().to_owned());
    }
    assert_eq!(ids, [&proposed[..]; 3]);
    visitor.set_cookie("ns_j", "r.<script>alert(1)</script>");
    assert!(!visitor.get("/").text().contains("alert(1)"));
    assert_ne!(visitor.cookie("ns_id"), Some(&proposed[..]));
}

#[test]
fn half_an_emoji_does_not_sink_its_batch() {
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.get("/");
    let batch = r#"{"batch":[{"type":"track","event":"Product Added","messageId":"half-1","properties":{"x":"hi \ud83d"}}]}"#;
    assert_eq!(visitor.post("/_ns/v1/batch", batch).status, 200);
    assert!(visitor.get("/cart").text().contains("id=\"cart-reminder\""));
}
