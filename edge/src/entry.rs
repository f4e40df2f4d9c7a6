//! The worker's entry points.

use crate::config::Config;
use crate::{forward, proxy, route};
use worker::{Context, Env, MessageBatch, Result, console_error, event, web_sys};

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

#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, _context: Context) -> Result<()> {
    let config = Config::of_isolate(&env);
    forward::deliver(&batch, &config).await;
    Ok(())
}
