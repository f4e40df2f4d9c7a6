//! The upstream: asked for what the visitor asked for.

use crate::address::Parts;
use crate::config::Config;
use crate::locations::Addresses;
use crate::{background, cookies, headers};
use nearside_engine::wire::split_preview;
use worker::js_sys::Promise;
use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Context, Error, Headers, Result, web_sys};

/// What is put into an upstream request besides what the visitor sent.
pub(crate) struct UpstreamRequest(web_sys::Request, Addresses);

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
        // A header without anything of ours passes as it is, whatever its bytes are; and so does one that the
        // runtime could not read as text, since what it gives would spoil the site's own cookies.
        let is_ours = |cookie: &String| cookies::has_ours(cookie) && !cookie.contains('\u{fffd}');
        if let Some(cookie) = headers.get("cookie")?.filter(is_ours) {
            match cookies::for_upstream(&cookie).as_str() {
                "" => headers.delete("cookie")?,
                kept => headers.set("cookie", kept)?,
            }
        }
        let addresses = Addresses::of(config, &visited, headers.get("host")?);
        headers::to_upstream(&headers, &visited)?;
        Ok(Self(upstream, addresses))
    }

    /// Asks for the whole page in its newest form: the visitor's own copy was made for them, and is of no
    /// use for another answer than a whole page.
    pub(crate) fn whole(self) -> Result<Self> {
        let headers = Headers(self.0.headers());
        for name in ["if-none-match", "if-modified-since", "if-range", "range"] {
            headers.delete(name)?;
        }
        let accepted = headers.get("accept-encoding")?;
        if let Some(openable) = accepted.and_then(|accepted| headers::openable(&accepted)) {
            headers.set("accept-encoding", &openable)?;
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
        Answer(worker.fetch_with_request(&self.0), self.1.clone())
    }
}

/// An answer that is on its way.
pub(crate) struct Answer(Promise, Addresses);

impl Answer {
    /// Lets the answer come even if nobody waits for it any more.
    pub(crate) fn keep_alive(&self, context: &Context) {
        let coming = JsFuture::from(self.0.clone());
        background::go_on(context, async move {
            // Who waits hears of it.
            let _ = coming.await;
        });
    }

    /// Waits for the answer's headers.
    pub(crate) async fn headers(self) -> Result<web_sys::Response> {
        let response = JsFuture::from(self.0)
            .await?
            .dyn_into()
            .map_err(|_| Error::from("the upstream's answer is no response"))?;
        headers::to_visitor(response, &self.1)
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
    failure(502, "The site could not be reached. Please try again soon.")
}

/// The answer to a request that is for no host, or for several.
pub(crate) fn bad_request() -> Result<web_sys::Response> {
    failure(400, "The request does not say which site it is for.")
}

fn failure(status: u16, message: &str) -> Result<web_sys::Response> {
    let headers = Headers::new();
    headers.set("content-type", "text/plain; charset=utf-8")?;
    headers.set("cache-control", "no-store")?;
    Ok(worker::Response::error(message, status)?
        .with_headers(headers)
        .into())
}
