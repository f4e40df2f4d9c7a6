//! The parse that finds the elements which edits can touch.

use super::{Found, FoundAttribute, FoundEnd, Inject, Outline};
use crate::declared_policies;
use crate::encode::{Declaration, Spelling, declaration, is_utf_8};
use crate::marks::{Implied, Marks};
use crate::names::text_holders;
use crate::page::{RewriteError, Settings, UTF_8_MARK, failure};
use crate::pipeline::Sink;
use crate::prologue::is_document;
use crate::splice::Splicer;
use crate::surroundings::{Surroundings, look_around};
use lol_html::html_content::{Element, EndTag};
use lol_html::{AsciiCompatibleEncoding, ElementContentHandlers, HtmlRewriter, MemorySettings, Selector};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

type Handlers = ElementContentHandlers<'static>;
type Parser = lol_html::Settings<'static, 'static>;

/// Parses the page as it is.
pub(super) fn as_written(
    page: &[u8],
    selectors: &[Selector],
    settings: Settings<'_>,
) -> Result<Outline, RewriteError> {
    record(page, page, &Rc::default(), selectors, settings)
}

/// Parses the page with all its end tags.
pub(super) fn with_ends(
    page: &[u8],
    selectors: &[Selector],
    settings: Settings<'_>,
) -> Result<Outline, RewriteError> {
    let marks = Rc::<Marks>::default();
    let max_waiting = settings.max_memory.max(page.len());
    let mut splicer = Splicer::new(max_waiting, Rc::clone(&marks), settings.secret);
    let mut parsed = Vec::with_capacity(page.len() + page.len() / 8);
    splicer.write(page, &mut parsed)?;
    splicer.end(&mut parsed)?;
    if !splicer.rest().is_empty() {
        return Err(RewriteError::Parser);
    }
    record(page, &parsed, &marks, selectors, settings)
}

/// A page in which more elements can be touched streams: what a plan remembers is bounded, whatever the page is.
const MAX_ELEMENTS: usize = 20_000;

/// An end tag of one element or several.
struct EndTags {
    until: usize,
    spelling: Spelling,
    /// The places of the elements among the outline's.
    elements: Vec<usize>,
}

/// What the parser's handlers find.
#[derive(Default)]
struct Recorder {
    outline: RefCell<Outline>,
    /// The ends by their places.
    ends: RefCell<BTreeMap<usize, EndTags>>,
    /// Where the head's addition goes, and whether that is settled.
    inject: Cell<Inject>,
    spelling: Cell<Option<Spelling>>,
    refusal: Cell<Option<RewriteError>>,
}

fn record(
    page: &[u8],
    parsed: &[u8],
    marks: &Rc<Marks>,
    selectors: &[Selector],
    settings: Settings<'_>,
) -> Result<Outline, RewriteError> {
    let recorder = Rc::new(Recorder::default());
    let mut parser = lol_html::Settings::new()
        .with_strict(false)
        .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(settings.max_memory));
    let is_marked = page.starts_with(UTF_8_MARK);
    if matches!(page, [0xfe, 0xff, ..] | [0xff, 0xfe, ..]) {
        return Err(RewriteError::Encoding);
    }
    match settings.charset {
        Some(charset) if !is_marked && !is_utf_8(charset) => return Err(RewriteError::Encoding),
        None if !is_marked => {
            recorder.spelling.set(Some(Spelling::References));
            parser = heed_declaration(parser, &recorder)?;
        }
        _ => {
            recorder.spelling.set(Some(Spelling::Encoded));
            parser = parser.with_encoding(AsciiCompatibleEncoding::utf_8());
        }
    }
    let bytes: Rc<[u8]> = Rc::from(parsed);
    let around = Rc::<Surroundings>::default();
    for (place, selector) in selectors.iter().enumerate() {
        let (recorder, bytes) = (Rc::clone(&recorder), Rc::clone(&bytes));
        let around = Rc::clone(&around);
        let note = Handlers::default().element(move |element: &mut Element<'_, '_>| {
            if around.are_template() {
                return Ok(());
            }
            let found = recorder.note(element, &around, &bytes)?;
            let outline = &mut *recorder.outline.borrow_mut();
            if let Some(matches) = outline.matches.get_mut(place) {
                matches.push(found);
            }
            Ok(())
        });
        parser = parser.append_element_content_handler((Cow::Owned(selector.clone()), note));
    }
    recorder.outline.borrow_mut().matches = vec![Vec::new(); selectors.len()];
    parser = look_around(parser, &around).ok_or(RewriteError::Parser)?;
    parser = note_injection(parser, &recorder, &around, &bytes)?;
    parser = refuse_ambiguous(parser, &recorder, &bytes)?;
    if settings.fit.is_some() {
        parser = refuse_policies(parser, &recorder)?;
    }
    // Of the type that `pipeline` has, so that the module has the parser once.
    let nowhere: Sink = Box::new(|_| {});
    let mut rewriter = HtmlRewriter::new(parser, nowhere);
    let result = rewriter.write(parsed).and_then(|()| rewriter.end());
    result.map_err(|error| recorder.refusal.get().unwrap_or(failure(&error)))?;
    Ok(recorder.finish(page, parsed, &Places::new(marks), marks))
}

impl Recorder {
    /// Takes note of an element, once; gives its place among the outline's.
    fn note(
        self: &Rc<Self>,
        element: &mut Element<'_, '_>,
        around: &Surroundings,
        parsed: &[u8],
    ) -> Result<u32, RewriteError> {
        let location = element.source_location().bytes();
        let mut outline = self.outline.borrow_mut();
        let last = outline.elements.len();
        if let Some(known) = outline.elements.last()
            && known.place == location.start
        {
            return Ok((last - 1) as u32);
        }
        if last >= MAX_ELEMENTS {
            self.refusal.set(Some(RewriteError::Memory));
            return Err(RewriteError::Memory);
        }
        let tag = parsed.get(location.clone()).unwrap_or_default();
        outline.elements.push(Found {
            place: location.start,
            name: element.tag_name().into(),
            attributes: attributes(element, tag, location.start),
            is_self_closing: element.is_self_closing(),
            can_have_content: element.can_have_content(),
            is_foreign: around.make_foreign(element),
            spelling: self.spelling(),
            implied: Implied::default(),
            end: None,
            tag: location,
        });
        if let Some(handlers) = element.end_tag_handlers() {
            let recorder = Rc::clone(self);
            handlers.push(Box::new(move |end: &mut EndTag<'_>| {
                let location = end.source_location().bytes();
                let spelling = recorder.spelling();
                let mut ends = recorder.ends.borrow_mut();
                let found = ends.entry(location.start).or_insert_with(|| EndTags {
                    until: location.end,
                    spelling,
                    elements: Vec::new(),
                });
                found.elements.push(last);
                Ok(())
            }));
        }
        Ok(last as u32)
    }

    /// How characters are written here.
    fn spelling(&self) -> Spelling {
        self.spelling.get().unwrap_or(Spelling::References)
    }

    fn finish(&self, page: &[u8], parsed: &[u8], places: &Places, marks: &Marks) -> Outline {
        let mut outline = self.outline.take();
        let implied = marks.implied_by.borrow();
        let supplied = marks.supplied.borrow();
        let implied_at = |place: &usize| implied.get(place).cloned().unwrap_or_default();
        for element in &mut outline.elements {
            element.implied = implied_at(&element.place);
            element.tag = places.of(&element.tag);
        }
        for (place, found) in self.ends.take() {
            let EndTags {
                until,
                spelling,
                elements,
            } = found;
            let end = outline.ends.len() as u32;
            for element in elements {
                if let Some(element) = outline.elements.get_mut(element) {
                    element.end = Some(end);
                }
            }
            let tag = parsed.get(place..until).filter(|_| supplied.contains_key(&place));
            outline.ends.push(FoundEnd {
                place,
                until,
                tag: places.of(&(place..until)),
                supplied: tag.map(unsigned),
                implied: implied_at(&place),
                spelling,
            });
        }
        outline.inject = match self.inject.get() {
            Inject::Nowhere if is_document(page) => Inject::AtEnd,
            settled => settled,
        };
        outline
    }
}

/// An end tag that is not in the page, as it is written where an edit needs it.
fn unsigned(tag: &[u8]) -> Box<[u8]> {
    let name = tag.split(|byte| *byte == b' ').next().unwrap_or_default();
    [name, b">"].concat().into()
}

/// The attributes of a start tag.
fn attributes(element: &Element<'_, '_>, tag: &[u8], start: usize) -> Vec<FoundAttribute> {
    let within = |range: Range<usize>| (range.start - start) as u32..(range.end - start) as u32;
    let attributes = element.attributes().iter();
    attributes
        .filter_map(|attribute| {
            let name = within(attribute.name_source_location()?.bytes());
            let (value, end) = match attribute.value_source_location() {
                None => (name.end..name.end, name.end),
                Some(value) => {
                    let value = within(value.bytes());
                    let is_quoted = matches!(tag.get(value.end as usize), Some(b'"' | b'\''));
                    (value.clone(), value.end + u32::from(is_quoted))
                }
            };
            Some(FoundAttribute {
                all: name.start..end,
                name,
                value,
            })
        })
        .collect()
}

/// Adds the handlers that find the place of the head's addition; see `crate::inject`.
fn note_injection(
    parser: Parser,
    recorder: &Rc<Recorder>,
    around: &Rc<Surroundings>,
    bytes: &Rc<[u8]>,
) -> Result<Parser, RewriteError> {
    let selector = |name: &str| name.parse::<Selector>().map_err(|_| RewriteError::Parser);
    let is_open = |recorder: &Recorder| recorder.inject.get() == Inject::Nowhere;
    let (at_head, at_body) = (Rc::clone(recorder), Rc::clone(recorder));
    let (head_around, body_around) = (Rc::clone(around), Rc::clone(around));
    let (head_bytes, body_bytes) = (Rc::clone(bytes), Rc::clone(bytes));
    let head = Handlers::default().element(move |element: &mut Element<'_, '_>| {
        if !is_open(&at_head) {
            return Ok(());
        }
        let found = at_head.note(element, &head_around, &head_bytes)?;
        let recorder = Rc::clone(&at_head);
        if let Some(handlers) = element.end_tag_handlers() {
            handlers.push(Box::new(move |_: &mut EndTag<'_>| {
                if is_open(&recorder) {
                    recorder.inject.set(Inject::InHead(found));
                }
                Ok(())
            }));
        }
        Ok(())
    });
    let body = Handlers::default().element(move |element: &mut Element<'_, '_>| {
        if is_open(&at_body) {
            let found = at_body.note(element, &body_around, &body_bytes)?;
            at_body.inject.set(Inject::BeforeBody(found));
        }
        Ok(())
    });
    Ok(parser
        .append_element_content_handler((Cow::Owned(selector("head")?), head))
        .append_element_content_handler((Cow::Owned(selector("body")?), body)))
}

/// Adds the handler that learns from the page that its encoding is UTF-8, or gives up.
fn heed_declaration(parser: Parser, recorder: &Rc<Recorder>) -> Result<Parser, RewriteError> {
    let meta: Selector = "meta".parse().map_err(|_| RewriteError::Parser)?;
    let recorder = Rc::clone(recorder);
    let mut is_settled = false;
    let heed = Handlers::default().element(move |element: &mut Element<'_, '_>| {
        let Some((label, declaration)) = declaration(element).filter(|_| !is_settled) else {
            return Ok(());
        };
        is_settled = true;
        if !is_utf_8(&label) {
            recorder.refusal.set(Some(RewriteError::Encoding));
            return Err(RewriteError::Encoding.into());
        }
        if declaration == Declaration::Known {
            recorder.spelling.set(Some(Spelling::Encoded));
        }
        Ok(())
    });
    Ok(parser
        .with_adjust_charset_on_meta_tag(true)
        .append_element_content_handler((Cow::Owned(meta), heed)))
}

/// From places in the bytes that were parsed to places in the page.
struct Places {
    /// From this place on, the page's place is so much later; sorted.
    shifts: Vec<(usize, isize)>,
}

impl Places {
    fn new(marks: &Marks) -> Self {
        let mut changes: Vec<(usize, usize, usize)> = Vec::new();
        let supplied = marks.supplied.borrow();
        changes.extend(supplied.iter().map(|(place, length)| (*place, *length, 0)));
        let hidden = marks.hidden.borrow();
        changes.extend(
            hidden
                .iter()
                .map(|(place, (parsed, written))| (*place, *parsed, *written)),
        );
        changes.sort_unstable();
        let mut shift = 0;
        let shifts = changes.into_iter().map(|(place, parsed, written)| {
            shift += written as isize - parsed as isize;
            (place + parsed, shift)
        });
        Self {
            shifts: shifts.collect(),
        }
    }

    fn of(&self, range: &Range<usize>) -> Range<usize> {
        self.one(range.start)..self.one(range.end)
    }

    fn one(&self, place: usize) -> usize {
        let before = self.shifts.partition_point(|(from, _)| *from <= place);
        let shift = before
            .checked_sub(1)
            .and_then(|last| self.shifts.get(last))
            .map_or(0, |(_, shift)| *shift);
        place.saturating_add_signed(shift)
    }
}

/// Adds the handler that gives up where the parser reads a page differently when it looks for other elements: after
/// the start tag of an element whose content is text, if that ends with an attribute without the value that its `=`
/// announces.
fn refuse_ambiguous(
    parser: Parser,
    recorder: &Rc<Recorder>,
    bytes: &Rc<[u8]>,
) -> Result<Parser, RewriteError> {
    let holders: Vec<&str> = text_holders().collect();
    let selector = holders.join(",").parse::<Selector>();
    let selector = selector.map_err(|_| RewriteError::Parser)?;
    let (recorder, bytes) = (Rc::clone(recorder), Rc::clone(bytes));
    let look = Handlers::default().element(move |element: &mut Element<'_, '_>| {
        let tag = bytes.get(element.source_location().bytes()).unwrap_or_default();
        let before_end = tag.strip_suffix(b">").unwrap_or(tag).trim_ascii_end();
        if before_end.ends_with(b"=") {
            recorder.refusal.set(Some(RewriteError::Parser));
            return Err(RewriteError::Parser.into());
        }
        Ok(())
    });
    Ok(parser.append_element_content_handler((Cow::Owned(selector), look)))
}

/// Adds the handler that gives up where what is put in has to fit a policy of the page's own: such a page streams.
fn refuse_policies(parser: Parser, recorder: &Rc<Recorder>) -> Result<Parser, RewriteError> {
    let selector = "meta[http-equiv]".parse::<Selector>();
    let selector = selector.map_err(|_| RewriteError::Parser)?;
    let recorder = Rc::clone(recorder);
    let look = Handlers::default().element(move |element: &mut Element<'_, '_>| {
        if declared_policies::has_nonce(element) {
            recorder.refusal.set(Some(RewriteError::Parser));
            return Err(RewriteError::Parser.into());
        }
        Ok(())
    });
    Ok(parser.append_element_content_handler((Cow::Owned(selector), look)))
}
