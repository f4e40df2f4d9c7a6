//! The walk of a program over a text: all possible places at the same time, so there is nothing to go back to.
//!
//! The places are a bit for each instruction. That is 256 bytes for the largest program and 8 for most, on the stack: a
//! match allocates nothing.

use super::program::{Assertion, Instruction, MAX_INSTRUCTIONS, Regex};
use super::set::contains;

/// How many characters of a text can be a part of a match.
pub const MAX_TEXT: usize = 4_096;

/// How many words have a bit for each instruction.
const WORDS: usize = MAX_INSTRUCTIONS.div_ceil(64).next_power_of_two();

/// A place in the text: what is before it and after it.
#[derive(Clone, Copy)]
struct Place {
    before: Option<char>,
    after: Option<char>,
    /// Whether the character after it may still be taken.
    may_take: bool,
}

/// A set of instructions: a bit for each.
struct Places<'r>(&'r mut [u64]);

impl Regex {
    /// Whether the pattern matches somewhere in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.walk_short(text).unwrap_or_else(|| self.walk_any(text))
    }

    /// Walks over a text with any program.
    pub(super) fn walk_any(&self, text: &str) -> bool {
        // Most programs are short, and making room for the longest would take longer than the walk.
        if self.code.len() <= 64 {
            self.walk(text, &mut [0; 3])
        } else {
            self.walk(text, &mut [0; 3 * WORDS])
        }
    }

    /// Walks over the text, with room for three sets of instructions.
    fn walk(&self, text: &str, room: &mut [u64]) -> bool {
        let words = room.len() / 3;
        let (todo, room) = room.split_at_mut(words);
        let (next, done) = room.split_at_mut(words);
        let (mut todo, mut next, mut done) = (Places(todo), Places(next), Places(done));
        let words = self.code.len().div_ceil(64).min(words);
        let mut is_under_way = false;
        let mut rest = text.chars();
        let mut before = None;
        for position in 0..=MAX_TEXT {
            let after = rest.next();
            if (position == 0 || !self.from_start) && self.may_begin_with(after) {
                todo.insert(0);
                is_under_way = true;
            }
            if is_under_way {
                let may_take = position < MAX_TEXT;
                let place = Place {
                    before,
                    after,
                    may_take,
                };
                done.clear(words);
                if self.step(place, words, &mut todo, &mut done, &mut next) {
                    return true;
                }
                // All of `todo` is done, so it is empty now.
                std::mem::swap(&mut todo, &mut next);
                is_under_way = todo.any(words);
            } else if self.from_start {
                return false;
            }
            if after.is_none() {
                return false;
            }
            before = after;
        }
        false
    }

    /// Whether a match can begin before this character, or at the end of the text.
    pub(super) fn may_begin_with(&self, after: Option<char>) -> bool {
        match (self.first, after) {
            (None, _) => true,
            (Some(class), Some(character)) => self.class_has(class, character),
            (Some(_), None) => false,
        }
    }

    pub(super) fn class_has(&self, class: u16, character: char) -> bool {
        self.classes
            .get(usize::from(class))
            .is_some_and(|ranges| contains(ranges, u32::from(character)))
    }

    /// Follows every instruction of `todo` at one place of the text; those that have taken the character go on in `next`.
    /// Whether one of them is a match.
    fn step(
        &self,
        place: Place,
        words: usize,
        todo: &mut Places<'_>,
        done: &mut Places<'_>,
        next: &mut Places<'_>,
    ) -> bool {
        let mut word = 0;
        while word < words {
            let Some(at) = todo.take_from(word) else {
                word += 1;
                continue;
            };
            done.insert(at);
            let mut go_to = |target: usize| {
                if !done.contains(target) {
                    todo.insert(target);
                    // A jump back: what is before this word has something to do again.
                    word = word.min(target / 64);
                }
            };
            let Some(instruction) = self.code.get(at) else {
                continue;
            };
            match Instruction::unpack(*instruction) {
                Instruction::Match => return true,
                Instruction::Character(character) => {
                    if place.may_take && place.after.is_some_and(|after| u32::from(after) == character) {
                        next.insert(at + 1);
                    }
                }
                Instruction::Class(class) => {
                    if place.may_take && place.after.is_some_and(|after| self.class_has(class, after)) {
                        next.insert(at + 1);
                    }
                }
                Instruction::Split(target) => {
                    go_to(at + 1);
                    go_to(usize::from(target));
                }
                Instruction::Jump(target) => go_to(usize::from(target)),
                Instruction::Assert(assertion) => {
                    if place.fits(assertion) {
                        go_to(at + 1);
                    }
                }
            }
        }
        false
    }
}

impl Place {
    fn fits(self, assertion: Assertion) -> bool {
        match assertion {
            Assertion::Start => self.before.is_none(),
            Assertion::End => self.after.is_none(),
            Assertion::WordEdge => self.is_word_edge(),
            Assertion::NoWordEdge => !self.is_word_edge(),
        }
    }

    fn is_word_edge(self) -> bool {
        let is_word =
            |character: Option<char>| character.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        is_word(self.before) != is_word(self.after)
    }
}

impl Places<'_> {
    fn clear(&mut self, words: usize) {
        self.0.iter_mut().take(words).for_each(|word| *word = 0);
    }

    fn any(&self, words: usize) -> bool {
        self.0.iter().take(words).any(|word| *word != 0)
    }

    // What a checked program names is always in range; what another one names is passed over.
    fn insert(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn contains(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word & 1 << (at % 64) != 0)
    }

    /// Takes out the first instruction of a word.
    fn take_from(&mut self, word: usize) -> Option<usize> {
        let bits = self.0.get_mut(word).filter(|bits| **bits != 0)?;
        let bit = bits.trailing_zeros() as usize;
        *bits &= *bits - 1;
        Some(word * 64 + bit)
    }
}
