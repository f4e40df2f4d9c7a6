//! Mutations: what a variant changes in the page.

use schemars::JsonSchema;

/// A change to all elements that a CSS selector finds.
#[derive(Debug, JsonSchema)]
#[schemars(tag = "op", rename_all = "camelCase")]
pub enum Mutation {
    /// Replaces the content by text.
    Text(Change),
    /// Replaces the content by HTML.
    Html(Change),
    /// Sets an attribute.
    Attribute(NamedChange),
    /// Removes an attribute.
    RemoveAttribute(NamedRemoval),
    /// Sets a property of the `style` attribute.
    Style(NamedChange),
    /// Adds a class.
    AddClass(Change),
    /// Removes a class.
    RemoveClass(Change),
    /// Removes the elements.
    Remove(Removal),
    /// Puts HTML before the elements.
    Before(Change),
    /// Puts HTML after the elements.
    After(Change),
    /// Puts HTML before the elements' content.
    Prepend(Change),
    /// Puts HTML after the elements' content.
    Append(Change),
    /// Puts HTML in the elements' place.
    Replace(Change),
    /// Sends the visitor to another page.
    Redirect(Redirect),
}

/// A change with content.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Change {
    /// The elements, as a CSS selector.
    #[schemars(length(max = 1_000), regex(pattern = r"\S"))]
    pub selector: String,
    /// The content; it may hold `{{path|default}}`, which is escaped for the place it lands in.
    #[schemars(length(max = 100_000))]
    pub value: String,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}

/// A change with a name and content.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NamedChange {
    /// The elements, as a CSS selector.
    #[schemars(length(max = 1_000), regex(pattern = r"\S"))]
    pub selector: String,
    /// The attribute or the style property.
    #[schemars(regex(pattern = "^[A-Za-z0-9_:.-]{1,100}$"))]
    pub name: String,
    /// The value; it may hold `{{path|default}}`, which is escaped for the place it lands in.
    #[schemars(length(max = 100_000))]
    pub value: String,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}

/// The removal of something that has a name.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NamedRemoval {
    /// The elements, as a CSS selector.
    #[schemars(length(max = 1_000), regex(pattern = r"\S"))]
    pub selector: String,
    /// The attribute.
    #[schemars(regex(pattern = "^[A-Za-z0-9_:.-]{1,100}$"))]
    pub name: String,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}

/// The removal of elements.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Removal {
    /// The elements, as a CSS selector.
    #[schemars(length(max = 1_000), regex(pattern = r"\S"))]
    pub selector: String,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}

/// A way to another page.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
pub struct Redirect {
    /// The address; it may hold `{{path|default}}`, which is escaped for the place it lands in.
    #[schemars(length(max = 4_000))]
    pub value: String,
    /// Whether the page's query parameters go along.
    pub keep_query: Option<bool>,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}
