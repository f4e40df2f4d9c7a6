//! What the visitor brings along: device, browser, clock, and what they agree to.

use crate::start;
use nearside_tests::client::{Answer, Visitor};
use serde_json::{Value, json};
use std::sync::OnceLock;
use tempfile::TempDir;
use xtask::stack::{Stack, StackOptions};

const TELEPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1";

/// A shop, of which all visitors are in India.
fn india() -> &'static Stack {
    static STACK: OnceLock<(TempDir, Stack)> = OnceLock::new();
    let (_, stack) = STACK.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let manifest = folder.path().join("manifest.json");
        let text = |id: &str, value: &str| json!([{"id": id, "mutations": [{"op": "text", "selector": "header h1", "value": value}]}]);
        let made = json!({
            "segments": {
                "there": {"when": {"request.time.offset": 330, "request.time.hour": {"$between": [0, 23]}, "request.time.weekday": {"$between": [1, 7]}}},
                "mobile-safari": {"when": {"request.device": {"type": "mobile", "os": "ios"}, "request.browser.name": "safari", "request.browser.version": {"$gte": 17}}},
                "bot": {"when": {"request.bot": true}},
                "ads": {"when": {"profile.consent.ads": true}},
                "first-session": {"when": {"profile.sessions": 1}}
            },
            "experiences": [
                {"id": "mobile", "segment": "mobile-safari", "pages": [{"path": "/"}], "variants": text("v", "In your pocket")},
                {"id": "offer", "purpose": "ads", "pages": [{"path": "/cart"}], "variants": [{"id": "v", "mutations": [{"op": "addClass", "selector": "body", "value": "since-you-bought"}]}]}
            ]
        });
        std::fs::write(&manifest, made.to_string()).unwrap();
        let options = StackOptions {
            manifest: Some(manifest),
            connection: Some(json!({"country": "IN", "timezone": "Asia/Kolkata"})),
            ..StackOptions::default()
        };
        (folder, start(options))
    });
    stack
}

fn segments(visitor: &mut Visitor, headers: &[(&str, &str)]) -> Value {
    let state = visitor.send("GET", "/_ns/state?url=http%3A%2F%2Fshop.example%2F", headers, "");
    let state: Value = serde_json::from_slice(&state.body).unwrap();
    state["segments"].clone()
}

fn page_state(answer: &Answer) -> Value {
    let page = answer.text();
    let (_, rest) = page.split_once("id=\"nearside-state\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn device_browser_and_clock_are_known_and_handed_to_the_page() {
    let mut visitor = Visitor::new(&india().edge.url());
    let html = ("accept", "text/html");
    let page = visitor.send("GET", "/", &[("user-agent", TELEPHONE), html], "");
    assert!(page.text().contains(">In your pocket</h1>"), "{}", page.text());
    let request = page_state(&page)["request"].clone();
    assert_eq!(request["device"], json!({"type": "mobile", "os": "ios"}));
    assert_eq!(request["browser"], json!({"name": "safari", "version": 17}));
    assert_eq!(request["bot"], json!(false));
    // Nobody puts clocks forward there.
    assert_eq!(request["time"], json!({"offset": 330}));
    assert_eq!(
        segments(&mut visitor, &[("user-agent", TELEPHONE)]),
        json!(["ads", "first-session", "mobile-safari", "there"])
    );
    let curl = [("user-agent", "curl/8.9.1")];
    assert_eq!(
        segments(&mut visitor, &curl),
        json!(["ads", "bot", "first-session", "there"])
    );
}

#[test]
fn a_purpose_that_the_visitor_does_not_agree_to_is_not_served() {
    let mut visitor = Visitor::new(&india().edge.url());
    assert!(visitor.get("/cart").text().contains("since-you-bought"));
    visitor.set_cookie("ns_c", "personalization.analytics");
    let refused = visitor.get("/cart");
    assert!(!refused.text().contains("since-you-bought"));
    assert_eq!(refused.outcome(), Some("unchanged"));
    let known = segments(&mut visitor, &[("user-agent", TELEPHONE)]);
    assert_eq!(known, json!(["first-session", "mobile-safari", "there"]));
}
