//! What is done to the pages.

use nearside_engine::mutation::{Edit, Operation};

/// The selectors that each operation has on the pages of our own.
pub(crate) const SELECTORS: [&str; 8] = [
    ".a",
    "#x",
    "p",
    "[data-k=v]",
    "#x > .a",
    "div .a",
    "p:nth-child(2)",
    ".a:not(p)",
];

/// The selectors that each operation has on html5lib's pages.
pub(crate) const HTML5LIB_SELECTORS: [&str; 2] = [
    "a, b, i, em, font, nobr, span, svg *",
    "p, div, li, td, tr, table, option, select, button, h1",
];

const BLOCK: &str = "<p class=new>n</p>";
const INLINE: &str = "n<b class=new>n</b>";

/// All edits of a selector.
pub(crate) fn edits(selector: &str) -> Vec<Edit<'_>> {
    let mut edits = Vec::new();
    for (_, operation) in Operation::ALL {
        let mut add = |name, content: &str| {
            edits.push(Edit {
                selector: match operation {
                    Operation::Title => "title",
                    Operation::Meta => "meta[name=\"description\" i]",
                    _ => selector,
                },
                operation,
                name,
                content: content.to_owned(),
            });
        };
        match operation {
            Operation::Redirect => {}
            Operation::Attribute => add("title", "<new> & \"it\""),
            Operation::RemoveAttribute => add("class", ""),
            Operation::Style => add("color", "green"),
            Operation::AddClass => add("", "new b"),
            Operation::RemoveClass => add("", "a"),
            Operation::Remove | Operation::Unwrap => add("", ""),
            Operation::Move => add("after", "body"),
            Operation::Image | Operation::Link => add("", "/new?a=1&b=\"2\""),
            Operation::Text | Operation::Title => add("", "<new> & \"it\""),
            Operation::Meta => add("name=description", "<new> & \"it\""),
            Operation::Html
            | Operation::Before
            | Operation::After
            | Operation::Prepend
            | Operation::Append
            | Operation::Replace => {
                add("", BLOCK);
                add("", INLINE);
            }
        }
    }
    edits
}
