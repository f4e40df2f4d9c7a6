//! Reads a pattern, from left to right, into the assembler.

use super::assembler::Assembler;
use super::error::{Problem, RegexError};
use super::program::{Assertion, Regex};
use super::set::Set;

/// The most characters that a pattern may have.
pub const MAX_PATTERN: usize = 1_000;

/// The most groups that may be inside each other.
pub const MAX_NESTING: usize = 50;

impl Regex {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// A mistake in the pattern, something that there is not, or a limit; each with its place and what to do.
    pub fn compile(pattern: &str, ignore_case: bool) -> Result<Self, RegexError> {
        let characters: Vec<char> = pattern.chars().take(MAX_PATTERN + 1).collect();
        if characters.len() > MAX_PATTERN {
            return Err(RegexError {
                position: MAX_PATTERN,
                problem: Problem::TooLong,
            });
        }
        let mut parser = Parser {
            groups: Groups::of(&characters),
            pattern: characters,
            position: 0,
            ignore_case,
            assembler: Assembler::new(),
            open: Vec::new(),
        };
        parser.read()?;
        let end = parser.position;
        parser.assembler.finish().at(end)
    }
}

/// Reads a pattern.
pub(super) struct Parser {
    pub(super) pattern: Vec<char>,
    pub(super) position: usize,
    pub(super) ignore_case: bool,
    pub(super) groups: Groups,
    pub(super) assembler: Assembler,
    /// Where the groups begin that are open.
    open: Vec<usize>,
}

/// The groups of a pattern that a back-reference could mean: what an escape means depends on the whole pattern.
pub(super) struct Groups {
    pub(super) count: usize,
    pub(super) any_named: bool,
}

impl Groups {
    fn of(pattern: &[char]) -> Self {
        let mut groups = Self {
            count: 0,
            any_named: false,
        };
        let mut is_in_class = false;
        let mut rest = pattern;
        while let [character, after @ ..] = rest {
            rest = after;
            match character {
                '\\' => rest = rest.get(1..).unwrap_or_default(),
                '[' => is_in_class = true,
                ']' => is_in_class = false,
                '(' if !is_in_class => match rest {
                    ['?', '<', '=' | '!', ..] => {}
                    ['?', '<', ..] => {
                        groups.count += 1;
                        groups.any_named = true;
                    }
                    ['?', ..] => {}
                    _ => groups.count += 1,
                },
                _ => {}
            }
        }
        groups
    }
}

/// Gives a problem its place.
pub(super) trait At<T> {
    fn at(self, position: usize) -> Result<T, RegexError>;
}

impl<T> At<T> for Result<T, Problem> {
    fn at(self, position: usize) -> Result<T, RegexError> {
        self.map_err(|problem| RegexError { position, problem })
    }
}

impl Parser {
    fn read(&mut self) -> Result<(), RegexError> {
        while let Some(character) = self.peek() {
            let begin = self.position;
            self.position += 1;
            // Where in the code the part is that a repetition would repeat.
            let mut part = Some(self.assembler.position());
            match character {
                '|' => {
                    self.assembler.alternative().at(begin)?;
                    part = None;
                }
                '(' => {
                    self.open_group(begin)?;
                    part = None;
                }
                ')' => {
                    self.open.pop().ok_or(Problem::UnopenedGroup).at(begin)?;
                    part = Some(self.assembler.close());
                }
                '^' | '$' => {
                    let assertion = if character == '^' {
                        Assertion::Start
                    } else {
                        Assertion::End
                    };
                    self.assembler.assertion(assertion).at(begin)?;
                    part = None;
                }
                '*' | '+' | '?' => return Err(Problem::NothingToRepeat).at(begin),
                '{' if self.counts().is_some() => return Err(Problem::NothingToRepeat).at(begin),
                '.' => self.assembler.one_of(Set::dot()).at(begin)?,
                '[' => self.class(begin)?,
                '\\' if self.escape(begin)? => {}
                '\\' => part = None,
                character => self.literal(character, begin)?,
            }
            if let Some(part) = part {
                self.repetition(part)?;
            }
        }
        match self.open.last() {
            Some(begin) => Err(Problem::OpenGroup).at(*begin),
            None => Ok(()),
        }
    }

    /// A `(` and what belongs to it.
    fn open_group(&mut self, begin: usize) -> Result<(), RegexError> {
        match self.rest() {
            ['?', '=' | '!', ..] | ['?', '<', '=' | '!', ..] => {
                return Err(Problem::LookAround).at(begin);
            }
            ['?', ':', ..] => self.position += 2,
            ['?', '<', name @ ..] => {
                let end = name.iter().position(|character| *character == '>');
                let is_name = |name: &[char]| {
                    name.first().is_some_and(|c| !c.is_numeric()) && name.iter().all(is_of_name)
                };
                match end.filter(|end| is_name(&name[..*end])) {
                    Some(end) => self.position += 2 + end + 1,
                    None => return Err(Problem::GroupName).at(begin),
                }
            }
            ['?', ..] => return Err(Problem::UnknownGroup).at(begin),
            _ => {}
        }
        if self.open.len() >= MAX_NESTING {
            return Err(Problem::TooDeep).at(begin);
        }
        self.open.push(begin);
        self.assembler.open();
        Ok(())
    }

    /// The repetition after a part of the pattern, if there is one.
    fn repetition(&mut self, part: usize) -> Result<(), RegexError> {
        let begin = self.position;
        let Some(character) = self.peek() else {
            return Ok(());
        };
        self.position += 1;
        let (min, max) = match character {
            '*' => (0, None),
            '+' => (1, None),
            '?' => (0, Some(1)),
            '{' if let Some(counts) = self.counts() => counts,
            _ => {
                self.position = begin;
                return Ok(());
            }
        };
        if max.is_some_and(|max| max < min) {
            return Err(Problem::RepetitionOutOfOrder).at(begin);
        }
        if self.peek() == Some('?') {
            self.position += 1;
        }
        self.assembler.repeat(part, min, max).at(begin)
    }

    /// What is between `{` and `}`, and goes past it; `None`, and stays, where the `{` is a character like any other.
    fn counts(&mut self) -> Option<(u32, Option<u32>)> {
        let begin = self.position;
        let counts = self.counts_or_characters();
        if counts.is_none() {
            self.position = begin;
        }
        counts
    }

    fn counts_or_characters(&mut self) -> Option<(u32, Option<u32>)> {
        let min = self.number()?;
        let max = if self.take(',') {
            if self.peek() == Some('}') {
                None
            } else {
                Some(self.number()?)
            }
        } else {
            Some(min)
        };
        self.take('}').then_some((min, max))
    }

    /// The number here; the largest that there is in place of a larger one.
    fn number(&mut self) -> Option<u32> {
        let mut number: Option<u32> = None;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(10)) {
            self.position += 1;
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
        }
        number
    }

    /// What is left of the pattern.
    pub(super) fn rest(&self) -> &[char] {
        self.pattern.get(self.position..).unwrap_or_default()
    }

    /// The character here.
    pub(super) fn peek(&self) -> Option<char> {
        self.pattern.get(self.position).copied()
    }

    /// Goes past the character if it is this one.
    pub(super) fn take(&mut self, character: char) -> bool {
        let is_here = self.peek() == Some(character);
        self.position += usize::from(is_here);
        is_here
    }
}

fn is_of_name(character: &char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}
