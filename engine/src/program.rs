//! A compiled manifest: what `fold` and `decide` run.

use crate::cell::Shape;
use crate::condition::Condition;
use crate::event::{Event, EventKind};
use crate::hash::fnv1a_64;
use crate::mutation::Mutation;
use crate::pages::PagePattern;
use crate::time::{LONGEST, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The first bytes of a program's binary form; the last digit is the form's version.
const MAGIC: &[u8; 4] = b"NSP1";

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

/// The definition of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellSpec {
    /// Identifies the definition; state is carried over to a new program by it.
    pub key: u32,
    /// Where the memory ends.
    pub scope: Scope,
    /// Which events are kept.
    pub matcher: Matcher,
    /// The window's length in milliseconds.
    pub within: Option<i64>,
    /// How many of the newest events decide; `None` when more than a cell keeps exactly.
    pub enough: Option<u8>,
}

impl CellSpec {
    /// The bounds of the cell.
    pub const fn shape(&self) -> Shape {
        Shape {
            enough: self.enough,
            within: self.within,
        }
    }
}

/// A named set of visitors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The author's name for it.
    pub id: String,
    /// Who is in it.
    pub condition: Condition,
}

/// Whether an experience is shown at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It is decided for each visitor.
    Running,
    /// The author has switched it off.
    Paused,
    /// It could not be compiled; a warning says why.
    Invalid,
}

/// One of the things that visitors may get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The author's name for it.
    pub id: String,
    /// Its share of the visitors; the shares of an experience add up to 1.
    pub weight: f64,
    /// What it changes in the page.
    pub mutations: Vec<Mutation>,
}

/// What some visitors see differently, on some pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experience {
    /// The author's name for it.
    pub id: String,
    /// What the assignment's hash starts from; the id, unless the author gives another.
    pub seed: String,
    /// Whether it is shown at all.
    pub status: Status,
    /// The pages it is for; every page, if there are none.
    pub pages: Vec<PagePattern>,
    /// Who it is for; everybody, if there is none.
    pub condition: Option<Condition>,
    /// The first instant at which it runs.
    pub starts_at: Option<Timestamp>,
    /// The first instant at which it runs no more.
    pub ends_at: Option<Timestamp>,
    /// The share of visitors that it is assigned to, of those who are not held out.
    pub traffic: f64,
    /// The share of visitors who never get it, so that its effect can be known.
    pub holdout: f64,
    /// At most one experience of a group is given on a page.
    pub group: Option<String>,
    /// The higher one is decided first.
    pub priority: f64,
    /// What visitors may get.
    pub variants: Vec<Variant>,
}

/// What holds for the whole site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Pages that are never touched.
    pub exclude: Vec<PagePattern>,
    /// Whether a visitor must agree before anything is stored.
    pub consent_required: bool,
    /// Whether a browser gets the traits that its person told in others. Anybody can say that they are
    /// somebody, so this is for sites whose user ids nobody can guess.
    pub shares_traits: bool,
}

/// A compiled manifest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// What holds for the whole site.
    pub site: Site,
    /// The segments, those that others refer to first.
    pub segments: Vec<Segment>,
    /// The experiences in the author's order.
    pub experiences: Vec<Experience>,
    /// Places in `experiences`, in the order of their priority.
    pub by_priority: Vec<u16>,
    /// The cells that all conditions share.
    pub cells: Vec<CellSpec>,
    /// The paths below `profile.traits` that anything reads.
    pub trait_paths: Vec<Vec<String>>,
    /// The paths of events (`properties.…`) that any cell's condition reads.
    pub event_paths: Vec<Vec<String>>,
}

/// Why bytes are not a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramError {
    /// It is another version's form, or no program at all.
    Version,
    /// The checksum does not fit: the bytes were cut or changed.
    Checksum,
    /// The content is not what a compiler wrote.
    Malformed,
}

impl fmt::Display for ProgramError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ProgramError::Version => "not a program of this version",
            ProgramError::Checksum => "the program's checksum does not fit",
            ProgramError::Malformed => "the program is malformed",
        })
    }
}

impl std::error::Error for ProgramError {}

impl Program {
    /// The binary form: a version, the content, and a checksum.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Writing into memory fails for no type that a program has.
        let content = postcard::to_allocvec(self).unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&content);
        let checksum = fnv1a_64(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// When the bytes are not a program of this version, were changed, or are malformed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProgramError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(ProgramError::Version)?;
        let (content, checksum) = rest.split_last_chunk::<8>().ok_or(ProgramError::Checksum)?;
        if fnv1a_64(&bytes[..bytes.len() - 8]) != u64::from_le_bytes(*checksum) {
            return Err(ProgramError::Checksum);
        }
        let program: Self = postcard::from_bytes(content).map_err(|_| ProgramError::Malformed)?;
        program.check().ok_or(ProgramError::Malformed)?;
        Ok(program)
    }

    /// The id of a binary form: the same bytes have the same id, in 16 hexadecimal digits.
    pub fn id_of(bytes: &[u8]) -> String {
        format!("{:016x}", fnv1a_64(bytes))
    }

    /// Whether all references lead somewhere, so that running the program cannot fail.
    fn check(&self) -> Option<()> {
        let (segments, cells) = (self.segments.len(), self.cells.len());
        for (index, segment) in self.segments.iter().enumerate() {
            segment.condition.check(index, cells)?;
        }
        for experience in &self.experiences {
            if let Some(condition) = &experience.condition {
                condition.check(segments, cells)?;
            }
        }
        for cell in &self.cells {
            if let Some(condition) = &cell.matcher.condition {
                condition.check(0, 0)?;
            }
            if cell.within.is_some_and(|within| within <= 0 || within > LONGEST) {
                return None;
            }
        }
        if self.trait_paths.iter().any(Vec::is_empty) {
            return None;
        }
        let in_order = self
            .by_priority
            .iter()
            .all(|index| usize::from(*index) < self.experiences.len());
        (in_order && self.by_priority.len() <= self.experiences.len()).then_some(())
    }

    /// The place of an experience.
    pub fn experience(&self, id: &str) -> Option<usize> {
        self.experiences.iter().position(|experience| experience.id == id)
    }

    /// The places of an experience and of one of its variants.
    pub fn variant(&self, experience: &str, variant: &str) -> Option<(u16, u16)> {
        let place = self.experience(experience)?;
        let variants = &self.experiences.get(place)?.variants;
        let variant = variants.iter().position(|known| known.id == variant)?;
        Some((u16::try_from(place).ok()?, u16::try_from(variant).ok()?))
    }

    /// Whether any cell could keep this event.
    pub fn concerns(&self, event: &Event) -> bool {
        self.cells.iter().any(|cell| cell.matcher.matches(event))
    }
}
