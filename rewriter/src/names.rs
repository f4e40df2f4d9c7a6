//! What HTML's parsing rules say of the names of elements.

/// Elements whose start tag ends an open paragraph.
pub(crate) fn ends_paragraph(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "header"
            | "hgroup"
            | "hr"
            | "li"
            | "listing"
            | "main"
            | "menu"
            | "nav"
            | "ol"
            | "p"
            | "plaintext"
            | "pre"
            | "search"
            | "section"
            | "summary"
            | "ul"
            | "xmp"
    ) || is_heading(name)
}

pub(crate) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Elements whose missing end tags other end tags supply.
pub(crate) fn has_implied_end(name: &str) -> bool {
    matches!(
        name,
        "dd" | "dt" | "li" | "optgroup" | "option" | "p" | "rb" | "rp" | "rt" | "rtc"
    )
}

/// The standard's "formatting" elements, which the browser opens again after a block cut them off.
pub(crate) fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "a" | "b"
            | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
    )
}

/// The standard's "special" elements: no end tag of an ordinary element reaches beyond one.
pub(crate) fn is_special(name: &str) -> bool {
    (ends_paragraph(name) || bounds_scope(name))
        || matches!(
            name,
            "body"
                | "button"
                | "colgroup"
                | "frameset"
                | "head"
                | "iframe"
                | "noembed"
                | "noframes"
                | "noscript"
                | "script"
                | "select"
                | "style"
                | "tbody"
                | "textarea"
                | "tfoot"
                | "thead"
                | "title"
                | "tr"
        )
}

/// Elements that bound the standard's "scope".
pub(crate) fn bounds_scope(name: &str) -> bool {
    matches!(name, "applet" | "caption" | "marquee" | "object" | "td" | "th") || bounds_table_scope(name)
}

/// Elements that bound the standard's "table scope".
pub(crate) fn bounds_table_scope(name: &str) -> bool {
    matches!(name, "html" | "table" | "template")
}

/// Elements of a table's own structure.
pub(crate) fn is_table_part(name: &str) -> bool {
    is_row_group(name) || matches!(name, "caption" | "col" | "colgroup" | "td" | "th" | "tr")
}

pub(crate) fn is_row_group(name: &str) -> bool {
    matches!(name, "tbody" | "tfoot" | "thead")
}

/// Elements that may stand in the head.
pub(crate) fn belongs_to_head(name: &str) -> bool {
    matches!(
        name,
        "base"
            | "basefont"
            | "bgsound"
            | "head"
            | "html"
            | "link"
            | "meta"
            | "noframes"
            | "noscript"
            | "script"
            | "style"
            | "template"
            | "title"
    )
}

/// Elements of SVG and MathML in which HTML stands again.
pub(crate) fn holds_html(name: &str) -> bool {
    matches!(
        name,
        "foreignobject" | "desc" | "title" | "mi" | "mo" | "mn" | "ms" | "mtext" | "annotation-xml"
    )
}

/// Whether a start tag ends the open element before it, so that its end tag may be left out.
pub(crate) fn implies_end(start: &str, open: &str) -> bool {
    match open {
        "p" => ends_paragraph(start),
        "li" => start == "li",
        "dt" | "dd" => matches!(start, "dt" | "dd"),
        "option" => matches!(start, "option" | "optgroup"),
        "optgroup" => start == "optgroup",
        "rb" | "rp" | "rt" => matches!(start, "rb" | "rp" | "rt" | "rtc"),
        "rtc" => matches!(start, "rb" | "rtc"),
        "td" | "th" => matches!(start, "td" | "th" | "tr") || is_row_group(start),
        "tr" => start == "tr" || is_row_group(start),
        "tbody" | "tfoot" | "thead" => is_row_group(start),
        _ => false,
    }
}

/// Elements that have text and no elements.
pub(crate) const TEXT_HOLDERS: [&str; 10] = [
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
];

/// Whether an element has text and no elements.
pub(crate) fn holds_text(name: &str) -> bool {
    TEXT_HOLDERS.contains(&name)
}
