//! Conditions as an author writes them → [`Condition`].

use super::vocabulary::{self, VALUE_TYPE};
use super::warning::{Place, Report, suggestion};
use super::{Compiler, attribute};
use crate::cell::measure::Measure;
use crate::condition::{Comparison, Condition, MAX_NESTING, Node, NodeId, TextPlace};
use crate::value::{MAX_DEPTH, Object, Value};

/// What a condition is about, which decides what may stand in it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum About {
    /// The decision's document.
    Decision,
    /// An event.
    Event,
    /// An item of a list, or a count.
    Value,
}

pub(super) struct ConditionCompiler<'c> {
    compiler: &'c mut Compiler,
    nodes: Vec<Node>,
    pub(super) about: About,
}

impl<'c> ConditionCompiler<'c> {
    /// Compiles a condition over the decision's document; `None` after an error.
    pub(super) fn compile(
        compiler: &'c mut Compiler,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Condition> {
        Self::run(compiler, About::Decision, value, place, report)
    }

    /// Compiles a test of a value: a constant, operators, or a condition over its members.
    pub(super) fn compile_for_value(
        compiler: &'c mut Compiler,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Condition> {
        let errors = report.errors();
        let mut this = Self {
            compiler,
            nodes: Vec::new(),
            about: About::Value,
        };
        this.item(value, place, report, 0)?;
        this.finish(errors, place, report)
    }

    /// Compiles a condition over an event.
    pub(super) fn compile_for_event(
        compiler: &'c mut Compiler,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Condition> {
        Self::run(compiler, About::Event, value, place, report)
    }

    fn run(
        compiler: &'c mut Compiler,
        about: About,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<Condition> {
        let errors = report.errors();
        let mut this = Self {
            compiler,
            nodes: Vec::new(),
            about,
        };
        this.document(value, place, report, 0)?;
        this.finish(errors, place, report)
    }

    fn finish(self, errors: usize, place: &Place<'_>, report: &mut Report) -> Option<Condition> {
        let condition = Condition::new(self.nodes);
        if report.errors() == errors && condition.check(usize::MAX, usize::MAX).is_none() {
            // Some operators are two nodes deep. What `Program::from_bytes` refuses must not be compiled.
            report.error(
                place,
                format!("the condition nests deeper than {MAX_NESTING} levels"),
            );
        }
        (report.errors() == errors).then_some(condition)
    }

    pub(super) fn shared(&mut self) -> &mut Compiler {
        self.compiler
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn push(&mut self, node: Node, place: &Place<'_>, report: &mut Report) -> Option<NodeId> {
        let Ok(id) = NodeId::try_from(self.nodes.len()) else {
            report.error(place, "the condition is too large");
            return None;
        };
        self.nodes.push(node);
        Some(id)
    }

    fn too_deep(place: &Place<'_>, report: &mut Report, depth: usize) -> bool {
        if depth >= MAX_NESTING - 2 {
            report.error(
                place,
                format!("the condition nests deeper than {} levels", MAX_NESTING - 2),
            );
        }
        depth >= MAX_NESTING - 2
    }

    /// `{"path": …, "$and": […], …}`: all members must hold.
    fn document(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<NodeId> {
        if Self::too_deep(place, report, depth) {
            return None;
        }
        let Some(object) = value.as_object() else {
            report.error(place, "expected a condition: a JSON object");
            return None;
        };
        let mut all = Vec::with_capacity(object.len());
        for (key, value) in object.iter() {
            let place = &place.member(key);
            let node = match key {
                // First, so that an operator that is not in the vocabulary is none.
                operator if operator.starts_with('$') && !vocabulary::CONDITION.contains(operator) => {
                    let near = near_operator(operator);
                    report.error(place, format!("`{operator}` is no operator{near}"));
                    None
                }
                "$and" => self
                    .list(value, place, report, depth, Self::document)
                    .map(Node::All),
                "$or" => self.list(value, place, report, depth, Self::document).map(any),
                "$nor" => {
                    let nodes = self.list(value, place, report, depth, Self::document)?;
                    Some(Node::Not(self.push(any(nodes), place, report)?))
                }
                "$not" => self.document(value, place, report, depth + 1).map(Node::Not),
                "$events" if self.about == About::Decision => self.events(value, place, report, depth),
                "$segment" if self.about == About::Decision => self.segment(value, place, report),
                "$sequence" if self.about == About::Decision => self.sequence(value, place, report, depth),
                "$held" if self.about == About::Decision => self.held(value, place, report),
                "$feature" if self.about == About::Decision => self.feature(value, place, report, depth),
                "$events" | "$segment" | "$sequence" | "$held" | "$feature" => {
                    report.error(
                        place,
                        format!("`{key}` may stand only in a condition of a segment or experience"),
                    );
                    None
                }
                path => self.attribute(path, value, place, report, depth),
            };
            if let Some(id) = node.and_then(|node| self.push(node, place, report)) {
                all.push(id);
            }
        }
        self.join(all, place, report)
    }

    /// One node for all of them; no node more than needed.
    pub(super) fn join(
        &mut self,
        mut all: Vec<NodeId>,
        place: &Place<'_>,
        report: &mut Report,
    ) -> Option<NodeId> {
        match (all.len(), all.pop()) {
            (1, Some(only)) => Some(only),
            (_, last) => {
                all.extend(last);
                self.push(Node::All(all), place, report)
            }
        }
    }

    fn list(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
        item: fn(&mut Self, &Value, &Place<'_>, &mut Report, usize) -> Option<NodeId>,
    ) -> Option<Vec<NodeId>> {
        let Some(items) = value.as_array() else {
            report.error(place, "expected a list of conditions");
            return None;
        };
        items
            .iter()
            .enumerate()
            .map(|(i, value)| item(self, value, &place.item(i), report, depth + 1))
            .collect()
    }

    fn segment(&mut self, value: &Value, place: &Place<'_>, report: &mut Report) -> Option<Node> {
        let name = value.as_str().unwrap_or_default();
        let segment = self.compiler.segment(name, place, report);
        segment.map(Node::Segment)
    }

    fn attribute(
        &mut self,
        path: &str,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<Node> {
        let path = match self.about {
            About::Decision => attribute::of_decision(path, place, report),
            About::Event => attribute::of_event(path, place, report),
            About::Value => attribute::split(path, place, report),
        }?;
        if self.about == About::Decision {
            if !self.compiler.knows(&path, place, report) {
                return None;
            }
            self.compiler.reads(&path);
            if attribute::changes_with_time(&path) {
                let test = self.number_test(value, place, report, depth)?;
                return Some(match self.compiler.score(&path) {
                    Some(cell) => Node::Measure(cell, Measure::Score, test),
                    None => Node::Attribute(path.into(), test),
                });
            }
        }
        if let [root, part, ..] = path.as_slice()
            && self.about == About::Decision
            && root == "request"
            && (part == "query" || part == "utm")
            && compares_with_a_number(value)
        {
            report.warning(
                place,
                "what stands in an address is text: write the number in quotes",
            );
        }
        let test = self.test(value, place, report, depth + 1)?;
        Some(Node::Attribute(path.into(), test))
    }

    /// What must hold for a value: operators, or a bare constant.
    pub(super) fn test(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<NodeId> {
        if Self::too_deep(place, report, depth) {
            return None;
        }
        match value {
            // As GrowthBook has it: an object without operators asks for nothing.
            Value::Object(object) if object.is_empty() => self.push(Node::All(Vec::new()), place, report),
            Value::Object(object) if is_operators(object) => {
                let mut all = Vec::with_capacity(object.len());
                for (operator, operand) in object.iter() {
                    let place = &place.member(operator);
                    let node = self.operator(operator, operand, place, report, depth)?;
                    all.push(self.push(node, place, report)?);
                }
                self.join(all, place, report)
            }
            constant => {
                bounded(constant, place, report)?;
                self.push(Node::Is(constant.clone()), place, report)
            }
        }
    }

    fn operator(
        &mut self,
        operator: &str,
        operand: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<Node> {
        if !vocabulary::VALUE_OPERATOR.contains(operator) {
            let near = near_operator(operator);
            report.error(place, format!("`{operator}` is no operator{near}"));
            return None;
        }
        bounded(operand, place, report)?;
        let compare = |comparison| Some(Node::Compare(comparison, operand.clone()));
        match operator {
            "$lt" | "$lte" | "$gt" | "$gte" if !matches!(operand, Value::Number(_) | Value::String(_)) => {
                expected("a number or text", place, report)
            }
            "$lt" => compare(Comparison::Less),
            "$lte" => compare(Comparison::LessOrEqual),
            "$gt" => compare(Comparison::Greater),
            "$gte" => compare(Comparison::GreaterOrEqual),
            "$exists" => match operand {
                Value::Bool(false) => Some(Node::Not(self.push(Node::Exists, place, report)?)),
                Value::Bool(true) => Some(Node::Exists),
                _ => expected("`true` or `false`", place, report),
            },
            "$type" => match operand.as_str() {
                Some(name) if VALUE_TYPE.contains(name) => Some(Node::Type(name.to_owned())),
                name => {
                    let near = name.map_or_else(String::new, |name| suggestion(name, VALUE_TYPE.words));
                    let types = VALUE_TYPE.words.join(", ");
                    expected(&format!("one of {types}{near}"), place, report)
                }
            },
            "$size" => self.test(operand, place, report, depth + 1).map(Node::Size),
            "$elemMatch" => self.item(operand, place, report, depth + 1).map(Node::Element),
            "$all" => self
                .list(operand, place, report, depth, Self::test)
                .map(Node::Every),
            "$not" => self.test(operand, place, report, depth + 1).map(Node::Not),
            "$and" => self
                .list(operand, place, report, depth, Self::test)
                .map(Node::All),
            "$or" => self.list(operand, place, report, depth, Self::test).map(any),
            "$nor" => {
                let nodes = self.list(operand, place, report, depth, Self::test)?;
                Some(Node::Not(self.push(any(nodes), place, report)?))
            }
            "$between" => match operand.as_array() {
                Some(
                    [
                        low @ (Value::Number(_) | Value::String(_)),
                        high @ (Value::Number(_) | Value::String(_)),
                    ],
                ) => {
                    let low = Node::Compare(Comparison::GreaterOrEqual, low.clone());
                    let high = Node::Compare(Comparison::LessOrEqual, high.clone());
                    Some(Node::All(vec![
                        self.push(low, place, report)?,
                        self.push(high, place, report)?,
                    ]))
                }
                _ => expected("a list of the lowest and the highest value", place, report),
            },
            "$startsWith" => text(TextPlace::Start, operand, false, place, report),
            "$endsWith" => text(TextPlace::End, operand, false, place, report),
            "$contains" => text(TextPlace::Anywhere, operand, false, place, report),
            "$startsWithi" => text(TextPlace::Start, operand, true, place, report),
            "$endsWithi" => text(TextPlace::End, operand, true, place, report),
            "$containsi" => text(TextPlace::Anywhere, operand, true, place, report),
            other => match self.value_operator(other, operand, place, report) {
                Some(node) => node,
                None => {
                    report.error(place, format!("`{other}` is no operator{}", near_operator(other)));
                    None
                }
            },
        }
    }

    /// `$elemMatch`: operators for a plain item, or a condition for an item that is an object.
    fn item(
        &mut self,
        value: &Value,
        place: &Place<'_>,
        report: &mut Report,
        depth: usize,
    ) -> Option<NodeId> {
        match value {
            Value::Object(object) if !is_operators(object) || tests_members(object) => {
                let about = std::mem::replace(&mut self.about, About::Value);
                let node = self.document(value, place, report, depth);
                self.about = about;
                node
            }
            _ => self.test(value, place, report, depth),
        }
    }
}

/// Whether a test asks for a number.
fn compares_with_a_number(test: &Value) -> bool {
    const COMPARING: [&str; 6] = ["$eq", "$ne", "$lt", "$lte", "$gt", "$gte"];
    match test {
        Value::Number(_) => true,
        Value::Object(object) => object
            .iter()
            .any(|(key, value)| COMPARING.contains(&key) && matches!(value, Value::Number(_))),
        _ => false,
    }
}

/// Whether operators that join conditions join some over an item's members: `{"$or": [{"a": 1}, {"b": 2}]}`.
fn tests_members(object: &Object) -> bool {
    let is_document = |item: &Object| !item.is_empty() && (!is_operators(item) || tests_members(item));
    object.iter().any(|(key, value)| match (key, value) {
        ("$and" | "$or" | "$nor", Value::Array(items)) => {
            items.iter().filter_map(Value::as_object).any(|item| {
                is_document(item)
                    || item
                        .get("$not")
                        .and_then(Value::as_object)
                        .is_some_and(is_document)
            })
        }
        _ => false,
    })
}

/// Constants go into the program's bytes, and bytes that nest too deeply are not read.
fn bounded(constant: &Value, place: &Place<'_>, report: &mut Report) -> Option<()> {
    if !constant.nests_within(MAX_DEPTH) {
        report.error(place, format!("the value nests deeper than {MAX_DEPTH} levels"));
        return None;
    }
    Some(())
}

fn near_operator(name: &str) -> String {
    let lists = [vocabulary::CONDITION, vocabulary::VALUE_OPERATOR];
    let known: Vec<&str> = lists.iter().flat_map(|list| list.words).copied().collect();
    suggestion(name, &known)
}

fn any(nodes: Vec<NodeId>) -> Node {
    // As in MongoDB's JavaScript forms, an empty `$or` asks for nothing.
    if nodes.is_empty() {
        Node::All(nodes)
    } else {
        Node::Any(nodes)
    }
}

pub(super) fn is_operators(object: &Object) -> bool {
    !object.is_empty() && object.iter().all(|(key, _)| key.starts_with('$'))
}

pub(super) fn expected(what: &str, place: &Place<'_>, report: &mut Report) -> Option<Node> {
    report.error(place, format!("expected {what}"));
    None
}

fn text(
    text_place: TextPlace,
    operand: &Value,
    ignore_case: bool,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Node> {
    match operand.as_str() {
        Some(needle) if ignore_case => Some(Node::Text(text_place, needle.to_lowercase(), true)),
        Some(needle) => Some(Node::Text(text_place, needle.to_owned(), false)),
        None => expected("text", place, report),
    }
}
