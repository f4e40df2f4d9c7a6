//! The committed schema is the generated one, and has the words that the compiler has.

use super::manifest_schema_text;
use nearside_engine::compile::vocabulary;
use nearside_engine::mutation::Operation;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Set to rewrite the committed schema.
const REWRITE: &str = "NEARSIDE_WRITE_SCHEMA";

#[test]
fn the_committed_schema_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifest.schema.json");
    let generated = manifest_schema_text().unwrap();
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    // Not `assert_eq!`, which would print both.
    assert!(
        committed == generated,
        "{} is out of date: run this test with {REWRITE}=1",
        path.display()
    );
}

/// Places of the schema, and the lists of the compiler's vocabulary that they hold.
const PLACES: [(&str, &[&str]); 48] = [
    ("", &["the manifest"]),
    ("Site", &["the site"]),
    ("Consent", &["consent"]),
    ("TraitSharing", &["traits"]),
    ("AgingAttribute", &["an attribute that ages"]),
    ("StaleWord", &["whenStale"]),
    ("StaleDefault", &["a value for a stale one"]),
    ("Segment", &["a segment"]),
    ("Experience", &["an experience", "an assignment"]),
    ("AssignmentFilter", &["a filter"]),
    ("TrafficStep", &["a step of a ramp"]),
    ("StickyVersions", &["sticky"]),
    ("PagePattern", &["a page pattern"]),
    ("Schedule", &["a schedule"]),
    ("Status", &["status"]),
    ("Kind", &["kind"]),
    ("Variant", &["a variant"]),
    (
        "Mutation",
        &[
            "a mutation",
            "a move",
            "an image",
            "a title",
            "a meta",
            "a redirect",
        ],
    ),
    ("Position", &["where to something is moved"]),
    ("Feature", &["a feature"]),
    ("Rule", &["a rule", "an assignment"]),
    ("FeatureVariant", &["a feature's variant"]),
    ("Score", &["a score"]),
    ("Affinity", &["an affinity"]),
    ("EventWithPoints", &["an event with points"]),
    ("EventType", &["an event's type"]),
    ("Condition", &["a condition", REQUEST, SESSION, PROFILE]),
    ("EventCondition", &[JOINING, "an attribute of an event"]),
    ("MemberCondition", &[JOINING]),
    ("Events", &["the events", AGGREGATES]),
    ("Scope", &["in"]),
    ("AgoTest", &["how long ago"]),
    ("ValueOfEvent", &["this"]),
    ("EventMeasure", &["the value of a measure", NUMBERS]),
    ("Sequence", &["$sequence"]),
    ("Step", &["a step"]),
    ("NotStep", &["a step with `not`"]),
    ("Event", &["an event"]),
    ("Held", &["$held"]),
    ("FeatureTest", &["$feature"]),
    ("Near", &["$near"]),
    ("Operators", &[VALUES]),
    ("ValueTest", &[VALUES]),
    ("ElementTest", &[VALUES]),
    ("NumberOperators", &[NUMBERS]),
    ("DurationOperators", &[NUMBERS]),
    ("Operators/properties/$type", &["a value's type"]),
    ("HashVersion", &[]),
];
const REQUEST: &str = "an attribute of the request";
const SESSION: &str = "an attribute of the session";
const PROFILE: &str = "an attribute of the profile";
const AGGREGATES: &str = "an aggregate of $events";
const NUMBERS: &str = "an operator of a number";
const VALUES: &str = "an operator of a value";
const JOINING: &str = "what joins conditions";

type Lists = BTreeMap<&'static str, BTreeSet<String>>;

/// The compiler's lists, and those that are made of them.
fn lists() -> Lists {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut lists: Lists = vocabulary()
        .iter()
        .map(|list| (list.of, owned(list.words)))
        .collect();
    lists.insert(JOINING, owned(&["$and", "$or", "$nor", "$not"]));
    lists.insert("an attribute of an event", owned(&["type", "name"]));
    lists.insert("the value of a measure", owned(&["of"]));
    let events = lists.remove("$events").unwrap();
    assert!(events.is_superset(&lists[AGGREGATES]));
    let plain = events.difference(&lists[AGGREGATES]).cloned().collect();
    lists.insert("the events", plain);
    // The name of a trait or purpose belongs to the path, so that it is a pattern.
    for named in ["profile.traits", "profile.consent"] {
        assert!(lists.get_mut(PROFILE).unwrap().remove(named));
    }
    lists
}

/// The members that an object may have, or the names that a text may be.
fn words(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let members = schema["properties"].as_object();
    let members = members.into_iter().flatten().map(|(name, _)| name.clone());
    found.extend(members.filter(|name| name != "visitor.id"));
    found.extend(schema["const"].as_str().map(str::to_owned));
    for name in schema["enum"].as_array().into_iter().flatten() {
        found.extend(name.as_str().map(str::to_owned));
    }
    for choices in ["oneOf", "anyOf"] {
        for choice in schema[choices].as_array().into_iter().flatten() {
            found.extend(words(choice));
        }
    }
    found
}

fn at<'s>(schema: &'s Value, place: &str) -> &'s Value {
    match place {
        "" => schema,
        name => schema.pointer(&format!("/$defs/{name}")).unwrap(),
    }
}

#[test]
fn the_schema_has_the_words_that_the_compiler_has() {
    let schema = super::manifest_schema();
    let lists = lists();
    for (place, names) in PLACES {
        let expected: BTreeSet<String> = names.iter().flat_map(|name| lists[name].clone()).collect();
        assert_eq!(words(at(&schema, place)), expected, "{place}");
    }
    let held: BTreeSet<&str> = PLACES
        .iter()
        .flat_map(|(_, names)| names.iter().copied())
        .collect();
    let all: BTreeSet<&str> = lists.keys().copied().collect();
    assert_eq!(held, all, "a list of the vocabulary has no place in the schema");
}

#[test]
fn each_word_of_the_schema_is_held_against_the_compiler() {
    let schema = super::manifest_schema();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        let is_held = PLACES.iter().any(|(place, _)| place == name);
        assert!(
            is_held || words(definition).is_empty(),
            "{name} has words of its own: hold them against the vocabulary in PLACES"
        );
    }
}

#[test]
fn the_schema_has_the_operations_that_a_mutation_may_have() {
    let schema = super::manifest_schema();
    let choices = schema["$defs"]["Mutation"]["oneOf"].as_array().unwrap();
    let found: BTreeSet<&str> = choices
        .iter()
        .map(|choice| choice["properties"]["op"]["const"].as_str().unwrap())
        .collect();
    let expected: BTreeSet<&str> = Operation::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(found, expected);
    for choice in choices {
        let operation = Operation::parse(choice["properties"]["op"]["const"].as_str().unwrap()).unwrap();
        let has = |member: &str| choice["properties"].get(member).is_some();
        assert_eq!(has("selector"), operation.takes_selector(), "{operation:?}");
        assert_eq!(has("name"), operation.takes_name(), "{operation:?}");
        assert_eq!(has("value"), operation.takes_value(), "{operation:?}");
    }
}

#[test]
fn each_member_says_what_it_is_for() {
    fn check(schema: &Value, place: &str) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_given = property["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty());
            // An operation is described by the change that it is the name of.
            assert!(is_given || name == "op", "{place}.{name} has no description");
        }
        for choices in ["oneOf", "anyOf"] {
            for choice in schema[choices].as_array().into_iter().flatten() {
                check(choice, place);
            }
        }
    }
    let schema = super::manifest_schema();
    check(&schema, "$");
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        check(definition, name);
    }
}
