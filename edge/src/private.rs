//! What a visitor's page must not say of itself: it is theirs alone.

use worker::{Headers, Result};

/// What the upstream says of its page and is not true of a visitor's: its length, version and digests; and
/// what would let a cache before the edge keep it, whatever `Cache-Control` says.
const NOT_OURS: [&str; 18] = [
    "content-length",
    "etag",
    "last-modified",
    "accept-ranges",
    "expires",
    "age",
    "content-md5",
    "digest",
    "content-digest",
    "repr-digest",
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "surrogate-control",
    "surrogate-key",
    "cache-tag",
    "x-accel-expires",
    "edge-control",
    "pragma",
];

/// Takes away what would let anybody keep a response or take it for the upstream's.
pub(crate) fn make_private(headers: &Headers) -> Result<()> {
    for name in NOT_OURS {
        headers.delete(name)?;
    }
    headers.set("cache-control", "private, no-store")
}
