//! A page that is parsed once and then spliced for each visitor.
//!
//! A [`PagePlan`] knows where in a page the elements are that a program's mutations can touch. A visitor's page
//! is then a list of pieces: ranges of the page, and what is put between them. It is, byte for byte, what
//! [`PageRewriter`](crate::PageRewriter) makes of the same page and edits; what takes a parser is done once.
//!
//! - `record`: the way through the page that finds the elements;
//! - `splice`: a visitor's edits, one after the other through the page.

mod record;
mod splice;

use crate::edit::OwnedEdit;
use crate::head::HeadEdits;
use crate::host::needs_document;
use crate::host::streams;
use crate::page::{MAX_EDITS, RewriteError, Settings};
use crate::walk::{End, Start};
use nearside_engine::mutation::Edit;
use std::collections::HashMap;
use std::ops::Range;

/// Where the elements of a page are that edits can touch.
#[derive(Debug)]
pub struct PagePlan {
    /// The places of the selectors; of those that cannot be matched while a page streams, none.
    selectors: HashMap<Box<str>, Option<usize>>,
    outline: Outline,
    length: usize,
}

/// A part of a visitor's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes of the page.
    Page(Range<usize>),
    /// What is put in.
    New(Vec<u8>),
}

/// What was found on the way through a page.
#[derive(Debug, Default)]
struct Outline {
    /// In the order of their start tags.
    elements: Vec<Found>,
    /// In the page's order.
    ends: Vec<End>,
    /// For each selector its elements.
    matches: Vec<Vec<u32>>,
    inject: Inject,
}

/// An element that a selector matches, or that the head's addition may go to.
#[derive(Debug)]
struct Found {
    start: Start<'static>,
    /// The place of its end among the outline's.
    end: Option<u32>,
}

/// Where the head's addition goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inject {
    /// Before the end tag of this element.
    InHead(u32),
    /// Before the start tag of this element.
    BeforeBody(u32),
    AtEnd,
    #[default]
    Nowhere,
}

impl PagePlan {
    /// Parses a page for the selectors of all edits that may come.
    ///
    /// # Errors
    /// When the page cannot be rewritten to its end, or has to be read while it streams.
    pub fn new(page: &[u8], selectors: &[&str], settings: Settings<'_>) -> Result<Self, RewriteError> {
        let mut known: HashMap<Box<str>, Option<usize>> = HashMap::new();
        let mut read = Vec::new();
        for selector in selectors {
            if known.contains_key(*selector) {
                continue;
            }
            let place = streams(selector).ok().map(|selector| {
                read.push(selector);
                read.len() - 1
            });
            known.insert((*selector).into(), place);
        }
        Ok(Self {
            selectors: known,
            outline: record::record(page, read, settings)?,
            length: page.len(),
        })
    }

    /// The bytes of memory that the plan takes, about.
    pub fn size(&self) -> usize {
        let selectors: usize = self.selectors.keys().map(|selector| selector.len() + 64).sum();
        selectors + self.outline.size()
    }

    /// A visitor's page; `None` if it has to stream, since the plan does not know enough.
    pub fn splice(&self, page: &[u8], edits: &[Edit<'_>], inject: Option<&str>) -> Option<Vec<Piece>> {
        if page.len() != self.length {
            return None;
        }
        let mut known = Vec::with_capacity(edits.len());
        for edit in edits {
            if let Some(selector) = *self.selectors.get(edit.selector)?
                && needs_document(edit.operation, edit.selector, &edit.content).is_none()
            {
                known.push((selector, OwnedEdit::from(edit)));
            }
        }
        let outline = &self.outline;
        let found = |selector: &usize| outline.matches.get(*selector).map_or(0, Vec::len);
        if known.iter().map(|(selector, _)| found(selector)).sum::<usize>() > MAX_EDITS {
            return None;
        }
        let head = HeadEdits::new(known.iter_mut().map(|(_, edit)| edit));
        Some(splice::splice(page, outline, &known, &head, inject))
    }
}

impl Outline {
    /// The bytes of memory that it takes, about.
    fn size(&self) -> usize {
        let matches: usize = self
            .matches
            .iter()
            .map(|found| found.len() * size_of::<u32>() + 32)
            .sum();
        self.elements.len() * (size_of::<Found>() + 32) + self.ends.len() * (size_of::<End>() + 16) + matches
    }
}

/// The bytes of pieces.
pub fn joined(page: &[u8], pieces: &[Piece]) -> Vec<u8> {
    let length = |piece: &Piece| match piece {
        Piece::Page(range) => range.len(),
        Piece::New(bytes) => bytes.len(),
    };
    let mut bytes = Vec::with_capacity(pieces.iter().map(length).sum());
    for piece in pieces {
        bytes.extend_from_slice(match piece {
            Piece::Page(range) => page.get(range.clone()).unwrap_or_default(),
            Piece::New(bytes) => bytes,
        });
    }
    bytes
}
