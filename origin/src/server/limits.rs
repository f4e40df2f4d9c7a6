//! Bounds how many requests are worked on at once, how much they may hold, and for how long.
//!
//! Anybody can send to the collection routes, so they have bounds of their own: whatever arrives there, the
//! edge and operators are answered.

use super::error::ApiError;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How many requests of a kind are worked on at once.
const MAX_IN_FLIGHT: usize = 512;
/// How many bytes of bodies a kind of requests may hold. Counted as they come, so that a slow sender holds
/// no more than it has sent.
const MAX_BODIES: usize = 64 * 1024 * 1024;
/// How long a request may take, its body included.
const MAX_TIME: Duration = Duration::from_secs(30);
/// How long the body of a request that anybody may send may take.
pub(super) const MAX_BODY_TIME: Duration = Duration::from_secs(10);

/// What requests of a kind share.
pub(crate) struct Bounds {
    in_flight: Semaphore,
    bodies: Semaphore,
}

impl Bounds {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            in_flight: Semaphore::new(MAX_IN_FLIGHT),
            bodies: Semaphore::new(MAX_BODIES),
        })
    }

    /// The turn to be worked on.
    pub(super) fn turn(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        self.in_flight.try_acquire().map_err(|_| ApiError::Busy)
    }

    /// Room for so many bytes of a body.
    pub(super) fn room(&self, bytes: usize) -> Result<SemaphorePermit<'_>, ApiError> {
        let bytes = u32::try_from(bytes).map_err(|_| ApiError::Busy)?;
        self.bodies.try_acquire_many(bytes).map_err(|_| ApiError::Busy)
    }
}

/// Ends what takes too long.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(MAX_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut.into_response(),
    }
}

/// Gives a request its turn before anything is read. Only for routes that refuse strangers before they wait
/// for their body: else those who send slowly would keep all turns.
pub(super) async fn in_turn(State(bounds): State<Arc<Bounds>>, request: Request, next: Next) -> Response {
    match bounds.turn() {
        Ok(_turn) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
