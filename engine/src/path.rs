//! Paths of attributes, and the slots in which what they lead to is found without going the way again.
//!
//! Hundreds of conditions read the same few attributes. So each path below `profile.traits` and `request` that a
//! program's conditions and assignments read gets a slot when the program is prepared, and a decider that asks for
//! everything looks each of them up but once.

use crate::aging::AgingTrait;
use crate::assignment::Unit;
use crate::condition::{Condition, Node};
use crate::facts::Facts;
use crate::program::{Assignment, Program};
use crate::request::Request;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Deref;

/// So many paths get a slot: few enough to be looked up again whenever a person changes.
pub(crate) const MAX_SLOTS: usize = 64;

/// The slot of what has none.
pub(crate) const NO_SLOT: u8 = u8::MAX;

/// The names that lead to an attribute.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path {
    names: Vec<String>,
    /// Found out anew for each program.
    #[serde(skip, default = "no_slot")]
    slot: u8,
}

const fn no_slot() -> u8 {
    NO_SLOT
}

impl Path {
    /// The slot; where there is none, [`NO_SLOT`], a place that no slots have.
    pub(crate) const fn slot(&self) -> u8 {
        self.slot
    }
}

impl From<Vec<String>> for Path {
    fn from(names: Vec<String>) -> Self {
        Self { names, slot: NO_SLOT }
    }
}

impl Deref for Path {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.names
    }
}

/// Slots are no part of what a path means.
impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.names == other.names
    }
}

impl Eq for Path {}

/// What the paths with a slot lead to; empty, if nobody has looked.
pub(crate) type Slots<'a> = [Option<&'a Value>];

/// Gives the program's paths their slots, and says which path has which.
pub(crate) fn assign(program: &mut Program) -> Vec<Vec<String>> {
    let mut slots = Assigned {
        aging: &program.aging,
        paths: Vec::new(),
    };
    for segment in &mut program.segments {
        slots.condition(&mut segment.condition);
    }
    for rule in program.features.iter_mut().flat_map(|feature| &mut feature.rules) {
        slots.optional(&mut rule.gate);
        slots.optional(&mut rule.requires);
        slots.optional(&mut rule.condition);
        slots.units(&mut rule.assignment);
    }
    for experience in &mut program.experiences {
        slots.optional(&mut experience.requires);
        slots.optional(&mut experience.condition);
        slots.units(&mut experience.assignment);
    }
    slots.paths
}

/// The slots that are assigned so far.
struct Assigned<'p> {
    aging: &'p [AgingTrait],
    paths: Vec<Vec<String>>,
}

impl Assigned<'_> {
    fn optional(&mut self, condition: &mut Option<Condition>) {
        if let Some(condition) = condition {
            self.condition(condition);
        }
    }

    fn condition(&mut self, condition: &mut Condition) {
        for node in &mut condition.nodes {
            if let Node::Attribute(path, _) = node {
                self.path(path);
            }
        }
        condition.prepare();
    }

    fn units(&mut self, assignment: &mut Assignment) {
        if let Unit::Attribute(path) = &mut assignment.unit {
            self.path(path);
        }
        if let Some(Unit::Attribute(path)) = &mut assignment.fallback {
            self.path(path);
        }
    }

    fn path(&mut self, path: &mut Path) {
        path.slot = NO_SLOT;
        if !self.may_have_slot(&path.names) {
            return;
        }
        let known = self.paths.iter().position(|known| *known == path.names);
        let place = known.unwrap_or_else(|| {
            if self.paths.len() < MAX_SLOTS {
                self.paths.push(path.names.clone());
                self.paths.len() - 1
            } else {
                usize::from(NO_SLOT)
            }
        });
        path.slot = u8::try_from(place).unwrap_or(NO_SLOT);
    }

    /// Whether the path leads to the same as long as neither the person nor the request is another.
    fn may_have_slot(&self, path: &[String]) -> bool {
        match path {
            // What is no member, but counted, is made anew each time.
            [.., last] if last == "length" => false,
            // The visitor's clock goes on, and a trait may become too old.
            [root, part, ..] if root == "request" => part != "time",
            [root, part, of_traits @ ..]
                if root == "profile" && part == "traits" && !of_traits.is_empty() =>
            {
                !self.aging.iter().any(|aging| of_traits.starts_with(&aging.path))
            }
            _ => false,
        }
    }
}

/// Looks up what the paths lead to; nothing, if that is not to be had for as long as the facts.
pub(crate) fn look_up<'a, 's>(
    paths: &[Vec<String>],
    facts: &'a dyn Facts,
    request: &'a Request,
    slots: &'s mut [Option<&'a Value>; MAX_SLOTS],
) -> &'s Slots<'a> {
    let Cow::Borrowed(profile) = facts.profile() else {
        return &[];
    };
    for (slot, path) in slots.iter_mut().zip(paths) {
        *slot = match path.as_slice() {
            [root, rest @ ..] if root == "request" => request.document().at(rest),
            [_, _, name, rest @ ..] => profile.traits.get(name).and_then(|value| value.at(rest)),
            _ => None,
        };
    }
    slots
}
