//! Takes events from the clients of the tracking API.

use super::App;
use super::error::ApiError;
use super::limits::MAX_BODY_TIME;
use super::{body, key};
use crate::clock;
use crate::message;
use axum::Json;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use nearside_engine::event::EventKind;
use serde_json::{Value, json};

/// The largest body, in bytes, decompressed.
const MAX_BODY: usize = 500 * 1024;

/// What the last part of the path asks for.
enum Call {
    Batch,
    Single(EventKind),
    /// The client's own metrics, which nobody reads.
    Metrics,
}

impl Call {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "batch" | "b" => Call::Batch,
            "m" => Call::Metrics,
            "t" => Call::Single(EventKind::Track),
            "i" => Call::Single(EventKind::Identify),
            "p" => Call::Single(EventKind::Page),
            "s" => Call::Single(EventKind::Screen),
            "g" => Call::Single(EventKind::Group),
            "a" => Call::Single(EventKind::Alias),
            name => Call::Single(EventKind::parse(name)?),
        })
    }
}

/// Takes a batch or a single event. Success is exactly 200: some clients take other 2xx for an error.
pub(super) async fn collect(
    State(app): State<App>,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let path = path.map_err(|_| ApiError::Path)?;
    let name = path
        .iter()
        .find(|(name, _)| *name == "call")
        .map_or("", |(_, value)| value);
    let call = Call::parse(name).ok_or(ApiError::NotFound)?;
    let received_at = clock::now();
    let (parts, body) = request.into_parts();
    let header_key = key::in_header(&parts.headers);
    if header_key.is_some() {
        // Who has no key is told before the body is read.
        app.access.check_write_key(header_key.as_deref())?;
    }
    let body = tokio::time::timeout(MAX_BODY_TIME, body::receive(body, MAX_BODY, &app.public))
        .await
        .map_err(|_| ApiError::BodySlow)??;
    // Only now, so that those who send slowly keep nobody from their turn.
    let _turn = app.public.turn()?;
    let body = body::read_json(&parts.headers, &body, MAX_BODY)?;
    if header_key.is_none() {
        app.access
            .check_write_key(key::in_body_or_query(&body, parts.uri.query()).as_deref())?;
    }
    let batch = match call {
        Call::Batch => message::read_batch(body, received_at)?,
        Call::Single(kind) => message::read_single(body, kind, received_at)?,
        Call::Metrics => return Ok(Json(json!({ "success": true }))),
    };
    app.store.append(batch).await?;
    Ok(Json(json!({ "success": true })))
}
