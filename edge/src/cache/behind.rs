//! The runtime's cache, behind the isolate's memory: other isolates of the same place find a page there.
//!
//! It keeps one page for an address, so that pages that depend on request headers stay in memory alone.

use super::fill;
use super::freshness::Freshness;
use super::kept::Kept;
use super::vary::Variant;
use nearside_engine::time::Timestamp;
use std::cell::Cell;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Headers, Result, web_sys};

/// A cache of our own among the zone's.
const NAME: &str = "nearside-pages";
/// How long a page is good, as [`Freshness::to_text`] writes it.
const FRESHNESS: &str = "x-nearside-freshness";
/// What the upstream said of that, which the runtime's cache reads in its own way.
const SAID: &str = "x-nearside-cache-control";

thread_local! {
    /// Whether the runtime has no cache: then it is not asked again.
    static IS_ABSENT: Cell<bool> = const { Cell::new(false) };
}

/// Finds a page.
pub(super) async fn get(key: &str) -> Option<Kept> {
    if IS_ABSENT.get() {
        return None;
    }
    match find(key).await {
        Ok(found) => found,
        Err(_) => {
            IS_ABSENT.set(true);
            None
        }
    }
}

/// Keeps a page for as long as it is of use, if it is good for all requests.
pub(super) async fn put(key: &str, kept: &Kept, now: Timestamp) {
    if IS_ABSENT.get() || !kept.variant.is_for_all() {
        return;
    }
    let seconds = (kept.freshness.useful_until() - now) / 1_000;
    // What is gone from there is asked for again: no harm.
    let _ = keep(key, kept, seconds).await;
}

/// Forgets a page.
pub(super) async fn forget(key: &str) {
    if IS_ABSENT.get() {
        return;
    }
    if let Ok(cache) = open().await {
        let _ = JsFuture::from(cache.delete_with_str(key)).await;
    }
}

async fn open() -> Result<web_sys::Cache> {
    let worker: web_sys::WorkerGlobalScope = worker::js_sys::global().unchecked_into();
    let opened = JsFuture::from(worker.caches()?.open(NAME)).await?;
    Ok(opened.unchecked_into())
}

async fn find(key: &str) -> Result<Option<Kept>> {
    let found = JsFuture::from(open().await?.match_with_str(key)).await?;
    let Ok(response) = found.dyn_into::<web_sys::Response>() else {
        return Ok(None);
    };
    let headers = Headers(response.headers());
    let said = headers.get(SAID)?;
    let freshness = headers.get(FRESHNESS)?;
    let freshness = freshness.and_then(|text| Freshness::from_text(&text));
    let (Some(said), Some(freshness), Some(body)) = (said, freshness, response.body()) else {
        return Ok(None);
    };
    let Some(bytes) = fill::read(body).await else {
        return Ok(None);
    };
    let theirs = Headers(web_sys::Headers::new_with_headers(&headers.0)?);
    theirs.set("cache-control", &said)?;
    // The runtime's cache tells of itself.
    for name in [SAID, FRESHNESS, "cf-cache-status"] {
        theirs.delete(name)?;
    }
    let variant = match freshness.is_shared {
        true => Variant::default(),
        false => Variant::without_cookies(),
    };
    Ok(Some(Kept::new(&theirs.0, bytes, freshness, variant)?))
}

async fn keep(key: &str, kept: &Kept, seconds: i64) -> Result<()> {
    if seconds <= 0 {
        return Ok(());
    }
    let headers = kept.headers()?;
    let said = headers.get("cache-control")?.unwrap_or_default();
    headers.set(SAID, &said)?;
    headers.set(FRESHNESS, &kept.freshness.to_text())?;
    headers.set("cache-control", &format!("public, max-age={seconds}"))?;
    for name in ["expires", "vary"] {
        headers.delete(name)?;
    }
    let init = web_sys::ResponseInit::new();
    init.set_headers(&headers.0);
    let bytes = worker::js_sys::Uint8Array::from(kept.bytes());
    let body: JsValue = bytes.into();
    let response = web_sys::Response::new_with_opt_js_u8_array_and_init(body.dyn_ref(), &init)?;
    JsFuture::from(open().await?.put_with_str(key, &response)).await?;
    Ok(())
}
