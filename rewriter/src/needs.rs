//! Whether an edit needs every end tag of the page.
//!
//! Finding the end tags that an author left out takes a second parse of the page, many times the cost of the
//! edits themselves. Most edits do without: they touch a start tag alone, or an element whose end tag HTML
//! demands.

use nearside_engine::mutation::{Edit, Operation};

/// Elements whose end tags may be left out.
const OPTIONAL_END: [&str; 20] = [
    "body", "caption", "colgroup", "dd", "dt", "head", "html", "li", "optgroup", "option", "p", "rb", "rp",
    "rt", "rtc", "tbody", "td", "tfoot", "th", "thead",
];

/// Whether the edit could go wrong in a page whose author left out end tags.
pub(crate) fn every_end_tag(edit: &Edit<'_>) -> bool {
    let reaches_the_end = match edit.operation {
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
        | Operation::Prepend => false,
    };
    edit.selector
        .split(',')
        .any(|selector| !is_sure(selector, reaches_the_end))
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
        let name = compound
            .split(['.', '#', '[', ']', '*', '|'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
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
        check("section > div.card", Operation::Remove, false);
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
        check("div:nth-child(2)", Operation::AddClass, true);
    }
}
