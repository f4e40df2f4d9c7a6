//! For operators and tests.

use super::App;
use super::body;
use super::error::ApiError;
use crate::published::Published;
use crate::store::{EventRow, ProfileKey, ProfileView};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::HeaderMap;
use nearside_engine::compile::Severity;
use serde::Deserialize;
use serde_json::{Value, json};

/// The largest manifest, in bytes.
const MAX_MANIFEST: usize = 8 * 1024 * 1024;
/// The most events of one answer.
const MAX_EVENTS: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Lookup {
    anonymous_id: Option<String>,
    user_id: Option<String>,
    after: Option<i64>,
    limit: Option<usize>,
}

type LookupQuery = Result<Query<Lookup>, QueryRejection>;

fn lookup(query: LookupQuery) -> Result<(ProfileKey, Lookup), ApiError> {
    let Query(mut lookup) = query.map_err(|_| ApiError::Parameter("a query parameter cannot be read"))?;
    let key = match (lookup.anonymous_id.take(), lookup.user_id.take()) {
        (Some(id), None) => ProfileKey::Visitor(id),
        (None, Some(id)) => ProfileKey::User(id),
        _ => return Err(ApiError::Parameter("give either `anonymousId` or `userId`")),
    };
    Ok((key, lookup))
}

/// A profile.
pub(super) async fn profile(
    State(app): State<App>,
    headers: HeaderMap,
    query: LookupQuery,
) -> Result<Json<ProfileView>, ApiError> {
    app.access.check_admin(&headers)?;
    let (key, _) = lookup(query)?;
    app.store
        .profile(key)
        .await?
        .map(Json)
        .ok_or(ApiError::Unknown("the profile"))
}

/// The events of a profile, in the order of their arrival.
pub(super) async fn events(
    State(app): State<App>,
    headers: HeaderMap,
    query: LookupQuery,
) -> Result<Json<Vec<EventRow>>, ApiError> {
    app.access.check_admin(&headers)?;
    let (key, lookup) = lookup(query)?;
    let limit = lookup.limit.unwrap_or(100).min(MAX_EVENTS);
    Ok(Json(
        app.store
            .events(key, lookup.after.unwrap_or_default(), limit)
            .await?,
    ))
}

/// How many messages had each outcome.
pub(super) async fn outcomes(State(app): State<App>, headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    app.access.check_admin(&headers)?;
    let outcomes = app.store.outcomes().await?;
    let list = outcomes
        .into_iter()
        .map(|(outcome, reason, number)| json!({ "outcome": outcome, "reason": reason, "number": number }));
    Ok(Json(list.collect()))
}

/// Publishes a manifest without errors.
pub(super) async fn publish(State(app): State<App>, request: Request) -> Result<Json<Value>, ApiError> {
    let (parts, body) = request.into_parts();
    app.access.check_admin(&parts.headers)?;
    let body = body::receive(body, MAX_MANIFEST, &app.trusted).await?;
    let manifest = body::read_json(&parts.headers, &body, MAX_MANIFEST)?;
    let (published, warnings) = Published::compile(&manifest);
    if warnings.iter().any(|warning| warning.severity == Severity::Error) {
        return Err(ApiError::Manifest(warnings));
    }
    let id = published.id.clone();
    let changed = app.store.publish(&manifest, published).await?;
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    Ok(Json(
        json!({ "success": true, "programId": id, "changed": changed, "warnings": warnings }),
    ))
}
