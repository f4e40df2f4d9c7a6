//! What the splicer tells the handlers of edits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// End tags that a tag makes unnecessary.
#[derive(Clone, Debug, Default)]
pub(crate) struct Implied {
    pub(crate) names: Vec<String>,
    /// Whether they end other elements, too. Another tag in their place might not reach beyond those.
    pub(crate) end_others: bool,
}

/// What was changed in the bytes that the parser gets, by the places in these bytes. Whatever is changed
/// there is taken back when it leaves.
#[derive(Default)]
pub(crate) struct Marks {
    /// End tags that are not in the page, and their lengths.
    pub(crate) supplied: RefCell<BTreeMap<usize, usize>>,
    /// Comments that stand for end tags that the browser ignores, and end tags that have got the name of the element that
    /// they end: their lengths, and the end tags.
    pub(crate) hidden: RefCell<BTreeMap<usize, (usize, String)>>,
    /// End tags that the tag at a place makes unnecessary.
    pub(crate) implied_by: RefCell<BTreeMap<usize, Implied>>,
    /// The supplied end tag that has become necessary.
    pub(crate) needed: Cell<Option<usize>>,
}

impl Marks {
    /// The bytes of the page that were changed into these, which end at a place.
    pub(crate) fn restore(&self, changed: &[u8], end: usize) -> Vec<u8> {
        let start = end - changed.len().min(end);
        let mut bytes = Vec::with_capacity(changed.len());
        let mut copied = start;
        let hidden = self.hidden.borrow();
        let mut marks: Vec<(usize, usize, &str)> = self
            .supplied
            .borrow()
            .iter()
            .map(|(at, length)| (*at, *length, ""))
            .collect();
        marks.extend(
            hidden
                .iter()
                .map(|(at, (length, tag))| (*at, *length, tag.as_str())),
        );
        marks.sort_unstable();
        for (at, length, tag) in marks.into_iter().filter(|(at, _, _)| *at >= start) {
            bytes.extend_from_slice(changed.get(copied - start..at - start).unwrap_or_default());
            bytes.extend_from_slice(tag.as_bytes());
            copied = at + length;
        }
        bytes.extend_from_slice(changed.get(copied - start..).unwrap_or_default());
        bytes
    }
}
