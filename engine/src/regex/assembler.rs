//! From the parts of a pattern, as they come, to a program.
//!
//! A jump is told by how far it goes. A part of the code jumps nowhere but within itself and to its end, so it can be
//! moved and copied as it is, and no tree of the pattern is needed.

use super::error::Problem;
use super::first;
use super::program::{Assertion, Instruction, MAX_INSTRUCTIONS, MAX_RANGES, Regex};
use super::reach::Reach;
use super::set::Set;

/// An instruction that does not know yet where it will be.
#[derive(Clone, Copy)]
enum Step {
    Take(Instruction),
    Split(isize),
    Jump(isize),
}

/// A group that is still open; the whole pattern is the outermost.
struct Group {
    start: usize,
    /// Where the last alternative begins.
    alternative: usize,
    /// The jumps from the end of each earlier alternative to the end of the group.
    ends: Vec<usize>,
}

/// The program so far.
pub(super) struct Assembler {
    code: Vec<Step>,
    classes: Vec<Set>,
    ranges: usize,
    groups: Vec<Group>,
}

impl Assembler {
    pub(super) fn new() -> Self {
        let mut assembler = Self {
            code: Vec::new(),
            classes: Vec::new(),
            ranges: 0,
            groups: Vec::new(),
        };
        assembler.open();
        assembler
    }

    /// Where the next part begins.
    pub(super) const fn position(&self) -> usize {
        self.code.len()
    }

    /// One character of the set.
    pub(super) fn one_of(&mut self, set: Set) -> Result<(), Problem> {
        let instruction = match set.ranges() {
            [(first, last)] if first == last => Instruction::Character(*first),
            _ => Instruction::Class(self.class(set)?),
        };
        self.push(Step::Take(instruction))
    }

    pub(super) fn assertion(&mut self, assertion: Assertion) -> Result<(), Problem> {
        self.push(Step::Take(Instruction::Assert(assertion)))
    }

    /// A `|`.
    pub(super) fn alternative(&mut self) -> Result<(), Problem> {
        self.room_for(2)?;
        let end = self.code.len() + 1;
        let Some(group) = self.groups.last_mut() else {
            return Ok(());
        };
        // The alternative before it: either that and then to the end of the group, or what comes after.
        self.code.insert(
            group.alternative,
            Step::Split(distance(group.alternative, end + 1)),
        );
        self.code.push(Step::Jump(0));
        group.ends.push(end);
        group.alternative = end + 1;
        Ok(())
    }

    /// A `(`.
    pub(super) fn open(&mut self) {
        self.groups.push(Group {
            start: self.code.len(),
            alternative: self.code.len(),
            ends: Vec::new(),
        });
    }

    /// A `)`: where the group began.
    pub(super) fn close(&mut self) -> usize {
        let Some(group) = self.groups.pop() else {
            return self.code.len();
        };
        let end = self.code.len();
        for at in group.ends {
            if let Some(step) = self.code.get_mut(at) {
                *step = Step::Jump(distance(at, end));
            }
        }
        group.start
    }

    /// Repeats what is there from `start` on.
    pub(super) fn repeat(&mut self, start: usize, min: u32, max: Option<u32>) -> Result<(), Problem> {
        let part: Vec<Step> = self.code.get(start..).unwrap_or_default().to_vec();
        let length = part.len();
        if length == 0 {
            return Ok(());
        }
        let times = |count: u32, length: usize| (count as usize).saturating_mul(length);
        let rest = match max {
            None if min == 0 => length + 2,
            None => 1,
            Some(max) => times(max.saturating_sub(min), length + 1),
        };
        self.code.truncate(start);
        self.room_for(times(min, length).saturating_add(rest))?;
        for _ in 0..min {
            self.code.extend_from_slice(&part);
        }
        match max {
            None if min == 0 => {
                self.code.push(Step::Split(distance(0, length + 2)));
                self.code.extend_from_slice(&part);
                self.code.push(Step::Jump(distance(length + 1, 0)));
            }
            None => self.code.push(Step::Split(distance(length, 0))),
            Some(max) => {
                let end = self.code.len() + rest;
                for _ in min..max {
                    self.code.push(Step::Split(distance(self.code.len(), end)));
                    self.code.extend_from_slice(&part);
                }
            }
        }
        Ok(())
    }

    /// The program, when all of the pattern was there.
    pub(super) fn finish(mut self) -> Result<Regex, Problem> {
        self.close();
        let mut code: Vec<u32> = Vec::with_capacity(self.code.len() + 1);
        for (at, step) in self.code.iter().enumerate() {
            let target = |by: isize| u16::try_from(at.saturating_add_signed(by)).unwrap_or(u16::MAX);
            let instruction = match step {
                Step::Take(instruction) => *instruction,
                Step::Split(by) => Instruction::Split(target(*by)),
                Step::Jump(by) => Instruction::Jump(target(*by)),
            };
            code.push(instruction.pack());
        }
        code.push(Instruction::Match.pack());
        let start = first::of(&code, &self.classes);
        let first = match start.characters {
            // Without it the walk is the same, but slower: so it is left out where it would be too large.
            Some(set) => self.class(set).ok(),
            None => None,
        };
        let mut regex = Regex {
            code,
            classes: self.classes.into_iter().map(Set::into_ranges).collect(),
            first,
            from_start: start.is_start_of_text,
            reach: Reach::default(),
        };
        regex.prepare();
        Ok(regex)
    }

    /// The number of a class; the same for the same set.
    fn class(&mut self, set: Set) -> Result<u16, Problem> {
        let index = self.classes.iter().position(|known| *known == set);
        let index = match index {
            Some(index) => index,
            None => {
                let ranges = self.ranges + set.ranges().len();
                if ranges > MAX_RANGES || self.classes.len() >= MAX_INSTRUCTIONS {
                    return Err(Problem::TooManyRanges);
                }
                self.ranges = ranges;
                self.classes.push(set);
                self.classes.len() - 1
            }
        };
        u16::try_from(index).map_err(|_| Problem::TooManyRanges)
    }

    fn push(&mut self, step: Step) -> Result<(), Problem> {
        self.room_for(1)?;
        self.code.push(step);
        Ok(())
    }

    fn room_for(&self, more: usize) -> Result<(), Problem> {
        // The last instruction is the match.
        if self.code.len().saturating_add(more) < MAX_INSTRUCTIONS {
            Ok(())
        } else {
            Err(Problem::TooLarge)
        }
    }
}

const fn distance(from: usize, to: usize) -> isize {
    to as isize - from as isize
}
