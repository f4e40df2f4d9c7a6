//! Proxying, by its bytes: a raw upstream, the built edge in the stock workerd, and a client that reads every byte.
//!
//! A plain pass-through worker runs beside the edge. What the runtime itself changes or cannot do is known by that:
//! each case says whether the visitor must get what the upstream gives, or, where the runtime can't, what the
//! pass-through gives.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by a panic, and its helpers are its own"
)]

mod bodies;
mod browser;
mod charsets;
mod client;
mod compare;
mod connections;
mod encodings;
mod failures;
mod headers;
mod keeping;
mod leavers;
mod locations;
mod pages;
mod policies;
mod ranges;
mod redirects;
mod rig;
mod statuses;
mod targets;
mod upstream;
mod websocket;
mod wire;
