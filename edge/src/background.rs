//! Work that goes on when the answer has left.

use std::pin::Pin;
use worker::Context;

/// Lets the runtime wait for some work. All work has one type, so that the worker has the code that waits only once.
pub(crate) fn go_on(context: &Context, work: impl Future<Output = ()> + 'static) {
    let work: Pin<Box<dyn Future<Output = ()>>> = Box::pin(work);
    context.wait_until(work);
}
