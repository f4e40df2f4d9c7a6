//! Where the tags of a page are.

use crate::surroundings::is_foreign;
use encoding_rs::WINDOWS_1252;
use lol_html::errors::RewritingError;
use lol_html::html_content::{Comment, Doctype, Element, TextChunk};
use lol_html::{
    AsciiCompatibleEncoding, DocumentContentHandlers, ElementContentHandlers, HtmlRewriter, MemorySettings,
    Selector, Settings,
};
use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

/// A token of a page. End tags are not among them: the parser tells only of those that it awaits. They are
/// what stands between the others; [`end_tags`] finds them there.
pub(crate) enum Token {
    Doctype {
        is_quirky: bool,
    },
    StartTag {
        name: String,
        is_foreign: bool,
        has_content: bool,
    },
    Text {
        is_blank: bool,
    },
    Comment,
}

/// A token and its place in the page's bytes.
pub(crate) type Placed = (Range<usize>, Token);

/// The tokens of a page while it streams.
pub(crate) struct Outline {
    rewriter: HtmlRewriter<'static, fn(&[u8])>,
    tokens: Rc<RefCell<Vec<Placed>>>,
}

impl Outline {
    pub(crate) fn new(max_memory: usize) -> Option<Self> {
        let every: Selector = "*".parse().ok()?;
        let tokens = Rc::new(RefCell::new(Vec::new()));
        let (elements, texts) = (Rc::clone(&tokens), Rc::clone(&tokens));
        let (comments, doctypes) = (Rc::clone(&tokens), Rc::clone(&tokens));
        let settings = Settings::new()
            .with_strict(false)
            // Tags are ASCII in every encoding that is rewritten, and here a character is a byte.
            .with_encoding(AsciiCompatibleEncoding::new(WINDOWS_1252)?)
            .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(max_memory))
            .append_element_content_handler((
                Cow::Owned(every),
                ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
                    let token = Token::StartTag {
                        name: element.tag_name(),
                        is_foreign: is_foreign(element),
                        has_content: element.can_have_content(),
                    };
                    elements
                        .borrow_mut()
                        .push((element.source_location().bytes(), token));
                    Ok(())
                }),
            ))
            .append_document_content_handler(
                DocumentContentHandlers::default()
                    .text(move |text: &mut TextChunk<'_>| {
                        let is_blank = text.as_str().bytes().all(|byte| byte.is_ascii_whitespace());
                        let token = Token::Text { is_blank };
                        texts.borrow_mut().push((text.source_location().bytes(), token));
                        Ok(())
                    })
                    .comments(move |comment: &mut Comment<'_>| {
                        comments
                            .borrow_mut()
                            .push((comment.source_location().bytes(), Token::Comment));
                        Ok(())
                    })
                    .doctype(move |doctype: &mut Doctype<'_>| {
                        let is_quirky = is_quirky(doctype);
                        doctypes
                            .borrow_mut()
                            .push((doctype.source_location().bytes(), Token::Doctype { is_quirky }));
                        Ok(())
                    }),
            );
        let nowhere: fn(&[u8]) = |_| {};
        Some(Self {
            rewriter: HtmlRewriter::new(settings, nowhere),
            tokens,
        })
    }

    /// Takes the next bytes. After an error it must not be used any more.
    pub(crate) fn write(&mut self, chunk: &[u8]) -> Result<Vec<Placed>, RewritingError> {
        let result = self.rewriter.write(chunk);
        let tokens = self.tokens.take();
        result.map(|()| tokens)
    }

    /// Takes note of the page's end.
    pub(crate) fn end(self) -> Result<Vec<Placed>, RewritingError> {
        let result = self.rewriter.end();
        let tokens = self.tokens.take();
        result.map(|()| tokens)
    }
}

/// Whether a browser shows a page of this document type in its quirks mode.
fn is_quirky(doctype: &Doctype<'_>) -> bool {
    let public = doctype.public_id().unwrap_or_default().to_ascii_lowercase();
    let old = [
        "-//w3c//dtd html 3",
        "-//w3c//dtd html 4.0 ",
        "-//ietf//dtd html",
        "html",
    ];
    doctype.name().as_deref() != Some("html")
        || old.iter().any(|old| public.starts_with(old))
        || (doctype.system_id().is_none()
            && [
                "-//w3c//dtd html 4.01 frameset//",
                "-//w3c//dtd html 4.01 transitional//",
            ]
            .iter()
            .any(|old| public.starts_with(old)))
}

/// The end tags in bytes that no other token covers: their places and names. Whatever else stands there is a tag
/// that the page breaks off in, and end tags in it are none.
pub(crate) fn end_tags(bytes: &[u8]) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..)
        && let [b'<', b'/', first, ..] = rest
    {
        if *first == b'>' {
            // An end tag without a name is none, and no other token either.
            at += 3;
            continue;
        }
        let Some(length) = tag_length(rest).filter(|_| first.is_ascii_alphabetic()) else {
            break;
        };
        let name: Vec<u8> = rest
            .iter()
            .skip(2)
            .copied()
            .take_while(|byte| !matches!(byte, b'/' | b'>') && !byte.is_ascii_whitespace())
            .collect();
        let (name, _, _) = WINDOWS_1252.decode(&name);
        found.push((at..at + length, name.to_ascii_lowercase()));
        at += length;
    }
    found
}

/// The length of the tag that bytes begin with, if it is whole; by the states of HTML's tokenizer
/// (<https://html.spec.whatwg.org/multipage/parsing.html#tag-name-state>).
fn tag_length(bytes: &[u8]) -> Option<usize> {
    #[derive(Clone, Copy)]
    enum State {
        TagName,
        BeforeName,
        Name,
        AfterName,
        BeforeValue,
        Value,
        Quoted(u8),
    }
    let mut state = State::TagName;
    // A quote is one only where a value begins, and an equals sign only behind an attribute's name.
    for (at, byte) in bytes.iter().enumerate().skip(2) {
        let is_blank = byte.is_ascii_whitespace();
        state = match (state, *byte) {
            (State::Quoted(quote), byte) if byte == quote => State::BeforeName,
            (State::Quoted(quote), _) => State::Quoted(quote),
            (_, b'>') => return Some(at + 1),
            (State::BeforeValue, quote @ (b'"' | b'\'')) => State::Quoted(quote),
            (State::BeforeValue, _) if is_blank => State::BeforeValue,
            (State::BeforeValue, _) => State::Value,
            (State::Value, _) if !is_blank => State::Value,
            (State::Value, _) | (_, b'/') => State::BeforeName,
            (State::TagName | State::BeforeName, _) if is_blank => State::BeforeName,
            (State::Name | State::AfterName, _) if is_blank => State::AfterName,
            (State::Name | State::AfterName, b'=') => State::BeforeValue,
            (State::TagName, _) => State::TagName,
            (State::BeforeName | State::Name | State::AfterName, _) => State::Name,
        };
    }
    None
}
