//! The one place that asks for the time.

use nearside_engine::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970, by this machine's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::try_from(since.as_millis()).unwrap_or(Timestamp::MAX)
}
