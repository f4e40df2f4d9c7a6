//! Supplies the end tags that authors may leave out, for the parser that edits.
//!
//! That parser takes everything up to an element's end tag for its content. So it gets a page in which every
//! end tag is there, and none that the browser ignores. [`Marks`] says which ones, and they leave as they came.

use crate::marks::{Implied, Marks};
use crate::open_elements::{EndTag, Ended, OpenElements, StartTag, Unclear};
use crate::outline::{Outline, Placed, Token, end_tags};
use crate::page::{RewriteError, failure};
use encoding_rs::WINDOWS_1252;
use std::rc::Rc;

/// A comment that stands for an end tag.
const PLACEHOLDER: &[u8] = b"<!---->";

pub(crate) struct Splicer {
    outline: Option<Outline>,
    open: OpenElements,
    marks: Rc<Marks>,
    /// The bytes of the page that were not given on.
    waiting: Vec<u8>,
    /// How many of the waiting bytes are given on by now.
    taken: usize,
    /// The place of the first byte in the page that is not given on.
    start: usize,
    /// The place of the next byte that is given on.
    next: usize,
    /// Whether an element has begun, so that no document type can follow.
    has_begun: bool,
    /// Whether the last token is one that further bytes would go on with.
    is_broken_off: bool,
}

impl Splicer {
    pub(crate) fn new(max_memory: usize, marks: Rc<Marks>) -> Option<Self> {
        Some(Self {
            outline: Some(Outline::new(max_memory)?),
            open: OpenElements::new(),
            marks,
            waiting: Vec::new(),
            taken: 0,
            start: 0,
            next: 0,
            has_begun: false,
            is_broken_off: false,
        })
    }

    /// Takes the next bytes of the page, and adds those that can go on.
    pub(crate) fn write(&mut self, chunk: &[u8], spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        self.waiting.extend_from_slice(chunk);
        let Some(outline) = &mut self.outline else {
            return Ok(());
        };
        let tokens = outline.write(chunk).map_err(|error| failure(&error))?;
        let result = self.take(tokens, spliced);
        self.waiting.drain(..self.taken);
        self.taken = 0;
        result
    }

    /// Takes note of the page's end, and adds what is left.
    pub(crate) fn end(&mut self, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        let Some(outline) = self.outline.take() else {
            return Ok(());
        };
        let tokens = outline.end().map_err(|error| failure(&error))?;
        self.take(tokens, spliced)?;
        let end = self.start + self.left().len();
        self.end_tags_before(end, spliced)?;
        // What is left is no token. What broke off would swallow what comes after it.
        if self.left().is_empty() && !self.is_broken_off {
            let ended = self.open.finish();
            self.supply(&ended, spliced);
        }
        self.give(end, spliced);
        Ok(())
    }

    /// The place of the next byte that is given on.
    pub(crate) const fn given(&self) -> usize {
        self.next
    }

    /// The bytes of the page that were not given on.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        self.waiting.drain(..self.taken);
        self.taken = 0;
        std::mem::take(&mut self.waiting)
    }

    fn left(&self) -> &[u8] {
        self.waiting.get(self.taken..).unwrap_or_default()
    }

    fn take(&mut self, tokens: Vec<Placed>, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        for (place, token) in tokens {
            self.end_tags_before(place.start, spliced)?;
            let bytes = self.left().get(..place.len()).unwrap_or_default();
            let blank = bytes.len() - bytes.trim_ascii_start().len();
            self.is_broken_off = match token {
                Token::Comment if bytes.starts_with(b"<!--") => {
                    !(bytes.ends_with(b"-->") || bytes.ends_with(b"--!>"))
                }
                Token::Comment | Token::Doctype { .. } => !bytes.ends_with(b">"),
                // A text's end may be told by itself.
                Token::Text { .. } if bytes.is_empty() => self.is_broken_off,
                Token::Text { .. } => bytes.ends_with(b"</"),
                Token::StartTag { .. } => false,
            };
            match token {
                Token::Doctype { is_quirky } => {
                    if !self.has_begun {
                        self.open.is_quirky = is_quirky;
                    }
                }
                Token::StartTag {
                    name,
                    is_foreign,
                    has_content,
                } => {
                    self.has_begun = true;
                    let tag = StartTag {
                        name: &name,
                        is_foreign,
                        has_content,
                    };
                    let ended = self.open.start(&tag).map_err(unclear)?;
                    self.supply(&ended, spliced);
                    self.note(&ended.outermost, ended.names.len() > ended.outermost.len());
                }
                Token::Text { is_blank: false } => {
                    // The white space that it begins with ends nothing, whether it comes with the rest or before it.
                    self.give(place.start + blank, spliced);
                    let ended = self.open.text();
                    self.supply(&ended, spliced);
                }
                Token::Text { is_blank: true } | Token::Comment => {}
            }
            self.give(place.end, spliced);
        }
        Ok(())
    }

    /// Gives on the end tags before a place.
    fn end_tags_before(&mut self, place: usize, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        let length = place.saturating_sub(self.start);
        let tags = end_tags(self.left().get(..length).unwrap_or_default());
        let start = self.start;
        for (within, name) in tags {
            self.is_broken_off = false;
            let (from, to) = (start + within.start, start + within.end);
            self.give(from, spliced);
            match self.open.end(&name).map_err(unclear)? {
                EndTag::Stray => {}
                EndTag::Ends(ended) => {
                    self.supply(&ended, spliced);
                    self.note(&ended.outermost, ended.names.len() > ended.outermost.len());
                }
                EndTag::EndsOther(name, ended) => {
                    self.supply(&ended, spliced);
                    self.note(&ended.outermost, ended.names.len() > ended.outermost.len());
                    self.rename(within.len(), &name, spliced)?;
                }
                EndTag::Ignored => self.hide(within.len(), spliced)?,
            }
            self.give(to, spliced);
        }
        Ok(())
    }

    /// Gives on a comment in place of the end tag that comes next.
    fn hide(&mut self, length: usize, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        let tag = self.left().get(..length).unwrap_or_default();
        let tag = std::str::from_utf8(tag).map_err(|_| RewriteError::Parser)?;
        if !tag.is_ascii() {
            return Err(RewriteError::Parser);
        }
        let mark = (PLACEHOLDER.len(), tag.to_owned());
        self.marks.hidden.borrow_mut().insert(self.next, mark);
        spliced.extend_from_slice(PLACEHOLDER);
        self.taken += length;
        self.start += length;
        self.next += PLACEHOLDER.len();
        Ok(())
    }

    /// Gives on the end tag that comes next with the name of the element that it ends.
    fn rename(&mut self, length: usize, name: &str, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        let tag = self.left().get(..length).unwrap_or_default();
        let tag = std::str::from_utf8(tag).map_err(|_| RewriteError::Parser)?;
        let renamed = format!("</{name}>");
        if tag.len() != renamed.len() {
            // It has attributes, which a tag whose name is set back would lose.
            return Err(RewriteError::Parser);
        }
        let mark = (length, tag.to_owned());
        self.marks.hidden.borrow_mut().insert(self.next, mark);
        spliced.extend_from_slice(renamed.as_bytes());
        self.taken += length;
        self.start += length;
        self.next += length;
        Ok(())
    }

    /// Gives on the bytes before a place as they are.
    fn give(&mut self, place: usize, spliced: &mut Vec<u8>) {
        let length = place.saturating_sub(self.start).min(self.left().len());
        spliced.extend_from_slice(self.left().get(..length).unwrap_or_default());
        self.taken += length;
        self.start += length;
        self.next += length;
    }

    /// Takes note of the end tags that the tag that comes next makes unnecessary.
    fn note(&self, names: &[Rc<str>], end_others: bool) {
        if !names.is_empty() {
            let names = names.iter().map(ToString::to_string).collect();
            let implied = Implied { names, end_others };
            self.marks.implied_by.borrow_mut().insert(self.next, implied);
        }
    }

    fn supply(&mut self, ended: &Ended, spliced: &mut Vec<u8>) {
        let (mut last, mut count) = (None, 0);
        for name in &ended.names {
            // The standard's order: what is within ends first.
            self.note(last.as_slice(), count > 1);
            count += 1;
            last = Some(Rc::clone(name));
            // The name is as the outline reads it, a character for each byte.
            let (name, _, _) = WINDOWS_1252.encode(name);
            let length = name.len() + 3;
            spliced.extend_from_slice(b"</");
            spliced.extend_from_slice(&name);
            spliced.push(b'>');
            self.marks.supplied.borrow_mut().insert(self.next, length);
            self.next += length;
        }
    }
}

fn unclear(_: Unclear) -> RewriteError {
    RewriteError::Parser
}
