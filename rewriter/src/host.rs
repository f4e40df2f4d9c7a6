//! Who makes a change to the page: the edge while the page streams, or the browser.

use crate::names::ends_paragraph;
use lol_html::Selector;
use lol_html::errors::SelectorError;
use nearside_engine::mutation::Operation;
use std::cell::RefCell;
use std::collections::HashMap;

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

/// How many selectors are remembered.
const MOST_KNOWN: usize = 4_096;

thread_local! {
    /// A program has the same selectors for each page, and to read one takes longer than to splice an edit.
    static KNOWN: RefCell<HashMap<Box<str>, Result<(), String>>> = RefCell::default();
}

/// Whether a selector can be matched while a page streams.
///
/// # Errors
/// With a sentence that says why not.
pub fn supports(selector: &str) -> Result<(), String> {
    if let Some(known) = KNOWN.with_borrow(|known| known.get(selector).cloned()) {
        return known;
    }
    let supported = find_out(selector);
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(selector.into(), supported.clone());
    });
    supported
}

fn find_out(selector: &str) -> Result<(), String> {
    if let Err(error) = selector.parse::<Selector>() {
        return Err(reason(error));
    }
    if values(selector).any(|value| value.contains(['&', '<', '>', '"', '\\'])) {
        return Err("a page may write such a value in several ways, as with `&amp;`".to_owned());
    }
    let supplied = ["tbody", "colgroup"];
    let named = names(selector).find(|name| supplied.contains(&&**name));
    match named {
        Some(name) => Err(format!("where a page has no `<{name}>`, the browser makes one")),
        None => Ok(()),
    }
}

/// Why the browser alone knows what a selector finds.
fn reason(error: SelectorError) -> String {
    match error {
        SelectorError::UnsupportedCombinator(combinator) => {
            format!("`{combinator}`: what stands beside an element is known when all of it has come")
        }
        SelectorError::UnsupportedPseudoClassOrElement => {
            "of what begins with `:`, only `:not()`, `:first-child`, `:nth-child()`, `:first-of-type` and \
             `:nth-of-type()` can be told at a start tag"
                .to_owned()
        }
        SelectorError::UnsupportedSyntax => {
            "what is within an element, or follows it, comes after its start tag".to_owned()
        }
        SelectorError::NamespacedSelector => "it names a namespace".to_owned(),
        // What is no selector here is hardly one in the browser; its author should read it again.
        other => other.to_string().trim_end_matches('.').to_owned(),
    }
}

/// The values of the attributes in a selector.
fn values(selector: &str) -> impl Iterator<Item = &str> {
    let attributes = selector.split('[').skip(1);
    attributes.filter_map(|attribute| {
        let (_, value) = attribute.split_once('=')?;
        let value = value.rsplit_once(']').map_or(value, |(value, _)| value);
        let value = value.trim_ascii();
        let value = value.strip_suffix([' ', 'i', 's']).map_or(value, str::trim_ascii);
        Some(value.trim_matches(['"', '\'']))
    })
}

/// The names of elements in a selector, in lower case.
fn names(selector: &str) -> impl Iterator<Item = String> {
    let compounds = selector.split(|c: char| c.is_whitespace() || matches!(c, '>' | ',' | '(' | ')'));
    compounds.filter_map(|compound| {
        let end = compound.find(['.', '#', '[', ':']).unwrap_or(compound.len());
        let name = compound.get(..end)?;
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_name.then(|| name.to_ascii_lowercase())
    })
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
    let is_within = |selector: &str| {
        let mut compounds: Vec<&str> = selector.split(|c: char| c.is_whitespace() || c == '>').collect();
        compounds.retain(|compound| !compound.is_empty());
        if matches!(
            operation,
            Operation::Before | Operation::After | Operation::Replace
        ) {
            // It goes beside the element.
            compounds.pop();
        }
        compounds
            .iter()
            .any(|compound| names(compound).any(|name| name == "p"))
    };
    has_block && selector.split(',').any(is_within)
}
