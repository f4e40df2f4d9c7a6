//! Reads a request's body as JSON, whatever its content type says: clients send JSON under several names.

use super::error::ApiError;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use flate2::read::MultiGzDecoder;
use nearside_engine::value::Value;
use std::error::Error;
use std::io::Read;

/// The first bytes of gzip. No JSON begins with them.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads the body; it has at most `limit` bytes, as it came and decompressed.
pub(super) async fn read_json(headers: &HeaderMap, body: Body, limit: usize) -> Result<Value, ApiError> {
    let bytes = axum::body::to_bytes(body, limit).await.map_err(|error| {
        match error.source() {
            // `to_bytes` has one error for the limit, and passes on those of the connection.
            Some(cause) if cause.to_string().contains("length limit") => ApiError::BodyTooLarge(limit),
            _ => ApiError::BodyCut,
        }
    })?;
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
        parse(&decompress(&bytes, limit)?)
    } else {
        parse(&bytes)
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
    serde_json::from_slice(bytes).map_err(ApiError::Json)
}
