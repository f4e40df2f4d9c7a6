//! The elements that are open while a page streams, by HTML's rules for tags that were left out.
//!
//! This follows the tree construction of the HTML standard as far as the ends of elements go
//! (<https://html.spec.whatwg.org/multipage/parsing.html#tree-construction>).

use crate::names::{KNOWN_NAMES, Kind, Name};
use std::cell::Cell;
use std::collections::HashMap;

/// How many open elements may be looked at besides those that each tag allows for: searching through deep pages again and
/// again takes long.
const MAX_SEARCHED: usize = 4 * 1024 * 1024;
const SEARCHED_FOR_A_TAG: usize = 64;

/// A start tag.
pub(crate) struct StartTag<'a> {
    pub(crate) name: Name,
    pub(crate) is_self_closing: bool,
    /// The tag as it is written.
    pub(crate) written: &'a [u8],
}

/// Elements that end although their end tags are not there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// All of them, in the order of their ends.
    pub(crate) names: Vec<Name>,
    /// Those whose end tags would have ended the others, too.
    pub(crate) outermost: Vec<Name>,
}

/// What a start tag does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) ended: Ended,
    pub(crate) is_html: bool,
    /// Whether the parser of the page takes what follows for SVG or MathML until an end tag comes, though the element is
    /// over.
    pub(crate) needs_end: bool,
}

/// What an end tag does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EndTag {
    /// It ends its element, and those that are open within.
    Ends(Ended),
    /// It ends an element of this other name, and those that are open within.
    EndsOther(Name, Ended),
    /// Its element is open, but the browser does not end it here.
    Ignored,
    /// Nothing of its name is open.
    Stray,
}

/// HTML where the parser of the page cannot know how the browser goes on: how it gets out of SVG or MathML, say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unclear;

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
    is_special: bool,
}

impl OpenElement {
    fn is_foreign(&self) -> bool {
        self.language != Language::Html
    }
}

pub(crate) struct OpenElements {
    elements: Vec<OpenElement>,
    /// How many of each name are open: most questions end here.
    counts: [u32; KNOWN_NAMES],
    other_counts: HashMap<Name, u32>,
    /// How many open elements may still be looked at.
    left_to_search: Cell<usize>,
    /// Whether the page has no doctype, or an old one: paragraphs hold tables then.
    pub(crate) is_quirky: bool,
}

const ANNOTATION: Name = Name::known("annotation-xml");
const BUTTON: Name = Name::known("button");
const COL: Name = Name::known("col");
const COLGROUP: Name = Name::known("colgroup");
const DD: Name = Name::known("dd");
const DT: Name = Name::known("dt");
const HEAD: Name = Name::known("head");
const HTML: Name = Name::known("html");
const LI: Name = Name::known("li");
const OPTGROUP: Name = Name::known("optgroup");
const OPTION: Name = Name::known("option");
const P: Name = Name::known("p");
const RTC: Name = Name::known("rtc");
const RUBY: Name = Name::known("ruby");
const SELECT: Name = Name::known("select");
const TABLE: Name = Name::known("table");
const TEMPLATE: Name = Name::known("template");
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
            is_quirky: true,
        }
    }

    /// Whether what follows is SVG or MathML.
    pub(crate) fn are_foreign(&self) -> bool {
        self.language() != Language::Html
    }

    /// The language of what follows.
    fn language(&self) -> Language {
        match self.elements.last() {
            Some(parent) if !parent.holds_html => parent.language,
            _ => Language::Html,
        }
    }

    /// Takes note of a start tag.
    pub(crate) fn start(&mut self, tag: StartTag<'_>) -> Result<Started, Unclear> {
        self.may_search()?;
        let mut ended = Ended::default();
        let around = self.language();
        let own = match &tag.name {
            name if *name == SVG => Language::Svg,
            name if *name == MATH => Language::MathMl,
            _ => around,
        };
        let needs_end = tag.is_self_closing && (tag.name == SVG || tag.name == MATH);
        if needs_end && self.is_open(&tag.name) {
            // The end tag would be that of the other one.
            return Err(Unclear);
        }
        if around == Language::Html {
            self.end_by(&tag.name, &mut ended);
        } else if own != around || leaves_foreign(&tag) {
            return Err(Unclear);
        }
        let is_html = own == Language::Html;
        let has_content = !(tag.name.is(Kind::VOID) || (tag.is_self_closing && !is_html));
        if has_content {
            let holds_html = around == own && holds_html(&tag, own);
            self.count(&tag.name);
            self.elements.push(OpenElement {
                is_special: if is_html {
                    tag.name.is(Kind::SPECIAL)
                } else {
                    holds_html
                },
                name: tag.name,
                language: own,
                holds_html,
            });
        }
        Ok(Started {
            ended,
            is_html,
            needs_end,
        })
    }

    /// Whether an end tag is one of those that end HTML in the language of an element.
    fn leaves_html(&self, name: &Name, holder: usize) -> bool {
        match self.elements.get(holder).map(|holder| holder.language) {
            Some(Language::Svg) => name.is(Kind::HTML_IN_SVG),
            Some(Language::MathMl) => name.is(Kind::HTML_IN_MATH) || *name == ANNOTATION,
            _ => false,
        }
    }

    /// Allows for the searches of one more tag.
    fn may_search(&self) -> Result<(), Unclear> {
        let left = self.left_to_search.get();
        self.left_to_search.set(left.saturating_add(SEARCHED_FOR_A_TAG));
        if left == 0 { Err(Unclear) } else { Ok(()) }
    }

    /// The place of the last element of a kind.
    fn last_that(&self, is_it: impl Fn(&OpenElement) -> bool) -> Option<usize> {
        let place = self.elements.iter().rposition(is_it);
        let searched = self.elements.len() - place.unwrap_or(0);
        self.left_to_search
            .set(self.left_to_search.get().saturating_sub(searched));
        place
    }

    fn count(&mut self, name: &Name) {
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

    /// Takes note of text that is not blank; gives the elements that it ends.
    pub(crate) fn text(&mut self) -> Ended {
        let mut ended = Ended::default();
        self.end_head(&mut ended);
        self.end_last(&COLGROUP, &mut ended);
        ended
    }

    /// Takes note of an end tag.
    pub(crate) fn end(&mut self, name: &Name) -> Result<EndTag, Unclear> {
        self.may_search()?;
        if name.is(Kind::HEADING)
            && let Some(place) = self.last_that(|element| element.name.is(Kind::HEADING))
            && let Some(within) = self.elements.get(place + 1..)
            && !within.iter().any(in_scope)
            && !self.is_one_of(place, &[name])
        {
            // Any heading's end tag ends the one that is open.
            let mut ended = Ended::default();
            self.end_to(place + 1, &mut ended);
            let name = self.close();
            return Ok(name.map_or(EndTag::Stray, |name| EndTag::EndsOther(name, ended)));
        }
        if self.are_foreign() && matches!(name.bytes(), b"p" | b"br") {
            // These end the SVG or MathML that they stand in.
            return Err(Unclear);
        }
        if (name.is(Kind::HTML_IN_SVG.and(Kind::HTML_IN_MATH)) || *name == ANNOTATION)
            && let Some(holder) = self.last_that(|element| element.holds_html)
            && !self.are_foreign()
            && self.leaves_html(name, holder)
            && self.last_place(name) != Some(holder)
        {
            // The parser of the page takes it for the end of HTML in SVG or MathML, wherever it stands.
            return Err(Unclear);
        }
        let Some(place) = self.last_place(name) else {
            return Ok(EndTag::Stray);
        };
        let (Some(element), Some(within)) = (self.elements.get(place), self.elements.get(place + 1..)) else {
            return Ok(EndTag::Stray);
        };
        let mut ended = Ended::default();
        if !within.is_empty() {
            if element.is_foreign() {
                // The parser takes `<math>` in SVG for the other language's, and does not get out of it here.
                let changes_language = |inner: &OpenElement| inner.name == SVG || inner.name == MATH;
                if within
                    .iter()
                    .any(|inner| (inner.is_special && !inner.is_foreign()) || changes_language(inner))
                {
                    return Err(Unclear);
                }
            } else if within.iter().any(OpenElement::is_foreign) {
                return Err(Unclear);
            } else if within.iter().any(|inner| stops(name, inner)) {
                return Ok(EndTag::Ignored);
            }
            self.end_to(place + 1, &mut ended);
        }
        self.close();
        Ok(EndTag::Ends(ended))
    }

    /// Takes note of the page's end, unless it is in a place where nothing but text can stand.
    pub(crate) fn finish(&mut self) -> Ended {
        let mut ended = Ended::default();
        let is_text = self
            .elements
            .iter()
            .any(|element| element.name.is(Kind::TEXT) || element.is_foreign());
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
                        && last.name.is(Kind::IMPLIED_END)
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
                .is_some_and(|last| last.name.is(Kind::HEADING))
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
            element.name.is(Kind::TABLE_SCOPE) || matches!(element.name.bytes(), b"caption" | b"td" | b"th")
        });
        if let Some(place) = place.filter(|place| self.is_one_of(*place, &[&TABLE])) {
            self.end_to(place, ended);
        }
    }

    /// A part of a table ends what is open in the table, down to where the part belongs.
    fn end_table_parts(&mut self, name: &Name, ended: &mut Ended) {
        let Some(table) = self.last_that(|element| element.name.is(Kind::TABLE_SCOPE)) else {
            return;
        };
        if self.is_one_of(table, &[&HTML]) {
            return;
        }
        let last_of = |wanted: fn(&Name) -> bool| {
            let place = self.last_that(|element| wanted(&element.name));
            place.filter(|place| *place > table)
        };
        let is_row_group = |name: &Name| name.is(Kind::ROW_GROUP);
        let holder = match name.bytes() {
            b"td" | b"th" => last_of(|name| *name == TR).or_else(|| last_of(is_row_group)),
            b"tr" => last_of(is_row_group),
            b"col" if self.last_is(&COLGROUP) => Some(self.elements.len() - 1),
            _ => None,
        };
        self.end_to(holder.unwrap_or(table) + 1, ended);
    }

    /// Ends the head, and a second one in it: for the browser they are one.
    fn end_head(&mut self, ended: &mut Ended) {
        let place = self.last_that(|element| element.name != HEAD);
        let first = place.map_or(0, |place| place + 1);
        if first < self.elements.len() {
            self.end_to(first, ended);
        }
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
            && let Some(name) = self.close()
        {
            ended.names.push(name.clone());
            outermost = Some(name);
        }
        ended.outermost.extend(outermost);
    }

    /// Ends the last element.
    fn close(&mut self) -> Option<Name> {
        let element = self.elements.pop()?;
        self.count_down(&element.name);
        Some(element.name)
    }

    fn last_is(&self, name: &Name) -> bool {
        self.elements.last().is_some_and(|last| last.name == *name)
    }

    fn is_one_of(&self, place: usize, names: &[&Name]) -> bool {
        self.elements
            .get(place)
            .is_some_and(|element| names.contains(&&element.name))
    }

    fn last_place(&self, name: &Name) -> Option<usize> {
        if !self.is_open(name) {
            return None;
        }
        self.last_that(|element| element.name == *name)
    }

    /// The place of the last element of a name, if no element that bounds the search is within it.
    fn place_in(&self, name: &Name, bounds: impl Fn(&OpenElement) -> bool) -> Option<usize> {
        let place = self.last_place(name)?;
        let within = self.elements.get(place + 1..)?;
        (!within.iter().any(bounds)).then_some(place)
    }
}

fn in_scope(element: &OpenElement) -> bool {
    element.is_foreign() || element.name.is(Kind::SCOPE)
}

/// Whether an end tag does not reach beyond an open element.
fn stops(name: &Name, inner: &OpenElement) -> bool {
    match name.bytes() {
        b"template" | b"head" => false,
        b"p" => in_scope(inner) || inner.name == BUTTON,
        b"li" => in_scope(inner) || matches!(inner.name.bytes(), b"ol" | b"ul"),
        b"caption" | b"table" | b"td" | b"th" | b"tr" => inner.name.is(Kind::TABLE_SCOPE),
        _ if name.is(Kind::ROW_GROUP) => inner.name.is(Kind::TABLE_SCOPE),
        _ if name.is(Kind::FORMATTING) || !name.is(Kind::SPECIAL) => inner.is_special,
        _ => in_scope(inner),
    }
}

/// Whether a start tag within SVG or MathML ends that.
fn leaves_foreign(tag: &StartTag<'_>) -> bool {
    const FONT: Name = Name::known("font");
    // A font is HTML's if it has one of these attributes; where one of them is written at all, nobody guesses.
    let is_font = || {
        tag.name == FONT
            && ["color", "face", "size"]
                .iter()
                .any(|name| has(tag.written, name))
    };
    tag.name.is(Kind::LEAVES_FOREIGN) || is_font()
}

/// Whether HTML stands again within an element of SVG or MathML.
fn holds_html(tag: &StartTag<'_>, language: Language) -> bool {
    match language {
        Language::Html => false,
        Language::Svg => tag.name.is(Kind::HTML_IN_SVG),
        Language::MathMl => {
            let is_html = || has(tag.written, "text/html") || has(tag.written, "application/xhtml+xml");
            tag.name.is(Kind::HTML_IN_MATH) || (tag.name == ANNOTATION && is_html())
        }
    }
}

/// Whether a tag has a text in it, in any case.
fn has(written: &[u8], text: &str) -> bool {
    written
        .windows(text.len())
        .any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}
