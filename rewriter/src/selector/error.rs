//! Why a selector cannot be matched at a start tag.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SelectorError {
    Empty,
    /// It asks for a sibling, with this character.
    Combinator(char),
    /// It asks for something with `:` that a start tag does not tell.
    PseudoClass,
    Namespace,
    /// It is no selector, as is seen at this character, counted from one.
    Unexpected(usize),
    /// It ends too early.
    Unfinished,
    /// It is longer than any that somebody would write.
    TooLong,
}

impl fmt::Display for SelectorError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("it is empty"),
            Self::Combinator(combinator) => write!(
                formatter,
                "`{combinator}`: what stands beside an element is known when all of it has come"
            ),
            Self::PseudoClass => formatter.write_str(
                "of what begins with `:`, only `:not()`, `:first-child`, `:nth-child()`, `:first-of-type` and \
                 `:nth-of-type()` can be told at a start tag",
            ),
            Self::Namespace => formatter.write_str("it names a namespace"),
            Self::Unexpected(place) => write!(
                formatter,
                "it is not understood from character {place} on; is it a selector?"
            ),
            Self::Unfinished => formatter.write_str("it ends too early"),
            Self::TooLong => formatter.write_str("it is too long"),
        }
    }
}
