//! Whether a page is a document, or a fragment that some script fetches.

use crate::page::UTF_8_MARK;
use crate::scanner::{Scanner, Token};
use std::cell::Cell;
use std::rc::Rc;

/// The most bytes before a document type that are read.
const MAX_LENGTH: usize = 64 * 1024;

/// Reads the beginning of a page up to its document type, before which white space and comments can stand. The parser could
/// tell of it, too, but would have to read the whole page more thoroughly than edits need.
pub(crate) struct Prologue {
    scanner: Scanner,
    waiting: Vec<u8>,
    is_over: bool,
    is_document: Rc<Cell<bool>>,
}

impl Prologue {
    pub(crate) fn new(is_document: Rc<Cell<bool>>) -> Self {
        Self {
            scanner: Scanner::new(),
            waiting: Vec::new(),
            is_over: false,
            is_document,
        }
    }

    /// Takes note of the next bytes of the page. The first ones have the whole byte order mark, if there is one.
    pub(crate) fn read(&mut self, chunk: &[u8]) {
        if self.is_over {
            return;
        }
        let end = chunk.len().min(MAX_LENGTH.saturating_sub(self.waiting.len()));
        self.is_over = end < chunk.len();
        self.waiting
            .extend_from_slice(chunk.get(..end).unwrap_or_default());
        let mut at = 0;
        while let Some((length, token)) =
            self.scanner
                .next(self.waiting.get(at..).unwrap_or_default(), false, false)
        {
            let written = self.waiting.get(at..at + length).unwrap_or_default();
            let is_nothing = written
                .strip_prefix(UTF_8_MARK)
                .unwrap_or(written)
                .trim_ascii()
                .is_empty();
            match token {
                Token::Doctype => self.is_document.set(true),
                Token::Comment { .. } | Token::Nothing => {}
                Token::Text if is_nothing => {}
                Token::Text | Token::StartTag { .. } | Token::EndTag { .. } => self.is_over = true,
            }
            if self.is_over || self.is_document.get() {
                self.is_over = true;
                break;
            }
            at += length;
        }
        match self.is_over {
            true => self.waiting = Vec::new(),
            false => drop(self.waiting.drain(..at)),
        }
    }
}

/// Whether a whole page is a document.
pub(crate) fn is_document(page: &[u8]) -> bool {
    let is_document = Rc::new(Cell::new(false));
    Prologue::new(Rc::clone(&is_document)).read(page);
    is_document.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_begins_with_its_type() {
        for (page, expected) in [
            ("<!doctype html>", true),
            (
                "\u{feff} <!-- a > b -->\n<?xml version='1.0'?></>\n<!DOCTYPE html><p>",
                true,
            ),
            ("<p><!doctype html>", false),
            ("a<!doctype html>", false),
            ("<!doctype html", false),
            ("<!-- <!doctype html>", false),
            ("", false),
        ] {
            assert_eq!(is_document(page.as_bytes()), expected, "{page}");
            let found = Rc::new(Cell::new(false));
            let mut prologue = Prologue::new(Rc::clone(&found));
            let (first, rest) = page.as_bytes().split_at(page.len().min(3));
            prologue.read(first);
            rest.chunks(1).for_each(|chunk| prologue.read(chunk));
            assert_eq!(found.get(), expected, "{page}");
        }
    }

    #[test]
    fn a_long_comment_is_not_kept() {
        let found = Rc::new(Cell::new(false));
        let mut prologue = Prologue::new(Rc::clone(&found));
        prologue.read(b"<!--");
        for _ in 0..100 {
            prologue.read(&[b'x'; 1000]);
        }
        prologue.read(b"--><!doctype html>");
        assert!(!found.get() && prologue.waiting.is_empty());
    }
}
