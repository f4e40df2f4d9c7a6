//! Searching bytes for a few others.

use memchr::memchr_iter;

/// The first place of a pattern that begins with a byte that is rare in pages.
pub(crate) fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    let (first, _) = pattern.split_first()?;
    memchr_iter(*first, bytes).find(|place| bytes.get(*place..).is_some_and(|rest| rest.starts_with(pattern)))
}
