//! Which events of a sequence can still matter.
//!
//! Most events of a sequence's log are there for events that come late or from another device: of events that
//! come in order, a later one can only complete a choice that is among the best now. [`needed`] finds these.

use super::event_log::{Entry, MAX_EXACT};
use super::sequence::{Begins, NONE, begins, fits};
use super::spec::{Sequence, Step};
use crate::time::Timestamp;

/// The places of the entries without which an answer could differ, a bit for each: the answer at `now` or later,
/// if every event that is still to come happens at `now` or later, and not before the newest of these entries.
/// Those of `kept` are to be kept in any case.
pub(crate) fn needed(entries: &[Entry], sequence: &Sequence, now: Timestamp, kept: u64) -> u64 {
    let entries = &entries[..entries.len().min(2 * MAX_EXACT)];
    if sequence.steps.is_empty() {
        return kept;
    }
    let all = u64::MAX
        .checked_shr(64 - entries.len() as u32)
        .unwrap_or_default();
    let mut places = Places {
        entries,
        sequence,
        begins: begins(entries, sequence),
        kept: kept & all,
    };
    places.keep_completed(now);
    let newest = entries.last().map_or(NONE, |entry| entry.time);
    for place in 1..sequence.steps.len() {
        places.keep_open(place, now, entries.len());
        if newest >= now {
            // One more event at the newest instant cannot follow those that are there.
            let before = entries.partition_point(|entry| entry.time < newest);
            places.keep_open(place, now, before);
        }
    }
    while places.keep_barriers() {}
    places.kept
}

struct Places<'e> {
    entries: &'e [Entry],
    sequence: &'e Sequence,
    begins: Vec<Begins>,
    kept: u64,
}

impl Places<'_> {
    /// Keeps the choices that complete the sequence: the last one, and with a silence to wait for, those that
    /// wait for its end.
    fn keep_completed(&mut self, now: Timestamp) {
        let last = self.sequence.steps.len() - 1;
        let mut quiet_from = NONE;
        if let Some((matcher, _)) = self.sequence.quiet {
            let newest = self.entries.iter().rev().find(|entry| fits(entry, matcher));
            quiet_from = newest.map_or(NONE, |entry| entry.time);
        }
        for place in (0..self.entries.len()).rev() {
            let (time, begin) = (self.entries[place].time, self.begins[last][place]);
            if time < quiet_from {
                break;
            }
            if begin == NONE || self.is_too_long(begin, time) {
                continue;
            }
            self.keep_choice(last, place);
            let waits = |(_, quiet): (u8, i64)| time.saturating_add(quiet) > now;
            if !self.sequence.quiet.is_some_and(waits) {
                break;
            }
        }
    }

    /// Of the choices that end before `until` and that the step at this place of the sequence can follow, keeps
    /// the best one. It is the one that ends last: a choice that ends later never began earlier.
    fn keep_open(&mut self, step: usize, now: Timestamp, until: usize) {
        let Step { gap, without, .. } = self.sequence.steps[step];
        let mut barrier = NONE;
        for place in (0..until).rev() {
            let Entry { time, mark, .. } = self.entries[place];
            let begin = self.begins[step - 1][place];
            if time < barrier || gap.is_some_and(|gap| now.saturating_sub(time) > gap) {
                break;
            }
            if begin != NONE {
                if !self.is_too_long(begin, now) {
                    self.keep_choice(step - 1, place);
                }
                break;
            }
            if mark & without != 0 {
                barrier = time;
            }
        }
    }

    fn is_too_long(&self, begin: Timestamp, end: Timestamp) -> bool {
        let length = end.saturating_sub(begin);
        self.sequence.within.is_some_and(|within| length > within)
    }

    /// Keeps a best choice of events that ends with this entry as this step. The entry follows some choice of
    /// the steps before; of these, it follows the one that ends last, which began last.
    fn keep_choice(&mut self, step: usize, place: usize) {
        self.kept |= 1 << place;
        let Some(before) = step.checked_sub(1) else { return };
        let end = self.entries[place].time;
        let ends_before =
            |place: &usize| self.entries[*place].time < end && self.begins[before][*place] != NONE;
        if let Some(place) = (0..place).rev().find(ends_before) {
            self.keep_choice(before, place);
        }
    }

    /// Keeps what must not lie between events, so that between any two kept instants, and after each, there is
    /// as much of it as before; returns whether something was added.
    fn keep_barriers(&mut self) -> bool {
        let steps = self.sequence.steps.iter();
        let mut barriers = steps.fold(0, |all, step| all | step.without);
        if let Some((matcher, _)) = self.sequence.quiet {
            barriers |= 1 << matcher;
        }
        if barriers == 0 || self.kept == 0 {
            return false;
        }
        let before = self.kept;
        let newest = self.entries.last().map_or(NONE, |entry| entry.time);
        // The barriers that this stretch has kept: all that happened at one kept instant, or between two of them.
        let mut held = 0;
        let mut has_begun = false;
        let mut place = 0;
        for instant in self.entries.chunk_by(|a, b| a.time == b.time) {
            let here = instant_mask(place, instant.len());
            let is_kept = before & here != 0;
            let is_newest = instant.first().is_some_and(|entry| entry.time == newest);
            has_begun |= is_kept;
            if is_kept || is_newest {
                held = 0;
            }
            if has_begun {
                for (offset, entry) in instant.iter().enumerate() {
                    let bars = entry.mark & barriers;
                    if before >> (place + offset) & 1 == 1 {
                        held |= bars;
                    }
                }
                for (offset, entry) in instant.iter().enumerate() {
                    let bars = entry.mark & barriers;
                    if bars & !held != 0 {
                        self.kept |= 1 << (place + offset);
                        held |= bars;
                    }
                }
            }
            if is_kept || is_newest {
                held = 0;
            }
            place += instant.len();
        }
        self.kept != before
    }
}

const fn instant_mask(place: usize, length: usize) -> u64 {
    let ones = if length >= 64 { u64::MAX } else { (1 << length) - 1 };
    ones << place
}

#[cfg(test)]
mod tests {
    use super::super::sequence::outcome;
    use super::*;

    /// From a linear congruential generator: the same numbers everywhere.
    struct Random(u32);

    impl Random {
        fn below(&mut self, limit: u32) -> u32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 16) % limit
        }

        fn sequence(&mut self) -> Sequence {
            let limit = |random: &mut Self, most: u32| {
                (random.below(2) == 0).then(|| i64::from(1 + random.below(most)))
            };
            let steps = (0..1 + self.below(4)).map(|place| Step {
                matcher: self.below(3) as u8,
                gap: limit(self, 6).filter(|_| place > 0),
                without: if self.below(2) == 0 { self.below(8) } else { 0 },
            });
            let steps = steps.collect();
            Sequence {
                steps,
                within: limit(self, 20),
                quiet: limit(self, 9).map(|quiet| (self.below(4) as u8, quiet)),
            }
        }

        /// So many events at or after an instant.
        fn log(&mut self, mut time: Timestamp, length: u32) -> Vec<Entry> {
            let entries = (0..length).map(|key| {
                time += i64::from(self.below(4));
                Entry::new(time, key, self.below(16), 0.0)
            });
            entries.collect()
        }
    }

    /// What is left answers every later question as all of it does, whatever comes.
    #[test]
    fn what_is_left_answers_as_all_does() {
        let random = &mut Random(1);
        let (mut all, mut left) = (0, 0);
        for case in 0..60_000 {
            let sequence = random.sequence();
            let length = random.below(20);
            let log = random.log(0, length);
            let newest = log.last().map_or(0, |entry| entry.time);
            let now = newest + i64::from(random.below(3));
            let more = match random.below(4) {
                0 => 1 << length.saturating_sub(1),
                _ => 0,
            };
            let kept = needed(&log, &sequence, now, more);
            let short: Vec<Entry> = (0..log.len())
                .filter(|place| kept >> place & 1 == 1)
                .map(|place| log[place])
                .collect();
            (all, left) = (all + log.len(), left + short.len());
            let length = random.below(6);
            let later = random.log(now, length);
            let (mut long, mut short) = (log.clone(), short);
            for until in 0..=later.len() {
                let end = later.get(until).map_or(now + 30, |entry| entry.time);
                for at in now.max(later[..until].last().map_or(0, |entry| entry.time))..=end {
                    assert_eq!(
                        outcome(&short, &sequence, at),
                        outcome(&long, &sequence, at),
                        "case {case} at {at} after {until} later events\n{sequence:?}\n{log:?}\n{kept:b}\n{later:?}"
                    );
                }
                long.extend(later.get(until));
                short.extend(later.get(until));
            }
        }
        assert!(left * 3 < all, "{left} of {all} events are left");
    }

    #[test]
    fn of_many_choices_the_latest_is_left() {
        let log: Vec<Entry> = (0..32).map(|at| Entry::new(at, at as u32, 1, 0.0)).collect();
        let step = |matcher| Step {
            matcher,
            gap: None,
            without: 0,
        };
        let sequence = Sequence {
            steps: vec![step(0), step(1)],
            within: Some(100),
            quiet: None,
        };
        assert_eq!(needed(&log, &sequence, 40, 0), 1 << 31);
        // One more event at the newest instant would need one before it.
        assert_eq!(needed(&log, &sequence, 31, 0), 3 << 30);
        // It began too long ago.
        assert_eq!(needed(&log, &sequence, 200, 0), 0);
        assert_eq!(needed(&[], &sequence, 200, 0), 0);
    }

    #[test]
    fn a_choice_that_nothing_can_follow_is_not_left() {
        let entry = |at, mark| Entry::new(at, at as u32, mark, 0.0);
        let step = |matcher, without| Step {
            matcher,
            gap: None,
            without,
        };
        let mut sequence = Sequence {
            steps: vec![step(0, 0), step(1, 4)],
            within: None,
            quiet: None,
        };
        assert_eq!(needed(&[entry(1, 1), entry(2, 4)], &sequence, 9, 0), 0);
        assert_eq!(needed(&[entry(1, 4), entry(2, 1)], &sequence, 9, 0), 2);
        sequence.steps[1].gap = Some(5);
        assert_eq!(needed(&[entry(1, 1)], &sequence, 6, 0), 1);
        assert_eq!(needed(&[entry(1, 1)], &sequence, 7, 0), 0);
        // What was completed, and then broken.
        sequence.quiet = Some((2, 100));
        assert_eq!(
            needed(&[entry(1, 1), entry(2, 2), entry(3, 4)], &sequence, 9, 0),
            0
        );
    }
}
