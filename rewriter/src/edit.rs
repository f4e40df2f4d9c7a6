//! One edit, applied to an element.

use crate::encode::Spelling;
use crate::head::Wanted;
use crate::marks::{Implied, Marks};
use crate::names::{bounds_table_scope, holds_html, holds_text, implies_end, is_formatting, is_table_part};
use crate::target::{End, Target};
use nearside_engine::mutation::{Edit, Operation};
use std::borrow::Cow;
use std::cell::Cell;
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
    pub(crate) fn apply(
        &self,
        element: &mut impl Target,
        is_foreign: bool,
        marks: &Rc<Marks>,
        spelling: Spelling,
    ) {
        // Nobody sees what a removed element contains; its place, however, is there for the edits that follow.
        if self.changes_content() && (element.is_removed() || is_raw_text(&element.name())) {
            return;
        }
        let content = &*match self.operation {
            operation if operation.takes_html() => spelling.html(&self.content),
            Operation::Text | Operation::Title => spelling.text(&self.content),
            _ => spelling.value(&self.content),
        };
        let first_in = |element: &_| match drops_first_newline(element) && content.starts_with('\n') {
            true => Cow::Owned(format!("\n{content}")),
            false => Cow::Borrowed(content),
        };
        match self.operation {
            Operation::Text | Operation::Html => {
                replace_content(element);
                element.set_content(&first_in(element));
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
                write_implied_ends(element, marks, "");
                element.remove();
            }
            Operation::Before => {
                write_implied_ends(element, marks, content);
                element.before(content);
            }
            Operation::After => after(element, marks, content),
            Operation::Prepend => element.prepend(&first_in(element)),
            Operation::Append => append(element, marks, content),
            Operation::Replace => {
                replace_content(element);
                write_implied_ends(element, marks, content);
                element.replace(content);
            }
            Operation::Unwrap if can_be_unwrapped(&element.name(), is_foreign) => unwrap(element, marks),
            Operation::Image if element.name() == "img" => {
                element.set_attribute("src", content);
                element.remove_attribute("srcset");
                element.remove_attribute("sizes");
            }
            Operation::Link if matches!(&*element.name(), "a" | "area") => {
                element.set_attribute("href", content);
            }
            Operation::Title => {
                let is_first =
                    |wanted: &Rc<Wanted>| !wanted.is_there.get() || wanted.place.get() == element.place();
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

    fn is_there(&self, element: &impl Target) {
        if let Some(wanted) = &self.wanted {
            wanted.is_there.set(true);
            wanted.place.set(element.place());
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
fn is_raw_text(name: &str) -> bool {
    // What a template holds is no part of the page. In the text of a title or text area, references count.
    name == "template" || (holds_text(name) && !matches!(name, "textarea" | "title"))
}

/// Whether the browser takes the newline that an element's content begins with for a part of the start tag.
fn drops_first_newline(element: &impl Target) -> bool {
    matches!(&*element.name(), "listing" | "pre" | "textarea")
}

/// Whether an element's content stays what it is without the element's tags.
fn can_be_unwrapped(name: &str, is_foreign: bool) -> bool {
    let is_kept = is_raw_text(name)
        || bounds_table_scope(name)
        || is_table_part(name)
        || matches!(
            name,
            "body" | "frameset" | "head" | "math" | "select" | "svg" | "textarea" | "title"
        );
    !(is_kept || (is_foreign && holds_html(name)))
}

/// Takes an element's tags away. The end tags that they made unnecessary are written in their places.
fn unwrap(element: &mut impl Target, marks: &Rc<Marks>) {
    if element.is_removed() {
        return;
    }
    let is_replaced = match element.content_edits() {
        Some(edits) => {
            edits.is_unwrapped = true;
            edits.is_replaced
        }
        None => false,
    };
    write_implied_ends(element, marks, "");
    element.unwrap();
    if is_replaced {
        return;
    }
    let marks = Rc::clone(marks);
    // An element without an end has no content.
    let _ = element.at_end(Box::new(move |end: &mut dyn End| {
        let start = end.place();
        let implied = marks.implied_by.borrow_mut().remove(&start).unwrap_or_default();
        // What formats text goes on after its element, so it must not end here.
        if !implied.names.iter().any(|name| is_formatting(name)) {
            for name in implied.names {
                end.before(&format!("</{name}>"));
            }
        }
    }));
}

fn is_unwrapped(element: &mut impl Target) -> bool {
    element.content_edits().is_some_and(|edits| edits.is_unwrapped)
}

/// Writes the end tags that an element's start tag made unnecessary, since something else will stand there.
fn write_implied_ends(element: &mut impl Target, marks: &Marks, content: &str) {
    let start = element.place();
    let implied = marks.implied_by.borrow_mut().remove(&start).unwrap_or_default();
    if !implies_all(content, &implied) {
        for name in implied.names {
            element.before(&format!("</{name}>"));
        }
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
fn replace_content(element: &mut impl Target) {
    if let Some(edits) = element.content_edits() {
        edits.is_replaced = true;
        edits.appended.set(false);
    }
}

/// Puts HTML at the end of an element's content. The end tag of the element that is last there is written
/// if it was left out and the HTML would not end it.
fn append(element: &mut impl Target, marks: &Rc<Marks>, content: &str) {
    let Some(edits) = element.content_edits() else {
        return;
    };
    if edits.is_replaced {
        element.append(content);
        return;
    }
    edits.appended.set(true);
    let appended = Rc::clone(&edits.appended);
    let (marks, content) = (Rc::clone(marks), content.to_owned());
    // An element without an end has no content.
    let _ = element.at_end(Box::new(move |end: &mut dyn End| {
        if !appended.get() {
            return;
        }
        let start = end.place();
        // An edit of the same element may have done so, and what follows stands behind it.
        let implied = marks.implied_by.borrow_mut().remove(&start).unwrap_or_default();
        // What formats text goes on after its element, so it must not end here.
        if !implies_all(&content, &implied) && !implied.names.iter().any(|name| is_formatting(name)) {
            for name in implied.names {
                end.before(&format!("</{name}>"));
            }
        }
        end.before(&content);
    }));
}

/// Puts HTML after an element; its end tag is written if it was left out and the HTML would not end it.
fn after(element: &mut impl Target, marks: &Rc<Marks>, content: &str) {
    let implies_end = first_tag(content).is_some_and(|tag| implies_end(&tag, &element.name()));
    let (marks, html) = (Rc::clone(marks), content.to_owned());
    let put = Box::new(move |end: &mut dyn End| {
        let start = end.place();
        let has_open = marks.implied_by.borrow().contains_key(&start);
        if (!implies_end || has_open) && !end.is_removed() {
            marks.needed.set(Some(start));
        }
        end.after(&html);
    });
    if element.at_end(put).is_err() {
        element.after(content);
    }
}

/// The name of the tag that HTML begins with, if it begins with a tag.
pub(crate) fn first_tag(html: &str) -> Option<String> {
    let name = html.trim_ascii_start().strip_prefix('<')?;
    let end = name.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))?;
    Some(name.get(..end)?.to_ascii_lowercase())
}

/// An attribute's value as it is written; `None` if it is in an encoding that is not known.
fn readable(element: &impl Target, name: &str) -> Option<String> {
    let value = element.attribute(name).unwrap_or_default();
    (!value.contains(char::REPLACEMENT_CHARACTER)).then_some(value)
}

fn set_if(element: &mut impl Target, name: &str, value: Option<String>) {
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

/// The classes with those that were not there; `None` if all were.
fn with_classes(classes: &str, added: &str) -> Option<String> {
    let known: Vec<&str> = classes.split_ascii_whitespace().collect();
    let mut all = classes.trim_ascii().to_owned();
    for class in added
        .split_ascii_whitespace()
        .filter(|class| !known.contains(class))
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
    let removed: Vec<&str> = removed.split_ascii_whitespace().collect();
    let all: Vec<&str> = classes.split_ascii_whitespace().collect();
    let kept: Vec<&str> = all
        .iter()
        .copied()
        .filter(|class| !removed.contains(class))
        .collect();
    (kept.len() < all.len()).then(|| kept.join(" "))
}
