//! The pure core of Nearside: what a visitor did → what they see.
//!
//! The way of a visit through this crate:
//!
//! 1. [`compile`](compile::compile) turns an author's manifest into a [`Program`](program::Program), once.
//! 2. [`Event::from_message`](event::Event::from_message) validates what a client sent.
//! 3. [`fold`](fold::fold) folds the event into the visitor's [`State`](state::State): a few bounded
//!    [cells](cell::Cell), however long the visitor has been around.
//! 4. [`decide`](decide::decide) gives, for every experience, a variant or none, and the reason.
//! 5. [`edits`](facts::edits) fills in the mutations of a variant, for the rewriter or the page to apply;
//!    [`redirect`](redirect::redirect) says whether the visitor is sent to another page instead.
//!
//! The engine does no I/O and takes instants, ids and randomness as arguments: the same input gives the same
//! decision natively, in the edge worker and in the browser.

#![forbid(unsafe_code)]

pub mod aging;
pub mod assign;
pub mod assignment;
pub mod base64url;
pub mod cell;
mod clock;
mod codec;
pub mod compile;
pub mod condition;
pub mod decay;
pub mod decide;
pub mod decider;
pub mod decimal;
pub mod event;
pub mod explain;
pub mod facts;
mod flow;
pub mod fold;
pub mod hash;
mod index;
pub mod landing;
pub mod mutation;
mod near;
mod number;
pub mod oracle;
pub mod pages;
pub mod path;
pub mod program;
mod readers;
mod reading;
pub mod redirect;
pub mod regex;
pub mod replay;
pub mod request;
mod sort;
mod staleness;
pub mod state;
pub mod sticky;
pub mod template;
pub mod time;
pub mod value;
mod value_tests;
mod version;
pub mod wire;

pub use codec::Malformed;
