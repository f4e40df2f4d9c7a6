//! Features with their rules.

use super::assignment::{Source, is_range};
use super::condition::all;
use super::{Import, object, text};
use nearside_engine::value::{Object, Value};

/// Where a rule of the manifest comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleOrigin {
    /// Its place among the rules of the payload's feature.
    pub rule: usize,
    /// The leaf of a contextual bandit that it stands for.
    pub leaf: Option<Leaf>,
}

/// A leaf of a contextual bandit: those visitors to whom the same weights apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leaf {
    /// Its number; -1 for those whom no leaf is about.
    pub id: f64,
    /// The weights.
    pub weights: Vec<Value>,
    /// The version of the bandit, if it has one.
    pub version: Value,
}

/// What must hold for a rule, from its prerequisites.
#[derive(Default)]
struct Prerequisites {
    gate: Option<Value>,
    required: Vec<Value>,
}

impl Import<'_> {
    pub(super) fn features(&mut self) -> Object {
        let payload = self.payload;
        let mut features = Object::new();
        for (name, feature) in payload
            .get("features")
            .as_object()
            .into_iter()
            .flat_map(Object::iter)
        {
            let path = format!("$.features.{name}");
            let mut rules = Vec::new();
            let mut origins = Vec::new();
            let given = feature.get("rules").as_array().unwrap_or_default();
            for (index, rule) in given.iter().enumerate() {
                let path = format!("{path}.rules[{index}]");
                for (rule, leaf) in self.rule(name, rule, &path) {
                    rules.push(Value::Object(rule));
                    origins.push(RuleOrigin { rule: index, leaf });
                }
            }
            let mut translated = Object::new();
            translated.insert("default", feature.get("defaultValue").clone());
            if !rules.is_empty() {
                translated.insert("rules", rules);
            }
            features.insert(name, translated);
            self.rules.insert(name.to_owned(), origins);
        }
        features
    }

    /// The rules that a rule becomes: one, but for a contextual bandit, where it is one for each leaf.
    fn rule(&mut self, feature: &str, rule: &Value, path: &str) -> Vec<(Object, Option<Leaf>)> {
        let prerequisites = self.prerequisites(rule.get("parentConditions"), path);
        let mut base = Object::new();
        if let Some(id) = text(rule.get("id")) {
            base.insert("id", id);
        }
        if let Some(gate) = &prerequisites.gate {
            base.insert("gate", gate.clone());
        }
        let gate_alone = |base: Object| match &prerequisites.gate {
            Some(_) => vec![(base, None)],
            None => Vec::new(),
        };
        let Some(members) = rule.as_object() else {
            return Vec::new();
        };
        if let Some(value) = members.get("force") {
            let mut forced = base.clone();
            return match self.force(feature, rule, value, path, &mut forced) {
                Some(()) => {
                    let when = forced.get("when").cloned();
                    let mut parts = prerequisites.required;
                    parts.extend(when);
                    set_condition(&mut forced, "when", parts);
                    vec![(forced, None)]
                }
                None => gate_alone(base),
            };
        }
        let variations = match rule.get("contextualVariations") {
            Value::Null => rule.get("variations"),
            variations => variations,
        };
        let Some(variations) = variations.as_array() else {
            return gate_alone(base);
        };
        if variations.len() < 2 {
            self.warn(path, "an experiment with less than two variations is left out");
            return gate_alone(base);
        }
        let key = text(rule.get("key")).unwrap_or(feature).to_owned();
        let source = Source {
            value: rule,
            path,
            key: &key,
            is_rule: true,
            hashes: true,
        };
        let Some(hashing) = self.hashing(&source) else {
            return gate_alone(base);
        };
        for (name, value) in hashing.iter() {
            base.insert(name, value.clone());
        }
        base.insert("key", key.as_str());
        base.insert("queryOverride", true);
        if self.options.qa {
            base.insert("status", "stopped");
        }
        let condition = rule.get("condition");
        if !condition.is_null() {
            let condition = self.condition(condition, &format!("{path}.condition"));
            base.insert("when", condition);
        }
        self.leaves(rule, path)
            .into_iter()
            .map(|(leaf, condition, weights)| {
                let mut translated = base.clone();
                let mut weighed = rule.as_object().cloned().unwrap_or_default();
                if let Some(weights) = weights {
                    weighed.insert("weights", weights);
                }
                self.variants(&Value::Object(weighed), variations, path, &mut translated);
                let mut required = prerequisites.required.clone();
                required.extend(condition);
                set_condition(&mut translated, "requires", required);
                (translated, leaf)
            })
            .collect()
    }

    /// A rule that gives a value, to all or to a part of the visitors.
    fn force(
        &mut self,
        feature: &str,
        rule: &Value,
        value: &Value,
        path: &str,
        forced: &mut Object,
    ) -> Option<()> {
        forced.insert("value", value.clone());
        let range = match (rule.get("range"), rule.get("coverage")) {
            (range, _) if is_range(range) => Some(range.clone()),
            // Nobody is within something that is no range.
            (Value::Array(_), _) => Some(Value::Array(vec![Value::from(0.0), Value::from(0.0)])),
            (_, Value::Number(coverage)) => {
                Some(Value::Array(vec![Value::from(0.0), Value::from(*coverage)]))
            }
            _ => None,
        };
        let source = Source {
            value: rule,
            path,
            key: feature,
            is_rule: true,
            hashes: range.is_some(),
        };
        for (name, value) in self.hashing(&source)?.iter() {
            // A value that is given is not kept: only experiments are.
            if name != "sticky" {
                forced.insert(name, value.clone());
            }
        }
        if let Some(range) = range {
            forced.insert("range", range);
        }
        let condition = rule.get("condition");
        if !condition.is_null() {
            let condition = self.condition(condition, &format!("{path}.condition"));
            forced.insert("when", condition);
        }
        Some(())
    }

    fn variants(&mut self, rule: &Value, variations: &[Value], path: &str, translated: &mut Object) {
        let (parts, traffic) = self.parts(rule, variations.len());
        let mut variants: Vec<Value> = Vec::with_capacity(variations.len());
        for (index, (value, part)) in variations.iter().zip(parts).enumerate() {
            let mut variant = Object::new();
            let meta = rule.get("meta").as_array().and_then(|meta| meta.get(index));
            let meta = meta.unwrap_or(&Value::Null);
            variant.insert("id", self.variant_id(meta, index, &variants, path));
            if let Some(name) = text(meta.get("name")) {
                variant.insert("name", name);
            }
            if meta.get("passthrough") == &Value::Bool(true) {
                variant.insert("passThrough", true);
            }
            variant.insert("value", value.clone());
            variant.insert(part.0, part.1);
            variants.push(Value::Object(variant));
        }
        translated.insert("variants", variants);
        if let Some(traffic) = traffic {
            translated.insert("traffic", traffic);
        }
    }

    /// The key of a variation, or its place where it has none or shares it.
    pub(super) fn variant_id(&mut self, meta: &Value, index: usize, before: &[Value], path: &str) -> String {
        let key = text(meta.get("key")).map_or_else(|| index.to_string(), str::to_owned);
        if before
            .iter()
            .any(|variant| variant.get("id").as_str() == Some(&key))
        {
            self.warn(
                path,
                format!("two variations have the key `{key}`: the later one is `{key}-{index}`"),
            );
            return format!("{key}-{index}");
        }
        key
    }

    /// For each leaf of a contextual bandit: who it is about, and their weights. One for all if it is none.
    fn leaves(&mut self, rule: &Value, path: &str) -> Vec<(Option<Leaf>, Option<Value>, Option<Value>)> {
        let payload = self.payload;
        let Some(reference) = text(rule.get("contextualBanditRef")) else {
            return vec![(None, None, None)];
        };
        let definition = payload.get("contextualBandits").get(reference);
        if definition.is_null() {
            self.warn(
                path,
                format!("there is no contextual bandit `{reference}`: the rule's own weights are used"),
            );
            return vec![(None, None, None)];
        }
        let version = definition.get("banditVersion").clone();
        let leaf = |id: f64, weights: &Value| Leaf {
            id,
            weights: weights.as_array().unwrap_or_default().to_vec(),
            version: version.clone(),
        };
        let mut leaves = Vec::new();
        let mut others: Vec<Value> = Vec::new();
        for context in definition.get("contexts").as_array().unwrap_or_default() {
            let condition = match context.get("condition") {
                Value::Null => Value::Object(Object::new()),
                condition => self.condition(condition, &format!("{path}.contextualBanditRef")),
            };
            let weights = context.get("weights");
            let mut parts = others.clone();
            parts.push(condition.clone());
            leaves.push((
                Some(leaf(context.get("leafId").as_f64().unwrap_or_default(), weights)),
                Some(all(parts)),
                Some(weights.clone()),
            ));
            others.push(object([("$not", condition)]));
        }
        leaves.push((Some(leaf(-1.0, rule.get("weights"))), Some(all(others)), None));
        leaves
    }

    /// Prerequisites, in their order: a gate that fails ends the feature, another one that fails skips the rule.
    fn prerequisites(&mut self, given: &Value, path: &str) -> Prerequisites {
        let mut found = Prerequisites::default();
        let mut gates = Vec::new();
        for (index, parent) in given.as_array().unwrap_or_default().iter().enumerate() {
            let path = format!("{path}.parentConditions[{index}]");
            let id = parent.get("id").as_str().unwrap_or_default();
            let condition = self.prerequisite(id, parent.get("condition"), &path);
            if parent.get("gate") == &Value::Bool(true) {
                // Where one before it fails, the gate is not asked.
                let mut either: Vec<Value> = found
                    .required
                    .iter()
                    .map(|required| object([("$not", required.clone())]))
                    .collect();
                either.push(condition);
                gates.push(match either.len() {
                    1 => either.remove(0),
                    _ => object([("$or", Value::Array(either))]),
                });
            } else {
                found.required.push(condition);
            }
        }
        if !gates.is_empty() {
            found.gate = Some(all(gates));
        }
        found
    }

    /// What must hold for an experiment's prerequisites, none of which is a gate.
    pub(super) fn required(&mut self, given: &Value, path: &str) -> Vec<Value> {
        let parents = given.as_array().unwrap_or_default();
        let parents = parents.iter().enumerate().map(|(index, parent)| {
            let path = format!("{path}.parentConditions[{index}]");
            let id = parent.get("id").as_str().unwrap_or_default();
            self.prerequisite(id, parent.get("condition"), &path)
        });
        parents.collect()
    }
}

/// Sets a condition to all of some; to none if there are none.
pub(super) fn set_condition(target: &mut Object, name: &str, parts: Vec<Value>) {
    let joined = all(parts);
    if joined.as_object().is_some_and(Object::is_empty) {
        target.remove(name);
    } else {
        target.insert(name, joined);
    }
}
