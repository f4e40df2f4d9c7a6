//! Which decisions were changed by values that are too old.
//!
//! Everything is decided twice: as it is, and as if all values were fresh. Where the two give different variants,
//! the reason is [`Reason::StaleData`]. So it may also change when only the second differs, and the next instant at
//! which anything differs is looked for in both. None of this is done for programs in which no condition reads an
//! attribute that may become too old.

use crate::decide::{Context, Decisions, Reason};
use crate::decider::Decider;
use crate::facts::Facts;
use crate::program::Program;
use crate::state::Changes;
use crate::time::Timestamp;

/// After so many instants at which nothing differed that anybody sees, the next one is announced without looking:
/// each look decides everything anew.
const MAX_LOOKS: usize = 256;

/// What is kept besides the decisions as they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Staleness {
    /// What would be decided if all values were fresh.
    fresh: Fresh,
    /// Room to decide both at a later instant.
    later: Decider,
    later_fresh: Fresh,
    /// Whether there is room to look ahead without asking for more.
    has_room: bool,
}

/// What would be decided if all values were fresh.
#[derive(Clone, Debug, Default)]
struct Fresh {
    decider: Decider,
    /// The reasons of the decisions as they are, where others stand in their place.
    own_reasons: Vec<Reason>,
}

/// Who asks about whom.
pub(crate) struct Asked<'a> {
    pub(crate) program: &'a Program,
    pub(crate) facts: &'a dyn Facts,
    pub(crate) context: &'a Context<'a>,
}

impl Asked<'_> {
    /// Decides both as it is and as if all values were fresh, and tells of each decision whether it is due to stale
    /// values. Gives the earliest instant at which either differs.
    fn decide(
        &self,
        decider: &mut Decider,
        fresh: &mut Fresh,
        changes: Option<&Changes>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        for (decision, own) in decider.decisions.decisions.iter_mut().zip(&fresh.own_reasons) {
            decision.reason = *own;
        }
        fresh.decider.takes_as_fresh = true;
        for decider in [&mut *decider, &mut fresh.decider] {
            decider.refresh(self.program, self.facts, changes, self.context, now);
        }
        fresh.own_reasons.clear();
        let both = decider.decisions.decisions.iter_mut();
        for (decision, as_fresh) in both.zip(&fresh.decider.decisions.decisions) {
            fresh.own_reasons.push(decision.reason);
            if decision.variant != as_fresh.variant {
                decision.reason = Reason::StaleData;
            }
        }
        earlier(&decider.decisions, &fresh.decider.decisions)
    }
}

impl Staleness {
    /// Decides, and finds which decisions are due to stale values, and when anything differs that anybody sees.
    pub(crate) fn decide(
        &mut self,
        decider: &mut Decider,
        asked: &Asked<'_>,
        changes: Option<&Changes>,
        now: Timestamp,
    ) {
        let mut next = asked.decide(decider, &mut self.fresh, changes, now);
        // Who asks again gets all the room now.
        if changes.is_some() && !self.has_room {
            self.has_room = true;
            asked.decide(&mut self.later, &mut self.later_fresh, None, now);
        }
        for looks in 0.. {
            // As long as nothing is stale, both decide the same.
            let Some(at) = next.filter(|at| looks < MAX_LOOKS && is_anything_stale(asked, *at)) else {
                break;
            };
            let after = asked.decide(&mut self.later, &mut self.later_fresh, None, at);
            let (later, decisions) = (&self.later.decisions, &decider.decisions);
            if later.segments != decisions.segments
                || later.features != decisions.features
                || later.decisions != decisions.decisions
            {
                break;
            }
            next = after;
        }
        decider.decisions.next_change_at = next;
    }
}

fn earlier(one: &Decisions, other: &Decisions) -> Option<Timestamp> {
    one.next_change_at.into_iter().chain(other.next_change_at).min()
}

fn is_anything_stale(asked: &Asked<'_>, at: Timestamp) -> bool {
    let mut effective = asked.program.aging.iter().filter(|aging| !aging.is_used);
    effective.any(|aging| aging.stale_at(asked.program, asked.facts) <= at)
}
