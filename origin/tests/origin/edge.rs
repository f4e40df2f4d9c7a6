//! What the edge asks for.

use crate::support::{EDGE, KEY, MANIFEST, Origin};
use axum::body::Body;
use nearside_engine::program::Program;
use nearside_engine::state::{Snapshot, State};
use serde_json::json;

async fn snapshot(origin: &Origin, visitor: &str) -> (Program, State) {
    let (status, answer) = origin
        .get(&format!("/v1/edge/snapshot?anonymousId={visitor}"), EDGE)
        .await;
    assert_eq!(status, 200, "{answer}");
    let snapshot = Snapshot::from_value(&serde_json::from_value(answer).unwrap()).unwrap();
    let (_, _, bytes) = origin
        .send("GET", "/v1/edge/program", &[EDGE], Body::empty())
        .await;
    let program = Program::from_bytes(&bytes).unwrap();
    let mut state = State::new(&program);
    state.apply_snapshot(&program, &snapshot).unwrap();
    (program, state)
}

#[tokio::test]
async fn the_program_is_served_by_its_id() {
    let origin = Origin::unpublished();
    assert_eq!(origin.get("/v1/edge/program", EDGE).await.0, 404);
    origin.publish(MANIFEST).await;
    let (status, headers, bytes) = origin
        .send("GET", "/v1/edge/program", &[EDGE], Body::empty())
        .await;
    assert_eq!(status, 200);
    let tag = headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", Program::id_of(&bytes)));
    for fitting in [tag.as_str(), &format!("\"x\", W/{tag}"), "*"] {
        let known = ("if-none-match", fitting);
        let (status, _, body) = origin
            .send("GET", "/v1/edge/program", &[EDGE, known], Body::empty())
            .await;
        assert_eq!((status.as_u16(), body.len()), (304, 0), "{fitting}");
    }
    let other = ("if-none-match", "\"0\"");
    assert_eq!(
        origin
            .send("GET", "/v1/edge/program", &[EDGE, other], Body::empty())
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn only_the_edge_is_answered() {
    let origin = Origin::start().await;
    let wrong = ("authorization", "Bearer edge-secre");
    for key in [wrong, KEY, ("authorization", "edge-secret"), ("x", "y")] {
        assert_eq!(origin.get("/v1/edge/program", key).await.0, 401);
        assert_eq!(origin.get("/v1/edge/snapshot?anonymousId=a", key).await.0, 401);
        assert_eq!(
            origin.post("/v1/edge/events", key, r#"{"batch":[]}"#).await.0,
            401
        );
        assert_eq!(
            origin.post("/v1/edge/counts", key, r#"{"pages":[]}"#).await.0,
            401
        );
    }
}

#[tokio::test]
async fn a_snapshot_has_the_visitor_s_cells_and_the_traits_that_are_read() {
    let origin = Origin::start().await;
    assert_eq!(origin.get("/v1/edge/snapshot?anonymousId=v", EDGE).await.0, 404);
    assert_eq!(origin.get("/v1/edge/snapshot", EDGE).await.0, 400);
    let traits = json!({"plan": "gold", "secret": "unread"});
    origin
        .forward(&[
            json!({"type": "track", "event": "Bought", "anonymousId": "v", "messageId": "1", "timestamp": 1_000}),
            json!({"type": "identify", "userId": "u", "anonymousId": "v", "messageId": "2", "traits": traits}),
        ])
        .await;
    let (program, state) = snapshot(&origin, "v").await;
    assert_eq!(state.count(&program, 0, 2_000), 1);
    assert_eq!(state.profile.user_id.as_deref(), Some("u"));
    assert_eq!(
        serde_json::to_string(&state.profile.traits).unwrap(),
        r#"{"plan":"gold"}"#
    );
    assert_eq!(origin.profile("anonymousId=v").await["traits"], traits);
}

#[tokio::test]
async fn forwarded_events_count_once() {
    let origin = Origin::start().await;
    let event = |id: &str| json!({"type": "page", "anonymousId": "v", "messageId": id});
    assert_eq!(
        origin
            .forward(&[event("1"), event("2"), event("1"), json!(7)])
            .await,
        (2, 1, 1)
    );
    assert_eq!(origin.forward(&[event("2"), event("3")]).await, (1, 1, 0));
    assert_eq!(origin.events("anonymousId=v").await.len(), 3);
    let outcomes = origin.store.outcomes().await.unwrap();
    let expected = [
        ("accepted", "", 3),
        ("duplicate", "", 2),
        ("invalid", "not_an_object", 1),
    ];
    assert_eq!(
        outcomes,
        expected.map(|(outcome, reason, n)| (outcome.to_owned(), reason.to_owned(), n))
    );
}

#[tokio::test]
async fn a_time_in_the_future_is_now() {
    let origin = Origin::start().await;
    let far =
        json!({"type": "page", "anonymousId": "v", "messageId": "1", "timestamp": "2999-01-01T00:00:00Z"});
    origin.forward(&[far]).await;
    let event = &origin.events("anonymousId=v").await[0];
    assert_eq!(event["timestamp"], event["receivedAt"]);
}

#[tokio::test]
async fn a_preview_is_minted_for_what_is_published() {
    use crate::support::ADMIN;
    let origin = Origin::unpublished();
    origin
        .publish(r#"{"experiences":[{"id":"hero","variants":[{"id":"a"},{"id":"b"}]}]}"#)
        .await;
    let ask = async |key, body: &str| {
        let (status, _, bytes) = origin
            .send("POST", "/admin/v1/preview", &[key], Body::from(body.to_owned()))
            .await;
        let answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        (status.as_u16(), answer)
    };
    let good = r#"{"variants":{"hero":"b"},"expires":"1h"}"#;
    let (status, answer) = ask(ADMIN, good).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["token"].as_str().unwrap();
    assert_eq!(answer["query"], format!("ns_preview={token}"));
    assert_eq!(ask(EDGE, good).await.0, 401);
    for (body, message) in [
        ("{}", "give `variants`"),
        (r#"{"variants":{}}"#, "1 to 32 variants"),
        (
            r#"{"variants":{"hero":"c"}}"#,
            "no variant `c` of an experience `hero`",
        ),
        (r#"{"variants":{"hero":7}}"#, "no variant `` of"),
        (r#"{"variants":{"hero":"a"},"expires":"40d"}"#, "at most 30 days"),
        (r#"{"variants":{"hero":"a"},"expires":7}"#, "at most 30 days"),
    ] {
        let (status, answer) = ask(ADMIN, body).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    }
}

/// The lines of `/metrics` about pages.
async fn counted_pages(origin: &Origin) -> Vec<String> {
    let (status, _, body) = origin.send("GET", "/metrics", &[], Body::empty()).await;
    assert_eq!(status, 200);
    let text = String::from_utf8(body.to_vec()).unwrap();
    let lines = text
        .lines()
        .filter(|line| line.starts_with("nearside_edge_pages_total"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn what_edges_count_is_added_up() {
    let origin = Origin::start().await;
    let page = |outcome: &str, source: &str, count: u32| json!({"outcome": outcome, "source": source, "count": count});
    for report in [
        json!({"pages": [page("personalised", "hit", 3), page("limit", "miss", 1)]}),
        json!({"pages": [page("personalised", "hit", 4)]}),
    ] {
        assert_eq!(
            origin.post("/v1/edge/counts", EDGE, report.to_string()).await.0,
            204
        );
    }
    let expected = [
        r#"nearside_edge_pages_total{outcome="limit",source="miss"} 1"#,
        r#"nearside_edge_pages_total{outcome="personalised",source="hit"} 7"#,
    ];
    assert_eq!(counted_pages(&origin).await, expected);
    // Of a report with a mistake nothing counts: it comes again.
    let many: Vec<_> = (0..600u32)
        .map(|i| {
            page(
                &format!("x{}", "a".repeat(i as usize % 30 + 1)),
                &"b".repeat(i as usize / 30 + 1),
                1,
            )
        })
        .collect();
    for report in [
        json!({"pages": [page("personalised", "hit", 1), page("Personalised", "hit", 1)]}),
        json!({"pages": [page("personalised", "hit", 1), page("", "hit", 1)]}),
        json!({"pages": [page("personalised", "hit", 1), page("a", "\"} 1\n", 1)]}),
        json!({"pages": [page("personalised", "hit", 1), {"outcome": "a", "source": "b", "count": -1}]}),
        json!({"pages": [page("personalised", "hit", 1_000_000_001)]}),
        json!({"pages": many}),
        json!([]),
    ] {
        assert_eq!(
            origin.post("/v1/edge/counts", EDGE, report.to_string()).await.0,
            400
        );
    }
    assert_eq!(counted_pages(&origin).await, expected);
}
