//! The SDK's files and the program, as the browser fetches them.

use crate::address::Parts;
use crate::error::ApiError;
use worker::{Env, Headers, Response, Result, web_sys};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// A file of the SDK.
pub(crate) async fn file(request: &web_sys::Request, env: &Env) -> Result<web_sys::Response> {
    let Ok(assets) = env.assets("ASSETS") else {
        return ApiError::NotFound.response();
    };
    let found = assets
        .fetch_request(worker::Request::from(request.clone()?))
        .await?;
    if found.status_code() == 404 {
        return ApiError::NotFound.response();
    }
    let found: web_sys::Response = found.into();
    let response = crate::proxy::with_body(&found, found.body().as_ref())?;
    let url = request.url();
    // Whatever has its hash in its name never changes.
    let caching = if Parts::of(&url).is_some_and(|url| url.path.contains('-')) {
        IMMUTABLE
    } else {
        "public, max-age=300, stale-while-revalidate=86400"
    };
    Headers(response.headers()).set("cache-control", caching)?;
    Ok(response)
}

/// A program, if it was found.
pub(crate) fn program(bytes: Option<Vec<u8>>) -> Result<web_sys::Response> {
    let Some(bytes) = bytes else {
        return ApiError::NotFound.response();
    };
    let headers = Headers::new();
    headers.set("content-type", "application/octet-stream")?;
    headers.set("cache-control", IMMUTABLE)?;
    Ok(Response::from_bytes(bytes)?.with_headers(headers).into())
}
