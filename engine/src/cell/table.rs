//! The events that the cells of a state share, written once.
//!
//! An event is often kept by many cells. In the bytes of a state its time and key stand in a table, and the
//! cells refer to its place there.

use crate::codec::{Malformed, Reader, Writer};
use crate::event::EventKey;
use crate::sort::sort_by;
use crate::time::Timestamp;

/// The latest time that is taken from bytes.
const LATEST: Timestamp = 1 << 48;

/// Times and keys of events, the newest first.
#[derive(Default)]
pub(crate) struct EventTable {
    events: Vec<(Timestamp, EventKey)>,
}

impl EventTable {
    /// A table of these events, in any order.
    pub(crate) fn new(mut events: Vec<(Timestamp, EventKey)>) -> Self {
        sort_by(&mut events, |a, b| b < a);
        events.dedup();
        Self { events }
    }

    /// The place of an event.
    pub(crate) fn place(&self, time: Timestamp, key: EventKey) -> usize {
        self.events
            .binary_search_by(|known| (time, key).cmp(known))
            .unwrap_or_default()
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
