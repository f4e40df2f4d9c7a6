//! What an attribute's value says with character references
//! (<https://html.spec.whatwg.org/multipage/parsing.html#character-reference-state>).
//!
//! Of the two thousand names of characters, those are known that stand for ASCII or for a character of Latin 1; what others stand
//! for is in no selector that they could match.

use crate::encoding::Encoding;
use memchr::memchr;
use std::borrow::Cow;
use std::collections::HashMap;

/// The names of the characters from U+00A0 to U+00FF; some people leave their semicolons out.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 \
                       sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc \
                       Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve \
                       Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute \
                       acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde \
                       ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

/// Other characters, and their names.
const OTHERS: [(u8, &str); 34] = [
    (b'\t', "Tab"),
    (b'\n', "NewLine"),
    (b'!', "excl"),
    (b'"', "quot QUOT"),
    (b'#', "num"),
    (b'$', "dollar"),
    (b'%', "percnt"),
    (b'&', "amp AMP"),
    (b'\'', "apos"),
    (b'(', "lpar"),
    (b')', "rpar"),
    (b'*', "ast midast"),
    (b'+', "plus"),
    (b',', "comma"),
    (b'.', "period"),
    (b'/', "sol"),
    (b':', "colon"),
    (b';', "semi"),
    (b'<', "lt LT"),
    (b'=', "equals"),
    (b'>', "gt GT"),
    (b'?', "quest"),
    (b'@', "commat"),
    (b'[', "lsqb lbrack"),
    (b'\\', "bsol"),
    (b']', "rsqb rbrack"),
    (b'^', "Hat"),
    (b'_', "lowbar UnderBar"),
    (b'`', "grave DiacriticalGrave"),
    (b'{', "lcub lbrace"),
    (b'|', "verbar vert VerticalLine"),
    (b'}', "rcub rbrace"),
    (0xa9, "COPY"),
    (0xae, "REG"),
];

/// The length of the longest of all names of characters, in bytes.
const LONGEST: usize = 31;

thread_local! {
    /// The characters of the names.
    static NAMES: HashMap<&'static [u8], u8> = {
        let latin = LATIN_1.split_ascii_whitespace().zip(0xa0..=0xff);
        let others = OTHERS.iter().flat_map(|(character, names)| names.split(' ').map(move |name| (name, *character)));
        latin.chain(others).map(|(name, character)| (name.as_bytes(), character)).collect()
    };
}

/// The value with its references resolved, into UTF-8.
pub(crate) fn resolved(value: &[u8]) -> Cow<'_, [u8]> {
    // Classes are short: no search for those.
    if !value.contains(&b'&') {
        return Cow::Borrowed(value);
    }
    let mut said = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(place) = memchr(b'&', rest) {
        let (before, from) = rest.split_at(place);
        said.extend_from_slice(before);
        let (character, length) = reference(from).unwrap_or(('&', 1));
        let mut bytes = [0; 4];
        said.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        rest = from.get(length..).unwrap_or_default();
    }
    said.extend_from_slice(rest);
    Cow::Owned(said)
}

/// The reference that begins here: its character and its length.
fn reference(from: &[u8]) -> Option<(char, usize)> {
    match from.get(1)? {
        b'#' => numeric(from),
        _ => named(from),
    }
}

fn numeric(from: &[u8]) -> Option<(char, usize)> {
    let (radix, start) = match from.get(2)? {
        b'x' | b'X' => (16, 3),
        _ => (10, 2),
    };
    let digits = from.get(start..)?.iter();
    let digits = digits.map_while(|byte| char::from(*byte).to_digit(radix));
    let (mut code, mut length) = (0_u32, start);
    for digit in digits {
        code = code.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    if length == start {
        return None;
    }
    length += usize::from(from.get(length) == Some(&b';'));
    let character = match code {
        // Whoever writes these means windows-1252.
        0x80..=0x9f => Encoding::Windows1252.character(code as u8),
        0 => char::REPLACEMENT_CHARACTER,
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    Some((character, length))
}

fn named(from: &[u8]) -> Option<(char, usize)> {
    let rest = from.get(1..)?;
    let is_of_name = |byte: &&u8| byte.is_ascii_alphanumeric();
    let length = rest.iter().take(LONGEST + 1).take_while(is_of_name).count();
    let (name, rest) = rest.split_at_checked(length)?;
    let next = rest.first().copied();
    let known = match name {
        b"" => return None,
        b"amp" => Some(b'&'),
        _ => NAMES.with(|names| names.get(name).copied()),
    };
    // A name that is not known here stands for a character that nobody asks for.
    let character = known.map_or(char::REPLACEMENT_CHARACTER, char::from);
    let is_old = matches!(known, Some(b'"' | b'&' | b'<' | b'>' | 0xa0..));
    match next {
        Some(b';') if length <= LONGEST => Some((character, 1 + length + 1)),
        // An address may have a parameter of that name.
        Some(b'=') => None,
        Some(next) if next.is_ascii_alphanumeric() => None,
        _ if is_old => Some((character, 1 + length)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_as_in_attributes() {
        for (written, expected) in [
            ("", ""),
            ("a;b", "a;b"),
            ("&", "&"),
            ("a&b&&amp;&", "a&b&&&"),
            ("?a=1&amp;b=2&lt", "?a=1&b=2<"),
            (
                "?a=1&copy=2&lt=3&copy&copyx&copy;",
                "?a=1&copy=2&lt=3\u{a9}&copyx\u{a9}",
            ),
            (
                "&nbsp;&iexcl;&yuml;&Uuml;&szlig",
                "\u{a0}\u{a1}\u{ff}\u{dc}\u{df}",
            ),
            ("&lbrack;&Tab;&vert;&apos;&apos", "[\t|'&apos"),
            ("&AMP&GT;&Amp;", "&>\u{fffd}"),
            ("&#97;&#97 &#x61;&#X61b", "aa a\u{61b}"),
            (
                "&#0;&#x110000;&#xd800;&#99999999999;",
                "\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
            ),
            ("&#128;&#x9f;&#x81;", "\u{20ac}\u{178}\u{81}"),
            ("&#;&#x;&#xg;&#a", "&#;&#x;&#xg;&#a"),
            (
                "a &ndash;&CounterClockwiseContourIntegral;b",
                "a \u{fffd}\u{fffd}b",
            ),
            ("&REG&COPY;&COPY=", "\u{ae}\u{a9}&COPY="),
            ("&;&_;&&lt&ampx&ltx;", "&;&_;&<&ampx\u{fffd}"),
            (
                "&ndash b&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;",
                "&ndash b&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;",
            ),
        ] {
            let said = resolved(written.as_bytes());
            assert_eq!(String::from_utf8_lossy(&said), expected, "{written}");
        }
    }
}
