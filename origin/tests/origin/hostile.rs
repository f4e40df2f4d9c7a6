//! Bodies that mean harm.

use crate::support::{ADMIN, EDGE, KEY, Origin};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use std::io::Write;

async fn check(origin: &Origin, body: Vec<u8>, expected: &str) {
    let beginning = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
    let (status, answer) = origin.post("/v1/batch", KEY, body).await;
    assert_eq!((status, &answer["code"]), (400, &json!(expected)), "{beginning}");
}

#[tokio::test]
async fn broken_bodies() {
    let origin = Origin::start().await;
    for body in [
        &b""[..],
        b"{",
        b"{\"batch\":[\xff]}",
        b"\"\xc3\x28\"",
        b"nonsense",
        b"{\"a\":1e999}",
    ] {
        check(&origin, body.to_vec(), "invalid_json").await;
    }
    let deep = [
        "[".repeat(100_000),
        "{\"a\":".repeat(50_000),
        format!("{{\"batch\":{}", "[".repeat(200)),
    ];
    for body in deep {
        check(&origin, body.into_bytes(), "invalid_json").await;
    }
    for body in ["7", "[]", "null", "\"batch\""] {
        check(&origin, body.into(), "not_an_object").await;
    }
    for body in ["{}", r#"{"batch":{}}"#, r#"{"batch":"x"}"#, r#"{"batch":null}"#] {
        check(&origin, body.into(), "no_batch").await;
    }
    check(&origin, vec![b' '; 600_000], "body_too_large").await;
    let many = format!(r#"{{"batch":[{}]}}"#, vec!["1"; 2_501].join(","));
    check(&origin, many.into_bytes(), "batch_too_long").await;
    check(&origin, vec![0x1f, 0x8b, 0, 0, 0], "invalid_compression").await;
    let (status, ..) = origin
        .send("POST", "/v1/batch", &[KEY, ("content-encoding", "br")], "{}")
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_gzip_bomb_is_not_unpacked() {
    let origin = Origin::start().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..200 {
        encoder.write_all(&vec![b' '; 1_000_000]).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 500_000);
    check(&origin, bomb, "body_too_large").await;
}

#[tokio::test]
async fn odd_values_are_stored_as_they_came() {
    let origin = Origin::start().await;
    let odd = "\u{0}'; DROP TABLE events; --\u{202e}😀";
    let event = json!({"type": "track", "event": odd, "anonymousId": odd, "userId": odd, "messageId": odd,
        "traits": {odd: odd}, "timestamp": -1e300, "properties": {"n": 1e300, "": null}});
    assert_eq!(origin.forward(&[event.clone(), event]).await, (1, 1, 0));
    let profile = origin
        .store
        .profile(nearside_origin::store::ProfileKey::User(odd.to_owned()))
        .await
        .unwrap();
    assert_eq!(profile.unwrap().anonymous_ids, [odd]);
}

#[tokio::test]
async fn wrong_types_everywhere_never_fail_the_service() {
    let origin = Origin::start().await;
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!("x"),
        json!([[]]),
        json!({"a": {"b": []}}),
    ];
    let fields = [
        "type",
        "event",
        "name",
        "userId",
        "anonymousId",
        "messageId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "context",
        "traits",
        "properties",
        "integrations",
    ];
    let mut messages = Vec::new();
    for field in fields {
        for value in &values {
            let mut message = json!({"type": "identify", "userId": "u", "anonymousId": "a"});
            message[field] = value.clone();
            messages.push(message);
        }
    }
    let (accepted, duplicate, invalid) = origin.forward(&messages).await;
    assert_eq!(accepted + duplicate + invalid, messages.len() as u64);
    for field in ["sentAt", "context", "integrations", "writeKey"] {
        for value in &values {
            let mut body = json!({"batch": messages});
            body[field] = value.clone();
            assert_eq!(
                origin.post("/v1/batch", KEY, body.to_string()).await.0,
                200,
                "{field}: {value}"
            );
        }
    }
}

#[tokio::test]
async fn traits_do_not_grow_without_bound() {
    let origin = Origin::start().await;
    for round in 0..10 {
        let traits = json!({format!("t{round}"): "x".repeat(20_000)});
        let event = json!({"type": "identify", "userId": "u", "messageId": round, "traits": traits});
        assert_eq!(origin.forward(&[event]).await, (1, 0, 0));
    }
    let profile = origin.profile("userId=u").await;
    assert!(profile["traits"].to_string().len() < 70_000);
    assert_eq!(profile["events"], json!({"identify": 10}));
}

#[tokio::test]
async fn odd_queries() {
    let origin = Origin::start().await;
    let long = "a".repeat(5_000);
    for query in [
        "",
        "anonymousId=",
        "anonymousId=%ff",
        "anonymousId=a&anonymousId=b",
        &format!("anonymousId={long}"),
    ] {
        let status = origin.get(&format!("/v1/edge/snapshot?{query}"), EDGE).await.0;
        assert!([400, 404].contains(&status), "{query}: {status}");
        let status = origin.get(&format!("/admin/v1/profiles?{query}"), ADMIN).await.0;
        assert!([400, 404].contains(&status), "{query}: {status}");
    }
}

#[tokio::test]
async fn paths_that_cannot_be_decoded() {
    let origin = Origin::start().await;
    // That every error has a `code` and a `message` is checked wherever one is received.
    for (path, expected) in [
        ("/v1/%ff", 400),
        ("/v1/%ff/", 400),
        ("/%ff/v1/batch", 400),
        ("/%ff/v1/%ff/", 400),
        ("/v1/%00", 404),
        ("/%ff", 404),
    ] {
        let (status, answer) = origin.post(path, KEY, "{}").await;
        assert_eq!((status, &answer["success"]), (expected, &json!(false)), "{path}");
    }
}
