//! The upstream: asked for what the visitor asked for.

use crate::address::Parts;
use crate::config::Config;
use crate::cookies;
use nearside_engine::wire::split_preview;
use worker::js_sys::Promise;
use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Context, Error, Headers, Result, web_sys};

/// What is put into an upstream request besides what the visitor sent.
pub(crate) struct UpstreamRequest(web_sys::Request);

impl UpstreamRequest {
    /// The visitor's request, turned to the upstream: method, headers and body are the visitor's.
    pub(crate) fn new(request: &web_sys::Request, config: &Config) -> Result<Self> {
        let upstream = config.upstream.as_deref().ok_or("NEARSIDE_UPSTREAM is not set")?;
        let visited = request.url();
        let visited = Parts::of(&visited).ok_or("the request has no address of the web")?;
        let mut url = format!("{upstream}{}", visited.path);
        if let Some(query) = visited.query {
            url.push('?');
            url.push_str(query);
        }
        // A preview's token is nothing for the site's logs.
        let (url, _) = split_preview(&url);
        // A `Request` has all members of a `RequestInit`.
        let init: &web_sys::RequestInit = request.unchecked_ref();
        let upstream = web_sys::Request::new_with_str_and_init(&url, init)?;
        let headers = Headers(upstream.headers());
        // A header without anything of ours passes as it is, whatever its bytes are.
        if let Some(cookie) = headers.get("cookie")?.filter(|cookie| cookies::has_ours(cookie)) {
            match cookies::for_upstream(&cookie).as_str() {
                "" => headers.delete("cookie")?,
                kept => headers.set("cookie", kept)?,
            }
        }
        let host = headers.get("host")?;
        headers.set("x-forwarded-host", host.as_deref().unwrap_or(visited.host))?;
        headers.set("x-forwarded-proto", visited.scheme)?;
        Ok(Self(upstream))
    }

    /// Asks for the whole page in its newest form: the visitor's own copy was made for them, and is of no
    /// use for another answer than a whole page.
    pub(crate) fn whole(self) -> Result<Self> {
        let headers = Headers(self.0.headers());
        for name in ["if-none-match", "if-modified-since", "if-range", "range"] {
            headers.delete(name)?;
        }
        Ok(self)
    }

    /// Asks whether the page with these headers is still the same.
    pub(crate) fn unless_same(self, known: &Headers) -> Result<Self> {
        let headers = Headers(self.0.headers());
        for (name, asked) in [("etag", "if-none-match"), ("last-modified", "if-modified-since")] {
            if let Some(value) = known.get(name)? {
                headers.set(asked, &value)?;
            }
        }
        Ok(self)
    }

    /// Sends the request at once; the answer is awaited later.
    pub(crate) fn send(&self) -> Answer {
        let worker: web_sys::WorkerGlobalScope = worker::js_sys::global().unchecked_into();
        Answer(worker.fetch_with_request(&self.0))
    }
}

/// An answer that is on its way.
pub(crate) struct Answer(Promise);

impl Answer {
    /// Lets the answer come even if nobody waits for it any more.
    pub(crate) fn keep_alive(&self, context: &Context) {
        let coming = JsFuture::from(self.0.clone());
        context.wait_until(async move {
            // Who waits hears of it.
            let _ = coming.await;
        });
    }

    /// Waits for the answer's headers.
    pub(crate) async fn headers(self) -> Result<web_sys::Response> {
        JsFuture::from(self.0)
            .await?
            .dyn_into()
            .map_err(|_| Error::from("the upstream's answer is no response"))
    }
}

/// A copy of a response whose headers can be changed; the body is handed over, not copied.
pub(crate) fn with_body(
    response: &web_sys::Response,
    body: Option<&web_sys::ReadableStream>,
) -> Result<web_sys::Response> {
    // A `Response` has all members of a `ResponseInit`.
    let init: &web_sys::ResponseInit = response.unchecked_ref();
    Ok(web_sys::Response::new_with_opt_readable_stream_and_init(
        body, init,
    )?)
}

/// The answer when the upstream gave none.
pub(crate) fn bad_gateway() -> Result<web_sys::Response> {
    let response = worker::Response::error("The site could not be reached. Please try again soon.", 502)?;
    Ok(response.into())
}
