//! The worker's entry points.

use crate::config::Config;
use crate::{forward, proxy, route};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::worker_sys::MessageBatch;
use worker::{Context, Env, Result, console_error, event, web_sys};

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<web_sys::Response> {
    let config = Config::of_isolate(&env);
    route::handle(request, &env, &context, &config)
        .await
        .or_else(|error| {
            console_error!("nearside: {error}");
            proxy::bad_gateway()
        })
}

/// Delivers what the queue brings. The queues of `worker` come with the serialisation of their options.
#[expect(unreachable_pub, reason = "exports are public")]
#[wasm_bindgen(wasm_bindgen_futures = worker::wasm_bindgen_futures, js_sys = worker::js_sys)]
pub async fn queue(batch: MessageBatch, env: Env, _context: JsValue) {
    let config = Config::of_isolate(&env);
    forward::deliver(&batch, &config).await;
}
