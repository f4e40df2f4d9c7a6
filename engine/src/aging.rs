//! Attributes that may become too old, as their author declared them.

use crate::facts::Facts;
use crate::program::Program;
use crate::time::Timestamp;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// What becomes of a value that is too old.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WhenStale<'a> {
    /// It is used all the same; explanations say how old it is.
    Use,
    /// It is as if there were none.
    Unknown,
    /// This one is taken in its place.
    Default(&'a Value),
}

impl WhenStale<'_> {
    /// Its name in a manifest and in explanations.
    pub const fn name(self) -> &'static str {
        match self {
            WhenStale::Use => "use",
            WhenStale::Unknown => "unknown",
            WhenStale::Default(_) => "default",
        }
    }
}

/// How old a trait may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgingTrait {
    /// The path below `profile.traits`; what is below it is meant, too.
    pub path: Vec<String>,
    /// A value is stale when it was told so many milliseconds ago.
    pub max_age: i64,
    /// Whether it is used all the same then.
    pub(crate) is_used: bool,
    /// What is taken in its place, if it is not; `null` is nothing.
    pub(crate) default: Value,
    /// The cell that keeps when it was told last.
    pub(crate) cell: u16,
}

impl AgingTrait {
    /// From when on the value that is known is stale.
    pub(crate) fn stale_at(&self, program: &Program, facts: &dyn Facts) -> Timestamp {
        facts.told_at(program, self).saturating_add(self.max_age)
    }

    /// What becomes of a stale value.
    pub const fn when_stale(&self) -> WhenStale<'_> {
        match &self.default {
            _ if self.is_used => WhenStale::Use,
            Value::Null => WhenStale::Unknown,
            default => WhenStale::Default(default),
        }
    }
}

impl Program {
    /// The place of the declaration that the trait at a path falls under: the one with the longest path.
    pub(crate) fn aging_place(&self, path: &[String]) -> Option<usize> {
        self.aging.iter().position(|aging| path.starts_with(&aging.path))
    }

    /// The declaration that the trait at a path falls under.
    pub(crate) fn aging_trait(&self, path: &[String]) -> Option<&AgingTrait> {
        self.aging.get(self.aging_place(path)?)
    }
}
