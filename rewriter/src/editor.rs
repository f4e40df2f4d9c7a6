//! A visitor's edits, one after the other through the page; the page's bytes go out around them.

use crate::edit::{OwnedEdit, finish};
use crate::element::{EditedElement, EditedEnd, Rest};
use crate::walk::{Bytes, End, Implied, Start};
use std::ops::Range;

/// Where a page goes, with what is put into it.
pub(crate) trait Output {
    /// A part of the page as it is.
    fn keep(&mut self, page: Bytes<'_>, range: Range<usize>);
    /// What is put in.
    fn put(&mut self, bytes: Vec<u8>);
}

pub(crate) struct Editor<O> {
    pub(crate) output: O,
    /// All of the page before this byte is done.
    at: usize,
    /// How many of the open elements lose their content.
    losing: usize,
    /// What the open elements have left for their ends, the innermost last.
    open: Vec<Rest>,
    /// Which of the page's starts and ends has lost the last of the end tags that it makes unnecessary.
    unimplied: usize,
}

impl<O: Output> Editor<O> {
    pub(crate) fn new(output: O) -> Self {
        Self {
            output,
            at: 0,
            losing: 0,
            open: Vec::new(),
            unimplied: usize::MAX,
        }
    }

    /// Makes the edits of an element; `before` is put before it.
    pub(crate) fn start<'e>(
        &mut self,
        page: Bytes<'_>,
        start: &Start<'_>,
        edits: impl Iterator<Item = &'e OwnedEdit>,
        before: Option<&str>,
    ) {
        let implied = self.implied(start.order, &start.implied);
        let tag = page.get(start.tag.clone());
        let mut element = EditedElement::new(start, implied, tag, self.losing > 0);
        for edit in edits {
            edit.apply(&mut element);
        }
        if let Some(html) = before {
            element.before(html);
        }
        let mut output = Vec::new();
        let rest = element.finish(&mut output);
        // What stays as it is goes out with what is around it, if that does.
        if output != tag || rest.loses_content {
            self.write(page, start.tag.clone(), output);
        }
        self.losing += usize::from(rest.loses_content);
        if start.has_content {
            self.open.push(rest);
        }
    }

    /// Makes what the edits have left for the end of the last open element; `before` is put before that.
    pub(crate) fn end(&mut self, page: Bytes<'_>, end: &End, before: Option<&str>) {
        let Some(rest) = self.open.pop() else { return };
        let tag = page.get(end.tag.clone());
        let mut edited = EditedEnd::new(end, self.implied(end.order, &end.implied), tag, rest.changes);
        for action in rest.actions {
            finish(action, &mut edited);
        }
        if let Some(html) = before {
            edited.before(html);
        }
        if end.supplied.is_some() && edited.is_removed() {
            // The element is not there any more, so nothing has to end it.
            self.unimplied = end.order + 1;
        }
        if rest.loses_content {
            self.losing -= 1;
            if self.losing == 0 {
                self.at = end.tag.start;
            }
        }
        let mut output = Vec::new();
        edited.finish(&mut output);
        if output != tag {
            self.write(page, end.tag.clone(), output);
        }
    }

    /// Whether what comes is left out.
    pub(crate) const fn loses_content(&self) -> bool {
        self.losing > 0
    }

    /// Gives out the page up to a place.
    pub(crate) fn pass(&mut self, page: Bytes<'_>, until: usize) {
        if self.losing == 0 && self.at < until {
            self.output.keep(page, self.at..until);
        }
        self.at = self.at.max(until);
    }

    /// The end tags that a tag makes unnecessary, with what edits have made of the one before it.
    fn implied(&self, order: usize, implied: &Implied) -> Implied {
        let mut implied = implied.clone();
        if self.unimplied == order {
            implied.names.pop();
        }
        implied
    }

    /// Writes what stands in the place of a tag, and before it what is as it was.
    fn write(&mut self, page: Bytes<'_>, tag: Range<usize>, output: Vec<u8>) {
        self.pass(page, tag.start);
        if self.losing == 0 && !output.is_empty() {
            self.output.put(output);
        }
        self.at = tag.end;
    }
}
