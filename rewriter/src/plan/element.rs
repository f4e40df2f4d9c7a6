//! An element of a plan, while a visitor's edits go over it.
//!
//! It does with edits what lol_html does with them while a page streams: where several put something in the same
//! place, in the same order, and a start tag that has changed is written in the same way.

use super::{Found, FoundAttribute};
use crate::edit::ContentEdits;
use crate::target::{AtEnd, End, Target};
use std::borrow::Cow;

/// What an end tag gets from edits that were made at the start tag.
#[derive(Debug, Default)]
pub(super) struct EndChanges {
    before: String,
    after: String,
    is_removed: bool,
}

/// An attribute as it will be written.
struct Attribute<'p> {
    name: Cow<'p, [u8]>,
    value: Cow<'p, [u8]>,
    /// Its bytes, if it stays as it is.
    all: Option<&'p [u8]>,
}

/// An element at its start tag.
pub(super) struct Edited<'p> {
    found: &'p Found,
    tag: &'p [u8],
    attributes: Option<Vec<Attribute<'p>>>,
    is_changed: bool,
    is_self_closing: bool,
    is_removed: bool,
    before: String,
    replacement: String,
    after: String,
    loses_content: bool,
    content: ContentEdits,
    end: Option<EndChanges>,
    at_end: Vec<AtEnd>,
}

/// What remains to be done when an element's start tag is written.
pub(super) struct Rest {
    /// Whether all until the end tag is left out.
    pub(super) loses_content: bool,
    pub(super) changes: Option<EndChanges>,
    pub(super) actions: Vec<AtEnd>,
}

impl<'p> Edited<'p> {
    /// An element that is not edited yet; inside of one that loses its content, it is removed.
    pub(super) fn new(found: &'p Found, page: &'p [u8], is_removed: bool) -> Self {
        Self {
            found,
            tag: page.get(found.tag.clone()).unwrap_or_default(),
            attributes: None,
            is_changed: false,
            is_self_closing: found.is_self_closing,
            is_removed,
            before: String::new(),
            replacement: String::new(),
            after: String::new(),
            loses_content: false,
            content: ContentEdits::default(),
            end: None,
            at_end: Vec::new(),
        }
    }

    /// Writes the start tag and what is around it.
    pub(super) fn finish(self, output: &mut Vec<u8>) -> Rest {
        output.extend_from_slice(self.before.as_bytes());
        if self.is_removed {
            output.extend_from_slice(self.replacement.as_bytes());
        } else if self.is_changed {
            self.write_tag(output);
        } else {
            output.extend_from_slice(self.tag);
        }
        output.extend_from_slice(self.after.as_bytes());
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

    fn attributes(&mut self) -> &mut Vec<Attribute<'p>> {
        let (found, tag) = (self.found, self.tag);
        self.attributes.get_or_insert_with(|| {
            let attributes = found.attributes.iter();
            attributes
                .map(|attribute| Attribute::of(attribute, tag))
                .collect()
        })
    }

    fn end(&mut self) -> &mut EndChanges {
        self.end.get_or_insert_default()
    }

    fn lose_content(&mut self) {
        self.after.clear();
        if let Some(end) = &mut self.end {
            end.before.clear();
        }
        self.loses_content = true;
    }
}

impl<'p> Attribute<'p> {
    fn of(found: &FoundAttribute, tag: &'p [u8]) -> Self {
        let bytes = |range: &std::ops::Range<u32>| {
            tag.get(range.start as usize..range.end as usize)
                .unwrap_or_default()
        };
        Self {
            name: Cow::Borrowed(bytes(&found.name)),
            value: Cow::Borrowed(bytes(&found.value)),
            all: Some(bytes(&found.all)),
        }
    }
}

/// The name in a start tag, as it is written.
fn tag_name(tag: &[u8]) -> &[u8] {
    let name = tag.get(1..).unwrap_or_default();
    let end = name
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' | b'/' | b'>'));
    name.get(..end.unwrap_or(name.len())).unwrap_or_default()
}

/// An attribute's name as it is set; `None` if it is none.
fn valid_name(name: &str) -> Option<String> {
    let is_forbidden = |byte: u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'\x0c' | b'/' | b'>' | b'=');
    (!name.is_empty() && !name.bytes().any(is_forbidden)).then(|| name.to_ascii_lowercase())
}

impl Target for Edited<'_> {
    fn place(&self) -> usize {
        self.found.place
    }

    fn name(&self) -> String {
        self.found.name.to_string()
    }

    fn is_removed(&self) -> bool {
        self.is_removed
    }

    fn attribute(&self, name: &str) -> Option<String> {
        let name = valid_name(name)?;
        let read = |known: &[u8], value: &[u8]| {
            known
                .eq_ignore_ascii_case(name.as_bytes())
                .then(|| String::from_utf8_lossy(value).into_owned())
        };
        match &self.attributes {
            Some(attributes) => attributes.iter().find_map(|a| read(&a.name, &a.value)),
            None => self.found.attributes.iter().find_map(|attribute| {
                let attribute = Attribute::of(attribute, self.tag);
                read(&attribute.name, &attribute.value)
            }),
        }
    }

    fn set_attribute(&mut self, name: &str, value: &str) {
        let Some(name) = valid_name(name) else { return };
        self.is_changed = true;
        let value = Cow::Owned(value.as_bytes().to_vec());
        let attributes = self.attributes();
        let known = attributes
            .iter_mut()
            .find(|known| known.name.eq_ignore_ascii_case(name.as_bytes()));
        match known {
            Some(known) => (known.value, known.all) = (value, None),
            None => attributes.push(Attribute {
                name: Cow::Owned(name.into_bytes()),
                value,
                all: None,
            }),
        }
    }

    fn remove_attribute(&mut self, name: &str) {
        let Some(name) = valid_name(name) else { return };
        let attributes = self.attributes();
        let before = attributes.len();
        attributes.retain(|known| !known.name.eq_ignore_ascii_case(name.as_bytes()));
        self.is_changed |= attributes.len() < before;
    }

    fn before(&mut self, html: &str) {
        self.before.push_str(html);
    }

    fn after(&mut self, html: &str) {
        let after = match self.found.can_have_content {
            true => &mut self.end().after,
            false => &mut self.after,
        };
        after.insert_str(0, html);
    }

    fn prepend(&mut self, html: &str) {
        if self.found.can_have_content {
            self.is_self_closing = false;
            self.after.insert_str(0, html);
        }
    }

    fn append(&mut self, html: &str) {
        if self.found.can_have_content {
            self.is_self_closing = false;
            self.end().before.push_str(html);
        }
    }

    fn set_content(&mut self, html: &str) {
        if self.found.can_have_content {
            self.is_self_closing = false;
            self.lose_content();
            self.after.insert_str(0, html);
        }
    }

    fn replace(&mut self, html: &str) {
        self.is_removed = true;
        html.clone_into(&mut self.replacement);
        if self.found.can_have_content {
            self.lose_content();
            self.end().is_removed = true;
        }
    }

    fn remove(&mut self) {
        self.is_removed = true;
        if self.found.can_have_content {
            self.lose_content();
            self.end().is_removed = true;
        }
    }

    fn unwrap(&mut self) {
        self.is_removed = true;
        if self.found.can_have_content {
            self.end().is_removed = true;
        }
    }

    fn content_edits(&mut self) -> Option<&mut ContentEdits> {
        Some(&mut self.content)
    }

    fn at_end(&mut self, action: AtEnd) -> Result<(), AtEnd> {
        if !self.found.can_have_content {
            return Err(action);
        }
        self.at_end.push(action);
        Ok(())
    }
}

/// An end tag.
pub(super) struct EditedEnd<'p> {
    place: usize,
    tag: &'p [u8],
    changes: EndChanges,
}

impl<'p> EditedEnd<'p> {
    pub(super) fn new(place: usize, tag: &'p [u8]) -> Self {
        Self {
            place,
            tag,
            changes: EndChanges::default(),
        }
    }

    /// Takes what the edits at the start tag have left for the end tag, in place of what was there.
    pub(super) fn take(&mut self, changes: EndChanges) {
        self.changes = changes;
    }

    /// Writes the end tag and what is around it.
    pub(super) fn finish(self, output: &mut Vec<u8>) {
        output.extend_from_slice(self.changes.before.as_bytes());
        if !self.changes.is_removed {
            output.extend_from_slice(self.tag);
        }
        output.extend_from_slice(self.changes.after.as_bytes());
    }
}

impl End for EditedEnd<'_> {
    fn place(&self) -> usize {
        self.place
    }

    fn is_removed(&self) -> bool {
        self.changes.is_removed
    }

    fn before(&mut self, html: &str) {
        self.changes.before.push_str(html);
    }

    fn after(&mut self, html: &str) {
        self.changes.after.insert_str(0, html);
    }

    fn remove(&mut self) {
        self.changes.is_removed = true;
    }
}
