//! Manifests with one mistake: the schema refuses what the compiler does, and nothing that it takes.

use super::{all_constructs, named, refused, validator};
use nearside_tests::corpus::{self, Random};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

/// How many manifests get a mistake of each kind; more in the long run (`cargo xtask test --long`).
const MANIFESTS: u64 = 1_500;
const LONG: u64 = 50_000;
/// The schema refuses at least so many percent of the manifests that the compiler has an error for, by the kind
/// of mistake.
const AT_LEAST: [(Mistake, usize); 5] = [
    (Mistake::MisspeltMember, 90),
    (Mistake::WrongType, 95),
    (Mistake::MissingMember, 80),
    (Mistake::MisspeltText, 70),
    (Mistake::StrangeMember, 95),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mistake {
    MisspeltMember,
    WrongType,
    MissingMember,
    MisspeltText,
    StrangeMember,
}

/// The places of all values of a manifest, as JSON pointers.
fn places(value: &Json, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Json::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                places(member, &format!("{at}/{name}"), found);
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// A slip of the hand.
fn misspelt(random: &mut Random, word: &str) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.is_empty() {
        return "x".to_owned();
    }
    let at = random.below(letters.len());
    match random.below(4) {
        0 => {
            letters.remove(at);
        }
        1 => letters.insert(at, letters[at]),
        2 if at > 0 => letters.swap(at, at - 1),
        _ => letters[at] = random.one(&['x', 'e', '-', 'S']),
    }
    letters.into_iter().collect()
}

fn something(random: &mut Random) -> Json {
    match random.below(9) {
        0 => Json::Null,
        1 => json!(true),
        2 => json!(7),
        3 => json!(-0.5),
        4 => json!("text"),
        5 => json!([]),
        6 => json!([{}]),
        7 => json!({}),
        _ => json!({"$gte": "1h"}),
    }
}

/// Makes one mistake, if there is anything to make it with.
fn with_mistake(random: &mut Random, mistake: Mistake, manifest: &Json) -> Option<Json> {
    let mut found = Vec::new();
    places(manifest, "", &mut found);
    let mut changed = manifest.clone();
    let place = found[random.below(found.len())].clone();
    let value = changed.pointer_mut(&place)?;
    match mistake {
        Mistake::WrongType => {
            let other = something(random);
            let kind = |value: &Json| std::mem::discriminant(value);
            if kind(&other) == kind(value) {
                return None;
            }
            *value = other;
        }
        Mistake::MisspeltText => *value = json!(misspelt(random, value.as_str()?)),
        Mistake::MisspeltMember | Mistake::MissingMember | Mistake::StrangeMember => {
            let members = value.as_object_mut().filter(|members| !members.is_empty())?;
            let name = members.keys().nth(random.below(members.len()))?.clone();
            match mistake {
                Mistake::MissingMember => {
                    members.remove(&name);
                }
                Mistake::MisspeltMember => {
                    let misspelt = misspelt(random, &name);
                    let member = members.remove(&name)?;
                    members.insert(misspelt, member);
                }
                _ => {
                    let strange = [
                        "when", "value", "$gte", "$events", "within", "of", "is", "weight", "url",
                    ];
                    members.insert(random.one(&strange).to_owned(), something(random));
                }
            }
        }
    }
    (changed != *manifest).then_some(changed)
}

/// Counts for one kind of mistake.
#[derive(Debug, Default)]
struct Counts {
    errors: usize,
    refused: usize,
    fine: usize,
    passed: Vec<String>,
}

#[test]
fn the_schema_refuses_what_the_compiler_does_and_nothing_that_it_takes() {
    let validator = validator();
    let mut counts: BTreeMap<Mistake, Counts> = BTreeMap::new();
    let is_long = std::env::var_os("NEARSIDE_LONG").is_some();
    for seed in 0..if is_long { LONG } else { MANIFESTS } {
        let random = &mut Random::new(seed ^ 0x6d69_7374);
        let manifest = match seed % 2 {
            0 => all_constructs(),
            _ => serde_json::to_value(corpus::manifest(seed)).unwrap(),
        };
        for (mistake, _) in AT_LEAST {
            let Some(changed) = with_mistake(random, mistake, &manifest) else {
                continue;
            };
            let (named, refused) = (named(&changed), refused(&validator, &changed));
            if named.is_empty() && !refused.is_empty() {
                let change = difference(&manifest, &changed);
                panic!(
                    "{mistake:?}, seed {seed}: the compiler takes {change}, and the schema says {refused:#?}"
                );
            }
            let counts = counts.entry(mistake).or_default();
            counts.fine += usize::from(named.is_empty());
            if let Some(error) = named.iter().find(|message| message.starts_with("error")) {
                counts.errors += 1;
                counts.refused += usize::from(!refused.is_empty());
                if refused.is_empty() {
                    counts.passed.push(error.clone());
                }
            }
        }
    }
    for (mistake, at_least) in AT_LEAST {
        let counts = &counts[&mistake];
        println!(
            "{mistake:?}: {} of {} refused; {} were no mistakes",
            counts.refused, counts.errors, counts.fine
        );
        for error in counts.passed.iter().take(12) {
            println!("  only the compiler: {error}");
        }
        assert!(counts.errors >= 100, "{mistake:?}: too few errors");
        assert!(
            counts.refused * 100 >= counts.errors * at_least,
            "{mistake:?}: only {} of {} refused",
            counts.refused,
            counts.errors
        );
    }
}

/// The smallest part that differs.
fn difference(one: &Json, other: &Json) -> String {
    match (one, other) {
        (Json::Object(a), Json::Object(b)) if names(a) == names(b) => {
            let changed = a.iter().find(|(name, value)| b.get(*name) != Some(value));
            changed.map_or_else(String::new, |(name, value)| {
                format!("{name} › {}", difference(value, &other[name]))
            })
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            let changed = a.iter().zip(b).find(|(a, b)| a != b);
            changed.map_or_else(String::new, |(a, b)| difference(a, b))
        }
        _ => other.to_string(),
    }
}

fn names(members: &Map<String, Json>) -> Vec<&String> {
    members.keys().collect()
}
