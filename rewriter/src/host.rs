//! Who makes a change to the page: the edge while the page streams, or the browser.

use crate::names::ends_paragraph;
use crate::selector::{self, Compound, Selector};
use nearside_engine::mutation::Operation;
use std::rc::Rc;

/// Who makes a change to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// The edge does.
    Edge,
    /// The edge does where it can, and the browser looks once more.
    Both(&'static str),
    /// The browser does, for this reason.
    Browser(String),
}

impl Host {
    /// Whether the edge has a part in it.
    pub const fn has_edge(&self) -> bool {
        matches!(self, Host::Edge | Host::Both(_))
    }

    /// Whether the browser has a part in it.
    pub const fn has_browser(&self) -> bool {
        matches!(self, Host::Browser(_) | Host::Both(_))
    }
}

/// Who applies an operation to what a selector finds. Visitors' values in the content make no difference.
pub fn host(operation: Operation, selector: &str, content: &str) -> Host {
    if let Some(why) = needs_document(operation, selector, content) {
        return Host::Browser(why.to_owned());
    }
    match (operation, supports(selector)) {
        (_, Err(why)) => Host::Browser(why),
        (Operation::Title | Operation::Meta, Ok(())) => {
            Host::Both("in a page without `</head>` and `<body>`, the browser adds what the head has not")
        }
        (_, Ok(())) => Host::Edge,
    }
}

/// Why an operation takes a whole document, wherever its selector leads.
pub(crate) fn needs_document(operation: Operation, selector: &str, content: &str) -> Option<&'static str> {
    match operation {
        Operation::Move => Some("where an element goes may have left before the element comes"),
        _ if operation.takes_html() && ends_its_paragraph(operation, selector, content) => {
            Some("a paragraph (`<p>`) ends where a block begins: only the browser can put one into it")
        }
        _ => None,
    }
}

/// Whether a selector can be matched while a page streams.
///
/// # Errors
/// With a sentence that says why not.
pub fn supports(selector: &str) -> Result<(), String> {
    streams(selector).map(|_| ())
}

/// A selector that can be matched while a page streams.
pub(crate) fn streams(selector: &str) -> Result<Rc<Selector>, String> {
    let selector = selector::read(selector).map_err(|error| error.to_string())?;
    for made in ["tbody", "colgroup"] {
        let mut targets = selector
            .alternatives
            .iter()
            .filter_map(|complex| complex.compounds.last());
        if targets.any(|(_, target)| target.any(&|compound| is_named(compound, made))) {
            return Err(format!("where a page has no `<{made}>`, the browser makes one"));
        }
    }
    Ok(selector)
}

fn is_named(compound: &Compound, name: &str) -> bool {
    compound
        .name
        .as_ref()
        .is_some_and(|own| own.bytes() == name.as_bytes())
}

/// Whether content with a block would go into a paragraph, as the selector says.
fn ends_its_paragraph(operation: Operation, selector: &str, content: &str) -> bool {
    let has_block = content.split('<').skip(1).any(|tag| {
        let end = tag.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'));
        ends_paragraph(
            &tag.get(..end.unwrap_or(tag.len()))
                .unwrap_or_default()
                .to_ascii_lowercase(),
        )
    });
    // What goes beside an element does not go into it.
    let beside = usize::from(matches!(
        operation,
        Operation::Before | Operation::After | Operation::Replace
    ));
    has_block
        && selector::read(selector).is_ok_and(|selector| {
            selector.alternatives.iter().any(|complex| {
                let around = complex.compounds.iter().rev().skip(beside);
                // Whoever writes `:not(p)` has classes in mind that stand at all kinds of elements.
                around
                    .into_iter()
                    .any(|(_, compound)| compound.any(&|compound| is_named(compound, "p")))
            })
        })
}
