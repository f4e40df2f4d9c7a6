//! What the edge asks for, and what it forwards.

use super::App;
use super::body;
use super::error::ApiError;
use crate::clock;
use crate::message;
use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nearside_engine::event::MAX_IDENTIFIER;
use nearside_engine::value::Value;
use serde::Deserialize;
use serde_json::json;

/// The largest batch that the edge may forward: it joins what waited while the origin was away.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The program that is published.
pub(super) async fn program(State(app): State<App>, headers: HeaderMap) -> Result<Response, ApiError> {
    app.access.check_edge(&headers)?;
    let published = app.store.published();
    if published.is_nothing() {
        return Err(ApiError::NoProgram);
    }
    let tag = format!("\"{}\"", published.id);
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let fits = known.flat_map(|list| list.split(',')).any(|candidate| {
        let candidate = candidate.trim();
        candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == tag
    });
    if fits {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let headers = [
        (header::ETAG, tag),
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
    ];
    Ok((headers, published.bytes.clone()).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SnapshotQuery {
    anonymous_id: Option<String>,
}

/// What is known of a visitor.
pub(super) async fn snapshot(
    State(app): State<App>,
    headers: HeaderMap,
    query: Result<Query<SnapshotQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    app.access.check_edge(&headers)?;
    let anonymous_id = query
        .ok()
        .and_then(|Query(query)| query.anonymous_id)
        .filter(|id| !id.is_empty() && id.len() <= MAX_IDENTIFIER * 4)
        .ok_or(ApiError::Parameter("give `anonymousId`"))?;
    let snapshot = app.store.snapshot(anonymous_id).await?;
    snapshot
        .map(|snapshot| Json(snapshot.to_value()))
        .ok_or(ApiError::Unknown("the visitor"))
}

/// Events that visitors sent to the edge. They are on disk when this answers.
pub(super) async fn events(
    State(app): State<App>,
    request: Request,
) -> Result<Json<serde_json::Value>, ApiError> {
    let (parts, body) = request.into_parts();
    app.access.check_edge(&parts.headers)?;
    let received_at = clock::now();
    let body = body::receive(body, MAX_BODY, &app.trusted).await?;
    let body = body::read_json(&parts.headers, &body, MAX_BODY)?;
    let batch = message::read_edge_batch(body, received_at)?;
    let outcomes = app.store.append(batch).await?;
    Ok(Json(json!({
        "success": true,
        "accepted": outcomes.accepted,
        "duplicate": outcomes.duplicate,
        "invalid": outcomes.invalid,
    })))
}
