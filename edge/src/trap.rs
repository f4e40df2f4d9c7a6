//! Tells the entry when this instance of the module breaks.

use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, handler};

#[wasm_bindgen]
extern "C" {
    /// See `edge/js/entry.js`.
    #[wasm_bindgen(js_namespace = globalThis, js_name = __nearside_trapped)]
    fn trapped();
}

/// Has the entry told of a trap. It is cheap, and done for each request: after a trap the instance is a new one.
pub(crate) fn watch() {
    let _ = handler::set_on_abort(on_trap);
}

/// Runs in the broken instance. It must use no memory: there may be none, neither heap nor stack.
fn on_trap() {
    handler::schedule_reinit();
    trapped();
}
