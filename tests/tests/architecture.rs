//! Dependencies point as ARCHITECTURE.md says: a forbidden one fails here.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// For each crate of the workspace, the others that it may depend on.
const ALLOWED: [(&str, &[&str]); 8] = [
    ("nearside-engine", &[]),
    ("nearside-rewriter", &["nearside-engine"]),
    ("nearside-edge", &["nearside-engine", "nearside-rewriter"]),
    ("nearside-browser-sdk", &["nearside-engine", "nearside-rewriter"]),
    ("nearside-origin", &["nearside-engine", "nearside-rewriter"]),
    // The tests see everything, through public interfaces.
    (
        "nearside-tests",
        &[
            "nearside-engine",
            "nearside-rewriter",
            "nearside-edge",
            "nearside-browser-sdk",
            "nearside-origin",
            "xtask",
        ],
    ),
    // Compiled with coverage for the fuzzer, so it takes no more than it tries.
    ("nearside-fuzz", &["nearside-engine", "nearside-rewriter"]),
    ("xtask", &[]),
];

/// What the engine may use besides: no I/O, clock, randomness, JavaScript or HTML.
const ENGINE_USES: [&str; 2] = ["serde", "postcard"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// For each crate of the workspace its dependencies; `true` for those of its tests alone.
fn dependencies() -> BTreeMap<String, Vec<(String, bool)>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(repository())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let dependencies = dependencies
                .map(|dependency| (text(&dependency["name"]), text(&dependency["kind"]) == "dev"));
            (text(&package["name"]), dependencies.collect())
        })
        .collect()
}

#[test]
fn crates_depend_on_each_other_as_the_architecture_says() {
    let dependencies = dependencies();
    assert_eq!(
        dependencies.keys().map(String::as_str).collect::<Vec<_>>(),
        {
            let mut names: Vec<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
            names.sort_unstable();
            names
        },
        "a crate that ARCHITECTURE.md does not name"
    );
    for (name, allowed) in ALLOWED {
        for (dependency, _) in &dependencies[name] {
            let is_ours = dependencies.contains_key(dependency);
            assert!(
                !is_ours || allowed.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn the_engine_depends_on_next_to_nothing() {
    for (dependency, is_for_tests) in &dependencies()["nearside-engine"] {
        assert!(
            *is_for_tests || ENGINE_USES.contains(&dependency.as_str()),
            "the engine must not use {dependency}"
        );
    }
}

#[test]
fn the_engine_does_no_input_or_output_and_reads_no_clock() {
    let forbidden = [
        "std::fs",
        "std::net",
        "std::io",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "println!",
        "unsafe {",
    ];
    let mut files = Vec::new();
    sources(&repository().join("engine/src"), &mut files);
    assert!(files.len() > 20, "the engine's sources were not found");
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        for word in forbidden {
            assert!(!source.contains(word), "{} has `{word}`", file.display());
        }
    }
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.ends_with("tests") {
            // Tests may start threads.
        } else if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn engine_and_origin_forbid_unsafe_code() {
    for file in [
        "engine/src/lib.rs",
        "origin/src/lib.rs",
        "origin/src/main.rs",
        "rewriter/src/lib.rs",
    ] {
        let source = std::fs::read_to_string(repository().join(file)).unwrap();
        assert!(source.contains("#![forbid(unsafe_code)]"), "{file}");
    }
}

/// The comparisons have a workspace of their own, so that nobody else compiles the peers; what they measure must
/// be built as what is shipped.
#[test]
fn the_comparisons_are_built_with_the_profiles_that_are_shipped() {
    let profiles = |file: &str| {
        let text = std::fs::read_to_string(repository().join(file)).unwrap();
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
        let sections = lines.collect::<Vec<_>>().join("\n");
        let of = |name: &str| {
            let (_, after) = sections.split_once(&format!("[profile.{name}]")).unwrap();
            let settings = after.split("\n[").next().unwrap_or_default();
            let settings = settings.lines().filter(|line| !line.is_empty());
            settings.map(str::to_owned).collect::<Vec<_>>()
        };
        ["release", "browser", "edge"].map(of)
    };
    assert_eq!(
        profiles("tests/benches/engine/Cargo.toml"),
        profiles("Cargo.toml")
    );
}
