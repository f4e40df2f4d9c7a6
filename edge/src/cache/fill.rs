//! Takes a page's bytes into memory while they pass to the visitor who asked first.

use crate::chunks::Chunks;
use worker::{Headers, web_sys};

/// The largest page that is kept, in bytes.
pub(super) const MAX_PAGE: usize = 2 * 1024 * 1024;

/// Whether a response says that it is too large to be kept.
pub(super) fn is_too_large(headers: &Headers) -> bool {
    let length = headers.get("content-length").ok().flatten();
    length
        .and_then(|length| length.parse::<usize>().ok())
        .is_some_and(|length| length > MAX_PAGE)
}

/// A response whose body is there twice: once for the visitor, once to be kept.
pub(super) fn doubled(
    response: &web_sys::Response,
) -> Option<(web_sys::ReadableStream, web_sys::ReadableStream)> {
    use worker::wasm_bindgen::JsCast;
    let both = response.body()?.tee();
    Some((both.get(0).dyn_into().ok()?, both.get(1).dyn_into().ok()?))
}

/// Reads a body to its end; `None` if it breaks off or is too large.
pub(super) async fn read(body: web_sys::ReadableStream) -> Option<Box<[u8]>> {
    let mut chunks = Chunks::of(&body).ok()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        if bytes.len() + chunk.len() > MAX_PAGE {
            // The other half passes on; this one holds nothing of it any more.
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    Some(bytes.into_boxed_slice())
}
