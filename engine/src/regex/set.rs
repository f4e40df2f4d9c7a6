//! Sets of characters, as the compiler makes them from classes.

/// The last character that there is.
const LAST: u32 = 0x10_ffff;

/// The halves of surrogate pairs, which no text here has.
const HALVES: (u32, u32) = (0xd800, 0xdfff);

/// What `.` leaves out.
const LINE_BREAKS: [(u32, u32); 3] = [(0x0a, 0x0a), (0x0d, 0x0d), (0x2028, 0x2029)];
const DIGITS: [(u32, u32); 1] = [(0x30, 0x39)];
const WORD: [(u32, u32); 4] = [(0x30, 0x39), (0x41, 0x5a), (0x5f, 0x5f), (0x61, 0x7a)];
/// White space and line breaks, as the ECMAScript specification lists them.
const SPACES: [(u32, u32); 10] = [
    (0x09, 0x0d),
    (0x20, 0x20),
    (0xa0, 0xa0),
    (0x1680, 0x1680),
    (0x2000, 0x200a),
    (0x2028, 0x2029),
    (0x202f, 0x202f),
    (0x205f, 0x205f),
    (0x3000, 0x3000),
    (0xfeff, 0xfeff),
];

/// So many ranges are looked through one by one.
const FEW: usize = 8;

/// A set of characters: ranges in order, with a gap between each and the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    ranges: Vec<(u32, u32)>,
}

impl Set {
    /// What `.` stands for.
    pub(super) fn dot() -> Self {
        Self::from_ranges(LINE_BREAKS.to_vec()).complement()
    }

    /// What `\d`, `\D`, `\w`, `\W`, `\s` or `\S` stands for; `None` for another letter.
    pub(super) fn named(letter: char) -> Option<Self> {
        let ranges: &[(u32, u32)] = match letter.to_ascii_lowercase() {
            'd' => &DIGITS,
            'w' => &WORD,
            's' => &SPACES,
            _ => return None,
        };
        let set = Self::from_ranges(ranges.to_vec());
        Some(if letter.is_ascii_uppercase() {
            set.complement()
        } else {
            set
        })
    }

    /// The union of ranges in any order.
    pub(super) fn from_ranges(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        Self { ranges: merged }
    }

    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    pub(super) fn into_ranges(self) -> Vec<(u32, u32)> {
        self.ranges
    }

    /// All the others.
    pub(super) fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = 0;
        for (first, last) in &self.ranges {
            if next < *first {
                ranges.push((next, *first - 1));
            }
            next = *last + 1;
        }
        if next <= LAST {
            ranges.push((next, LAST));
        }
        Self { ranges }
    }

    /// A set of UTF-16 units as one of characters: whoever has all of the halves has the pairs that they make. `None` for
    /// a set that has only some of them.
    pub(super) fn of_whole_characters(mut self) -> Option<Self> {
        let halves: u32 = self
            .ranges
            .iter()
            .map(|(first, last)| {
                let (first, last) = ((*first).max(HALVES.0), (*last).min(HALVES.1));
                (last + 1).saturating_sub(first)
            })
            .sum();
        if halves == 0 {
            Some(self)
        } else if halves == HALVES.1 - HALVES.0 + 1 {
            self.ranges.push((0x1_0000, LAST));
            Some(Self::from_ranges(self.ranges))
        } else {
            None
        }
    }
}

/// Whether ranges in order have the character.
pub(super) fn contains(ranges: &[(u32, u32)], character: u32) -> bool {
    // Most have few, which are looked through faster one by one.
    if ranges.len() <= FEW {
        return ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&character));
    }
    let index = ranges.partition_point(|(_, last)| *last < character);
    ranges.get(index).is_some_and(|(first, _)| *first <= character)
}
