//! Reads what is after a `\`, and what is between `[` and `]`.

use super::case;
use super::error::{Problem, RegexError};
use super::parse::{At, Parser};
use super::program::Assertion;
use super::set::Set;

/// What an escape stands for.
enum Escape {
    /// A character, or half of a pair.
    Character(u32),
    /// A class: `\d`.
    Class(Set),
}

/// What a class has.
#[derive(Default)]
struct Members {
    /// Characters and ranges as they are written.
    written: Vec<(u32, u32)>,
    /// What `\d` and the like stand for. Of each letter that they have, they have both cases.
    named: Vec<(u32, u32)>,
}

impl Parser {
    /// An escape outside of a class, from after its `\`. Whether it can be repeated.
    pub(super) fn escape(&mut self, begin: usize) -> Result<bool, RegexError> {
        let edge = match self.peek() {
            Some('b') => Some(Assertion::WordEdge),
            Some('B') => Some(Assertion::NoWordEdge),
            Some('k') if self.groups.any_named => return Err(Problem::BackReference).at(begin),
            Some('1'..='9') if self.is_back_reference() => return Err(Problem::BackReference).at(begin),
            _ => None,
        };
        if let Some(assertion) = edge {
            self.position += 1;
            self.assembler.assertion(assertion).at(begin)?;
            return Ok(false);
        }
        let mut members = Members::default();
        members.add(&self.escape_of_character(begin, false)?);
        self.one_of(members, false, begin)?;
        Ok(true)
    }

    /// A class, from after its `[`.
    pub(super) fn class(&mut self, begin: usize) -> Result<(), RegexError> {
        let is_negated = self.take('^');
        let mut members = Members::default();
        loop {
            if self.take(']') {
                break;
            }
            let item = self.position;
            let from = self.class_item(begin)?;
            if !self.take('-') {
                members.add(&from);
                continue;
            }
            if self.take(']') {
                members.add(&from);
                members.add(&Escape::Character(u32::from('-')));
                break;
            }
            let to = self.class_item(begin)?;
            if let (Escape::Character(from), Escape::Character(to)) = (&from, &to) {
                if from > to {
                    return Err(Problem::RangeOutOfOrder).at(item);
                }
                members.written.push((*from, *to));
            } else {
                // As `\d` is no end of a range, the `-` is itself.
                members.add(&from);
                members.add(&Escape::Character(u32::from('-')));
                members.add(&to);
            }
        }
        self.one_of(members, is_negated, begin)
    }

    /// A character that is on its own in the pattern.
    pub(super) fn literal(&mut self, character: char, begin: usize) -> Result<(), RegexError> {
        let mut members = Members::default();
        members.add(&Escape::Character(u32::from(character)));
        self.one_of(members, false, begin)
    }

    /// One of these, or none of these; and of those that are the same when case is ignored.
    fn one_of(&mut self, members: Members, is_negated: bool, begin: usize) -> Result<(), RegexError> {
        let mut ranges = Set::from_ranges(members.written);
        if self.ignore_case {
            ranges = case::closure(ranges);
        }
        let mut ranges = ranges.into_ranges();
        ranges.extend(members.named);
        let set = Set::from_ranges(ranges)
            .of_whole_characters()
            .ok_or(Problem::HalfOfPair)
            .at(begin)?;
        // What a class leaves out is left out in both cases: so this comes last.
        let set = if is_negated { set.complement() } else { set };
        self.assembler.one_of(set).at(begin)
    }

    /// A character or an escape between `[` and `]`.
    fn class_item(&mut self, begin: usize) -> Result<Escape, RegexError> {
        let item = self.position;
        let character = self.peek().ok_or(Problem::OpenClass).at(begin)?;
        self.position += 1;
        if character == '\\' {
            self.escape_of_character(item, true)
        } else {
            Ok(Escape::Character(u32::from(character)))
        }
    }

    /// An escape that stands for characters, from after its `\`.
    fn escape_of_character(&mut self, begin: usize, is_in_class: bool) -> Result<Escape, RegexError> {
        let letter = self.peek().ok_or(Problem::OpenEscape).at(begin)?;
        if let Some(set) = Set::named(letter) {
            self.position += 1;
            return Ok(Escape::Class(set));
        }
        if matches!(letter, '0'..='7') {
            return Ok(Escape::Character(self.octal()));
        }
        self.position += 1;
        let code = match letter {
            'b' if is_in_class => 0x08,
            't' => 0x09,
            'n' => 0x0a,
            'v' => 0x0b,
            'f' => 0x0c,
            'r' => 0x0d,
            'c' => match self.peek() {
                Some(control)
                    if control.is_ascii_alphabetic() || is_in_class && is_digit_or_line(control) =>
                {
                    self.position += 1;
                    u32::from(control) & 0x1f
                }
                // Then the `\` is itself, and the `c` too.
                _ => {
                    self.position -= 1;
                    u32::from('\\')
                }
            },
            'x' => self.hexadecimal(2).unwrap_or(u32::from(letter)),
            'u' => self.utf_16().unwrap_or(u32::from(letter)),
            'k' if is_in_class && self.groups.any_named => return Err(Problem::UnknownEscape).at(begin),
            letter => u32::from(letter),
        };
        Ok(Escape::Character(code))
    }

    /// Whether the number here is one of a group.
    fn is_back_reference(&self) -> bool {
        let digits = self.rest().iter().map_while(|character| character.to_digit(10));
        let number = digits.fold(0_usize, |number, digit| {
            number.saturating_mul(10).saturating_add(digit as usize)
        });
        number <= self.groups.count
    }

    /// Up to three octal digits that are at most `\377`.
    fn octal(&mut self) -> u32 {
        let mut code = 0;
        for _ in 0..3 {
            match self.peek().and_then(|character| character.to_digit(8)) {
                Some(digit) if code < 0o40 => {
                    code = code * 8 + digit;
                    self.position += 1;
                }
                _ => break,
            }
        }
        code
    }

    /// What is after `\u`: both halves of a pair are one character.
    fn utf_16(&mut self) -> Option<u32> {
        let unit = self.hexadecimal(4)?;
        let begin = self.position;
        if (0xd800..0xdc00).contains(&unit)
            && self.take('\\')
            && self.take('u')
            && let Some(second @ 0xdc00..=0xdfff) = self.hexadecimal(4)
        {
            return Some(0x1_0000 + ((unit - 0xd800) << 10) + (second - 0xdc00));
        }
        self.position = begin;
        Some(unit)
    }

    /// The number that the next digits make; `None`, and stays, if there are not as many.
    fn hexadecimal(&mut self, count: usize) -> Option<u32> {
        let digits = self.rest().get(..count)?;
        let number = digits
            .iter()
            .try_fold(0, |number, character| Some(number * 16 + character.to_digit(16)?))?;
        self.position += count;
        Some(number)
    }
}

impl Members {
    fn add(&mut self, escape: &Escape) {
        match escape {
            Escape::Character(character) => self.written.push((*character, *character)),
            Escape::Class(set) => self.named.extend_from_slice(set.ranges()),
        }
    }
}

const fn is_digit_or_line(character: char) -> bool {
    character.is_ascii_digit() || character == '_'
}
