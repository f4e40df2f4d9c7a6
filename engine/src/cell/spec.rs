//! What a cell keeps: its definition in the program.

use super::MAX_EXACT;
use crate::condition::{Condition, event_attribute};
use crate::event::{Event, EventKind};
use crate::hash::fnv1a_32;
use crate::time::LONGEST;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The most matchers that a cell may have: one bit for each is kept with an event.
pub const MAX_MATCHERS: usize = 16;

/// Where the memory of an event condition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// With the session.
    Session,
    /// Never: everything that is known of the visitor, over sessions and devices.
    Visitor,
}

/// Which events a cell keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matcher {
    /// The kind of event; any, if there is none.
    pub kind: Option<EventKind>,
    /// The event's name; any, if there is none.
    pub name: Option<String>,
    /// What must hold for the event's attributes.
    pub condition: Option<Condition>,
}

impl Matcher {
    /// Whether the event is one of those.
    pub fn matches(&self, event: &Event) -> bool {
        self.kind.is_none_or(|kind| kind == event.kind)
            && self.name.as_ref().is_none_or(|name| *name == event.name)
            && self
                .condition
                .as_ref()
                .is_none_or(|condition| condition.holds_for_event(event))
    }
}

/// Which of the events are kept, when there are more than a cell keeps exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// This many of the newest: older ones cannot change the answer.
    Newest(u8),
    /// The oldest one.
    Oldest,
    /// The newest of each value, of this many values.
    NewestOfEach(u8),
    /// All: joined by slots of the window, or added up where there is no window.
    All,
    /// Of events in a row that fit the same steps of a sequence, so many of the first and of the last: no choice
    /// of events needs more, where nothing limits the time between them.
    Runs(u8),
}

/// The bounds of an event log, from the condition it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Which events are kept.
    pub keep: Keep,
    /// The window's length in milliseconds, if the condition has a window.
    pub within: Option<i64>,
}

impl Shape {
    /// Whether events that are dropped are added up.
    pub(crate) fn is_total(&self) -> bool {
        self.keep == Keep::All && self.within.is_none()
    }

    /// Whether an entry may stand for several events of a slot of the window.
    pub(crate) fn joins_slots(&self) -> bool {
        self.keep == Keep::All && self.within.is_some()
    }

    /// The most entries that a log of this shape has.
    pub(crate) fn capacity(&self) -> usize {
        match self.keep {
            Keep::Newest(limit) | Keep::NewestOfEach(limit) => usize::from(limit).min(MAX_EXACT),
            Keep::Oldest => 1,
            Keep::All if self.joins_slots() => 2 * MAX_EXACT,
            Keep::All | Keep::Runs(_) => MAX_EXACT,
        }
    }
}

/// What is noted of an event besides its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Note {
    /// Nothing.
    Nothing,
    /// The number at this path; an event without one is not kept.
    Number(Vec<String>),
    /// Which value is at this path; an event without one is not kept.
    Identity(Vec<String>),
    /// Whether the value at this path fits; an event without one is not kept.
    Fits(Vec<String>, Condition),
    /// Both.
    IdentityFits(Vec<String>, Condition),
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The place of its matcher among the cell's.
    pub matcher: u8,
    /// The longest gap after the step before, in milliseconds.
    pub gap: Option<i64>,
    /// Events that fit any of these matchers (a bit for each) must not lie between the step before and this one.
    pub without: u32,
}

/// The order in which events must come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// One after the other.
    pub steps: Vec<Step>,
    /// The longest time from the first to the last, in milliseconds.
    pub within: Option<i64>,
    /// None that fits this matcher since the last step, which is at least so many milliseconds ago.
    pub quiet: Option<(u8, i64)>,
}

/// How points fade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decay {
    /// The points of an event, for each of the cell's matchers.
    pub points: Vec<f64>,
    /// After so many milliseconds half is left.
    pub half_life: i64,
    /// More than that is never reached.
    pub cap: Option<f64>,
}

/// What a cell remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CellKind {
    /// Events, for counts and other aggregates.
    Events(Shape, Note),
    /// The events of a sequence.
    Sequence(Sequence),
    /// A number that grows with events and fades with time.
    Score(Decay),
    /// Such a number for each value at this path, of so many values.
    Affinity(Decay, Vec<String>, u8),
    /// Since when the attribute of the profile at this path fits.
    Held(Vec<String>, Condition),
}

/// The definition of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellSpec {
    /// Identifies the definition; state is carried over to a new program by it.
    pub key: u32,
    /// Where the memory ends.
    pub scope: Scope,
    /// Which events are kept.
    pub matchers: Vec<Matcher>,
    /// The path of the event's value by which events are grouped.
    pub by: Option<Vec<String>>,
    /// What is remembered.
    pub kind: CellKind,
}

/// What an event means to a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation<'e> {
    /// Its group; 0 in a cell without groups.
    pub group: u32,
    /// What [`Note`] says, or the matchers that it fits.
    pub mark: u32,
    /// The number noted.
    pub number: f64,
    /// The value whose affinity grows.
    pub value: Option<Cow<'e, str>>,
}

impl Sequence {
    /// The bounds of its log. Where times between events are limited, those in the middle of a row may be the
    /// ones that fit.
    const fn shape(&self) -> Shape {
        let mut has_limits = self.within.is_some();
        let mut place = 0;
        while place < self.steps.len() {
            has_limits |= self.steps.as_slice()[place].gap.is_some();
            place += 1;
        }
        let keep = if has_limits {
            Keep::Newest(MAX_EXACT as u8)
        } else {
            Keep::Runs(self.steps.len() as u8)
        };
        Shape { keep, within: None }
    }
}

impl CellSpec {
    /// What the event means to this cell; `None` if nothing.
    pub fn observe<'e>(&self, event: &'e Event) -> Option<Observation<'e>> {
        let mut fitting = 0;
        for (place, matcher) in self.matchers.iter().enumerate() {
            fitting |= u32::from(matcher.matches(event)) << place;
        }
        if fitting == 0 {
            return None;
        }
        let group = match &self.by {
            None => 0,
            Some(path) => identity(event_attribute(event, path).as_deref()?)?,
        };
        let mut observation = Observation {
            group,
            mark: fitting,
            number: 0.0,
            value: None,
        };
        match &self.kind {
            CellKind::Events(_, note) => match note {
                Note::Nothing => observation.mark = 0,
                Note::Number(path) => {
                    observation.mark = 0;
                    observation.number = event_attribute(event, path)?.as_f64()?;
                }
                Note::Identity(path) => {
                    observation.mark = identity(event_attribute(event, path).as_deref()?)?;
                }
                Note::Fits(path, is) => {
                    let value = event_attribute(event, path)?;
                    if value.is_null() {
                        return None;
                    }
                    observation.mark = u32::from(is.fits(Some(&value)));
                }
                Note::IdentityFits(path, is) => {
                    let value = event_attribute(event, path)?;
                    observation.mark = identity(&value)? & !1 | u32::from(is.fits(Some(&value)));
                }
            },
            CellKind::Affinity(_, path, _) => {
                observation.value = Some(affinity_value(event_attribute(event, path)?)?);
            }
            CellKind::Sequence(_) | CellKind::Score(_) => {}
            CellKind::Held(..) => return None,
        }
        Some(observation)
    }

    /// The bounds of the cell's event log.
    pub const fn shape(&self) -> Shape {
        match &self.kind {
            CellKind::Events(shape, _) => *shape,
            CellKind::Sequence(sequence) => sequence.shape(),
            _ => Shape {
                keep: Keep::All,
                within: None,
            },
        }
    }

    /// The paths of events that the cell reads, besides those of its matchers' conditions.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Vec<String>> {
        let noted = match &self.kind {
            CellKind::Events(_, note) => match note {
                Note::Number(path)
                | Note::Identity(path)
                | Note::Fits(path, _)
                | Note::IdentityFits(path, _) => Some(path),
                Note::Nothing => None,
            },
            CellKind::Affinity(_, path, _) => Some(path),
            _ => None,
        };
        self.by.iter().chain(noted)
    }

    /// Whether all that the definition says is within its bounds, so that nothing that reads it can fail.
    pub(crate) fn check(&self) -> Option<()> {
        let duration = |duration: i64| (duration > 0 && duration <= LONGEST).then_some(());
        let matchers = self.matchers.len();
        if matchers > MAX_MATCHERS {
            return None;
        }
        for matcher in &self.matchers {
            if let Some(condition) = &matcher.condition {
                condition.check(0, 0)?;
            }
        }
        match &self.kind {
            CellKind::Events(shape, note) => {
                shape.within.map_or(Some(()), duration)?;
                if shape.capacity() == 0 {
                    return None;
                }
                if let Note::Fits(_, is) | Note::IdentityFits(_, is) = note {
                    is.check(0, 0)?;
                }
            }
            CellKind::Sequence(sequence) => {
                let known = |matcher: u8| (usize::from(matcher) < matchers).then_some(());
                for step in &sequence.steps {
                    known(step.matcher)?;
                    step.gap.map_or(Some(()), duration)?;
                }
                sequence.within.map_or(Some(()), duration)?;
                if let Some((matcher, quiet)) = sequence.quiet {
                    known(matcher)?;
                    duration(quiet)?;
                }
                if sequence.steps.is_empty() || sequence.steps.len() > MAX_MATCHERS {
                    return None;
                }
            }
            CellKind::Score(decay) | CellKind::Affinity(decay, ..) => {
                duration(decay.half_life)?;
                let is_finite = decay.points.iter().chain(&decay.cap).all(|p| p.is_finite());
                if !is_finite || decay.points.len() != matchers {
                    return None;
                }
            }
            CellKind::Held(_, is) => is.check(0, 0)?,
        }
        Some(())
    }
}

impl Decay {
    /// The points of an event that fits these matchers.
    pub fn points_of(&self, fitting: u32) -> f64 {
        let fits = |place: usize| fitting >> place & 1 == 1;
        let points = self.points.iter().enumerate();
        points
            .filter(|(place, _)| fits(*place))
            .map(|(_, points)| points)
            .sum()
    }
}

/// What tells plain values apart; `None` for what is no plain value.
pub(crate) fn identity(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => Some(fnv1a_32(text.as_bytes())),
        Value::Number(_) | Value::Bool(_) => Some(fnv1a_32(value.to_text().as_bytes())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The longest value whose affinity is kept, in bytes.
pub(crate) const MAX_AFFINITY_VALUE: usize = 64;

/// The text of a value whose affinity is kept; `None` for what is no plain value, is empty or too long.
pub(crate) fn affinity_value(value: Cow<'_, Value>) -> Option<Cow<'_, str>> {
    let text = match value {
        Cow::Borrowed(Value::String(text)) => Cow::Borrowed(text.as_str()),
        Cow::Owned(Value::String(text)) => Cow::Owned(text),
        value => match &*value {
            Value::Number(_) | Value::Bool(_) => Cow::Owned(value.to_text()),
            _ => return None,
        },
    };
    (!text.is_empty() && text.len() <= MAX_AFFINITY_VALUE).then_some(text)
}
