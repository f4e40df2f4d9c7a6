//! A condition as a way through its tests.
//!
//! Each step tests one value and says where to go on, whether the test holds or not. What only joins tests (all, any,
//! not, the attribute that they are about) has no step of its own: most conditions are decided after one or two.

use crate::condition::{Attributes, Node, NodeId, Run, Subject};
use crate::path::NO_SLOT;
use crate::value::Value;

/// Where the way ends: the condition holds.
const HOLDS: u16 = u16::MAX;

/// Where the way ends: the condition does not hold.
const FAILS: u16 = HOLDS - 1;

static NULL: Value = Value::Null;

#[derive(Clone, Debug)]
struct Step {
    /// The attribute that the test is about; without one, the test is about the document.
    slot: u8,
    test: NodeId,
    /// The step after this one, if the test holds, and if it does not: one that was made before.
    holds: u16,
    fails: u16,
}

/// The steps of a condition.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    steps: Vec<Step>,
    first: u16,
}

impl Flow {
    /// The way through a condition's nodes, whose paths have their slots; none through too many.
    pub(crate) fn new(nodes: &[Node]) -> Option<Self> {
        let root = NodeId::try_from(nodes.len().checked_sub(1)?).ok()?;
        let mut flow = Self {
            steps: Vec::new(),
            first: FAILS,
        };
        if root < FAILS {
            flow.first = flow.way(nodes, root, NO_SLOT, (HOLDS, FAILS));
        }
        (root < FAILS).then_some(flow)
    }

    /// The first step of the way through a node, from which it goes on to one of two others.
    fn way(&mut self, nodes: &[Node], id: NodeId, slot: u8, (holds, fails): (u16, u16)) -> u16 {
        match nodes.get(usize::from(id)) {
            Some(Node::All(all)) => all
                .iter()
                .rev()
                .fold(holds, |next, id| self.way(nodes, *id, slot, (next, fails))),
            Some(Node::Any(any)) => any
                .iter()
                .rev()
                .fold(fails, |next, id| self.way(nodes, *id, slot, (holds, next))),
            Some(Node::Not(id)) => self.way(nodes, *id, slot, (fails, holds)),
            Some(Node::Attribute(path, id)) if slot == NO_SLOT && path.slot() != NO_SLOT => {
                self.way(nodes, *id, path.slot(), (holds, fails))
            }
            Some(_) => {
                self.steps.push(Step {
                    slot,
                    test: id,
                    holds,
                    fails,
                });
                // There are fewer steps than nodes.
                (self.steps.len() - 1) as u16
            }
            None => fails,
        }
    }

    /// Whether the condition holds.
    pub(crate) fn run(&self, run: &Run<'_>, attributes: &dyn Attributes) -> bool {
        let mut at = self.first;
        while let Some(step) = self.steps.get(usize::from(at)) {
            let holds = match run.shared.slots.get(usize::from(step.slot)) {
                Some(value) => run.fits(step.test, value.unwrap_or(&NULL)),
                None => run.at(step.test, &Subject::Document(attributes)),
            };
            at = if holds { step.holds } else { step.fails };
        }
        at == HOLDS
    }
}
