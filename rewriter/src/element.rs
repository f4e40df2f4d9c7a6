//! An element, and its end, while edits go over it.
//!
//! Where several edits put something in the same place, it stands there in the order that an author expects who makes them
//! one after the other in a browser: what is put before an element follows what was put there before, what is put after it
//! comes first. That, and how a start tag is written that has changed, is the same as in Cloudflare's HTMLRewriter.

use crate::attributes::{Attribute, Attributes, MAX_ATTRIBUTES, tag_name};
use crate::edit::ContentEdits;
use crate::encode::Spelling;
use crate::names::Name;
use crate::walk::{End, Implied, Start};
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

/// What is done when an element's end tag is there.
pub(crate) enum AtEnd {
    /// The element's tags are taken away, and what ended there must end.
    Unwrap,
    /// Puts HTML at the end of the content, if that is still wanted.
    Append(Rc<Cell<bool>>, String),
    /// Puts HTML after the element; the tag that this begins with may make the end tag unnecessary.
    After { html: String, implies_end: bool },
}

/// What an end tag gets from edits that were made at the start tag.
#[derive(Debug, Default)]
pub(crate) struct EndChanges {
    before: Vec<u8>,
    after: Vec<u8>,
    is_removed: bool,
}

/// An attribute as it will be written.
struct Written<'p> {
    name: Cow<'p, [u8]>,
    value: Cow<'p, [u8]>,
    /// Its bytes, if it stays as it is.
    all: Option<&'p [u8]>,
}

/// An element at its start tag.
pub(crate) struct EditedElement<'p> {
    name: &'p Name,
    order: usize,
    tag: &'p [u8],
    attributes: Option<Vec<Written<'p>>>,
    has_content: bool,
    pub(crate) is_foreign: bool,
    pub(crate) spelling: Spelling,
    /// The end tags that this start tag makes unnecessary, and nothing has written yet.
    pub(crate) implied: Implied,
    pub(crate) content: ContentEdits,
    is_changed: bool,
    is_self_closing: bool,
    is_removed: bool,
    before: Vec<u8>,
    replacement: Vec<u8>,
    after: Vec<u8>,
    loses_content: bool,
    end: Option<EndChanges>,
    at_end: Vec<AtEnd>,
}

/// What remains to be done when an element's start tag is written.
#[derive(Default)]
pub(crate) struct Rest {
    /// Whether all until the end tag is left out.
    pub(crate) loses_content: bool,
    pub(crate) changes: Option<EndChanges>,
    pub(crate) actions: Vec<AtEnd>,
}

impl<'p> EditedElement<'p> {
    /// An element that is not edited yet; inside of one that loses its content, it is removed.
    pub(crate) fn new(start: &'p Start<'_>, implied: Implied, tag: &'p [u8], is_removed: bool) -> Self {
        Self {
            name: &start.name,
            order: start.order,
            tag,
            attributes: None,
            has_content: start.has_content,
            is_foreign: start.is_foreign,
            spelling: start.spelling,
            implied,
            content: ContentEdits::default(),
            is_changed: false,
            is_self_closing: start.is_self_closing,
            is_removed,
            before: Vec::new(),
            replacement: Vec::new(),
            after: Vec::new(),
            loses_content: false,
            end: None,
            at_end: Vec::new(),
        }
    }

    /// Writes the start tag and what is around it.
    pub(crate) fn finish(self, output: &mut Vec<u8>) -> Rest {
        output.extend_from_slice(&self.before);
        if self.is_removed {
            output.extend_from_slice(&self.replacement);
        } else if self.is_changed {
            self.write_tag(output);
        } else {
            output.extend_from_slice(self.tag);
        }
        output.extend_from_slice(&self.after);
        Rest {
            loses_content: self.loses_content,
            changes: self.end,
            actions: self.at_end,
        }
    }

    fn write_tag(&self, output: &mut Vec<u8>) {
        output.push(b'<');
        output.extend_from_slice(tag_name(self.tag));
        let attributes = self.attributes.as_deref().unwrap_or_default();
        for attribute in attributes {
            output.push(b' ');
            if attribute.name.starts_with(b"=") {
                // It would be the value of the attribute before it.
                output.push(b'/');
            }
            if let Some(all) = attribute.all {
                output.extend_from_slice(all);
                continue;
            }
            output.extend_from_slice(&attribute.name);
            output.extend_from_slice(b"=\"");
            for part in attribute.value.split_inclusive(|byte| *byte == b'"') {
                match part.split_last() {
                    Some((b'"', part)) => {
                        output.extend_from_slice(part);
                        output.extend_from_slice(b"&quot;");
                    }
                    _ => output.extend_from_slice(part),
                }
            }
            output.push(b'"');
        }
        output.extend_from_slice(match (self.is_self_closing, attributes.is_empty()) {
            (true, false) => b" />",
            (true, true) => b"/>",
            (false, _) => b">",
        });
    }

    /// Which of the page's starts and ends it is.
    pub(crate) const fn order(&self) -> usize {
        self.order
    }

    pub(crate) const fn name(&self) -> &'p Name {
        self.name
    }

    /// Whether the element is removed, replaced or unwrapped.
    pub(crate) const fn is_removed(&self) -> bool {
        self.is_removed
    }

    /// An attribute's value as it is written.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let has_name = |known: &[u8]| known.eq_ignore_ascii_case(name.as_bytes());
        let value = match &self.attributes {
            Some(attributes) => {
                let attribute = attributes.iter().find(|one| has_name(&one.name))?;
                &*attribute.value
            }
            None => Attributes::of(self.tag)
                .find(|one| has_name(one.name(self.tag)))?
                .value(self.tag),
        };
        Some(self.spelling.read(value))
    }

    /// Sets an attribute; a name that is none changes nothing.
    pub(crate) fn set_attribute(&mut self, name: &str, value: &str) {
        let Some(name) = valid_name(name).filter(|name| self.spelling.writes_name(name)) else {
            return;
        };
        let value = Cow::Owned(self.spelling.write(value).into_owned());
        let Some(attributes) = self.attributes() else {
            return;
        };
        let known = attributes
            .iter_mut()
            .find(|known| known.name.eq_ignore_ascii_case(name.as_bytes()));
        match known {
            Some(known) => (known.value, known.all) = (value, None),
            None => attributes.push(Written {
                name: Cow::Owned(name.into_bytes()),
                value,
                all: None,
            }),
        }
        self.is_changed = true;
    }

    pub(crate) fn remove_attribute(&mut self, name: &str) {
        let Some(name) = valid_name(name) else { return };
        let Some(attributes) = self.attributes() else {
            return;
        };
        let before = attributes.len();
        attributes.retain(|known| !known.name.eq_ignore_ascii_case(name.as_bytes()));
        let is_removed = attributes.len() < before;
        self.is_changed |= is_removed;
    }

    pub(crate) fn before(&mut self, html: &str) {
        self.before.extend_from_slice(&self.spelling.write(html));
    }

    /// Writes end tags that are unnecessary as long as the element's start tag stands where it does.
    pub(crate) fn end_before(&mut self, names: &[Name]) {
        names
            .iter()
            .for_each(|name| write_end_tag(name, &mut self.before));
    }

    /// Puts HTML after an element that has no content.
    pub(crate) fn after(&mut self, html: &str) {
        let html = self.spelling.write(html);
        self.after.splice(..0, html.iter().copied());
    }

    pub(crate) fn prepend(&mut self, html: &str) {
        if self.has_content {
            self.is_self_closing = false;
            self.after(html);
        }
    }

    /// Puts HTML before what the end tag has already.
    pub(crate) fn append(&mut self, html: &str) {
        if self.has_content {
            self.is_self_closing = false;
            let html = self.spelling.write(html);
            self.end.get_or_insert_default().before.extend_from_slice(&html);
        }
    }

    pub(crate) fn set_content(&mut self, html: &str) {
        if self.has_content {
            self.is_self_closing = false;
            self.lose_content();
            self.after(html);
        }
    }

    pub(crate) fn replace(&mut self, html: &str) {
        self.replacement = self.spelling.write(html).into_owned();
        self.remove();
    }

    pub(crate) fn remove(&mut self) {
        self.is_removed = true;
        if self.has_content {
            self.lose_content();
            self.end.get_or_insert_default().is_removed = true;
        }
    }

    /// Takes the tags away; the content stays.
    pub(crate) fn unwrap(&mut self) {
        self.is_removed = true;
        if self.has_content {
            self.end.get_or_insert_default().is_removed = true;
        }
    }

    /// Takes note of what is to be done at the end tag; gives it back if the element has none.
    pub(crate) fn at_end(&mut self, action: AtEnd) -> Result<(), AtEnd> {
        if !self.has_content {
            return Err(action);
        }
        self.at_end.push(action);
        Ok(())
    }

    /// Its attributes; `None` if there are too many.
    fn attributes(&mut self) -> Option<&mut Vec<Written<'p>>> {
        if self.attributes.is_none() {
            let tag = self.tag;
            let written = |attribute: Attribute| Written {
                name: Cow::Borrowed(attribute.name(tag)),
                value: Cow::Borrowed(attribute.value(tag)),
                all: Some(attribute.all(tag)),
            };
            let all: Vec<_> = Attributes::of(tag)
                .take(MAX_ATTRIBUTES + 1)
                .map(written)
                .collect();
            self.attributes = (all.len() <= MAX_ATTRIBUTES).then_some(all);
        }
        self.attributes.as_mut()
    }

    fn lose_content(&mut self) {
        self.after.clear();
        if let Some(end) = &mut self.end {
            end.before.clear();
        }
        self.loses_content = true;
    }
}

/// An attribute's name as it is set; `None` if it is none.
fn valid_name(name: &str) -> Option<String> {
    let is_forbidden = |byte: u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'\x0c' | b'/' | b'>' | b'=');
    (!name.is_empty() && !name.bytes().any(is_forbidden)).then(|| name.to_ascii_lowercase())
}

fn write_end_tag(name: &Name, output: &mut Vec<u8>) {
    output.extend_from_slice(b"</");
    output.extend_from_slice(name.bytes());
    output.push(b'>');
}

/// The end of an element.
pub(crate) struct EditedEnd<'p> {
    tag: &'p [u8],
    supplied: Option<&'p Name>,
    /// The end tags that this one makes unnecessary, and nothing has written yet.
    pub(crate) implied: Implied,
    spelling: Spelling,
    changes: EndChanges,
    /// Whether the tag, which the page has not, has become necessary.
    pub(crate) is_needed: bool,
}

impl<'p> EditedEnd<'p> {
    pub(crate) fn new(end: &'p End, implied: Implied, tag: &'p [u8], changes: Option<EndChanges>) -> Self {
        Self {
            tag,
            supplied: end.supplied.as_ref(),
            implied,
            spelling: end.spelling,
            changes: changes.unwrap_or_default(),
            is_needed: false,
        }
    }

    /// Writes the end tag and what is around it.
    pub(crate) fn finish(self, output: &mut Vec<u8>) {
        output.extend_from_slice(&self.changes.before);
        match self.supplied {
            _ if self.changes.is_removed => {}
            Some(name) if self.is_needed => write_end_tag(name, output),
            Some(_) => {}
            None => output.extend_from_slice(self.tag),
        }
        output.extend_from_slice(&self.changes.after);
    }

    /// Whether the element's tags are not there any more.
    pub(crate) const fn is_removed(&self) -> bool {
        self.changes.is_removed
    }

    pub(crate) fn before(&mut self, html: &str) {
        self.changes.before.extend_from_slice(&self.spelling.write(html));
    }

    /// Writes end tags that are unnecessary as long as this end tag stands where it does.
    pub(crate) fn end_before(&mut self, names: &[Name]) {
        names
            .iter()
            .for_each(|name| write_end_tag(name, &mut self.changes.before));
    }

    pub(crate) fn after(&mut self, html: &str) {
        let html = self.spelling.write(html);
        self.changes.after.splice(..0, html.iter().copied());
    }
}
