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
    fresh: Decider,
    /// Room to decide both at a later instant.
    later: Decider,
    later_fresh: Decider,
    /// The reasons of the decisions as they are, where others stand in their place.
    own_reasons: Vec<Reason>,
    /// Whether there is room to look ahead without asking for more.
    has_room: bool,
}

/// Who asks about whom.
pub(crate) struct Asked<'a> {
    pub(crate) program: &'a Program,
    pub(crate) facts: &'a dyn Facts,
    pub(crate) context: &'a Context<'a>,
}

impl Staleness {
    /// Decides, and finds which decisions are due to stale values.
    pub(crate) fn decide(
        &mut self,
        decider: &mut Decider,
        asked: &Asked<'_>,
        changes: Option<&Changes>,
        now: Timestamp,
    ) {
        let Asked {
            program,
            facts,
            context,
        } = *asked;
        for (decision, own) in decider.decisions.decisions.iter_mut().zip(&self.own_reasons) {
            decision.reason = *own;
        }
        decider.refresh(program, facts, changes, context, now);
        self.fresh.takes_as_fresh = true;
        self.fresh.refresh(program, facts, changes, context, now);
        self.own_reasons.clear();
        let reasons = decider.decisions.decisions.iter().map(|decision| decision.reason);
        self.own_reasons.extend(reasons);
        tell(&mut decider.decisions, &self.fresh.decisions);
        // Who asks again gets all the room now.
        if changes.is_some() && !self.has_room {
            self.has_room = true;
            self.later.refresh(program, facts, None, context, now);
            self.later_fresh.refresh(program, facts, None, context, now);
        }
        if facts.foresees() {
            decider.decisions.next_change_at = self.next_change_at(&decider.decisions, asked);
        }
    }

    /// The earliest instant at which anything differs that anybody sees.
    fn next_change_at(&mut self, decisions: &Decisions, asked: &Asked<'_>) -> Option<Timestamp> {
        let Asked {
            program,
            facts,
            context,
        } = *asked;
        let mut next = earlier(decisions, &self.fresh.decisions);
        for look in 0.. {
            let at = next?;
            // As long as nothing is stale, both decide the same.
            if look == MAX_LOOKS || !is_anything_stale(program, facts, at) {
                break;
            }
            self.later.refresh(program, facts, None, context, at);
            self.later_fresh.takes_as_fresh = true;
            self.later_fresh.refresh(program, facts, None, context, at);
            tell(&mut self.later.decisions, &self.later_fresh.decisions);
            let later = &self.later.decisions;
            if later.segments != decisions.segments
                || later.features != decisions.features
                || later.decisions != decisions.decisions
            {
                break;
            }
            next = earlier(later, &self.later_fresh.decisions);
        }
        next
    }
}

/// Tells of each decision whether it is due to stale values.
fn tell(decisions: &mut Decisions, fresh: &Decisions) {
    for (decision, fresh) in decisions.decisions.iter_mut().zip(&fresh.decisions) {
        if decision.variant != fresh.variant {
            decision.reason = Reason::StaleData;
        }
    }
}

fn earlier(one: &Decisions, other: &Decisions) -> Option<Timestamp> {
    one.next_change_at.into_iter().chain(other.next_change_at).min()
}

fn is_anything_stale(program: &Program, facts: &dyn Facts, at: Timestamp) -> bool {
    let mut effective = program.aging.iter().filter(|aging| aging.has_effect());
    effective.any(|aging| aging.stale_at(program, facts) <= at)
}
