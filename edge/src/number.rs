//! Numbers as text.

use nearside_engine::decimal::Decimal;

/// Reads a number; `None` if the text is none. What is too large is infinite.
pub(crate) fn read(text: &str) -> Option<f64> {
    let decimal = Decimal::read(text)?;
    Some(decimal.exact().unwrap_or_else(|| by_the_host(text)))
}

/// The runtime reads numbers anyhow, and as exactly as the standard library, whose tables would be 3 % of the worker.
/// It takes a third of a microsecond.
#[cfg(target_arch = "wasm32")]
fn by_the_host(text: &str) -> f64 {
    worker::js_sys::parse_float(text)
}

#[cfg(not(target_arch = "wasm32"))]
fn by_the_host(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}
