//! `cargo xtask`: everything that happens around Nearside's code.
//!
//! The way of `cargo xtask test` on a fresh machine: [`setup`] installs what is missing into a cache
//! outside of the clone and gives the paths of every tool; [`build`] makes the edge worker, the
//! browser package and the origin from them, and leaves alone what is up to date; [`gates`] runs the
//! checks and the tests and counts. The end-to-end tests and [`dev`] start the built parts with
//! [`stack`]: each process is a handle, and no process outlives its handle.
//!
//! The tests crate uses [`stack`] and [`browser`] as a library.

pub mod bench;
pub mod browser;
pub mod build;
pub mod dev;
pub mod fuzz;
pub mod gates;
pub mod paths;
pub mod process;
pub mod report;
pub mod setup;
pub mod size;
pub mod stack;
pub mod symbols;
pub mod wasm_module;
