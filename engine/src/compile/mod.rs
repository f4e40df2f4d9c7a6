//! Manifest → program, with warnings.
//!
//! A mistake never takes the manifest down: the segment or experience that has it is left out (an
//! experience stays in the program as `invalid`), and a warning names the place.

mod aging;
mod assignment;
mod attribute;
mod condition;
mod event_condition;
mod experience;
mod features;
mod groups;
mod held;
mod mutation;
mod number;
mod redirect;
mod scores;
mod segments;
mod sequence;
mod value_operator;
mod vocabulary;
mod warning;

pub use vocabulary::{Words, vocabulary};
pub use warning::{Severity, Warning};

use crate::hash::fnv1a_32;
use crate::landing;
use crate::program::{CellSpec, Program, Site};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use warning::{Place, Report, suggestion};

/// What hosts find out of a request only if somebody reads it.
const REQUEST_FACTS: [&str; 6] = ["geo", "language", "device", "browser", "bot", "time"];

/// More of either are a mistake.
const MAX_SEGMENTS: usize = 5_000;
const MAX_EXPERIENCES: usize = 2_000;
/// More event conditions are a mistake: each is a cell of every visitor's state.
const MAX_CELLS: usize = 10_000;

/// Compiles a manifest.
pub fn compile(manifest: &Value) -> (Program, Vec<Warning>) {
    let mut report = Report::default();
    let mut compiler = Compiler::default();
    let root = Place::root();
    let Some(object) = manifest.as_object() else {
        report.error(&root, "a manifest is a JSON object");
        return (compiler.program, report.warnings);
    };
    report.unknown_keys(object, &root, &[vocabulary::MANIFEST]);
    report.texts(object, &root, &["$schema"]);
    compiler.program.site = site(manifest.get("site"), &root.member("site"), &mut report);
    groups::compile(
        &mut compiler,
        manifest.get("groups"),
        &root.member("groups"),
        &mut report,
    );
    scores::compile(&mut compiler, object, &root, &mut report);
    segments::compile(
        &mut compiler,
        manifest.get("segments"),
        &root.member("segments"),
        &mut report,
    );
    features::compile(
        &mut compiler,
        manifest.get("features"),
        &root.member("features"),
        &mut report,
    );
    experience::compile(
        &mut compiler,
        manifest.get("experiences"),
        &root.member("experiences"),
        &mut report,
    );
    aging::compile(
        &mut compiler,
        manifest.get("attributes"),
        &root.member("attributes"),
        &mut report,
    );
    // The longer of two paths comes later, so that it is set inside of the shorter one's value.
    compiler.program.trait_paths.sort();
    compiler.program.prepare();
    (compiler.program, report.warnings)
}

fn site(value: &Value, place: &Place<'_>, report: &mut Report) -> Site {
    let mut site = Site::default();
    match value {
        Value::Null => {}
        Value::Object(object) => {
            report.unknown_keys(object, place, &[vocabulary::SITE]);
            site.exclude = experience::pages(value.get("exclude"), &place.member("exclude"), report);
            match value.get("consent") {
                Value::Null => {}
                Value::String(text) if text == "granted" => {}
                Value::String(text) if text == "required" => site.consent_required = true,
                _ => report.error(&place.member("consent"), "expected `granted` or `required`"),
            }
            match value.get("traits") {
                Value::Null => {}
                Value::String(text) if text == "own" => {}
                Value::String(text) if text == "shared" => site.shares_traits = true,
                _ => report.error(&place.member("traits"), "expected `own` or `shared`"),
            }
        }
        _ => report.error(place, "expected an object"),
    }
    site
}

/// What the parts of the compiler share.
#[derive(Default)]
struct Compiler {
    program: Program,
    /// The names of all segments, also of those that are broken.
    segment_names: BTreeSet<String>,
    /// The places of the segments that are compiled, by their names.
    segment_places: BTreeMap<String, u16>,
    /// Whether the segments, which are decided before all features, are compiled.
    features_may_be_read: bool,
    /// The names of all features, also of those that are broken.
    feature_names: BTreeSet<String>,
    /// The places of the features that are compiled, by their names.
    feature_places: BTreeMap<String, u16>,
    /// The names of all groups, also of those that are broken.
    group_names: BTreeSet<String>,
    /// The places of the groups, by their names.
    group_places: BTreeMap<String, u16>,
    /// The places of the cells, by their keys.
    cell_places: BTreeMap<u32, u16>,
    /// The names of scores and affinities with mistakes.
    broken_scores: Vec<String>,
    broken_affinities: Vec<String>,
}

impl Compiler {
    /// The place of a segment; `None` after an error.
    fn segment(&self, name: &str, place: &Place<'_>, report: &mut Report) -> Option<u16> {
        let found = self.segment_places.get(name).copied();
        if found.is_none() {
            let message = if self.segment_names.contains(name) {
                format!("the segment `{name}` has a mistake of its own")
            } else {
                format!(
                    "there is no segment `{name}`{}",
                    self.segment_suggestion(name, report)
                )
            };
            report.error(place, message);
        }
        found
    }

    /// `: did you mean …?`, where a segment with a similar name is known.
    fn segment_suggestion(&self, name: &str, report: &Report) -> String {
        if !report.may_compare(self.segment_names.len()) {
            return String::new();
        }
        let known: Vec<&str> = self.segment_names.iter().map(String::as_str).collect();
        suggestion(name, &known)
    }

    /// How far the parts are that conditions share, so that those of a broken one can be taken back: each
    /// cell costs room in every visitor's state.
    fn checkpoint(&self) -> [usize; 3] {
        let program = &self.program;
        [
            program.cells.len(),
            program.trait_paths.len(),
            program.event_paths.len(),
        ]
    }

    fn roll_back(&mut self, checkpoint: &[usize; 3]) {
        let [cells, traits, events] = *checkpoint;
        self.program.cells.truncate(cells);
        self.cell_places.retain(|_, place| usize::from(*place) < cells);
        self.program.trait_paths.truncate(traits);
        self.program.event_paths.truncate(events);
    }

    /// Whether the score or affinity that a path of the decision's document begins with is known; an error, if
    /// it is not.
    fn knows(&self, path: &[String], place: &Place<'_>, report: &mut Report) -> bool {
        let (kind, known, broken) = match path.first().map_or("", String::as_str) {
            "score" => ("score", &self.program.scores, &self.broken_scores),
            "affinity" => ("affinity", &self.program.affinities, &self.broken_affinities),
            _ => return true,
        };
        let name = path.get(1).map_or("", String::as_str);
        let is_known = known.iter().any(|(known, _)| known == name);
        if !is_known {
            let message = if broken.iter().any(|broken| broken == name) {
                format!("the {kind} `{name}` has a mistake of its own")
            } else {
                let known: Vec<&str> = known.iter().map(|(known, _)| known.as_str()).collect();
                format!("there is no {kind} `{name}`{}", suggestion(name, &known))
            };
            report.error(place, message);
        }
        is_known
    }

    /// The cell of the score at a path of the decision's document, if it is one.
    fn score(&self, path: &[String]) -> Option<u16> {
        let [root, name] = path else { return None };
        let (_, cell) = self
            .program
            .scores
            .iter()
            .find(|(known, _)| root == "score" && known == name)?;
        Some(*cell)
    }

    /// Notes that something reads this path of the decision's document.
    fn reads(&mut self, path: &[String]) {
        if let [root, traits, rest @ ..] = path
            && root == "profile"
            && traits == "traits"
            && !rest.is_empty()
        {
            let rest = match rest {
                // It is not told with a list but counted.
                [list @ .., last] if last == "length" && !list.is_empty() => list,
                _ => rest,
            };
            add_once(&mut self.program.trait_paths, rest);
        }
        if let [root, rest @ ..] = path
            && root == "request"
        {
            for fact in REQUEST_FACTS {
                // Who reads all of the request reads this, too.
                let is_read = rest.first().is_none_or(|name| name == fact);
                if is_read && !self.program.reads_of_request(fact) {
                    self.program.request_facts.push(fact.to_owned());
                }
            }
        }
        if let [root, name, ..] = path
            && root == "session"
            && matches!(name.as_str(), "landingPage" | "referrer" | "campaign")
            && !self.program.reads_landing
        {
            self.program.reads_landing = true;
            for path in landing::PATHS {
                let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
                add_once(&mut self.program.event_paths, &path);
            }
        }
    }

    /// The place of a cell with this definition (its key aside); the same definition is one cell.
    fn cell(&mut self, mut spec: CellSpec) -> Result<u16, String> {
        spec.key = 0;
        let definition = postcard::to_allocvec(&spec).map_err(|error| error.to_string())?;
        spec.key = fnv1a_32(&definition);
        while let Some(place) = self.cell_places.get(&spec.key) {
            let mut known = self.program.cells[usize::from(*place)].clone();
            known.key = 0;
            if postcard::to_allocvec(&known).is_ok_and(|bytes| bytes == definition) {
                return Ok(*place);
            }
            // Two definitions with the same hash: the later one takes the next free key.
            spec.key = spec.key.wrapping_add(1);
        }
        if self.program.cells.len() >= MAX_CELLS {
            return Err(format!("more than {MAX_CELLS} different event conditions"));
        }
        for condition in spec
            .matchers
            .iter()
            .filter_map(|matcher| matcher.condition.as_ref())
        {
            for node in condition.nodes() {
                if let crate::condition::Node::Attribute(path, _) = node {
                    add_once(&mut self.program.event_paths, path);
                }
            }
        }
        for path in spec.paths() {
            add_once(&mut self.program.event_paths, path);
        }
        let place = u16::try_from(self.program.cells.len()).map_err(|error| error.to_string())?;
        self.cell_places.insert(spec.key, place);
        self.program.cells.push(spec);
        Ok(place)
    }
}

fn add_once(paths: &mut Vec<Vec<String>>, path: &[String]) {
    if !paths.iter().any(|known| known == path) {
        paths.push(path.to_vec());
    }
}

#[cfg(test)]
mod tests;
