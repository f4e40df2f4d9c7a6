//! What clients of the tracking API send.

use crate::support::{KEY, Origin};
use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

const NONE: (&str, &str) = ("x-none", "1");

#[tokio::test]
async fn every_route_takes_events() {
    let origin = Origin::start().await;
    let body = json!({"batch": [{"type": "track", "event": "E", "userId": "u"}]}).to_string();
    for path in [
        "/v1/batch",
        "/v1/b",
        "/v1/batch/",
        "/collect/v1/batch",
        "/collect/v1/b/",
    ] {
        assert_eq!(
            origin.post(path, KEY, body.clone()).await,
            (200, json!({"success": true})),
            "{path}"
        );
    }
    let single = json!({"event": "E", "userId": "u", "type": "overruled"}).to_string();
    for path in [
        "t", "i", "p", "s", "g", "a", "track", "identify", "page", "screen", "group", "alias", "t/",
    ] {
        assert_eq!(
            origin.post(&format!("/v1/{path}"), KEY, single.clone()).await.0,
            200,
            "{path}"
        );
    }
    assert_eq!(origin.post("/v1/m", KEY, "{}").await.0, 200);
    assert_eq!(origin.post("/v1/nothing", KEY, "{}").await.0, 404);
    let profile = origin.profile("userId=u").await;
    let expected = json!({"track": 8, "identify": 2, "page": 2, "screen": 2, "group": 2, "alias": 2});
    assert_eq!(profile["events"], expected);
}

#[tokio::test]
async fn keys() {
    let origin = Origin::start().await;
    let body = |key: &str| json!({"writeKey": key, "batch": []}).to_string();
    let cases = [
        (KEY, "", "wrong", 200),
        (("authorization", "Basic a2V5"), "", "", 200),
        (("authorization", "Basic d3Jvbmc6"), "?writeKey=key", "key", 401),
        (("authorization", "Bearer x"), "", "key", 200),
        (NONE, "", "key", 200),
        (NONE, "", "wrong", 401),
        (NONE, "", "", 401),
        (("content-type", "text/plain"), "", "other", 200),
        (
            ("content-type", "application/x-www-form-urlencoded"),
            "",
            "other",
            200,
        ),
    ];
    for (header, query, key, expected) in cases {
        let status = origin
            .post(&format!("/v1/batch{query}"), header, body(key))
            .await
            .0;
        assert_eq!(status, expected, "{header:?} {query} {key}");
    }
    assert_eq!(
        origin
            .post("/v1/batch?writeKey=key", NONE, r#"{"batch":[]}"#)
            .await
            .0,
        200
    );
    assert_eq!(
        origin
            .post("/v1/batch?writeKey=no", NONE, r#"{"batch":[]}"#)
            .await
            .0,
        401
    );
}

#[tokio::test]
async fn compressed_bodies() {
    let origin = Origin::start().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(br#"{"batch":[{"type":"page","userId":"u"}]}"#)
        .unwrap();
    let compressed = encoder.finish().unwrap();
    for headers in [&[KEY, ("content-encoding", "gzip")][..], &[KEY]] {
        assert_eq!(
            origin.send("POST", "/v1/b", headers, compressed.clone()).await.0,
            200
        );
    }
    assert_eq!(origin.profile("userId=u").await["events"], json!({"page": 2}));
}

#[tokio::test]
async fn the_sender_s_clock_is_corrected() {
    let origin = Origin::start().await;
    let body = json!({"sentAt": "2001-01-01T00:01:00Z",
        "batch": [{"type": "page", "userId": "u", "messageId": 5, "timestamp": "2001-01-01T00:00:00Z"}]});
    assert_eq!(origin.post("/v1/batch", KEY, body.to_string()).await.0, 200);
    let event = &origin.events("userId=u").await[0];
    assert_eq!(
        event["receivedAt"].as_i64().unwrap() - event["timestamp"].as_i64().unwrap(),
        60_000
    );
    assert_eq!(event["messageId"], "5");
}

#[tokio::test]
async fn one_bad_event_does_not_sink_its_batch() {
    let origin = Origin::start().await;
    let huge = "x".repeat(40_000);
    let body = json!({"batch": [
        {"type": "page", "userId": "u"}, 7, null, {"type": "page"}, {"type": "?", "userId": "u"},
        {"type": "track", "userId": "u"}, {"type": "page", "userId": "u", "properties": []},
        {"type": "page", "userId": "u", "properties": {"huge": huge}},
        {"type": "page", "userId": "u", "messageId": "m".repeat(101)},
        {"type": "page", "userId": "u"}]});
    assert_eq!(
        origin.post("/v1/batch", KEY, body.to_string()).await,
        (200, json!({"success": true}))
    );
    let outcomes: Vec<_> = origin.store.outcomes().await.unwrap();
    let accepted = outcomes
        .iter()
        .filter(|(outcome, ..)| outcome == "accepted")
        .map(|(.., n)| n)
        .sum::<i64>();
    let all = outcomes.iter().map(|(.., n)| n).sum::<i64>();
    assert_eq!((accepted, all), (2, 10), "{outcomes:?}");
}

#[tokio::test]
async fn a_bad_single_event_is_told_to_its_sender() {
    let origin = Origin::start().await;
    let code = async |body: &Value| origin.post("/v1/t", KEY, body.to_string()).await;
    assert_eq!(code(&json!({"userId": "u"})).await.1["code"], "invalid_event");
    assert_eq!(code(&json!({"event": "E"})).await.0, 400);
    let huge = json!({"event": "E", "userId": "u", "properties": {"p": "x".repeat(40_000)}});
    assert_eq!(code(&huge).await.1["code"], "event_too_large");
}

#[tokio::test]
async fn preflights() {
    let origin = Origin::start().await;
    let preflight = async |site: &'static str| {
        let headers = [
            ("origin", site),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,x-retry-count"),
        ];
        origin.send("OPTIONS", "/v1/batch", &headers, Body::empty()).await
    };
    let (status, headers, _) = preflight("https://shop.example").await;
    assert_eq!(status, 200);
    assert_eq!(headers["access-control-allow-origin"], "https://shop.example");
    assert_eq!(headers["access-control-allow-credentials"], "true");
    assert_eq!(
        headers["access-control-allow-headers"],
        "authorization,x-retry-count"
    );
    assert!(headers.contains_key("access-control-max-age"));
    let (_, headers, _) = preflight("https://evil.example").await;
    assert!(!headers.contains_key("access-control-allow-origin"));
    // The page must be able to read why it was refused.
    let wrong = [
        ("origin", "https://shop.example"),
        ("authorization", "Basic d3Jvbmc6"),
    ];
    let (status, headers, _) = origin.send("POST", "/v1/batch", &wrong, "{}").await;
    assert_eq!(status, 401);
    assert_eq!(headers["access-control-allow-origin"], "https://shop.example");
    assert_eq!(headers["access-control-expose-headers"], "retry-after");
}
