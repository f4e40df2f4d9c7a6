//! A visitor's edits, one after the other through the page.

use super::{Inject, Outline, Piece};
use crate::edit::OwnedEdit;
use crate::editor::{Editor, Output};
use crate::encode::Spelling;
use crate::head::HeadEdits;
use crate::walk::Bytes;
use std::ops::Range;

impl Output for Vec<Piece> {
    fn keep(&mut self, _: Bytes<'_>, range: Range<usize>) {
        self.push(Piece::Page(range));
    }

    fn put(&mut self, bytes: Vec<u8>) {
        self.push(Piece::New(bytes));
    }
}

/// The pieces of a visitor's page. Each edit comes with the place of its selector.
pub(super) fn splice(
    page: &[u8],
    outline: &Outline,
    edits: &[(usize, OwnedEdit)],
    head: &HeadEdits,
    inject: Option<&str>,
) -> Vec<Piece> {
    let page = Bytes {
        start: 0,
        bytes: page,
    };
    let touched = touched(outline, edits, inject.is_some() || !head.is_empty());
    let addition = |spelling: Spelling| head.addition(spelling) + inject.unwrap_or_default();
    let mut editor = Editor::new(Vec::with_capacity(4 * touched.len() + 2));
    // The ends of the elements that are open, the innermost last, and which of them is the head's.
    let mut open: Vec<(u32, bool)> = Vec::new();
    let mut next = touched.as_slice();
    loop {
        let start = next
            .first()
            .and_then(|(element, _)| outline.elements.get(*element as usize));
        let end = open
            .last()
            .and_then(|(end, is_head)| Some((outline.ends.get(*end as usize)?, *is_head)));
        match (start, end) {
            (Some(found), end) if end.is_none_or(|(end, _)| found.start.order < end.order) => {
                let Some(((element, _), _)) = next.split_first() else {
                    break;
                };
                let here = next.iter().take_while(|(other, _)| other == element).count();
                let (here, after) = next.split_at(here);
                next = after;
                let before =
                    (outline.inject == Inject::BeforeBody(*element)).then(|| addition(found.start.spelling));
                let edits = here
                    .iter()
                    .filter_map(|(_, edit)| Some(&edits.get(usize::try_from(*edit).ok()?)?.1));
                editor.start(page, &found.start, edits, before.as_deref());
                if found.start.has_content {
                    let is_head = outline.inject == Inject::InHead(*element);
                    open.push((found.end.unwrap_or(u32::MAX), is_head));
                }
            }
            (_, Some((end, is_head))) => {
                open.pop();
                let before = is_head.then(|| addition(end.spelling));
                editor.end(page, end, before.as_deref());
            }
            _ => break,
        }
    }
    editor.pass(page, page.bytes.len());
    let mut pieces = editor.output;
    if let (Some(html), Inject::AtEnd) = (inject, outline.inject) {
        pieces.push(Piece::New(html.as_bytes().to_vec()));
    }
    pieces
}

/// No edit: the element is looked at for the head's addition.
const NO_EDIT: u32 = u32::MAX;

/// The elements that are edited, in the page's order, each with its edits in the order in which they were given.
fn touched(outline: &Outline, edits: &[(usize, OwnedEdit)], adds_to_head: bool) -> Vec<(u32, u32)> {
    let mut touched = Vec::new();
    for (place, (selector, _)) in edits.iter().enumerate() {
        let found = outline.matches.get(*selector).into_iter().flatten();
        touched.extend(found.map(|element| (*element, place as u32)));
    }
    if let (true, Inject::InHead(element) | Inject::BeforeBody(element)) = (adds_to_head, outline.inject) {
        touched.push((element, NO_EDIT));
    }
    sort(&mut touched);
    touched
}

/// Sorts what is mostly short. The standard library's way, built for size as it is for the edge, takes several times as
/// long.
fn sort(touched: &mut [(u32, u32)]) {
    const SHORT: usize = 100;
    if touched.len() > SHORT {
        touched.sort_unstable();
        return;
    }
    for end in 1..touched.len() {
        let mut at = end;
        while at > 0 && touched.get(at) < touched.get(at - 1) {
            touched.swap(at, at - 1);
            at -= 1;
        }
    }
}
