//! What visitors were given and are to keep: a bounded memory beside the cells of their state.

use crate::assignment::{Unit, unit_of};
use crate::condition::Attributes;
use crate::decide::{Context, Decisions, Reason};
use crate::facts::Facts;
use crate::hash::{FNV_32, fnv1a_32_unit, fnv1a_32_units};
use crate::program::{Assignment, Program};
use crate::reading::{Reading, Views};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How many assignments are remembered; of more, the oldest is forgotten.
pub const MAX_REMEMBERED: usize = 32;

/// How an assignment is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stickiness {
    /// The hash of the experience's or rule's key.
    pub(crate) key: u32,
    /// The assignments that count; a new version lets visitors be assigned anew.
    pub version: u32,
    /// Who has an older assignment than this gets none any more.
    pub min_version: u32,
    /// The hashes of the variants' ids.
    pub(crate) variants: Vec<u32>,
}

impl Stickiness {
    pub(crate) fn new<'v>(
        key: &str,
        version: u32,
        min_version: u32,
        variants: impl Iterator<Item = &'v str>,
    ) -> Self {
        Self {
            key: fnv1a_32_units(FNV_32, key),
            version,
            min_version,
            variants: variants.map(variant_key).collect(),
        }
    }
}

/// An assignment that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// What was assigned, and to whom: [`key_of`].
    pub key: u32,
    /// The version of the assignment.
    pub version: u32,
    /// The variant: [`variant_key`].
    pub variant: u32,
}

/// The key of a variant.
pub fn variant_key(id: &str) -> u32 {
    fnv1a_32_units(FNV_32, id)
}

/// The key of an experience's or rule's assignment to the one whom an attribute names.
pub fn key_of(experience: &str, path: &[String], value: &str) -> u32 {
    extend(fnv1a_32_units(FNV_32, experience), path, value)
}

/// Nothing is hashed between the parts of a path but what no text can hold.
fn extend(mut key: u32, path: &[String], value: &str) -> u32 {
    for name in path {
        key = fnv1a_32_units(fnv1a_32_unit(key, u16::MAX), name);
    }
    fnv1a_32_units(fnv1a_32_unit(key, u16::MAX - 1), value)
}

pub(crate) fn key_for(stickiness: &Stickiness, unit: &Unit, value: &str) -> u32 {
    extend(stickiness.key, unit.path(), value)
}

/// What the memory says.
pub(crate) enum Memory {
    /// Nothing that counts.
    Nothing,
    /// This variant is kept.
    Variant(usize),
    /// An assignment that is too old.
    TooOld,
}

/// Looks for an assignment, first to the one whom the unit names, then to the one whom the fallback names.
pub(crate) fn recall(
    assignment: &Assignment,
    stickiness: &Stickiness,
    remembered: &[Remembered],
    context: &Context<'_>,
    attributes: &dyn Attributes,
) -> Memory {
    let mut found = Memory::Nothing;
    for unit in std::iter::once(&assignment.unit).chain(&assignment.fallback) {
        let mut room = None;
        let Some(value) = unit_of(unit, context, attributes, &mut room) else {
            continue;
        };
        let key = key_for(stickiness, unit, &value);
        for entry in remembered.iter().filter(|entry| entry.key == key) {
            if entry.version < stickiness.min_version {
                return Memory::TooOld;
            }
            if entry.version == stickiness.version
                && matches!(found, Memory::Nothing)
                && let Some(variant) = stickiness.variants.iter().position(|key| *key == entry.variant)
            {
                found = Memory::Variant(variant);
            }
        }
    }
    found
}

/// Adds an assignment to a memory.
pub(crate) fn remember(memory: &mut Vec<Remembered>, entry: Remembered) {
    if let Some(place) = memory
        .iter()
        .position(|known| (known.key, known.version) == (entry.key, entry.version))
    {
        if memory[place] == entry {
            return;
        }
        memory.remove(place);
    }
    if memory.len() >= MAX_REMEMBERED {
        memory.drain(..=memory.len() - MAX_REMEMBERED);
    }
    memory.push(entry);
}

/// The assignments of a page's decisions that are to be kept.
pub(crate) fn to_remember(
    program: &Program,
    facts: &dyn Facts,
    context: &Context<'_>,
    decisions: &Decisions,
    now: Timestamp,
) -> Vec<Remembered> {
    let experiences = program
        .experiences
        .iter()
        .zip(&decisions.decisions)
        .map(|(experience, decision)| (&experience.assignment, decision.variant, decision.reason));
    let features = program
        .features
        .iter()
        .zip(&decisions.features)
        .filter_map(|(feature, decision)| {
            let rule = feature.rules.get(usize::from(decision.rule?))?;
            Some((&rule.assignment, decision.variant, decision.reason))
        });
    let views = Views::new(facts, context);
    let reading = &Reading::new(program, facts, context, &views, now);
    let mut entries = Vec::new();
    for (assignment, variant, reason) in experiences.chain(features) {
        let (Some(stickiness), Some(variant)) = (&assignment.sticky, variant) else {
            continue;
        };
        if !matches!(reason, Reason::Assigned | Reason::Sticky) {
            continue;
        }
        let unit = std::iter::once(&assignment.unit)
            .chain(&assignment.fallback)
            .find_map(|unit| Some((unit, unit_of(unit, context, reading, &mut None)?.into_owned())));
        let key = stickiness.variants.get(usize::from(variant));
        if let (Some((unit, value)), Some(key)) = (unit, key) {
            entries.push(Remembered {
                key: key_for(stickiness, unit, &value),
                version: stickiness.version,
                variant: *key,
            });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let entry = |key| Remembered {
            key,
            version: 0,
            variant: 1,
        };
        let mut memory = Vec::new();
        for key in 0..40 {
            remember(&mut memory, entry(key));
        }
        assert_eq!(memory.len(), MAX_REMEMBERED);
        assert_eq!((memory[0].key, memory[31].key), (8, 39));
        let before = memory.clone();
        remember(&mut memory, entry(10));
        assert_eq!(memory, before);
        remember(
            &mut memory,
            Remembered {
                variant: 2,
                ..entry(10)
            },
        );
        assert_eq!((memory.len(), memory[31].key, memory[31].variant), (32, 10, 2));
    }
}
