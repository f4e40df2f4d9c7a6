//! The bodies of requests, within a limit.

use crate::chunks::Chunks;
use worker::{Headers, Result, web_sys};

/// Reads a request's body; `None` if it is longer than `limit` bytes. No more than that is ever held.
pub(crate) async fn read(request: &web_sys::Request, limit: usize) -> Result<Option<Vec<u8>>> {
    let declared = Headers(request.headers())
        .get("content-length")?
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Ok(None);
    }
    let Some(stream) = request.body() else {
        return Ok(Some(Vec::new()));
    };
    let mut chunks = Chunks::of(&stream)?;
    let mut body = Vec::with_capacity(declared.unwrap_or_default());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
