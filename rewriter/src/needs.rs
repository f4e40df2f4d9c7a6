//! Whether an edit needs every end tag of the page.
//!
//! Finding the end tags that an author left out takes a second parse of the page, many times the cost of the
//! edits themselves. Most edits do without: they touch a start tag alone, or an element whose end tag HTML
//! demands.

use crate::edit::first_tag;
use crate::names::ends_paragraph;
use nearside_engine::mutation::{Edit, Operation};

/// Elements whose end tags may be left out.
const OPTIONAL_END: [&str; 20] = [
    "body", "caption", "colgroup", "dd", "dt", "head", "html", "li", "optgroup", "option", "p", "rb", "rp",
    "rt", "rtc", "tbody", "td", "tfoot", "th", "thead",
];

/// Elements whose children's end tags may be left out, a paragraph's aside.
const LISTS: [&str; 11] = [
    "datalist", "dir", "dl", "menu", "ol", "optgroup", "ruby", "select", "table", "ul", "tr",
];

/// Whether the edit could go wrong in a page whose author left out end tags.
pub(crate) fn every_end_tag(edit: &Edit<'_>) -> bool {
    let reaches_the_end = match edit.operation {
        // What stands in the head has no end, or one that HTML demands; the others are not done here.
        Operation::Title | Operation::Meta | Operation::Move | Operation::Redirect => return false,
        // What an element held together comes apart.
        Operation::Unwrap => return true,
        Operation::Text
        | Operation::Html
        | Operation::Remove
        | Operation::Replace
        | Operation::Append
        | Operation::After => true,
        Operation::Attribute
        | Operation::RemoveAttribute
        | Operation::Style
        | Operation::AddClass
        | Operation::RemoveClass
        | Operation::Before
        | Operation::Prepend
        | Operation::Image
        | Operation::Link => false,
    };
    // A block ends a paragraph that is still open, and so does one that takes its place.
    let is_block = first_tag(&edit.content).is_some_and(|tag| ends_paragraph(&tag));
    edit.selector.split(',').any(|selector| {
        let target = target_name(selector);
        let opens_up = match edit.operation {
            Operation::Append => !is_block || LISTS.contains(&target.as_str()),
            Operation::Before | Operation::Remove | Operation::Replace => {
                target.is_empty() || ends_others(&target) || (!is_block && ends_paragraph(&target))
            }
            _ => false,
        };
        opens_up || !is_sure(selector, reaches_the_end)
    })
}

/// Whether the start tag of an element ends others whose end tags may be left out, paragraphs aside: what is put before
/// it could get into them.
fn ends_others(name: &str) -> bool {
    OPTIONAL_END.contains(&name) && name != "p"
}

/// The name of the elements that a selector finds; empty if it does not say.
fn target_name(selector: &str) -> String {
    let target = selector
        .rsplit(|c: char| c.is_whitespace() || c == '>')
        .find(|part| !part.is_empty());
    let name = target
        .unwrap_or_default()
        .split(['.', '#', '[', ']', '*', '|'])
        .next();
    name.unwrap_or_default().to_ascii_lowercase()
}

/// Whether what the selector finds, and for edits that reach an element's end also where that is, does not
/// depend on end tags that may be left out. In doubt it does.
fn is_sure(selector: &str, reaches_the_end: bool) -> bool {
    // Which child something is depends on where those before it end; and what is quoted could be anything.
    if selector.contains([':', '"', '\'', '\\', '+', '~', '(']) {
        return false;
    }
    let compounds: Vec<&str> = selector
        .split(|c: char| c.is_whitespace() || c == '>')
        .filter(|c| !c.is_empty())
        .collect();
    let has_children = selector.contains('>');
    let Some((target, around)) = compounds.split_last() else {
        return false;
    };
    let demands_end = |compound: &str| {
        let name = target_name(compound);
        !name.is_empty() && name != "tr" && !OPTIONAL_END.contains(&name.as_str())
    };
    // An ancestor that the parser takes for open may be over; of one without a name nobody knows.
    let ancestors = around
        .iter()
        .all(|compound| demands_end(compound) || (!has_children && is_only_id(compound)));
    ancestors && (demands_end(target) || (!reaches_the_end && !has_children))
}

/// Whether it is an id alone: there is one such element, and it was chosen by its author.
fn is_only_id(compound: &str) -> bool {
    compound.starts_with('#') && !compound[1..].contains(['.', '#', '[', '*'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(selector: &str, operation: Operation, expected: bool) {
        let edit = Edit {
            selector,
            operation,
            name: "",
            content: String::new(),
        };
        assert_eq!(every_end_tag(&edit), expected, "{selector} {operation:?}");
    }

    #[test]
    fn what_has_to_have_its_end_tag_is_sure() {
        check("header h1", Operation::Text, false);
        check("nav.navbar", Operation::After, false);
        check("a > span.card", Operation::Remove, false);
        check("H1", Operation::Text, false);
        check(".btn", Operation::AddClass, false);
        check("p", Operation::AddClass, false);
        check("nav .badge", Operation::Style, false);
    }

    #[test]
    fn what_may_do_without_is_not() {
        for selector in [
            "header p.lead",
            "li",
            "TD",
            ".price",
            "#hero",
            "*",
            "h1, p",
            "h1:first-child",
            "[data-x]",
        ] {
            check(selector, Operation::Text, true);
        }
        check("li b", Operation::AddClass, true);
        check("li > .btn", Operation::AddClass, true);
        check("tr", Operation::Append, true);
        // What follows would go into a paragraph that only this block ended.
        check("section > div.card", Operation::Remove, true);
        check("div ul", Operation::Append, true);
        // Text at the end of a `div` would go into a paragraph that is still open.
        check("div", Operation::Append, true);
        let block = |operation| Edit {
            selector: "div",
            operation,
            name: "",
            content: "<div>x</div>".into(),
        };
        assert!(!every_end_tag(&block(Operation::Append)) && !every_end_tag(&block(Operation::Before)));
        check("div:nth-child(2)", Operation::AddClass, true);
        // What is put before an item, or something that may be one, would go into the item before it.
        let before = |selector| Edit {
            selector,
            operation: Operation::Before,
            name: "",
            content: "<div>x</div>".into(),
        };
        assert!(every_end_tag(&before("li")) && every_end_tag(&before(".card")));
        assert!(!every_end_tag(&before("h2")) && !every_end_tag(&before("section.card")));
    }
}
