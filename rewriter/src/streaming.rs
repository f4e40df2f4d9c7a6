//! A visitor's page while it streams: the edits are made where their elements come.

use crate::declared_policies::{DeclaredPolicies, Fit};
use crate::edit::OwnedEdit;
use crate::editor::{Editor, Output};
use crate::encode::Spelling;
use crate::head::HeadEdits;
use crate::names::Name;
use crate::page::{RewriteError, Settings};
use crate::walk::{Bytes, End, Start, Visitor};
use std::mem;
use std::ops::Range;

/// How many bytes edits put in, mostly.
const ROOM: usize = 512;

const BODY: Name = Name::known("body");
const HEAD: Name = Name::known("head");
const META: Name = Name::known("meta");

pub(crate) struct Streaming {
    editor: Editor<Vec<u8>>,
    edits: Vec<OwnedEdit>,
    /// For each selector its edits' places.
    of_selector: Vec<Vec<usize>>,
    /// Which edits an element gets; kept for its memory.
    wanted: Vec<usize>,
    /// What edits add to the head, and what is put in besides: at the end of the head; where that has no end tag, before
    /// the body; and in a document with neither, at its end.
    head: HeadEdits,
    inject: Option<String>,
    is_added: bool,
    policies: Option<(DeclaredPolicies, Fit)>,
    /// For each open element whose end is awaited, whether it is a head.
    awaited: Vec<bool>,
    max_page: usize,
    left_edits: usize,
}

impl Output for Vec<u8> {
    fn keep(&mut self, page: Bytes<'_>, range: Range<usize>) {
        self.extend_from_slice(page.get(range));
    }

    fn put(&mut self, bytes: Vec<u8>) {
        self.extend_from_slice(&bytes);
    }
}

impl Streaming {
    /// Each edit comes with the place of its selector.
    pub(crate) fn new(edits: Vec<(usize, OwnedEdit)>, settings: &Settings<'_>) -> Self {
        let mut of_selector: Vec<Vec<usize>> = Vec::new();
        let mut all = Vec::with_capacity(edits.len());
        for (place, (selector, edit)) in edits.into_iter().enumerate() {
            if of_selector.len() <= selector {
                of_selector.resize_with(selector + 1, Vec::new);
            }
            if let Some(places) = of_selector.get_mut(selector) {
                places.push(place);
            }
            all.push(edit);
        }
        let head = HeadEdits::new(all.iter_mut());
        Self {
            editor: Editor::new(Vec::new()),
            of_selector,
            wanted: Vec::new(),
            is_added: head.is_empty() && settings.inject.is_none(),
            head,
            edits: all,
            inject: settings.inject.map(str::to_owned),
            policies: settings.fit.map(|fit| (DeclaredPolicies::default(), fit)),
            awaited: Vec::new(),
            max_page: settings.max_page,
            left_edits: settings.max_edits,
        }
    }

    /// Makes room for what will leave, and for what is put in.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        let put_in = self.inject.as_ref().map_or(0, String::len) + ROOM;
        self.editor.output.reserve(bytes + put_in);
    }

    /// What can leave.
    pub(crate) fn output(&mut self) -> Vec<u8> {
        mem::take(&mut self.editor.output)
    }

    /// Whether what comes is left out.
    pub(crate) const fn loses_content(&self) -> bool {
        self.editor.loses_content()
    }

    /// What comes after the last byte of a document.
    pub(crate) fn last(&mut self) -> String {
        match mem::replace(&mut self.is_added, true) {
            true => String::new(),
            false => self.injection(),
        }
    }

    /// What is added to the head, once.
    fn addition(&mut self, spelling: Spelling) -> Option<String> {
        if mem::replace(&mut self.is_added, true) {
            return None;
        }
        let head = self.head.addition(spelling);
        Some(head + &self.injection())
    }

    fn injection(&mut self) -> String {
        let html = self.inject.take().unwrap_or_default();
        let fitted = self
            .policies
            .as_ref()
            .and_then(|(policies, fit)| policies.fitted(&html, *fit));
        fitted.unwrap_or(html)
    }
}

impl Visitor for Streaming {
    /// Where nothing is left to do, the rest of the page can pass.
    fn is_done(&self) -> bool {
        self.is_added && self.edits.is_empty()
    }

    fn looks_at(&self, name: &Name) -> bool {
        !self.is_added && (*name == HEAD || *name == BODY || (*name == META && self.policies.is_some()))
    }

    fn start(&mut self, page: Bytes<'_>, start: Start<'_>) -> Result<bool, RewriteError> {
        if let Some((policies, _)) = &mut self.policies
            && !self.is_added
            && start.name == META
        {
            policies.note(page.get(start.tag.clone()));
        }
        let mut wanted = mem::take(&mut self.wanted);
        wanted.clear();
        for selector in start.matches {
            wanted.extend(self.of_selector.get(*selector as usize).into_iter().flatten());
        }
        if !wanted.is_empty() {
            if start.tag.start >= self.max_page {
                return Err(RewriteError::Length);
            }
            self.left_edits = self
                .left_edits
                .checked_sub(wanted.len())
                .ok_or(RewriteError::Edits)?;
        }
        // Edits are made in their order, whichever selectors they have.
        wanted.sort_unstable();
        let is_head = start.name == HEAD && start.has_content;
        let before = match start.name == BODY {
            true => self.addition(start.spelling),
            false => None,
        };
        let edits = wanted.iter().filter_map(|place| self.edits.get(*place));
        self.editor.start(page, &start, edits, before.as_deref());
        self.wanted = wanted;
        if start.has_content {
            self.awaited.push(is_head);
        }
        Ok(start.has_content)
    }

    fn end(&mut self, page: Bytes<'_>, end: End) {
        let before = match self.awaited.pop() {
            Some(true) => self.addition(end.spelling),
            _ => None,
        };
        self.editor.end(page, &end, before.as_deref());
    }

    fn pass(&mut self, page: Bytes<'_>, until: usize) {
        self.editor.pass(page, until);
    }
}
