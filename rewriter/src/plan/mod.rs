//! A page that is parsed once and then spliced for each visitor.
//!
//! A [`PagePlan`] knows where in a page the elements are that a program's mutations can touch. A visitor's page
//! is then a list of pieces: ranges of the page, and what is put between them. It is, byte for byte, what
//! [`PageRewriter`](crate::PageRewriter) makes of the same page and edits; what takes a parser is done once.
//!
//! - `record`: the parse that finds the elements;
//! - `element`: an element that takes edits as it would while it streams;
//! - `splice`: a visitor's edits, one after the other through the page.

mod element;
mod record;
mod splice;

use crate::edit::OwnedEdit;
use crate::encode::Spelling;
use crate::head::HeadEdits;
use crate::host::{needs_document, supports};
use crate::marks::Implied;
use crate::needs;
use crate::page::{MAX_EDITS, RewriteError, Settings};
use nearside_engine::mutation::Edit;
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// Where the elements of a page are that edits can touch.
#[derive(Debug)]
pub struct PagePlan {
    /// The places of the selectors; of those that cannot be matched while a page streams, none.
    selectors: HashMap<Box<str>, Option<usize>>,
    /// By the page as its author wrote it.
    as_written: Outline,
    /// By the page with all end tags; `None` where the parser cannot tell.
    with_ends: Option<Outline>,
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

/// What one parse of a page has found. All places are in the bytes that were parsed, which have every end tag in
/// one of the two outlines; all ranges are in the page.
#[derive(Debug, Default)]
struct Outline {
    /// In the order of their start tags.
    elements: Vec<Found>,
    /// In the page's order.
    ends: Vec<FoundEnd>,
    /// For each selector its elements.
    matches: Vec<Vec<u32>>,
    inject: Inject,
}

/// An element that a selector matches.
#[derive(Debug)]
struct Found {
    place: usize,
    tag: Range<usize>,
    name: Box<str>,
    attributes: Vec<FoundAttribute>,
    is_self_closing: bool,
    can_have_content: bool,
    is_foreign: bool,
    spelling: Spelling,
    implied: Implied,
    /// The place of its end tag among the outline's.
    end: Option<u32>,
}

/// An attribute as it is written; the ranges are in the tag.
#[derive(Debug)]
struct FoundAttribute {
    name: Range<u32>,
    value: Range<u32>,
    all: Range<u32>,
}

#[derive(Debug)]
struct FoundEnd {
    place: usize,
    /// The place where it ends in the bytes that were parsed.
    until: usize,
    tag: Range<usize>,
    /// The tag, where it is not in the page.
    supplied: Option<Box<[u8]>>,
    implied: Implied,
    spelling: Spelling,
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
    /// When the page cannot be rewritten, or is not in UTF-8: it has to stream.
    pub fn new(page: &[u8], selectors: &[&str], settings: Settings<'_>) -> Result<Self, RewriteError> {
        let mut known: HashMap<Box<str>, Option<usize>> = HashMap::new();
        let mut parsed = Vec::new();
        for selector in selectors {
            if known.contains_key(*selector) {
                continue;
            }
            let known_to_stream = supports(selector).ok().and_then(|()| selector.parse().ok());
            let place = known_to_stream.map(|selector: lol_html::Selector| {
                parsed.push(selector);
                parsed.len() - 1
            });
            known.insert((*selector).into(), place);
        }
        let as_written = record::as_written(page, &parsed, settings)?;
        let with_ends = record::with_ends(page, &parsed, settings).ok();
        Ok(Self {
            selectors: known,
            as_written,
            with_ends,
            length: page.len(),
        })
    }

    /// The bytes of memory that the plan takes, about.
    pub fn size(&self) -> usize {
        let selectors: usize = self.selectors.keys().map(|selector| selector.len() + 64).sum();
        selectors + self.as_written.size() + self.with_ends.as_ref().map_or(0, Outline::size)
    }

    /// A visitor's page; `None` if it has to stream, since the plan does not know enough.
    pub fn splice(&self, page: &[u8], edits: &[Edit<'_>], inject: Option<&str>) -> Option<Vec<Piece>> {
        if page.len() != self.length {
            return None;
        }
        let mut known = Vec::with_capacity(edits.len());
        let mut needs_every_end_tag = false;
        for edit in edits {
            if let Some(selector) = *self.selectors.get(edit.selector)?
                && needs_document(edit.operation, edit.selector, &edit.content).is_none()
            {
                needs_every_end_tag |= needs::every_end_tag(edit);
                known.push((selector, OwnedEdit::from(edit)));
            }
        }
        let outline = match needs_every_end_tag {
            true => self.with_ends.as_ref()?,
            false => &self.as_written,
        };
        let found = |selector: &usize| outline.matches.get(*selector).map_or(0, Vec::len);
        if known.iter().map(|(selector, _)| found(selector)).sum::<usize>() > MAX_EDITS {
            return None;
        }
        let head = HeadEdits::new(known.iter_mut().map(|(_, edit)| edit));
        Some(splice::splice(page, outline, &known, &Rc::new(head), inject))
    }
}

impl Outline {
    /// The bytes of memory that it takes, about.
    fn size(&self) -> usize {
        let attributes: usize = self.elements.iter().map(|found| found.attributes.len()).sum();
        let matches: usize = self
            .matches
            .iter()
            .map(|found| found.len() * size_of::<u32>() + 32)
            .sum();
        self.elements.len() * (size_of::<Found>() + 32)
            + attributes * size_of::<FoundAttribute>()
            + self.ends.len() * (size_of::<FoundEnd>() + 16)
            + matches
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
