//! GrowthBook's SDK payloads → manifests that decide the same.
//!
//! A payload is what GrowthBook's API gives its SDKs: features, experiments that the visual editor or a
//! redirect makes (“auto experiments”), and saved groups. What a manifest cannot say is left out
//! with a warning that names its place; what GrowthBook's SDKs cannot evaluate (an operator that they do not
//! know, also under `$not`) holds for nobody, as there.
//!
//! | file | does |
//! | --- | --- |
//! | `attributes` | which attribute is which in the decision's document |
//! | `condition` | conditions and saved groups |
//! | `pages` | URL targeting |
//! | `assignment` | hashes, ranges, namespaces, sticky buckets |
//! | `feature` | features with their rules, prerequisites, contextual bandits |
//! | `experiment` | auto experiments |
//! | `mutation` | what the visual editor changes |

mod assignment;
mod attributes;
mod condition;
mod experiment;
mod feature;
mod mutation;
mod pages;

pub use attributes::Attributes;
pub use feature::{Leaf, RuleOrigin};

use nearside_engine::value::{Object, Value};
use std::collections::BTreeMap;
use std::fmt;

#[cfg(test)]
mod tests;

/// How a payload is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which attribute is which.
    pub attributes: Attributes,
    /// Whether visitors keep their variants, as with an SDK that has a sticky bucket service.
    pub sticky: bool,
    /// Whether nobody is assigned anything, as with an SDK in its QA mode.
    pub qa: bool,
}

/// Something that was not taken over as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it is in the payload.
    pub path: String,
    /// What became of it.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "warning: {}: {}", self.path, self.message)
    }
}

/// A payload that was read.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// The manifest.
    pub manifest: Value,
    /// What was not taken over as it is.
    pub warnings: Vec<Warning>,
    /// For each feature, where each of its rules in the manifest comes from.
    pub rules: BTreeMap<String, Vec<RuleOrigin>>,
}

/// Reads a payload.
pub fn import(payload: &Value, options: &Options) -> Imported {
    let mut import = Import {
        options,
        payload,
        groups: Object::new(),
        warnings: Vec::new(),
        rules: BTreeMap::new(),
    };
    for (encrypted, what) in [
        ("encryptedFeatures", "features"),
        ("encryptedExperiments", "experiments"),
        ("encryptedSavedGroups", "saved groups"),
    ] {
        if !payload.get(encrypted).is_null() {
            import.warn(
                &format!("$.{encrypted}"),
                format!(
                    "the {what} are encrypted: ask GrowthBook for the payload of an SDK connection without encryption"
                ),
            );
        }
    }
    let features = import.features();
    let experiments = import.experiments();
    let mut manifest = Object::new();
    if !import.groups.is_empty() {
        manifest.insert("groups", std::mem::take(&mut import.groups));
    }
    if !features.is_empty() {
        manifest.insert("features", features);
    }
    if !experiments.is_empty() {
        manifest.insert("experiences", experiments);
    }
    Imported {
        manifest: Value::Object(manifest),
        warnings: import.warnings,
        rules: import.rules,
    }
}

/// A payload that is being read.
struct Import<'a> {
    options: &'a Options,
    payload: &'a Value,
    /// The groups that conditions refer to.
    groups: Object,
    warnings: Vec<Warning>,
    rules: BTreeMap<String, Vec<RuleOrigin>>,
}

impl Import<'_> {
    fn warn(&mut self, path: &str, message: impl Into<String>) {
        self.warnings.push(Warning {
            path: path.to_owned(),
            message: message.into(),
        });
    }
}

/// An object of some members.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().collect())
}

/// JavaScript's `Boolean(value)`.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(boolean) => *boolean,
        Value::Number(number) => *number != 0.0 && !number.is_nan(),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Text that is not empty.
fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}
