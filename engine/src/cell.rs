//! Cells: the bounded memory of one event condition.
//!
//! A cell keeps the newest events that match its condition, each with its time and key. Two copies of a
//! cell that saw different events (two tabs, a phone and a laptop, the edge and the origin) are merged by
//! union, so that an event counts once however often and wherever it was folded.

use crate::codec::{Malformed, Reader, Writer};
use crate::event::EventKey;
use crate::time::Timestamp;
use std::borrow::Cow;

/// How many events a cell keeps exactly.
pub const MAX_EXACT: usize = 32;

/// What a cell keeps of one event, or of several events of one slot of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the event, or the newest of several, happened.
    pub time: Timestamp,
    /// The event's key; of several events, the newest one's.
    pub key: EventKey,
    /// How many events this stands for.
    pub count: u32,
}

/// The bounds of a cell, from the condition it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many of the newest events decide the condition; `None` when more than [`MAX_EXACT`] do.
    pub enough: Option<u8>,
    /// The window's length in milliseconds, if the condition has a window.
    pub within: Option<i64>,
}

/// The memory of one event condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// From the oldest to the newest, by `(time, key)`.
    entries: Vec<Entry>,
    /// How many events without a window were dropped after they were counted.
    dropped: u32,
}

impl Cell {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.dropped == 0
    }

    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.dropped = 0;
    }

    /// The kept entries, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds an event; the same key twice counts once, at the earlier time.
    pub fn add(&mut self, key: EventKey, time: Timestamp, shape: Shape) {
        self.put(Entry { time, key, count: 1 });
        self.shrink(shape);
    }

    /// How many events lie in `(now − within, now]`, or how many there were without a window.
    /// Of a cell that keeps only as many as decide its condition, at most that many.
    pub fn count(&self, now: Timestamp, shape: Shape) -> u32 {
        let kept = |entries: &[Entry]| {
            entries
                .iter()
                .fold(0_u32, |sum, entry| sum.saturating_add(entry.count))
        };
        match shape.within {
            None => kept(&self.entries).saturating_add(self.dropped),
            Some(within) => kept(
                &self.entries[self
                    .entries
                    .partition_point(|e| e.time <= now.saturating_sub(within))..],
            ),
        }
    }

    /// The earliest instant after `now` at which [`Cell::count`] falls by time alone.
    pub fn next_change_at(&self, now: Timestamp, shape: Shape) -> Option<Timestamp> {
        let within = shape.within?;
        let first = self
            .entries
            .partition_point(|entry| entry.time <= now.saturating_sub(within));
        self.entries.get(first).map(|entry| entry.time + within)
    }

    /// Takes over what another copy of this cell saw.
    ///
    /// An event that both saw counts once. Of events that were dropped on both sides it cannot be known
    /// whether they are the same: the larger number is kept, which is right when one side saw all that
    /// the other dropped, as the origin does.
    pub fn merge(&mut self, other: &Cell, shape: Shape) {
        if other.is_empty() {
            return;
        }
        let before: Vec<Entry> = self.entries.clone();
        let dropped_before = self.dropped;
        for entry in &other.entries {
            self.put(*entry);
        }
        self.dropped = 0;
        self.shrink(shape);
        let cut = self.entries.first().copied();
        let dropped_by = |dropped: u32, entries: &[Entry]| {
            let older = entries
                .iter()
                .filter(|e| cut.is_some_and(|cut| (e.time, e.key) < (cut.time, cut.key)));
            older.fold(dropped, |sum, entry| sum.saturating_add(entry.count))
        };
        if shape.enough.is_none() && shape.within.is_none() {
            self.dropped = dropped_by(dropped_before, &before).max(dropped_by(other.dropped, &other.entries));
        }
    }

    fn put(&mut self, mut entry: Entry) {
        if let Some(index) = self.entries.iter().position(|known| known.key == entry.key) {
            let known = self.entries[index];
            if known.time == entry.time && known.count >= entry.count {
                return;
            }
            if known.count == 1 && entry.count == 1 && known.time < entry.time {
                return;
            }
            entry.count = entry.count.max(known.count);
            self.entries.remove(index);
        }
        let index = self
            .entries
            .partition_point(|e| (e.time, e.key) < (entry.time, entry.key));
        self.entries.insert(index, entry);
    }

    /// Brings the cell back into its bounds.
    fn shrink(&mut self, shape: Shape) {
        let limit = shape.enough.map_or(MAX_EXACT, usize::from).min(MAX_EXACT);
        if self.entries.len() <= limit {
            return;
        }
        match (shape.enough, shape.within) {
            (Some(_), _) => {
                self.entries.drain(..self.entries.len() - limit);
            }
            (None, None) => {
                let dropped = self.entries.drain(..self.entries.len() - limit);
                let dropped = dropped.fold(0_u32, |sum, entry| sum.saturating_add(entry.count));
                self.dropped = self.dropped.saturating_add(dropped);
            }
            (None, Some(within)) => self.join_slots(within),
        }
    }

    /// Drops what has left the newest event's window and, if that was not enough, joins the events of each
    /// slot (1/32 of the window, aligned to the epoch so that two copies of the cell cut at the same places).
    fn join_slots(&mut self, within: i64) {
        let slot = (within / MAX_EXACT as i64).max(1);
        let newest = self.entries.last().map_or(0, |entry| entry.time);
        self.entries.retain(|entry| entry.time > newest - within);
        if self.entries.len() <= MAX_EXACT {
            return;
        }
        let mut joined: Vec<Entry> = Vec::with_capacity(MAX_EXACT + 2);
        for entry in &self.entries {
            match joined.last_mut() {
                Some(last) if last.time.div_euclid(slot) == entry.time.div_euclid(slot) => {
                    *last = Entry {
                        count: last.count.saturating_add(entry.count),
                        ..*entry
                    };
                }
                _ => joined.push(*entry),
            }
        }
        self.entries = joined;
    }

    /// A copy that keeps only the newest entries; a total stays what it was.
    pub(crate) fn newest(&self, limit: usize, shape: Shape) -> Cow<'_, Self> {
        if self.entries.len() <= limit {
            return Cow::Borrowed(self);
        }
        let (older, newest) = self.entries.split_at(self.entries.len() - limit);
        let mut dropped = self.dropped;
        if shape.enough.is_none() && shape.within.is_none() {
            dropped = older
                .iter()
                .fold(dropped, |sum, entry| sum.saturating_add(entry.count));
        }
        Cow::Owned(Self {
            entries: newest.to_vec(),
            dropped,
        })
    }

    /// Appends the cell's bytes; times are written as distances before `base`.
    pub(crate) fn write(&self, writer: &mut Writer, base: Timestamp) {
        writer.varint(self.entries.len() as u64);
        writer.varint(u64::from(self.dropped));
        let mut previous = base;
        for entry in self.entries.iter().rev() {
            // The lowest bit tells whether a number of events follows.
            writer.zigzag((previous - entry.time) * 2 + i64::from(entry.count > 1));
            if entry.count > 1 {
                writer.varint(u64::from(entry.count));
            }
            writer.bytes(&entry.key.to_le_bytes());
            previous = entry.time;
        }
    }

    /// Reads what [`Cell::write`] wrote.
    pub(crate) fn read(reader: &mut Reader<'_>, base: Timestamp) -> Result<Self, Malformed> {
        let length = reader.length()?;
        if length > MAX_EXACT * 2 {
            return Err(Malformed);
        }
        let dropped = u32::try_from(reader.varint()?).map_err(|_| Malformed)?;
        let mut entries = Vec::with_capacity(length);
        let mut previous = base;
        for _ in 0..length {
            let distance = reader.zigzag()?;
            let count = match distance & 1 {
                1 => u32::try_from(reader.varint()?).map_err(|_| Malformed)?,
                _ => 1,
            };
            let time = previous.checked_sub(distance >> 1).ok_or(Malformed)?;
            if !(0..=1 << 48).contains(&time) {
                return Err(Malformed);
            }
            entries.push(Entry {
                time,
                key: u32::from_le_bytes(reader.array()?),
                count,
            });
            previous = time;
        }
        entries.reverse();
        entries.sort_by_key(|entry| (entry.time, entry.key));
        Ok(Self { entries, dropped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Shape = Shape {
        enough: Some(3),
        within: Some(100),
    };
    const TOTAL: Shape = Shape {
        enough: None,
        within: None,
    };
    const MANY: Shape = Shape {
        enough: None,
        within: Some(3_200),
    };

    fn filled(times: impl IntoIterator<Item = i64>, shape: Shape) -> Cell {
        let mut cell = Cell::default();
        for time in times {
            cell.add(time as u32, time, shape);
        }
        cell
    }

    #[test]
    fn a_window_is_open_at_its_start_and_closed_at_its_end() {
        let cell = filled([1_000, 1_050], EXACT);
        assert_eq!(cell.count(1_050, EXACT), 2);
        assert_eq!(cell.count(1_099, EXACT), 2);
        assert_eq!(cell.count(1_100, EXACT), 1);
        assert_eq!(cell.next_change_at(1_050, EXACT), Some(1_100));
        assert_eq!(cell.next_change_at(1_100, EXACT), Some(1_150));
        assert_eq!(cell.next_change_at(1_150, EXACT), None);
    }

    #[test]
    fn an_event_counts_once_and_at_its_earliest_time() {
        let mut cell = Cell::default();
        cell.add(7, 1_050, EXACT);
        cell.add(7, 1_000, EXACT);
        cell.add(7, 1_080, EXACT);
        assert_eq!(
            cell.entries(),
            [Entry {
                time: 1_000,
                key: 7,
                count: 1
            }]
        );
    }

    #[test]
    fn only_the_newest_that_decide_are_kept() {
        let cell = filled([5, 3, 1, 4, 2], EXACT);
        assert_eq!(
            cell.entries().iter().map(|e| e.time).collect::<Vec<_>>(),
            [3, 4, 5]
        );
    }

    #[test]
    fn totals_go_on_after_the_exact_entries_are_full() {
        let cell = filled(0..1_000, TOTAL);
        assert_eq!(cell.count(5_000, TOTAL), 1_000);
        assert_eq!(cell.entries().len(), MAX_EXACT);
    }

    #[test]
    fn a_full_window_is_off_by_at_most_one_slot() {
        for now in [3_199, 4_000, 5_000, 9_999] {
            let cell = filled(0..=now, MANY);
            let count = i64::from(cell.count(now, MANY));
            assert!((count - 3_200.min(now + 1)).abs() <= 100, "{count} at {now}");
            assert!(cell.entries().len() <= MAX_EXACT + 2);
        }
    }

    #[test]
    fn old_events_do_not_make_a_window_inexact() {
        // 100 events long before the window, then 20 of which all but one share a slot.
        let cell = filled((0..100).chain(90_000..90_020), MANY);
        assert_eq!(cell.count(90_019, MANY), 20);
        assert_eq!(cell.count(90_010 + 3_200, MANY), 9);
    }

    #[test]
    fn a_cut_keeps_a_total_but_not_a_window() {
        assert_eq!(filled(0..20, TOTAL).newest(4, TOTAL).count(100, TOTAL), 20);
        assert_eq!(filled(0..20, MANY).newest(4, MANY).count(100, MANY), 4);
    }

    #[test]
    fn copies_merge_by_union() {
        let (a, b) = (filled([1, 2, 3], EXACT), filled([3, 4], EXACT));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b, EXACT);
        ba.merge(&a, EXACT);
        assert_eq!(ab, ba);
        assert_eq!(ab, filled([1, 2, 3, 4], EXACT));
        let again = ab.clone();
        ab.merge(&b, EXACT);
        assert_eq!(ab, again);
    }

    #[test]
    fn a_merged_total_counts_shared_events_once() {
        let origin = filled(0..100, TOTAL);
        let mut edge = filled(60..110, TOTAL);
        edge.merge(&origin, TOTAL);
        assert_eq!(edge.count(1_000, TOTAL), 110);
    }

    #[test]
    fn cells_survive_their_bytes() {
        for cell in [
            Cell::default(),
            filled([3, 1, 2], EXACT),
            filled(0..9_000, MANY),
            filled(0..50, TOTAL),
        ] {
            let mut writer = Writer::new();
            cell.write(&mut writer, 2_000);
            let bytes = writer.into_bytes();
            assert_eq!(Cell::read(&mut Reader::new(&bytes), 2_000), Ok(cell));
        }
    }
}
