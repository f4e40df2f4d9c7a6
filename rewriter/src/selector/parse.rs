//! Reads selectors (<https://drafts.csswg.org/selectors/#grammar>).

use super::{
    AttributeTest, Case, Combinator, Complex, Compound, Condition, Nth, Operator, Selector, SelectorError,
};
use crate::names::Name;

/// Longer selectors are not read.
const MAX_LENGTH: usize = 10_000;
/// How deep `:not()` may stand in `:not()`.
const MAX_DEPTH: usize = 16;

/// Reads a selector.
///
/// # Errors
/// When it is none, or cannot be matched at a start tag.
pub(super) fn parse(text: &str) -> Result<Selector, SelectorError> {
    if text.len() > MAX_LENGTH {
        return Err(SelectorError::TooLong);
    }
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    parser.pass_blanks();
    if parser.peek().is_none() {
        return Err(SelectorError::Empty);
    }
    let mut alternatives = vec![parser.complex()?];
    while parser.take(',') {
        alternatives.push(parser.complex()?);
    }
    match parser.peek() {
        None => Ok(Selector { alternatives }),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, expected: char) -> bool {
        let is_there = self.peek() == Some(expected);
        if is_there {
            self.at += expected.len_utf8();
        }
        is_there
    }

    fn demand(&mut self, expected: char) -> Result<(), SelectorError> {
        match self.take(expected) {
            true => Ok(()),
            false => Err(self.unexpected()),
        }
    }

    fn unexpected(&self) -> SelectorError {
        match self.peek() {
            None => SelectorError::Unfinished,
            Some(_) => {
                let before = self.text.get(..self.at).unwrap_or_default();
                SelectorError::Unexpected(before.chars().count() + 1)
            }
        }
    }

    /// Passes white space and comments; tells whether there was white space.
    fn pass_blanks(&mut self) -> bool {
        let mut were_there = false;
        loop {
            let rest = self.rest();
            if let Some(comment) = rest.strip_prefix("/*") {
                let length = comment.find("*/").map_or(rest.len(), |end| end + 4);
                self.at += length;
            } else if rest.starts_with(is_blank) {
                self.at += 1;
                were_there = true;
            } else {
                return were_there;
            }
        }
    }

    fn complex(&mut self) -> Result<Complex, SelectorError> {
        self.pass_blanks();
        let mut compounds = vec![(Combinator::Descendant, self.compound()?)];
        loop {
            let is_apart = self.pass_blanks();
            let combinator = match self.peek() {
                None | Some(',' | ')') => return Ok(Complex { compounds }),
                Some('>') => {
                    self.at += 1;
                    self.pass_blanks();
                    Combinator::Child
                }
                Some(sibling @ ('+' | '~')) => return Err(SelectorError::Combinator(sibling)),
                Some(_) if is_apart => Combinator::Descendant,
                Some(_) => return Err(self.unexpected()),
            };
            compounds.push((combinator, self.compound()?));
        }
    }

    fn compound(&mut self) -> Result<Compound, SelectorError> {
        let start = self.at;
        let mut compound = Compound::default();
        if self.take('*') {
            if self.rest().starts_with('|') && !self.rest().starts_with("||") {
                // Any namespace.
                self.at += 1;
                if !self.take('*') {
                    compound.name = Some(self.name()?);
                }
            }
        } else if self.is_at_identifier() {
            compound.name = Some(self.name()?);
        }
        if self.peek() == Some('|') {
            return Err(SelectorError::Namespace);
        }
        loop {
            self.pass_comments();
            let condition = match self.peek() {
                Some('#') => self.word("id", Operator::Equals)?,
                Some('.') => self.word("class", Operator::Includes)?,
                Some('[') => self.attribute()?,
                Some(':') => self.pseudo_class()?,
                Some('&') => return Err(SelectorError::PseudoClass),
                _ if self.at == start => return Err(self.unexpected()),
                _ => return Ok(compound),
            };
            compound.conditions.push(condition);
        }
    }

    fn pass_comments(&mut self) {
        while let Some(comment) = self.rest().strip_prefix("/*") {
            self.at += comment.find("*/").map_or(comment.len() + 2, |end| end + 4);
        }
    }

    fn name(&mut self) -> Result<Name, SelectorError> {
        Ok(Name::read(self.identifier()?.as_bytes()))
    }

    /// An id or a class, with its sign.
    fn word(&mut self, attribute: &str, operator: Operator) -> Result<Condition, SelectorError> {
        self.at += 1;
        Ok(Condition::Attribute(AttributeTest {
            name: attribute.into(),
            operator,
            value: self.identifier()?.into(),
            case: Case::OfDocument,
        }))
    }

    fn attribute(&mut self) -> Result<Condition, SelectorError> {
        self.at += 1;
        self.pass_blanks();
        if self.rest().starts_with("*|") {
            return Err(SelectorError::Namespace);
        }
        // Without a namespace, which is what attributes have.
        self.take('|');
        let name = self.identifier()?.to_ascii_lowercase();
        self.pass_blanks();
        let operator = match self.advance() {
            Some(']') => {
                return Ok(Condition::Attribute(AttributeTest {
                    name: name.into(),
                    operator: Operator::Exists,
                    value: "".into(),
                    case: Case::Sensitive,
                }));
            }
            Some('=') => Operator::Equals,
            Some('|') if self.peek() != Some('=') => return Err(SelectorError::Namespace),
            Some(sign @ ('~' | '|' | '^' | '$' | '*')) => {
                self.demand('=')?;
                match sign {
                    '~' => Operator::Includes,
                    '|' => Operator::Dash,
                    '^' => Operator::Prefix,
                    '$' => Operator::Suffix,
                    _ => Operator::Substring,
                }
            }
            Some(other) => {
                self.at -= other.len_utf8();
                return Err(self.unexpected());
            }
            None => return Err(SelectorError::Unfinished),
        };
        self.pass_blanks();
        let value = match self.peek() {
            Some(quote @ ('"' | '\'')) => self.string(quote)?,
            _ => self.identifier()?,
        };
        self.pass_blanks();
        let case = match self.peek() {
            Some('i' | 'I') => Case::Insensitive,
            Some('s' | 'S') => Case::Sensitive,
            _ if is_case_insensitive(&name) => Case::OfLanguage,
            _ => Case::Sensitive,
        };
        if self.is_at_identifier() && !matches!(&*self.identifier()?, "i" | "I" | "s" | "S") {
            return Err(self.unexpected());
        }
        self.pass_blanks();
        self.demand(']')?;
        Ok(Condition::Attribute(AttributeTest {
            name: name.into(),
            operator,
            value: value.into(),
            case,
        }))
    }

    fn pseudo_class(&mut self) -> Result<Condition, SelectorError> {
        self.at += 1;
        if self.peek() == Some(':') {
            return Err(SelectorError::PseudoClass);
        }
        let name = self.identifier()?.to_ascii_lowercase();
        if !self.take('(') {
            return match &*name {
                "first-child" => Ok(Condition::Child(Nth::FIRST)),
                "first-of-type" => Ok(Condition::OfType(Nth::FIRST)),
                _ => Err(SelectorError::PseudoClass),
            };
        }
        let condition = match &*name {
            "nth-child" => Condition::Child(self.nth()?),
            "nth-of-type" => Condition::OfType(self.nth()?),
            "not" => self.not()?,
            _ => return Err(SelectorError::PseudoClass),
        };
        self.demand(')')?;
        Ok(condition)
    }

    fn nth(&mut self) -> Result<Nth, SelectorError> {
        let end = self.rest().find(')').ok_or(SelectorError::Unfinished)?;
        let nth = Nth::read(self.rest().get(..end).unwrap_or_default());
        match nth {
            Some(nth) => {
                self.at += end;
                Ok(nth)
            }
            // It may be `2n of .x`, which asks for more than a start tag tells.
            None => Err(SelectorError::PseudoClass),
        }
    }

    fn not(&mut self) -> Result<Condition, SelectorError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(SelectorError::TooLong);
        }
        let mut compounds = Vec::new();
        loop {
            let mut complex = self.complex()?;
            match (complex.compounds.pop(), complex.compounds.is_empty()) {
                (Some((_, compound)), true) => compounds.push(compound),
                // What it stands in would have to be known not to match.
                _ => return Err(SelectorError::PseudoClass),
            }
            if !self.take(',') {
                break;
            }
        }
        self.depth -= 1;
        Ok(Condition::Not(compounds))
    }

    fn is_at_identifier(&self) -> bool {
        let mut characters = self.rest().chars();
        let is_start = |next: Option<char>, after: Option<char>| match next {
            Some('\\') => after.is_none_or(|after| !is_newline(after)),
            Some(next) => is_name(next) && !next.is_ascii_digit() && next != '-',
            None => false,
        };
        let (first, second, third) = (characters.next(), characters.next(), characters.next());
        match first {
            Some('-') => second == Some('-') || is_start(second, third),
            _ => is_start(first, second),
        }
    }

    fn identifier(&mut self) -> Result<String, SelectorError> {
        if !self.is_at_identifier() {
            return Err(self.unexpected());
        }
        let mut identifier = String::new();
        while let Some(next) = self.peek() {
            if is_name(next) {
                self.at += next.len_utf8();
                identifier.push(if next == '\0' {
                    char::REPLACEMENT_CHARACTER
                } else {
                    next
                });
            } else if next == '\\'
                && !self
                    .rest()
                    .get(1..)
                    .is_some_and(|rest| rest.starts_with(is_newline))
            {
                self.at += 1;
                identifier.push(self.escaped());
            } else {
                break;
            }
        }
        Ok(identifier)
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> char {
        let digits = self
            .rest()
            .bytes()
            .take(6)
            .take_while(u8::is_ascii_hexdigit)
            .count();
        if digits == 0 {
            return self.advance().unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        let code = self
            .rest()
            .get(..digits)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        self.at += digits;
        if self.rest().starts_with("\r\n") {
            self.at += 2;
        } else if self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
        match code.and_then(char::from_u32) {
            None | Some('\0') => char::REPLACEMENT_CHARACTER,
            Some(character) => character,
        }
    }

    fn string(&mut self, quote: char) -> Result<String, SelectorError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            match self.peek() {
                None => return Err(SelectorError::Unfinished),
                Some(next) if is_newline(next) => return Err(self.unexpected()),
                Some(next) => {
                    self.at += next.len_utf8();
                    if next == quote {
                        return Ok(string);
                    }
                    if next != '\\' {
                        string.push(next);
                    } else if self.rest().starts_with("\r\n") {
                        self.at += 2;
                    } else if self.peek().is_some_and(is_newline) {
                        self.at += 1;
                    } else {
                        string.push(self.escaped());
                    }
                }
            }
        }
    }
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '\0') || !character.is_ascii()
}

const fn is_newline(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\x0c')
}

const fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t') || is_newline(character)
}

/// Whether the values of an attribute are compared without regard to case in HTML
/// (<https://html.spec.whatwg.org/multipage/semantics-other.html#case-sensitivity-of-selectors>).
fn is_case_insensitive(attribute: &str) -> bool {
    const NAMES: &str = " accept accept-charset align alink axis bgcolor charset checked clear codetype color compact \
                         declare defer dir direction disabled enctype face frame hreflang http-equiv lang language \
                         link media method multiple nohref noresize noshade nowrap readonly rel rev rules scope \
                         scrolling selected shape target text type valign valuetype vlink ";
    NAMES
        .split(' ')
        .any(|known| !known.is_empty() && known == attribute)
}
