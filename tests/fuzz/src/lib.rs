//! Fuzz targets: whatever bytes come from outside, the engine's invariants hold.
//!
//! A [`Target`] is a plain function of bytes that panics where something is wrong. It runs in two ways:
//!
//! - `cargo test` runs each target over its committed seeds (`seeds/NAME/`) and over some that are made anew of
//!   those ([`seeds`]), so that no change of a binary form leaves the targets without something to read;
//! - `cargo xtask fuzz` runs them under libFuzzer, which looks for inputs that reach more of the code.
//!
//! Each input is bounded work: what is made of it is held to bounds here, and the fuzzer ends an input that takes
//! seconds or hundreds of megabytes.
//!
//! # When the fuzzer finds something
//!
//! It says where it wrote the input. Copy it to `seeds/TARGET/` under a name that says what it was, run
//! `cargo test -p nearside-fuzz` to see it fail, and write a test beside the code that has the mistake.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a target tells a finding by a panic"
)]

mod drive;
mod programs;
pub mod seeds;
pub mod targets;

pub use targets::{TARGETS, Target, target};
