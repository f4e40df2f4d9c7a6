//! What can be wrong with a pattern, where, and what to do about it.

use super::parse::{MAX_NESTING, MAX_PATTERN};
use super::program::{MAX_INSTRUCTIONS, MAX_RANGES};
use std::fmt;

/// A pattern that cannot be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegexError {
    /// How many characters of the pattern are before the problem.
    pub position: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// More than [`MAX_PATTERN`] characters.
    TooLong,
    /// More than [`MAX_INSTRUCTIONS`] instructions.
    TooLarge,
    /// More than [`MAX_NESTING`] groups inside each other.
    TooDeep,
    /// More than [`MAX_RANGES`] ranges in all of the classes.
    TooManyRanges,
    /// `\1` or `\k<name>`.
    BackReference,
    /// `(?=…)`, `(?!…)`, `(?<=…)` or `(?<!…)`.
    LookAround,
    /// Half of a surrogate pair, or a class that has some of the halves.
    HalfOfPair,
    /// A `*`, `+`, `?` or `{n}` with nothing before it that it could repeat.
    NothingToRepeat,
    /// `{3,2}`.
    RepetitionOutOfOrder,
    /// `[z-a]`.
    RangeOutOfOrder,
    /// A `(` without its `)`.
    OpenGroup,
    /// A `)` without its `(`.
    UnopenedGroup,
    /// `(?` with something after it that begins no group.
    UnknownGroup,
    /// `(?<…>` without a name, or with one that is no name.
    GroupName,
    /// A `[` without its `]`.
    OpenClass,
    /// A `\` at the end.
    OpenEscape,
    /// `\k` in a class, in a pattern with named groups.
    UnknownEscape,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooLong => write!(
                formatter,
                "a pattern has at most {MAX_PATTERN} characters: make several conditions of it, under `$or` or `$and`"
            ),
            Problem::TooLarge => write!(
                formatter,
                "the pattern is too large: it may have {MAX_INSTRUCTIONS} instructions after `x{{3}}` has become `xxx`; \
                 lower the counts, or write `*` or `+` for a high one"
            ),
            Problem::TooDeep => write!(
                formatter,
                "groups may be {MAX_NESTING} deep: leave out those that are not needed"
            ),
            Problem::TooManyRanges => write!(
                formatter,
                "the classes have more than {MAX_RANGES} ranges: name wider ranges, or fewer"
            ),
            Problem::BackReference => formatter.write_str(
                "there are no back-references: write out the cases, `aa|bb` for `(a|b)\\1`; \
                 for a character by its number write `\\x01`",
            ),
            Problem::LookAround => formatter.write_str(
                "there is no look-ahead or look-behind: use two conditions, `$regex` for what must be there and \
                 `$not` with `$regex` for what must not",
            ),
            Problem::HalfOfPair => formatter.write_str(
                "characters are whole, and this is half of a surrogate pair: write the character itself, `[😀-🙏]`, \
                 or both halves, `\\ud83d\\ude00`",
            ),
            Problem::NothingToRepeat => formatter.write_str(
                "there is nothing to repeat before this: for the character itself write `\\` before it",
            ),
            Problem::RepetitionOutOfOrder => {
                formatter.write_str("the repetition has its larger number first: write `{2,3}` for `{3,2}`")
            }
            Problem::RangeOutOfOrder => formatter.write_str(
                "the range ends before it begins: write `a-z` for `z-a`, and `\\-` for a `-` that makes no range",
            ),
            Problem::OpenGroup => {
                formatter.write_str("the group has no end: add `)`, or write `\\(` for the character itself")
            }
            Problem::UnopenedGroup => {
                formatter.write_str("no group ends here: leave out the `)`, or write `\\)` for the character itself")
            }
            Problem::UnknownGroup => formatter.write_str(
                "`(?` begins only `(?:` and `(?<name>`: to ignore case use `$regexi`, for the characters write `(\\?`",
            ),
            Problem::GroupName => formatter.write_str(
                "the name of a group begins with a letter, goes on with letters, digits, `_` and `$`, and ends with `>`: \
                 or leave it out, with `(?:`",
            ),
            Problem::OpenClass => {
                formatter.write_str("the class has no end: add `]`, or write `\\[` for the character itself")
            }
            Problem::OpenEscape => {
                formatter.write_str("there is nothing after the `\\`: write `\\\\` for the character itself")
            }
            Problem::UnknownEscape => {
                formatter.write_str("`\\k` means nothing in a class: for the letter write `k`")
            }
        }
    }
}

impl fmt::Display for RegexError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at character {}: {}", self.position + 1, self.problem)
    }
}

impl std::error::Error for RegexError {}
