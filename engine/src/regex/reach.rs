//! The walk of a short program, for which it was found out before what each instruction leads to.

use super::machine::MAX_TEXT;
use super::program::{Assertion, Instruction, Regex};

/// Programs of at most so many instructions are short: a set of them is one number.
const SHORT: usize = 64;

/// What the instructions of a short program lead to; empty for any other. Made from the program, and no part of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reach {
    /// For each instruction, those that are reached from it without taking a character, and stay: they take one, wait
    /// for the end of the text, or match.
    from: Vec<u64>,
    /// The same for the first one at the start of the text.
    from_start: u64,
    matches: u64,
    ends: u64,
}

impl PartialEq for Reach {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Reach {}

const fn bit(at: usize) -> u64 {
    if at < SHORT { 1 << at } else { 0 }
}

/// Takes the first one out of a set.
fn take(set: &mut u64) -> Option<usize> {
    let at = set.trailing_zeros() as usize;
    *set &= set.checked_sub(1)?;
    Some(at)
}

impl Regex {
    /// Makes the walk faster, where the program is short and asks for no edges of words.
    pub(crate) fn prepare(&mut self) {
        let mut reach = Reach::default();
        let code = self.code.iter().map(|word| Instruction::unpack(*word));
        for (at, instruction) in code.enumerate() {
            match instruction {
                Instruction::Match => reach.matches |= bit(at),
                Instruction::Assert(Assertion::End) => reach.ends |= bit(at),
                Instruction::Assert(Assertion::WordEdge | Assertion::NoWordEdge) => return,
                _ => {}
            }
        }
        if self.code.len() <= SHORT {
            reach.from = (0..self.code.len()).map(|at| self.reach(at, false)).collect();
            reach.from_start = self.reach(0, true);
            self.reach = reach;
        }
    }

    fn reach(&self, at: usize, is_start: bool) -> u64 {
        let (mut reached, mut seen, mut todo) = (0, 0, bit(at));
        while let Some(at) = take(&mut todo) {
            seen |= bit(at);
            let Some(word) = self.code.get(at) else { continue };
            let next = match Instruction::unpack(*word) {
                Instruction::Split(target) => bit(at + 1) | bit(usize::from(target)),
                Instruction::Jump(target) => bit(usize::from(target)),
                Instruction::Assert(Assertion::Start) if is_start => bit(at + 1),
                Instruction::Assert(Assertion::Start) => 0,
                _ => {
                    reached |= bit(at);
                    0
                }
            };
            todo |= next & !seen;
        }
        reached
    }

    /// Walks over a text; `None` if the program is not short, or the text so short that its start is its end.
    pub(super) fn walk_short(&self, text: &str) -> Option<bool> {
        let begin = *self.reach.from.first()?;
        if text.is_empty() {
            return None;
        }
        let from = |at: usize| self.reach.from.get(at).copied().unwrap_or_default();
        let mut rest = text.chars();
        let mut active = 0;
        for position in 0..=MAX_TEXT {
            let after = rest.next();
            if (position == 0 || !self.from_start) && self.may_begin_with(after) {
                active |= if position == 0 {
                    self.reach.from_start
                } else {
                    begin
                };
            }
            if active & self.reach.matches != 0 {
                return Some(true);
            }
            let Some(character) = after else { break };
            if position == MAX_TEXT || active == 0 && self.from_start {
                return Some(false);
            }
            let mut next = 0;
            while let Some(at) = take(&mut active) {
                let takes = match self.code.get(at).map(|word| Instruction::unpack(*word)) {
                    Some(Instruction::Character(known)) => known == u32::from(character),
                    Some(Instruction::Class(class)) => self.class_has(class, character),
                    _ => false,
                };
                if takes {
                    next |= from(at + 1);
                }
            }
            active = next;
        }
        // The text is over: what waits for that goes on.
        let (mut todo, mut seen) = (active & self.reach.ends, 0);
        while let Some(at) = take(&mut todo) {
            seen |= bit(at);
            let reached = from(at + 1);
            if reached & self.reach.matches != 0 {
                return Some(true);
            }
            todo |= reached & self.reach.ends & !seen;
        }
        Some(false)
    }
}
