//! How visitors are given variants.

use super::{Import, object, text};
use nearside_engine::assign::equal_weights;
use nearside_engine::value::{Object, Value};

/// What may give variants, as GrowthBook has it: an experiment, or a rule of a feature.
pub(super) struct Source<'s> {
    pub(super) value: &'s Value,
    pub(super) path: &'s str,
    /// What it is known by.
    pub(super) key: &'s str,
    /// Whether it is a rule, whose filters count also for those who keep what they have.
    pub(super) is_rule: bool,
    /// Whether it tells visitors apart; a rule that gives all the same value asks for nobody's id.
    pub(super) hashes: bool,
}

impl Import<'_> {
    /// The members that say whom the hash is about and what it is made of; `None` if nobody can be assigned.
    pub(super) fn hashing(&mut self, source: &Source<'_>) -> Option<Object> {
        let value = source.value;
        let mut members = Object::new();
        if !source.hashes {
            self.filters(source, &mut members)?;
            return Some(members);
        }
        let version = match value.get("hashVersion") {
            Value::Null => 1.0,
            Value::Number(0.0) => 1.0,
            Value::Number(version) => *version,
            _ => 0.0,
        };
        if version != 1.0 && version != 2.0 {
            self.warn(
                source.path,
                "there is no such version of the hash: nobody is assigned anything",
            );
            return None;
        }
        members.insert("hashVersion", version);
        members.insert("seed", text(value.get("seed")).unwrap_or(source.key));
        self.unit(value.get("hashAttribute"), "hashAttribute", &mut members);
        let keeps = self.options.sticky && value.get("disableStickyBucketing") != &Value::Bool(true);
        if keeps {
            if !value.get("fallbackAttribute").is_null() {
                self.unit(value.get("fallbackAttribute"), "fallbackAttribute", &mut members);
            }
            let version = |name: &str| Value::from(value.get(name).as_f64().unwrap_or_default());
            let sticky = object([
                ("version", version("bucketVersion")),
                ("minVersion", version("minBucketVersion")),
            ]);
            members.insert("sticky", sticky);
        }
        self.filters(source, &mut members)?;
        Some(members)
    }

    fn unit(&self, name: &Value, member: &str, members: &mut Object) {
        let path = self
            .options
            .attributes
            .path_or_nothing(text(name).unwrap_or("id"));
        if path != "visitor.id" || member == "fallbackAttribute" {
            members.insert(member, path);
        }
    }

    fn filters(&mut self, source: &Source<'_>, members: &mut Object) -> Option<()> {
        let value = source.value;
        let mut filters = Vec::new();
        if let Value::Array(items) = value.get("filters") {
            for (index, filter) in items.iter().enumerate() {
                let version = match filter.get("hashVersion") {
                    Value::Null => 2.0,
                    Value::Number(0.0) => 2.0,
                    Value::Number(version) => *version,
                    _ => 0.0,
                };
                let ranges = ranges(filter.get("ranges"));
                let seed = filter.get("seed").as_str();
                let (Some(seed), true) = (seed, version == 1.0 || version == 2.0) else {
                    let place = format!("{}.filters[{index}]", source.path);
                    self.warn(&place, "nobody passes this filter");
                    return None;
                };
                let attribute = text(filter.get("attribute")).unwrap_or("id");
                filters.push(object([
                    ("seed", Value::from(seed)),
                    ("hashVersion", Value::from(version)),
                    (
                        "attribute",
                        Value::from(self.options.attributes.path_or_nothing(attribute)),
                    ),
                    ("ranges", ranges),
                    ("lasting", Value::Bool(source.is_rule)),
                ]));
            }
        } else if let (Some([Value::String(name), start, end]), true) =
            (value.get("namespace").as_array(), source.hashes)
        {
            filters.push(object([
                ("seed", Value::from(format!("__{name}"))),
                ("hashVersion", Value::from(1.0)),
                (
                    "ranges",
                    Value::Array(vec![Value::Array(vec![start.clone(), end.clone()])]),
                ),
            ]));
        }
        if !filters.is_empty() {
            members.insert("filters", filters);
        }
        Some(())
    }

    /// Each variant's part of the visitors: `weight` for each and `traffic` for all, or `range` for each.
    pub(super) fn parts(&self, value: &Value, variants: usize) -> (Vec<(&'static str, Value)>, Option<f64>) {
        if let Value::Array(given) = value.get("ranges") {
            let none = Value::Array(vec![Value::from(0.0), Value::from(0.0)]);
            let range = |index: usize| {
                let range = given.get(index).filter(|range| is_range(range));
                ("range", range.cloned().unwrap_or_else(|| none.clone()))
            };
            return ((0..variants).map(range).collect(), None);
        }
        let coverage = match value.get("coverage") {
            Value::Number(coverage) => coverage.clamp(0.0, 1.0),
            _ => 1.0,
        };
        let weights = weights(value.get("weights"), variants);
        let total: f64 = weights.iter().sum();
        if (total - 1.0).abs() <= 1e-9 {
            let weights = weights.into_iter().map(|weight| ("weight", Value::from(weight)));
            return (
                weights.collect(),
                Some(coverage).filter(|coverage| *coverage < 1.0),
            );
        }
        let mut start = 0.0;
        let range = |weight: f64| {
            let range = [start, start + coverage * weight].map(Value::from);
            start += weight;
            ("range", Value::Array(range.to_vec()))
        };
        (weights.into_iter().map(range).collect(), None)
    }
}

/// Weights that do not fit the variants, or do not add up to nearly 1, are not taken.
fn weights(given: &Value, variants: usize) -> Vec<f64> {
    let given: Option<Vec<f64>> = given
        .as_array()
        .and_then(|weights| weights.iter().map(Value::as_f64).collect());
    let fits = |weights: &Vec<f64>| {
        let total: f64 = weights.iter().sum();
        weights.len() == variants
            && (0.99..=1.01).contains(&total)
            && weights.iter().all(|weight| *weight >= 0.0)
    };
    given.filter(fits).unwrap_or_else(|| equal_weights(variants))
}

pub(super) fn is_range(value: &Value) -> bool {
    matches!(value.as_array(), Some([Value::Number(_), Value::Number(_)]))
}

fn ranges(value: &Value) -> Value {
    let ranges = value.as_array().unwrap_or_default();
    Value::Array(ranges.iter().filter(|range| is_range(range)).cloned().collect())
}
