//! A visitor's edits, one after the other through the page.

use super::element::{Edited, EditedEnd, Rest};
use super::{Found, FoundEnd, Inject, Outline, Piece};
use crate::edit::OwnedEdit;
use crate::head::HeadEdits;
use crate::marks::{Implied, Marks};
use crate::target::{End, Target};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The pieces of a visitor's page. Each edit comes with the place of its selector.
pub(super) fn splice(
    page: &[u8],
    outline: &Outline,
    edits: &[(usize, OwnedEdit)],
    head: &Rc<HeadEdits>,
    inject: Option<&str>,
) -> Vec<Piece> {
    let touched = touched(outline, edits, inject.is_some() || !head.is_empty());
    let mut way = Way {
        page,
        outline,
        head: Rc::clone(head),
        pieces: Vec::new(),
        at: 0,
        losing: 0,
        marks: Rc::default(),
        waiting: BTreeMap::new(),
    };
    let mut next = touched.into_iter().peekable();
    loop {
        let start = next
            .peek()
            .and_then(|(element, _)| outline.elements.get(*element as usize));
        let end = way
            .waiting
            .first_key_value()
            .and_then(|(end, _)| outline.ends.get(*end as usize));
        match (start, end) {
            (Some(start), end) if end.is_none_or(|end| start.place < end.place) => {
                let Some((element, edits_here)) = next.next() else {
                    break;
                };
                way.start(
                    element,
                    start,
                    edits_here.iter().filter_map(|edit| Some(&edits.get(*edit)?.1)),
                    inject,
                );
            }
            (_, Some(end)) => way.end(end),
            _ => break,
        }
    }
    way.finish(inject.filter(|_| outline.inject == Inject::AtEnd))
}

/// The elements that are edited, in the page's order, each with its edits in the order in which they were given.
fn touched(outline: &Outline, edits: &[(usize, OwnedEdit)], injects: bool) -> BTreeMap<u32, Vec<usize>> {
    let mut touched: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, (selector, _)) in edits.iter().enumerate() {
        for element in outline.matches.get(*selector).into_iter().flatten() {
            touched.entry(*element).or_default().push(place);
        }
    }
    if let (true, Inject::InHead(element) | Inject::BeforeBody(element)) = (injects, outline.inject) {
        touched.entry(element).or_default();
    }
    touched
}

struct Way<'p> {
    page: &'p [u8],
    outline: &'p Outline,
    head: Rc<HeadEdits>,
    pieces: Vec<Piece>,
    /// All of the page before this byte is done.
    at: usize,
    /// How many of the open elements lose their content.
    losing: usize,
    marks: Rc<Marks>,
    /// The ends that come, each with what its elements have left for it, the innermost last.
    waiting: BTreeMap<u32, Vec<Rest>>,
}

impl<'p> Way<'p> {
    fn start<'e>(
        &mut self,
        place: u32,
        found: &'p Found,
        edits: impl Iterator<Item = &'e OwnedEdit>,
        inject: Option<&str>,
    ) {
        self.imply(found.place, &found.implied);
        let mut element = Edited::new(found, self.page, self.losing > 0);
        for edit in edits {
            edit.apply(&mut element, found.is_foreign, &self.marks, found.spelling);
        }
        self.add_to_head(place, found, &mut element);
        if let Some(html) = inject {
            if self.outline.inject == Inject::BeforeBody(place) {
                element.before(html);
            } else if self.outline.inject == Inject::InHead(place) {
                let html = html.to_owned();
                let _ = element.at_end(Box::new(move |end: &mut dyn End| end.before(&html)));
            }
        }
        self.marks.implied_by.borrow_mut().remove(&found.place);
        let mut output = Vec::new();
        let rest = element.finish(&mut output);
        self.pass(found.tag.start, found.tag.end, output);
        self.losing += usize::from(rest.loses_content);
        if let Some(end) = found.end {
            self.waiting.entry(end).or_default().push(rest);
        }
    }

    /// Sees to it that the head gets what it has not; see `crate::head`.
    fn add_to_head(&self, place: u32, found: &Found, element: &mut Edited<'_>) {
        if self.head.is_empty() {
            return;
        }
        if self.outline.inject == Inject::BeforeBody(place) {
            element.before(&self.head.addition(found.spelling));
        } else if self.outline.inject == Inject::InHead(place) {
            let end = found.end.and_then(|end| self.outline.ends.get(end as usize));
            let spelling = end.map_or(found.spelling, |end| end.spelling);
            let head = Rc::clone(&self.head);
            let _ = element.at_end(Box::new(move |end: &mut dyn End| {
                end.before(&head.addition(spelling));
            }));
        }
    }

    fn end(&mut self, found: &'p FoundEnd) {
        let Some((_, elements)) = self.waiting.pop_first() else {
            return;
        };
        self.imply(found.place, &found.implied);
        let written = self.page.get(found.tag.clone()).unwrap_or_default();
        let mut end = EditedEnd::new(found.place, found.supplied.as_deref().unwrap_or(written));
        let was_losing = self.losing > 0;
        let mut is_supplied = found.supplied.is_some();
        for rest in elements.into_iter().rev() {
            self.losing -= usize::from(rest.loses_content);
            if let Some(changes) = rest.changes {
                end.take(changes);
            }
            for action in rest.actions {
                action(&mut end);
            }
            self.marks.implied_by.borrow_mut().remove(&found.place);
            if std::mem::take(&mut is_supplied) {
                self.end_supplied(&mut end, found);
            }
        }
        if was_losing && self.losing == 0 {
            self.at = found.tag.start;
        }
        let mut output = Vec::new();
        end.finish(&mut output);
        self.pass(found.tag.start, found.tag.end, output);
    }

    /// Tells the edits which end tags the tag at a place makes unnecessary, unless an edit has changed that.
    fn imply(&self, place: usize, implied: &Implied) {
        if !implied.names.is_empty() {
            let mut known = self.marks.implied_by.borrow_mut();
            known.entry(place).or_insert_with(|| implied.clone());
        }
    }

    /// Takes back an end tag that is not in the page, unless an edit needs it; see `crate::pipeline`.
    fn end_supplied(&self, end: &mut EditedEnd<'_>, found: &FoundEnd) {
        if end.is_removed() {
            // The element is not there any more, so nothing has to end it.
            self.unimply(found.until);
        }
        if self.marks.needed.take() != Some(found.place) {
            end.remove();
        }
    }

    /// Takes away the last of the end tags that the tag at a place makes unnecessary.
    fn unimply(&self, place: usize) {
        let elements = &self.outline.elements;
        let element = elements
            .binary_search_by_key(&place, |element| element.place)
            .ok();
        let element = element
            .and_then(|at| elements.get(at))
            .map(|element| &element.implied);
        let ends = &self.outline.ends;
        let end = ends.binary_search_by_key(&place, |end| end.place).ok();
        let end = end.and_then(|at| ends.get(at)).map(|end| &end.implied);
        if let Some(implied) = element.or(end) {
            let mut known = self.marks.implied_by.borrow_mut();
            known.entry(place).or_insert_with(|| implied.clone()).names.pop();
        }
    }

    /// Writes what stands in the place of a part of the page, and before it what is as it was.
    fn pass(&mut self, start: usize, end: usize, output: Vec<u8>) {
        if self.losing == 0 {
            self.keep_until(start);
            if !output.is_empty() {
                self.pieces.push(Piece::New(output));
            }
        }
        self.at = end;
    }

    fn keep_until(&mut self, end: usize) {
        if self.at < end {
            self.pieces.push(Piece::Page(self.at..end));
        }
    }

    fn finish(mut self, inject: Option<&str>) -> Vec<Piece> {
        if self.losing == 0 {
            self.keep_until(self.page.len());
        }
        if let Some(html) = inject {
            self.pieces.push(Piece::New(html.as_bytes().to_vec()));
        }
        self.pieces
    }
}
