//! Applies edits to HTML bytes while they stream.
//!
//! A [`PageRewriter`] takes the page in chunks of any size and gives back what can leave already. The bytes
//! outside of the elements that are edited are the upstream's, unchanged. Whatever goes wrong, no byte is
//! lost: the rest of the page passes as it came, and [`PageRewriter::failure`] says why.
//!
//! The way of a page: a scanner tells where its tokens are (`scanner`); HTML's rules, those for tags that may be left out
//! among them, tell which elements are open (`open_elements`); selectors are matched at start tags (`selector`, `matcher`);
//! `walk` puts these together. Edits are made to the elements that they find, and at their ends (`edit`, `element`,
//! `editor`), either while the page streams (`streaming`) or by what was remembered of it (`plan`).
//!
//! Operations and selectors are those that can be followed while a page streams; [`host()`] tells, and the browser does the
//! rest.

#![forbid(unsafe_code)]

mod attributes;
mod declared_policies;
mod doctype;
mod edit;
mod editor;
mod element;
mod encode;
mod encoding;
mod head;
mod host;
mod matcher;
#[cfg(test)]
mod matcher_test;
mod names;
mod open_elements;
mod page;
mod plan;
mod references;
mod scanner;
#[cfg(test)]
mod scanner_test;
mod search;
mod selector;
mod streaming;
mod walk;

pub use declared_policies::Fit;
pub use host::{Host, host, supports};
pub use page::{PageRewriter, RewriteError, Settings};
pub use plan::{PagePlan, Piece, joined};

use nearside_engine::mutation::Edit;

/// Rewrites a whole page, in chunks of `chunk` bytes, without anything injected.
///
/// # Errors
/// When the page could not be rewritten to its end.
pub fn rewrite(page: &[u8], edits: &[Edit<'_>], chunk: usize) -> Result<Vec<u8>, RewriteError> {
    let mut rewriter = PageRewriter::new(edits, Settings::default())?;
    let mut output = Vec::with_capacity(page.len());
    for chunk in page.chunks(chunk.max(1)) {
        output.extend(rewriter.write(chunk));
    }
    output.extend(rewriter.end());
    match rewriter.failure() {
        Some(failure) => Err(failure),
        None => Ok(output),
    }
}
