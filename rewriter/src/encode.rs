//! How what is inserted is written in the page's character encoding.

use encoding_rs::Encoding;
use encoding_rs::{ISO_2022_JP, REPLACEMENT, UTF_8};
use lol_html::html_content::Element;
use std::fmt::Write;

/// How characters beyond ASCII are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// The page's encoding is known: the parser's library encodes.
    Encoded,
    /// It is not: as references, which are the same in all encodings.
    References,
}

impl Spelling {
    /// HTML. Scripts and styles know no references: HTML with one of them stays as it is.
    pub(crate) fn html(self, html: &str) -> String {
        let lower = html.to_ascii_lowercase();
        if lower.contains("<script") || lower.contains("<style") {
            return html.to_owned();
        }
        self.spell(html.to_owned())
    }

    /// Plain text, as HTML.
    pub(crate) fn text(self, text: &str) -> String {
        self.spell(
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;"),
        )
    }

    /// Plain text, as the value of an attribute. The parser's library does the quotes.
    pub(crate) fn value(self, value: &str) -> String {
        self.spell(value.replace('&', "&amp;"))
    }

    fn spell(self, html: String) -> String {
        if self == Spelling::Encoded || html.is_ascii() {
            return html;
        }
        let mut spelled = String::with_capacity(html.len() * 2);
        for character in html.chars() {
            if character.is_ascii() {
                spelled.push(character);
            } else {
                // Writing to a string does not fail.
                let _ = write!(spelled, "&#{};", u32::from(character));
            }
        }
        spelled
    }
}

/// What a `<meta>` says of the page's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declaration {
    /// One that the parser's library takes over.
    Known,
    /// One that it may take over.
    Perhaps,
    /// One in which tags are not ASCII, or that browsers do not show.
    Impossible,
}

/// Whether a label names UTF-8.
pub(crate) fn is_utf_8(label: &str) -> bool {
    Encoding::for_label(label.as_bytes()) == Some(UTF_8)
}

/// Reads a `<meta>`: the label of the encoding, and what becomes of it.
pub(crate) fn declaration(meta: &Element<'_, '_>) -> Option<(String, Declaration)> {
    let (label, known) = match meta.get_attribute("charset") {
        Some(label) => (label, Declaration::Known),
        None => {
            let http_equiv = meta.get_attribute("http-equiv")?;
            if !http_equiv.trim_ascii().eq_ignore_ascii_case("content-type") {
                return None;
            }
            let content = meta.get_attribute("content")?.to_ascii_lowercase();
            let (_, label) = content.split_once("charset")?;
            let label = label.trim_ascii_start().strip_prefix('=')?.trim_ascii();
            let label = label.split(';').next()?.trim_matches(['"', '\'', ' ']);
            (label.to_owned(), Declaration::Perhaps)
        }
    };
    let encoding = Encoding::for_label(label.as_bytes())?;
    let declaration = if encoding == ISO_2022_JP || encoding == REPLACEMENT {
        Declaration::Impossible
    } else if encoding.is_ascii_compatible() {
        known
    } else {
        // Whoever can read the label does not have UTF-16: browsers take it for UTF-8.
        Declaration::Perhaps
    };
    Some((label, declaration))
}
