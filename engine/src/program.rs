//! A compiled manifest: what `fold` and `decide` run.

use crate::aging::AgingTrait;
use crate::assign::{Seed, Share};
use crate::assignment::Unit;
pub use crate::cell::spec::{CellKind, CellSpec, Matcher, Scope};
use crate::condition::Condition;
use crate::event::Event;
use crate::hash::fnv1a_64;
use crate::index::Index;
use crate::mutation::Mutation;
use crate::pages::PagePattern;
use crate::path;
use crate::sort::sort_by;
use crate::sticky::Stickiness;
use crate::time::{LONGEST, Timestamp};
use crate::value::{MAX_DEPTH, Value};
use crate::value_tests::Set;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The first bytes of a program's binary form; the last digit is the form's version.
const MAGIC: &[u8; 4] = b"NSP4";

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
    /// It has ended: nobody is assigned anything any more.
    Stopped,
    /// It could not be compiled; a warning says why.
    Invalid,
}

/// One of the things that visitors may get.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The author's name for it.
    pub id: String,
    /// What it changes in the page.
    pub mutations: Vec<Mutation>,
}

/// What some visitors see differently, on some pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Experience {
    /// The author's name for it.
    pub id: String,
    /// Whether it is shown at all.
    pub status: Status,
    /// What the visitor must agree to besides personalisation.
    pub purpose: Option<String>,
    /// The pages it is for; every page, if there are none.
    pub pages: Vec<PagePattern>,
    /// Who it is for; everybody, if there is none.
    pub condition: Option<Condition>,
    /// What must hold also for those who keep what they were assigned before.
    pub requires: Option<Condition>,
    /// The first instant at which it runs.
    pub starts_at: Option<Timestamp>,
    /// The first instant at which it runs no more.
    pub ends_at: Option<Timestamp>,
    /// How visitors are given its variants.
    pub assignment: Assignment,
    /// Whether a redirect takes the query parameters of the page along.
    pub keeps_query: bool,
    /// At most one experience of a group is given on a page.
    pub group: Option<String>,
    /// The higher one is decided first.
    pub priority: f64,
    /// What visitors may get.
    pub variants: Vec<Variant>,
}

impl Experience {
    /// The instants at which its schedule or its share of the visitors changes.
    pub(crate) fn instants(&self) -> impl Iterator<Item = Timestamp> {
        self.assignment.instants(self.starts_at, self.ends_at)
    }
}

/// Visitors by their place for a seed: of experiences whose ranges do not meet, each visitor gets one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// Whom the hash is about; the one whom the assignment is about, if there is none.
    pub unit: Option<Unit>,
    /// What the hash starts from.
    pub seed: Seed,
    /// The visitor must be in one of these.
    pub ranges: Vec<(f64, f64)>,
    /// Whether those who keep an assignment must be in one, too.
    pub lasting: bool,
}

/// From an instant on, a share of the visitors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrafficStep {
    /// The first instant.
    pub from: Timestamp,
    /// The share.
    pub share: f64,
}

/// How visitors are given one of several variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Whether visitors are told apart by a hash; else all get the first variant.
    pub hashes: bool,
    /// What the hash starts from.
    pub seed: Seed,
    /// Whom the hash is about.
    pub unit: Unit,
    /// Whom it is about where the unit names nobody.
    pub fallback: Option<Unit>,
    /// The visitor must pass all of them.
    pub filters: Vec<Filter>,
    /// The share of visitors that get a variant, of those who are not held out: steps in the order of time.
    pub traffic: Vec<TrafficStep>,
    /// The share of visitors who never get one, so that the effect can be known.
    pub holdout: Option<(Seed, f64)>,
    /// Whether visitors keep what they got, and how.
    pub sticky: Option<Stickiness>,
    /// The query parameter by which anybody can ask for a variant by its place.
    pub query_override: Option<String>,
    /// The place of the variant that all get who would be assigned one.
    pub release: Option<u16>,
    /// Each variant's part of the visitors.
    pub shares: Vec<Share>,
}

impl Assignment {
    /// The share of visitors that get a variant at an instant.
    pub fn traffic_at(&self, now: Timestamp) -> f64 {
        let passed = self.traffic.partition_point(|step| step.from <= now);
        let step = passed.checked_sub(1).and_then(|last| self.traffic.get(last));
        step.map_or(0.0, |step| step.share)
    }

    /// The instants at which a schedule or the share of the visitors changes.
    fn instants(
        &self,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
    ) -> impl Iterator<Item = Timestamp> {
        let steps = self.traffic.iter().map(|step| step.from);
        steps
            .chain(starts_at)
            .chain(ends_at)
            .filter(|at| *at > Timestamp::MIN)
    }

    /// Whether all fits so many variants.
    fn check(&self, variants: usize) -> Option<()> {
        let fits = self.shares.len() == variants
            && self.release.is_none_or(|release| usize::from(release) < variants)
            && self
                .sticky
                .as_ref()
                .is_none_or(|sticky| sticky.variants.len() == variants)
            && self.traffic.is_sorted_by_key(|step| step.from);
        fits.then_some(())
    }
}

/// A value that a rule gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureVariant {
    /// The author's name for it.
    pub id: String,
    /// The value.
    pub value: Value,
    /// Whether the rules after this one are asked all the same, as for those who are not held out.
    pub passes_through: bool,
}

/// What gives a feature a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The author's name for it; may be empty.
    pub id: String,
    /// Whether it applies at all.
    pub status: Status,
    /// Where this does not hold, the feature has no value, whatever the rules after this one say.
    pub gate: Option<Condition>,
    /// What must hold also for those who keep what they were assigned before.
    pub requires: Option<Condition>,
    /// Who it is for; everybody, if there is none.
    pub condition: Option<Condition>,
    /// The first instant at which it applies.
    pub starts_at: Option<Timestamp>,
    /// The first instant at which it applies no more.
    pub ends_at: Option<Timestamp>,
    /// How visitors are given its variants.
    pub assignment: Assignment,
    /// The values; none for a rule that is a gate alone.
    pub variants: Vec<FeatureVariant>,
}

impl Rule {
    /// The instants at which its schedule or its share of the visitors changes.
    pub(crate) fn instants(&self) -> impl Iterator<Item = Timestamp> {
        self.assignment.instants(self.starts_at, self.ends_at)
    }

    /// All that it asks.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        [&self.gate, &self.requires, &self.condition]
            .into_iter()
            .flatten()
    }
}

/// A named value that the site's own code reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The author's name for it.
    pub id: String,
    /// The value where no rule gives one.
    pub default: Value,
    /// The first that applies gives the value.
    pub rules: Vec<Rule>,
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
    /// The features, sorted by their names.
    pub features: Vec<Feature>,
    /// Places in `features`: each after those that it refers to, without those that are invalid.
    pub feature_order: Vec<u16>,
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
    /// What hosts need not find out of a request unless it is in this list: `geo`, `language`, `device`, `browser`, `bot`,
    /// `time`.
    pub request_facts: Vec<String>,
    /// The traits that may become too old, those with the longest paths first.
    pub aging: Vec<AgingTrait>,
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
        let cells = self.cells.len();
        for (index, segment) in self.segments.iter().enumerate() {
            segment.condition.check(index, cells)?;
            segment
                .condition
                .refers_within(self.groups.len(), 0)
                .then_some(())?;
        }
        for experience in &self.experiences {
            self.check_condition(experience.condition.as_ref())?;
            self.check_condition(experience.requires.as_ref())?;
            // One that is invalid has lost its variants.
            if experience.status != Status::Invalid {
                experience.assignment.check(experience.variants.len())?;
                // Without a hash everybody gets the first variant: there must be one.
                if !experience.assignment.hashes && experience.variants.is_empty() {
                    return None;
                }
            }
        }
        for rule in self.features.iter().flat_map(|feature| &feature.rules) {
            for condition in [&rule.gate, &rule.requires, &rule.condition] {
                self.check_condition(condition.as_ref())?;
            }
            rule.assignment.check(rule.variants.len())?;
        }
        let features_in_order = self
            .feature_order
            .iter()
            .all(|index| usize::from(*index) < self.features.len());
        if !features_in_order || self.feature_order.len() > self.features.len() {
            return None;
        }
        self.cells.iter().try_for_each(CellSpec::check)?;
        let mut keys: Vec<u32> = self.cells.iter().map(|spec| spec.key).collect();
        sort_by(&mut keys, |a, b| a < b);
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
        for aging in &self.aging {
            let nests = aging.default.nests_within(MAX_DEPTH);
            let is_bounded = aging.max_age > 0 && aging.max_age <= LONGEST;
            if aging.path.is_empty() || !is_bounded || !nests || usize::from(aging.cell) >= cells {
                return None;
            }
        }
        let in_order = self
            .by_priority
            .iter()
            .all(|index| usize::from(*index) < self.experiences.len());
        (in_order && self.by_priority.len() <= self.experiences.len()).then_some(())
    }

    fn check_condition(&self, condition: Option<&Condition>) -> Option<()> {
        let Some(condition) = condition else {
            return Some(());
        };
        condition.check(self.segments.len(), self.cells.len())?;
        condition
            .refers_within(self.groups.len(), self.features.len())
            .then_some(())
    }

    /// Whether anything reads this fact of the request: one of those that are worth the question.
    pub fn reads_of_request(&self, fact: &str) -> bool {
        self.request_facts.iter().any(|known| known == fact)
    }

    /// Whether the visitor's state keeps a trait as a whole that has this one in it, and that is told with a value.
    pub(crate) fn keeps_around(&self, path: &[String], told: &Value) -> bool {
        let mut around = self
            .trait_paths
            .iter()
            .filter(|kept| kept.len() < path.len() && path.starts_with(kept));
        around.any(|kept| told.at(kept).is_some())
    }

    /// The place of a feature.
    pub fn feature(&self, id: &str) -> Option<usize> {
        let find = self
            .features
            .binary_search_by(|feature| feature.id.as_str().cmp(id));
        find.ok()
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
        let mut cells = Vec::new();
        self.index.cells(event, &mut cells);
        self.index.cells(other, &mut cells);
        let specs = cells.iter().filter_map(|cell| self.cells.get(usize::from(*cell)));
        specs
            .into_iter()
            .all(|spec| spec.observe(event) == spec.observe(other))
    }

    /// Makes what is made from the rest. A program that was changed by hand is not run before this.
    pub fn prepare(&mut self) {
        self.index = Index::new(self);
        self.index.slots = path::assign(self);
    }
}
