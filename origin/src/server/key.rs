//! Finds the write key of a request. Clients send it in one of five ways; the header wins.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use nearside_engine::value::Value;

/// Some clients leave out the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key that the header has: `Basic base64(key:)`, or the same without the colon.
///
/// What cannot be decoded is a key that nobody has.
pub(super) fn in_header(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(credentials.trim()).unwrap_or_default();
    let decoded = String::from_utf8_lossy(&decoded);
    Some(decoded.split(':').next().unwrap_or_default().to_owned())
}

/// The key that the body has, or else the query.
pub(super) fn in_body_or_query(body: &Value, query: Option<&str>) -> Option<String> {
    if let Some(key) = body.get("writeKey").as_str() {
        return Some(key.to_owned());
    }
    let pairs = query?.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .into_iter()
        .find(|(name, _)| *name == "writeKey")
        .map(|(_, key)| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[track_caller]
    fn check(authorization: &str, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_str(authorization).unwrap(),
        );
        assert_eq!(in_header(&headers).as_deref(), expected, "{authorization}");
    }

    #[test]
    fn headers() {
        check("Basic a2V5Og==", Some("key"));
        check("basic a2V5", Some("key"));
        check("Basic a2V5Og", Some("key"));
        check("Basic ???", Some(""));
        check("Bearer token", None);
        check("Basic", None);
    }

    #[test]
    fn the_body_comes_before_the_query() {
        let body: Value = serde_json::from_str(r#"{"writeKey":"b"}"#).unwrap();
        assert_eq!(in_body_or_query(&body, Some("writeKey=q")).as_deref(), Some("b"));
        assert_eq!(
            in_body_or_query(&Value::Null, Some("x&a=b&writeKey=q")).as_deref(),
            Some("q")
        );
        assert_eq!(in_body_or_query(&Value::Null, None), None);
    }
}
