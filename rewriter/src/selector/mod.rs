//! Selectors, as far as they can be matched at an element's start tag.

mod error;
mod nth;
mod parse;
mod test;

pub(crate) use error::SelectorError;
pub(crate) use nth::Nth;
pub(crate) use test::{Siblings, Tag, bit};

use crate::names::Name;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// A list of complex selectors, of which one has to match.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) alternatives: Vec<Complex>,
}

/// Compound selectors with combinators between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complex {
    /// From the outermost on, each with what binds it to the one before it.
    pub(crate) compounds: Vec<(Combinator, Compound)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Combinator {
    /// It is the first one, or within the one before it.
    Descendant,
    Child,
}

/// What one element has to be.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Compound {
    pub(crate) name: Option<Name>,
    pub(crate) conditions: Vec<Condition>,
}

/// A condition of a compound selector.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Attribute(AttributeTest),
    /// Which of its parent's children it is.
    Child(Nth),
    /// Which of its parent's children of its name it is.
    OfType(Nth),
    /// None of these matches.
    Not(Vec<Compound>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AttributeTest {
    /// In lower case.
    pub(crate) name: Box<str>,
    pub(crate) operator: Operator,
    pub(crate) value: Box<str>,
    pub(crate) case: Case,
}

/// How an attribute's value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// It is enough that the attribute is there.
    Exists,
    Equals,
    /// It is one of the words.
    Includes,
    /// It is all of the value, or what comes before a `-`.
    Dash,
    Prefix,
    Suffix,
    Substring,
}

/// Whether a letter's case makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Insensitive,
    /// It makes none in HTML, but does in SVG and MathML.
    OfLanguage,
    /// It makes none where the document has no document type, or an old one
    /// (<https://www.w3.org/TR/selectors-4/#class-html>).
    OfDocument,
}

/// How many selectors are remembered.
const MOST_KNOWN: usize = 4_096;

type Known = Result<Rc<Selector>, SelectorError>;

thread_local! {
    /// A program has the same selectors for each page, and to read one takes longer than to splice an edit.
    static KNOWN: RefCell<HashMap<Box<str>, Known>> = RefCell::default();
}

/// Reads a selector.
///
/// # Errors
/// When it is none, or cannot be matched at a start tag.
pub(crate) fn read(text: &str) -> Known {
    if let Some(known) = KNOWN.with_borrow(|known| known.get(text).cloned()) {
        return known;
    }
    let selector = parse::parse(text).map(Rc::new);
    KNOWN.with_borrow_mut(|known| {
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(text.into(), selector.clone());
    });
    selector
}

impl Selector {
    /// All compound selectors in it, those aside that must not match.
    pub(crate) fn compounds(&self) -> impl Iterator<Item = &Compound> {
        let compounds = self.alternatives.iter().flat_map(|complex| &complex.compounds);
        compounds.map(|(_, compound)| compound)
    }

    /// Whether something in one of its compound selectors, wherever it stands, is so.
    pub(crate) fn any(&self, is_so: &dyn Fn(&Compound) -> bool) -> bool {
        self.compounds().any(|compound| compound.any(is_so))
    }
}

impl Compound {
    /// Whether it, or something that must not match, is so.
    pub(crate) fn any(&self, is_so: &dyn Fn(&Self) -> bool) -> bool {
        let in_condition = |condition: &Condition| match condition {
            Condition::Not(compounds) => compounds.iter().any(|compound| compound.any(is_so)),
            _ => false,
        };
        is_so(self) || self.conditions.iter().any(in_condition)
    }

    /// The tests of attributes that it makes itself.
    pub(crate) fn attribute_tests(&self) -> impl Iterator<Item = &AttributeTest> {
        self.conditions.iter().filter_map(|condition| match condition {
            Condition::Attribute(test) => Some(test),
            _ => None,
        })
    }
}
