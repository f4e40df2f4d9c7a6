//! A page that arrives, rewritten; the loop is `js/pages.js`.

use crate::counts;
use nearside_rewriter::{PageRewriter, RewriteError};
use std::mem::take;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::Promise;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Error, Result, console_log, web_sys};

/// The rewriter of one page, for the loop.
#[wasm_bindgen]
pub struct Rewriting {
    rewriter: PageRewriter,
    /// What is rewritten and still here.
    held: Vec<u8>,
}

#[wasm_bindgen]
impl Rewriting {
    /// Takes the next bytes of the page, and gives those that can leave; if it `holds` them, later.
    #[wasm_bindgen]
    pub fn write(&mut self, chunk: &[u8], holds: bool) -> Vec<u8> {
        let bytes = self.rewriter.write(chunk);
        self.hold(bytes);
        if holds { Vec::new() } else { self.take() }
    }

    /// How many of the last bytes that came wait for what follows them; the loop has them for the case that this instance
    /// breaks.
    #[wasm_bindgen]
    pub fn waiting(&self) -> usize {
        self.rewriter.waiting()
    }

    /// Gives what was held.
    #[wasm_bindgen]
    pub fn take(&mut self) -> Vec<u8> {
        take(&mut self.held)
    }

    /// Takes note of the page's end, and gives the last bytes.
    #[wasm_bindgen]
    pub fn end(mut self) -> Vec<u8> {
        let bytes = self.rewriter.end();
        self.hold(bytes);
        if let Some(failure) = self.rewriter.failure() {
            counts::count("rest-untouched", rest_untouched(failure));
            console_log!("nearside: the rest of a page passed as it came: {failure}");
        }
        self.held
    }

    fn hold(&mut self, bytes: Vec<u8>) {
        if self.held.is_empty() {
            self.held = bytes;
        } else {
            self.held.extend(bytes);
        }
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = __nearside_rewritten)]
    fn rewrite(response: &web_sys::Response, rewriting: Rewriting) -> std::result::Result<Promise, JsValue>;
}

/// A copy of a response whose body is rewritten, and whose headers can be changed.
pub(crate) async fn rewritten(
    response: &web_sys::Response,
    rewriter: PageRewriter,
) -> Result<web_sys::Response> {
    let rewriting = Rewriting {
        rewriter,
        held: Vec::new(),
    };
    let rewritten = JsFuture::from(rewrite(response, rewriting)?).await?;
    rewritten
        .dyn_into()
        .map_err(|_| Error::from("the rewritten page is no response"))
}

/// Why the rest of a page passed as it came, where others have the page's source.
const fn rest_untouched(failure: RewriteError) -> &'static str {
    match failure {
        RewriteError::Encoding => "encoding",
        RewriteError::Memory => "memory",
        RewriteError::Depth => "depth",
        RewriteError::Length => "length",
        RewriteError::Edits => "edits",
        RewriteError::Policy => "policy",
    }
}
