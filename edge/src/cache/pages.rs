//! The pages in the isolate's memory, and which of them are being asked for.

use super::freshness::{Header, Use};
use super::kept::Kept;
use super::memory::Memory;
use nearside_engine::time::Timestamp;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// How many variants of one address are kept; the oldest makes room.
const MAX_VARIANTS: usize = 8;
/// The bytes that the addresses take whose pages are not kept.
const MAX_UNKEPT: usize = 512 * 1024;
/// After this long, in milliseconds, who asks is given up: their request is gone.
const ASKING_FOR: i64 = 30_000;

thread_local! {
    static PAGES: RefCell<Pages> = RefCell::new(Pages {
        kept: Memory::new(),
        unkept: Memory::new(),
        asked: HashMap::new(),
    });
}

struct Pages {
    kept: Memory<Vec<Rc<Kept>>>,
    /// Addresses whose last page could not be kept: nobody waits there for somebody else's.
    unkept: Memory<()>,
    /// Addresses that somebody is asking the upstream for, since when.
    asked: HashMap<Rc<str>, Timestamp>,
}

/// What is known of an address.
pub(super) enum Known {
    /// A page that may be shown.
    Fresh(Rc<Kept>),
    /// A page that may be shown, and that is to be asked for anew.
    Stale(Rc<Kept>),
    /// Somebody is asking for it.
    Asked,
    /// Pages of this address are not kept.
    Unkept,
    /// Nothing, or a page that may be shown only when the upstream says that it is still the same.
    Missing(Option<Rc<Kept>>),
}

/// Looks an address up.
pub(super) fn look(key: &str, request: Header<'_>, now: Timestamp) -> Known {
    PAGES.with_borrow_mut(|pages| {
        let variants = pages.kept.get(key);
        let kept =
            variants.and_then(|variants| variants.iter().find(|kept| kept.variant.fits(request)).cloned());
        let usable = kept.as_ref().map(|kept| kept.usable(request, now));
        match (kept, usable) {
            (Some(kept), Some(Use::Fresh)) => Known::Fresh(kept),
            (Some(kept), Some(Use::Stale)) => Known::Stale(kept),
            (kept, _) => {
                let asked = pages.asked.get(key);
                if asked.is_some_and(|since| now - since < ASKING_FOR) {
                    return Known::Asked;
                }
                if kept.is_none() && pages.unkept.get(key).is_some() {
                    return Known::Unkept;
                }
                Known::Missing(kept)
            }
        }
    })
}

/// Keeps a page, in the place of one for the same requests.
pub(super) fn keep(key: &str, kept: Rc<Kept>, now: Timestamp, bound: usize) {
    PAGES.with_borrow_mut(|pages| {
        pages.unkept.remove(key);
        let mut variants = pages.kept.remove(key).unwrap_or_default();
        variants.retain(|known| known.variant != kept.variant && !known.freshness.is_over(now));
        if variants.len() >= MAX_VARIANTS {
            variants.remove(0);
        }
        variants.push(kept);
        let size = variants.iter().map(|kept| kept.size()).sum();
        pages.kept.put(key, variants, size, bound);
    });
}

/// Forgets a page that is not what the upstream has any more.
pub(super) fn forget(key: &str, request: Header<'_>) {
    PAGES.with_borrow_mut(|pages| {
        if let Some(variants) = pages.kept.get(key) {
            variants.retain(|known| !known.variant.fits(request));
            if variants.is_empty() {
                pages.kept.remove(key);
            }
        }
    });
}

/// Counts the bytes of an address again: a page has got a plan.
pub(super) fn count_again(key: &str, bound: usize) {
    PAGES.with_borrow_mut(|pages| {
        if let Some(variants) = pages.kept.get(key) {
            let size = variants.iter().map(|kept| kept.size()).sum();
            pages.kept.resize(key, size, bound);
        }
    });
}

/// Notes that the pages of an address cannot be kept.
pub(super) fn note_unkept(key: &str) {
    PAGES.with_borrow_mut(|pages| pages.unkept.put(key, (), 0, MAX_UNKEPT));
}

/// That somebody is asking the upstream for an address, until this is dropped.
pub(super) struct Asking {
    key: Rc<str>,
    since: Timestamp,
}

impl Asking {
    /// `None` if somebody is asking already.
    pub(super) fn begin(key: &str, now: Timestamp) -> Option<Self> {
        let key: Rc<str> = Rc::from(key);
        PAGES.with_borrow_mut(|pages| {
            let is_asked = pages
                .asked
                .get(&key)
                .is_some_and(|since| now - since < ASKING_FOR);
            if is_asked {
                return None;
            }
            // Requests that have gone without a word leave their note.
            pages.asked.retain(|_, since| now - *since < ASKING_FOR);
            pages.asked.insert(Rc::clone(&key), now);
            Some(Self { key, since: now })
        })
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        PAGES.with_borrow_mut(|pages| {
            if pages.asked.get(&self.key) == Some(&self.since) {
                pages.asked.remove(&self.key);
            }
        });
    }
}
