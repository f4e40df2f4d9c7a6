//! What conditions ask of a cell.

use super::sequence::outcome;
use super::spec::{CellKind, CellSpec};
use super::{Cell, Entry, EventLog};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A number that a cell gives at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// How many events there were.
    Count,
    /// The sum of their numbers.
    Sum,
    /// The least of their numbers.
    Least,
    /// The greatest of their numbers.
    Greatest,
    /// The average of their numbers.
    Average,
    /// How many different values they had.
    Distinct,
    /// How many milliseconds ago the first one was.
    FirstAgo,
    /// How many milliseconds ago the last one was.
    LastAgo,
    /// 1 if the first one's value fits, else 0.
    FirstFits,
    /// 1 if the last one's value fits, else 0.
    LastFits,
    /// 1 if the value that most of them had fits, else 0.
    MostFrequentFits,
    /// 1 if a sequence was completed, else 0.
    Completed,
    /// How many milliseconds ago it was completed last.
    CompletedAgo,
    /// For how many milliseconds an attribute has fitted.
    HeldFor,
    /// A score.
    Score,
}

impl Measure {
    /// Its name in an explanation: the manifest's, where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            Measure::Count => "count",
            Measure::Sum => "sum",
            Measure::Least => "min",
            Measure::Greatest => "max",
            Measure::Average => "avg",
            Measure::Distinct => "distinct",
            Measure::FirstAgo => "first ago",
            Measure::LastAgo => "last ago",
            Measure::FirstFits => "first is",
            Measure::LastFits => "last is",
            Measure::MostFrequentFits => "mostFrequent is",
            Measure::Completed => "completed",
            Measure::CompletedAgo => "completed ago",
            Measure::HeldFor => "held for",
            Measure::Score => "score",
        }
    }

    /// Whether it grows with time by itself: the distance from an instant.
    pub(crate) const fn is_distance(self) -> bool {
        matches!(
            self,
            Measure::FirstAgo | Measure::LastAgo | Measure::CompletedAgo | Measure::HeldFor
        )
    }
}

impl Cell {
    /// The measure at an instant; `None` if there is nothing to measure, such as the least of no numbers.
    pub fn measure(
        &self,
        spec: &CellSpec,
        measure: Measure,
        group: Option<u32>,
        now: Timestamp,
    ) -> Option<f64> {
        if measure.is_distance() {
            let since = self.instant(spec, measure, group, now)?;
            return Some(now.saturating_sub(since).max(0) as f64);
        }
        let yes = |holds: bool| if holds { 1.0 } else { 0.0 };
        match (self, &spec.kind) {
            (Cell::Score(score), CellKind::Score(decay)) => Some(score.total().read(now, decay.half_life)),
            (_, CellKind::Sequence(sequence)) => {
                let log = self.log(group)?;
                Some(yes(outcome(log.entries(), sequence, now).completed_at.is_some()))
            }
            (_, CellKind::Events(shape, _)) => {
                let Some(log) = self.log(group) else {
                    return nothing(measure);
                };
                let events = log.in_window(now, *shape);
                match measure {
                    Measure::Count => Some(f64::from(log.total(now, *shape).count)),
                    Measure::Sum => Some(log.total(now, *shape).sum),
                    Measure::Distinct => Some(events.len() as f64),
                    Measure::FirstFits => events.first().map(|first| f64::from(first.mark)),
                    Measure::LastFits => events.last().map(|last| f64::from(last.mark)),
                    Measure::MostFrequentFits => most_frequent(events).map(|mark| f64::from(mark & 1)),
                    _ => of_numbers(log, spec, measure, now),
                }
            }
            _ => None,
        }
    }

    /// The instant from which a distance is measured.
    pub(crate) fn instant(
        &self,
        spec: &CellSpec,
        measure: Measure,
        group: Option<u32>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        match (self, &spec.kind) {
            (Cell::Held(since), _) => *since,
            (_, CellKind::Sequence(sequence)) => {
                outcome(self.log(group)?.entries(), sequence, now).completed_at
            }
            (_, CellKind::Events(shape, _)) => {
                let events = self.log(group)?.in_window(now, *shape);
                let event = match measure {
                    Measure::FirstAgo => events.first(),
                    _ => events.last(),
                };
                event.map(|event| event.time)
            }
            _ => None,
        }
    }

    /// The earliest instant after `now` at which a sequence is completed by nothing happening.
    pub(crate) fn next_completion(
        &self,
        spec: &CellSpec,
        group: Option<u32>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        match &spec.kind {
            CellKind::Sequence(sequence) if sequence.quiet.is_some() => {
                outcome(self.log(group)?.entries(), sequence, now).next
            }
            _ => None,
        }
    }
}

/// What no events add up to.
pub(crate) const fn nothing(measure: Measure) -> Option<f64> {
    match measure {
        Measure::Count | Measure::Sum | Measure::Distinct | Measure::Completed => Some(0.0),
        _ => None,
    }
}

fn of_numbers(log: &EventLog, spec: &CellSpec, measure: Measure, now: Timestamp) -> Option<f64> {
    let total = log.total(now, spec.shape());
    if total.count == 0 {
        return None;
    }
    match measure {
        Measure::Least => Some(total.least),
        Measure::Greatest => Some(total.greatest),
        Measure::Average => Some(total.sum / f64::from(total.count)),
        _ => None,
    }
}

/// The mark that most events have; of several the one that came last.
fn most_frequent(events: &[Entry]) -> Option<u32> {
    let mut best: Option<(u32, usize, u32)> = None;
    for (place, entry) in events.iter().enumerate() {
        let same = events
            .iter()
            .enumerate()
            .filter(|(_, other)| other.mark == entry.mark);
        let (count, last) = same.fold((0_u32, 0), |(count, _), (at, other)| {
            (count.saturating_add(other.count), at)
        });
        // Only the last event of each value stands for it.
        if last == place && best.is_none_or(|(most, at, _)| (count, last) > (most, at)) {
            best = Some((count, last, entry.mark));
        }
    }
    best.map(|(_, _, mark)| mark)
}
