//! Rewrites a page's body while it streams.

use futures_util::{StreamExt, stream};
use nearside_rewriter::PageRewriter;
use worker::{Result, console_log, web_sys};

/// The rewritten body of a response.
pub(crate) fn stream(response: web_sys::Response, rewriter: PageRewriter) -> Result<web_sys::ReadableStream> {
    let body = worker::Response::from(response).stream()?;
    let rewritten = stream::unfold((body, Some(rewriter)), |(mut body, rewriter)| async move {
        let mut rewriter = rewriter?;
        loop {
            match body.next().await {
                Some(Ok(chunk)) => {
                    let bytes = rewriter.write(&chunk);
                    // An empty chunk would end some streams.
                    if !bytes.is_empty() {
                        return Some((Ok(bytes), (body, Some(rewriter))));
                    }
                }
                // The upstream broke off: so does the page, as it would without us.
                Some(Err(error)) => return Some((Err(error), (body, None))),
                None => {
                    let bytes = rewriter.end();
                    if let Some(failure) = rewriter.failure() {
                        console_log!("nearside: the rest of a page passed as it came: {failure}");
                    }
                    return (!bytes.is_empty()).then_some((Ok(bytes), (body, None)));
                }
            }
        }
    });
    let response: web_sys::Response = worker::Response::from_stream(rewritten)?.into();
    response
        .body()
        .ok_or_else(|| "the rewritten page has no body".into())
}
