//! A compiled manifest: what `fold` and `decide` run.

pub use crate::cell::spec::{CellKind, CellSpec, Matcher, Scope};
use crate::condition::Condition;
use crate::event::Event;
use crate::hash::fnv1a_64;
use crate::index::Index;
use crate::mutation::Mutation;
use crate::pages::PagePattern;
use crate::time::Timestamp;
use crate::value_tests::Set;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The first bytes of a program's binary form; the last digit is the form's version.
const MAGIC: &[u8; 4] = b"NSP2";

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

impl Experience {
    /// Whether what is decided about it can change by time alone, whatever its condition.
    pub(crate) const fn changes_with_time(&self) -> bool {
        self.starts_at.is_some() || self.ends_at.is_some()
    }

    /// The earliest instant after `now` at which its schedule changes something.
    pub(crate) fn next_change_at(&self, now: Timestamp) -> Option<Timestamp> {
        [self.starts_at, self.ends_at]
            .into_iter()
            .flatten()
            .filter(|at| *at > now)
            .min()
    }
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
    /// The groups that conditions refer to by their place.
    pub(crate) groups: Vec<Set>,
    /// The segments, those that others refer to first.
    pub segments: Vec<Segment>,
    /// The experiences in the author's order.
    pub experiences: Vec<Experience>,
    /// Places in `experiences`, in the order of their priority.
    pub by_priority: Vec<u16>,
    /// The cells that all conditions share.
    pub cells: Vec<CellSpec>,
    /// The scores by name, with the cells that keep them.
    pub scores: Vec<(String, u16)>,
    /// The affinities by name, with the cells that keep them.
    pub affinities: Vec<(String, u16)>,
    /// Whether a session's landing page, referrer and campaign are read.
    pub reads_landing: bool,
    /// The paths below `profile.traits` that anything reads.
    pub trait_paths: Vec<Vec<String>>,
    /// The paths of events (`properties.…`) that any cell's condition reads.
    pub event_paths: Vec<Vec<String>>,
    /// What leads from an event to the cells that it can touch; made from the rest.
    #[serde(skip)]
    pub(crate) index: Index,
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
        let mut program: Self = postcard::from_bytes(content).map_err(|_| ProgramError::Malformed)?;
        program.check().ok_or(ProgramError::Malformed)?;
        program.prepare();
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
            segment
                .condition
                .refers_within(self.groups.len(), 0)
                .then_some(())?;
        }
        for experience in &self.experiences {
            if let Some(condition) = &experience.condition {
                condition.check(segments, cells)?;
            }
        }
        self.cells.iter().try_for_each(CellSpec::check)?;
        let mut keys: Vec<u32> = self.cells.iter().map(|spec| spec.key).collect();
        keys.sort_unstable();
        // A state's bytes name cells by their keys: two with the same one would be mistaken for each other.
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return None;
        }
        let named = self.scores.iter().chain(&self.affinities);
        if named.into_iter().any(|(_, cell)| usize::from(*cell) >= cells) {
            return None;
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

    /// Whether any cell keeps this event.
    pub fn concerns(&self, event: &Event) -> bool {
        let mut cells = Vec::new();
        self.index.cells(event, &mut cells);
        cells.iter().any(|cell| self.observes(*cell, event))
    }

    fn observes(&self, cell: u16, event: &Event) -> bool {
        self.cells
            .get(usize::from(cell))
            .is_some_and(|spec| spec.observe(event).is_some())
    }

    /// Whether two forms of an event mean the same to every cell.
    pub fn means_the_same(&self, event: &Event, other: &Event) -> bool {
        self.cells
            .iter()
            .all(|spec| spec.observe(event) == spec.observe(other))
    }

    /// Makes what is made from the rest. A program that was changed by hand is not run before this.
    pub fn prepare(&mut self) {
        self.index = Index::new(self);
    }
}
