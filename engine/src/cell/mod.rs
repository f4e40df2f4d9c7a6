//! Cells: the bounded memory of one event condition, score or affinity.
//!
//! - [`spec`]: what a cell keeps, as the program defines it;
//! - `event_log`: the newest events, for counts and other aggregates, and for sequences;
//! - `sequence`: whether those events came in an order;
//! - `settle`: which of those events can still matter;
//! - `score`, `affinity`: numbers that fade;
//! - [`measure`]: what conditions ask of a cell.

mod affinity;
mod event_log;
pub mod measure;
mod score;
mod sequence;
mod settle;
pub mod spec;
pub(crate) mod table;

pub use affinity::Affinity;
pub use event_log::{Entry, EventLog, MAX_EXACT};
pub use score::Score;
pub use sequence::{Outcome, outcome};

use crate::codec::{Malformed, Reader, Writer};
use crate::event::EventKey;
use crate::sort::sort_by;
use crate::time::Timestamp;
use event_log::Form;
use spec::{CellKind, CellSpec, Keep, Note, Observation};
use table::EventTable;

/// How many groups a cell with groups remembers: the most recent ones.
pub const MAX_GROUPS: usize = 32;

/// The memory of one event condition, score or affinity.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Events.
    Events(EventLog),
    /// Events by group.
    Groups(Vec<(u32, EventLog)>),
    /// Points that fade.
    Score(Score),
    /// Points that fade, for each value.
    Affinity(Affinity),
    /// Since when something holds.
    Held(Option<Timestamp>),
}

impl Cell {
    /// Nothing has happened.
    pub fn new(spec: &CellSpec) -> Self {
        match &spec.kind {
            CellKind::Events(..) | CellKind::Sequence(_) if spec.by.is_some() => Cell::Groups(Vec::new()),
            CellKind::Events(..) | CellKind::Sequence(_) => Cell::Events(EventLog::default()),
            CellKind::Score(_) => Cell::Score(Score::default()),
            CellKind::Affinity(..) => Cell::Affinity(Affinity::default()),
            CellKind::Held(..) => Cell::Held(None),
        }
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        match self {
            Cell::Events(log) => log.is_empty(),
            Cell::Groups(groups) => groups.is_empty(),
            Cell::Score(score) => score.is_empty(),
            Cell::Affinity(affinity) => affinity.is_empty(),
            Cell::Held(since) => since.is_none(),
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        match self {
            Cell::Events(log) => log.clear(),
            Cell::Groups(groups) => groups.clear(),
            Cell::Score(score) => score.clear(),
            Cell::Affinity(affinity) => affinity.clear(),
            Cell::Held(since) => *since = None,
        }
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, spec: &CellSpec, key: EventKey, time: Timestamp, seen: &Observation<'_>) {
        let entry = Entry::new(time, key, seen.mark, seen.number);
        match (self, &spec.kind) {
            (Cell::Events(log), _) => log.add(entry, spec.shape()),
            (Cell::Groups(groups), _) => {
                match groups.iter_mut().find(|(group, _)| *group == seen.group) {
                    Some((_, log)) => log.add(entry, spec.shape()),
                    None => {
                        let mut log = EventLog::default();
                        log.add(entry, spec.shape());
                        groups.push((seen.group, log));
                    }
                }
                keep_recent(groups);
            }
            (Cell::Score(score), CellKind::Score(decay)) => score.add(time, key, seen.mark, decay),
            (Cell::Affinity(affinity), CellKind::Affinity(decay, _, keep)) => {
                if let Some(value) = &seen.value {
                    affinity.add(value, time, seen.mark, decay, *keep);
                }
            }
            _ => {}
        }
    }

    /// Takes over what another copy of this cell saw.
    pub(crate) fn merge(&mut self, other: &Self, spec: &CellSpec) {
        match (self, other, &spec.kind) {
            (Cell::Events(mine), Cell::Events(theirs), _) => mine.merge(theirs, spec.shape()),
            (Cell::Groups(mine), Cell::Groups(theirs), _) => {
                for (group, log) in theirs {
                    match mine.iter_mut().find(|(known, _)| known == group) {
                        Some((_, known)) => known.merge(log, spec.shape()),
                        None => mine.push((*group, log.clone())),
                    }
                }
                keep_recent(mine);
            }
            (Cell::Score(mine), Cell::Score(theirs), CellKind::Score(decay)) => mine.merge(theirs, decay),
            (Cell::Affinity(mine), Cell::Affinity(theirs), CellKind::Affinity(decay, _, keep)) => {
                mine.merge(theirs, decay, *keep);
            }
            // Which of two it is depends on the traits that were taken; see `State::merge_cells`.
            _ => {}
        }
    }

    /// The log of a group; of a cell without groups its only one.
    pub(crate) fn log(&self, group: Option<u32>) -> Option<&EventLog> {
        match self {
            Cell::Events(log) => Some(log),
            Cell::Groups(groups) => {
                let (_, log) = groups.iter().find(|(known, _)| Some(*known) == group)?;
                Some(log)
            }
            _ => None,
        }
    }

    /// The group at a place.
    pub(crate) fn group(&self, place: usize) -> Option<u32> {
        match self {
            Cell::Groups(groups) => groups.get(place).map(|(group, _)| *group),
            _ => None,
        }
    }

    fn logs(&self) -> impl Iterator<Item = &EventLog> {
        let (single, groups) = match self {
            Cell::Events(log) => (Some(log), &[][..]),
            Cell::Groups(groups) => (None, groups.as_slice()),
            _ => (None, &[][..]),
        };
        single.into_iter().chain(groups.iter().map(|(_, log)| log))
    }

    /// The earliest instant after `now` at which an event leaves the window of any group.
    pub(crate) fn next_leaving(&self, spec: &CellSpec, now: Timestamp) -> Option<Timestamp> {
        self.logs()
            .filter_map(|log| log.next_leaving(now, spec.shape()))
            .min()
    }

    /// When the newest event that is kept happened.
    pub(crate) fn newest_at(&self) -> Option<Timestamp> {
        match self {
            Cell::Score(score) if !score.is_empty() => Some(score.total().at),
            Cell::Affinity(affinity) if !affinity.is_empty() => Some(affinity.at()),
            Cell::Held(since) => *since,
            _ => {
                let newest = self.logs().map(EventLog::newest_at).max();
                newest.filter(|at| *at > Timestamp::MIN)
            }
        }
    }

    /// Whether no event was joined with another or dropped that could still count.
    pub(crate) fn is_exact(&self, spec: &CellSpec) -> bool {
        let keeps_some = match &spec.kind {
            CellKind::Events(shape, Note::IdentityFits(..)) => shape.keep == Keep::Newest(MAX_EXACT as u8),
            CellKind::Sequence(_) => true,
            _ => false,
        };
        let is_full = |log: &EventLog| keeps_some && log.entries().len() >= MAX_EXACT;
        let is_joined = |log: &EventLog| log.entries().iter().any(|entry| entry.count > 1);
        !self.logs().any(|log| is_full(log) || is_joined(log))
    }

    /// Drops what no answer at `now` or later needs, if all events that are still to come happen then.
    pub(crate) fn settle(&mut self, spec: &CellSpec, now: Timestamp) {
        match self {
            Cell::Events(log) => log.settle(spec, now),
            Cell::Groups(groups) => groups.iter_mut().for_each(|(_, log)| log.settle(spec, now)),
            _ => {}
        }
    }

    /// A copy of bounded size.
    pub(crate) fn brief(&self, spec: &CellSpec, brevity: Brevity) -> Self {
        let log = |log: &EventLog| {
            let limit = match spec.kind {
                CellKind::Sequence(_) => brevity.steps,
                _ => brevity.entries,
            };
            log.newest(limit, spec.shape()).into_owned()
        };
        match self {
            Cell::Events(events) => Cell::Events(log(events)),
            Cell::Groups(groups) => {
                let surplus = groups.len().saturating_sub(brevity.groups);
                Cell::Groups(
                    groups[surplus..]
                        .iter()
                        .map(|(group, events)| (*group, log(events)))
                        .collect(),
                )
            }
            other => other.clone(),
        }
    }

    /// The events that the cell's bytes refer to, in lists from the newest to the oldest.
    pub(crate) fn events(&self, brevity: Brevity, lists: &mut Vec<Vec<(Timestamp, EventKey)>>) {
        lists.extend(self.logs().map(EventLog::events));
        if let Cell::Score(score) = self {
            lists.push(score.events(brevity.earned));
        }
    }

    /// Appends the cell's bytes; instants are written as distances before `base`.
    pub(crate) fn write(
        &self,
        spec: &CellSpec,
        writer: &mut Writer,
        table: &EventTable,
        base: Timestamp,
        brevity: Brevity,
    ) {
        match (self, &spec.kind) {
            (Cell::Events(log), kind) => log.write(writer, table, form(kind)),
            (Cell::Groups(groups), kind) => {
                writer.varint(groups.len() as u64);
                for (group, log) in groups {
                    writer.bytes(&group.to_le_bytes());
                    log.write(writer, table, form(kind));
                }
            }
            (Cell::Score(score), CellKind::Score(decay)) => {
                score.write(writer, table, base, brevity.earned, decay);
            }
            (Cell::Affinity(affinity), _) => affinity.write(writer, base, brevity.values),
            (Cell::Held(Some(since)), _) => writer.zigzag(base.saturating_sub(*since)),
            _ => {}
        }
    }

    /// Reads what [`Cell::write`] wrote.
    pub(crate) fn read(
        spec: &CellSpec,
        reader: &mut Reader<'_>,
        table: &EventTable,
        base: Timestamp,
    ) -> Result<Self, Malformed> {
        Ok(match &spec.kind {
            kind @ (CellKind::Events(..) | CellKind::Sequence(_)) => {
                if spec.by.is_none() {
                    return Ok(Cell::Events(EventLog::read(
                        reader,
                        table,
                        form(kind),
                        spec.shape(),
                    )?));
                }
                let length = reader.length()?;
                if length > MAX_GROUPS {
                    return Err(Malformed);
                }
                let mut groups = Vec::with_capacity(length);
                for _ in 0..length {
                    let group = u32::from_le_bytes(reader.array()?);
                    let log = EventLog::read(reader, table, form(kind), spec.shape())?;
                    if log.is_empty() || groups.iter().any(|(known, _)| *known == group) {
                        return Err(Malformed);
                    }
                    groups.push((group, log));
                }
                keep_recent(&mut groups);
                Cell::Groups(groups)
            }
            CellKind::Score(decay) => Cell::Score(Score::read(reader, table, base, decay)?),
            CellKind::Affinity(_, _, keep) => Cell::Affinity(Affinity::read(reader, base, *keep)?),
            CellKind::Held(..) => {
                let since = base.checked_sub(reader.zigzag()?).ok_or(Malformed)?;
                if !(0..=1 << 48).contains(&since) {
                    return Err(Malformed);
                }
                Cell::Held(Some(since))
            }
        })
    }
}

/// Drops the oldest groups that are too many; the most recent is the last.
fn keep_recent(groups: &mut Vec<(u32, EventLog)>) {
    let age = |(group, log): &(u32, EventLog)| (log.newest_at(), *group);
    sort_by(groups, |a, b| age(a) < age(b));
    let surplus = groups.len().saturating_sub(MAX_GROUPS);
    groups.drain(..surplus);
}

const fn form(kind: &CellKind) -> Form {
    match kind {
        CellKind::Events(_, note) => Form::of(note),
        _ => Form::SEQUENCE,
    }
}

/// How much of a cell is left when there is not room for all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brevity {
    /// The newest entries of each log of a sequence.
    pub(crate) steps: usize,
    /// The newest entries of each other log.
    pub(crate) entries: usize,
    /// The most recent groups.
    pub(crate) groups: usize,
    /// The newest events of a score that are known one by one.
    pub(crate) earned: usize,
    /// The heaviest values of an affinity.
    pub(crate) values: usize,
}

impl Brevity {
    /// All of it.
    pub(crate) const NONE: Self = Self {
        steps: usize::MAX,
        entries: usize::MAX,
        groups: usize::MAX,
        earned: usize::MAX,
        values: usize::MAX,
    };
}
