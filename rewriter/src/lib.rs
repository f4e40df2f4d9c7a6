//! Applies edits to HTML bytes while they stream.
//!
//! A [`PageRewriter`] takes the page in chunks of any size and gives back what can leave already. The bytes
//! outside of the elements that are edited are the upstream's, unchanged. Whatever goes wrong, no byte is
//! lost: the rest of the page passes as it came, and [`PageRewriter::failure`] says why.
//!
//! The way of a page: a scanner tells where its tokens are (`scanner`); HTML's rules for tags that may be left out
//! tell where elements end (`open_elements`); their end tags are supplied (`splice`) to the parser, which matches
//! selectors and edits (`edit`), and are taken back as the page leaves (`marks`, `pipeline`). A page whose edits need
//! no end tags but those that HTML demands goes through the parser only.
//!
//! Operations and selectors are those that can be followed while a page streams; [`host()`] tells, and the browser does the
//! rest.

#![forbid(unsafe_code)]

mod declared_policies;
mod doctype;
mod edit;
mod encode;
mod head;
mod host;
mod inject;
mod marks;
mod names;
mod needs;
mod open_elements;
mod page;
mod pipeline;
mod plan;
mod prologue;
mod references;
mod scanner;
#[cfg(test)]
mod scanner_test;
mod search;
mod splice;
mod surroundings;
mod target;

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
