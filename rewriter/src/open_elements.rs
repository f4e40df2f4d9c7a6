//! The elements that are open while a page streams, by HTML's rules for tags that were left out.
//!
//! This follows the tree construction of the HTML standard as far as the ends of elements go.

use crate::names::{
    belongs_to_head, bounds_scope, bounds_table_scope, ends_paragraph, has_implied_end, holds_html,
    holds_text, is_formatting, is_heading, is_row_group, is_special, is_table_part,
};
use std::collections::HashMap;
use std::rc::Rc;

pub(crate) struct StartTag<'a> {
    pub(crate) name: &'a str,
    /// Whether the element is one of SVG or MathML.
    pub(crate) is_foreign: bool,
    /// Whether it has content, and so an end.
    pub(crate) has_content: bool,
}

/// Elements that end although their end tags are not there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// All of them, in the order of their ends.
    pub(crate) names: Vec<Rc<str>>,
    /// Those whose end tags would have ended the others, too.
    pub(crate) outermost: Vec<Rc<str>>,
}

/// What an end tag does.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EndTag {
    /// It ends its element, and those that are open within.
    Ends(Ended),
    /// It ends an element of this other name, and those that are open within.
    EndsOther(Rc<str>, Ended),
    /// Its element is open, but the browser does not end it here.
    Ignored,
    /// Nothing of its name is open.
    Stray,
}

/// HTML where the parser of the page cannot know how the browser gets out of SVG or MathML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unclear;

struct OpenElement {
    name: Rc<str>,
    is_foreign: bool,
    holds_html: bool,
    is_special: bool,
}

pub(crate) struct OpenElements {
    elements: Vec<OpenElement>,
    /// How many of each name are open: most questions end here.
    counts: HashMap<Rc<str>, usize>,
    /// Whether the page has no doctype, or an old one: paragraphs hold tables then.
    pub(crate) is_quirky: bool,
}

impl OpenElements {
    /// Nothing is open, and no document type has come.
    pub(crate) fn new() -> Self {
        Self {
            elements: Vec::new(),
            counts: HashMap::new(),
            is_quirky: true,
        }
    }

    /// Takes note of a start tag; gives the elements that it ends.
    pub(crate) fn start(&mut self, tag: &StartTag<'_>) -> Result<Ended, Unclear> {
        let mut ended = Ended::default();
        let parent_is_foreign = self
            .elements
            .last()
            .is_some_and(|parent| parent.is_foreign && !parent.holds_html);
        if self
            .elements
            .last()
            .is_some_and(|parent| !parent.is_foreign && holds_text(&parent.name))
        {
            // The parser reads tags where the browser reads text, and may read it as text next time.
            return Err(Unclear);
        }
        let holds_html = parent_is_foreign && holds_html(tag.name);
        let is_foreign = tag.is_foreign || holds_html;
        if !is_foreign {
            if parent_is_foreign {
                return Err(Unclear);
            }
            self.end_by(tag.name, &mut ended);
        }
        if tag.has_content {
            let name = match self.counts.get_key_value(tag.name) {
                Some((name, _)) => Rc::clone(name),
                None => Rc::from(tag.name),
            };
            *self.counts.entry(Rc::clone(&name)).or_default() += 1;
            self.elements.push(OpenElement {
                is_special: if is_foreign { holds_html } else { is_special(&name) },
                name,
                is_foreign,
                holds_html,
            });
        }
        Ok(ended)
    }

    /// Takes note of text that is not blank; gives the elements that it ends.
    pub(crate) fn text(&mut self) -> Ended {
        let mut ended = Ended::default();
        self.end_head(&mut ended);
        self.end_last("colgroup", &mut ended);
        ended
    }

    /// Takes note of an end tag.
    pub(crate) fn end(&mut self, name: &str) -> Result<EndTag, Unclear> {
        if is_heading(name)
            && let Some(place) = self
                .elements
                .iter()
                .rposition(|element| is_heading(&element.name))
            && let Some(within) = self.elements.get(place + 1..)
            && !within.iter().any(in_scope)
            && !self.is_one_of(place, &[name])
        {
            // Any heading's end tag ends the one that is open.
            let mut ended = Ended::default();
            self.end_to(place + 1, &mut ended);
            let name = self.elements.last().map(|heading| Rc::clone(&heading.name));
            self.end_to(place, &mut Ended::default());
            return Ok(name.map_or(EndTag::Stray, |name| EndTag::EndsOther(name, ended)));
        }
        let Some(place) = self.last_place(name) else {
            return Ok(EndTag::Stray);
        };
        let (Some(element), Some(within)) = (self.elements.get(place), self.elements.get(place + 1..)) else {
            return Ok(EndTag::Stray);
        };
        if element.is_foreign {
            // The parser takes `<math>` in SVG for the other language's, and does not get out of it here.
            let changes_language = |inner: &OpenElement| matches!(&*inner.name, "svg" | "math");
            if within
                .iter()
                .any(|inner| (inner.is_special && !inner.is_foreign) || changes_language(inner))
            {
                return Err(Unclear);
            }
        } else if within.iter().any(|inner| inner.is_foreign) {
            return Err(Unclear);
        } else if within.iter().any(|inner| stops(name, inner)) {
            return Ok(EndTag::Ignored);
        }
        let mut ended = Ended::default();
        self.end_to(place + 1, &mut ended);
        self.end_to(place, &mut Ended::default());
        Ok(EndTag::Ends(ended))
    }

    /// Takes note of the page's end, unless it is in a place where nothing but text can stand.
    pub(crate) fn finish(&mut self) -> Ended {
        let mut ended = Ended::default();
        let is_text = self
            .elements
            .iter()
            .any(|element| holds_text(&element.name) || element.is_foreign);
        if !is_text {
            self.end_to(0, &mut ended);
        }
        ended
    }

    fn end_by(&mut self, name: &str, ended: &mut Ended) {
        if !belongs_to_head(name) {
            self.end_head(ended);
        }
        if !matches!(name, "col" | "template") {
            self.end_last("colgroup", ended);
        }
        match name {
            "li" => self.end_item(&["li"], ended),
            "dd" | "dt" => self.end_item(&["dd", "dt"], ended),
            "a" | "nobr" => {
                if let Some(place) = self.place_in(name, |element| element.is_special) {
                    self.end_to(place, ended);
                }
            }
            "button" => {
                if let Some(place) = self.place_in(name, in_scope) {
                    self.end_to(place, ended);
                }
            }
            "option" => self.end_last("option", ended),
            "optgroup" | "hr" => {
                self.end_last("option", ended);
                if self.place_in("select", |element| element.is_special).is_some() {
                    self.end_last("optgroup", ended);
                }
            }
            "rb" | "rp" | "rt" | "rtc" if self.place_in("ruby", in_scope).is_some() => {
                let keeps_container = matches!(name, "rp" | "rt");
                while let Some(last) = self.elements.last()
                    && has_implied_end(&last.name)
                    && !(keeps_container && &*last.name == "rtc")
                {
                    self.end_to(self.elements.len() - 1, ended);
                }
            }
            "table" => self.end_table_in_table(ended),
            _ if is_table_part(name) => self.end_table_parts(name, ended),
            _ => {}
        }
        if ends_paragraph(name) || (name == "table" && !self.is_quirky) {
            self.end_paragraph(ended);
        }
        if is_heading(name) && self.elements.last().is_some_and(|last| is_heading(&last.name)) {
            self.end_to(self.elements.len() - 1, ended);
        }
    }

    fn end_paragraph(&mut self, ended: &mut Ended) {
        let bound = |element: &OpenElement| in_scope(element) || &*element.name == "button";
        if let Some(place) = self.place_in("p", bound) {
            self.end_to(place, ended);
        }
    }

    /// Ends the list's item that is open, if it is of the list that is open.
    fn end_item(&mut self, names: &[&str], ended: &mut Ended) {
        if !names.iter().any(|name| self.counts.contains_key(*name)) {
            return;
        }
        let bound =
            |element: &OpenElement| element.is_special && !matches!(&*element.name, "address" | "div" | "p");
        let place = self
            .elements
            .iter()
            .rposition(bound)
            .filter(|place| self.is_one_of(*place, names));
        if let Some(place) = place {
            self.end_to(place, ended);
        }
    }

    /// A table that stands in a table, but in no cell of it, ends it.
    fn end_table_in_table(&mut self, ended: &mut Ended) {
        let place = self.elements.iter().rposition(|element| {
            bounds_table_scope(&element.name) || matches!(&*element.name, "caption" | "td" | "th")
        });
        if let Some(place) = place.filter(|place| self.is_one_of(*place, &["table"])) {
            self.end_to(place, ended);
        }
    }

    /// A part of a table ends what is open in the table, down to where the part belongs.
    fn end_table_parts(&mut self, name: &str, ended: &mut Ended) {
        let Some(table) = self
            .elements
            .iter()
            .rposition(|element| bounds_table_scope(&element.name))
        else {
            return;
        };
        if self.is_one_of(table, &["html"]) {
            return;
        }
        let last_of = |wanted: fn(&str) -> bool| {
            let place = self.elements.iter().rposition(|element| wanted(&element.name));
            place.filter(|place| *place > table)
        };
        let holder = match name {
            "td" | "th" => last_of(|name| name == "tr").or_else(|| last_of(is_row_group)),
            "tr" => last_of(is_row_group),
            "col" if self.last_is("colgroup") => Some(self.elements.len() - 1),
            _ => None,
        };
        self.end_to(holder.unwrap_or(table) + 1, ended);
    }

    /// Ends the head, and a second one in it: for the browser they are one.
    fn end_head(&mut self, ended: &mut Ended) {
        let place = self.elements.iter().rposition(|element| &*element.name != "head");
        let first = place.map_or(0, |place| place + 1);
        if first < self.elements.len() {
            self.end_to(first, ended);
        }
    }

    fn end_last(&mut self, name: &str, ended: &mut Ended) {
        if self.last_is(name) {
            self.end_to(self.elements.len() - 1, ended);
        }
    }

    /// Ends all elements from a place on.
    fn end_to(&mut self, place: usize, ended: &mut Ended) {
        let mut outermost = None;
        while self.elements.len() > place
            && let Some(element) = self.elements.pop()
        {
            if let Some(count) = self.counts.get_mut(&element.name) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&element.name);
                }
            }
            ended.names.push(Rc::clone(&element.name));
            outermost = Some(element.name);
        }
        ended.outermost.extend(outermost);
    }

    fn last_is(&self, name: &str) -> bool {
        self.elements.last().is_some_and(|last| &*last.name == name)
    }

    fn is_one_of(&self, place: usize, names: &[&str]) -> bool {
        self.elements
            .get(place)
            .is_some_and(|element| names.contains(&&*element.name))
    }

    fn last_place(&self, name: &str) -> Option<usize> {
        self.counts.get(name)?;
        self.elements.iter().rposition(|element| &*element.name == name)
    }

    /// The place of the last element of a name, if no element that bounds the search is within it.
    fn place_in(&self, name: &str, bounds: impl Fn(&OpenElement) -> bool) -> Option<usize> {
        let place = self.last_place(name)?;
        let within = self.elements.get(place + 1..)?;
        (!within.iter().any(bounds)).then_some(place)
    }
}

fn in_scope(element: &OpenElement) -> bool {
    element.is_foreign || bounds_scope(&element.name)
}

/// Whether an end tag does not reach beyond an open element.
fn stops(name: &str, inner: &OpenElement) -> bool {
    let inner_name = &*inner.name;
    match name {
        "template" | "head" => false,
        "p" => in_scope(inner) || inner_name == "button",
        "li" => in_scope(inner) || matches!(inner_name, "ol" | "ul"),
        "caption" | "table" | "td" | "th" | "tr" => bounds_table_scope(inner_name),
        _ if is_row_group(name) => bounds_table_scope(inner_name),
        _ if is_formatting(name) || !is_special(name) => inner.is_special,
        _ => in_scope(inner),
    }
}
