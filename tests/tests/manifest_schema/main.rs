//! The manifest's JSON Schema and the compiler say the same of manifests, right and wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod mistakes;
mod valid;

use jsonschema::Validator;
use nearside_engine::compile::compile;
use nearside_origin::manifest_schema::manifest_schema;
use serde_json::Value as Json;

fn validator() -> Validator {
    let schema = manifest_schema();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// What the compiler names, as text.
fn named(manifest: &Json) -> Vec<String> {
    let manifest = serde_json::from_value(manifest.clone()).unwrap();
    let (_, warnings) = compile(&manifest);
    warnings.iter().map(ToString::to_string).collect()
}

/// What the schema names, as text.
fn refused(validator: &Validator, manifest: &Json) -> Vec<String> {
    validator
        .iter_errors(manifest)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// A manifest with each construct of the language, without a mistake.
fn all_constructs() -> Json {
    serde_json::from_str(include_str!("all_constructs.json")).unwrap()
}
