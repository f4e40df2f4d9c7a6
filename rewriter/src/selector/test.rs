//! Whether an element is what a compound selector asks for.

use super::{AttributeTest, Case, Compound, Condition, Operator};
use crate::attributes::{Attribute, is_blank};
use crate::encode::Spelling;
use crate::names::Name;
use crate::references::resolved;
use std::borrow::Cow;

/// An element at its start tag.
pub(crate) struct Tag<'t> {
    pub(crate) name: &'t Name,
    pub(crate) is_html: bool,
    /// The tag as it is written.
    pub(crate) written: &'t [u8],
    pub(crate) attributes: &'t [Attribute],
    /// Whether there may be character references in its attributes.
    pub(crate) has_references: bool,
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
        let has_name = |attribute: &&Attribute| {
            attribute
                .name(tag.written)
                .eq_ignore_ascii_case(self.name.as_bytes())
        };
        let Some(attribute) = tag.attributes.iter().find(has_name) else {
            return false;
        };
        if self.operator == Operator::Exists {
            return true;
        }
        let written = attribute.value(tag.written);
        // Only what is not ASCII is written differently.
        let text = match self.value.is_ascii() {
            true => Cow::Borrowed(written),
            false => match tag.spelling.read(written) {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
        };
        let value = match tag.has_references {
            true => resolved(&text),
            false => Cow::Borrowed(&*text),
        };
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
