//! Ignoring case as JavaScript's flag `i` does: two characters are the same if their capital is.
//!
//! Only the compiler needs this: it puts every character that counts as the same into the class.

use super::set::Set;
use std::sync::OnceLock;

/// The characters that are not their own capital.
struct Letters {
    /// Each with its capital, in order.
    with_capital: Vec<(u32, u32)>,
    /// Each after its capital, in order.
    by_capital: Vec<(u32, u32)>,
}

fn letters() -> &'static Letters {
    static LETTERS: OnceLock<Letters> = OnceLock::new();
    LETTERS.get_or_init(|| {
        // Past U+FFFF a character is two units in JavaScript, and those have no case.
        let with_capital: Vec<(u32, u32)> = ('\0'..='\u{ffff}')
            .map(|character| (u32::from(character), capital(character)))
            .filter(|(character, capital)| character != capital)
            .collect();
        let mut by_capital: Vec<(u32, u32)> = with_capital
            .iter()
            .map(|(character, capital)| (*capital, *character))
            .collect();
        by_capital.sort_unstable();
        Letters {
            with_capital,
            by_capital,
        }
    })
}

/// The capital of a character, as far as it is one character, and no ASCII for what is none.
fn capital(character: char) -> u32 {
    let mut letters = character.to_uppercase();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.len_utf16() == 1 && (character.is_ascii() || !letter.is_ascii()) => {
            u32::from(letter)
        }
        _ => u32::from(character),
    }
}

/// All characters that are the same as one of the set.
pub(super) fn closure(set: Set) -> Set {
    let letters = letters();
    let mut capitals: Vec<u32> = Vec::new();
    for (first, last) in set.ranges() {
        let small = between(&letters.with_capital, *first, *last);
        capitals.extend(small.iter().map(|(_, capital)| *capital));
        let large = between(&letters.by_capital, *first, *last);
        capitals.extend(large.iter().map(|(capital, _)| *capital));
    }
    if capitals.is_empty() {
        return set;
    }
    capitals.sort_unstable();
    capitals.dedup();
    let mut ranges = set.into_ranges();
    for capital in capitals {
        ranges.push((capital, capital));
        let small = between(&letters.by_capital, capital, capital);
        ranges.extend(small.iter().map(|(_, character)| (*character, *character)));
    }
    Set::from_ranges(ranges)
}

/// Those pairs whose first number is in the range.
fn between(pairs: &[(u32, u32)], first: u32, last: u32) -> &[(u32, u32)] {
    let begin = pairs.partition_point(|(number, _)| *number < first);
    let end = pairs.partition_point(|(number, _)| *number <= last);
    pairs.get(begin..end).unwrap_or_default()
}
