//! Pages of the upstream, kept as they came: not personalised, the same for all.
//!
//! What may be kept, for how long and for which requests, RFC 9111 says (`directives`, `freshness`, `vary`), more
//! strictly than it has to be: nothing is guessed, and nothing with `Set-Cookie` or for an authorised request is kept.
//!
//! - `pages`: in the isolate's memory, within a bound (`memory`); and who asks the upstream at this moment, so that
//!   of many visitors at once one asks, and the others wait for what that one gets;
//! - `kept`: a page with its plan;
//! - `behind`: the runtime's cache, where other isolates find the page;
//! - `fill`: the page goes to the visitor who asked first, and into memory, at the same time;
//! - `ask`: the way of a request through all this.

mod ask;
mod behind;
mod directives;
mod fill;
mod freshness;
mod kept;
mod memory;
mod pages;
mod vary;

pub(crate) use ask::{Answer, Ask, Source, answer};
pub(crate) use kept::Kept;

/// Counts a page's bytes again after it got a plan.
pub(crate) fn count_again(key: &str, bound: usize) {
    pages::count_again(key, bound);
}
