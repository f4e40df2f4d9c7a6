//! The SDK's files and the program, as the browser fetches them.

use crate::address::Parts;
use crate::error::ApiError;
use worker::js_sys::{Promise, Reflect};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, Headers, Response, Result, web_sys};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

#[wasm_bindgen]
extern "C" {
    /// The runtime's store of files. That of `worker` takes requests of its own kind, which bring all of theirs along.
    type Assets;

    #[wasm_bindgen(method, catch)]
    fn fetch(this: &Assets, request: &web_sys::Request) -> std::result::Result<Promise, JsValue>;
}

/// A file of the SDK.
pub(crate) async fn file(request: &web_sys::Request, env: &Env) -> Result<web_sys::Response> {
    let assets = Reflect::get(env, &JsValue::from_str("ASSETS"))?;
    if assets.is_undefined() {
        return ApiError::NotFound.response();
    }
    let answer = assets.unchecked_into::<Assets>().fetch(&request.clone()?)?;
    let found: web_sys::Response = JsFuture::from(answer).await?.unchecked_into();
    if found.status() == 404 {
        return ApiError::NotFound.response();
    }
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
