//! The way through a page: its tokens, the elements that are open, and what selectors match.
//!
//! Where elements end is told as the browser sees it, also where their end tags were left out.

use crate::doctype::is_quirky;
use crate::encode::{Spelling, declaration};
use crate::encoding::Encoding;
use crate::matcher::Matcher;
use crate::names::{Kind, Name};
use crate::open_elements::{Before, Ended, OpenElements, StartTag, TooDeep};
use crate::page::{RewriteError, Settings};
use crate::scanner::{Scanner, Token};
use crate::selector::Selector;
use std::mem;
use std::ops::Range;
use std::rc::Rc;

/// The bytes that say that a page is UTF-8, whatever else says something different.
pub(crate) const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Some bytes of a page.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'p> {
    /// The place of the first one in the page.
    pub(crate) start: usize,
    pub(crate) bytes: &'p [u8],
}

impl<'p> Bytes<'p> {
    /// A part of the page, as far as it is here.
    pub(crate) fn get(self, range: Range<usize>) -> &'p [u8] {
        let start = range.start.saturating_sub(self.start);
        let end = range.end.saturating_sub(self.start);
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// End tags that a tag makes unnecessary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Implied {
    pub(crate) names: Vec<Name>,
    /// Whether they end other elements, too. Another tag in their place might not reach beyond those.
    pub(crate) end_others: bool,
}

/// An element at its start tag.
#[derive(Debug)]
pub(crate) struct Start<'w> {
    /// Which of the starts and ends of the page it is.
    pub(crate) order: usize,
    /// The place of the tag in the page.
    pub(crate) tag: Range<usize>,
    pub(crate) name: Name,
    pub(crate) is_self_closing: bool,
    /// Whether it has content and an end.
    pub(crate) has_content: bool,
    /// Whether it is of SVG or MathML.
    pub(crate) is_foreign: bool,
    pub(crate) spelling: Spelling,
    pub(crate) implied: Implied,
    /// The selectors that match it, in ascending order; none in a template.
    pub(crate) matches: &'w [u32],
}

/// The end of an element.
#[derive(Debug)]
pub(crate) struct End {
    /// Which of the starts and ends of the page it is.
    pub(crate) order: usize,
    /// The place of the end tag in the page, or where it would be.
    pub(crate) tag: Range<usize>,
    /// The element's name, if the page has no end tag for it.
    pub(crate) supplied: Option<Name>,
    pub(crate) spelling: Spelling,
    pub(crate) implied: Implied,
}

/// What goes through a page.
pub(crate) trait Visitor {
    /// Whether elements of a name are looked at, even if no selector matches them.
    fn looks_at(&self, name: &Name) -> bool;

    /// Takes note of an element; tells whether its end is awaited.
    fn start(&mut self, page: Bytes<'_>, start: Start<'_>) -> Result<bool, RewriteError>;

    /// Takes note of the end of the last element whose end is awaited.
    fn end(&mut self, page: Bytes<'_>, end: End);

    /// All of the page before a place was read.
    fn pass(&mut self, page: Bytes<'_>, until: usize);

    /// Whether nothing that comes is of interest: the page is read no further.
    fn is_done(&self) -> bool {
        false
    }
}

/// Where a page has been read to.
pub(crate) struct Walk {
    scanner: Scanner,
    open: OpenElements,
    matcher: Matcher,
    spelling: Spelling,
    /// Whether the encoding is known, so that the page is not asked.
    is_settled: bool,
    /// The most bytes that wait for the rest of their token, and that open elements may take.
    max_memory: usize,
    /// What was not read.
    waiting: Vec<u8>,
    /// The place of the first byte that was not read.
    at: usize,
    /// How many starts and ends there were.
    order: usize,
    /// Whether the page has begun, so that no document type can follow.
    has_begun: bool,
    has_doctype: bool,
    /// Whether the last token is one that further bytes would go on with.
    is_broken_off: bool,
}

impl Walk {
    /// Before a page.
    ///
    /// # Errors
    /// When the page's encoding is one that cannot be rewritten.
    pub(crate) fn new(settings: &Settings<'_>, selectors: Vec<Rc<Selector>>) -> Result<Self, RewriteError> {
        let encoding = match settings.charset {
            Some(label) => {
                let encoding = Encoding::for_label(label).filter(|encoding| encoding.is_rewritten());
                Some(encoding.ok_or(RewriteError::Encoding)?)
            }
            None => None,
        };
        Ok(Self {
            scanner: Scanner::new(),
            open: OpenElements::new(),
            matcher: Matcher::new(selectors),
            spelling: encoding.map_or(Spelling::assumed(), Spelling::named),
            is_settled: encoding.is_some(),
            max_memory: settings.max_memory,
            waiting: Vec::new(),
            at: 0,
            order: 0,
            has_begun: false,
            has_doctype: false,
            is_broken_off: false,
        })
    }

    /// Takes the next bytes of a page. The first ones have the whole byte order mark, if there is one.
    ///
    /// # Errors
    /// When the page cannot be followed any further; what was not read is the [`Walk::rest`].
    pub(crate) fn write(&mut self, chunk: &[u8], visitor: &mut impl Visitor) -> Result<(), RewriteError> {
        // Most chunks need not be kept: what waits is the beginning of a tag.
        let mut waiting = mem::take(&mut self.waiting);
        let bytes = if waiting.is_empty() {
            chunk
        } else {
            waiting.extend_from_slice(chunk);
            &waiting
        };
        let page = Bytes {
            start: self.at,
            bytes,
        };
        let result = self.start(page).and_then(|()| self.read(page, false, visitor));
        visitor.pass(page, self.at);
        let read = self.at - page.start;
        if waiting.is_empty() {
            waiting.extend_from_slice(chunk.get(read..).unwrap_or_default());
        } else {
            waiting.drain(..read);
        }
        self.waiting = waiting;
        result?;
        match self.waiting.len() > self.max_memory && !visitor.is_done() {
            true => Err(RewriteError::Memory),
            false => Ok(()),
        }
    }

    /// Takes note of the page's end.
    ///
    /// # Errors
    /// When the page cannot be followed to it; what was not read is the [`Walk::rest`].
    pub(crate) fn end(&mut self, visitor: &mut impl Visitor) -> Result<(), RewriteError> {
        let waiting = mem::take(&mut self.waiting);
        let page = Bytes {
            start: self.at,
            bytes: &waiting,
        };
        let result = self.read(page, true, visitor);
        let end = page.start + waiting.len();
        // What is left is no token. What broke off would swallow what comes after it.
        if result.is_ok() && self.at == end && !self.is_broken_off && !self.scanner.is_in_cdata() {
            let ended = self.open.finish();
            self.supply_at(page, self.at, ended, visitor);
        }
        visitor.pass(page, self.at);
        let read = self.at - page.start;
        self.waiting = waiting;
        self.waiting.drain(..read);
        result
    }

    /// How many bytes wait for the rest of their token.
    pub(crate) const fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What was not read; it is no token, or the page could not be followed so far.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        mem::take(&mut self.waiting)
    }

    /// Whether the page has a document type, and so is a document and no fragment that some script fetches.
    pub(crate) const fn has_doctype(&self) -> bool {
        self.has_doctype
    }

    /// Looks at how the page begins.
    fn start(&mut self, page: Bytes<'_>) -> Result<(), RewriteError> {
        if page.start > 0 {
            return Ok(());
        }
        match page.bytes {
            [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => return Err(RewriteError::Encoding),
            bytes if bytes.starts_with(UTF_8_MARK) => {
                (self.spelling, self.is_settled) = (Spelling::named(Encoding::Utf8), true);
            }
            _ => {}
        }
        Ok(())
    }

    fn read(
        &mut self,
        page: Bytes<'_>,
        is_last: bool,
        visitor: &mut impl Visitor,
    ) -> Result<(), RewriteError> {
        loop {
            let left = page.get(self.at..page.start + page.bytes.len());
            let Some((length, token)) = self.scanner.next(left, is_last, self.open.are_foreign()) else {
                return Ok(());
            };
            if length > self.max_memory && !matches!(token, Token::Text | Token::Nothing) {
                // Also where all of it has come at once.
                return Err(RewriteError::Memory);
            }
            self.take(page, self.at..self.at + length, token, visitor)?;
            self.at += length;
            if visitor.is_done() {
                return Ok(());
            }
        }
    }

    fn take(
        &mut self,
        page: Bytes<'_>,
        range: Range<usize>,
        token: Token,
        visitor: &mut impl Visitor,
    ) -> Result<(), RewriteError> {
        self.is_broken_off = match &token {
            Token::Comment { is_whole } => !is_whole,
            Token::Text => page.get(range.clone()).ends_with(b"</"),
            _ => false,
        };
        match token {
            Token::StartTag {
                name,
                is_self_closing,
            } => return self.take_start(page, range, &name, is_self_closing, visitor),
            Token::EndTag { name } => {
                let tag = self.open.end(&name).map_err(too_deep)?;
                self.has_begun = true;
                let implied = tag.before.ended.implied();
                let Some(closed) = tag.closed else {
                    self.begin(page, range.start, tag.before, 0, visitor);
                    return Ok(());
                };
                if !tag.before.made.is_empty() {
                    // A body that begins with its end tag stays open.
                    self.begin(page, range.start, tag.before, 0, visitor);
                } else if !tag.before.is_nothing() {
                    self.supply_at(page, range.start, tag.before.ended, visitor);
                }
                self.order += 1;
                if closed.is_awaited {
                    let end = End {
                        order: self.order,
                        tag: range,
                        supplied: None,
                        spelling: self.spelling,
                        implied,
                    };
                    visitor.end(page, end);
                }
                self.matcher.keep(self.open.count());
            }
            Token::Text => {
                let text = page.get(range.clone());
                let text = match range.start {
                    0 => text.strip_prefix(UTF_8_MARK).unwrap_or(text),
                    _ => text,
                };
                let text = text.trim_ascii_start();
                if !text.is_empty() {
                    self.has_begun = true;
                    // The white space that it begins with ends nothing.
                    let before = self.open.text();
                    self.begin(page, range.end - text.len(), before, 0, visitor);
                }
            }
            Token::Doctype if !self.has_begun => {
                self.has_begun = true;
                self.has_doctype = true;
                self.open.doctype(is_quirky(page.get(range)));
            }
            Token::Doctype | Token::Comment { .. } | Token::Nothing => {}
        }
        Ok(())
    }

    fn take_start(
        &mut self,
        page: Bytes<'_>,
        range: Range<usize>,
        name: &Name,
        is_self_closing: bool,
        visitor: &mut impl Visitor,
    ) -> Result<(), RewriteError> {
        self.has_begun = true;
        if self.open.count() * self.matcher.bytes_of_an_element() > self.max_memory {
            return Err(RewriteError::Depth);
        }
        let written = page.get(range.clone());
        let name = match self.open.is_image(name) {
            true => &IMG,
            false => name,
        };
        let is_in_template = self.open.are_template();
        let tag = StartTag {
            name: name.clone(),
            is_self_closing,
            written,
        };
        let started = self.open.start(tag).map_err(too_deep)?;
        let implied = started.before.ended.implied();
        self.begin(
            page,
            range.start,
            started.before,
            usize::from(started.is_open && started.is_element),
            visitor,
        );
        self.order += 1;
        if *name == META && !self.is_settled {
            self.heed(written)?;
        }
        // Of a tag that the browser ignores, the place may be of use.
        let mut matches: &[u32] = &[];
        self.matcher.is_of_old_document = self.open.are_of_old_document();
        if started.is_element {
            let attributes = self.scanner.attributes();
            let found = self
                .matcher
                .start(name, started.is_html, written, attributes, self.spelling);
            if !is_in_template {
                matches = found;
            }
        }
        let is_awaited = if !matches.is_empty() || (!is_in_template && visitor.looks_at(name)) {
            let start = Start {
                order: self.order,
                tag: range,
                name: name.clone(),
                is_self_closing,
                has_content: started.is_open,
                is_foreign: !started.is_html,
                spelling: self.spelling,
                implied,
                matches,
            };
            visitor.start(page, start)?
        } else {
            false
        };
        if started.is_open {
            if started.is_element {
                self.matcher.open();
            }
            if is_awaited {
                self.open.await_end();
            }
            if started.is_html && name.is(Kind::TEXT) {
                self.scanner.enter(name);
            }
        }
        Ok(())
    }

    /// Learns the page's encoding from a `<meta>`.
    fn heed(&mut self, meta: &[u8]) -> Result<(), RewriteError> {
        match declaration(meta) {
            None => Ok(()),
            Some(encoding) if encoding.is_rewritten() => {
                (self.spelling, self.is_settled) = (Spelling::named(encoding), true);
                Ok(())
            }
            Some(_) => Err(RewriteError::Encoding),
        }
    }

    /// Takes note of what comes before a tag or text; so many of the open elements are the tag's own.
    fn begin(
        &mut self,
        page: Bytes<'_>,
        place: usize,
        before: Before,
        own: usize,
        visitor: &mut impl Visitor,
    ) {
        if before.is_nothing() {
            // As mostly.
            self.matcher.keep(self.open.count() - own);
            return;
        }
        self.supply_at(page, place, before.ended, visitor);
        let open = before.made.iter().filter(|made| made.is_open).count();
        self.matcher.keep(self.open.count() - open - own);
        for made in before.made {
            self.matcher
                .start(&made.name, true, b"", Some(&[]), self.spelling);
            if made.is_open {
                self.matcher.open();
            }
        }
    }

    /// Tells of the ends of elements whose end tags the page has not.
    fn supply_at(&mut self, page: Bytes<'_>, place: usize, ended: Ended, visitor: &mut impl Visitor) {
        let (mut last, mut count) = (None, 0);
        for closed in ended.elements {
            // The standard's order: what is within ends first.
            self.order += 1;
            if closed.is_awaited {
                let end = End {
                    order: self.order,
                    tag: place..place,
                    supplied: Some(closed.name.clone()),
                    spelling: self.spelling,
                    implied: Implied {
                        names: last.take().into_iter().collect(),
                        end_others: count > 1,
                    },
                };
                visitor.end(page, end);
            }
            if closed.has_tag() {
                count += 1;
                last = Some(closed.name);
            }
        }
    }
}

const IMG: Name = Name::known("img");
const META: Name = Name::known("meta");

fn too_deep(_: TooDeep) -> RewriteError {
    RewriteError::Depth
}
