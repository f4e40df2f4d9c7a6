//! What leads from something that changed to the segments, features and experiences that read it.
//!
//! These are *units*: first the segments in the program's order, in which each comes after those that it refers
//! to, then the features in theirs, then the experiences by their priority.

use crate::assignment::Unit as AssignmentUnit;
use crate::cell::spec::Scope;
use crate::clock;
use crate::condition::{Condition, Node};
use crate::program::{Assignment, Program, Rule};
use crate::time::Timestamp;

/// A place among the units.
pub(crate) type Unit = u16;

/// How a unit depends on time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Timing {
    /// Not at all.
    #[default]
    Timeless,
    /// On nothing that the session's end changes.
    Lasting,
    /// On nothing but the session: it is the same at the session's end, whenever that is.
    Session,
    /// On both.
    Mixed,
}

/// The units, by what they read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Readers {
    /// By cell.
    pub(crate) cells: Vec<Vec<Unit>>,
    /// By segment.
    pub(crate) segments: Vec<Vec<Unit>>,
    /// By feature.
    pub(crate) features: Vec<Vec<Unit>>,
    /// Of the request.
    pub(crate) request: Vec<Unit>,
    /// Of the session's attributes, or of both the session and what lasts: every event changes when they change.
    pub(crate) session: Vec<Unit>,
    /// Of cells that end with the session.
    pub(crate) session_cells: Vec<Unit>,
    /// Of what is known of the person.
    pub(crate) profile: Vec<Unit>,
    /// Of the assignments that the visitor keeps.
    pub(crate) remembered: Vec<Unit>,
    /// Units with the places of the declarations that the traits they read fall under, where age has an effect.
    pub(crate) aging: Vec<(Unit, u16)>,
    /// Units that read the visitor's clock, with after how long they have seen all that it shows.
    pub(crate) clock: Vec<(Unit, i64)>,
    /// How each unit depends on time.
    pub(crate) timing: Vec<Timing>,
    /// The most numbers that a condition compares with.
    pub(crate) numbers: usize,
    /// For each experience by priority, the other experiences of its group that come after it.
    pub(crate) later_of_group: Vec<Vec<Unit>>,
}

/// What a unit reads.
#[derive(Default)]
struct Reads<'p> {
    conditions: Vec<&'p Condition>,
    assignments: Vec<&'p Assignment>,
    instants: Vec<Timestamp>,
}

impl Readers {
    pub(crate) fn new(program: &Program) -> Self {
        let mut readers = Self {
            cells: vec![Vec::new(); program.cells.len()],
            segments: vec![Vec::new(); program.segments.len()],
            features: vec![Vec::new(); program.features.len()],
            ..Self::default()
        };
        for segment in &program.segments {
            readers.unit(
                program,
                &Reads {
                    conditions: vec![&segment.condition],
                    ..Reads::default()
                },
            );
        }
        for place in &program.feature_order {
            let rules = program.features.get(usize::from(*place));
            let rules = || rules.into_iter().flat_map(|feature| &feature.rules);
            readers.unit(
                program,
                &Reads {
                    conditions: rules().flat_map(Rule::conditions).collect(),
                    assignments: rules().map(|rule| &rule.assignment).collect(),
                    instants: rules().flat_map(Rule::instants).collect(),
                },
            );
        }
        let experiences = || {
            let places = program.by_priority.iter();
            places.filter_map(|place| program.experiences.get(usize::from(*place)))
        };
        let first = readers.timing.len();
        for experience in experiences() {
            let conditions = [&experience.requires, &experience.condition];
            readers.unit(
                program,
                &Reads {
                    conditions: conditions.into_iter().flatten().collect(),
                    assignments: vec![&experience.assignment],
                    instants: experience.instants().collect(),
                },
            );
        }
        for (rank, experience) in experiences().enumerate() {
            let later = experiences().enumerate().skip(rank + 1);
            let later =
                later.filter(|(_, other)| experience.group.is_some() && other.group == experience.group);
            let later = later.filter_map(|(rank, _)| Unit::try_from(first + rank).ok());
            readers.later_of_group.push(later.collect());
        }
        readers
    }

    /// After how long a unit that reads the visitor's clock has seen all that it shows.
    pub(crate) fn clock_period(&self, unit: usize) -> Option<i64> {
        let place = self
            .clock
            .binary_search_by_key(&unit, |(unit, _)| usize::from(*unit));
        self.clock.get(place.ok()?).map(|(_, period)| *period)
    }

    fn unit(&mut self, program: &Program, reads: &Reads<'_>) {
        let Ok(unit) = Unit::try_from(self.timing.len()) else {
            return;
        };
        let (mut lasts, mut of_session, mut reads_session) = (!reads.instants.is_empty(), false, false);
        let mut clock: Option<i64> = None;
        let mut paths: Vec<&[String]> = Vec::new();
        for condition in &reads.conditions {
            let mut numbers = Vec::new();
            condition.nodes().iter().for_each(|node| {
                node.numbers(&mut numbers);
            });
            self.numbers = self.numbers.max(numbers.len());
        }
        for node in reads.conditions.iter().flat_map(|condition| condition.nodes()) {
            match node {
                Node::Measure(cell, ..) => {
                    let scope = program.cells.get(usize::from(*cell)).map(|spec| spec.scope);
                    match scope {
                        Some(Scope::Session) => of_session = true,
                        _ => lasts = true,
                    }
                    add(self.cells.get_mut(usize::from(*cell)), unit);
                }
                Node::AnyGroup(cells, _) => {
                    for cell in cells {
                        add(self.cells.get_mut(usize::from(*cell)), unit);
                    }
                }
                Node::Segment(segment) => add(self.segments.get_mut(usize::from(*segment)), unit),
                Node::Feature(feature, ..) => add(self.features.get_mut(usize::from(*feature)), unit),
                Node::Attribute(path, _) => paths.push(path),
                _ => {}
            }
        }
        for assignment in &reads.assignments {
            let filters = assignment
                .filters
                .iter()
                .filter_map(|filter| filter.unit.as_ref());
            let own = std::iter::once(&assignment.unit).chain(&assignment.fallback);
            paths.extend(own.chain(filters).map(AssignmentUnit::path));
            if assignment.sticky.is_some() {
                add(Some(&mut self.remembered), unit);
            }
        }
        for path in paths {
            match path.first().map_or("", String::as_str) {
                "session" => (of_session, reads_session) = (true, true),
                // They are known from the request.
                "profile" if path.get(1).is_some_and(|name| name == "consent") => {
                    add(Some(&mut self.request), unit);
                }
                "profile" if path.get(1).is_some_and(|name| name == "sessions") => reads_session = true,
                "profile" => {
                    add(Some(&mut self.profile), unit);
                    let of_traits = path
                        .get(2..)
                        .filter(|_| path.get(1).is_some_and(|name| name == "traits"));
                    let place = of_traits.and_then(|path| program.aging_place(path));
                    if let Some(place) =
                        place.filter(|place| program.aging.get(*place).is_some_and(|aging| !aging.is_used))
                    {
                        lasts = true;
                        self.aging.push((unit, place as u16));
                    }
                }
                kind @ ("affinity" | "score") => {
                    lasts = true;
                    let named = if kind == "score" {
                        &program.scores
                    } else {
                        &program.affinities
                    };
                    let name = path.get(1).map_or("", String::as_str);
                    if let Some((_, cell)) = named.iter().find(|(known, _)| known == name) {
                        add(self.cells.get_mut(usize::from(*cell)), unit);
                    }
                }
                "request" if path.get(1).is_some_and(|name| name == "time") => {
                    add(Some(&mut self.request), unit);
                    lasts = true;
                    let period = path.get(2).map_or(0, |part| clock::period(part));
                    clock = clock.max(Some(period));
                }
                // Also the members of plain values, which read nothing more.
                _ => add(Some(&mut self.request), unit),
            }
        }
        self.clock.extend(clock.map(|period| (unit, period)));
        let timing = match (of_session, lasts) {
            (true, true) => Timing::Mixed,
            (true, false) => Timing::Session,
            (false, true) => Timing::Lasting,
            (false, false) => Timing::Timeless,
        };
        if reads_session || timing == Timing::Mixed {
            self.session.push(unit);
        }
        if of_session {
            self.session_cells.push(unit);
        }
        self.timing.push(timing);
    }
}

fn add(units: Option<&mut Vec<Unit>>, unit: Unit) {
    if let Some(units) = units
        && units.last() != Some(&unit)
    {
        units.push(unit);
    }
}
