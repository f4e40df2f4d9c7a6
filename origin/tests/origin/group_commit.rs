//! Batches that wait are committed together, and a full queue is said to be full.

use crate::support::Origin;
use nearside_engine::value::Value;
use nearside_origin::message::{Incoming, read_edge_batch};
use nearside_origin::store::StoreError;
use rusqlite::Connection;
use tokio::task::JoinSet;

/// A batch of so many messages of so many bytes.
fn batch(id: usize, messages: usize, size: usize) -> Vec<Incoming> {
    let padding = "x".repeat(size);
    let messages = (0..messages).map(|message| {
        format!(
            r#"{{"type":"page","anonymousId":"v","messageId":"{id}-{message}","properties":{{"p":"{padding}"}}}}"#
        )
    });
    let body = format!(r#"{{"batch":[{}]}}"#, messages.collect::<Vec<_>>().join(","));
    let body: Value = serde_json::from_str(&body).unwrap();
    read_edge_batch(body, 1_000).unwrap()
}

/// Holds the database's lock, so that the writer waits.
fn hold(origin: &Origin) -> Connection {
    let other = Connection::open(origin.folder.path().join("test.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_batches_are_one_transaction() {
    let origin = Origin::start().await;
    let commits = origin.store.commits();
    let lock = hold(&origin);
    let mut tasks = JoinSet::new();
    for id in 0..100 {
        let store = origin.store.clone();
        tasks.spawn(async move { store.append(batch(id, 1, 1)).await.unwrap() });
    }
    // The writer has taken some of them and waits for the lock; the others wait for the writer.
    while origin.store.waiting_kib() < 100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(origin.store.commits(), commits);
    assert!(
        tasks.try_join_next().is_none(),
        "a batch was acknowledged before it was committed"
    );
    lock.execute_batch("COMMIT").unwrap();
    while let Some(outcomes) = tasks.join_next().await {
        assert_eq!(outcomes.unwrap().accepted, 1);
    }
    let commits = origin.store.commits() - commits;
    assert!((1..=5).contains(&commits), "{commits} commits for 100 batches");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_and_then_goes_on() {
    let origin = Origin::start().await;
    let lock = hold(&origin);
    let mut tasks = JoinSet::new();
    let mut refused = 0;
    // 900 KB each: more than may wait.
    for id in 0..60 {
        let store = origin.store.clone();
        tasks.spawn(async move { store.append(batch(id, 30, 30_000)).await });
    }
    while refused < 20 {
        match tasks.join_next().await.unwrap().unwrap() {
            Err(StoreError::Full) => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    lock.execute_batch("COMMIT").unwrap();
    let mut accepted = 0;
    while let Some(result) = tasks.join_next().await {
        match result.unwrap() {
            Ok(outcomes) => accepted += outcomes.accepted / 30,
            Err(StoreError::Full) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(accepted + refused, 60);
    let stored: i64 = lock
        .query_row("SELECT count(*) FROM events", [], |row| row.get(0))
        .unwrap();
    assert_eq!(stored, accepted as i64 * 30);
}
