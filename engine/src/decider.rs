//! Decides again and again for one visitor, at the cost of what has changed.
//!
//! A [`Decider`] remembers, for each segment and experience, what was decided and until when that holds if no
//! event comes. When something changes (an event was folded, the page is another, time has gone by), only what
//! reads it is evaluated again. After the first call it allocates nothing.

use crate::assignment::{FeatureDecision, decide_feature, decide_one, forced_variant, is_on_page};
use crate::decide::{Context, Decision, Decisions, Reason};
use crate::facts::{Facts, next_candidate, session_end};
use crate::path::{self, MAX_SLOTS, Slots};
use crate::program::{Experience, Program};
use crate::readers::{Timing, Unit};
use crate::reading::{Reading, SessionView, Views};
use crate::request::Request;
use crate::staleness::{Asked, Staleness};
use crate::state::{Changes, State};
use crate::time::Timestamp;

/// Nothing happens by time alone.
const NEVER: Timestamp = Timestamp::MAX;

/// After so many instants at which nothing differed, the next one is announced without looking: searching
/// must end.
const MAX_INSTANTS: usize = 4_096;

/// What is decided about one visitor, and until when it holds.
#[derive(Clone, Debug, Default)]
pub struct Decider {
    pub(crate) decisions: Decisions,
    /// For each unit, the earliest instant at which it differs by time alone, the session's end aside.
    due: Vec<Timestamp>,
    /// Whether a unit differs when the session ends.
    ends: Vec<bool>,
    /// Of each block of units, what of that comes first.
    blocks: Vec<Block>,
    /// A bit for each unit that must be evaluated.
    dirty: Vec<u64>,
    /// Whether a session was going on.
    in_session: bool,
    decided_at: Timestamp,
    known: Option<Known>,
    views: Views,
    /// Room to work in.
    numbers: Vec<f64>,
    /// Whether values are taken as fresh, however old they are.
    pub(crate) takes_as_fresh: bool,
    /// What is due to values that are too old, where there may be such.
    staleness: Option<Box<Staleness>>,
}

/// How many units a block has: few enough to look through when one of them changes, so that what does not
/// change costs next to nothing.
const BLOCK: usize = 16;

/// What comes first of a block of units.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Of the units that a session's end does not keep from changing.
    due: Timestamp,
    /// Of the units that depend on the session alone.
    in_session: Timestamp,
    /// Whether one differs when the session ends.
    ends: bool,
}

impl Block {
    const NOTHING: Self = Self {
        due: NEVER,
        in_session: NEVER,
        ends: false,
    };
}

/// Who asked last, and for which page.
#[derive(Clone, Debug)]
struct Known {
    visitor_id: String,
    request: Request,
    consent: bool,
    forced: Vec<(u16, u16)>,
}

impl Known {
    fn new(context: &Context<'_>) -> Self {
        Self {
            visitor_id: context.visitor_id.to_owned(),
            request: context.request.clone(),
            consent: context.consent,
            forced: context.forced.to_vec(),
        }
    }

    fn is_same_visitor(&self, context: &Context<'_>) -> bool {
        self.visitor_id == context.visitor_id
            && self.consent == context.consent
            && self.forced == context.forced
    }
}

/// The experience that a preview asks for on this page, of the group of another one.
fn forced_of_group(question: &Question<'_>, experience: &Experience) -> Option<u16> {
    let Question { program, context, .. } = question;
    let group = experience.group.as_ref()?;
    if context.forced.is_empty() {
        return None;
    }
    program.by_priority.iter().copied().find(|place| {
        let other = program.experiences.get(usize::from(*place));
        other.is_some_and(|other| {
            other.group.as_ref() == Some(group)
                && forced_variant(other, *place, context).is_some()
                && is_on_page(other, context)
        })
    })
}

/// What all evaluations of one call share.
struct Question<'a> {
    program: &'a Program,
    facts: &'a dyn Facts,
    context: &'a Context<'a>,
    now: Timestamp,
    /// What the paths with a slot lead to; empty, where few of them are asked for.
    slots: &'a Slots<'a>,
}

impl Decider {
    /// Nothing is decided yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decides everything for a visitor's page at an instant, with the least work since the last call. It must
    /// be called with the same program each time; the state may be another.
    pub fn decide(
        &mut self,
        program: &Program,
        state: &mut State,
        context: &Context<'_>,
        now: Timestamp,
    ) -> &Decisions {
        self.run(program, state, Some(&state.changes), context, now);
        state.changes.clear();
        &self.decisions
    }

    /// What was decided last.
    pub const fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// Decides everything anew.
    pub(crate) fn decide_all(
        mut self,
        program: &Program,
        facts: &dyn Facts,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Decisions {
        self.run(program, facts, None, context, now);
        self.decisions
    }

    fn run(
        &mut self,
        program: &Program,
        facts: &dyn Facts,
        changes: Option<&Changes>,
        context: &Context<'_>,
        now: Timestamp,
    ) {
        if program.index.readers.aging.is_empty() {
            return self.refresh(program, facts, changes, context, now);
        }
        let mut staleness = self.staleness.take().unwrap_or_default();
        let asked = Asked {
            program,
            facts,
            context,
        };
        staleness.decide(self, &asked, changes, now);
        self.staleness = Some(staleness);
    }

    /// Decides what has changed, without a look at what is due to values that are too old.
    pub(crate) fn refresh(
        &mut self,
        program: &Program,
        facts: &dyn Facts,
        changes: Option<&Changes>,
        context: &Context<'_>,
        now: Timestamp,
    ) {
        let segments = program.segments.len();
        let features = segments + program.feature_order.len();
        let units = features + program.by_priority.len();
        let mut question = Question {
            program,
            facts,
            context,
            now,
            slots: &[],
        };
        let end = session_end(facts, now);
        let is_first = self.due.len() != units
            || self.decisions.decisions.len() != program.experiences.len()
            || self.decisions.features.len() != program.features.len()
            || now < self.decided_at;
        match changes {
            Some(changes) if !is_first && !changes.all => {
                self.mark_changed(&question, changes, end.is_some());
            }
            _ => self.begin(program, units),
        }
        let is_other_visitor = self
            .known
            .as_ref()
            .is_none_or(|known| !known.is_same_visitor(context));
        if is_other_visitor {
            self.views.name(context);
        }
        let is_other_person = changes.is_none_or(|changes| changes.all || changes.profile);
        let renews = is_first || is_other_visitor || is_other_person;
        if renews && !program.index.readers.profile.is_empty() {
            self.views.renew(facts);
        }
        let mut slots = [None; MAX_SLOTS];
        if renews {
            question.slots = path::look_up(&program.index.slots, facts, context.request, &mut slots);
        }
        // Who asks but once is not asked for again.
        if changes.is_some() {
            self.mark_context(&question);
        }
        self.in_session = end.is_some();
        self.decided_at = now;
        for word in 0..self.dirty.len() {
            // A unit marks only such as come after it.
            while let Some(unit) = self.take_dirty(word) {
                if unit < segments {
                    self.segment(&question, unit);
                } else if unit < features {
                    self.feature(&question, unit, segments);
                } else {
                    self.experience(&question, unit, features);
                }
            }
        }
        self.decisions.next_change_at = self.next_change_at(end);
    }

    /// Makes room, and marks everything.
    fn begin(&mut self, program: &Program, units: usize) {
        let nothing = Decision {
            variant: None,
            reason: Reason::Invalid,
        };
        self.decisions.segments.clear();
        self.decisions.segments.resize(program.segments.len(), false);
        let default = FeatureDecision::none(Reason::Invalid);
        self.decisions.features.clear();
        self.decisions.features.resize(program.features.len(), default);
        self.decisions.decisions.clear();
        self.decisions
            .decisions
            .resize(program.experiences.len(), nothing);
        self.due.clear();
        self.due.resize(units, NEVER);
        self.ends.clear();
        self.ends.resize(units, false);
        self.blocks.clear();
        self.blocks.resize(units.div_ceil(BLOCK), Block::NOTHING);
        self.numbers.clear();
        self.numbers.reserve(program.index.readers.numbers);
        self.dirty.clear();
        self.dirty.resize(units.div_ceil(64), u64::MAX);
    }

    fn mark_changed(&mut self, question: &Question<'_>, changes: &Changes, in_session: bool) {
        let readers = &question.program.index.readers;
        for cell in &changes.cells {
            self.mark_all(readers.cells.get(usize::from(*cell)).map_or(&[], Vec::as_slice));
        }
        if changes.profile {
            self.mark_all(&readers.profile);
        }
        if changes.remembered {
            self.mark_all(&readers.remembered);
        }
        if changes.session || in_session != self.in_session {
            self.mark_all(&readers.session);
        }
        if in_session != self.in_session {
            self.mark_all(&readers.session_cells);
        }
        for place in 0..self.blocks.len() {
            let is_due = |block: &Block| block.due.min(block.in_session) <= question.now;
            if !self.blocks.get(place).is_some_and(is_due) {
                continue;
            }
            for unit in place * BLOCK..(place + 1) * BLOCK {
                if self.due.get(unit).is_some_and(|due| *due <= question.now) {
                    self.mark(unit);
                }
            }
        }
    }

    /// Marks what reads the request or the visitor, if they are others than at the last call.
    fn mark_context(&mut self, question: &Question<'_>) {
        let context = question.context;
        match &mut self.known {
            None => self.known = Some(Known::new(context)),
            Some(known) => {
                let segments = question.program.segments.len();
                let is_same_page = known.request == *context.request;
                if !is_same_page {
                    known.request = context.request.clone();
                }
                let is_same_visitor = known.is_same_visitor(context);
                if !is_same_visitor {
                    *known = Known::new(context);
                }
                if !is_same_page || !is_same_visitor {
                    self.mark_all(&question.program.index.readers.request);
                    (segments..self.due.len()).for_each(|unit| self.mark(unit));
                }
            }
        }
    }

    fn mark(&mut self, unit: usize) {
        if let Some(word) = self.dirty.get_mut(unit / 64) {
            *word |= 1 << (unit % 64);
        }
    }

    fn mark_all(&mut self, units: &[Unit]) {
        units.iter().for_each(|unit| self.mark(usize::from(*unit)));
    }

    /// The first marked unit of a word of marks, which loses its mark.
    fn take_dirty(&mut self, word: usize) -> Option<usize> {
        let marks = self.dirty.get_mut(word).filter(|marks| **marks != 0)?;
        let place = marks.trailing_zeros() as usize;
        *marks &= *marks - 1;
        Some(word * 64 + place)
    }

    fn segment(&mut self, question: &Question<'_>, unit: usize) {
        let Some(segment) = question.program.segments.get(unit) else {
            return;
        };
        let condition = &segment.condition;
        let evaluate = |reading: &Reading<'_>| condition.holds(reading);
        let candidate =
            |reading: &Reading<'_>, numbers: &mut Vec<f64>| next_candidate(condition, reading, numbers);
        let member = self.evaluate(question, unit, evaluate, candidate);
        let Some(known) = self.decisions.segments.get_mut(unit) else {
            return;
        };
        if *known != member {
            *known = member;
            let readers = &question.program.index.readers.segments;
            self.mark_all(readers.get(unit).map_or(&[], Vec::as_slice));
        }
    }

    fn feature(&mut self, question: &Question<'_>, unit: usize, first: usize) {
        let program = question.program;
        let Some(place) = program
            .feature_order
            .get(unit - first)
            .map(|place| usize::from(*place))
        else {
            return;
        };
        let Some(feature) = program.features.get(place) else {
            return;
        };
        let evaluate =
            |reading: &Reading<'_>| decide_feature(feature, question.context, reading, reading.now);
        let candidate = |reading: &Reading<'_>, numbers: &mut Vec<f64>| {
            let of_rules = feature.rules.iter().filter_map(|rule| {
                let candidates = rule
                    .conditions()
                    .filter_map(|condition| next_candidate(condition, reading, numbers));
                let instants = rule.instants().filter(|at| *at > reading.now);
                candidates.chain(instants).min()
            });
            of_rules.min()
        };
        let decision = self.evaluate(question, unit, evaluate, candidate);
        let Some(known) = self.decisions.features.get_mut(place) else {
            return;
        };
        let before = std::mem::replace(known, decision);
        let readers = program.index.readers.features.get(place);
        // Most features have no readers, who would have to know.
        if let Some(readers) = readers.filter(|readers| !readers.is_empty())
            && before != decision
        {
            self.mark_all(readers);
        }
    }

    fn experience(&mut self, question: &Question<'_>, unit: usize, first: usize) {
        let program = question.program;
        let rank = unit - first;
        let Some((place, experience)) = program.by_priority.get(rank).and_then(|place| {
            let experience = program.experiences.get(usize::from(*place))?;
            Some((*place, experience))
        }) else {
            return;
        };
        let is_group_taken = match forced_of_group(question, experience) {
            // What a preview asks for comes first: another of its group makes room, whatever its priority.
            Some(forced) => forced != place,
            None => self.is_group_taken(program, rank, experience),
        };
        let evaluate = |reading: &Reading<'_>| {
            let context = question.context;
            decide_one(experience, place, context, reading, is_group_taken, reading.now)
        };
        let candidate = |reading: &Reading<'_>, numbers: &mut Vec<f64>| {
            let conditions = [&experience.requires, &experience.condition];
            let conditions = conditions.into_iter().flatten();
            let candidates = conditions.filter_map(|condition| next_candidate(condition, reading, numbers));
            candidates
                .chain(experience.instants().filter(|at| *at > reading.now))
                .min()
        };
        let decision = self.evaluate(question, unit, evaluate, candidate);
        let Some(known) = self.decisions.decisions.get_mut(usize::from(place)) else {
            return;
        };
        let was_given = std::mem::replace(known, decision).variant.is_some();
        if was_given != decision.variant.is_some() {
            let later = program.index.readers.later_of_group.get(rank);
            self.mark_all(later.map_or(&[], Vec::as_slice));
        }
    }

    /// Evaluates a unit, and notes until when that holds if no event comes. `candidate` gives the earliest later
    /// instant at which something that the unit reads may change by time alone, the session's end aside.
    fn evaluate<T: PartialEq>(
        &mut self,
        question: &Question<'_>,
        unit: usize,
        evaluate: impl Fn(&Reading<'_>) -> T,
        candidate: impl Fn(&Reading<'_>, &mut Vec<f64>) -> Option<Timestamp>,
    ) -> T {
        let timing = question.timing(unit);
        let reading = Reading::new(
            question.program,
            question.facts,
            question.context,
            &self.views,
            question.now,
        );
        let reading = reading
            .with(&self.decisions, question.slots)
            .taking_as_fresh(self.takes_as_fresh);
        let current = evaluate(&reading);
        if timing != Timing::Timeless && question.facts.foresees() {
            let differs = |reading: &Reading<'_>| evaluate(reading) != current;
            let mut candidate = |reading: &Reading<'_>| candidate(reading, &mut self.numbers);
            let (due, ends) = find_change(question, unit, &reading, &differs, &mut candidate);
            self.expect(question, unit, due, ends);
        }
        current
    }

    /// Takes note of when a unit differs by time alone.
    fn expect(&mut self, question: &Question<'_>, unit: usize, due: Timestamp, ends: bool) {
        let (Some(known), Some(known_ends)) = (self.due.get_mut(unit), self.ends.get_mut(unit)) else {
            return;
        };
        if (*known, *known_ends) == (due, ends) {
            return;
        }
        (*known, *known_ends) = (due, ends);
        let mut block = Block::NOTHING;
        let first = unit / BLOCK * BLOCK;
        let units = self.due.iter().zip(&self.ends).enumerate();
        for (unit, (due, ends)) in units.skip(first).take(BLOCK) {
            let earliest = match question.timing(unit) {
                Timing::Session => &mut block.in_session,
                _ => &mut block.due,
            };
            *earliest = (*earliest).min(*due);
            block.ends |= *ends;
        }
        if let Some(known) = self.blocks.get_mut(unit / BLOCK) {
            *known = block;
        }
    }

    /// Whether an experience of the same group and a higher priority is given.
    fn is_group_taken(&self, program: &Program, rank: usize, experience: &Experience) -> bool {
        let Some(group) = &experience.group else {
            return false;
        };
        program.by_priority.iter().take(rank).any(|place| {
            let place = usize::from(*place);
            let is_given = self
                .decisions
                .decisions
                .get(place)
                .is_some_and(|known| known.variant.is_some());
            is_given
                && program
                    .experiences
                    .get(place)
                    .is_some_and(|other| other.group.as_ref() == Some(group))
        })
    }

    fn next_change_at(&self, end: Option<Timestamp>) -> Option<Timestamp> {
        let session_end = end.unwrap_or(NEVER);
        let mut next = NEVER;
        for block in &self.blocks {
            next = next.min(block.due);
            // What depends on the session alone does not change after it is over.
            if block.in_session < session_end {
                next = next.min(block.in_session);
            }
            if block.ends {
                next = next.min(session_end);
            }
        }
        (next != NEVER).then_some(next)
    }
}

impl Question<'_> {
    fn timing(&self, unit: usize) -> Timing {
        let timing = self.program.index.readers.timing.get(unit);
        timing.copied().unwrap_or_default()
    }
}

/// The earliest instant at which a unit `differs` from what it is now, the session's end aside, and whether it does
/// at the session's end.
///
/// What a unit refers to (segments, features, the experiences before it) is taken as constant. That is enough to
/// know when anything changes first: until then they *are* constant.
fn find_change(
    question: &Question<'_>,
    unit: usize,
    reading: &Reading<'_>,
    differs: &dyn Fn(&Reading<'_>) -> bool,
    candidate: &mut dyn FnMut(&Reading<'_>) -> Option<Timestamp>,
) -> (Timestamp, bool) {
    let timing = question.timing(unit);
    let clock_period = question.program.index.readers.clock_period(unit);
    let now = question.now;
    let end = session_end(question.facts, now);
    let (view, end_candidate) = match (timing, end) {
        // The end may still move away: what comes before it is looked for as if it never came.
        (Timing::Session, Some(_)) => (SessionView::GoingOn, None),
        (Timing::Mixed, end) => (SessionView::Actual, end),
        _ => (SessionView::Actual, None),
    };
    let ends =
        timing == Timing::Session && end.is_some_and(|end| differs(&reading.at(end, SessionView::Over)));
    let mut time = now;
    // What the visitor's clock shows comes again: it is followed for one round after each other change.
    let round = |from: Timestamp| clock_period.map_or(Timestamp::MAX, |period| from.saturating_add(period));
    let mut clock_until = round(now);
    for step in 0.. {
        let at = reading.at(time, view).with_clock_until(clock_until);
        let session_end = end_candidate.filter(|end| *end > time);
        let staleness = reading.at(time, view).next_staleness(unit);
        let others = session_end.into_iter().chain(staleness).min();
        let Some(next) = candidate(&at).into_iter().chain(others).min() else {
            break;
        };
        if clock_period.is_some() {
            let without_clock = candidate(&at.with_clock_until(Timestamp::MIN));
            if without_clock.into_iter().chain(others).min() == Some(next) {
                clock_until = round(next);
            }
        }
        if next <= time || step >= MAX_INSTANTS || differs(&reading.at(next, view)) {
            return (next.max(time.saturating_add(1)), ends);
        }
        time = next;
    }
    (NEVER, ends)
}
