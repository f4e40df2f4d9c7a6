//! The attributes of a start tag
//! (<https://html.spec.whatwg.org/multipage/parsing.html#before-attribute-name-state>).

use memchr::memchr;
use std::ops::Range;

/// So many attributes of a tag are looked at, and a tag that has more of them is not written anew.
pub(crate) const MAX_ATTRIBUTES: usize = 20_000;

/// An attribute as it is written; the ranges are in the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: Range<u32>,
    /// Without its quotes; empty where there is none.
    pub(crate) value: Range<u32>,
    /// Where it ends, its quotes included.
    pub(crate) end: u32,
}

impl Attribute {
    /// Its name in a tag.
    pub(crate) fn name<'t>(&self, tag: &'t [u8]) -> &'t [u8] {
        part(tag, &self.name)
    }

    /// Its value in a tag.
    pub(crate) fn value<'t>(&self, tag: &'t [u8]) -> &'t [u8] {
        part(tag, &self.value)
    }

    /// All of it in a tag.
    pub(crate) fn all<'t>(&self, tag: &'t [u8]) -> &'t [u8] {
        part(tag, &(self.name.start..self.end))
    }
}

fn part<'t>(tag: &'t [u8], range: &Range<u32>) -> &'t [u8] {
    tag.get(range.start as usize..range.end as usize)
        .unwrap_or_default()
}

/// The attributes of a start tag, one after the other. Of several of one name, only the first counts.
pub(crate) struct Attributes<'t> {
    tag: &'t [u8],
    at: usize,
}

impl<'t> Attributes<'t> {
    /// Those of a whole start tag.
    pub(crate) fn of(tag: &'t [u8]) -> Self {
        let after = 1 + tag_name(tag).len();
        Self { tag, at: after }
    }

    fn byte(&self) -> Option<u8> {
        self.tag.get(self.at).copied()
    }

    /// Passes bytes; gives where they were.
    fn pass_while(&mut self, is_passed: impl Fn(u8) -> bool) -> Range<u32> {
        let start = self.at as u32;
        while self.byte().is_some_and(&is_passed) {
            self.at += 1;
        }
        start..self.at as u32
    }

    fn value(&mut self) -> Range<u32> {
        self.at += 1;
        self.pass_while(is_blank);
        let quote = match self.byte() {
            Some(quote @ (b'"' | b'\'')) => quote,
            _ => return self.pass_while(|byte| !is_blank(byte) && byte != b'>'),
        };
        let start = self.at + 1;
        let rest = self.tag.get(start..).unwrap_or_default();
        let length = memchr(quote, rest).unwrap_or(rest.len());
        self.at = start + length + 1;
        start as u32..(start + length) as u32
    }
}

impl Iterator for Attributes<'_> {
    type Item = Attribute;

    fn next(&mut self) -> Option<Attribute> {
        self.pass_while(|byte| is_blank(byte) || byte == b'/');
        if matches!(self.byte(), None | Some(b'>')) {
            return None;
        }
        let start = self.at as u32;
        // An equals sign that a name begins with is a part of it.
        self.at += 1;
        let name = start..self.pass_while(|byte| !ends_name(byte)).end;
        let after_name = self.at;
        self.pass_while(is_blank);
        if self.byte() != Some(b'=') {
            self.at = after_name;
            return Some(Attribute {
                value: name.end..name.end,
                end: name.end,
                name,
            });
        }
        let value = self.value();
        let end = match value.start == self.at as u32 {
            // No value has come, nor quotes.
            true => name.end,
            false => self.at as u32,
        };
        Some(Attribute { name, value, end })
    }
}

/// The name in a start tag, as it is written.
pub(crate) fn tag_name(tag: &[u8]) -> &[u8] {
    let name = tag.get(1..).unwrap_or_default();
    let ends = |byte: &u8| is_blank(*byte) || matches!(byte, b'/' | b'>');
    let end = name.iter().position(ends);
    name.get(..end.unwrap_or(name.len())).unwrap_or_default()
}

/// What stands between attributes.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

const fn ends_name(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'/' | b'>' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tag: &str, expected: &[(&str, &str, &str)]) {
        let bytes = tag.as_bytes();
        let text = |bytes| std::str::from_utf8(bytes).unwrap();
        let found: Vec<_> = Attributes::of(bytes)
            .map(|a| (text(a.name(bytes)), text(a.value(bytes)), text(a.all(bytes))))
            .collect();
        assert_eq!(found, expected, "{tag}");
    }

    #[test]
    fn attributes_are_read_as_the_standard_has_it() {
        check("<p>", &[]);
        check("<p/>", &[]);
        check(
            "<p a=1 B='2'c=\"3\"/d>",
            &[
                ("a", "1", "a=1"),
                ("B", "2", "B='2'"),
                ("c", "3", "c=\"3\""),
                ("d", "", "d"),
            ],
        );
        check(
            "<p a = 'x' b\n=\ty>",
            &[("a", "x", "a = 'x'"), ("b", "y", "b\n=\ty")],
        );
        check("<p a=x/>", &[("a", "x/", "a=x/")]);
        check("<p a='' b>", &[("a", "", "a=''"), ("b", "", "b")]);
        check("<p a=>", &[("a", "", "a")]);
        check("<p a= >", &[("a", "", "a")]);
        check("<p =a ==b>", &[("=a", "=b", "=a ==b")]);
        check("<p a / =b>", &[("a", "", "a"), ("=b", "", "=b")]);
        check("<p \"a'=b>", &[("\"a'", "b", "\"a'=b")]);
        check("<p a='>' b>", &[("a", ">", "a='>'"), ("b", "", "b")]);
        check("<p a=b\"c'd>", &[("a", "b\"c'd", "a=b\"c'd")]);
    }
}
