//! Who is who, and what is known of them.

use crate::support::{ADMIN, EDGE, MANIFEST, Origin};
use nearside_engine::cell::spec::{Keep, Shape};
use nearside_engine::state::State;
use serde_json::{Value, json};

/// The shape of a count without a window and without an end.
const TOTAL: Shape = Shape {
    keep: Keep::All,
    within: None,
};

fn seen(visitor: &str, id: &str, time: i64) -> Value {
    json!({"type": "track", "event": "Seen", "anonymousId": visitor, "messageId": id, "timestamp": time})
}

fn identify(visitor: &str, user: &str, id: &str, time: i64, traits: &Value) -> Value {
    json!({"type": "identify", "anonymousId": visitor, "userId": user, "messageId": id, "timestamp": time,
        "traits": traits})
}

#[tokio::test]
async fn an_anonymous_profile_becomes_the_user_s() {
    let origin = Origin::start().await;
    origin.forward(&[seen("a", "1", 1_000)]).await;
    let before = origin.profile("anonymousId=a").await;
    assert_eq!(before["userId"], Value::Null);
    origin
        .forward(&[identify("a", "u", "2", 2_000, &json!({"plan": "gold"}))])
        .await;
    let after = origin.profile("userId=u").await;
    assert_eq!(after["profileId"], before["profileId"]);
    assert_eq!(after["events"], json!({"identify": 1, "track": 1}));
    origin.assert_refolds("userId=u").await;
}

#[tokio::test]
async fn a_second_browser_joins_the_user() {
    let origin = Origin::start().await;
    origin
        .forward(&[identify("a", "u", "1", 1_000, &json!({"plan": "gold"}))])
        .await;
    for round in 0..40 {
        origin
            .forward(&[
                seen("a", &format!("a{round}"), 2_000 + round),
                seen("b", &format!("b{round}"), 2_500 + round),
            ])
            .await;
    }
    origin
        .forward(&[
            json!({"type": "identify", "anonymousId": "b", "messageId": "t", "timestamp": 2_600,
        "traits": {"plan": "none", "city": "Paris"}}),
        ])
        .await;
    // Any event that has both names links them.
    let both = json!({"type": "track", "event": "Seen", "anonymousId": "b", "userId": "u", "messageId": "x", "timestamp": 3_000});
    origin.forward(&[both]).await;
    origin.forward(&[seen("b", "y", 3_100)]).await;
    let profile = origin.profile("anonymousId=b").await;
    assert_eq!(profile["userId"], "u");
    assert_eq!(profile["events"], json!({"identify": 2, "track": 82}));
    assert_eq!(profile["anonymousIds"].as_array().unwrap().len(), 2);
    // What the user said of themselves goes before what the browser said without a name.
    assert_eq!(profile["traits"], json!({"plan": "gold", "city": "Paris"}));
    let published = origin.store.published();
    let bytes = nearside_engine::base64url::decode(profile["state"].as_str().unwrap()).unwrap();
    let state = State::from_bytes(&published.program, &bytes).unwrap();
    let devoted = published
        .program
        .cells
        .iter()
        .position(|cell| cell.shape() == TOTAL);
    assert_eq!(state.count(&published.program, devoted.unwrap(), 4_000), 82);
}

#[tokio::test]
async fn joined_state_is_what_folding_all_events_gives() {
    let origin = Origin::start().await;
    origin
        .forward(&[identify("a", "u", "1", 1_000, &json!({"plan": "gold"}))])
        .await;
    for round in 0..50 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        origin
            .forward(&[seen("b", &b, 2_500 - round), seen("a", &a, 2_000 + round * 20)])
            .await;
    }
    origin
        .forward(&[identify("b", "u", "2", 9_000, &json!({}))])
        .await;
    origin.forward(&[seen("b", "3", 9_500)]).await;
    origin.assert_refolds("userId=u").await;
}

#[tokio::test]
async fn two_users_of_one_browser_are_not_mixed() {
    let origin = Origin::start().await;
    origin
        .forward(&[
            seen("a", "1", 1_000),
            identify("a", "u", "2", 2_000, &json!({"plan": "gold"})),
        ])
        .await;
    origin
        .forward(&[identify("a", "w", "3", 3_000, &json!({})), seen("a", "4", 4_000)])
        .await;
    assert_eq!(
        origin.profile("userId=u").await["events"],
        json!({"identify": 1, "track": 1})
    );
    let second = origin.profile("userId=w").await;
    assert_eq!(
        (&second["events"], &second["traits"]),
        (&json!({"identify": 1, "track": 1}), &json!({}))
    );
    assert_eq!(origin.profile("anonymousId=a").await["userId"], "w");
    // An event that comes late does not give the browser back.
    origin
        .forward(&[identify("a", "u", "5", 2_500, &json!({"late": true}))])
        .await;
    assert_eq!(origin.profile("anonymousId=a").await["userId"], "w");
    assert_eq!(
        origin.profile("userId=u").await["traits"],
        json!({"plan": "gold", "late": true})
    );
    for user in ["u", "w"] {
        origin.assert_refolds(&format!("userId={user}")).await;
    }
}

#[tokio::test]
async fn a_new_condition_counts_what_happened_before_it_was_published() {
    let origin = Origin::unpublished();
    origin
        .forward(&[
            seen("a", "1", 1_000),
            seen("a", "2", 2_000),
            identify("a", "u", "3", 3_000, &json!({"plan": "gold"})),
        ])
        .await;
    origin
        .forward(&[seen("b", "4", 1_000), seen("b", "5", 2_000)])
        .await;
    origin.publish(MANIFEST).await;
    // Once read before the next event, once after it.
    origin.assert_refolds("userId=u").await;
    for visitor in ["a", "b"] {
        origin
            .forward(&[seen(visitor, &format!("{visitor}6"), 4_000)])
            .await;
        origin.assert_refolds(&format!("anonymousId={visitor}")).await;
    }
    let state = origin.profile("anonymousId=b").await["state"].clone();
    let published = origin.store.published();
    let bytes = nearside_engine::base64url::decode(state.as_str().unwrap()).unwrap();
    let state = State::from_bytes(&published.program, &bytes).unwrap();
    let regular = published
        .program
        .cells
        .iter()
        .position(|cell| cell.shape().within.is_some())
        .unwrap();
    assert_eq!(state.count(&published.program, regular, 5_000), 3);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let origin = Origin::start().await;
    origin
        .forward(&[
            seen("a", "1", 1_000),
            identify("a", "u", "2", 2_000, &json!({"plan": "gold"})),
        ])
        .await;
    let (before, id) = (
        origin.profile("userId=u").await,
        origin.store.published().id.clone(),
    );
    origin.store.close().await;
    assert_eq!(origin.get("/readyz", ADMIN).await.0, 503);
    assert_eq!(origin.get("/healthz", ADMIN).await.0, 200);
    let (status, headers, _) = origin
        .send("POST", "/v1/edge/events", &[EDGE], r#"{"batch":[]}"#)
        .await;
    assert_eq!(
        (status.as_u16(), &headers["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    let store = nearside_origin::store::Store::open(&origin.folder.path().join("test.db")).unwrap();
    assert_eq!(store.published().id, id);
    let profile = store
        .profile(nearside_origin::store::ProfileKey::User("u".to_owned()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        before["state"],
        nearside_engine::base64url::encode(&profile.state)
    );
}

#[tokio::test]
async fn manifests_are_published_by_operators() {
    let origin = Origin::unpublished();
    let put = async |body: &'static str, key| origin.send("PUT", "/admin/v1/manifest", &[key], body).await;
    assert_eq!(put(MANIFEST, ("x", "y")).await.0, 401);
    let broken = r#"{"experiences": [{"pages": 7}], "segmnts": {}}"#;
    let (status, _, body) = put(broken, ADMIN).await;
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 400);
    assert!(
        answer["errors"]
            .as_array()
            .unwrap()
            .iter()
            .any(|e| e.as_str().unwrap().starts_with("error: $.experiences[0]"))
    );
    assert!(origin.store.published().is_nothing());
    for changed in [true, false] {
        let (status, _, body) = put(r#"{"segments": {}, "nonsense": 1}"#, ADMIN).await;
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status.as_u16(), &answer["changed"]), (200, &json!(changed)));
        assert_eq!(answer["warnings"].as_array().unwrap().len(), 1, "{answer}");
    }
}
