//! The origin service, as the edge calls it: always with its secret, and never without an end.

use crate::config::Config;
use worker::js_sys::global;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Headers, Response, Result, web_sys};

/// How long something in the background may take, in milliseconds.
pub(crate) const PATIENT: u32 = 20_000;
/// How long a visitor's batch may wait for the origin before the queue takes it, in milliseconds.
pub(crate) const PROMPT: u32 = 2_000;

/// The origin's address, and what the edge proves itself with.
#[derive(Clone)]
pub(crate) struct Origin {
    address: String,
    secret: String,
}

impl Origin {
    /// The configured origin, if there is one.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        Some(Self {
            address: config.origin.clone()?,
            secret: config.edge_secret.clone()?,
        })
    }

    /// Asks for something; `known` is the entity tag of what is there already.
    pub(crate) async fn get(&self, path: &str, known: Option<&str>, limit: u32) -> Result<Response> {
        let headers = Headers::new();
        if let Some(known) = known {
            headers.set("if-none-match", &format!("\"{known}\""))?;
        }
        self.send(path, "GET", headers, None, limit).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, json: &str, limit: u32) -> Result<Response> {
        let headers = Headers::new();
        headers.set("content-type", "application/json")?;
        self.send(path, "POST", headers, Some(JsValue::from_str(json)), limit)
            .await
    }

    async fn send(
        &self,
        path: &str,
        method: &str,
        headers: Headers,
        body: Option<JsValue>,
        limit: u32,
    ) -> Result<Response> {
        headers.set("authorization", &format!("Bearer {}", self.secret))?;
        // Not with the requests of `worker`: those bring all that can be said of one, 6 KB of the worker.
        let init = web_sys::RequestInit::new();
        init.set_method(method);
        init.set_headers(&headers.0);
        init.set_signal(Some(&web_sys::AbortSignal::timeout_with_u32(limit)));
        if let Some(body) = body {
            init.set_body(&body);
        }
        let request = web_sys::Request::new_with_str_and_init(&format!("{}{path}", self.address), &init)?;
        let scope: web_sys::WorkerGlobalScope = global().unchecked_into();
        let answer = JsFuture::from(scope.fetch_with_request(&request)).await?;
        Ok(answer.unchecked_into::<web_sys::Response>().into())
    }
}
