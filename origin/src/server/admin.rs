//! For operators and tests.

use super::App;
use super::body;
use super::error::ApiError;
use crate::clock;
use crate::preview::{DEFAULT_AGE, mint, read_age};
use crate::published::Published;
use crate::store::{EventRow, ProfileKey, ProfileView};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::HeaderMap;
use nearside_engine::compile::Severity;
use nearside_engine::time::format_timestamp;
use nearside_engine::value::Value as EngineValue;
use nearside_engine::wire::PREVIEW_PARAMETER;
use serde::Deserialize;
use serde_json::{Value, json};

/// The largest manifest, in bytes.
const MAX_MANIFEST: usize = 8 * 1024 * 1024;
/// The largest request for a preview, in bytes.
const MAX_PREVIEW: usize = 64 * 1024;
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

/// Mints a token for a preview: `{"variants": {EXPERIENCE: VARIANT, …}, "expires"?: "24h"}`.
pub(super) async fn preview(State(app): State<App>, request: Request) -> Result<Json<Value>, ApiError> {
    let (parts, body) = request.into_parts();
    app.access.check_admin(&parts.headers)?;
    let body = body::receive(body, MAX_PREVIEW, &app.trusted).await?;
    let asked = body::read_json(&parts.headers, &body, MAX_PREVIEW)?;
    let invalid = |message: String| ApiError::Preview(message);
    let variants = asked
        .get("variants")
        .as_object()
        .ok_or_else(|| invalid("give `variants`: an object of experiences and their variants".to_owned()))?;
    let program = &app.store.published().program;
    let mut forced = Vec::new();
    for (experience, variant) in variants.iter() {
        let variant = variant.as_str().unwrap_or_default();
        // What the published program does not have, the edge would not show.
        if program.variant(experience, variant).is_none() {
            return Err(invalid(format!(
                "there is no variant `{variant}` of an experience `{experience}` in what is published"
            )));
        }
        forced.push((experience.to_owned(), variant.to_owned()));
    }
    let age = match asked.get("expires") {
        EngineValue::Null => DEFAULT_AGE,
        given => given.as_str().unwrap_or_default(),
    };
    let age = read_age(age).map_err(|message| invalid(format!("`expires`: {message}")))?;
    let expires_at = clock::now().saturating_add(age);
    let secret = app.access.edge_secret.as_deref().unwrap_or_default();
    let token = mint(secret, forced, expires_at).map_err(|error| invalid(error.to_string()))?;
    Ok(Json(json!({
        "success": true,
        "query": format!("{PREVIEW_PARAMETER}={token}"),
        "token": token,
        "expiresAt": format_timestamp(expires_at),
    })))
}
