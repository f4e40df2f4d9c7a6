//! Mutations: what a variant changes in the page, as data.

use crate::condition::Attributes;
use crate::template::{Template, is_safe_url};
use serde::{Deserialize, Serialize};

/// What a mutation does to the elements that its selector finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Replaces the content by text.
    Text,
    /// Replaces the content by the author's HTML.
    Html,
    /// Sets an attribute.
    Attribute,
    /// Removes an attribute.
    RemoveAttribute,
    /// Sets a property of the `style` attribute.
    Style,
    /// Adds a class.
    AddClass,
    /// Removes a class.
    RemoveClass,
    /// Removes the element.
    Remove,
    /// Puts HTML before the element.
    Before,
    /// Puts HTML after the element.
    After,
    /// Puts HTML before the element's content.
    Prepend,
    /// Puts HTML after the element's content.
    Append,
    /// Puts HTML in the element's place.
    Replace,
    /// Sends the visitor to another page: it has no selector, and its content is the address.
    Redirect,
    /// Takes an element's tags away; its content stays.
    Unwrap,
    /// Moves the element: its name is the place at the element that its content finds.
    Move,
    /// Shows another image in an `<img>`.
    Image,
    /// Lets an `<a>` or `<area>` lead to another address.
    Link,
    /// Sets the document's title.
    Title,
    /// Sets the content of a `<meta>`: its name says which, as [`meta_name`] reads it.
    Meta,
}

/// In the place of a redirect's name: the page's query parameters go along.
pub const KEEP_QUERY: &str = "keepQuery";

/// The selector of the mutations of the document's title.
pub const TITLE_SELECTOR: &str = "title";

/// The selector and the name of the mutations of a `<meta>`, whose attribute (`name` or `property`) has a value.
pub fn meta_place(attribute: &str, value: &str) -> (String, String) {
    (
        format!("meta[{attribute}=\"{value}\" i]"),
        format!("{attribute}={value}"),
    )
}

/// The attribute that tells which `<meta>` a mutation is for, and its value.
pub fn meta_name(name: &str) -> Option<(&str, &str)> {
    name.split_once('=')
}

impl Operation {
    /// All operations with their names in a manifest.
    pub const ALL: [(&'static str, Operation); 20] = [
        ("text", Operation::Text),
        ("html", Operation::Html),
        ("attribute", Operation::Attribute),
        ("removeAttribute", Operation::RemoveAttribute),
        ("style", Operation::Style),
        ("addClass", Operation::AddClass),
        ("removeClass", Operation::RemoveClass),
        ("remove", Operation::Remove),
        ("before", Operation::Before),
        ("after", Operation::After),
        ("prepend", Operation::Prepend),
        ("append", Operation::Append),
        ("replace", Operation::Replace),
        ("unwrap", Operation::Unwrap),
        ("move", Operation::Move),
        ("image", Operation::Image),
        ("link", Operation::Link),
        ("title", Operation::Title),
        ("meta", Operation::Meta),
        ("redirect", Operation::Redirect),
    ];

    /// The operation's name in a manifest.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, operation)| *operation == self)
            .map_or("", |(name, _)| name)
    }

    /// Reads an operation's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, operation)| *operation)
    }

    /// Whether the content is HTML (else it is plain text).
    pub const fn takes_html(self) -> bool {
        matches!(
            self,
            Operation::Html
                | Operation::Before
                | Operation::After
                | Operation::Prepend
                | Operation::Append
                | Operation::Replace
        )
    }

    /// Whether the operation needs the name of an attribute, a style property or a `<meta>`.
    pub const fn takes_name(self) -> bool {
        matches!(
            self,
            Operation::Attribute | Operation::RemoveAttribute | Operation::Style | Operation::Meta
        )
    }

    /// Whether an author gives a selector.
    pub const fn takes_selector(self) -> bool {
        !matches!(self, Operation::Redirect | Operation::Title | Operation::Meta)
    }

    /// Whether the operation needs content that is called `value`.
    pub const fn takes_value(self) -> bool {
        !matches!(
            self,
            Operation::RemoveAttribute | Operation::Remove | Operation::Unwrap | Operation::Move
        )
    }

    /// Whether the content is an address.
    pub const fn takes_address(self) -> bool {
        matches!(self, Operation::Image | Operation::Link | Operation::Redirect)
    }
}

/// A change to the elements that a selector finds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mutation {
    /// A CSS selector; empty for a redirect.
    pub selector: String,
    /// What is done.
    pub operation: Operation,
    /// The attribute's or style property's name, which `<meta>`, where to something is moved, or [`KEEP_QUERY`]; empty
    /// for other operations.
    pub name: String,
    /// The content; empty where the operation needs none.
    pub content: Template,
}

/// A mutation with its content filled in for one visitor: what the rewriter and the page apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit<'a> {
    /// A CSS selector.
    pub selector: &'a str,
    /// What is done.
    pub operation: Operation,
    /// The attribute's or style property's name, which `<meta>`, or where to something is moved; empty for other
    /// operations.
    pub name: &'a str,
    /// The content: HTML where [`Operation::takes_html`], else plain text that is still to be escaped.
    pub content: String,
}

impl Mutation {
    /// Fills in the content. What comes from visitors is escaped for the place it lands in.
    pub fn render(&self, attributes: &dyn Attributes) -> Edit<'_> {
        let mut content = self.content.render(attributes);
        let is_address = match self.operation {
            Operation::Attribute => is_url_attribute(&self.name),
            operation => operation.takes_address(),
        };
        if is_address && !self.content.is_literal() && !is_safe_url(&content) {
            "#".clone_into(&mut content);
        }
        Edit {
            selector: &self.selector,
            operation: self.operation,
            name: &self.name,
            content,
        }
    }
}

/// Whether an attribute's value is an address that the browser may follow.
pub fn is_url_attribute(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        "href",
        "src",
        "action",
        "formaction",
        "poster",
        "cite",
        "data",
        "background",
        "ping",
        "manifest",
        "xlink:href",
        "longdesc",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}
