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
