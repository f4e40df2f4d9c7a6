//! Character references, as in `&amp;` and `&#233;`.
//!
//! - `resolve`: what a page says with them;
//! - `spell`: HTML in ASCII alone, for pages whose encoding cannot be written.

mod resolve;
mod spell;

pub(crate) use resolve::resolved;
pub(crate) use spell::{html, text};
