//! Writes parts of the random corpus as inputs for the fuzz targets that read JSON:
//! `cargo run -p nearside-tests --bin fuzz-seeds -- FOLDER`, then `cargo xtask fuzz TARGET --with FOLDER/TARGET`.

#![expect(clippy::unwrap_used, reason = "a tool at hand: what goes wrong ends it")]

use nearside_engine::value::{Object, Value};
use nearside_tests::corpus;
use std::fs;
use std::path::{Path, PathBuf};

const SEEDS: u64 = 40;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    for seed in 0..SEEDS {
        let manifest = corpus::manifest(seed);
        if seed < 4 {
            write(&folder, "manifest", &format!("whole-{seed}"), &[&manifest]);
        }
        let log = corpus::log(seed, 3);
        let some: Vec<&Value> = log.iter().skip(seed as usize % 7).take(8).collect();
        write(&folder, "event", &seed.to_string(), &some);
        for (index, (_, segment)) in manifest.get("segments").as_object().unwrap().iter().enumerate() {
            let name = format!("{seed}-{index}");
            let when = segment.get("when");
            let documents = [vec![when], some.iter().take(2).copied().collect()].concat();
            write(&folder, "condition", &name, &documents);
            write(
                &folder,
                "manifest",
                &name,
                &[&with(&manifest, "segments", segment.clone())],
            );
        }
    }
}

/// The manifest with this one segment and nothing that refers to others.
fn with(manifest: &Value, name: &str, segment: Value) -> Value {
    let mut members: Object = manifest.as_object().cloned().unwrap();
    members.insert(name, [("s", segment)].into_iter().collect::<Object>());
    let experiences = manifest.get("experiences").as_array().unwrap();
    members.insert(
        "experiences",
        experiences.iter().take(1).cloned().collect::<Vec<_>>(),
    );
    Value::Object(members)
}

fn write(folder: &Path, target: &str, name: &str, values: &[&Value]) {
    let folder = folder.join(target);
    fs::create_dir_all(&folder).unwrap();
    let lines: Vec<String> = values
        .iter()
        .map(|value| serde_json::to_string(value).unwrap())
        .collect();
    fs::write(folder.join(name), lines.join("\n")).unwrap();
}
