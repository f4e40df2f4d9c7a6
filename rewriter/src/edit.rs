//! One edit, applied to an element.

use crate::element::{AtEnd, EditedElement, EditedEnd};
use crate::head::Wanted;
use crate::names::{Kind, Name, implies_end};
use crate::references::resolved;
use crate::walk::Implied;
use nearside_engine::mutation::{Edit, Operation};
use std::borrow::Cow;
use std::cell::Cell;
use std::mem;
use std::rc::Rc;

/// An edit that owns its content, so that it can outlive the decision while the page streams.
pub(crate) struct OwnedEdit {
    pub(crate) operation: Operation,
    pub(crate) name: String,
    pub(crate) content: String,
    /// What an edit of the document's head is about.
    pub(crate) wanted: Option<Rc<Wanted>>,
}

impl From<&Edit<'_>> for OwnedEdit {
    fn from(edit: &Edit<'_>) -> Self {
        Self {
            operation: edit.operation,
            name: edit.name.to_owned(),
            content: edit.content.clone(),
            wanted: None,
        }
    }
}

impl OwnedEdit {
    /// Applies the edit. What an element cannot take (content of an `<img>`, a name that is none) is left
    /// out; an edit never fails a page.
    pub(crate) fn apply(&self, element: &mut EditedElement<'_>) {
        // Nobody sees what a removed element contains; its place, however, is there for the edits that follow.
        if self.changes_content() && (element.is_removed() || is_raw_text(element.name())) {
            return;
        }
        let spelling = element.spelling;
        let content = &*match self.operation {
            operation if operation.takes_html() => spelling.html(&self.content),
            Operation::Text | Operation::Title => spelling.text(&self.content),
            _ => spelling.value(&self.content),
        };
        let is_foreign = element.is_foreign;
        let first_in = |element: &EditedElement<'_>| match drops_first_newline(element.name())
            && content.starts_with('\n')
        {
            true => Cow::Owned(format!("\n{content}")),
            false => Cow::Borrowed(content),
        };
        match self.operation {
            Operation::Text | Operation::Html => {
                replace_content(element);
                let content = first_in(element);
                element.set_content(&content);
            }
            Operation::Attribute => element.set_attribute(&self.name, content),
            Operation::RemoveAttribute => element.remove_attribute(&self.name),
            Operation::Style => {
                let style = with_declaration(readable(element, "style"), &self.name, content);
                set_if(element, "style", style);
            }
            Operation::AddClass => {
                let classes = readable(element, "class");
                set_if(
                    element,
                    "class",
                    classes.and_then(|classes| with_classes(&classes, content)),
                );
            }
            Operation::RemoveClass => {
                let classes = readable(element, "class");
                set_if(
                    element,
                    "class",
                    classes.and_then(|classes| without_classes(&classes, content)),
                );
            }
            // What was unwrapped is not there any more.
            Operation::Remove | Operation::Replace | Operation::Unwrap if is_unwrapped(element) => {}
            Operation::Remove => {
                replace_content(element);
                write_implied_ends(element, "");
                element.remove();
            }
            Operation::Before => {
                write_implied_ends(element, content);
                element.before(content);
            }
            Operation::After => after(element, content),
            Operation::Prepend => {
                let content = first_in(element);
                element.prepend(&content);
            }
            Operation::Append => append(element, content),
            Operation::Replace => {
                replace_content(element);
                write_implied_ends(element, content);
                element.replace(content);
            }
            Operation::Unwrap if can_be_unwrapped(element.name(), is_foreign) => unwrap(element),
            Operation::Image if element.name().bytes() == b"img" => {
                element.set_attribute("src", content);
                element.remove_attribute("srcset");
                element.remove_attribute("sizes");
            }
            Operation::Link if matches!(element.name().bytes(), b"a" | b"area") => {
                element.set_attribute("href", content);
            }
            Operation::Title => {
                let is_first =
                    |wanted: &Rc<Wanted>| !wanted.is_there.get() || wanted.order.get() == element.order();
                if !is_foreign && self.wanted.as_ref().is_some_and(is_first) {
                    self.is_there(element);
                    replace_content(element);
                    element.set_content(content);
                }
            }
            Operation::Meta if !is_foreign => {
                self.is_there(element);
                element.set_attribute("content", content);
            }
            // No element is changed by these, or not this one.
            Operation::Unwrap
            | Operation::Redirect
            | Operation::Move
            | Operation::Image
            | Operation::Link
            | Operation::Meta => {}
        }
    }

    fn is_there(&self, element: &EditedElement<'_>) {
        if let Some(wanted) = &self.wanted {
            wanted.is_there.set(true);
            wanted.order.set(element.order());
        }
    }

    const fn changes_content(&self) -> bool {
        matches!(
            self.operation,
            Operation::Text | Operation::Html | Operation::Prepend | Operation::Append
        )
    }
}

/// Whether the browser takes an element's content as it is written. Nothing can be escaped there, so its
/// content is left alone.
fn is_raw_text(name: &Name) -> bool {
    // What a template holds is no part of the page. In the text of a title or text area, references count.
    match name.bytes() {
        b"template" => true,
        b"textarea" | b"title" => false,
        _ => name.is(Kind::TEXT),
    }
}

/// Whether the browser takes the newline that an element's content begins with for a part of the start tag.
fn drops_first_newline(name: &Name) -> bool {
    matches!(name.bytes(), b"listing" | b"pre" | b"textarea")
}

/// Whether an element's content stays what it is without the element's tags.
fn can_be_unwrapped(name: &Name, is_foreign: bool) -> bool {
    let is_kept = is_raw_text(name)
        || name.is(Kind::TABLE_SCOPE.and(Kind::TABLE_PART))
        || matches!(
            name.bytes(),
            b"body" | b"frameset" | b"head" | b"math" | b"select" | b"svg" | b"textarea" | b"title"
        );
    let holds_html = name.is(Kind::HTML_IN_SVG.and(Kind::HTML_IN_MATH)) || name.bytes() == b"annotation-xml";
    !(is_kept || (is_foreign && holds_html))
}

/// Takes an element's tags away. The end tags that they made unnecessary are written in their places.
fn unwrap(element: &mut EditedElement<'_>) {
    if element.is_removed() {
        return;
    }
    element.content.is_unwrapped = true;
    write_implied_ends(element, "");
    element.unwrap();
    if !element.content.is_replaced {
        // An element without an end has no content.
        let _ = element.at_end(AtEnd::Unwrap);
    }
}

fn is_unwrapped(element: &EditedElement<'_>) -> bool {
    element.content.is_unwrapped
}

/// Writes the end tags that an element's start tag made unnecessary, since something else will stand there.
fn write_implied_ends(element: &mut EditedElement<'_>, content: &str) {
    let implied = mem::take(&mut element.implied);
    if !implies_all(content, &implied) {
        element.end_before(&implied.names);
    }
}

/// Whether HTML begins with a tag that makes the same end tags unnecessary.
fn implies_all(content: &str, implied: &Implied) -> bool {
    !implied.end_others
        && matches!((&*implied.names, first_tag(content)), ([name], Some(tag)) if implies_end(&tag, name))
}

/// What edits have done to an element's content.
#[derive(Default)]
pub(crate) struct ContentEdits {
    is_replaced: bool,
    /// Whether the element's tags are taken away.
    is_unwrapped: bool,
    /// Whether what was put at the end is still to be there.
    appended: Rc<Cell<bool>>,
}

/// Takes note that the content, with all that edits have put into it, gives way.
fn replace_content(element: &mut EditedElement<'_>) {
    element.content.is_replaced = true;
    element.content.appended.set(false);
}

/// Puts HTML at the end of an element's content.
fn append(element: &mut EditedElement<'_>, content: &str) {
    if element.content.is_replaced {
        element.append(content);
        return;
    }
    element.content.appended.set(true);
    let appended = Rc::clone(&element.content.appended);
    // An element without an end has no content.
    let _ = element.at_end(AtEnd::Append(appended, content.to_owned()));
}

/// Puts HTML after an element; its end tag is written if it was left out and the HTML would not end it.
fn after(element: &mut EditedElement<'_>, content: &str) {
    let implies_end = first_tag(content).is_some_and(|tag| implies_end(&tag, element.name()));
    let html = content.to_owned();
    if element.at_end(AtEnd::After { html, implies_end }).is_err() {
        element.after(content);
    }
}

/// Does at an element's end what an edit at its start tag has left to be done there.
pub(crate) fn finish(action: AtEnd, end: &mut EditedEnd<'_>) {
    match action {
        AtEnd::Unwrap => write_ends_within(end, ""),
        AtEnd::Append(appended, html) => {
            if appended.get() {
                write_ends_within(end, &html);
                end.before(&html);
            }
        }
        AtEnd::After { html, implies_end } => {
            let has_open = !end.implied.names.is_empty();
            if (!implies_end || has_open) && !end.is_removed() {
                end.is_needed = true;
            }
            end.after(&html);
        }
    }
}

/// Writes the end tags that were left out at the end of an element's content, where HTML comes that would not end the same
/// elements. An edit of the same element may have done so already.
fn write_ends_within(end: &mut EditedEnd<'_>, content: &str) {
    let implied = mem::take(&mut end.implied);
    // What formats text goes on after its element, so it must not end here.
    if !implies_all(content, &implied) && !implied.names.iter().any(|name| name.is(Kind::FORMATTING)) {
        end.end_before(&implied.names);
    }
}

/// The name of the tag that HTML begins with, if it begins with a tag.
pub(crate) fn first_tag(html: &str) -> Option<String> {
    let name = html.trim_ascii_start().strip_prefix('<')?;
    let end = name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))?;
    Some(name.get(..end)?.to_ascii_lowercase())
}

/// An attribute's value as it is written; `None` if it is in an encoding that is not known.
fn readable(element: &EditedElement<'_>, name: &str) -> Option<String> {
    let value = element.attribute(name).unwrap_or_default();
    (!value.contains(char::REPLACEMENT_CHARACTER)).then(|| value.into_owned())
}

fn set_if(element: &mut EditedElement<'_>, name: &str, value: Option<String>) {
    if let Some(value) = value {
        element.set_attribute(name, &value);
    }
}

/// A style with one more declaration: the last one of a property is the one that counts. The style is as
/// written, with entities, and so not cut where a semicolon stands; an empty declaration harms nothing.
fn with_declaration(style: Option<String>, property: &str, value: &str) -> Option<String> {
    let mut style = style?;
    if style.to_ascii_lowercase().contains("important") && !style.contains('&') {
        // What is important would win over the one that follows.
        style = without_property(&style, property);
    }
    if !style.trim_ascii().is_empty() {
        style.push_str("; ");
    }
    style.push_str(property);
    style.push_str(": ");
    style.push_str(value);
    Some(style)
}

/// A style without the declarations of a property.
fn without_property(style: &str, property: &str) -> String {
    let mut kept = Vec::new();
    let (mut quote, mut depth, mut start) = (None, 0_usize, 0);
    let mut is_escaped = false;
    for (at, character) in style.char_indices().chain([(style.len(), ';')]) {
        let is_end = at == style.len();
        match (character, quote) {
            _ if is_escaped && !is_end => is_escaped = false,
            ('\\', _) => is_escaped = true,
            (mark, Some(open)) if mark == open => quote = None,
            ('"' | '\'', None) => quote = Some(character),
            ('(' | '[' | '{', None) => depth += 1,
            (')' | ']' | '}', None) => depth = depth.saturating_sub(1),
            (';', _) if is_end || (quote.is_none() && depth == 0) => {
                let declaration = style.get(start..at).unwrap_or_default().trim_ascii();
                let name = declaration.split(':').next().unwrap_or_default().trim_ascii();
                if !declaration.is_empty() && !name.eq_ignore_ascii_case(property) {
                    kept.push(declaration);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    kept.join("; ")
}

/// A class as it is, however it is written.
fn said(class: &str) -> Cow<'_, [u8]> {
    resolved(class.as_bytes())
}

/// The classes with those that were not there; `None` if all were.
fn with_classes(classes: &str, added: &str) -> Option<String> {
    let known: Vec<_> = classes.split_ascii_whitespace().map(said).collect();
    let mut all = classes.trim_ascii().to_owned();
    for class in added
        .split_ascii_whitespace()
        .filter(|class| !known.contains(&said(class)))
    {
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(class);
    }
    (all != classes.trim_ascii()).then_some(all)
}

/// The classes without those that were there; `None` if none was.
fn without_classes(classes: &str, removed: &str) -> Option<String> {
    let removed: Vec<_> = removed.split_ascii_whitespace().map(said).collect();
    let all: Vec<&str> = classes.split_ascii_whitespace().collect();
    let kept: Vec<&str> = all
        .iter()
        .copied()
        .filter(|class| !removed.contains(&said(class)))
        .collect();
    (kept.len() < all.len()).then(|| kept.join(" "))
}
