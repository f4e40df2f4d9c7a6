//! The upstream's answer to a request: as it arrives, or as it was kept.

use crate::cache::Kept;
use crate::{clock, proxy};
use std::rc::Rc;
use worker::js_sys::Uint8Array;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Headers, Result, web_sys};

/// The upstream's answer.
pub(crate) enum UpstreamPage {
    /// It arrives now.
    Arriving(web_sys::Response),
    /// It was kept.
    Kept(Rc<Kept>),
}

impl UpstreamPage {
    /// The value of a header.
    pub(crate) fn header(&self, name: &'static str) -> Option<String> {
        let value = match self {
            Self::Arriving(response) => Headers(response.headers()).get(name),
            Self::Kept(kept) => kept.header(name),
        };
        value.ok().flatten()
    }

    /// The answer as the upstream sent it, with headers that can be changed.
    pub(crate) fn untouched(&self) -> Result<web_sys::Response> {
        match self {
            Self::Arriving(response) => proxy::with_body(response, response.body().as_ref()),
            Self::Kept(kept) => {
                let headers = kept.headers()?;
                headers.set("age", &kept.age(clock::now()).to_string())?;
                whole(kept.bytes(), &headers)
            }
        }
    }

    /// Nobody will read it.
    pub(crate) fn cancel(&self) {
        if let Self::Arriving(response) = self
            && let Some(body) = response.body()
        {
            let _ = body.cancel();
        }
    }
}

/// A response with these bytes, and a copy of these headers.
pub(crate) fn whole(bytes: &[u8], headers: &Headers) -> Result<web_sys::Response> {
    let init = web_sys::ResponseInit::new();
    init.set_headers(&headers.0);
    // A copy in the runtime's memory, which the response takes over.
    let body: JsValue = Uint8Array::from(bytes).into();
    Ok(web_sys::Response::new_with_opt_js_u8_array_and_init(
        body.dyn_ref(),
        &init,
    )?)
}
