//! Every answer that is an error: a JSON object with `code` and `message`.
//!
//! Clients read both: without a `code` some of them send a request that can never succeed again and again.

use super::limits::MAX_BODY_TIME;
use crate::message::{BatchError, MAX_MESSAGE, MAX_MESSAGES};
use crate::store::StoreError;
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nearside_engine::compile::Warning;
use serde_json::json;

/// After how many seconds a client should come back.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request was not answered as asked.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The body is not JSON.
    Json(serde_json::Error),
    /// The body cannot be decompressed.
    Compression(&'static str),
    /// The body has more bytes than the limit.
    BodyTooLarge(usize),
    /// The body did not come to its end.
    BodyCut,
    /// The body did not come in time.
    BodySlow,
    /// The body is no batch.
    Batch(BatchError),
    /// The path cannot be decoded.
    Path,
    /// A query parameter is missing or wrong.
    Parameter(&'static str),
    /// A preview that cannot be.
    Preview(String),
    /// The manifest has errors.
    Manifest(Vec<Warning>),
    /// The write key is missing or unknown.
    WriteKey,
    /// The secret is missing or wrong.
    Unauthorized(&'static str),
    /// There is no admin token, so nobody is an admin.
    AdminClosed,
    /// There is no such route.
    NotFound,
    /// There is no such thing.
    Unknown(&'static str),
    /// Nothing has been published.
    NoProgram,
    /// The route has other methods.
    MethodNotAllowed,
    /// Too many requests are in flight.
    Busy,
    /// It took too long.
    TimedOut,
    /// The store did not do it.
    Store(StoreError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        ApiError::Store(error)
    }
}

impl From<BatchError> for ApiError {
    fn from(error: BatchError) -> Self {
        ApiError::Batch(error)
    }
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str, String) {
        let bad = StatusCode::BAD_REQUEST;
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        match self {
            ApiError::Json(error) => (bad, "invalid_json", format!("the body is not JSON: {error}")),
            ApiError::Compression(message) => (bad, "invalid_compression", (*message).to_owned()),
            ApiError::BodyTooLarge(limit) => (
                bad,
                "body_too_large",
                format!("the body is larger than {limit} bytes: send smaller batches"),
            ),
            ApiError::BodyCut => (bad, "body_cut", "the body did not come to its end".to_owned()),
            // Some clients take every 4xx for the end of it; another time the network may be faster.
            ApiError::BodySlow => (
                unavailable,
                "body_slow",
                format!(
                    "the body did not come within {} seconds: come back soon, with less",
                    MAX_BODY_TIME.as_secs()
                ),
            ),
            ApiError::Batch(error) => batch_parts(error),
            ApiError::Path => (
                bad,
                "invalid_path",
                "the path is not percent-encoded UTF-8".to_owned(),
            ),
            ApiError::Parameter(message) => (bad, "invalid_parameter", (*message).to_owned()),
            ApiError::Preview(message) => (bad, "invalid_preview", message.clone()),
            ApiError::Manifest(_) => (
                bad,
                "invalid_manifest",
                "the manifest has errors and was not published".to_owned(),
            ),
            ApiError::WriteKey => (
                StatusCode::UNAUTHORIZED,
                "invalid_write_key",
                "the write key is missing or unknown: send it as the user name of `Authorization: Basic`, \
                 or as `writeKey` in the body"
                    .to_owned(),
            ),
            ApiError::Unauthorized(what) => (
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                format!("send {what} as `Authorization: Bearer …`"),
            ),
            ApiError::AdminClosed => (
                StatusCode::FORBIDDEN,
                "admin_closed",
                "the admin routes are closed: start `nearside serve` with `--admin-token`".to_owned(),
            ),
            ApiError::NotFound => (
                StatusCode::NOT_FOUND,
                "not_found",
                "there is no such route".to_owned(),
            ),
            ApiError::Unknown(what) => (StatusCode::NOT_FOUND, "unknown", format!("{what} is not known")),
            ApiError::NoProgram => (
                StatusCode::NOT_FOUND,
                "no_program",
                "no manifest has been published yet".to_owned(),
            ),
            ApiError::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "the route has no such method".to_owned(),
            ),
            ApiError::Busy => (
                unavailable,
                "busy",
                "too many requests at once: come back soon".to_owned(),
            ),
            ApiError::TimedOut => (
                unavailable,
                "timed_out",
                "it took too long: come back soon".to_owned(),
            ),
            ApiError::Store(StoreError::Full) => (
                unavailable,
                "busy",
                "too many events wait to be written: come back soon".to_owned(),
            ),
            // What the database said is for the log.
            ApiError::Store(StoreError::Stopped | StoreError::Database(_) | StoreError::Version(_)) => (
                unavailable,
                "store_unavailable",
                "the store cannot be used now: come back soon".to_owned(),
            ),
        }
    }
}

fn batch_parts(error: &BatchError) -> (StatusCode, &'static str, String) {
    let (code, message) = match error {
        BatchError::NotAnObject => ("not_an_object", "the body is not a JSON object".to_owned()),
        BatchError::NoBatch => ("no_batch", "`batch` is missing or not a list".to_owned()),
        BatchError::TooMany => (
            "batch_too_long",
            format!("`batch` has more than {MAX_MESSAGES} events"),
        ),
        BatchError::TooLarge => (
            "batch_too_large",
            "`context` and `integrations` are too large for so many events".to_owned(),
        ),
        BatchError::Message(error) => ("invalid_event", error.to_string()),
        BatchError::MessageTooLarge => (
            "event_too_large",
            format!("the event is larger than {MAX_MESSAGE} bytes"),
        ),
    };
    (StatusCode::BAD_REQUEST, code, message)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code, message) = self.parts();
        if let ApiError::Store(error @ (StoreError::Database(_) | StoreError::Version(_))) = &self {
            tracing::error!(%error, "the store failed");
        }
        let mut body = json!({ "success": false, "code": code, "message": message });
        if let ApiError::Manifest(warnings) = &self {
            body["errors"] = warnings.iter().map(ToString::to_string).collect();
        }
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}
