//! The clock.

use nearside_engine::time::Timestamp;

/// Now, in milliseconds. The runtime's clock stands still while the worker computes.
pub(crate) fn now() -> Timestamp {
    worker::js_sys::Date::now() as Timestamp
}
