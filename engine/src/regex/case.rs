//! Ignoring case as JavaScript's flag `i` does: two characters are the same if their capital is.
//!
//! Only the compiler needs this: it puts every character that counts as the same into the class.

use super::set::Set;
use std::sync::OnceLock;

/// Every character that is not its own capital, with its capital; in order.
fn capitals() -> &'static [(u32, u32)] {
    static CAPITALS: OnceLock<Vec<(u32, u32)>> = OnceLock::new();
    CAPITALS.get_or_init(|| {
        // Past U+FFFF a character is two units in JavaScript, and those have no case.
        ('\0'..='\u{ffff}')
            .map(|character| (u32::from(character), capital(character)))
            .filter(|(character, capital)| character != capital)
            .collect()
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
    let pairs = capitals();
    let mut reached: Vec<u32> = pairs
        .iter()
        .filter(|(character, capital)| set.contains(*character) || set.contains(*capital))
        .map(|(_, capital)| *capital)
        .collect();
    if reached.is_empty() {
        return set;
    }
    reached.sort_unstable();
    reached.dedup();
    let mut ranges = set.into_ranges();
    ranges.extend(reached.iter().map(|capital| (*capital, *capital)));
    ranges.extend(
        pairs
            .iter()
            .filter(|(_, capital)| reached.binary_search(capital).is_ok())
            .map(|(character, _)| (*character, *character)),
    );
    Set::from_ranges(ranges)
}
