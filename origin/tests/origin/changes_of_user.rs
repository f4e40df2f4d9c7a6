//! A browser that several people use, and events that come late: each goes to who used the browser then.

use crate::support::Origin;
use rusqlite::Connection;
use serde_json::{Value, json};

/// An event of browser `b`, anonymous or a user's.
fn event(id: &str, time: i64, user: Option<&str>) -> Value {
    let mut event =
        json!({"type": "track", "event": "Seen", "anonymousId": "b", "messageId": id, "timestamp": time});
    if let Some(user) = user {
        event["userId"] = user.into();
    }
    event
}

/// Sends events, each in a batch of its own, in the order of their arrival. Each must end in the profile of
/// its user, and the browser be the last one's.
async fn check(events: &[(i64, Option<&str>, &str)], browser_of: &str) {
    let origin = Origin::start().await;
    for (place, (time, user, _)) in events.iter().enumerate() {
        let batch = [event(&place.to_string(), *time, *user)];
        assert_eq!(origin.forward(&batch).await, (1, 0, 0));
    }
    assert_eq!(origin.profile("anonymousId=b").await["userId"], browser_of);
    for (place, (.., user)) in events.iter().enumerate() {
        let (id, query) = (place.to_string(), format!("userId={user}"));
        let stored = origin.events(&query).await;
        assert!(
            stored.iter().any(|row| row["messageId"] == id.as_str()),
            "event {place} of {events:?} is not {user}'s"
        );
        origin.assert_refolds(&query).await;
    }
}

#[tokio::test]
async fn a_late_event_of_another_user_does_not_take_a_claimed_browser() {
    let events = [
        (1_000, None, "A"),
        (100_000, Some("A"), "A"),
        (50_000, Some("B"), "B"),
        (200_000, None, "A"),
    ];
    check(&events, "A").await;
}

#[tokio::test]
async fn a_late_event_of_another_user_does_not_take_a_browser_that_was_confirmed_since() {
    let events = [
        (1_000, Some("C"), "C"),
        (10_000, Some("C"), "C"),
        (5_000, Some("D"), "D"),
        (20_000, None, "C"),
    ];
    check(&events, "C").await;
}

#[tokio::test]
async fn late_events_of_the_own_user_do_not_set_the_time_back() {
    let events = [
        (10_000, Some("C"), "C"),
        (1_000, Some("C"), "C"),
        (5_000, Some("D"), "D"),
        (20_000, None, "C"),
    ];
    check(&events, "C").await;
}

#[tokio::test]
async fn a_late_anonymous_event_is_the_former_user_s() {
    let events = [
        (1_000, Some("E"), "E"),
        (10_000, Some("F"), "F"),
        (5_000, None, "E"),
        (10_000, None, "F"),
        // Before the first who gave a name, it was theirs, too.
        (500, None, "E"),
    ];
    check(&events, "F").await;
}

#[tokio::test]
async fn a_user_who_comes_back_has_two_times() {
    let events = [
        (1_000, Some("E"), "E"),
        (2_000, Some("F"), "F"),
        (3_000, Some("E"), "E"),
        (2_500, None, "F"),
        (1_500, None, "E"),
        (3_500, None, "E"),
    ];
    check(&events, "E").await;
}

#[tokio::test]
async fn an_anonymous_event_says_nothing_of_when_a_user_came() {
    let events = [
        (100_000, None, "A"),
        (5_000, Some("A"), "A"),
        (50_000, Some("B"), "B"),
        (60_000, None, "B"),
    ];
    check(&events, "B").await;
}

#[tokio::test]
async fn a_browser_that_joins_a_known_user_is_theirs_from_then_on() {
    let origin = Origin::start().await;
    let elsewhere =
        json!({"type": "identify", "anonymousId": "other", "userId": "A", "messageId": "x", "timestamp": 1});
    origin.forward(&[elsewhere]).await;
    origin.forward(&[event("1", 1_000, None)]).await;
    origin.forward(&[event("2", 100_000, Some("A"))]).await;
    origin.forward(&[event("3", 50_000, Some("B"))]).await;
    origin.forward(&[event("4", 200_000, None)]).await;
    assert_eq!(origin.profile("anonymousId=b").await["userId"], "A");
    assert_eq!(origin.profile("userId=B").await["events"], json!({"track": 1}));
    assert_eq!(
        origin.profile("userId=A").await["events"],
        json!({"identify": 1, "track": 3})
    );
}

#[tokio::test]
async fn a_database_of_the_first_version_gets_its_browsers_back() {
    let origin = Origin::start().await;
    origin.forward(&[event("1", 100_000, Some("A"))]).await;
    origin.forward(&[event("2", 50_000, Some("B"))]).await;
    origin.store.close().await;
    let path = origin.folder.path().join("test.db");
    // The first version gave the browser to B, and had no index of who used it when.
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "DROP INDEX events_that_name_a_user;
             UPDATE visitors SET linked_at = 50000,
                 profile_id = (SELECT id FROM profiles WHERE user_id = 'B');
             UPDATE schema_version SET version = 1;",
        )
        .unwrap();
    let store = nearside_origin::store::Store::open(&path).unwrap();
    let key = nearside_origin::store::ProfileKey::Visitor("b".to_owned());
    let profile = store.profile(key).await.unwrap().unwrap();
    assert_eq!(profile.user_id.as_deref(), Some("A"));
}
