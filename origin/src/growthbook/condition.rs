//! Conditions: GrowthBook's are ours, but for what only their SDKs let pass.
//!
//! An operator that an SDK does not know, or a group of a kind that it does not know, makes a condition fail, under
//! `$not` too. So a translation knows whether it stands under an odd number of negations: there, what is not
//! known always holds, and elsewhere it never does.

use super::{Import, object, text, truthy};
use nearside_engine::regex::{Problem, Regex};
use nearside_engine::value::{Object, Value};

/// How large a condition may become when saved groups are written out in it.
const MAX_SIZE: usize = 20_000;
/// How deep a value may nest.
const MAX_DEPTH: usize = 50;

/// The attribute in which GrowthBook keeps the groups that a server resolved.
const REMOTE_GROUPS: &str = "__gb_remoteGroupIds";

/// What a condition is about.
#[derive(Clone, Copy, PartialEq)]
enum About {
    /// The visitor's attributes.
    Visitor,
    /// An item of a list.
    Item,
}

/// Where a translation is.
#[derive(Clone)]
struct Here<'h> {
    path: &'h str,
    about: About,
    negated: bool,
    /// The saved groups around it.
    groups: Vec<&'h str>,
}

impl Here<'_> {
    fn under_not(&self) -> Self {
        Self {
            negated: !self.negated,
            ..self.clone()
        }
    }
}

/// A condition that holds for nobody.
pub(super) fn never() -> Value {
    object([("$not", Value::Object(Object::new()))])
}

/// A test that no value passes.
fn no_value() -> Value {
    object([("$in", Value::Array(Vec::new()))])
}

/// A test that each value passes.
fn any_value() -> Value {
    object([("$nin", Value::Array(Vec::new()))])
}

/// All of some conditions or tests, in as few members as can be.
pub(super) fn all(mut parts: Vec<Value>) -> Value {
    parts.retain(|part| part.as_object().is_none_or(|part| !part.is_empty()));
    match joined(&parts) {
        Some(joined) => Value::Object(joined),
        None => object([("$and", Value::Array(parts))]),
    }
}

/// One object of all members, if no two are of the same name.
fn joined(parts: &[Value]) -> Option<Object> {
    let mut joined = Object::new();
    for part in parts {
        for (key, value) in part.as_object()?.iter() {
            if joined.get(key).is_some() {
                return None;
            }
            joined.insert(key, value.clone());
        }
    }
    Some(joined)
}

impl<'a> Import<'a> {
    /// A condition over the visitor's attributes.
    pub(super) fn condition(&mut self, condition: &Value, path: &str) -> Value {
        let here = Here {
            path,
            about: About::Visitor,
            negated: false,
            groups: Vec::new(),
        };
        let mut budget = MAX_SIZE;
        let translated = self.document(condition, &here, &mut budget);
        if budget == 0 {
            self.warn(
                path,
                "the condition is too large with its saved groups written out: it holds for nobody",
            );
            return never();
        }
        translated
    }

    fn document(&mut self, condition: &Value, here: &Here<'_>, budget: &mut usize) -> Value {
        let Some(members) = condition.as_object() else {
            self.warn(here.path, "this is no condition: it holds for nobody");
            return unknown_condition(here);
        };
        let mut parts = Vec::with_capacity(members.len());
        for (key, value) in members.iter() {
            *budget = budget.saturating_sub(1);
            if *budget == 0 {
                return never();
            }
            parts.push(match key {
                "$and" | "$or" => self.joined(key, value, here, budget),
                "$nor" => self.joined(key, value, &here.under_not(), budget),
                "$not" => object([("$not", self.document(value, &here.under_not(), budget))]),
                "$savedGroup" => self.saved_group(value, here, budget),
                name => {
                    let test = self.test(value, here, budget);
                    self.attribute(name, test, here)
                }
            });
        }
        all(parts)
    }

    fn joined(&mut self, key: &str, value: &Value, here: &Here<'_>, budget: &mut usize) -> Value {
        let Some(items) = value.as_array() else {
            self.warn(
                here.path,
                format!("`{key}` is not followed by a list: it holds for nobody"),
            );
            return unknown_condition(here);
        };
        let items = items.iter().map(|item| self.document(item, here, budget));
        object([(key, Value::Array(items.collect()))])
    }

    fn attribute(&mut self, name: &str, test: Value, here: &Here<'_>) -> Value {
        let path = match here.about {
            About::Visitor => self.options.attributes.path(name),
            About::Item if name.starts_with('$') => None,
            About::Item => Some(name.to_owned()).filter(|name| name.split('.').all(|part| !part.is_empty())),
        };
        if path.is_none() {
            self.warn(
                here.path,
                format!("no attribute can be called `{name}`: it is taken as missing"),
            );
        }
        // The path of no attribute: no page has such a member.
        let path = path.unwrap_or_else(|| self.options.attributes.path_or_nothing(""));
        object([(&path, test)])
    }

    fn test(&mut self, test: &Value, here: &Here<'_>, budget: &mut usize) -> Value {
        let members = match test {
            Value::Object(members) if members.iter().all(|(key, _)| key.starts_with('$')) => members,
            constant if constant.nests_within(MAX_DEPTH) => return constant.clone(),
            _ => {
                self.warn(here.path, "a value nests too deeply: nothing is equal to it");
                return no_value();
            }
        };
        let mut parts = Vec::with_capacity(members.len());
        for (operator, operand) in members.iter() {
            *budget = budget.saturating_sub(1);
            if *budget == 0 {
                return no_value();
            }
            parts.push(self.operator(operator, operand, here, budget));
        }
        all(parts)
    }

    fn operator(&mut self, operator: &str, operand: &Value, here: &Here<'_>, budget: &mut usize) -> Value {
        let is_plain = !matches!(operand, Value::Array(_) | Value::Object(_));
        let same = || object([(operator, operand.clone())]);
        match (operator, operand) {
            // No list or object equals another.
            ("$eq", _) if !is_plain => no_value(),
            ("$ne", _) if !is_plain => any_value(),
            ("$eq" | "$ne", _) => same(),
            ("$lt" | "$lte" | "$gt" | "$gte", Value::Number(_) | Value::String(_)) => same(),
            ("$veq" | "$vne" | "$vlt" | "$vlte" | "$vgt" | "$vgte", Value::Number(_) | Value::String(_)) => {
                same()
            }
            ("$vne", _) => any_value(),
            ("$exists", operand) => object([("$exists", Value::Bool(truthy(operand)))]),
            ("$in" | "$nin" | "$ini" | "$nini", Value::Array(items)) => {
                let plain = items
                    .iter()
                    .filter(|item| !matches!(item, Value::Array(_) | Value::Object(_)));
                object([(operator, Value::Array(plain.cloned().collect()))])
            }
            ("$inGroup" | "$notInGroup", group) => self.in_group(operator, group, here),
            ("$not", operand) => object([("$not", self.test(operand, &here.under_not(), budget))]),
            ("$size", operand) => object([("$size", self.test(operand, here, budget))]),
            ("$all" | "$alli", Value::Array(items)) => {
                let items = items.iter().map(|item| self.test(item, here, budget));
                object([(operator, Value::Array(items.collect()))])
            }
            ("$elemMatch", Value::Object(members)) => {
                object([("$elemMatch", self.element(operand, members, here, budget))])
            }
            ("$regex" | "$regexi", Value::String(pattern)) => self.pattern(operator, pattern, here, same()),
            ("$notRegex" | "$notRegexi", operand) => {
                let operator = if operator == "$notRegex" {
                    "$regex"
                } else {
                    "$regexi"
                };
                let test = self.operator(operator, operand, &here.under_not(), budget);
                object([("$not", test)])
            }
            ("$type", Value::String(name)) if is_type(name) => same(),
            (
                "$lt" | "$lte" | "$gt" | "$gte" | "$veq" | "$vlt" | "$vlte" | "$vgt" | "$vgte" | "$in"
                | "$nin" | "$ini" | "$nini" | "$all" | "$alli" | "$elemMatch" | "$regex" | "$regexi"
                | "$type" | "$and" | "$or" | "$nor" | "$savedGroup" | "$savedGroups",
                _,
            ) => {
                self.warn(
                    here.path,
                    format!("`{operator}` holds for no value here, as in GrowthBook's SDKs"),
                );
                no_value()
            }
            (unknown, _) => {
                self.warn(
                    here.path,
                    format!("`{unknown}` is not known: the condition fails, as in GrowthBook's SDKs"),
                );
                unknown_value(here)
            }
        }
    }

    /// `$elemMatch`: a test of an item, or a condition over its members.
    fn element(&mut self, operand: &Value, members: &Object, here: &Here<'_>, budget: &mut usize) -> Value {
        const JOINING: [&str; 4] = ["$or", "$nor", "$and", "$savedGroup"];
        let tests_item = members
            .iter()
            .all(|(key, _)| key.starts_with('$') && !JOINING.contains(&key));
        if tests_item {
            self.test(operand, here, budget)
        } else {
            let inside = Here {
                about: About::Item,
                ..here.clone()
            };
            self.document(operand, &inside, budget)
        }
    }

    fn pattern(&mut self, operator: &str, pattern: &str, here: &Here<'_>, same: Value) -> Value {
        let Err(error) = Regex::compile(pattern, operator == "$regexi") else {
            return same;
        };
        self.warn(here.path, format!("`{pattern}`: {error}"));
        match error.problem {
            // A browser takes these patterns: what they would say is not known here.
            Problem::TooLong
            | Problem::TooLarge
            | Problem::TooDeep
            | Problem::TooManyRanges
            | Problem::BackReference
            | Problem::LookAround
            | Problem::HalfOfPair => unknown_value(here),
            _ => no_value(),
        }
    }

    /// The values of a group; `Err(true)` if it is of a kind that is not known, `Err(false)` if it has none.
    fn values_of(payload: &'a Value, id: &str) -> Option<Result<&'a [Value], bool>> {
        let entry = payload.get("savedGroups").as_object()?.get(id)?;
        Some(match entry {
            Value::Array(values) => Ok(values),
            Value::Object(_) => match entry.get("type").as_str() {
                Some("list") => entry.get("values").as_array().ok_or(false),
                Some("condition") => Err(false),
                _ => Err(true),
            },
            _ => Err(false),
        })
    }

    fn in_group(&mut self, operator: &str, group: &Value, here: &Here<'_>) -> Value {
        let Some(id) = group.as_str() else {
            return if operator == "$inGroup" {
                no_value()
            } else {
                any_value()
            };
        };
        let values = match Self::values_of(self.payload, id) {
            // A group that is not there is empty.
            None if operator == "$inGroup" => return no_value(),
            None => return any_value(),
            Some(Err(true)) => {
                self.warn(
                    here.path,
                    format!("the group `{id}` is of a kind that is not known"),
                );
                return unknown_value(here);
            }
            Some(Err(false)) => {
                self.warn(
                    here.path,
                    format!("the group `{id}` is no list: nobody is in it, and nobody is out of it"),
                );
                return no_value();
            }
            Some(Ok(values)) => values,
        };
        let plain = values
            .iter()
            .filter(|value| !matches!(value, Value::Array(_) | Value::Object(_)));
        let plain: Vec<Value> = plain.cloned().collect();
        self.groups.insert(id, plain);
        object([(operator, Value::from(id))])
    }

    /// `$savedGroup`: who is in a group, by the attribute that the group names.
    fn saved_group(&mut self, reference: &Value, here: &Here<'_>, budget: &mut usize) -> Value {
        let id = reference.get("id").as_str();
        let attribute = reference.get("attributeKey");
        let (Some(id), Value::Null | Value::String(_)) = (id, attribute) else {
            return never();
        };
        if here.groups.contains(&id) {
            self.warn(
                here.path,
                format!("the group `{id}` refers to itself: nobody is in it"),
            );
            return never();
        }
        let payload = self.payload;
        let entry = payload.get("savedGroups").get(id);
        if !matches!(entry, Value::Object(_)) {
            return never();
        }
        match entry.get("type").as_str() {
            Some("list") => {
                let key = text(attribute).or_else(|| text(entry.get("attributeKey")));
                let (Some(key), Value::Array(_)) = (key, entry.get("values")) else {
                    return never();
                };
                let test = self.in_group("$inGroup", &Value::from(id), here);
                self.attribute(key, test, here)
            }
            Some("condition") if matches!(entry.get("condition"), Value::Object(_)) => {
                let mut inside = here.clone();
                inside.groups.push(id);
                self.document(entry.get("condition"), &inside, budget)
            }
            Some("condition") => never(),
            // The attribute holds the groups that the site's server found the visitor in.
            Some("remote") if attribute.is_null() || attribute == entry.get("attributeKey") => {
                let item = object([("$eq", Value::from(id))]);
                self.attribute(REMOTE_GROUPS, object([("$elemMatch", item)]), here)
            }
            _ => {
                self.warn(
                    here.path,
                    format!("the group `{id}` is of a kind that is not known"),
                );
                unknown_condition(here)
            }
        }
    }

    /// What must hold for the value of a feature: GrowthBook asks for `value` in an object that has it.
    pub(super) fn prerequisite(&mut self, feature: &str, condition: &Value, path: &str) -> Value {
        let known = self
            .payload
            .get("features")
            .as_object()
            .is_some_and(|features| features.get(feature).is_some());
        let here = Here {
            path,
            about: About::Item,
            negated: false,
            groups: Vec::new(),
        };
        let mut budget = MAX_SIZE;
        let condition = if condition.is_null() {
            Value::Object(Object::new())
        } else {
            self.document(condition, &here, &mut budget)
        };
        let feature = known.then_some(feature);
        if feature.is_none() {
            self.warn(
                path,
                "the feature that this depends on is not there: its value is `null`",
            );
        }
        of_feature(&condition, feature)
    }
}

/// A condition over `value` → one over a feature; one that is not there has the value `null`.
fn of_feature(condition: &Value, feature: Option<&str>) -> Value {
    let Some(members) = condition.as_object() else {
        return never();
    };
    let parts = members.iter().map(|(key, value)| match (key, value) {
        ("$and" | "$or" | "$nor", Value::Array(items)) => {
            let items = items.iter().map(|item| of_feature(item, feature));
            object([(key, Value::Array(items.collect()))])
        }
        ("$not", value) => object([("$not", of_feature(value, feature))]),
        (path, test) => {
            let inside = match path.strip_prefix("value") {
                Some("") => Some(None),
                Some(rest) => rest.strip_prefix('.').map(Some),
                None => None,
            };
            match (feature, inside) {
                (Some(feature), Some(inside)) => {
                    let mut asked: Object = [("id", Value::from(feature)), ("is", test.clone())]
                        .into_iter()
                        .collect();
                    if let Some(inside) = inside {
                        asked.insert("path", inside);
                    }
                    object([("$feature", Value::Object(asked))])
                }
                _ => object([("request.nothing", test.clone())]),
            }
        }
    });
    all(parts.collect())
}

fn unknown_condition(here: &Here<'_>) -> Value {
    if here.negated {
        Value::Object(Object::new())
    } else {
        never()
    }
}

fn unknown_value(here: &Here<'_>) -> Value {
    if here.negated { any_value() } else { no_value() }
}

fn is_type(name: &str) -> bool {
    [
        "string",
        "number",
        "boolean",
        "array",
        "object",
        "null",
        "undefined",
    ]
    .contains(&name)
}
