//! What a match can begin with, so that the walk passes over the text before it quickly.

use super::program::{Assertion, Instruction};
use super::set::Set;

/// How a match begins.
pub(super) struct First {
    /// The characters that it can begin with, and maybe more; `None` if it can be empty, or begins at the start of the text
    /// anyway.
    pub(super) characters: Option<Set>,
    /// Whether it can only begin at the start of the text.
    pub(super) is_start_of_text: bool,
}

/// How a match of the code begins.
pub(super) fn of(code: &[u32], classes: &[Set]) -> First {
    if reach(code, classes, false) == Reach::default() {
        return First {
            characters: None,
            is_start_of_text: true,
        };
    }
    let reach = reach(code, classes, true);
    First {
        characters: (!reach.is_match).then(|| Set::from_ranges(reach.characters)),
        is_start_of_text: false,
    }
}

/// What can be reached without taking a character.
#[derive(Default, PartialEq, Eq)]
struct Reach {
    is_match: bool,
    takes: bool,
    characters: Vec<(u32, u32)>,
}

fn reach(code: &[u32], classes: &[Set], through_start: bool) -> Reach {
    let mut reach = Reach::default();
    let mut seen = vec![false; code.len()];
    let mut todo = vec![0];
    while let Some(at) = todo.pop() {
        if seen.get_mut(at).is_none_or(|seen| std::mem::replace(seen, true)) {
            continue;
        }
        let Some(word) = code.get(at) else { continue };
        match Instruction::unpack(*word) {
            Instruction::Match => reach.is_match = true,
            Instruction::Character(character) => {
                reach.takes = true;
                reach.characters.push((character, character));
            }
            Instruction::Class(class) => {
                reach.takes = true;
                let set = classes.get(usize::from(class));
                reach
                    .characters
                    .extend_from_slice(set.map_or(&[], |set| set.ranges()));
            }
            Instruction::Split(target) => todo.extend([at + 1, usize::from(target)]),
            Instruction::Jump(target) => todo.push(usize::from(target)),
            Instruction::Assert(Assertion::Start) if !through_start => {}
            // Whether it holds does not matter here: it takes nothing.
            Instruction::Assert(_) => todo.push(at + 1),
        }
    }
    reach
}
