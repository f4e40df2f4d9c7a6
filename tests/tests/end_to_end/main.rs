//! The main job, end to end: real shop, origin, edge and browser; nothing is simulated.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by a panic, and reports its figures"
)]

mod browser;
mod faults;
mod hostile;
mod mutations;
mod parity;
mod previews;
mod redirects;
mod traps;
mod untouched;
mod visitors_own;
mod visits;

use std::sync::OnceLock;
use xtask::stack::{Stack, StackOptions};

/// A stack that all tests share which break nothing. It ends with this process.
fn shared() -> &'static Stack {
    static STACK: OnceLock<Stack> = OnceLock::new();
    STACK.get_or_init(|| start(StackOptions::default()))
}

/// Starts a stack and waits until its edge has the program.
fn start(mut options: StackOptions) -> Stack {
    options
        .origin_arguments
        .extend(["--admin-token".to_owned(), faults::ADMIN_TOKEN.to_owned()]);
    let mut stack = Stack::start(options).expect("the stack starts");
    stack.wait_for_program().expect("the edge has the program");
    stack
}
