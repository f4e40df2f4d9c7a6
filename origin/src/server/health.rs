//! What watches the service asks these.

use super::App;
use super::error::ApiError;
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

/// The process runs.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "ok": true }))
}

/// The process can take events.
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    app.store.check().await?;
    Ok(Json(json!({ "ok": true, "programId": app.store.published().id })))
}
