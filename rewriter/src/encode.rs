//! How what is inserted is written in the page's character encoding.

use crate::attributes::Attributes;
use crate::encoding::Encoding;
use crate::references;
use std::borrow::Cow;

/// How characters beyond ASCII are read and written at a place of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spelling {
    /// How the page's own are read.
    encoding: Encoding,
    /// Whether the encoding is known, and can be written. Else what is put in is ASCII, which is the same in all encodings.
    is_written: bool,
}

impl Spelling {
    /// In an encoding that the page, or its `Content-Type`, names.
    pub(crate) const fn named(encoding: Encoding) -> Self {
        Self {
            encoding,
            is_written: matches!(encoding, Encoding::Utf8 | Encoding::Windows1252),
        }
    }

    /// As long as no encoding is named.
    pub(crate) const fn assumed() -> Self {
        Self {
            encoding: Encoding::Utf8,
            is_written: false,
        }
    }

    /// What the page has written.
    pub(crate) fn read(self, bytes: &[u8]) -> Cow<'_, str> {
        self.encoding.decode(bytes)
    }

    /// Text of the page, with what was put in, as the page writes it.
    pub(crate) fn write(self, text: &str) -> Cow<'_, [u8]> {
        self.encoding.encode(text)
    }

    /// Whether a name, in which there are no references, can be written.
    pub(crate) fn writes_name(self, name: &str) -> bool {
        name.is_ascii() || (self.is_written && self.encoding.has(name))
    }

    /// HTML.
    pub(crate) fn html(self, html: &str) -> Cow<'_, str> {
        match html.is_ascii() || (self.is_written && self.encoding.has(html)) {
            true => Cow::Borrowed(html),
            // In scripts and styles, a reference is none.
            false => Cow::Owned(references::html(html)),
        }
    }

    /// Plain text, as HTML.
    pub(crate) fn text(self, text: &str) -> Cow<'_, str> {
        let is_special = |byte: u8| matches!(byte, b'&' | b'<' | b'>');
        let escaped = match text.bytes().any(is_special) {
            true => Cow::Owned(
                text.replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;"),
            ),
            false => Cow::Borrowed(text),
        };
        self.spell(escaped)
    }

    /// Plain text, as the value of an attribute; quotes are escaped where the value is written.
    pub(crate) fn value(self, value: &str) -> Cow<'_, str> {
        let escaped = match value.contains('&') {
            true => Cow::Owned(value.replace('&', "&amp;")),
            false => Cow::Borrowed(value),
        };
        self.spell(escaped)
    }

    fn spell(self, text: Cow<'_, str>) -> Cow<'_, str> {
        // A character that the encoding lacks becomes a reference where it is written.
        match self.is_written || text.is_ascii() {
            true => text,
            false => Cow::Owned(references::text(&text)),
        }
    }
}

/// The encoding that a `<meta>` names, if it names one.
pub(crate) fn declaration(meta: &[u8]) -> Option<Encoding> {
    let attribute = |name: &str| {
        let found =
            Attributes::of(meta).find(|found| found.name(meta).eq_ignore_ascii_case(name.as_bytes()))?;
        Some(String::from_utf8_lossy(found.value(meta)))
    };
    let encoding = match attribute("charset") {
        Some(label) => Encoding::for_label(&label),
        None => {
            if !attribute("http-equiv")?
                .trim_ascii()
                .eq_ignore_ascii_case("content-type")
            {
                return None;
            }
            let content = attribute("content")?.to_ascii_lowercase();
            let (_, label) = content.split_once("charset")?;
            let label = label.trim_ascii_start().strip_prefix('=')?.trim_ascii();
            Encoding::for_label(label.split(';').next()?.trim_matches(['"', '\'', ' ']))
        }
    };
    match encoding? {
        // Whoever can read this does not have UTF-16: browsers take it for UTF-8.
        Encoding::Utf16 => Some(Encoding::Utf8),
        encoding => Some(encoding),
    }
}
