//! Cookies and bodies from somebody with bad intentions: an unpersonalised page, never an error.

use crate::shared;
use nearside_tests::client::Visitor;

/// A visitor whose cookie says: bike lover.
fn bike_lover() -> Visitor {
    let mut visitor = Visitor::new(&shared().edge.url());
    for product in ["city-bike", "gravel-bike", "folding-bike"] {
        visitor.get(&format!("/products/bikes/{product}"));
    }
    assert!(visitor.get("/").text().contains("Ride on"));
    visitor
}

#[track_caller]
fn is_unpersonalised(visitor: &mut Visitor) {
    let answer = visitor.get("/");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("Ride on"), "{}", answer.text());
    assert!(answer.text().contains("</html>"), "the page is whole");
}

#[test]
fn a_forged_state() {
    let mut visitor = bike_lover();
    let sealed = visitor.cookie("ns_s").unwrap().to_owned();
    for place in [0, sealed.len() / 2, sealed.len() - 1] {
        let mut forged: Vec<char> = sealed.chars().collect();
        forged[place] = if forged[place] == 'A' { 'B' } else { 'A' };
        visitor.set_cookie("ns_s", &forged.into_iter().collect::<String>());
        is_unpersonalised(&mut visitor);
    }
}

#[test]
fn a_truncated_state() {
    let mut visitor = bike_lover();
    let sealed = visitor.cookie("ns_s").unwrap().to_owned();
    for length in [0, 1, 2, 3, 33, 34, 54, 55, 56, sealed.len() - 1] {
        visitor.set_cookie("ns_s", &sealed[..length]);
        is_unpersonalised(&mut visitor);
    }
}

#[test]
fn an_oversized_state() {
    let mut visitor = bike_lover();
    for length in [3_501, 7_000] {
        visitor.set_cookie("ns_s", &"A".repeat(length));
        is_unpersonalised(&mut visitor);
    }
}

#[test]
fn somebody_else_s_state() {
    let sealed = bike_lover().cookie("ns_s").unwrap().to_owned();
    let mut thief = Visitor::new(&shared().edge.url());
    thief.get("/");
    thief.set_cookie("ns_s", &sealed);
    is_unpersonalised(&mut thief);
}

#[test]
fn a_state_that_is_no_cookie_value() {
    let mut visitor = bike_lover();
    for value in ["\"", "%00", "a b", "{\"a\":1}", "=", "\u{e9}"] {
        visitor.set_cookie("ns_s", value);
        is_unpersonalised(&mut visitor);
    }
}

#[test]
fn a_journal_that_is_none() {
    for journal in [
        "A".repeat(2_001),
        "AAAA".to_owned(),
        "\u{1f6b2}".to_owned(),
        "_".repeat(1_999),
    ] {
        let mut visitor = Visitor::new(&shared().edge.url());
        visitor.get("/");
        visitor.set_cookie("ns_j", &journal);
        is_unpersonalised(&mut visitor);
    }
}

#[test]
fn an_id_that_would_be_markup() {
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.set_cookie("ns_id", "</script><script>alert(1)</script>");
    let page = visitor.get("/").text();
    assert!(!page.contains("alert(1)"), "{page}");
    assert_eq!(visitor.cookie("ns_id").unwrap().len(), 36);
}

#[test]
fn bodies_that_are_no_events() {
    let mut visitor = Visitor::new(&shared().edge.url());
    let cases = [
        ("{", 400, "invalid_json"),
        ("[]", 400, "invalid_request"),
        ("{\"batch\":7}", 400, "invalid_request"),
        (&"[".repeat(100_000), 400, "invalid_json"),
        (
            &format!("{{\"batch\":[\"{}\"]}}", "x".repeat(600_000)),
            400,
            "too_large",
        ),
    ];
    for (body, status, code) in cases {
        let answer = visitor.post("/_ns/v1/batch", body);
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(
            answer.text().contains(&format!("\"code\":\"{code}\"")),
            "{}",
            answer.text()
        );
    }
    let answer = visitor.send("GET", "/_ns/v1/batch", &[], "");
    assert_eq!(answer.status, 405);
    assert_eq!(visitor.post("/_ns/v1/nothing", "{}").status, 404);
    assert_eq!(visitor.get("/_ns/nothing.js").status, 404);
    assert_eq!(visitor.post("/_ns/v1/replay", "{}").status, 401);
}

#[test]
fn what_a_visitor_says_of_themselves_is_escaped() {
    let mut visitor = bike_lover();
    let body =
        r#"{"type":"identify","userId":"u-escape","traits":{"firstName":"<img src=x onerror=alert(1)>"}}"#;
    let answer = visitor.post("/_ns/v1/i", body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let page = visitor.get("/").text();
    assert!(
        page.contains("Ride on, &lt;img src=x onerror=alert(1)&gt;</h1>"),
        "{page}"
    );
    assert!(!page.contains("<img src=x"), "{page}");
}

#[test]
fn another_site_s_form_cannot_make_the_visitor_somebody() {
    let attacks: [&[(&str, &str)]; 3] = [
        &[
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
            ("content-type", "text/plain"),
        ],
        &[("origin", "https://evil.example"), ("content-type", "text/plain")],
        &[("origin", "null"), ("content-type", "text/plain")],
    ];
    for headers in attacks {
        for path in ["/_ns/v1/identify", "/_ns/v1/reset"] {
            let mut visitor = Visitor::new(&shared().edge.url());
            let answer = visitor.send("POST", path, headers, r#"{"userId":"attacker","x":"="}"#);
            assert_eq!(
                (answer.status, answer.all("set-cookie").count()),
                (403, 0),
                "{path} {headers:?}"
            );
        }
    }
    let own = shared().edge.url();
    let mut visitor = Visitor::new(&own);
    let answer = visitor.send(
        "POST",
        "/_ns/v1/identify",
        &[("origin", own.as_str())],
        r#"{"userId":"themselves"}"#,
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn a_small_batch_does_not_become_a_large_one() {
    let mut visitor = Visitor::new(&shared().edge.url());
    let batch = vec!["{}"; 2_400].join(",");
    let body = format!(
        r#"{{"context":{{"a":"{}"}},"batch":[{batch}]}}"#,
        "x".repeat(400_000)
    );
    let answer = visitor.post("/_ns/v1/batch", &body);
    assert_eq!(answer.status, 400, "{}", answer.text());
}

#[test]
fn one_event_that_is_too_large_does_not_hold_the_others() {
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.get("/");
    let large = format!(
        r#"{{"type":"track","event":"E","messageId":"large","properties":{{"x":"{}"}}}}"#,
        "x".repeat(150_000)
    );
    let body = format!(
        r#"{{"batch":[{{"type":"track","event":"Product Added","messageId":"beside-large"}},{large}]}}"#
    );
    let answer = visitor.post("/_ns/v1/batch", &body);
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains("\"invalid\":1"), "{}", answer.text());
    assert!(visitor.get("/cart").text().contains("id=\"cart-reminder\""));
}

#[test]
fn who_refuses_has_no_state_that_could_be_read() {
    let mut visitor = bike_lover();
    visitor.set_cookie("ns_c", "none");
    let answer = visitor.get("/_ns/state?url=%2F");
    let state: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(state["segments"], serde_json::json!([]));
    assert!(
        state["decisions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|decision| decision["variant"].is_null())
    );
    assert_eq!(answer.all("set-cookie").count(), 0);
}

#[test]
fn a_batch_is_folded_in_the_order_of_its_times() {
    let mut visitor = bike_lover();
    let told = |id: &str, name: &str, time: &str| {
        format!(
            r#"{{"type":"identify","messageId":"{id}","userId":"u-order","traits":{{"firstName":"{name}"}},"timestamp":"{time}"}}"#
        )
    };
    let batch = [
        told("order-1", "New", "2026-11-21T10:00:10Z"),
        told("order-2", "Old", "2026-11-21T10:00:00Z"),
    ]
    .join(",");
    assert_eq!(
        visitor
            .post("/_ns/v1/batch", &format!(r#"{{"batch":[{batch}]}}"#))
            .status,
        200
    );
    assert!(visitor.get("/").text().contains("Ride on, New"));
}
