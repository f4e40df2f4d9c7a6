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
    /// Takes the elements' tags away; their content stays.
    Unwrap(Removal),
    /// Moves the elements.
    Move(Movement),
    /// Shows another image in an `<img>`.
    Image(Image),
    /// Lets an `<a>` or `<area>` lead to another address.
    Link(AddressChange),
    /// Sets the document's title.
    Title(Title),
    /// Sets the content of a `<meta>`; one is added where the head has none.
    Meta(Meta),
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

/// Another place for elements.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Movement {
    /// The elements, as a CSS selector.
    #[schemars(length(max = 1_000), regex(pattern = r"\S"))]
    pub selector: String,
    /// Where they go: the first element that this CSS selector finds.
    #[schemars(length(max = 1_000), regex(pattern = r"\S"))]
    pub to: String,
    /// Whether they go before or after that element, or to the beginning or end of its content.
    pub position: Position,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}

/// A place at an element.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub enum Position {
    /// Before it.
    Before,
    /// After it.
    After,
    /// At the beginning of its content.
    Prepend,
    /// At the end of its content.
    Append,
}

/// Another image.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Image {
    /// The `<img>` elements, as a CSS selector.
    #[schemars(length(max = 1_000), regex(pattern = r"\S"))]
    pub selector: String,
    /// The image's address, in the place of what `src`, `srcset` and `sizes` said; it may hold `{{path|default}}`.
    #[schemars(length(max = 100_000))]
    pub value: String,
    /// The text in the image's place; it may hold `{{path|default}}`.
    #[schemars(length(max = 100_000))]
    pub alt: Option<String>,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}

/// A change with an address.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AddressChange {
    /// The elements, as a CSS selector.
    #[schemars(length(max = 1_000), regex(pattern = r"\S"))]
    pub selector: String,
    /// The address; it may hold `{{path|default}}`, which is escaped for the place it lands in.
    #[schemars(length(max = 100_000))]
    pub value: String,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}

/// The document's title.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Title {
    /// The title; it may hold `{{path|default}}`.
    #[schemars(length(max = 100_000))]
    pub value: String,
    /// What it is for; nothing reads it.
    pub description: Option<String>,
}

/// The content of a `<meta>`, which has a `name` or a `property`.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Meta {
    /// The `<meta>` with this `name`, such as `description`.
    #[schemars(regex(pattern = "^[A-Za-z0-9_:.-]{1,100}$"))]
    pub name: Option<String>,
    /// The `<meta>` with this `property`, such as `og:title`.
    #[schemars(regex(pattern = "^[A-Za-z0-9_:.-]{1,100}$"))]
    pub property: Option<String>,
    /// Its content; it may hold `{{path|default}}`.
    #[schemars(length(max = 100_000))]
    pub value: String,
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
