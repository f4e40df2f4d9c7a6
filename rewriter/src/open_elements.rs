//! The elements that are open while a page streams, by HTML's rules for tags that were left out.
//!
//! This follows the tree construction of the HTML standard as far as the ends of elements go
//! (<https://html.spec.whatwg.org/multipage/parsing.html#tree-construction>).

use crate::attributes::{Attribute, Attributes};
use crate::names::{KNOWN_NAMES, Kind, Name};
use crate::walk::Implied;
use std::cell::Cell;
use std::collections::HashMap;

/// How many open elements may be looked at besides those that each tag allows for: searching through deep pages again and
/// again takes long.
const MAX_SEARCHED: usize = 4 * 1024 * 1024;
const SEARCHED_FOR_A_TAG: usize = 64;
/// So many bytes of a name count as one element more.
const LONG_NAME: usize = 64;

/// A start tag.
pub(crate) struct StartTag<'a> {
    pub(crate) name: Name,
    pub(crate) is_self_closing: bool,
    /// The tag as it is written.
    pub(crate) written: &'a [u8],
}

/// An element that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) name: Name,
    /// Whether somebody waited for its end.
    pub(crate) is_awaited: bool,
    /// Whether the browser has made it without a tag, or needs no end tag of it any more.
    is_made: bool,
}

/// An element that the browser makes without a tag.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) name: Name,
    /// Whether it is open now; a head that nothing stands in is not.
    pub(crate) is_open: bool,
}

/// What text or a tag has begun and ended before it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) ended: Ended,
    pub(crate) made: Vec<Made>,
}

/// Elements that end although their end tags are not there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// All of them, in the order of their ends.
    pub(crate) elements: Vec<Closed>,
    /// Those whose end tags would have ended the others, too.
    pub(crate) outermost: Vec<Name>,
}

/// What a start tag does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) before: Before,
    /// Whether there is an element: the browser ignores some tags.
    pub(crate) is_element: bool,
    pub(crate) is_html: bool,
    /// Whether there is an element open now that has content and an end: a head whose tag comes late is open although its tag
    /// makes no element.
    pub(crate) is_open: bool,
}

/// What an end tag does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EndTag {
    /// What has ended before its element, and what has begun if it has none.
    pub(crate) before: Before,
    /// Its element; `None` if it has none, or the browser does not end it here.
    pub(crate) closed: Option<Closed>,
}

/// The page is so deep that following it would take too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooDeep;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Html,
    Svg,
    MathMl,
}

struct OpenElement {
    name: Name,
    language: Language,
    /// Whether HTML stands again in an element of another language.
    holds_html: bool,
    /// What the rules of HTML say of it; in SVG and MathML, nothing.
    kind: Kind,
    is_special: bool,
    is_awaited: bool,
    is_made: bool,
}

impl Before {
    /// Whether nothing has begun or ended.
    pub(crate) const fn is_nothing(&self) -> bool {
        self.ended.elements.is_empty() && self.made.is_empty()
    }
}

impl Ended {
    /// The end tags that are unnecessary before the tag that has ended these.
    pub(crate) fn implied(&self) -> Implied {
        if self.elements.is_empty() {
            return Implied::default();
        }
        let with_tags = self.elements.iter().filter(|closed| !closed.is_made).count();
        Implied {
            names: self.outermost.clone(),
            end_others: with_tags > self.outermost.len(),
        }
    }
}

impl Closed {
    /// Whether it has a start tag, and so could have an end tag.
    pub(crate) const fn has_tag(&self) -> bool {
        !self.is_made
    }
}

impl OpenElement {
    fn is_foreign(&self) -> bool {
        self.language != Language::Html
    }

    fn is_html(&self, name: &Name) -> bool {
        self.language == Language::Html && self.name == *name
    }
}

pub(crate) struct OpenElements {
    elements: Vec<OpenElement>,
    /// How many of each name are open: most questions end here.
    counts: [u32; KNOWN_NAMES],
    other_counts: HashMap<Name, u32>,
    /// How many open elements may still be looked at.
    left_to_search: Cell<usize>,
    /// How many templates are open.
    templates: usize,
    has_head: bool,
    has_body: bool,
    /// Whether the page has frames, which stand in the place of a body.
    has_frames: bool,
    /// Whether the page has no doctype, or an old one: paragraphs hold tables then.
    is_quirky: bool,
    /// Whether it has tags of a document, or a doctype. Others may be fragments, which a script puts where they belong: rows of a
    /// table, say.
    is_document: bool,
}

const ANNOTATION: Name = Name::known("annotation-xml");
const BODY: Name = Name::known("body");
const BUTTON: Name = Name::known("button");
const COL: Name = Name::known("col");
const COLGROUP: Name = Name::known("colgroup");
const DD: Name = Name::known("dd");
const DT: Name = Name::known("dt");
const FORM: Name = Name::known("form");
const FRAME: Name = Name::known("frame");
const FRAMESET: Name = Name::known("frameset");
const HEAD: Name = Name::known("head");
const HTML: Name = Name::known("html");
const IMAGE: Name = Name::known("image");
const LI: Name = Name::known("li");
const OPTGROUP: Name = Name::known("optgroup");
const OPTION: Name = Name::known("option");
const P: Name = Name::known("p");
const RTC: Name = Name::known("rtc");
const RUBY: Name = Name::known("ruby");
const SELECT: Name = Name::known("select");
const TABLE: Name = Name::known("table");
const TBODY: Name = Name::known("tbody");
const TD: Name = Name::known("td");
const TEMPLATE: Name = Name::known("template");
const TH: Name = Name::known("th");
const TR: Name = Name::known("tr");
const SVG: Name = Name::known("svg");
const MATH: Name = Name::known("math");

impl OpenElements {
    /// Nothing is open, and no document type has come.
    pub(crate) fn new() -> Self {
        Self {
            elements: Vec::new(),
            counts: [0; KNOWN_NAMES],
            other_counts: HashMap::new(),
            left_to_search: Cell::new(MAX_SEARCHED),
            templates: 0,
            has_head: false,
            has_body: false,
            has_frames: false,
            is_quirky: true,
            is_document: false,
        }
    }

    /// Takes note of a document type.
    pub(crate) fn doctype(&mut self, is_quirky: bool) {
        (self.is_quirky, self.is_document) = (is_quirky, true);
    }

    /// Whether the page is a document in which the case of classes and ids makes no difference.
    pub(crate) const fn are_of_old_document(&self) -> bool {
        self.is_quirky && self.is_document
    }

    /// Whether what follows stands in an element of SVG or MathML, be it one in which HTML stands again.
    pub(crate) fn are_foreign(&self) -> bool {
        self.elements.last().is_some_and(OpenElement::is_foreign)
    }

    /// Whether what follows stands in a template, and so is no part of the page.
    pub(crate) const fn are_template(&self) -> bool {
        self.templates > 0
    }

    /// How many elements are open.
    pub(crate) const fn count(&self) -> usize {
        self.elements.len()
    }

    /// The name of the element that was opened last.
    #[cfg(test)]
    pub(crate) fn last_name(&self) -> Option<&Name> {
        self.elements.last().map(|last| &last.name)
    }

    /// Takes note that somebody waits for the end of the element that was opened last.
    pub(crate) fn await_end(&mut self) {
        if let Some(last) = self.elements.last_mut() {
            last.is_awaited = true;
        }
    }

    /// Whether a start tag is one of HTML where it stands, and so an old name for another.
    pub(crate) fn is_image(&self, name: &Name) -> bool {
        *name == IMAGE && self.language(name) == Language::Html
    }

    /// The language of what a start tag stands in.
    fn language(&self, name: &Name) -> Language {
        match self.elements.last() {
            None => Language::Html,
            Some(parent) if !parent.holds_html => match parent.name == ANNOTATION && *name == SVG {
                true => Language::Html,
                false => parent.language,
            },
            // Two glyphs are MathML even in its text.
            Some(parent)
                if parent.language == Language::MathMl
                    && parent.name.is(Kind::HTML_IN_MATH)
                    && matches!(name.bytes(), b"mglyph" | b"malignmark") =>
            {
                Language::MathMl
            }
            Some(_) => Language::Html,
        }
    }

    /// Takes note of a start tag.
    pub(crate) fn start(&mut self, tag: StartTag<'_>) -> Result<Started, TooDeep> {
        self.may_search()?;
        let mut before = Before::default();
        let mut around = self.language(&tag.name);
        if around != Language::Html && leaves_foreign(&tag) {
            self.end_foreign(&mut before.ended);
            around = Language::Html;
        }
        let own = match &tag.name {
            _ if around != Language::Html => around,
            name if *name == SVG => Language::Svg,
            name if *name == MATH => Language::MathMl,
            _ => Language::Html,
        };
        let is_html = own == Language::Html;
        if around == Language::Html {
            self.is_document |= [HTML, HEAD, BODY].contains(&tag.name);
            if self.is_ignored(&tag.name) {
                if tag.name.is(Kind::TABLE_PART) || tag.name == FRAME {
                    // It is no element, but what is none of the head ends that.
                    self.end_head(&mut before.ended);
                    self.make_body(&mut before.made);
                }
                return Ok(Started {
                    before,
                    is_element: false,
                    is_html,
                    is_open: self.gives_head_its_tag(&tag.name),
                });
            }
            self.end_by(&tag.name, &mut before.ended);
            self.make_for(&tag.name, &mut before.made);
            if tag.name.is(Kind::TABLE_PART) {
                self.make_table_parts(&tag.name, &mut before.made);
            }
        }
        let is_open = match is_html {
            true => !tag.name.is(Kind::VOID),
            false => !tag.is_self_closing,
        };
        if is_open {
            let holds_html = holds_html(&tag, own);
            self.push(tag.name, own, holds_html, false);
        }
        Ok(Started {
            before,
            is_element: true,
            is_html,
            is_open,
        })
    }

    fn push(&mut self, name: Name, language: Language, holds_html: bool, is_made: bool) {
        self.count_up(&name);
        let is_html = language == Language::Html;
        self.templates += usize::from(is_html && name == TEMPLATE);
        self.elements.push(OpenElement {
            is_special: match language {
                Language::Html => name.is(Kind::SPECIAL),
                Language::Svg => name.is(Kind::HTML_IN_SVG),
                Language::MathMl => name.is(Kind::HTML_IN_MATH) || name == ANNOTATION,
            },
            holds_html,
            kind: if is_html { name.kind() } else { Kind::NONE },
            is_awaited: false,
            is_made,
            name,
            language,
        });
    }

    /// Whether the browser ignores a start tag: there is one document, with one head and one body, and no form in a form.
    fn is_ignored(&self, name: &Name) -> bool {
        if self.templates > 0 {
            return false;
        }
        if self.has_frames {
            return match name.bytes() {
                b"noframes" => false,
                b"frame" | b"frameset" => !self.is_open(&FRAMESET),
                _ => true,
            };
        }
        match name {
            name if *name == HTML => self.has_head || self.has_body || self.is_open(&HTML),
            name if *name == HEAD => self.has_head || self.has_body,
            name if *name == BODY || *name == FRAMESET => self.has_body,
            name if *name == FRAME => true,
            name if *name == FORM => self.is_open(&FORM),
            _ => name.is(Kind::TABLE_PART) && self.is_document && !self.is_open(&TABLE),
        }
    }

    /// Whether an ignored tag is the one of the head that is open: something of it has come before.
    fn gives_head_its_tag(&mut self, name: &Name) -> bool {
        match self.elements.last_mut() {
            Some(last) if *name == HEAD && last.is_made && last.is_html(&HEAD) => {
                last.is_made = false;
                true
            }
            _ => false,
        }
    }

    /// Makes the elements of the document that a start tag stands in, if they have no tags of their own.
    fn make_for(&mut self, name: &Name, made: &mut Vec<Made>) {
        if self.templates > 0 || *name == HTML {
            return;
        }
        self.make(&HTML, made);
        if *name == HEAD {
            self.has_head = true;
        } else if name.is(Kind::HEAD) {
            if !self.has_head && !self.has_body {
                self.make(&HEAD, made);
                self.has_head = true;
            }
        } else if *name == BODY || *name == FRAMESET {
            self.make_empty_head(made);
            self.has_body = true;
            self.has_frames = *name == FRAMESET;
        } else {
            self.make_body(made);
        }
    }

    /// Makes what content stands in.
    fn make_body(&mut self, made: &mut Vec<Made>) {
        if self.templates == 0 && !self.has_frames {
            self.make(&HTML, made);
            self.make_empty_head(made);
            self.make(&BODY, made);
            self.has_body = true;
        }
    }

    fn make_empty_head(&mut self, made: &mut Vec<Made>) {
        if !self.has_head {
            self.has_head = true;
            made.push(Made {
                name: HEAD,
                is_open: false,
            });
        }
    }

    /// Makes the parts of a table that another part stands in.
    fn make_table_parts(&mut self, name: &Name, made: &mut Vec<Made>) {
        let is_cell = *name == TD || *name == TH;
        if (is_cell || *name == TR) && self.last_is(&TABLE) {
            self.make_anew(&TBODY, made);
        }
        if is_cell
            && self
                .elements
                .last()
                .is_some_and(|last| last.kind.is(Kind::ROW_GROUP))
        {
            self.make_anew(&TR, made);
        }
        if *name == COL && self.last_is(&TABLE) {
            self.make_anew(&COLGROUP, made);
        }
    }

    fn make(&mut self, name: &Name, made: &mut Vec<Made>) {
        if !self.is_open(name) {
            self.make_anew(name, made);
        }
    }

    fn make_anew(&mut self, name: &Name, made: &mut Vec<Made>) {
        self.push(name.clone(), Language::Html, false, true);
        made.push(Made {
            name: name.clone(),
            is_open: true,
        });
    }

    /// Ends the SVG or MathML that is open, up to where HTML stands in it or around it.
    fn end_foreign(&mut self, ended: &mut Ended) {
        let place = self.last_that(|element| !element.is_foreign() || element.holds_html);
        let first = place.map_or(0, |place| place + 1);
        if first < self.elements.len() {
            self.end_to(first, ended);
        }
    }

    /// Allows for the searches of one more tag.
    #[inline]
    fn may_search(&self) -> Result<(), TooDeep> {
        let left = self.left_to_search.get();
        self.left_to_search.set(left.saturating_add(SEARCHED_FOR_A_TAG));
        if left == 0 { Err(TooDeep) } else { Ok(()) }
    }

    /// The place of the last element of a kind.
    fn last_that(&self, is_it: impl Fn(&OpenElement) -> bool) -> Option<usize> {
        let place = self.elements.iter().rposition(is_it);
        let searched = self.elements.len() - place.unwrap_or(0);
        self.left_to_search
            .set(self.left_to_search.get().saturating_sub(searched));
        place
    }

    fn count_up(&mut self, name: &Name) {
        match name {
            Name::Known(number) => {
                if let Some(count) = self.counts.get_mut(usize::from(*number)) {
                    *count += 1;
                }
            }
            other => *self.other_counts.entry(other.clone()).or_default() += 1,
        }
    }

    fn count_down(&mut self, name: &Name) {
        match name {
            Name::Known(number) => {
                if let Some(count) = self.counts.get_mut(usize::from(*number)) {
                    *count -= 1;
                }
            }
            other => {
                if let Some(count) = self.other_counts.get_mut(other) {
                    *count -= 1;
                    if *count == 0 {
                        self.other_counts.remove(other);
                    }
                }
            }
        }
    }

    fn is_open(&self, name: &Name) -> bool {
        match name {
            Name::Known(number) => self
                .counts
                .get(usize::from(*number))
                .is_some_and(|count| *count > 0),
            other => self.other_counts.contains_key(other),
        }
    }

    /// Takes note of text that is not blank.
    pub(crate) fn text(&mut self) -> Before {
        let mut before = Before::default();
        self.end_head(&mut before.ended);
        self.end_last(&COLGROUP, &mut before.ended);
        if self.elements.last().is_none_or(|last| last.is_html(&HTML)) {
            self.make_body(&mut before.made);
        }
        before
    }

    /// Takes note of an end tag.
    pub(crate) fn end(&mut self, name: &Name) -> Result<EndTag, TooDeep> {
        self.may_search()?;
        let mut before = Before::default();
        if self.has_frames && self.templates == 0 && !matches!(name.bytes(), b"frameset" | b"noframes") {
            return Ok(EndTag { before, closed: None });
        }
        if self.are_foreign() {
            if matches!(name.bytes(), b"p" | b"br") {
                // These end the SVG or MathML that they stand in.
                self.end_foreign(&mut before.ended);
            } else if let Some(place) =
                self.last_that(|element| !element.is_foreign() || element.name == *name)
                && self.elements.get(place).is_some_and(OpenElement::is_foreign)
            {
                return Ok(self.end_at(place, before));
            }
        }
        if matches!(name.bytes(), b"body" | b"html" | b"br") {
            // The body that these are of, or stand in, begins.
            self.end_head(&mut before.ended);
            if !self.has_body {
                self.make_body(&mut before.made);
            }
        }
        if name.is(Kind::HEADING)
            && let Some(place) = self.last_that(|element| element.kind.is(Kind::HEADING))
            && let Some(within) = self.elements.get(place + 1..)
            && !within.iter().any(in_scope)
        {
            // Any heading's end tag ends the one that is open.
            return Ok(self.end_at(place, before));
        }
        let is_ended = self.last_place(name).filter(|place| {
            let within = self.elements.get(place + 1..).unwrap_or_default();
            !within.iter().any(|inner| stops(name, inner))
        });
        Ok(match is_ended {
            Some(place) => self.end_at(place, before),
            None => {
                self.make_by_end(name, &mut before.made);
                EndTag { before, closed: None }
            }
        })
    }

    /// Makes the element of an end tag that has none to end: the browser makes one for paragraphs and breaks.
    fn make_by_end(&mut self, name: &Name, made: &mut Vec<Made>) {
        let is_content = match name.bytes() {
            b"p" => self.has_body && self.templates == 0,
            b"br" => true,
            _ => false,
        };
        let is_in_table = |last: &OpenElement| {
            last.kind.is(Kind::ROW_GROUP) || matches!(last.name.bytes(), b"colgroup" | b"table" | b"tr")
        };
        // What would stand in a table stands before it.
        if is_content && !self.has_frames && !self.elements.last().is_some_and(is_in_table) {
            self.make_body(made);
            made.push(Made {
                name: name.clone(),
                is_open: false,
            });
        }
    }

    /// Ends the element at a place, and those that are open within.
    fn end_at(&mut self, place: usize, mut before: Before) -> EndTag {
        if self.is_one_of(place, &[&BODY, &HTML]) {
            return self.end_document(place, before);
        }
        if place + 1 < self.elements.len() {
            self.end_to(place + 1, &mut before.ended);
        }
        let closed = self.close();
        EndTag { before, closed }
    }

    /// Tells the end of the body or the document, and of all that is in it: here is where content is put that goes to their
    /// ends. What follows stands in them all the same.
    fn end_document(&mut self, place: usize, mut before: Before) -> EndTag {
        let mut closed: Option<Closed> = None;
        let mut outermost = None;
        let over = self.elements.get_mut(place..).unwrap_or_default().iter_mut();
        for element in over.rev() {
            let this = Closed {
                name: element.name.clone(),
                is_awaited: element.is_awaited,
                is_made: element.is_made,
            };
            // Its end is told once.
            element.is_awaited = false;
            // No other tag ends these.
            element.is_made |= element.is_html(&BODY) || element.is_html(&HTML);
            if let Some(inner) = closed.replace(this) {
                if inner.has_tag() {
                    outermost = Some(inner.name.clone());
                }
                before.ended.elements.push(inner);
            }
        }
        before.ended.outermost.extend(outermost);
        EndTag { before, closed }
    }

    /// Takes note of the page's end, unless that is in a place where nothing but text can stand.
    pub(crate) fn finish(&mut self) -> Ended {
        let mut ended = Ended::default();
        let is_text = self.elements.iter().any(|element| element.kind.is(Kind::TEXT));
        if !is_text {
            self.end_to(0, &mut ended);
        }
        ended
    }

    fn end_by(&mut self, name: &Name, ended: &mut Ended) {
        if !name.is(Kind::HEAD) {
            self.end_head(ended);
        }
        if *name != COL && *name != TEMPLATE {
            self.end_last(&COLGROUP, ended);
        }
        if name.is(Kind::TABLE_PART) {
            self.end_table_parts(name, ended);
        } else if name.is(Kind::ENDS_OTHERS) {
            match name.bytes() {
                b"li" => self.end_item(&[&LI], ended),
                b"dd" | b"dt" => self.end_item(&[&DD, &DT], ended),
                b"a" | b"nobr" => {
                    if let Some(place) = self.place_in(name, |element| element.is_special) {
                        self.end_to(place, ended);
                    }
                }
                b"button" => {
                    if let Some(place) = self.place_in(name, in_scope) {
                        self.end_to(place, ended);
                    }
                }
                b"option" => self.end_last(&OPTION, ended),
                b"optgroup" | b"hr" => {
                    self.end_last(&OPTION, ended);
                    if self.place_in(&SELECT, |element| element.is_special).is_some() {
                        self.end_last(&OPTGROUP, ended);
                    }
                }
                b"rb" | b"rp" | b"rt" | b"rtc" if self.place_in(&RUBY, in_scope).is_some() => {
                    let keeps_container = matches!(name.bytes(), b"rp" | b"rt");
                    while let Some(last) = self.elements.last()
                        && last.kind.is(Kind::IMPLIED_END)
                        && !(keeps_container && last.name == RTC)
                    {
                        self.end_to(self.elements.len() - 1, ended);
                    }
                }
                b"table" => self.end_table_in_table(ended),
                _ => {}
            }
        }
        if name.is(Kind::ENDS_PARAGRAPH) || (*name == TABLE && !self.is_quirky) {
            self.end_paragraph(ended);
        }
        if name.is(Kind::HEADING)
            && self
                .elements
                .last()
                .is_some_and(|last| last.kind.is(Kind::HEADING))
        {
            self.end_to(self.elements.len() - 1, ended);
        }
    }

    fn end_paragraph(&mut self, ended: &mut Ended) {
        let bound = |element: &OpenElement| in_scope(element) || element.name == BUTTON;
        if let Some(place) = self.place_in(&P, bound) {
            self.end_to(place, ended);
        }
    }

    /// Ends the list's item that is open, if it is of the list that is open.
    fn end_item(&mut self, names: &[&Name], ended: &mut Ended) {
        if !names.iter().any(|name| self.is_open(name)) {
            return;
        }
        let bound = |element: &OpenElement| {
            element.is_special && !matches!(element.name.bytes(), b"address" | b"div" | b"p")
        };
        let place = self
            .last_that(bound)
            .filter(|place| self.is_one_of(*place, names));
        if let Some(place) = place {
            self.end_to(place, ended);
        }
    }

    /// A table that stands in a table, but in no cell of it, ends it.
    fn end_table_in_table(&mut self, ended: &mut Ended) {
        let place = self.last_that(|element| {
            element.kind.is(Kind::TABLE_SCOPE) || matches!(element.name.bytes(), b"caption" | b"td" | b"th")
        });
        if let Some(place) = place.filter(|place| self.is_one_of(*place, &[&TABLE])) {
            self.end_to(place, ended);
        }
    }

    /// A part of a table ends what is open in the table, down to where the part belongs.
    fn end_table_parts(&mut self, name: &Name, ended: &mut Ended) {
        let Some(table) = self.last_that(|element| element.kind.is(Kind::TABLE_SCOPE)) else {
            return;
        };
        if self.is_one_of(table, &[&HTML]) {
            return;
        }
        let last_of = |wanted: fn(&OpenElement) -> bool| {
            let place = self.last_that(wanted);
            place.filter(|place| *place > table)
        };
        let is_row_group = |element: &OpenElement| element.kind.is(Kind::ROW_GROUP);
        let holder = match name.bytes() {
            b"td" | b"th" => last_of(|element| element.is_html(&TR)).or_else(|| last_of(is_row_group)),
            b"tr" => last_of(is_row_group),
            b"col" if self.last_is(&COLGROUP) => Some(self.elements.len() - 1),
            _ => None,
        };
        self.end_to(holder.unwrap_or(table) + 1, ended);
    }

    fn end_head(&mut self, ended: &mut Ended) {
        self.end_last(&HEAD, ended);
    }

    fn end_last(&mut self, name: &Name, ended: &mut Ended) {
        if self.last_is(name) {
            self.end_to(self.elements.len() - 1, ended);
        }
    }

    /// Ends all elements from a place on.
    fn end_to(&mut self, place: usize, ended: &mut Ended) {
        let mut outermost = None;
        while self.elements.len() > place
            && let Some(closed) = self.close()
        {
            // What has no start tag needs no end tag.
            if !closed.is_made {
                outermost = Some(closed.name.clone());
            }
            ended.elements.push(closed);
        }
        ended.outermost.extend(outermost);
    }

    /// Ends the last element.
    fn close(&mut self) -> Option<Closed> {
        let element = self.elements.pop()?;
        self.count_down(&element.name);
        self.templates -= usize::from(element.is_html(&TEMPLATE));
        Some(Closed {
            name: element.name,
            is_awaited: element.is_awaited,
            is_made: element.is_made,
        })
    }

    fn last_is(&self, name: &Name) -> bool {
        self.elements.last().is_some_and(|last| last.is_html(name))
    }

    fn is_one_of(&self, place: usize, names: &[&Name]) -> bool {
        self.elements
            .get(place)
            .is_some_and(|element| !element.is_foreign() && names.contains(&&element.name))
    }

    fn last_place(&self, name: &Name) -> Option<usize> {
        if !self.is_open(name) {
            return None;
        }
        // Long names take long to compare.
        let extra = self.elements.len() * (name.bytes().len() / LONG_NAME);
        self.left_to_search
            .set(self.left_to_search.get().saturating_sub(extra));
        self.last_that(|element| element.is_html(name))
    }

    /// The place of the last element of a name, if no element that bounds the search is within it.
    fn place_in(&self, name: &Name, bounds: impl Fn(&OpenElement) -> bool) -> Option<usize> {
        let place = self.last_place(name)?;
        let within = self.elements.get(place + 1..)?;
        (!within.iter().any(bounds)).then_some(place)
    }
}

fn in_scope(element: &OpenElement) -> bool {
    match element.language {
        Language::Html => element.kind.is(Kind::SCOPE),
        _ => element.is_special,
    }
}

/// Whether an end tag does not reach beyond an open element.
fn stops(name: &Name, inner: &OpenElement) -> bool {
    match name.bytes() {
        b"template" | b"head" => false,
        b"p" => in_scope(inner) || inner.name == BUTTON,
        b"li" => in_scope(inner) || matches!(inner.name.bytes(), b"ol" | b"ul"),
        b"caption" | b"table" | b"td" | b"th" | b"tr" => inner.kind.is(Kind::TABLE_SCOPE),
        _ if name.is(Kind::ROW_GROUP) => inner.kind.is(Kind::TABLE_SCOPE),
        _ if name.is(Kind::FORMATTING) || !name.is(Kind::SPECIAL) => inner.is_special,
        _ => in_scope(inner),
    }
}

/// Whether a start tag within SVG or MathML ends that.
fn leaves_foreign(tag: &StartTag<'_>) -> bool {
    const FONT: Name = Name::known("font");
    let is_of_html = |attribute: Attribute| {
        let name = attribute.name(tag.written);
        [&b"color"[..], b"face", b"size"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    tag.name.is(Kind::LEAVES_FOREIGN) || (tag.name == FONT && Attributes::of(tag.written).any(is_of_html))
}

/// Whether HTML stands again within an element of SVG or MathML.
fn holds_html(tag: &StartTag<'_>, language: Language) -> bool {
    const OF_HTML: [&[u8]; 2] = [b"text/html", b"application/xhtml+xml"];
    match language {
        Language::Html => false,
        Language::Svg => tag.name.is(Kind::HTML_IN_SVG),
        Language::MathMl if tag.name == ANNOTATION => {
            let mut attributes = Attributes::of(tag.written);
            let encoding = attributes.find(|one| one.name(tag.written).eq_ignore_ascii_case(b"encoding"));
            encoding.is_some_and(|encoding| {
                let value = encoding.value(tag.written);
                OF_HTML.iter().any(|known| value.eq_ignore_ascii_case(known))
            })
        }
        Language::MathMl => tag.name.is(Kind::HTML_IN_MATH),
    }
}
