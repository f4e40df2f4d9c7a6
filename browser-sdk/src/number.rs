//! Numbers as text.

use nearside_engine::decimal::Decimal;

/// Reads a number; `None` if the text is none. What is too large is infinite.
pub(crate) fn read(text: &str) -> Option<f64> {
    let decimal = Decimal::read(text)?;
    Some(decimal.exact().unwrap_or_else(|| by_the_host(text)))
}

/// Browsers read numbers as exactly as the standard library, whose tables would be a tenth of the module.
#[cfg(target_arch = "wasm32")]
fn by_the_host(text: &str) -> f64 {
    use wasm_bindgen::prelude::wasm_bindgen;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(js_name = parseFloat)]
        fn parse_float(text: &str) -> f64;
    }
    parse_float(text)
}

#[cfg(not(target_arch = "wasm32"))]
fn by_the_host(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}
