//! Conformance, parity, end-to-end and fault tests of Nearside, and what they share.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helper fails its test by a panic"
)]

pub mod client;
pub mod corpus;
pub mod growthbook_spec;
pub mod rewriting;
pub mod timing;
pub mod trapping;
pub mod wait;
pub mod workerd;
