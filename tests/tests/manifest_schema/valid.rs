//! Manifests without mistakes fit the schema.

use super::{all_constructs, named, refused, validator};
use nearside_origin::growthbook::{Options, import};
use nearside_tests::corpus;
use serde_json::{Map, Value as Json, json};
use std::path::Path;

fn file(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

#[test]
fn random_manifests() {
    let validator = validator();
    for seed in 0..2_000 {
        let manifest = serde_json::to_value(corpus::manifest(seed)).unwrap();
        assert_eq!(
            refused(&validator, &manifest),
            Vec::<String>::new(),
            "seed {seed}"
        );
    }
}

#[test]
fn the_demo_and_a_manifest_with_all_constructs() {
    let validator = validator();
    let demo = serde_json::from_str(&file("demo/manifest.json")).unwrap();
    for manifest in [demo, all_constructs()] {
        assert_eq!(named(&manifest), Vec::<String>::new());
        assert_eq!(refused(&validator, &manifest), Vec::<String>::new());
    }
}

/// The manifests in the readme and in the language's page.
#[test]
fn the_documentation_s_examples() {
    let validator = validator();
    let texts = [file("README.md"), file("docs/decision-language.md")];
    let blocks: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split("```json manifest\n").skip(1))
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(blocks.len() > 1, "{} examples", blocks.len());
    for block in blocks {
        let manifest: Json = serde_json::from_str(block).unwrap();
        assert_eq!(named(&manifest), Vec::<String>::new(), "{block}");
        assert_eq!(refused(&validator, &manifest), Vec::<String>::new(), "{block}");
    }
}

/// What `nearside import growthbook` writes: the payloads of GrowthBook's own cases.
#[test]
fn imported_manifests() {
    let validator = validator();
    let path = xtask::setup::growthbook_cases().unwrap();
    let cases: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut taken = 0;
    for section in ["feature", "run", "stickyBucket", "urlRedirect"] {
        for case in cases[section].as_array().unwrap() {
            let mut payload = case[1].clone();
            if section == "run" {
                payload["experiments"] = json!([case[2]]);
            }
            let payload = serde_json::from_value(payload).unwrap();
            let manifest = serde_json::to_value(import(&payload, &Options::default()).manifest).unwrap();
            if named(&manifest).is_empty() {
                taken += 1;
                assert_eq!(refused(&validator, &manifest), Vec::<String>::new(), "{manifest}");
            }
        }
    }
    assert!(taken > 100, "only {taken} manifests without a mistake");
}

/// The manifest with all constructs is as good as its name: each member of the schema is in it somewhere.
#[test]
fn no_construct_is_missing() {
    let schema = nearside_origin::manifest_schema::manifest_schema();
    let text = all_constructs().to_string();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let choices = ["oneOf", "anyOf"].map(|key| definition[key].as_array().cloned().unwrap_or_default());
        for part in choices.iter().flatten().chain([definition]) {
            let members = part["properties"].as_object().cloned().unwrap_or_else(Map::new);
            for member in members.keys() {
                // Where the visitor is, is told by the edge; all of these are read in the same way.
                if !member.starts_with("request.") {
                    assert!(text.contains(&format!("{}:", json!(member))), "{name} {member}");
                }
            }
        }
    }
}
