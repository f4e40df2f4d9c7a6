//! Regular expressions that cannot blow up: `$regex` and `$regexi`.
//!
//! A [`Regex`] is compiled once, with the manifest, and then walks over a text with all of its possible places
//! at the same time: the work is at most instructions × characters, whatever the pattern and whatever the text.
//! What a browser needs is the walk alone: upper and lower case are resolved by the compiler.
//!
//! # The dialect
//!
//! Patterns are written as in JavaScript, as `new RegExp("…")` without flags reads them, so that patterns that
//! come from elsewhere keep their meaning. A pattern may match anywhere in the text, unless `^` or `$` holds it
//! to the start or the end.
//!
//! | what | how it is written |
//! | --- | --- |
//! | a character | itself; `\` before one of `^ $ \ . * + ? ( ) [ ] { } \|` and `/` |
//! | characters by name or number | `\t \n \v \f \r \0 \cA \x41 \u0041`, the octal `\101` |
//! | any character but a line break | `.` |
//! | one of several | `[a-z_]`, `[^a-z]`, `[^]` for any at all |
//! | digits, letters of words, spaces | `\d \w \s`, and all others `\D \W \S`; also between `[` and `]` |
//! | the start and the end of the text | `^`, `$` |
//! | the edge of a word, and not that | `\b`, `\B` |
//! | groups | `( )`, `(?: )`, `(?<name> )`; the three mean the same here |
//! | one or the other | `a\|b` |
//! | repeated | `* + ? {3} {3,} {3,5}`; also with `?` after it, which changes nothing in a yes or no |
//!
//! `\w` and `\b` know the letters `a-z A-Z`, digits and `_` only, as in JavaScript. The corners that browsers have
//! kept from old days are the same too: a `{` that begins no `{3}`, a `]` or a `}` stands for itself, `\-` is `-`,
//! and `\u{41}` is 41 times the letter `u`.
//!
//! **`$regexi`** ignores case as JavaScript's flag `i` does: letter by letter (`ß` is not `SS`), and a letter outside
//! of ASCII is never the same as one inside (`ſ` is not `s`).
//!
//! ## What is not there, and what to write instead
//!
//! | what | instead |
//! | --- | --- |
//! | back-references: `(a\|b)\1`, `\k<name>` | each case: `aa\|bb` |
//! | look-ahead and look-behind: `(?=…) (?!…) (?<=…) (?<!…)` | two conditions: `{"$and": [{"path": {"$regex": "…"}}, {"path": {"$not": {"$regex": "…"}}}]}` |
//! | flags, also within the pattern: `(?i:…)` | `$regexi`; `[^]` for a `.` that takes line breaks too |
//! | `\p{…}`, which is the letter `p` without the flag `u`, as in JavaScript | the characters: `[à-ÿ]` |
//! | half of a surrogate pair: `\ud83d` | the character itself, or both halves: `\ud83d\ude00` |
//! | an escape in the name of a group: `(?<\u0061>…)` | the letter, or no name: nothing reads it |
//!
//! ## Characters are whole
//!
//! JavaScript reads a text as UTF-16, in which an emoji and other characters past U+FFFF are two units. Here each is
//! one character: `^.$` fits `😀`, `😀+` is one or more of them, and `[😀🙏]` is one of the two; as JavaScript has it with
//! the flag `u`. A class that names all of `\ud800-\udfff`, as in `[\u0080-\uffff]`, holds those characters too, so that
//! this usual way to say “not ASCII” finds them here as it does there.
//!
//! ## Limits
//!
//! A pattern has at most [`MAX_PATTERN`] characters, groups in at most [`MAX_NESTING`] levels, and makes at most
//! [`MAX_INSTRUCTIONS`] instructions after `x{3}` has become `xxx`; its classes have at most [`MAX_RANGES`] ranges. Past
//! that, it is an error that says where.
//! Only the first [`MAX_TEXT`] characters of a text can be a part of a match: what comes after them is not seen, but
//! for the answer to whether the text ends there, for `$`, or a word does, for `\b`.

mod assembler;
mod case;
mod error;
mod escape;
mod first;
mod machine;
mod parse;
mod program;
mod reach;
mod set;
#[cfg(test)]
mod tests;

pub use error::{Problem, RegexError};
pub use machine::MAX_TEXT;
pub use parse::{MAX_NESTING, MAX_PATTERN};
pub use program::{MAX_INSTRUCTIONS, MAX_RANGES, Regex};
