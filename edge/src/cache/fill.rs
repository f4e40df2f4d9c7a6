//! Takes a page's bytes into memory while they pass to the visitor who asked first.

use crate::chunks::Chunks;
use nearside_engine::time::Timestamp;
use std::cell::RefCell;
use worker::{Headers, web_sys};

/// The largest page that is kept, in bytes.
pub(super) const MAX_PAGE: usize = 2 * 1024 * 1024;

/// How many pages are taken into memory at the same time: each may hold its bytes twice, as long as its visitor is slow.
const MAX_FILLING: usize = 16;

/// After this long, in milliseconds, a page is not being taken any more: its request is gone.
const FILLING_FOR: i64 = 60_000;

thread_local! {
    /// Since when each page is being taken.
    static FILLING: RefCell<Vec<Timestamp>> = const { RefCell::new(Vec::new()) };
}

/// That a page is being taken into memory, until this is dropped.
pub(super) struct Filling(Timestamp);

impl Filling {
    /// `None` if there are too many already.
    pub(super) fn begin(now: Timestamp) -> Option<Self> {
        FILLING.with_borrow_mut(|filling| {
            filling.retain(|since| now - since < FILLING_FOR);
            (filling.len() < MAX_FILLING).then(|| {
                filling.push(now);
                Self(now)
            })
        })
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        FILLING.with_borrow_mut(|filling| {
            if let Some(place) = filling.iter().position(|since| *since == self.0) {
                filling.swap_remove(place);
            }
        });
    }
}

/// Whether a response says that it is too large to be kept.
pub(super) fn is_too_large(headers: &Headers) -> bool {
    let length = headers.get("content-length").ok().flatten();
    length
        .and_then(|length| length.parse::<usize>().ok())
        .is_some_and(|length| length > MAX_PAGE)
}

/// A response whose body is there twice: once for the visitor, once to be kept.
pub(super) fn doubled(
    response: &web_sys::Response,
) -> Option<(web_sys::ReadableStream, web_sys::ReadableStream)> {
    use worker::wasm_bindgen::JsCast;
    let both = response.body()?.tee();
    Some((both.get(0).dyn_into().ok()?, both.get(1).dyn_into().ok()?))
}

/// Reads a body to its end; `None` if it breaks off or is too large.
pub(super) async fn read(body: web_sys::ReadableStream) -> Option<Box<[u8]>> {
    let mut chunks = Chunks::of(&body).ok()?;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        if bytes.len() + chunk.len() > MAX_PAGE {
            // The other half passes on; this one holds nothing of it any more.
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    Some(bytes.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_pages_are_taken_at_once() {
        let mut all: Vec<Filling> = (0..100).map_while(|_| Filling::begin(1_000)).collect();
        assert_eq!(all.len(), MAX_FILLING);
        assert!(Filling::begin(1_001).is_none());
        all.pop();
        assert!(Filling::begin(1_001).is_some());
        // What is gone without a word does not count for ever.
        all.into_iter().for_each(std::mem::forget);
        assert!(Filling::begin(1_000 + FILLING_FOR).is_some());
    }
}
