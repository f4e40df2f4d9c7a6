//! The way through a page that finds the elements which edits can touch.

use super::{Found, Inject, Outline};
use crate::declared_policies;
use crate::names::Name;
use crate::page::{RewriteError, Settings};
use crate::selector::Selector;
use crate::walk::{Bytes, End, Start, Visitor, Walk};
use std::rc::Rc;

/// A page in which more elements can be touched streams: what a plan remembers is bounded, whatever the page is.
const MAX_ELEMENTS: usize = 20_000;

const BODY: Name = Name::known("body");
const HEAD: Name = Name::known("head");
const META: Name = Name::known("meta");

/// Finds in a page what selectors match.
pub(super) fn record(
    page: &[u8],
    selectors: Vec<Rc<Selector>>,
    settings: Settings<'_>,
) -> Result<Outline, RewriteError> {
    let mut recorder = Recorder {
        outline: Outline {
            matches: vec![Vec::new(); selectors.len()],
            ..Outline::default()
        },
        awaited: Vec::new(),
        refuses_policies: settings.fit.is_some(),
        max_page: settings.max_page,
    };
    let mut walk = Walk::new(&settings, selectors)?;
    walk.write(page, &mut recorder)?;
    walk.end(&mut recorder)?;
    let mut outline = recorder.outline;
    if outline.inject == Inject::Nowhere && walk.has_doctype() {
        outline.inject = Inject::AtEnd;
    }
    Ok(outline)
}

struct Recorder {
    outline: Outline,
    /// For each open element its place among the outline's.
    awaited: Vec<u32>,
    /// Whether what is put into the head has to fit policies of the page.
    refuses_policies: bool,
    max_page: usize,
}

impl Visitor for Recorder {
    fn looks_at(&self, name: &Name) -> bool {
        self.outline.inject == Inject::Nowhere
            && (*name == HEAD || *name == BODY || (*name == META && self.refuses_policies))
    }

    fn start(&mut self, page: Bytes<'_>, start: Start<'_>) -> Result<bool, RewriteError> {
        let outline = &mut self.outline;
        let place = outline.elements.len();
        if place >= MAX_ELEMENTS {
            return Err(RewriteError::Memory);
        }
        if !start.matches.is_empty() && start.tag.start >= self.max_page {
            return Err(RewriteError::Length);
        }
        let is_open = outline.inject == Inject::Nowhere;
        if is_open
            && self.refuses_policies
            && start.name == META
            && declared_policies::has_nonce(page.get(start.tag.clone()))
        {
            return Err(RewriteError::Policy);
        }
        let place = place as u32;
        if is_open && start.name == BODY {
            outline.inject = Inject::BeforeBody(place);
        }
        for selector in start.matches {
            if let Some(matches) = outline.matches.get_mut(*selector as usize) {
                matches.push(place);
            }
        }
        let has_end = start.has_content;
        let start = Start {
            matches: &[],
            ..start
        };
        outline.elements.push(Found { start, end: None });
        if has_end {
            self.awaited.push(place);
        }
        Ok(has_end)
    }

    fn end(&mut self, _: Bytes<'_>, end: End) {
        let Some(place) = self.awaited.pop() else { return };
        let outline = &mut self.outline;
        let number = outline.ends.len() as u32;
        outline.ends.push(end);
        if let Some(element) = outline.elements.get_mut(place as usize) {
            element.end = Some(number);
            if outline.inject == Inject::Nowhere && element.start.name == HEAD {
                outline.inject = Inject::InHead(place);
            }
        }
    }

    fn pass(&mut self, _: Bytes<'_>, _: usize) {}
}
