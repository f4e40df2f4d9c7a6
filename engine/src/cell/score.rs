//! Scores: points that fade.

use super::spec::Decay;
use super::table::EventTable;
use crate::codec::{Malformed, Reader, Writer};
use crate::decay::Fading;
use crate::event::EventKey;
use crate::sort::sort_by;
use crate::time::Timestamp;

/// How many of the newest events are known one by one, so that two copies can tell which both saw.
pub(crate) const MAX_RECENT: usize = 8;

/// An event that gave points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Earned {
    time: Timestamp,
    key: EventKey,
    /// The matchers that it fits, which say how many points it gave.
    fitting: u32,
}

/// The memory of a score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// The value before the recent events.
    base: Fading,
    /// The newest events, in the order in which they came.
    recent: Vec<Earned>,
    /// The value with the recent events.
    total: Fading,
}

impl Score {
    pub(crate) fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.base == Fading::default()
    }

    pub(crate) fn clear(&mut self) {
        self.recent.clear();
        self.base = Fading::default();
        self.total = Fading::default();
    }

    /// The value with all events.
    pub(crate) const fn total(&self) -> Fading {
        self.total
    }

    /// Adds an event; one that is among the recent ones counts once.
    pub(crate) fn add(&mut self, time: Timestamp, key: EventKey, fitting: u32, decay: &Decay) {
        if self.recent.iter().any(|known| known.key == key) {
            return;
        }
        if self.recent.len() >= MAX_RECENT {
            let oldest = self.recent.remove(0);
            earn(&mut self.base, &oldest, decay);
        }
        let earned = Earned { time, key, fitting };
        self.recent.push(earned);
        earn(&mut self.total, &earned, decay);
    }

    fn add_up(&mut self, decay: &Decay) {
        self.total = self.base;
        for earned in &self.recent {
            earn(&mut self.total, earned, decay);
        }
    }

    /// Takes over what another copy of this score saw. Of what is older than the recent events of both, the
    /// larger value is kept, which is right when one side saw all that the other did, as the origin does.
    pub(crate) fn merge(&mut self, other: &Self, decay: &Decay) {
        if other.is_empty() {
            return;
        }
        let mut all: Vec<Earned> = self.recent.clone();
        all.extend(
            other
                .recent
                .iter()
                .filter(|new| !self.recent.iter().any(|known| known.key == new.key)),
        );
        sort_by(&mut all, |a, b| (a.time, a.key) < (b.time, b.key));
        let cut = all.len().saturating_sub(MAX_RECENT);
        let oldest = all
            .get(cut)
            .map_or((Timestamp::MAX, 0), |earned| (earned.time, earned.key));
        let older = |score: &Self| {
            let mut base = score.base;
            for earned in score
                .recent
                .iter()
                .filter(|earned| (earned.time, earned.key) < oldest)
            {
                earn(&mut base, earned, decay);
            }
            base
        };
        let (mine, theirs) = (older(self), older(other));
        let at = mine.at.max(theirs.at);
        let half_life = decay.half_life;
        self.base = if mine.read(at, half_life) >= theirs.read(at, half_life) {
            mine
        } else {
            theirs
        };
        self.recent = all.split_off(cut);
        self.add_up(decay);
    }

    /// The events that the score's bytes refer to, from the newest to the oldest.
    pub(crate) fn events(&self, limit: usize) -> Vec<(Timestamp, EventKey)> {
        let recent = self.recent.iter().rev().take(limit);
        let mut events: Vec<_> = recent.map(|earned| (earned.time, earned.key)).collect();
        sort_by(&mut events, |a, b| b < a);
        events
    }

    /// Appends the bytes; at most `limit` of the recent events are known one by one when they are read again.
    pub(crate) fn write(
        &self,
        writer: &mut Writer,
        table: &EventTable,
        base: Timestamp,
        limit: usize,
        decay: &Decay,
    ) {
        let (older, recent) = self.recent.split_at(self.recent.len().saturating_sub(limit));
        let mut before = self.base;
        for earned in older {
            earn(&mut before, earned, decay);
        }
        // The lowest bit tells whether there is a base.
        let has_base = before != Fading::default();
        writer.varint((recent.len() as u64) << 1 | u64::from(has_base));
        if has_base {
            writer.bytes(&before.value.to_bits().to_le_bytes());
            writer.zigzag(base.saturating_sub(before.at));
        }
        for earned in recent {
            writer.varint(table.place(0, earned.time, earned.key) as u64);
            writer.varint(u64::from(earned.fitting));
        }
    }

    pub(crate) fn read(
        reader: &mut Reader<'_>,
        table: &EventTable,
        base: Timestamp,
        decay: &Decay,
    ) -> Result<Self, Malformed> {
        let first = reader.varint()?;
        let length = usize::try_from(first >> 1).map_err(|_| Malformed)?;
        if length > MAX_RECENT {
            return Err(Malformed);
        }
        let mut score = Self::default();
        if first & 1 == 1 {
            score.base = read_fading(reader, base)?;
        }
        for _ in 0..length {
            let place = usize::try_from(reader.varint()?).map_err(|_| Malformed)?;
            let (time, key) = table.event(place)?;
            if score.recent.iter().any(|known| known.key == key) {
                // Nobody counts an event twice.
                return Err(Malformed);
            }
            let fitting = u32::try_from(reader.varint()?).map_err(|_| Malformed)?;
            score.recent.push(Earned { time, key, fitting });
        }
        score.add_up(decay);
        Ok(score)
    }
}

fn earn(fading: &mut Fading, earned: &Earned, decay: &Decay) {
    fading.add(
        decay.points_of(earned.fitting),
        earned.time,
        decay.half_life,
        decay.cap,
    );
}

/// Reads a value of 8 bytes and the distance of its instant before `base`.
fn read_fading(reader: &mut Reader<'_>, base: Timestamp) -> Result<Fading, Malformed> {
    let value = f64::from_bits(u64::from_le_bytes(reader.array()?));
    let at = base.checked_sub(reader.zigzag()?).ok_or(Malformed)?;
    if !value.is_finite() || !(0..=1 << 48).contains(&at) {
        return Err(Malformed);
    }
    Ok(Fading { value, at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_counts_twice_is_malformed() {
        let decay = Decay {
            points: vec![1.0],
            half_life: 1_000,
            cap: None,
        };
        let table = EventTable::new(vec![vec![(20, 2), (10, 1)]]);
        let read = |bytes: &[u8]| Score::read(&mut Reader::new(bytes), &table, 20, &decay);
        assert_eq!(read(&[4, 0, 1, 0, 1]), Err(Malformed));
        let score = read(&[4, 0, 1, 1, 1]).unwrap();
        assert_eq!(score.events(8), [(20, 2), (10, 1)]);
    }
}
