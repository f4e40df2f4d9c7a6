//! Nearside in the page.
//!
//! The way of a page view through this package:
//!
//! 1. `js/loader.js` (`/_ns/sdk.js`) makes `window.nearside`, keeps what is tracked, and imports the engine's
//!    script. Where that fails, it goes on to send events by itself.
//! 2. `js/main.js` fetches the program and starts a [`Visit`] from the state that the edge wrote into the page.
//! 3. Each event is folded at once ([`Visit::fold`]), is in the journal cookie when `track` returns
//!    ([`Visit::journal`]), and goes to the edge in a batch (`js/outbox.js`).
//! 4. [`Visit::decide`] says what the visitor gets now. `js/page_editor.js` applies the edits of variants that
//!    are new in the page, and takes back those that have ended.
//!
//! What touches the page is JavaScript, because each call of the DOM costs more bytes as a binding than as
//! a statement. What must be the same as at the edge and at the origin is Rust, and has no I/O.
//!
//! # What the edge wrote stays
//!
//! The edge's edits are in the page's bytes; what was there before has never come. When such a decision ends
//! while the page is open, its content stays until the next page, unless another variant of the same
//! experience is decided: that is applied over it.

mod bindings;
pub mod json;
mod number;
mod visit;

pub use bindings::{Engine, ReplayedLog};
pub use visit::{Folded, Visit};
