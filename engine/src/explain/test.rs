//! Tests of values, as their author wrote them.

use super::condition::brief;
use crate::condition::{Comparison, Condition, Node, NodeId, TextPlace};
use crate::value::{Object, Value};
use crate::version::VersionTest;

/// So many of a list's constants are shown.
const MAX_CONSTANTS: usize = 8;

/// A whole condition.
pub(super) fn whole(condition: &Condition) -> Value {
    match condition.nodes().len().checked_sub(1) {
        Some(root) => test(condition, root as NodeId),
        None => Value::Null,
    }
}

/// The test at a node.
pub(super) fn test(condition: &Condition, id: NodeId) -> Value {
    let inner = |id: &NodeId| test(condition, *id);
    let list = |nodes: &[NodeId]| Value::Array(nodes.iter().map(inner).collect());
    let Some(node) = condition.nodes().get(usize::from(id)) else {
        return Value::Null;
    };
    let (operator, operand) = match node {
        Node::All(nodes) if nodes.len() == 1 => return nodes.first().map_or(Value::Null, inner),
        Node::All(nodes) => ("$and", list(nodes)),
        Node::Any(nodes) => ("$or", list(nodes)),
        Node::Not(id) => ("$not", inner(id)),
        Node::Attribute(path, id) => {
            let member = [(path.join("."), inner(id))];
            return Value::Object(member.into_iter().collect::<Object>());
        }
        Node::Is(constant) => return brief(constant),
        Node::Equal(constant) => ("$eq", brief(constant)),
        Node::IsIgnoringCase(constant) => ("$eqi", brief(constant)),
        Node::Compare(comparison, constant) => (
            match comparison {
                Comparison::Less => "$lt",
                Comparison::LessOrEqual => "$lte",
                Comparison::Greater => "$gt",
                Comparison::GreaterOrEqual => "$gte",
            },
            brief(constant),
        ),
        Node::In(set, ignore_case) => {
            let operator = if *ignore_case { "$ini" } else { "$in" };
            (operator, Value::Array(set.some(MAX_CONSTANTS)))
        }
        Node::Group(group) => ("$inGroup", Value::Number(f64::from(*group))),
        Node::Exists => ("$exists", Value::Bool(true)),
        Node::Type(name) => ("$type", Value::from(name.as_str())),
        Node::Size(id) => ("$size", inner(id)),
        Node::Element(id) => ("$elemMatch", inner(id)),
        Node::Every(nodes) => ("$all", list(nodes)),
        Node::Text(place, needle, ignore_case) => (
            match (place, ignore_case) {
                (TextPlace::Start, false) => "$startsWith",
                (TextPlace::Start, true) => "$startsWithi",
                (TextPlace::End, false) => "$endsWith",
                (TextPlace::End, true) => "$endsWithi",
                (TextPlace::Anywhere, false) => "$contains",
                (TextPlace::Anywhere, true) => "$containsi",
            },
            brief(&Value::from(needle.as_str())),
        ),
        Node::Version(test, constant) => (version_operator(*test), brief(constant)),
        Node::Regex(_) => ("$regex", Value::Bool(true)),
        Node::Near(_) => ("$near", Value::Bool(true)),
        // These stand in conditions over the decision's document, which have traces.
        Node::Measure(..) | Node::AnyGroup(..) | Node::Segment(_) | Node::Feature(..) => return Value::Null,
    };
    Value::Object([(operator, operand)].into_iter().collect::<Object>())
}

const fn version_operator(test: VersionTest) -> &'static str {
    match test {
        VersionTest::Equal => "$veq",
        VersionTest::Ordered(Comparison::Less) => "$vlt",
        VersionTest::Ordered(Comparison::LessOrEqual) => "$vlte",
        VersionTest::Ordered(Comparison::Greater) => "$vgt",
        VersionTest::Ordered(Comparison::GreaterOrEqual) => "$vgte",
    }
}
