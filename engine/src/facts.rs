//! What conditions read, whether it is folded state or a whole log.

use crate::aging::AgingTrait;
use crate::cell::measure::Measure;
use crate::cell::spec::{CellKind, CellSpec};
use crate::cell::{Affinity, Cell};
use crate::condition::Condition;
use crate::decay::Fading;
use crate::decide::Context;
use crate::mutation::Operation;
use crate::program::{Program, Scope};
use crate::reading::{Reading, Views};
use crate::state::{Profile, SESSION_GAP, Session, State};
use crate::sticky::Remembered;
use crate::time::Timestamp;
use std::borrow::Cow;

/// What is known of a visitor. [`State`] answers from cells; the oracle from the whole log.
pub trait Facts {
    /// What the cell measures, in one of its groups; of a cell of the session, whether or not it is over.
    fn measure(
        &self,
        program: &Program,
        cell: usize,
        measure: Measure,
        group: Option<u32>,
        now: Timestamp,
    ) -> Option<f64>;
    /// The group at a place among the cell's.
    fn group(&self, program: &Program, cell: usize, place: usize) -> Option<u32>;
    /// What the cell keeps of an affinity.
    fn affinity(&self, program: &Program, cell: usize) -> Option<Cow<'_, Affinity>>;
    /// The visit that is going on, or the last one; none before the first event.
    fn last_session(&self) -> Option<Cow<'_, Session>>;
    /// What is known of the person.
    fn profile(&self) -> Cow<'_, Profile>;
    /// When a trait was told last. Where that is not known, but the trait is, it is when anything was told.
    fn told_at(&self, program: &Program, aging: &AgingTrait) -> Timestamp;
    /// The assignments that the visitor keeps.
    fn remembered(&self) -> &[Remembered];
    /// The earliest instant after `now` at which the measure, or its order to one of the numbers, changes by
    /// time alone in any group; the session's end aside.
    fn next_change_at(
        &self,
        program: &Program,
        cell: usize,
        measure: Measure,
        numbers: &[f64],
        now: Timestamp,
    ) -> Option<Timestamp>;
    /// Whether it is known what changes by time alone.
    fn foresees(&self) -> bool {
        true
    }
}

impl State {
    fn cell<'a>(&'a self, program: &'a Program, cell: usize) -> Option<(&'a Cell, &'a CellSpec)> {
        Some((self.cells.get(cell)?, program.cells.get(cell)?))
    }
}

impl Facts for State {
    fn measure(
        &self,
        program: &Program,
        cell: usize,
        measure: Measure,
        group: Option<u32>,
        now: Timestamp,
    ) -> Option<f64> {
        let (cell, spec) = self.cell(program, cell)?;
        cell.measure(spec, measure, group, now)
    }

    fn group(&self, _: &Program, cell: usize, place: usize) -> Option<u32> {
        self.cells.get(cell)?.group(place)
    }

    fn affinity(&self, _: &Program, cell: usize) -> Option<Cow<'_, Affinity>> {
        match self.cells.get(cell)? {
            Cell::Affinity(affinity) => Some(Cow::Borrowed(affinity)),
            _ => None,
        }
    }

    fn last_session(&self) -> Option<Cow<'_, Session>> {
        (self.session.number > 0).then_some(Cow::Borrowed(&self.session))
    }

    fn profile(&self) -> Cow<'_, Profile> {
        Cow::Borrowed(&self.profile)
    }

    fn told_at(&self, _: &Program, aging: &AgingTrait) -> Timestamp {
        // A state that is older than the declaration does not know.
        let cell = self.cells.get(usize::from(aging.cell));
        cell.and_then(Cell::newest_at).unwrap_or(self.profile.traits_at)
    }

    fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }

    fn next_change_at(
        &self,
        program: &Program,
        cell: usize,
        measure: Measure,
        numbers: &[f64],
        now: Timestamp,
    ) -> Option<Timestamp> {
        let (cell, spec) = self.cell(program, cell)?;
        match (cell, &spec.kind) {
            (Cell::Score(score), CellKind::Score(decay)) => {
                next_crossing(score.total(), numbers, now, decay.half_life)
            }
            _ => {
                let leaving = cell.next_leaving(spec, now);
                let groups = (0..).map_while(|place| cell.group(place)).map(Some);
                let single = spec.by.is_none().then_some(None);
                let of_groups = groups.chain(single).filter_map(|group| {
                    let completion = cell.next_completion(spec, group, now);
                    let passing = measure
                        .is_distance()
                        .then(|| cell.instant(spec, measure, group, now))
                        .flatten()
                        .and_then(|since| next_passing(since, 1, numbers, now));
                    completion.into_iter().chain(passing).min()
                });
                of_groups.chain(leaving).min()
            }
        }
    }
}

/// When a value that fades next passes one of the numbers.
pub(crate) fn next_crossing(
    value: Fading,
    numbers: &[f64],
    now: Timestamp,
    half_life: i64,
) -> Option<Timestamp> {
    numbers
        .iter()
        .filter_map(|number| value.next_crossing(*number, now, half_life))
        .min()
}

/// No distance is as long, in its units.
const LONGEST_DISTANCE: f64 = 1e15;

/// When the distance from an instant, in whole units of so many milliseconds, next passes one of the numbers.
pub(crate) fn next_passing(
    since: Timestamp,
    unit: i64,
    numbers: &[f64],
    now: Timestamp,
) -> Option<Timestamp> {
    // A whole number reaches a number at the next whole one, and is past it one later.
    numbers
        .iter()
        .flat_map(|number| [number.ceil(), number.floor() + 1.0])
        .filter(|mark| *mark > 0.0 && *mark < LONGEST_DISTANCE)
        .map(|mark| since.saturating_add((mark as i64).saturating_mul(unit)))
        .filter(|at| *at > now)
        .min()
}

/// When the session that is going on ends if no event comes.
pub(crate) fn session_end(facts: &dyn Facts, now: Timestamp) -> Option<Timestamp> {
    let end = facts.last_session()?.last_at.saturating_add(SESSION_GAP);
    (end > now).then_some(end)
}

/// The earliest instant after `now` at which something that the condition reads may change by time alone, the
/// session's end aside. `numbers` is room to work in.
pub(crate) fn next_candidate(
    condition: &Condition,
    reading: &Reading<'_>,
    numbers: &mut Vec<f64>,
) -> Option<Timestamp> {
    let mut next: Option<Timestamp> = None;
    for node in condition.nodes() {
        let candidate = reading.next_candidate(condition, node, numbers);
        next = next.into_iter().chain(candidate).min();
    }
    next
}

/// Whether a cell ends with the session.
pub(crate) fn is_of_session(program: &Program, cell: usize) -> bool {
    program
        .cells
        .get(cell)
        .is_some_and(|spec| spec.scope == Scope::Session)
}

/// Fills in the mutations of the variants that were decided, in the order of the experiences.
pub fn edits<'p>(
    program: &'p Program,
    facts: &dyn Facts,
    context: &Context<'_>,
    experience: usize,
    variant: usize,
    now: Timestamp,
) -> Vec<crate::mutation::Edit<'p>> {
    let views = Views::new(facts, context);
    let reading = Reading::new(program, facts, context, &views, now);
    program
        .experiences
        .get(experience)
        .and_then(|experience| experience.variants.get(variant))
        .map(|variant| {
            variant
                .mutations
                .iter()
                // What leads to another page changes nothing in this one.
                .filter(|mutation| mutation.operation != Operation::Redirect)
                .map(|mutation| mutation.render(&reading))
                .collect()
        })
        .unwrap_or_default()
}
