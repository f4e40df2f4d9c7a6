//! What leads from something that changed to the segments and experiences that read it.
//!
//! Segments and experiences are *units*: first the segments in the program's order, in which each comes after
//! those that it refers to, then the experiences by their priority.

use crate::cell::spec::Scope;
use crate::condition::{Condition, Node};
use crate::program::Program;

/// A place among the units.
pub(crate) type Unit = u16;

/// How a unit depends on time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Timing {
    /// On nothing that the session's end changes.
    #[default]
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
    /// Of the request.
    pub(crate) request: Vec<Unit>,
    /// Of the session's attributes, or of both the session and what lasts: every event changes when they change.
    pub(crate) session: Vec<Unit>,
    /// Of cells that end with the session.
    pub(crate) session_cells: Vec<Unit>,
    /// Of what is known of the person.
    pub(crate) profile: Vec<Unit>,
    /// How each unit depends on time.
    pub(crate) timing: Vec<Timing>,
    /// For each experience by priority, the other experiences of its group that come after it.
    pub(crate) later_of_group: Vec<Vec<Unit>>,
}

impl Readers {
    pub(crate) fn new(program: &Program) -> Self {
        let mut readers = Self {
            cells: vec![Vec::new(); program.cells.len()],
            segments: vec![Vec::new(); program.segments.len()],
            ..Self::default()
        };
        for segment in &program.segments {
            readers.unit(program, Some(&segment.condition), false);
        }
        let experiences = || {
            program
                .by_priority
                .iter()
                .filter_map(|place| program.experiences.get(usize::from(*place)))
        };
        for experience in experiences() {
            let is_scheduled = experience.changes_with_time();
            readers.unit(program, experience.condition.as_ref(), is_scheduled);
        }
        for (rank, experience) in experiences().enumerate() {
            let later = experiences().enumerate().skip(rank + 1);
            let later =
                later.filter(|(_, other)| experience.group.is_some() && other.group == experience.group);
            let later = later.filter_map(|(rank, _)| Unit::try_from(program.segments.len() + rank).ok());
            readers.later_of_group.push(later.collect());
        }
        readers
    }

    fn unit(&mut self, program: &Program, condition: Option<&Condition>, is_scheduled: bool) {
        let Ok(unit) = Unit::try_from(self.timing.len()) else {
            return;
        };
        let (mut lasts, mut of_session, mut reads_session) = (is_scheduled, false, false);
        for node in condition.map_or(&[][..], Condition::nodes) {
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
                Node::Attribute(path, _) => match path.first().map_or("", String::as_str) {
                    "session" => {
                        (of_session, reads_session) = (true, true);
                    }
                    "profile" => add(Some(&mut self.profile), unit),
                    "affinity" => {
                        lasts = true;
                        let name = path.get(1).map_or("", String::as_str);
                        if let Some((_, cell)) = program.affinities.iter().find(|(known, _)| known == name) {
                            add(self.cells.get_mut(usize::from(*cell)), unit);
                        }
                    }
                    // Also of plain values, which read nothing more.
                    _ => add(Some(&mut self.request), unit),
                },
                _ => {}
            }
        }
        let timing = match (of_session, lasts) {
            (true, true) => Timing::Mixed,
            (true, false) => Timing::Session,
            (false, _) => Timing::Lasting,
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
