//! HTML in ASCII alone, for pages whose encoding cannot be written.

use std::fmt::Write;

/// Text or an attribute's value: characters beyond ASCII as numeric references.
pub(crate) fn text(text: &str) -> String {
    spell(text, |character, spelled| {
        write!(spelled, "&#{};", u32::from(character))
    })
}

/// HTML. Scripts and styles know no references: there, characters are escaped as their languages have it in names
/// and strings.
pub(crate) fn html(html: &str) -> String {
    let mut spelled = String::with_capacity(html.len() * 2);
    let mut rest = html;
    while let Some((raw, content)) = next_raw(rest) {
        let (markup, from_content) = rest.split_at(content);
        spelled.push_str(&text(markup));
        let length = find(from_content, &format!("</{}", raw.name())).unwrap_or(from_content.len());
        let (content, behind) = from_content.split_at(length);
        spelled.push_str(&raw.escaped(content));
        rest = behind;
    }
    spelled.push_str(&text(rest));
    spelled
}

/// An element whose content is another language's.
#[derive(Clone, Copy)]
enum Raw {
    Script,
    Style,
}

impl Raw {
    const fn name(self) -> &'static str {
        match self {
            Raw::Script => "script",
            Raw::Style => "style",
        }
    }

    fn escaped(self, content: &str) -> String {
        spell(content, |character, spelled| match self {
            Raw::Script => {
                let mut units = [0; 2];
                let mut units = character.encode_utf16(&mut units).iter();
                units.try_for_each(|unit| write!(spelled, "\\u{unit:04x}"))
            }
            // Six digits, and the space that ends them.
            Raw::Style => write!(spelled, "\\{:06x} ", u32::from(character)),
        })
    }
}

/// The next element with raw content, and where that begins.
fn next_raw(html: &str) -> Option<(Raw, usize)> {
    let starts = html.bytes().enumerate().filter(|(_, byte)| *byte == b'<');
    starts.map(|(place, _)| place).find_map(|place| {
        let tag = html.get(place + 1..)?;
        let raw = [Raw::Script, Raw::Style]
            .into_iter()
            .find(|raw| is_tag(tag, raw.name()))?;
        let mut quote = None;
        let end = tag.bytes().position(|byte| match (quote, byte) {
            (None, b'>') => true,
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                false
            }
            (Some(open), _) if open == byte => {
                quote = None;
                false
            }
            _ => false,
        })?;
        Some((raw, place + 1 + end + 1))
    })
}

fn is_tag(tag: &str, name: &str) -> bool {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/');
    tag.get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name))
        && tag.as_bytes().get(name.len()).is_some_and(ends)
}

/// Where some ASCII first stands, in whatever case.
fn find(text: &str, ascii: &str) -> Option<usize> {
    let mut places = text.as_bytes().windows(ascii.len());
    places.position(|bytes| bytes.eq_ignore_ascii_case(ascii.as_bytes()))
}

fn spell(text: &str, write_one: impl Fn(char, &mut String) -> std::fmt::Result) -> String {
    let mut spelled = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        if character.is_ascii() {
            spelled.push(character);
        } else {
            // Writing to a string does not fail.
            let _ = write_one(character, &mut spelled);
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use super::html;

    #[test]
    fn each_language_has_its_own_escapes() {
        for (written, expected) in [
            ("\u{e9}<b title='\u{e9}'>", "&#233;<b title='&#233;'>"),
            (
                "<script title=\"\u{e9}>\">say('\u{e9}\u{1f600}')</Script>\u{e9}",
                "<script title=\"&#233;>\">say('\\u00e9\\ud83d\\ude00')</Script>&#233;",
            ),
            (
                "<STYLE>a::after{content:'\u{e9}1'}",
                "<STYLE>a::after{content:'\\0000e9 1'}",
            ),
            ("<scripts>\u{e9}<script", "<scripts>&#233;<script"),
            ("<style></style><script>\u{e9}", "<style></style><script>\\u00e9"),
        ] {
            assert_eq!(html(written), expected);
        }
    }
}
