//! Nearside's edge worker: stands before a site and personalises its pages while they pass.
//!
//! The way of a request:
//!
//! 1. `route` tells Nearside's own addresses (`/_ns/…`) from the site's.
//! 2. `page` asks the upstream, or takes the page from what is kept (`cache`); at the same time `programs` finds the program and `snapshots` asks the
//!    origin for what it knows of the visitor, where that is due. What is a connection's own stays with it (`headers`), and
//!    addresses at the upstream's host become the edge's (`locations`).
//! 3. `visit` reads the visitor's cookies: who they are, their sealed state (`seal`), and the journal of
//!    events that the edge has not confirmed yet; it folds them in.
//!    `preview` reads what an author wants to see instead.
//! 4. The engine decides (`redirects`: that the visitor is sent to another page, which `exposures` records first); the
//!    rewriter edits the page while it streams (`rewrite`).
//! 5. The page leaves with the state for the SDK, whose tag fits the page's `policy`, and the new cookies; the page view is handed on
//!    (`forward`) when the visitor has their page.
//! 6. `collect` takes the batches of events that the SDK sends.
//!
//! Whatever goes wrong on the way, the visitor gets the upstream's bytes, and `Server-Timing` says why.

// The worker's entry points exist in WebAssembly alone; natively the pure modules are tested.
#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "only the pure modules run natively")
)]

mod address;
mod asked;
mod assets;
mod background;
mod body;
mod cache;
mod chunks;
mod clock;
mod collect;
mod config;
mod cookies;
mod counts;
mod error;
mod explain;
mod exposures;
mod forward;
mod headers;
mod identifiers;
mod json;
mod kv;
mod locations;
mod messages;
mod number;
mod origin;
mod page;
mod page_state;
mod page_stream;
mod page_views;
mod policy;
mod preview;
mod private;
mod programs;
mod proxy;
mod redirects;
mod replay;
mod request_facts;
mod rewrite;
mod route;
mod seal;
mod snapshots;
mod time_zone;
mod timing;
mod upstream_page;
mod user_agent;
mod visit;

#[cfg(target_arch = "wasm32")]
mod entry;
