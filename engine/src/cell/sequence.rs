//! Sequences: whether events came in an order, and when it was completed.

use super::event_log::{Entry, MAX_EXACT};
use super::spec::{Sequence, Step};
use crate::time::Timestamp;

/// No log has more entries.
const MAX_ENTRIES: usize = 2 * MAX_EXACT;
/// No choice of events ends here.
pub(super) const NONE: Timestamp = Timestamp::MIN;

/// For each entry that can be a step, the latest possible first event of a choice that ends there.
pub(super) type Begins = [Timestamp; MAX_ENTRIES];

/// [`Begins`] of every step.
pub(super) fn begins(entries: &[Entry], sequence: &Sequence) -> Vec<Begins> {
    let mut all: Vec<Begins> = Vec::with_capacity(sequence.steps.len());
    for step in &sequence.steps {
        all.push(match all.last() {
            None => first(entries, step),
            Some(before) => advance(entries, before, step),
        });
    }
    all
}

/// The choices of one event.
fn first(entries: &[Entry], step: &Step) -> Begins {
    let mut begins = [NONE; MAX_ENTRIES];
    for (begin, entry) in begins.iter_mut().zip(entries) {
        if fits(entry, step.matcher) {
            *begin = entry.time;
        }
    }
    begins
}

/// What a log says of a sequence at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// When it was completed last; `None` if it was not.
    pub completed_at: Option<Timestamp>,
    /// The earliest later instant at which it will be completed if nothing happens.
    pub next: Option<Timestamp>,
}

/// Looks for choices of events, each strictly later than the one before, that fit every step.
///
/// For each event that can be a step, the latest possible first event of a choice that ends there is kept: of
/// all choices that end with the same event, it is the one that fits a limit from the first to the last most
/// easily, and gaps depend on neighbours alone.
pub fn outcome(entries: &[Entry], sequence: &Sequence, now: Timestamp) -> Outcome {
    let entries = &entries[..entries.len().min(MAX_ENTRIES)];
    let Some((step, rest)) = sequence.steps.split_first() else {
        return Outcome::default();
    };
    let mut begins = first(entries, step);
    for step in rest {
        begins = advance(entries, &begins, step);
    }
    // The newest event that breaks the silence.
    let broken_at = sequence.quiet.and_then(|(matcher, _)| {
        let newest = entries.iter().rev().find(|entry| fits(entry, matcher));
        newest.map(|entry| entry.time)
    });
    let mut outcome = Outcome::default();
    for (begin, entry) in begins.iter().zip(entries) {
        let too_long = |within: i64| entry.time.saturating_sub(*begin) > within;
        if *begin == NONE || sequence.within.is_some_and(too_long) {
            continue;
        }
        let completed_at = match sequence.quiet {
            None => entry.time,
            Some(_) if broken_at.is_some_and(|at| at > entry.time) => continue,
            Some((_, quiet)) => entry.time.saturating_add(quiet),
        };
        if completed_at <= now || sequence.quiet.is_none() {
            outcome.completed_at = outcome.completed_at.max(Some(completed_at));
        } else {
            outcome.next = Some(outcome.next.map_or(completed_at, |next| next.min(completed_at)));
        }
    }
    outcome
}

/// From the choices that end with the step before to those that end with this one.
fn advance(entries: &[Entry], begins: &Begins, step: &Step) -> Begins {
    let mut advanced = [NONE; MAX_ENTRIES];
    if step.gap.is_none() {
        advance_without_gap(entries, begins, step, &mut advanced);
        return advanced;
    }
    for (place, entry) in entries.iter().enumerate() {
        if !fits(entry, step.matcher) {
            continue;
        }
        // Nothing before this instant can be the step before: something that must not lies between.
        let mut barrier = NONE;
        for (before, begin) in entries[..place].iter().zip(begins).rev() {
            let gap = entry.time.saturating_sub(before.time);
            if gap == 0 {
                continue;
            }
            if before.time < barrier || step.gap.is_some_and(|longest| gap > longest) {
                break;
            }
            if let Some(best) = advanced.get_mut(place) {
                *best = (*best).max(*begin);
            }
            if before.mark & step.without != 0 {
                barrier = before.time;
            }
        }
    }
    advanced
}

/// The same where the step before may be any time ago: in one pass over the instants.
fn advance_without_gap(entries: &[Entry], begins: &Begins, step: &Step, advanced: &mut Begins) {
    let mut best = NONE;
    let mut place = 0;
    for instant in entries.chunk_by(|a, b| a.time == b.time) {
        let until = place + instant.len();
        let here = begins.get(place..until).unwrap_or_default();
        let places = advanced.get_mut(place..until).unwrap_or_default();
        for (entry, advanced) in instant.iter().zip(places) {
            if fits(entry, step.matcher) {
                *advanced = best;
            }
        }
        // What must not lie between parts what comes later from what came before this instant.
        if instant.iter().any(|entry| entry.mark & step.without != 0) {
            best = NONE;
        }
        best = here.iter().copied().fold(best, Timestamp::max);
        place = until;
    }
}

pub(super) const fn fits(entry: &Entry, matcher: u8) -> bool {
    entry.mark >> matcher & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: u32 = 1;
    const B: u32 = 2;
    const X: u32 = 4;

    fn log(events: &[(Timestamp, u32)]) -> Vec<Entry> {
        let entries = events.iter().enumerate();
        entries
            .map(|(key, (time, mark))| Entry::new(*time, key as u32, *mark, 0.0))
            .collect()
    }

    fn a_then_b(gap: Option<i64>, without: u32, within: Option<i64>) -> Sequence {
        let step = |matcher, gap, without| Step {
            matcher,
            gap,
            without,
        };
        Sequence {
            steps: vec![step(0, None, 0), step(1, gap, without)],
            within,
            quiet: None,
        }
    }

    #[track_caller]
    fn holds(events: &[(Timestamp, u32)], sequence: &Sequence, expected: bool) {
        let found = outcome(&log(events), sequence, 1_000).completed_at.is_some();
        assert_eq!(found, expected, "{events:?}");
    }

    #[test]
    fn one_after_the_other() {
        let sequence = a_then_b(None, 0, None);
        holds(&[(1, A), (2, B)], &sequence, true);
        holds(&[(1, B), (2, A), (3, B)], &sequence, true);
        holds(&[(1, B), (2, A)], &sequence, false);
        holds(&[(1, A), (1, B)], &sequence, false);
        holds(&[(1, A | B)], &sequence, false);
        holds(&[(1, A | B), (2, A | B)], &sequence, true);
    }

    #[test]
    fn gaps_and_lengths() {
        holds(&[(1, A), (5, A), (11, B)], &a_then_b(Some(6), 0, None), true);
        holds(&[(1, A), (5, A), (12, B)], &a_then_b(Some(6), 0, None), false);
        holds(&[(1, A), (5, A), (11, B)], &a_then_b(None, 0, Some(6)), true);
        holds(&[(1, A), (4, A), (11, B)], &a_then_b(None, 0, Some(6)), false);
    }

    #[test]
    fn nothing_in_between() {
        let sequence = a_then_b(None, X, None);
        holds(&[(1, A), (2, X), (3, B)], &sequence, false);
        holds(&[(1, A), (2, X), (3, A), (4, B)], &sequence, true);
        holds(&[(1, A), (1, X), (3, B)], &sequence, true);
        holds(&[(1, A), (3, X), (3, B)], &sequence, true);
        holds(&[(1, A), (2, X), (2, A), (3, B)], &sequence, true);
    }

    #[test]
    fn no_limit_between_steps_is_as_one_that_no_gap_reaches() {
        let mut random = 1_u32;
        let mut below = |limit: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 16) % limit
        };
        for _ in 0..2_000 {
            let mut time = 0;
            let length = below(12);
            let events: Vec<_> = (0..length)
                .map(|_| {
                    time += i64::from(below(3));
                    (time, below(8))
                })
                .collect();
            let mut sequence = a_then_b(None, below(8), Some(i64::from(below(20))));
            sequence.steps.push(Step {
                matcher: 2,
                gap: None,
                without: below(8),
            });
            let found = outcome(&log(&events), &sequence, 1_000);
            sequence
                .steps
                .iter_mut()
                .for_each(|step| step.gap = Some(i64::MAX));
            assert_eq!(
                found,
                outcome(&log(&events), &sequence, 1_000),
                "{events:?} {sequence:?}"
            );
        }
    }

    #[test]
    fn quiet_since() {
        let mut sequence = a_then_b(None, 0, None);
        sequence.quiet = Some((2, 100));
        let at = |events: &[(Timestamp, u32)], now| outcome(&log(events), &sequence, now);
        let waiting = Outcome {
            completed_at: None,
            next: Some(102),
        };
        assert_eq!(at(&[(1, A), (2, B)], 101), waiting);
        assert_eq!(at(&[(1, A), (2, B)], 102).completed_at, Some(102));
        assert_eq!(at(&[(1, A), (2, B), (50, X)], 200), Outcome::default());
        assert_eq!(
            at(&[(1, A), (2, B), (50, X), (60, B)], 200).completed_at,
            Some(160)
        );
    }
}
