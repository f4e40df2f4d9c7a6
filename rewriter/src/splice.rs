//! Supplies the end tags that authors may leave out, for the parser that edits.
//!
//! That parser takes everything up to an element's end tag for its content. So it gets a page in which every
//! end tag is there, and none that the browser ignores. [`Marks`] says which ones, and they leave as they came.

use crate::doctype::is_quirky;
use crate::marks::{Implied, Marks, Signature};
use crate::names::{Kind, Name};
use crate::open_elements::{EndTag, Ended, OpenElements, StartTag, Unclear};
use crate::page::RewriteError;
use crate::scanner::{Scanner, Token};
use crate::search::find;
use std::rc::Rc;

pub(crate) struct Splicer {
    scanner: Scanner,
    open: OpenElements,
    marks: Rc<Marks>,
    signature: Signature,
    /// The most bytes that wait for the rest of their token.
    max_waiting: usize,
    /// The bytes of the page that were not given on.
    waiting: Vec<u8>,
    /// How many of the waiting bytes are given on by now.
    taken: usize,
    /// How many of the waiting bytes were read; they are given on when something comes between.
    read: usize,
    /// The place of the next byte that is given on.
    next: usize,
    /// The place of the first byte that the last call gave on.
    last_given: usize,
    /// Whether an element has begun, so that no document type can follow.
    has_begun: bool,
    /// Whether the last token is one that further bytes would go on with.
    is_broken_off: bool,
    /// Whether anything was changed.
    has_changed: bool,
}

impl Splicer {
    pub(crate) fn new(max_waiting: usize, marks: Rc<Marks>, secret: u64) -> Self {
        Self {
            scanner: Scanner::new(),
            open: OpenElements::new(),
            marks,
            signature: Signature::new(secret),
            max_waiting,
            waiting: Vec::new(),
            taken: 0,
            read: 0,
            next: 0,
            last_given: 0,
            has_begun: false,
            is_broken_off: false,
            has_changed: false,
        }
    }

    /// Takes the next bytes of the page, and adds those that can go on.
    pub(crate) fn write(&mut self, chunk: &[u8], spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        // The parser has passed what went on before, a token that it keeps back aside.
        self.marks.forget_before(self.last_given);
        self.last_given = self.next;
        self.waiting.extend_from_slice(chunk);
        let result = self.read_tokens(false, spliced);
        self.give(spliced);
        self.waiting.drain(..self.taken);
        (self.taken, self.read) = (0, 0);
        result?;
        match self.waiting.len() > self.max_waiting {
            true => Err(RewriteError::Memory),
            false => Ok(()),
        }
    }

    /// Takes note of the page's end, and adds what is left.
    pub(crate) fn end(&mut self, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        self.read_tokens(true, spliced)?;
        // What is left is no token. What broke off would swallow what comes after it.
        if self.left().is_empty() && !self.is_broken_off {
            let ended = self.open.finish();
            self.supply(&ended, spliced);
        }
        self.read = self.waiting.len();
        self.give(spliced);
        Ok(())
    }

    /// The bytes of the page that were not given on.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        self.waiting.drain(..self.taken);
        (self.taken, self.read) = (0, 0);
        std::mem::take(&mut self.waiting)
    }

    /// What the parser made of the bytes, without what was changed.
    pub(crate) fn take_back(&self, output: Vec<u8>) -> Vec<u8> {
        match self.has_changed {
            true => self.signature.take_back(output),
            false => output,
        }
    }

    fn left(&self) -> &[u8] {
        self.waiting.get(self.read..).unwrap_or_default()
    }

    fn read_tokens(&mut self, is_last: bool, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        loop {
            let left = self.waiting.get(self.read..).unwrap_or_default();
            let Some((length, token)) = self.scanner.next(left, is_last, self.open.are_foreign()) else {
                return Ok(());
            };
            self.take(length, token, spliced)?;
        }
    }

    fn take(&mut self, length: usize, token: Token, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        let bytes = self
            .waiting
            .get(self.read..self.read + length)
            .unwrap_or_default();
        self.is_broken_off = match &token {
            Token::Comment { is_whole } => !is_whole,
            Token::Text => bytes.ends_with(b"</"),
            _ => false,
        };
        match token {
            Token::Doctype => {
                if !self.has_begun {
                    self.open.is_quirky = is_quirky(bytes);
                }
            }
            Token::StartTag {
                name,
                is_self_closing,
                lacks_value,
            } => {
                self.has_begun = true;
                let tag = StartTag {
                    name: name.clone(),
                    is_self_closing,
                    written: bytes,
                };
                let (ended, is_html) = self.open.start(tag).map_err(unclear)?;
                self.supply(&ended, spliced);
                self.note(&ended.outermost, ended.names.len() > ended.outermost.len());
                if is_html && name.is(Kind::TEXT) {
                    if lacks_value {
                        return Err(RewriteError::Parser);
                    }
                    self.scanner.enter(&name);
                }
            }
            Token::EndTag { name } => return self.take_end(length, &name, spliced),
            Token::Text => {
                let blank = length - bytes.trim_ascii_start().len();
                if blank < length {
                    // The white space that it begins with ends nothing, whether it comes with the rest or before it.
                    self.read += blank;
                    let ended = self.open.text();
                    self.supply(&ended, spliced);
                    self.read += length - blank;
                    return Ok(());
                }
            }
            Token::Comment { .. } | Token::Nothing => {}
        }
        self.read += length;
        Ok(())
    }

    fn take_end(&mut self, length: usize, name: &Name, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        match self.open.end(name).map_err(unclear)? {
            EndTag::Stray => {}
            EndTag::Ends(ended) => {
                self.supply(&ended, spliced);
                self.note(&ended.outermost, ended.names.len() > ended.outermost.len());
            }
            EndTag::EndsOther(name, ended) => {
                self.supply(&ended, spliced);
                self.note(&ended.outermost, ended.names.len() > ended.outermost.len());
                return self.rename(length, &name, spliced);
            }
            EndTag::Ignored => return self.hide(length, spliced),
        }
        self.read += length;
        Ok(())
    }

    /// Gives on a comment in place of the end tag that comes next.
    fn hide(&mut self, length: usize, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        let tag = self.left().get(..length).unwrap_or_default();
        if find(tag, b"--").is_some() {
            // The comment would end there.
            return Err(RewriteError::Parser);
        }
        let comment = self.signature.hidden(tag);
        self.change(length, &comment, spliced);
        Ok(())
    }

    /// Gives on the end tag that comes next with the name of the element that it ends.
    fn rename(&mut self, length: usize, name: &Name, spliced: &mut Vec<u8>) -> Result<(), RewriteError> {
        let tag = self.left().get(..length).unwrap_or_default();
        let written = tag.strip_prefix(b"</").and_then(|tag| tag.strip_suffix(b">"));
        let written = written
            .filter(|written| written.iter().all(u8::is_ascii_alphanumeric))
            // It has attributes, which a tag whose name is set back would lose.
            .ok_or(RewriteError::Parser)?;
        let renamed = self.signature.renamed(name, written);
        self.change(length, &renamed, spliced);
        Ok(())
    }

    /// Gives on other bytes for those that come next.
    fn change(&mut self, length: usize, bytes: &[u8], spliced: &mut Vec<u8>) {
        self.give(spliced);
        let mark = (bytes.len(), length);
        self.marks.hidden.borrow_mut().insert(self.next, mark);
        self.has_changed = true;
        spliced.extend_from_slice(bytes);
        self.next += bytes.len();
        self.taken += length;
        self.read = self.taken;
    }

    /// Gives on the bytes that were read as they are.
    fn give(&mut self, spliced: &mut Vec<u8>) {
        let read = self.waiting.get(self.taken..self.read).unwrap_or_default();
        spliced.extend_from_slice(read);
        self.next += read.len();
        self.taken = self.read;
    }

    /// Takes note of the end tags that the tag that comes next makes unnecessary.
    fn note(&self, names: &[Name], end_others: bool) {
        if !names.is_empty() {
            let text = |name: &Name| String::from_utf8_lossy(name.bytes()).into_owned();
            let names = names.iter().map(text).collect();
            let implied = Implied { names, end_others };
            let place = self.next + (self.read - self.taken);
            self.marks.implied_by.borrow_mut().insert(place, implied);
        }
    }

    fn supply(&mut self, ended: &Ended, spliced: &mut Vec<u8>) {
        if ended.names.is_empty() {
            return;
        }
        self.give(spliced);
        self.has_changed = true;
        let (mut last, mut count) = (None, 0);
        for name in &ended.names {
            // The standard's order: what is within ends first.
            self.note(last.as_slice(), count > 1);
            count += 1;
            last = Some(name.clone());
            let tag = self.signature.supplied(name);
            spliced.extend_from_slice(&tag);
            self.marks.supplied.borrow_mut().insert(self.next, tag.len());
            self.next += tag.len();
        }
    }
}

fn unclear(_: Unclear) -> RewriteError {
    RewriteError::Parser
}
