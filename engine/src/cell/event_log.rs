//! The newest events of a condition, each with its time and key.
//!
//! Two copies of a log that saw different events (two tabs, a phone and a laptop, the edge and the origin) are
//! merged by union, so that an event counts once however often and wherever it was folded.

use super::settle;
use super::spec::{CellKind, CellSpec, Keep, Note, Shape};
use super::table::EventTable;
use crate::codec::{Malformed, Reader, Writer};
use crate::event::EventKey;
use crate::number::added;
use crate::time::Timestamp;
use crate::value::Value;
use std::borrow::Cow;

/// How many events a log keeps exactly.
pub const MAX_EXACT: usize = 32;

/// What a log keeps of one event, or of several events of one slot of the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// When the event, or the newest of several, happened.
    pub time: Timestamp,
    /// The event's key; of several events, the newest one's.
    pub key: EventKey,
    /// How many events this stands for.
    pub count: u32,
    /// What was noted of it: which value, whether it fits, or which matchers.
    pub mark: u32,
    /// The number noted, or the sum of several.
    pub sum: f64,
    /// The least number of several.
    pub least: f64,
    /// The greatest number of several.
    pub greatest: f64,
}

impl Entry {
    /// What is kept of one event.
    pub const fn new(time: Timestamp, key: EventKey, mark: u32, number: f64) -> Self {
        Self {
            time,
            key,
            count: 1,
            mark,
            sum: number,
            least: number,
            greatest: number,
        }
    }
}

/// What is left of events that were dropped after they were counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Total {
    pub(crate) count: u32,
    pub(crate) sum: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Default for Total {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
        }
    }
}

impl Total {
    /// Of events of which no number was noted.
    const NOTHING_NOTED: Self = Self {
        count: 0,
        sum: 0.0,
        least: 0.0,
        greatest: 0.0,
    };

    pub(crate) fn add(&mut self, entry: &Entry) {
        self.count = self.count.saturating_add(entry.count);
        self.sum = added(self.sum, entry.sum);
        self.least = self.least.min(entry.least);
        self.greatest = self.greatest.max(entry.greatest);
    }
}

/// The events that decide a condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventLog {
    /// From the oldest to the newest, by `(time, key)`.
    entries: Vec<Entry>,
    /// The events without a window that were dropped after they were counted.
    dropped: Total,
}

impl EventLog {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.dropped.count == 0
    }

    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.dropped = Total::default();
    }

    /// The kept entries, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// When the newest event happened.
    pub(crate) fn newest_at(&self) -> Timestamp {
        self.entries.last().map_or(Timestamp::MIN, |entry| entry.time)
    }

    /// Adds an event; the same key twice counts once, at the earlier time.
    pub fn add(&mut self, entry: Entry, shape: Shape) {
        self.put(entry);
        self.shrink(shape);
    }

    /// The entries in `(now − within, now]`; all without a window.
    pub(crate) fn in_window(&self, now: Timestamp, shape: Shape) -> &[Entry] {
        match shape.within {
            None => &self.entries,
            Some(within) => {
                let start = now.saturating_sub(within);
                &self.entries[self.entries.partition_point(|entry| entry.time <= start)..]
            }
        }
    }

    /// What the events in the window add up to, with those that were dropped where there is no window.
    pub(crate) fn total(&self, now: Timestamp, shape: Shape) -> Total {
        let mut total = match shape.within {
            None => self.dropped,
            Some(_) => Total::default(),
        };
        self.in_window(now, shape)
            .iter()
            .for_each(|entry| total.add(entry));
        total
    }

    /// The earliest instant after `now` at which an event leaves the window.
    pub fn next_leaving(&self, now: Timestamp, shape: Shape) -> Option<Timestamp> {
        let first = self.in_window(now, shape).first()?;
        Some(first.time.saturating_add(shape.within?))
    }

    /// Takes over what another copy of this log saw.
    ///
    /// An event that both saw counts once. Of events that were dropped on both sides it cannot be known
    /// whether they are the same: the larger number is kept, which is right when one side saw all that
    /// the other dropped, as the origin does.
    pub fn merge(&mut self, other: &Self, shape: Shape) {
        if other.is_empty() {
            return;
        }
        let before = self.clone();
        for entry in &other.entries {
            self.put(*entry);
        }
        self.dropped = Total::default();
        self.shrink(shape);
        if shape.is_total() {
            let cut = self.entries.first().map(|entry| (entry.time, entry.key));
            let dropped_by = |log: &Self| {
                let mut dropped = log.dropped;
                let older = log
                    .entries
                    .iter()
                    .filter(|e| cut.is_some_and(|cut| (e.time, e.key) < cut));
                older.for_each(|entry| dropped.add(entry));
                dropped
            };
            let (mine, theirs) = (dropped_by(&before), dropped_by(other));
            self.dropped = if mine.count >= theirs.count { mine } else { theirs };
            self.dropped.least = mine.least.min(theirs.least);
            self.dropped.greatest = mine.greatest.max(theirs.greatest);
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
            if known.count > entry.count {
                entry = Entry {
                    time: entry.time,
                    ..known
                };
            }
            self.entries.remove(index);
        }
        let index = self
            .entries
            .partition_point(|e| (e.time, e.key) < (entry.time, entry.key));
        self.entries.insert(index, entry);
    }

    /// Brings the log back into its bounds; [`Shape::capacity`] says how many entries are left at most.
    fn shrink(&mut self, shape: Shape) {
        match shape.keep {
            Keep::Newest(limit) => self.drop_oldest(usize::from(limit).min(MAX_EXACT)),
            Keep::Oldest => self.entries.truncate(1),
            Keep::NewestOfEach(limit) => {
                self.keep_newest_of_each();
                self.drop_oldest(usize::from(limit).min(MAX_EXACT));
            }
            Keep::Runs(ends) => {
                if self.entries.len() > MAX_EXACT {
                    self.join_runs(usize::from(ends));
                }
                self.drop_oldest(MAX_EXACT);
            }
            Keep::All if self.entries.len() <= MAX_EXACT => {}
            Keep::All => match shape.within {
                None => {
                    let surplus = self.entries.len() - MAX_EXACT;
                    for entry in self.entries.drain(..surplus) {
                        self.dropped.add(&entry);
                    }
                }
                Some(within) => self.join_slots(within),
            },
        }
    }

    fn drop_oldest(&mut self, limit: usize) {
        let surplus = self.entries.len().saturating_sub(limit);
        self.entries.drain(..surplus);
    }

    /// Drops all but the newest of the entries with the same mark.
    fn keep_newest_of_each(&mut self) {
        let mut index = 0;
        while let Some(entry) = self.entries.get(index) {
            let mark = entry.mark;
            if self.entries[index + 1..].iter().any(|newer| newer.mark == mark) {
                self.entries.remove(index);
            } else {
                index += 1;
            }
        }
    }

    /// Of entries in a row with the same mark, keeps so many of the first and of the last.
    fn join_runs(&mut self, ends: usize) {
        let mut start = 0;
        while let Some(first) = self.entries.get(start) {
            let same = |entry: &&Entry| entry.mark == first.mark;
            let length = self.entries[start..].iter().take_while(same).count();
            if length > 2 * ends {
                self.entries.drain(start + ends..start + length - ends);
            }
            start += length.min(2 * ends).max(1);
        }
    }

    /// Drops what has left the newest event's window and, if that was not enough, joins the events of each
    /// slot (1/32 of the window, aligned to the epoch so that two copies of the log cut at the same places).
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
                Some(last)
                    if last.time.div_euclid(slot) == entry.time.div_euclid(slot)
                        && last.mark == entry.mark =>
                {
                    *last = Entry {
                        count: last.count.saturating_add(entry.count),
                        sum: added(last.sum, entry.sum),
                        least: last.least.min(entry.least),
                        greatest: last.greatest.max(entry.greatest),
                        ..*entry
                    };
                }
                _ => joined.push(*entry),
            }
        }
        // Marks may keep the entries of a slot apart; what is oldest goes first.
        let surplus = joined.len().saturating_sub(2 * MAX_EXACT);
        joined.drain(..surplus);
        self.entries = joined;
    }

    /// See [`super::Cell::settle`].
    pub(crate) fn settle(&mut self, spec: &CellSpec, now: Timestamp) {
        let all_from = |place: usize| u64::MAX.checked_shl(place as u32).unwrap_or_default();
        // A group that is known is one even if none of its events counts any more.
        let newest = match spec.by {
            Some(_) => all_from(self.entries.len().saturating_sub(1)),
            None => 0,
        };
        let kept = match (&spec.kind, spec.shape().within) {
            (CellKind::Sequence(sequence), _) => settle::needed(&self.entries, sequence, now, newest),
            (_, Some(within)) => {
                let gone = |entry: &Entry| entry.time <= now.saturating_sub(within);
                newest | all_from(self.entries.partition_point(gone))
            }
            (_, None) => return,
        };
        let mut place = 0;
        self.entries.retain(|_| {
            place += 1;
            kept.checked_shr(place - 1).is_none_or(|kept| kept & 1 == 1)
        });
    }

    /// A copy that keeps only the newest entries; a total stays what it was.
    pub(crate) fn newest(&self, limit: usize, shape: Shape) -> Cow<'_, Self> {
        if self.entries.len() <= limit {
            return Cow::Borrowed(self);
        }
        let (older, newest) = self.entries.split_at(self.entries.len() - limit);
        let mut dropped = self.dropped;
        if shape.is_total() {
            older.iter().for_each(|entry| dropped.add(entry));
        }
        Cow::Owned(Self {
            entries: newest.to_vec(),
            dropped,
        })
    }

    /// The events that the log's bytes refer to, from the newest to the oldest.
    pub(crate) fn events(&self) -> Vec<(Timestamp, EventKey)> {
        let entries = self.entries.iter().rev();
        entries.map(|entry| (entry.time, entry.key)).collect()
    }

    /// Appends the log's bytes; the events are referred to by their place in the table.
    pub(crate) fn write(&self, writer: &mut Writer, table: &EventTable, form: Form) {
        // The lowest bit tells whether events were dropped.
        let has_dropped = self.dropped.count > 0;
        writer.varint((self.entries.len() as u64) << 1 | u64::from(has_dropped));
        if has_dropped {
            writer.varint(u64::from(self.dropped.count));
            if form.numbers {
                for number in [self.dropped.sum, self.dropped.least, self.dropped.greatest] {
                    Value::Number(number).write(writer);
                }
            }
        }
        let mut previous = 0;
        for entry in self.entries.iter().rev() {
            let place = table.place(previous, entry.time, entry.key);
            // The lowest bit tells whether a number of events follows.
            writer.varint(((place - previous) as u64) << 1 | u64::from(entry.count > 1));
            previous = place;
            if entry.count > 1 {
                writer.varint(u64::from(entry.count));
            }
            if form.marks {
                writer.varint(u64::from(entry.mark));
            }
            if form.numbers {
                Value::Number(entry.sum).write(writer);
                if entry.count > 1 {
                    Value::Number(entry.least).write(writer);
                    Value::Number(entry.greatest).write(writer);
                }
            }
        }
    }

    /// Reads what [`EventLog::write`] wrote.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        table: &EventTable,
        form: Form,
        shape: Shape,
    ) -> Result<Self, Malformed> {
        let first = reader.varint()?;
        let length = usize::try_from(first >> 1).map_err(|_| Malformed)?;
        if length > shape.capacity() || (first & 1 == 1 && !shape.is_total()) {
            return Err(Malformed);
        }
        let count = |number: u64| u32::try_from(number).map_err(|_| Malformed);
        let mut dropped = Total::default();
        if first & 1 == 1 {
            dropped = Total {
                count: count(reader.varint()?)?,
                ..Total::NOTHING_NOTED
            };
            if dropped.count == 0 {
                return Err(Malformed);
            }
            if form.numbers {
                dropped.sum = number(reader)?;
                dropped.least = number(reader)?;
                dropped.greatest = number(reader)?;
            }
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(length);
        let mut place = 0_u64;
        for index in 0..length {
            let first = reader.varint()?;
            if index > 0 && first >> 1 == 0 {
                // The same event twice.
                return Err(Malformed);
            }
            place = place.checked_add(first >> 1).ok_or(Malformed)?;
            let (time, key) = table.event(usize::try_from(place).map_err(|_| Malformed)?)?;
            let mut entry = Entry::new(time, key, 0, 0.0);
            if first & 1 == 1 {
                entry.count = count(reader.varint()?)?;
                if entry.count < 2 || !shape.joins_slots() {
                    return Err(Malformed);
                }
            }
            if form.marks {
                entry.mark = count(reader.varint()?)?;
            }
            if form.numbers {
                entry.sum = number(reader)?;
                (entry.least, entry.greatest) = (entry.sum, entry.sum);
                if entry.count > 1 {
                    (entry.least, entry.greatest) = (number(reader)?, number(reader)?);
                }
            }
            entries.push(entry);
        }
        entries.reverse();
        Ok(Self { entries, dropped })
    }
}

fn number(reader: &mut Reader<'_>) -> Result<f64, Malformed> {
    Value::read(reader, 1)?.as_f64().ok_or(Malformed)
}

/// What the bytes of a log have besides times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// A mark for each entry.
    pub(crate) marks: bool,
    /// Numbers for each entry.
    pub(crate) numbers: bool,
}

impl Form {
    /// The form for what is noted.
    pub(crate) const fn of(note: &Note) -> Self {
        Self {
            marks: !matches!(note, Note::Nothing | Note::Number(_)),
            numbers: matches!(note, Note::Number(_)),
        }
    }

    /// The form of a sequence's log.
    pub(crate) const SEQUENCE: Self = Self {
        marks: true,
        numbers: false,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Shape = Shape {
        keep: Keep::Newest(3),
        within: Some(100),
    };
    const TOTAL: Shape = Shape {
        keep: Keep::All,
        within: None,
    };
    const MANY: Shape = Shape {
        keep: Keep::All,
        within: Some(3_200),
    };

    fn entry(key: u32, time: i64) -> Entry {
        Entry::new(time, key, 0, 0.0)
    }

    fn filled(times: impl IntoIterator<Item = i64>, shape: Shape) -> EventLog {
        let mut cell = EventLog::default();
        for time in times {
            cell.add(entry(time as u32, time), shape);
        }
        cell
    }

    #[test]
    fn a_window_is_open_at_its_start_and_closed_at_its_end() {
        let cell = filled([1_000, 1_050], EXACT);
        assert_eq!(cell.total(1_050, EXACT).count, 2);
        assert_eq!(cell.total(1_099, EXACT).count, 2);
        assert_eq!(cell.total(1_100, EXACT).count, 1);
        assert_eq!(cell.next_leaving(1_050, EXACT), Some(1_100));
        assert_eq!(cell.next_leaving(1_100, EXACT), Some(1_150));
        assert_eq!(cell.next_leaving(1_150, EXACT), None);
    }

    #[test]
    fn an_event_counts_once_and_at_its_earliest_time() {
        let mut cell = EventLog::default();
        cell.add(entry(7, 1_050), EXACT);
        cell.add(entry(7, 1_000), EXACT);
        cell.add(entry(7, 1_080), EXACT);
        assert_eq!(cell.entries(), [entry(7, 1_000)]);
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
        assert_eq!(cell.total(5_000, TOTAL).count, 1_000);
        assert_eq!(cell.entries().len(), MAX_EXACT);
    }

    #[test]
    fn a_full_window_is_off_by_at_most_one_slot() {
        for now in [3_199, 4_000, 5_000, 9_999] {
            let cell = filled(0..=now, MANY);
            let count = i64::from(cell.total(now, MANY).count);
            assert!((count - 3_200.min(now + 1)).abs() <= 100, "{count} at {now}");
            assert!(cell.entries().len() <= MAX_EXACT + 2);
        }
    }

    #[test]
    fn old_events_do_not_make_a_window_inexact() {
        // 100 events long before the window, then 20 of which all but one share a slot.
        let cell = filled((0..100).chain(90_000..90_020), MANY);
        assert_eq!(cell.total(90_019, MANY).count, 20);
        assert_eq!(cell.total(90_010 + 3_200, MANY).count, 9);
    }

    #[test]
    fn a_cut_keeps_a_total_but_not_a_window() {
        assert_eq!(filled(0..20, TOTAL).newest(4, TOTAL).total(100, TOTAL).count, 20);
        assert_eq!(filled(0..20, MANY).newest(4, MANY).total(100, MANY).count, 4);
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
        assert_eq!(edge.total(1_000, TOTAL).count, 110);
    }

    #[test]
    fn cells_survive_their_bytes() {
        for (cell, shape) in [
            (EventLog::default(), EXACT),
            (filled([3, 1, 2], EXACT), EXACT),
            (filled(0..9_000, MANY), MANY),
            (filled(0..50, TOTAL), TOTAL),
        ] {
            let table = EventTable::new(vec![cell.events()]);
            let form = Form::of(&Note::Nothing);
            let mut writer = Writer::new();
            cell.write(&mut writer, &table, form);
            let bytes = writer.into_bytes();
            assert_eq!(
                EventLog::read(&mut Reader::new(&bytes), &table, form, shape),
                Ok(cell.clone())
            );
        }
    }

    /// What no log of that shape has: an entry too many, joined events, a count of those that were dropped.
    #[test]
    fn bytes_of_another_shape_are_malformed() {
        let form = Form::of(&Note::Nothing);
        let log = filled(0..9_000, MANY);
        for (log, shape) in [
            (filled(0..4, TOTAL), EXACT),
            (log.clone(), TOTAL),
            (filled(0..50, TOTAL).newest(2, TOTAL).into_owned(), EXACT),
            (filled(0..50, TOTAL), MANY),
        ] {
            let table = EventTable::new(vec![log.events()]);
            let mut writer = Writer::new();
            log.write(&mut writer, &table, form);
            let bytes = writer.into_bytes();
            let read = EventLog::read(&mut Reader::new(&bytes), &table, form, shape);
            assert_eq!(read, Err(Malformed), "{shape:?}");
        }
        // The same event twice, a count of nothing.
        let table = EventTable::new(vec![vec![(2, 2), (1, 1)]]);
        for bytes in [&[4, 0, 0][..], &[3, 0, 0], &[2, 1, 1], &[2, 1, 0]] {
            for shape in [TOTAL, MANY] {
                let read = EventLog::read(&mut Reader::new(bytes), &table, form, shape);
                assert_eq!(read, Err(Malformed), "{bytes:?}");
            }
        }
    }

    #[test]
    fn sums_stay_finite() {
        let mut log = EventLog::default();
        for key in 0..100 {
            log.add(Entry::new(i64::from(key), key, 0, f64::MAX), TOTAL);
        }
        assert_eq!(log.total(1_000, TOTAL).sum, f64::MAX);
    }
}
