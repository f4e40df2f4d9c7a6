//! The trace of a condition.

use super::Asked;
use super::test::test;
use crate::aging::AgingTrait;
use crate::cell::measure::Measure;
use crate::cell::spec::{CellKind, CellSpec, Matcher, Note, Scope};
use crate::condition::{Attributes, Condition, Node, NodeId, Run, Subject};
use crate::sort::sort_by;
use crate::time::Timestamp;
use crate::value::{Object, Value};

/// Longer texts are cut.
const MAX_TEXT: usize = 120;

/// The trace of a condition over the decision's document.
pub(super) fn trace(asked: &Asked<'_>, condition: &Condition) -> Value {
    let walk = Walk {
        asked,
        condition,
        run: condition.run(asked.reading.shared()),
    };
    match condition.nodes().len().checked_sub(1) {
        Some(root) => walk.node(root as NodeId, &Subject::Document(&asked.reading)),
        None => Value::Null,
    }
}

struct Walk<'a> {
    asked: &'a Asked<'a>,
    condition: &'a Condition,
    run: Run<'a>,
}

impl Walk<'_> {
    fn node(&self, id: NodeId, subject: &Subject<'_>) -> Value {
        let mut object = Object::new();
        object.insert("holds", self.run.at(id, subject));
        let list = |nodes: &[NodeId]| nodes.iter().map(|id| self.node(*id, subject)).collect::<Vec<_>>();
        match self.condition.nodes().get(usize::from(id)) {
            // One of one is that one.
            Some(Node::All(nodes) | Node::Any(nodes)) if nodes.len() == 1 => {
                return nodes
                    .first()
                    .map_or(Value::Null, |only| self.node(*only, subject));
            }
            Some(Node::All(nodes)) => object.insert("all", list(nodes)),
            Some(Node::Any(nodes)) => object.insert("any", list(nodes)),
            Some(Node::Not(id)) => object.insert("not", self.node(*id, subject)),
            Some(Node::Segment(segment)) => {
                let segment = self.asked.program.segments.get(usize::from(*segment));
                object.insert("segment", segment.map(|segment| segment.id.as_str()));
            }
            Some(Node::Feature(feature, path, id)) => {
                let known = self.asked.program.features.get(usize::from(*feature));
                object.insert("feature", known.map(|feature| feature.id.as_str()));
                let value = self.asked.reading.feature(usize::from(*feature));
                object.insert(
                    "value",
                    brief(value.and_then(|value| value.at(path)).unwrap_or(&Value::Null)),
                );
                object.insert("test", test(self.condition, *id));
            }
            Some(Node::Attribute(path, id)) => {
                let value = subject.at(path);
                object.insert("path", path.join("."));
                object.insert("value", brief(value.as_deref().unwrap_or(&Value::Null)));
                object.insert("test", test(self.condition, *id));
                if let Some((at, by)) = self.observed(path) {
                    insert_observed(&mut object, at, by);
                }
                self.insert_age(&mut object, path);
            }
            Some(Node::Measure(cell, measure, id)) => {
                self.measure(&mut object, *cell, *measure, *id, subject);
            }
            Some(Node::AnyGroup(cells, id)) => self.groups(&mut object, cells, *id, subject),
            _ => object.insert("test", test(self.condition, id)),
        }
        Value::Object(object)
    }

    fn measure(&self, object: &mut Object, cell: u16, measure: Measure, id: NodeId, subject: &Subject<'_>) {
        let cell = usize::from(cell);
        let group = match subject {
            Subject::Group(_, group) => Some(*group),
            _ => None,
        };
        let value = self.asked.reading.measure(cell, measure, group);
        object.insert("measure", measure.name());
        let named = self.asked.program.scores.iter();
        if let Some((name, _)) = named.into_iter().find(|(_, known)| usize::from(*known) == cell) {
            object.insert("score", name.as_str());
        }
        // JSON has no infinity.
        object.insert("value", value.filter(|value| value.is_finite()));
        object.insert("test", test(self.condition, id));
        let (Some(cell), Some(spec)) = (
            self.asked.state.cells.get(cell),
            self.asked.program.cells.get(cell),
        ) else {
            return;
        };
        object.insert("events", events(spec));
        if !cell.is_exact(spec) {
            object.insert("exact", false);
        }
        if let Some(at) = cell.newest_at() {
            insert_observed(object, at, "event");
        }
    }

    /// The group that decided: the first that holds, or else the most recent one.
    fn groups(&self, object: &mut Object, cells: &[u16], id: NodeId, subject: &Subject<'_>) {
        let Subject::Document(attributes) = subject else {
            return;
        };
        let groups = cells
            .iter()
            .flat_map(|cell| (0..).map_while(|place| attributes.group(usize::from(*cell), place)));
        let mut known: Vec<u32> = groups.collect();
        sort_by(&mut known, |a, b| a < b);
        known.dedup();
        object.insert("groups", known.len() as f64);
        let holding = known
            .iter()
            .find(|group| self.run.at(id, &Subject::Group(*attributes, **group)));
        if let Some(group) = holding.or(known.last()) {
            object.insert("group", self.node(id, &Subject::Group(*attributes, *group)));
        }
    }

    /// The declaration of how old the attribute at a path may be.
    fn aging(&self, path: &[String]) -> Option<&AgingTrait> {
        let [profile, traits, path @ ..] = path else {
            return None;
        };
        let is_trait = profile == "profile" && traits == "traits";
        self.asked.program.aging_trait(path).filter(|_| is_trait)
    }

    /// How old the attribute may be, and, if it is older, what became of it.
    fn insert_age(&self, object: &mut Object, path: &[String]) {
        let Some(aging) = self.aging(path) else { return };
        object.insert("maxAge", aging.max_age as f64);
        let below_profile = path.get(1..).unwrap_or_default();
        let is_known = self.asked.state.profile.attribute(below_profile).is_some();
        let stale = path.get(2..).and_then(|path| self.asked.reading.stale(path));
        if let Some(stale) = stale.filter(|_| is_known) {
            object.insert("whenStale", stale.when_stale().name());
        }
    }

    /// When the attribute at a path was observed, and by what.
    fn observed(&self, path: &[String]) -> Option<(Timestamp, &'static str)> {
        let state = self.asked.state;
        let affinity = || {
            let (_, cell) = self
                .asked
                .program
                .affinities
                .iter()
                .find(|(name, _)| Some(name) == path.get(1))?;
            state.cells.get(usize::from(*cell))?.newest_at()
        };
        let known = match (path.first()?.as_str(), path.get(1).map_or("", String::as_str)) {
            ("request" | "visitor", _) => (self.asked.now, "request"),
            ("session", _) => (state.session.last_at, "event"),
            ("profile", "consent") => (self.asked.now, "request"),
            ("profile", "sessions") => (state.session.last_at, "event"),
            ("profile", "firstSeenAt") => (state.profile.first_seen_at, "event"),
            ("profile", "traits") if self.aging(path).is_some() => {
                (self.asked.reading.told_at(self.aging(path)?), "identify")
            }
            ("profile", _) if state.profile.snapshot_at > state.profile.traits_at => {
                (state.profile.snapshot_at, "origin")
            }
            ("profile", _) => (state.profile.traits_at, "identify"),
            ("affinity", _) => (affinity()?, "event"),
            _ => return None,
        };
        (known.0 > 0).then_some(known)
    }
}

fn insert_observed(object: &mut Object, at: Timestamp, by: &str) {
    object.insert("observedAt", at as f64);
    object.insert("by", by);
}

/// Which events a cell keeps, as its author wrote them.
fn events(spec: &CellSpec) -> Value {
    let mut object = Object::new();
    let matchers = || spec.matchers.iter().map(matcher).collect::<Vec<_>>();
    match &spec.kind {
        CellKind::Events(shape, note) => {
            if let Some(Value::Object(only)) = matchers().into_iter().next() {
                object = only;
            }
            if let Some(within) = shape.within {
                object.insert("within", within as f64);
            }
            if let Note::Number(path)
            | Note::Identity(path)
            | Note::Fits(path, _)
            | Note::IdentityFits(path, _) = note
            {
                object.insert("of", path.join("."));
            }
        }
        CellKind::Sequence(sequence) => {
            let steps = sequence.steps.iter().flat_map(|step| {
                let nots = (0..spec.matchers.len()).filter(|place| step.without >> place & 1 == 1);
                let nots = nots.filter_map(|place| Some(not(spec.matchers.get(place)?, None)));
                let own = spec.matchers.get(usize::from(step.matcher)).map(matcher);
                let own = own.map(|own| match (own, step.gap) {
                    (Value::Object(mut own), Some(gap)) => {
                        own.insert("within", gap as f64);
                        Value::Object(own)
                    }
                    (own, _) => own,
                });
                nots.chain(own).collect::<Vec<_>>()
            });
            let mut steps: Vec<Value> = steps.collect();
            if let Some((place, quiet)) = sequence.quiet {
                steps.extend(
                    spec.matchers
                        .get(usize::from(place))
                        .map(|matcher| not(matcher, Some(quiet))),
                );
            }
            object.insert("steps", steps);
            if let Some(within) = sequence.within {
                object.insert("within", within as f64);
            }
        }
        CellKind::Score(_) | CellKind::Affinity(..) => object.insert("on", matchers()),
        CellKind::Held(path, _) => object.insert("path", format!("profile.{}", path.join("."))),
    }
    if let Some(path) = &spec.by {
        object.insert("by", path.join("."));
    }
    if spec.scope == Scope::Session {
        object.insert("in", "session");
    }
    Value::Object(object)
}

fn matcher(matcher: &Matcher) -> Value {
    let mut object = Object::new();
    if let Some(kind) = matcher.kind {
        object.insert("type", kind.name());
    }
    if let Some(name) = &matcher.name {
        object.insert("name", name.as_str());
    }
    if let Some(condition) = &matcher.condition {
        object.insert("where", super::test::whole(condition));
    }
    Value::Object(object)
}

fn not(barred: &Matcher, quiet: Option<i64>) -> Value {
    let mut object = Object::new();
    object.insert("not", matcher(barred));
    if let Some(quiet) = quiet {
        object.insert("for", quiet as f64);
    }
    Value::Object(object)
}

/// A value that is not too long to show.
pub(super) fn brief(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let mut end = MAX_TEXT;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            Value::from(format!("{}…", &text[..end]))
        }
        Value::Array(items) if items.len() > 8 => Value::from(format!("a list of {}", items.len())),
        Value::Array(items) => Value::Array(items.iter().map(brief).collect()),
        Value::Object(object) if object.len() > 8 => Value::from(format!("an object of {}", object.len())),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key, brief(value)))
            .collect::<Object>()
            .into(),
        plain => plain.clone(),
    }
}
