//! Whether an element is what a compound selector asks for.

use super::{AttributeTest, Case, Compound, Condition, Operator};
use crate::attributes::{Attribute, is_blank};
use crate::encode::Spelling;
use crate::names::Name;
use crate::references::resolved;
use std::borrow::Cow;
use std::cell::OnceCell;

/// An element at its start tag.
pub(crate) struct Tag<'t> {
    pub(crate) name: &'t Name,
    pub(crate) is_html: bool,
    /// The tag as it is written.
    pub(crate) written: &'t [u8],
    pub(crate) attributes: &'t [Attribute],
    /// What its attributes say, for those that say it with character references, as far as somebody has asked; none if there are
    /// no references in it.
    pub(crate) said: &'t [OnceCell<Box<[u8]>>],
    pub(crate) spelling: Spelling,
    /// Whether it is one of a document without a document type, or with an old one.
    pub(crate) is_of_old_document: bool,
    pub(crate) siblings: Siblings,
}

/// Which of its parent's children an element is, counted from one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Siblings {
    pub(crate) place: u32,
    /// Among those of its name; zero if no selector asks for it.
    pub(crate) of_type: u32,
}

impl Tag<'_> {
    /// What an attribute says; if only ASCII is asked for, what is not need not be read.
    fn value(&self, place: usize, is_ascii: bool) -> Cow<'_, [u8]> {
        let written = self
            .attributes
            .get(place)
            .map_or(&[][..], |attribute| attribute.value(self.written));
        match self.said.get(place) {
            Some(said) if written.contains(&b'&') => {
                Cow::Borrowed(said.get_or_init(|| resolved(self.spelling.read(written).as_bytes()).into()))
            }
            _ if is_ascii => Cow::Borrowed(written),
            _ => match self.spelling.read(written) {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        }
    }

    /// A set of what it has: the names of its attributes, its classes and its id. What is not in it the element has not.
    pub(crate) fn traits(&self) -> u64 {
        let mut traits = 0;
        for (place, attribute) in self.attributes.iter().enumerate() {
            let name = attribute.name(self.written);
            traits |= bit(name);
            if name.eq_ignore_ascii_case(b"class") {
                for class in self.value(place, true).split(|byte| is_blank(*byte)) {
                    traits |= bit(class);
                }
            } else if name.eq_ignore_ascii_case(b"id") {
                traits |= bit(&self.value(place, true));
            }
        }
        traits
    }
}

/// One of the bits of [`Tag::traits`], by what is seen at once of a word: its length and a few of its letters, in whatever case.
pub(crate) fn bit(word: &[u8]) -> u64 {
    let letter = |place: usize| u32::from(word.get(place).map_or(0, |byte| byte & 0x1f));
    let length = word.len();
    let mixed =
        length as u32 + letter(0) * 3 + letter(length / 2) * 11 + letter(length.saturating_sub(1)) * 23;
    1 << (mixed % u64::BITS)
}

impl Compound {
    pub(crate) fn matches(&self, tag: &Tag<'_>) -> bool {
        self.name.as_ref().is_none_or(|name| name == tag.name)
            && self.conditions.iter().all(|condition| condition.holds(tag))
    }
}

impl Condition {
    fn holds(&self, tag: &Tag<'_>) -> bool {
        match self {
            Self::Attribute(test) => test.holds(tag),
            Self::Child(nth) => nth.has(tag.siblings.place),
            Self::OfType(nth) => nth.has(tag.siblings.of_type),
            Self::Not(compounds) => !compounds.iter().any(|compound| compound.matches(tag)),
        }
    }
}

impl AttributeTest {
    fn holds(&self, tag: &Tag<'_>) -> bool {
        let has_name = |attribute: &Attribute| {
            attribute
                .name(tag.written)
                .eq_ignore_ascii_case(self.name.as_bytes())
        };
        let Some(place) = tag.attributes.iter().position(has_name) else {
            return false;
        };
        if self.operator == Operator::Exists {
            return true;
        }
        let value = tag.value(place, self.value.is_ascii());
        let ignores_case = match self.case {
            Case::Sensitive => false,
            Case::Insensitive => true,
            Case::OfLanguage => tag.is_html,
            Case::OfDocument => tag.is_of_old_document,
        };
        self.operator.holds(&value, self.value.as_bytes(), ignores_case)
    }
}

impl Operator {
    fn holds(self, value: &[u8], asked: &[u8], ignores_case: bool) -> bool {
        let is_same = |part: &[u8]| match ignores_case {
            true => part.eq_ignore_ascii_case(asked),
            false => part == asked,
        };
        // Nothing begins or ends with nothing, or has it.
        let is_something = !asked.is_empty();
        match self {
            Self::Exists => true,
            Self::Equals => is_same(value),
            Self::Includes => is_something && value.split(|byte| is_blank(*byte)).any(is_same),
            Self::Dash => {
                is_same(value)
                    || (value.get(..asked.len()).is_some_and(is_same)
                        && value.get(asked.len()) == Some(&b'-'))
            }
            Self::Prefix => is_something && value.get(..asked.len()).is_some_and(is_same),
            Self::Suffix => {
                let start = value.len().checked_sub(asked.len());
                is_something && start.and_then(|start| value.get(start..)).is_some_and(is_same)
            }
            Self::Substring => is_something && value.windows(asked.len()).any(is_same),
        }
    }
}
