//! What conditions ask of a log, computed as plainly as can be.

use crate::cell::measure::Measure;
use crate::cell::spec::{Observation, Sequence};
use crate::event::Event;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What events add up to; they come in the order of their times.
pub(super) fn aggregate(
    events: &[(&Event, Observation<'_>)],
    measure: Measure,
    now: Timestamp,
) -> Option<f64> {
    let numbers = || events.iter().map(|(_, seen)| seen.number);
    let ago =
        |event: Option<&(&Event, Observation<'_>)>| event.map(|(event, _)| (now - event.time).max(0) as f64);
    let fits = |event: Option<&(&Event, Observation<'_>)>| event.map(|(_, seen)| f64::from(seen.mark & 1));
    match measure {
        Measure::Count => Some(events.len() as f64),
        Measure::Sum => Some(numbers().sum()),
        Measure::Least => numbers().min_by(f64::total_cmp),
        Measure::Greatest => numbers().max_by(f64::total_cmp),
        Measure::Average if events.is_empty() => None,
        Measure::Average => Some(numbers().sum::<f64>() / events.len() as f64),
        Measure::Distinct => {
            let values: BTreeSet<u32> = events.iter().map(|(_, seen)| seen.mark).collect();
            Some(values.len() as f64)
        }
        Measure::FirstAgo => ago(events.first()),
        Measure::LastAgo => ago(events.last()),
        Measure::FirstFits => fits(events.first()),
        Measure::LastFits => fits(events.last()),
        Measure::MostFrequentFits => {
            let mut counts: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
            for (place, (_, seen)) in events.iter().enumerate() {
                let known = counts.entry(seen.mark).or_default();
                *known = (known.0 + 1, place);
            }
            let best = counts.iter().max_by_key(|(_, counted)| **counted);
            best.map(|(mark, _)| f64::from(mark & 1))
        }
        _ => None,
    }
}

/// When a sequence was completed last: every first event is tried with all that can follow it.
pub(super) fn completed_at(
    events: &[(&Event, Observation<'_>)],
    sequence: &Sequence,
    now: Timestamp,
) -> Option<Timestamp> {
    let fits = |seen: &Observation<'_>, matcher: u8| seen.mark & 1 << matcher != 0;
    let times_of = |matcher: u8| {
        let fitting = events.iter().filter(move |(_, seen)| fits(seen, matcher));
        fitting
            .map(|(event, _)| event.time)
            .collect::<BTreeSet<Timestamp>>()
    };
    let (first, rest) = sequence.steps.split_first()?;
    let mut completed = Vec::new();
    for begin in times_of(first.matcher) {
        let mut ends = BTreeSet::from([begin]);
        for step in rest {
            let barred = |from: Timestamp, to: Timestamp| {
                let between = events
                    .iter()
                    .filter(|(event, _)| event.time > from && event.time < to);
                between.into_iter().any(|(_, seen)| seen.mark & step.without != 0)
            };
            let can_follow = |from: Timestamp, to: Timestamp| {
                to > from && step.gap.is_none_or(|gap| to - from <= gap) && !barred(from, to)
            };
            let next = times_of(step.matcher);
            ends = next
                .into_iter()
                .filter(|to| ends.iter().any(|from| can_follow(*from, *to)))
                .collect();
        }
        for end in ends {
            let too_long = sequence.within.is_some_and(|within| end - begin > within);
            let is_broken = |matcher| {
                events
                    .iter()
                    .any(|(event, seen)| event.time > end && fits(seen, matcher))
            };
            match sequence.quiet {
                _ if too_long => {}
                None => completed.push(end),
                Some((matcher, _)) if is_broken(matcher) => {}
                Some((_, quiet)) => completed.push(end + quiet),
            }
        }
    }
    completed.into_iter().filter(|at| *at <= now).max()
}
