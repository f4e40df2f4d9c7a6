//! The events that the cells of a state share, written once.
//!
//! An event is often kept by many cells. In the bytes of a state its time and key stand in a table, and the
//! cells refer to its place there.

use crate::codec::{Malformed, Reader, Writer};
use crate::event::EventKey;
use crate::time::Timestamp;

/// The events of two sorted lists, each once.
fn merged(one: &[(Timestamp, EventKey)], other: &[(Timestamp, EventKey)]) -> Vec<(Timestamp, EventKey)> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut at, mut other_at) = (0, 0);
    while let (Some(event), Some(other_event)) = (one.get(at), other.get(other_at)) {
        all.push(*event.max(other_event));
        at += usize::from(event >= other_event);
        other_at += usize::from(other_event >= event);
    }
    all.extend_from_slice(&one[at..]);
    all.extend_from_slice(&other[other_at..]);
    all
}

/// The latest time that is taken from bytes.
const LATEST: Timestamp = 1 << 48;

/// Times and keys of events, the newest first.
#[derive(Default)]
pub(crate) struct EventTable {
    events: Vec<(Timestamp, EventKey)>,
}

impl EventTable {
    /// A table of the events of these lists, each of which is sorted from the newest to the oldest.
    pub(crate) fn new(mut lists: Vec<Vec<(Timestamp, EventKey)>>) -> Self {
        // Many lists have the same events, so that merging two soon leaves fewer than both had.
        while lists.len() > 1 {
            let half = lists.len().div_ceil(2);
            for second in half..lists.len() {
                lists[second - half] = merged(&lists[second - half], &lists[second]);
            }
            lists.truncate(half);
        }
        Self {
            events: lists.pop().unwrap_or_default(),
        }
    }

    /// The place of an event that is not before the place `from`.
    pub(crate) fn place(&self, from: usize, time: Timestamp, key: EventKey) -> usize {
        let rest = self.events.get(from..).unwrap_or_default();
        // It is near: the span in which it is to be is doubled until it is there.
        let mut span = 1;
        while rest.get(span).is_some_and(|known| *known >= (time, key)) {
            span *= 2;
        }
        let rest = &rest[..rest.len().min(span)];
        from + rest.partition_point(|known| *known > (time, key))
    }

    /// The place of the newest event with this key.
    pub(crate) fn place_of_key(&self, key: EventKey) -> Option<usize> {
        self.events.iter().position(|(_, known)| *known == key)
    }

    /// The event at a place.
    pub(crate) fn event(&self, place: usize) -> Result<(Timestamp, EventKey), Malformed> {
        self.events.get(place).copied().ok_or(Malformed)
    }

    /// Appends the table's bytes; times are written as distances before `base`.
    pub(crate) fn write(&self, writer: &mut Writer, base: Timestamp) {
        writer.varint(self.events.len() as u64);
        let mut previous = base;
        for (time, key) in &self.events {
            writer.zigzag(previous.saturating_sub(*time));
            writer.bytes(&key.to_le_bytes());
            previous = *time;
        }
    }

    /// Reads what [`EventTable::write`] wrote.
    pub(crate) fn read(reader: &mut Reader<'_>, base: Timestamp) -> Result<Self, Malformed> {
        let length = reader.length()?;
        let mut events: Vec<(Timestamp, EventKey)> = Vec::new();
        let mut previous = base;
        for _ in 0..length {
            let time = previous.checked_sub(reader.zigzag()?).ok_or(Malformed)?;
            let event = (time, u32::from_le_bytes(reader.array()?));
            if !(0..=LATEST).contains(&time) || events.last().is_some_and(|last| *last <= event) {
                return Err(Malformed);
            }
            events.push(event);
            previous = time;
        }
        Ok(Self { events })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_many_lists_have_one_place_each() {
        let lists = [&[9, 5, 1][..], &[7, 5], &[], &[8], &[9, 7, 5, 1]];
        let event = |time: &i64| (*time, *time as u32);
        let table = EventTable::new(lists.map(|list| list.iter().map(event).collect()).to_vec());
        let all = [9, 8, 7, 5, 1];
        assert_eq!(table.events, all.iter().map(event).collect::<Vec<_>>());
        for (place, (time, key)) in all.iter().map(event).enumerate() {
            for from in 0..=place {
                assert_eq!(table.place(from, time, key), place);
            }
        }
    }
}
