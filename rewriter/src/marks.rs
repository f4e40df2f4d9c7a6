//! What the splicer tells the handlers of edits, and how what it changed is taken back.

use crate::names::Name;
use crate::search::find;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// End tags that a tag makes unnecessary.
#[derive(Clone, Debug, Default)]
pub(crate) struct Implied {
    pub(crate) names: Vec<String>,
    /// Whether they end other elements, too. Another tag in their place might not reach beyond those.
    pub(crate) end_others: bool,
}

/// What was changed in the bytes that the parser gets, by the places in these bytes.
#[derive(Default)]
pub(crate) struct Marks {
    /// End tags that are not in the page, and their lengths.
    pub(crate) supplied: RefCell<BTreeMap<usize, usize>>,
    /// Comments that stand for end tags that the browser ignores, and end tags that have got the name of the element that
    /// they end: their lengths, and those of the end tags.
    pub(crate) hidden: RefCell<BTreeMap<usize, (usize, usize)>>,
    /// End tags that the tag at a place makes unnecessary.
    pub(crate) implied_by: RefCell<BTreeMap<usize, Implied>>,
    /// The supplied end tag that has become necessary.
    pub(crate) needed: Cell<Option<usize>>,
}

impl Marks {
    /// Forgets what is before a place, which the parser has passed.
    pub(crate) fn forget_before(&self, place: usize) {
        fn keep_from<T>(map: &RefCell<BTreeMap<usize, T>>, place: usize) {
            let mut map = map.borrow_mut();
            while map.first_key_value().is_some_and(|(first, _)| *first < place) {
                map.pop_first();
            }
        }
        keep_from(&self.supplied, place);
        keep_from(&self.hidden, place);
        keep_from(&self.implied_by, place);
    }
}

/// Whatever is changed in the page on its way through the parser bears this in it, so that it is found and taken back
/// wherever it leaves.
///
/// It begins with a control character, which is rare in pages.
pub(crate) struct Signature {
    text: String,
}

/// Before an end tag that is hidden in a comment.
const COMMENT: &[u8] = b"<!--";
const COMMENT_END: &[u8] = b"-->";

impl Signature {
    /// By a number that nobody knows who could write it into a page: what bears the signature vanishes.
    pub(crate) fn new(secret: u64) -> Self {
        Self {
            text: format!("\u{1f}nearside-{secret:016x}-"),
        }
    }

    /// An end tag that is not in the page.
    pub(crate) fn supplied(&self, name: &Name) -> Vec<u8> {
        [b"</", name.bytes(), b" ", self.text.as_bytes(), b">"].concat()
    }

    /// An end tag by another name; `written` is that of the page, without what is around it.
    pub(crate) fn renamed(&self, name: &Name, written: &[u8]) -> Vec<u8> {
        [b"</", name.bytes(), b" ", self.text.as_bytes(), written, b">"].concat()
    }

    /// A comment in the place of an end tag.
    pub(crate) fn hidden(&self, tag: &[u8]) -> Vec<u8> {
        [COMMENT, self.text.as_bytes(), tag, COMMENT_END].concat()
    }

    /// The bytes as they are without what was changed.
    pub(crate) fn take_back(&self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(first) = find(&bytes, self.text.as_bytes()) else {
            return bytes;
        };
        let mut restored = Vec::with_capacity(bytes.len());
        let (mut copied, mut found) = (0, Some(first));
        while let Some(place) = found {
            let after = place + self.text.len();
            let before = bytes.get(copied..place).unwrap_or_default();
            let rest = bytes.get(after..).unwrap_or_default();
            let is_comment = before.ends_with(COMMENT);
            // A name has no `/` in it, though it may have `<`.
            let start = match is_comment {
                true => before.len() - COMMENT.len(),
                false => before
                    .windows(2)
                    .rposition(|pair| pair == b"</")
                    .unwrap_or(before.len()),
            };
            restored.extend_from_slice(before.get(..start).unwrap_or_default());
            let end = match is_comment {
                true => find(rest, COMMENT_END),
                false => memchr::memchr(b'>', rest),
            };
            let original = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            match original {
                b"" => {}
                tag if is_comment => restored.extend_from_slice(tag),
                name => restored.extend([b"</", name, b">"].concat()),
            }
            let length = if is_comment { COMMENT_END.len() } else { 1 };
            copied = (after + original.len() + length).min(bytes.len());
            found = find(bytes.get(copied..).unwrap_or_default(), self.text.as_bytes())
                .map(|place| copied + place);
        }
        restored.extend_from_slice(bytes.get(copied..).unwrap_or_default());
        restored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_taken_back() {
        let signature = Signature::new(7);
        let (p, h2) = (Name::known("p"), Name::known("h2"));
        let changed = [
            b"<p>a".to_vec(),
            signature.supplied(&p),
            b"<h2>b".to_vec(),
            signature.renamed(&h2, b"H3"),
            signature.hidden(b"</b x>"),
            signature.supplied(&Name::read(b"x-\xe9<!--")),
            b"c".to_vec(),
        ];
        assert_eq!(signature.take_back(changed.concat()), b"<p>a<h2>b</H3></b x>c");
    }

    #[test]
    fn another_signature_is_a_part_of_the_page() {
        let page = Signature::new(7).supplied(&Name::known("p"));
        assert_eq!(Signature::new(8).take_back(page.clone()), page);
    }

    #[test]
    fn what_is_passed_is_forgotten() {
        let marks = Marks::default();
        marks.supplied.borrow_mut().extend([(1, 4), (5, 4), (9, 4)]);
        marks.forget_before(5);
        assert_eq!(marks.supplied.borrow().len(), 2);
    }
}
