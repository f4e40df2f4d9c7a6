//! One edit, applied to an element.

use lol_html::html_content::{ContentType, Element};
use nearside_engine::mutation::{Edit, Operation};

/// An edit that owns its content, so that it can outlive the decision while the page streams.
pub(crate) struct OwnedEdit {
    operation: Operation,
    name: String,
    content: String,
}

impl From<&Edit<'_>> for OwnedEdit {
    fn from(edit: &Edit<'_>) -> Self {
        Self {
            operation: edit.operation,
            name: edit.name.to_owned(),
            content: edit.content.clone(),
        }
    }
}

impl OwnedEdit {
    /// Applies the edit. What an element cannot take (content of an `<img>`, a name that is none) is left
    /// out; an edit never fails a page.
    pub(crate) fn apply(&self, element: &mut Element<'_, '_>) {
        let content = self.content.as_str();
        if self.changes_content() && is_raw_text(&element.tag_name()) {
            return;
        }
        match self.operation {
            Operation::Text => element.set_inner_content(content, ContentType::Text),
            Operation::Html => element.set_inner_content(content, ContentType::Html),
            Operation::Attribute => set(element, &self.name, &escape(content)),
            Operation::RemoveAttribute => element.remove_attribute(&self.name),
            Operation::Style => {
                let style = with_declaration(element.get_attribute("style"), &self.name, &escape(content));
                set(element, "style", &style);
            }
            Operation::AddClass => {
                let classes = element.get_attribute("class").unwrap_or_default();
                if let Some(classes) = with_classes(&classes, &escape(content)) {
                    set(element, "class", &classes);
                }
            }
            Operation::RemoveClass => {
                let classes = element.get_attribute("class").unwrap_or_default();
                if let Some(classes) = without_classes(&classes, content) {
                    set(element, "class", &classes);
                }
            }
            Operation::Remove => element.remove(),
            Operation::Before => element.before(content, ContentType::Html),
            Operation::After => element.after(content, ContentType::Html),
            Operation::Prepend => element.prepend(content, ContentType::Html),
            Operation::Append => element.append(content, ContentType::Html),
            Operation::Replace => element.replace(content, ContentType::Html),
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
    matches!(
        name,
        "script" | "style" | "xmp" | "iframe" | "noembed" | "noframes" | "plaintext"
    )
}

/// Plain text as it is written in an attribute's value; the parser's library does the quotes.
fn escape(value: &str) -> String {
    value.replace('&', "&amp;")
}

fn set(element: &mut Element<'_, '_>, name: &str, value: &str) {
    // The compiler lets only valid names pass.
    let _ = element.set_attribute(name, value);
}

/// A style with one more declaration: the last one of a property is the one that counts. The style is as
/// written, with entities, and so not cut where a semicolon stands; an empty declaration harms nothing.
fn with_declaration(style: Option<String>, property: &str, value: &str) -> String {
    let mut style = style.unwrap_or_default();
    if !style.trim_ascii().is_empty() {
        style.push_str("; ");
    }
    style.push_str(property);
    style.push_str(": ");
    style.push_str(value);
    style
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
