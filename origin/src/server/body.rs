//! Reads a request's body as JSON, whatever its content type says: clients send JSON under several names.

use super::error::ApiError;
use super::limits::Bounds;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use nearside_engine::value::Value;
use nearside_engine::wire::repair_surrogates;
use std::io::Read;
use tokio::sync::SemaphorePermit;

/// The first bytes of gzip. No JSON begins with them.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A body as it came, and the room that it takes.
pub(super) struct Received<'a> {
    bytes: Vec<u8>,
    _room: SemaphorePermit<'a>,
}

impl Received<'_> {
    /// The body as it came.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Waits for a body; it has at most `limit` bytes.
pub(super) async fn receive(mut body: Body, limit: usize, bounds: &Bounds) -> Result<Received<'_>, ApiError> {
    let (mut bytes, mut room) = (Vec::new(), bounds.room(0)?);
    while let Some(frame) = body.frame().await {
        // What is no data is a trailer, and says nothing here.
        let Ok(data) = frame.map_err(|_| ApiError::BodyCut)?.into_data() else {
            continue;
        };
        if data.len() > limit - bytes.len() {
            return Err(ApiError::BodyTooLarge(limit));
        }
        room.merge(bounds.room(data.len())?);
        bytes.extend_from_slice(&data);
    }
    Ok(Received { bytes, _room: room })
}

/// Reads a body; it has at most `limit` bytes decompressed.
pub(super) fn read_json(headers: &HeaderMap, body: &Received<'_>, limit: usize) -> Result<Value, ApiError> {
    let bytes = body.bytes.as_slice();
    let encoding = headers
        .get(header::CONTENT_ENCODING)
        .map_or(b"".as_slice(), |value| value.as_bytes());
    let compressed = match encoding.to_ascii_lowercase().as_slice() {
        b"gzip" | b"x-gzip" => true,
        // Some clients compress without saying so.
        b"" | b"identity" => bytes.starts_with(&GZIP),
        _ => {
            return Err(ApiError::Compression(
                "`Content-Encoding` is none of gzip and identity",
            ));
        }
    };
    if compressed {
        parse(&decompress(bytes, limit)?)
    } else {
        parse(bytes)
    }
}

fn decompress(bytes: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut plain = Vec::new();
    // One byte more than the limit tells that there is more; the rest is never decompressed.
    MultiGzDecoder::new(bytes)
        .take(limit as u64 + 1)
        .read_to_end(&mut plain)
        .map_err(|_| ApiError::Compression("the body is not gzip, or was cut"))?;
    if plain.len() > limit {
        Err(ApiError::BodyTooLarge(limit))
    } else {
        Ok(plain)
    }
}

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    // The parser bounds how deep a value may nest.
    serde_json::from_slice(bytes).or_else(|error| {
        let repaired = repair_surrogates(bytes);
        if repaired == bytes {
            return Err(ApiError::Json(error));
        }
        serde_json::from_slice(&repaired).map_err(ApiError::Json)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Option<&str>) {
        let found = parse(json.as_bytes()).ok().map(|value| value.to_text());
        assert_eq!(found.as_deref(), expected, "{json}");
    }

    #[test]
    fn halves_of_surrogates_are_replaced() {
        check(r#""\ud83d\ude00""#, Some("😀"));
        check(r#""a\ud83d""#, Some("a\u{fffd}"));
        check(r#""\ude00\ud83d\ud83d\ude00""#, Some("\u{fffd}\u{fffd}😀"));
        check(r#""\ud83d\n""#, Some("\u{fffd}\n"));
        check(r#""\\ud83d\ud83d""#, Some("\\ud83d\u{fffd}"));
        check(r#""\ud83"#, None);
        check(r#""\"#, None);
    }
}
