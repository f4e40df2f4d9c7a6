//! Bounds how many requests are worked on at once, and for how long.

use super::App;
use super::error::ApiError;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// How many requests are worked on at once.
pub(super) const MAX_IN_FLIGHT: usize = 512;
/// How long a request may take, its body included.
const MAX_TIME: Duration = Duration::from_secs(30);

/// Refuses what would be too much.
pub(super) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let Ok(_turn) = app.in_flight.try_acquire() else {
        return ApiError::Busy.into_response();
    };
    match tokio::time::timeout(MAX_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut.into_response(),
    }
}
