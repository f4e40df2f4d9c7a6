//! Conditions: compiled once, evaluated often.
//!
//! A condition is a list of nodes in which each node comes after those that it uses, the root last; so
//! that no input can make one that is circular or too deep.

use crate::cell::measure::Measure;
use crate::event::Event;
use crate::flow::Flow;
use crate::near::Circle;
use crate::path::{Path, Slots};
use crate::regex::Regex;
use crate::sticky::Remembered;
use crate::value::Value;
use crate::value_tests::{Set, compare, in_lower_case, same, same_ignoring_case};
use crate::version::{self, VersionTest};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The place of a node in its condition.
pub type NodeId = u16;

/// The deepest nesting of nodes that a condition may have.
pub const MAX_NESTING: usize = 64;

/// An ordering that a value must have to a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
}

impl Comparison {
    /// Whether this is the order that is asked for.
    pub(crate) fn allows(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Less => ordering == Ordering::Less,
            Comparison::LessOrEqual => ordering != Ordering::Greater,
            Comparison::Greater => ordering == Ordering::Greater,
            Comparison::GreaterOrEqual => ordering != Ordering::Less,
        }
    }
}

/// Where in a text another text must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextPlace {
    /// At the start.
    Start,
    /// At the end.
    End,
    /// Anywhere.
    Anywhere,
}

/// One node of a condition. Programs have thousands, so what is large stands elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Node {
    /// All of the nodes hold; an empty list holds.
    All(Vec<NodeId>),
    /// Any of the nodes holds; an empty list does not.
    Any(Vec<NodeId>),
    /// The node does not hold.
    Not(NodeId),
    /// The node holds for the attribute at this path.
    Attribute(Path, NodeId),
    /// The node holds for what the cell measures; nothing to measure does not.
    Measure(u16, Measure, NodeId),
    /// The node holds for one of the groups that these cells have.
    AnyGroup(Vec<u16>, NodeId),
    /// The visitor is in the segment.
    Segment(u16),
    /// A bare constant, `"path": constant`: the value is the constant, of the same type; a list or object in
    /// all that it holds.
    Is(Value),
    /// `$eq`: the value is the constant, of the same type. As in JavaScript, no list or object equals another.
    Equal(Value),
    /// `$lt`, `$lte`, `$gt`, `$gte`.
    Compare(Comparison, Value),
    /// `$in`, `$ini`: the value, or one of the list's items, is one of the constants; `true` ignores the case.
    In(Box<Set>, bool),
    /// `$exists: true`.
    Exists,
    /// `$type`.
    Type(String),
    /// `$size`: the node holds for the list's length.
    Size(NodeId),
    /// `$elemMatch`: the node holds for an item of the list.
    Element(NodeId),
    /// `$all`: each of the nodes holds for an item of the list.
    Every(Vec<NodeId>),
    /// `$startsWith`, `$endsWith`, `$contains`; `true` ignores the case.
    Text(TextPlace, String, bool),
    /// `$inGroup`: the value, or one of the list's items, is in the group.
    Group(u16),
    /// An item of `$alli`: the value is the constant, which is in lower case, or a text that differs in case.
    IsIgnoringCase(Value),
    /// `$veq`, `$vlt`, `$vlte`, `$vgt`, `$vgte`.
    Version(VersionTest, Value),
    /// `$near`.
    Near(Box<Circle>),
    /// `$regex`, `$regexi`.
    Regex(Box<Regex>),
    /// `$feature`: the node holds for what this path of the feature's value leads to.
    Feature(u16, Vec<String>, NodeId),
}

impl Node {
    /// Appends the numbers with which a test compares; false if it is no comparison with numbers.
    pub(crate) fn numbers(&self, numbers: &mut Vec<f64>) -> bool {
        match self {
            Node::Is(Value::Number(number))
            | Node::Equal(Value::Number(number))
            | Node::Compare(_, Value::Number(number)) => {
                numbers.push(*number);
                true
            }
            Node::In(values, _) => {
                numbers.extend(values.numbers());
                true
            }
            _ => false,
        }
    }
}

/// A compiled condition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Condition {
    pub(crate) nodes: Vec<Node>,
    /// Made from the nodes, and no part of what the condition means.
    #[serde(skip)]
    flow: Option<Box<Flow>>,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.nodes == other.nodes
    }
}

/// What a condition reads.
pub trait Attributes {
    /// The value at a path; `None` if there is none.
    fn attribute(&self, path: &[String]) -> Option<Cow<'_, Value>>;
    /// What the cell measures, in one of its groups.
    fn measure(&self, cell: usize, measure: Measure, group: Option<u32>) -> Option<f64>;
    /// The group at a place among the cell's.
    fn group(&self, cell: usize, place: usize) -> Option<u32>;
    /// Whether the visitor is in the segment.
    fn in_segment(&self, segment: usize) -> bool;
    /// What is the same for all conditions that are evaluated together.
    fn shared(&self) -> Shared<'_> {
        Shared::default()
    }
    /// The value that was decided for a feature; `None` if it has none.
    fn feature(&self, _feature: usize) -> Option<&Value> {
        None
    }
    /// The assignments that the visitor keeps.
    fn remembered(&self) -> &[Remembered] {
        &[]
    }
}

/// What is the same for all conditions that are evaluated together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shared<'a> {
    /// The groups that conditions refer to by their place.
    pub(crate) groups: &'a [Set],
    /// What the paths with a slot lead to.
    pub(crate) slots: &'a Slots<'a>,
}

/// A run of a condition.
pub(crate) struct Run<'c> {
    nodes: &'c [Node],
    pub(crate) shared: Shared<'c>,
}

impl Condition {
    /// A condition of nodes in which each comes after those that it uses, the root last.
    pub(crate) const fn new(nodes: Vec<Node>) -> Self {
        Self { nodes, flow: None }
    }

    /// Whether the condition holds.
    pub fn holds(&self, attributes: &dyn Attributes) -> bool {
        self.holds_among(attributes.shared(), attributes)
    }

    /// Whether the condition holds, for who knows already what all conditions share.
    pub(crate) fn holds_among(&self, shared: Shared<'_>, attributes: &dyn Attributes) -> bool {
        let run = self.run(shared);
        match &self.flow {
            Some(flow) if !shared.slots.is_empty() => flow.run(&run, attributes),
            _ => run.root(&Subject::Document(attributes)),
        }
    }

    /// Whether the condition holds for an event.
    pub fn holds_for_event(&self, event: &Event) -> bool {
        self.run(Shared::default())
            .root(&Subject::Document(&EventAttributes(event)))
    }

    /// Whether the condition, which is about a value, holds for it.
    pub(crate) fn fits(&self, value: Option<&Value>) -> bool {
        self.run(Shared::default()).root(&Subject::Value(value))
    }

    /// Makes what is made from the rest.
    pub(crate) fn prepare(&mut self) {
        for node in &mut self.nodes {
            if let Node::Regex(regex) = node {
                regex.prepare();
            }
        }
        self.flow = Flow::new(&self.nodes).map(Box::new);
    }

    /// The nodes, the root last.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) const fn run<'c>(&'c self, shared: Shared<'c>) -> Run<'c> {
        Run {
            nodes: self.nodes.as_slice(),
            shared,
        }
    }
}

impl Run<'_> {
    fn root(&self, subject: &Subject<'_>) -> bool {
        self.nodes.last().is_some_and(|root| self.node(root, subject))
    }

    /// Whether a node holds.
    pub(crate) fn at(&self, id: NodeId, subject: &Subject<'_>) -> bool {
        self.nodes
            .get(usize::from(id))
            .is_some_and(|node| self.node(node, subject))
    }

    fn node(&self, node: &Node, subject: &Subject<'_>) -> bool {
        let attributes = match subject {
            Subject::Value(value) => return self.test(node, value.unwrap_or(&NULL)),
            Subject::Document(attributes) | Subject::Group(attributes, _) => *attributes,
        };
        match node {
            Node::All(nodes) => nodes.iter().all(|id| self.at(*id, subject)),
            Node::Any(nodes) => nodes.iter().any(|id| self.at(*id, subject)),
            Node::Not(id) => !self.at(*id, subject),
            Node::Attribute(path, id) => match self.shared.slots.get(usize::from(path.slot())) {
                Some(value) => self.fits(*id, value.unwrap_or(&NULL)),
                None => self.fits(*id, subject.at(path).as_deref().unwrap_or(&NULL)),
            },
            Node::Measure(cell, measure, id) => {
                let group = match subject {
                    Subject::Group(_, group) => Some(*group),
                    _ => None,
                };
                let measured = attributes.measure(usize::from(*cell), *measure, group);
                measured.is_some_and(|number| self.fits(*id, &Value::Number(number)))
            }
            Node::AnyGroup(cells, id) => match subject {
                Subject::Document(_) => cells.iter().any(|cell| {
                    let groups = (0..).map_while(|place| attributes.group(usize::from(*cell), place));
                    groups
                        .into_iter()
                        .any(|group| self.at(*id, &Subject::Group(attributes, group)))
                }),
                _ => false,
            },
            Node::Segment(segment) => match subject {
                Subject::Document(_) => attributes.in_segment(usize::from(*segment)),
                _ => false,
            },
            Node::Feature(feature, path, id) => match subject {
                Subject::Document(_) => {
                    let value = attributes.feature(usize::from(*feature));
                    self.fits(*id, value.and_then(|value| value.at(path)).unwrap_or(&NULL))
                }
                _ => false,
            },
            node => self.test(node, &NULL),
        }
    }

    /// Whether a node holds for a value.
    pub(crate) fn fits(&self, id: NodeId, value: &Value) -> bool {
        self.nodes
            .get(usize::from(id))
            .is_some_and(|node| self.test(node, value))
    }

    fn test(&self, node: &Node, value: &Value) -> bool {
        match (node, value) {
            (Node::All(nodes), _) => nodes.iter().all(|id| self.fits(*id, value)),
            (Node::Any(nodes), _) => nodes.iter().any(|id| self.fits(*id, value)),
            (Node::Not(id), _) => !self.fits(*id, value),
            (Node::Attribute(path, id), _) => {
                let value = Subject::Value(Some(value));
                self.fits(*id, value.at(path).as_deref().unwrap_or(&NULL))
            }
            (Node::Is(constant), _) => value == constant,
            (Node::Equal(constant), _) => same(value, constant),
            (Node::Compare(comparison, constant), _) => compare(value, *comparison, constant),
            (Node::In(set, ignore_case), _) => set.meets(value, *ignore_case),
            (Node::Group(group), _) => {
                let group = self.shared.groups.get(usize::from(*group));
                group.is_some_and(|group| group.meets(value, false))
            }
            (Node::IsIgnoringCase(constant), _) => same_ignoring_case(value, constant),
            (Node::Version(test, constant), _) => version::holds(value, *test, constant),
            (Node::Near(circle), _) => circle.contains(value),
            (Node::Regex(regex), Value::String(text)) => regex.is_match(text),
            (Node::Exists, _) => !value.is_null(),
            (Node::Type(name), _) => type_name(value) == name,
            (Node::Size(id), Value::Array(items)) => self.fits(*id, &Value::Number(items.len() as f64)),
            // Items that are nothing are passed over.
            (Node::Element(id), Value::Array(items)) => {
                items.iter().any(|item| !item.is_null() && self.fits(*id, item))
            }
            (Node::Every(nodes), Value::Array(items)) => nodes
                .iter()
                .all(|id| items.iter().any(|item| self.fits(*id, item))),
            (Node::Text(place, needle, true), Value::String(text)) => {
                in_lower_case(text, |text| fits(text, *place, needle))
            }
            (Node::Text(place, needle, false), Value::String(text)) => fits(text, *place, needle),
            (
                Node::Regex(_)
                | Node::Size(_)
                | Node::Element(_)
                | Node::Every(_)
                | Node::Text(..)
                | Node::Measure(..)
                | Node::AnyGroup(..)
                | Node::Segment(_)
                | Node::Feature(..),
                _,
            ) => false,
        }
    }
}

impl Condition {
    /// The numbers that the test at a node compares a number with.
    pub(crate) fn numbers_compared(&self, id: NodeId, numbers: &mut Vec<f64>) {
        match self.nodes.get(usize::from(id)) {
            Some(Node::All(nodes) | Node::Any(nodes)) => {
                nodes.iter().for_each(|id| self.numbers_compared(*id, numbers));
            }
            Some(Node::Not(id)) => self.numbers_compared(*id, numbers),
            Some(leaf) => {
                leaf.numbers(numbers);
            }
            None => {}
        }
    }

    /// Whether each reference leads to something before it, so that evaluation is bounded.
    pub(crate) fn check(&self, segments: usize, cells: usize) -> Option<()> {
        let mut depths: Vec<usize> = Vec::with_capacity(self.nodes.len());
        let mut used = vec![false; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            let mut depth = 0;
            let mut child = |id: &NodeId| {
                let id = usize::from(*id);
                // Each node has one user: shared nodes could make evaluation exponential.
                if id >= index || std::mem::replace(used.get_mut(id)?, true) {
                    return None;
                }
                depth = depth.max(depths.get(id)? + 1);
                Some(())
            };
            match node {
                Node::All(nodes) | Node::Any(nodes) | Node::Every(nodes) => {
                    nodes.iter().try_for_each(&mut child)?;
                }
                Node::Not(id)
                | Node::Attribute(_, id)
                | Node::Size(id)
                | Node::Element(id)
                | Node::Feature(_, _, id) => child(id)?,
                Node::Measure(cell, _, id) => {
                    if usize::from(*cell) >= cells {
                        return None;
                    }
                    child(id)?;
                }
                Node::AnyGroup(grouped, id) => {
                    if grouped.iter().any(|cell| usize::from(*cell) >= cells) {
                        return None;
                    }
                    child(id)?;
                }
                Node::Segment(segment) => {
                    if usize::from(*segment) >= segments {
                        return None;
                    }
                }
                Node::Regex(regex) => regex.check().then_some(())?,
                Node::Is(_)
                | Node::Equal(_)
                | Node::Compare(..)
                | Node::In(..)
                | Node::Group(_)
                | Node::IsIgnoringCase(_)
                | Node::Version(..)
                | Node::Near(_)
                | Node::Exists
                | Node::Type(_)
                | Node::Text(..) => {}
            }
            if depth > MAX_NESTING {
                return None;
            }
            depths.push(depth);
        }
        (!self.nodes.is_empty()).then_some(())
    }

    /// Whether the groups and features that the condition refers to are there.
    pub(crate) fn refers_within(&self, groups: usize, features: usize) -> bool {
        self.nodes.iter().all(|node| match node {
            Node::Group(group) => usize::from(*group) < groups,
            Node::Feature(feature, ..) => usize::from(*feature) < features,
            _ => true,
        })
    }
}

/// What a node is asked about.
pub(crate) enum Subject<'a> {
    Document(&'a dyn Attributes),
    Group(&'a dyn Attributes, u32),
    Value(Option<&'a Value>),
}

static NULL: Value = Value::Null;

impl Subject<'_> {
    /// The value at a path.
    pub(crate) fn at(&self, path: &[String]) -> Option<Cow<'_, Value>> {
        let at = |path| match self {
            Subject::Document(attributes) | Subject::Group(attributes, _) => attributes.attribute(path),
            Subject::Value(value) => value.and_then(|value| value.at(path)).map(Cow::Borrowed),
        };
        at(path).or_else(|| match path {
            // As in JavaScript, a list has a length.
            [list @ .., last] if last == "length" && !list.is_empty() => match at(list).as_deref() {
                Some(Value::Array(items)) => Some(Cow::Owned(Value::Number(items.len() as f64))),
                _ => None,
            },
            _ => None,
        })
    }
}

/// The value of an event at a path.
pub(crate) fn event_attribute<'e>(event: &'e Event, path: &[String]) -> Option<Cow<'e, Value>> {
    let (root, rest) = path.split_first()?;
    match root.as_str() {
        "properties" => event.properties.at(rest).map(Cow::Borrowed),
        "context" => event.context.at(rest).map(Cow::Borrowed),
        "traits" => event.traits.at(rest).map(Cow::Borrowed),
        "type" if rest.is_empty() => Some(Cow::Owned(Value::from(event.kind.name()))),
        "name" if rest.is_empty() => Some(Cow::Owned(Value::from(event.name.as_str()))),
        _ => None,
    }
}

/// An event as a document: `type`, `name`, `properties`, `context`, `traits`.
struct EventAttributes<'a>(&'a Event);

impl Attributes for EventAttributes<'_> {
    fn attribute(&self, path: &[String]) -> Option<Cow<'_, Value>> {
        event_attribute(self.0, path)
    }

    fn measure(&self, _: usize, _: Measure, _: Option<u32>) -> Option<f64> {
        None
    }

    fn group(&self, _: usize, _: usize) -> Option<u32> {
        None
    }

    fn in_segment(&self, _: usize) -> bool {
        false
    }
}

fn fits(text: &str, place: TextPlace, needle: &str) -> bool {
    match place {
        TextPlace::Start => text.starts_with(needle),
        TextPlace::End => text.ends_with(needle),
        TextPlace::Anywhere => text.contains(needle),
    }
}

/// The name of a value's type; what is missing is nothing, as `null` is.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
