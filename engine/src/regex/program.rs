//! A compiled pattern: instructions, each in one word, and the classes that they name.

use super::reach::Reach;
use serde::{Deserialize, Serialize};

/// The most instructions that a program may have.
pub const MAX_INSTRUCTIONS: usize = 2_000;

/// The most ranges that the classes of a program may have together.
pub const MAX_RANGES: usize = 2_000;

/// A compiled pattern. [`Regex::check`] is for those that come from outside; whatever they hold, none makes
/// [`Regex::is_match`] panic or hang.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regex {
    /// [`Instruction`]s as words, which keep the program's bytes few.
    pub(super) code: Vec<u32>,
    /// Ranges of characters, in order.
    pub(super) classes: Vec<Vec<(u32, u32)>>,
    /// The class of characters that a match can begin with; `None` if a match can be empty.
    pub(super) first: Option<u16>,
    /// Whether a match can only begin at the start of the text.
    pub(super) from_start: bool,
    #[serde(skip)]
    pub(super) reach: Reach,
}

/// One step of a program. After it comes the next one, unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    /// The pattern matches.
    Match,
    /// Takes this character.
    Character(u32),
    /// Takes a character of the class.
    Class(u16),
    /// Goes on both with the next instruction and with this one.
    Split(u16),
    /// Goes on with this one.
    Jump(u16),
    /// Goes on if this holds.
    Assert(Assertion),
}

/// What must hold between two characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    /// `^`
    Start,
    /// `$`
    End,
    /// `\b`
    WordEdge,
    /// `\B`
    NoWordEdge,
}

/// How many bits of a word say which instruction it is: the lowest, so that most words are short as variable-length
/// numbers.
const KIND_BITS: u32 = 3;

impl Instruction {
    pub(super) const fn pack(self) -> u32 {
        let (kind, operand) = match self {
            Instruction::Match => (0, 0),
            Instruction::Character(character) => (1, character),
            Instruction::Class(class) => (2, class as u32),
            Instruction::Split(target) => (3, target as u32),
            Instruction::Jump(target) => (4, target as u32),
            Instruction::Assert(Assertion::Start) => (5, 0),
            Instruction::Assert(Assertion::End) => (5, 1),
            Instruction::Assert(Assertion::WordEdge) => (5, 2),
            Instruction::Assert(Assertion::NoWordEdge) => (5, 3),
        };
        operand << KIND_BITS | kind
    }

    /// The instruction of a word. A word that is none takes a character that does not exist.
    #[inline]
    pub(super) const fn unpack(word: u32) -> Self {
        let operand = word >> KIND_BITS;
        match word & ((1 << KIND_BITS) - 1) {
            0 => Instruction::Match,
            2 => Instruction::Class(operand as u16),
            3 => Instruction::Split(operand as u16),
            4 => Instruction::Jump(operand as u16),
            5 => Instruction::Assert(match operand & 3 {
                0 => Assertion::Start,
                1 => Assertion::End,
                2 => Assertion::WordEdge,
                _ => Assertion::NoWordEdge,
            }),
            1 => Instruction::Character(operand),
            _ => Instruction::Character(u32::MAX),
        }
    }
}

impl Regex {
    /// Whether the program is one that the compiler could have made: for what comes from outside.
    pub fn check(&self) -> bool {
        let ranges: usize = self.classes.iter().map(Vec::len).sum();
        let last = self.code.last().map(|word| Instruction::unpack(*word));
        (1..=MAX_INSTRUCTIONS).contains(&self.code.len())
            // No other instruction may be the last one, since there is none that it could go on with.
            && last == Some(Instruction::Match)
            && self.code.iter().all(|word| self.is_instruction(*word))
            && self.classes.len() <= MAX_INSTRUCTIONS
            && ranges <= MAX_RANGES
            && self.classes.iter().all(|ranges| is_in_order(ranges))
            && self.first.is_none_or(|class| self.has_class(class))
    }

    fn is_instruction(&self, word: u32) -> bool {
        let instruction = Instruction::unpack(word);
        let is_in_range = match instruction {
            Instruction::Match | Instruction::Assert(_) => true,
            Instruction::Character(character) => char::from_u32(character).is_some(),
            Instruction::Class(class) => self.has_class(class),
            Instruction::Split(target) | Instruction::Jump(target) => usize::from(target) < self.code.len(),
        };
        is_in_range && instruction.pack() == word
    }

    fn has_class(&self, class: u16) -> bool {
        usize::from(class) < self.classes.len()
    }
}

fn is_in_order(ranges: &[(u32, u32)]) -> bool {
    ranges
        .iter()
        .all(|(first, last)| first <= last && *last <= u32::from(char::MAX))
        && ranges.windows(2).all(|pair| pair[0].1 < pair[1].0)
}
