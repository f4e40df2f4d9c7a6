//! How what is inserted is written in the page's character encoding.

use crate::references;
use encoding_rs::Encoding;
use encoding_rs::{ISO_2022_JP, REPLACEMENT, UTF_8, WINDOWS_1252};
use lol_html::html_content::Element;

/// How characters beyond ASCII are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// The page's encoding is one that the parser's library can write.
    Encoded,
    /// It is not, or is not known: in ASCII, which is the same in all encodings.
    References,
}

impl Spelling {
    /// Whether what is inserted can be written in an encoding. All others are taken byte for byte: what stood in the
    /// page stays, and what is put in must be ASCII.
    pub(crate) fn writes(encoding: &'static Encoding) -> bool {
        encoding == UTF_8 || encoding == WINDOWS_1252
    }

    /// HTML.
    pub(crate) fn html(self, html: &str) -> String {
        self.spell(html.to_owned(), references::html)
    }

    /// Plain text, as HTML.
    pub(crate) fn text(self, text: &str) -> String {
        self.spell(
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;"),
            references::text,
        )
    }

    /// Plain text, as the value of an attribute. The parser's library does the quotes.
    pub(crate) fn value(self, value: &str) -> String {
        self.spell(value.replace('&', "&amp;"), references::text)
    }

    fn spell(self, html: String, in_ascii: fn(&str) -> String) -> String {
        if self == Spelling::Encoded || html.is_ascii() {
            html
        } else {
            in_ascii(&html)
        }
    }
}

/// What a `<meta>` says of the page's encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Declaration {
    /// One that the parser's library takes over and can write.
    Known,
    /// One that it may take over, or that it cannot write.
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
    } else if Spelling::writes(encoding) {
        known
    } else {
        // Whoever can read the label does not have UTF-16: browsers take it for UTF-8.
        // In all others, ASCII is ASCII.
        Declaration::Perhaps
    };
    Some((label, declaration))
}
