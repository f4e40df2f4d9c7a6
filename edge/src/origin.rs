//! The origin service, as the edge calls it: always with its secret, and never without an end.

use crate::config::Config;
use worker::wasm_bindgen::JsValue;
use worker::{AbortSignal, Fetch, Headers, Method, Request, RequestInit, Response, Result, web_sys};

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
        self.send(path, Method::Get, headers, None, limit).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, json: &str, limit: u32) -> Result<Response> {
        let headers = Headers::new();
        headers.set("content-type", "application/json")?;
        self.send(path, Method::Post, headers, Some(JsValue::from_str(json)), limit)
            .await
    }

    async fn send(
        &self,
        path: &str,
        method: Method,
        headers: Headers,
        body: Option<JsValue>,
        limit: u32,
    ) -> Result<Response> {
        headers.set("authorization", &format!("Bearer {}", self.secret))?;
        let mut init = RequestInit::new();
        init.with_method(method).with_headers(headers).with_body(body);
        let request = Request::new_with_init(&format!("{}{path}", self.address), &init)?;
        let signal = AbortSignal::from(web_sys::AbortSignal::timeout_with_u32(limit));
        Fetch::Request(request).send_with_signal(&signal).await
    }
}
