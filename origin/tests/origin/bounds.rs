//! Slow and many requests: they bound each other, never those of the edge and of operators.

use crate::support::{ADMIN, EDGE, KEY, Origin};
use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use rusqlite::Connection;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::task::JoinSet;

const SITE: (&str, &str) = ("origin", "https://shop.example");

/// A body that begins and never ends.
struct Stalled {
    beginning: Option<Bytes>,
    /// Counts the bodies of which somebody waits for the rest.
    waiting: Option<Arc<AtomicUsize>>,
}

impl HttpBody for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(beginning) = self.beginning.take() {
            return Poll::Ready(Some(Ok(Frame::data(beginning))));
        }
        if let Some(waiting) = self.waiting.take() {
            waiting.fetch_add(1, Ordering::Relaxed);
        }
        Poll::Pending
    }
}

/// Sends so many requests without a key that never end, and waits until all of them are read.
async fn stall(origin: &Arc<Origin>, number: usize, beginning: &Bytes) -> JoinSet<()> {
    let (waiting, mut tasks) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for _ in 0..number {
        let body = Body::new(Stalled {
            beginning: Some(beginning.clone()),
            waiting: Some(waiting.clone()),
        });
        let origin = origin.clone();
        tasks.spawn(async move {
            origin.send("POST", "/v1/batch", &[], body).await;
        });
    }
    while waiting.load(Ordering::Relaxed) < number {
        assert!(
            tasks.try_join_next().is_none(),
            "a request was answered before its body had ended"
        );
        tokio::task::yield_now().await;
    }
    tasks
}

async fn assert_the_others_are_answered(origin: &Origin) {
    assert_eq!(origin.get("/v1/edge/program", EDGE).await.0, 200);
    assert_eq!(
        origin.get("/v1/edge/snapshot?anonymousId=nobody", EDGE).await.0,
        404
    );
    assert_eq!(origin.get("/admin/v1/outcomes", ADMIN).await.0, 200);
}

/// The page must be able to read that it is to come back.
async fn assert_busy(origin: &Origin) {
    let body = r#"{"batch":[]}"#;
    let (status, headers, answer) = origin.send("POST", "/v1/batch", &[KEY, SITE], body).await;
    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains(r#""busy""#), "{answer}");
    assert_eq!(headers["retry-after"], "1");
    assert_eq!(headers["access-control-allow-origin"], SITE.1);
}

#[tokio::test]
async fn slow_requests_without_a_key_stop_nobody() {
    let origin = Arc::new(Origin::start().await);
    let _stalled = stall(&origin, 2_000, &Bytes::from_static(b"{")).await;
    assert_the_others_are_answered(&origin).await;
    assert_eq!(origin.forward(&[]).await, (0, 0, 0));
    assert_eq!(origin.post("/v1/batch", KEY, r#"{"batch":[]}"#).await.0, 200);
}

#[tokio::test]
async fn large_bodies_that_never_end_are_bounded_together() {
    let origin = Arc::new(Origin::start().await);
    // 64 MiB, and not a byte more.
    let large = Bytes::from(vec![b' '; 256 * 1024]);
    let mut stalled = stall(&origin, 256, &large).await;
    assert_busy(&origin).await;
    assert_the_others_are_answered(&origin).await;
    assert_eq!(origin.forward(&[]).await, (0, 0, 0));
    // Their room is free when they are gone.
    stalled.shutdown().await;
    assert_eq!(origin.post("/v1/batch", KEY, r#"{"batch":[]}"#).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_wait_for_the_disk_do_not_stop_the_edge() {
    let origin = Arc::new(Origin::start().await);
    let lock = Connection::open(origin.folder.path().join("test.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut tasks = JoinSet::new();
    for id in 0..512 {
        let origin = origin.clone();
        let body = format!(r#"{{"batch":[{{"type":"page","anonymousId":"v","messageId":"{id}"}}]}}"#);
        tasks.spawn(async move { origin.post("/v1/batch", KEY, body).await.0 });
    }
    while origin.store.waiting_kib() < 512 {
        tokio::task::yield_now().await;
    }
    assert_busy(&origin).await;
    assert_the_others_are_answered(&origin).await;
    lock.execute_batch("COMMIT").unwrap();
    while let Some(status) = tasks.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
}

/// The clock stands, and jumps to the next timer when everything waits.
#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let origin = Origin::start().await;
    let body = Body::new(Stalled {
        beginning: Some(Bytes::from_static(b"{")),
        waiting: None,
    });
    let (status, headers, answer) = origin.send("POST", "/v1/batch", &[KEY, SITE], body).await;
    let answer = String::from_utf8(answer).unwrap();
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains(r#""body_slow""#), "{answer}");
    assert_eq!(headers["retry-after"], "1");
    assert_eq!(headers["access-control-allow-origin"], SITE.1);
}
