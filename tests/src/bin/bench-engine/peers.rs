//! The features, decided by the engine and by GrowthBook's SDKs.

use crate::{payload, row};
use nearside_engine::compile::compile;
use nearside_engine::value::Value;
use nearside_origin::growthbook::{Options, import};
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask::build::WASM_FEATURES;
use xtask::{paths, process, setup};

/// The builds of the engine for WebAssembly: cargo's profile, what wasm-opt does, and what has it.
const BUILDS: [(&str, &str, &str); 3] = [
    ("browser", "-Oz", "as pages get it"),
    ("edge", "-O", "as the edge worker has it"),
    ("release", "-O3", "built for speed"),
];

pub(crate) fn features() -> Vec<Json> {
    let folder = prepare();
    let mut rows = vec![native(&folder)];
    rows.extend(wasm(&folder));
    rows
}

/// Writes what all of them read: the payload, the same as a manifest and as a program, and the visitors.
fn prepare() -> PathBuf {
    let folder = paths::artifacts().join("bench").join("engine");
    fs::create_dir_all(&folder).unwrap();
    let payload = payload::payload();
    let imported = import(
        &serde_json::from_value(payload.clone()).unwrap(),
        &Options::default(),
    );
    assert_eq!(imported.warnings, [], "the payload is not taken over as it is");
    let (program, warnings) = compile(&imported.manifest);
    assert_eq!(warnings, [], "the manifest has a mistake");
    assert_eq!(program.features.len(), payload::FEATURES);
    write(&folder, "payload.json", &payload.to_string());
    write(&folder, "manifest.json", &text(&imported.manifest));
    write(
        &folder,
        "visitors.json",
        &serde_json::to_string(&payload::visitors()).unwrap(),
    );
    fs::write(folder.join("program.bin"), program.to_bytes()).unwrap();
    folder
}

fn text(value: &Value) -> String {
    serde_json::to_string(value).unwrap()
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

/// The folder of the peers' workspace, which has a target folder of its own.
fn workspace() -> PathBuf {
    paths::repository().join("tests").join("benches").join("engine")
}

fn target() -> PathBuf {
    paths::cargo_target().join("bench-engine")
}

fn read(folder: &Path, name: &str) -> Json {
    serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap()
}

fn native(folder: &Path) -> Json {
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "run",
            "--release",
            "--locked",
            "--package",
            "nearside-bench-native",
            "--",
        ])
        .arg(folder)
        .current_dir(workspace())
        .env("CARGO_TARGET_DIR", target());
    process::run(&mut cargo).expect("the native comparison runs");
    let times = read(folder, "native.json");
    row(
        "100 features, native: decide all for a visitor",
        times["ours"].as_f64().unwrap(),
        times["peer"].as_f64().unwrap(),
        "growthbook-rust 0.4.0",
        "µs",
    )
}

/// Builds the engine for WebAssembly as each of the builds has it, and measures all of them in one run of Node.js.
fn wasm(folder: &Path) -> Vec<Json> {
    let tools = setup::build_tools().expect("the build's tools");
    let peer = setup::growthbook_sdk().expect("GrowthBook's SDK");
    for (profile, optimise, _) in BUILDS {
        let mut cargo = tools.wasm.cargo().unwrap();
        cargo
            .args(["build", "--locked", "--package", "nearside-bench-wasm"])
            .args(["--target", "wasm32-unknown-unknown", "--profile", profile])
            .current_dir(workspace())
            .env("CARGO_TARGET_DIR", target());
        process::run(&mut cargo).expect("the engine builds for WebAssembly");
        let module = target()
            .join("wasm32-unknown-unknown")
            .join(profile)
            .join("nearside_bench_wasm.wasm");
        let output = folder.join(profile);
        let mut bind = Command::new(&tools.wasm_bindgen);
        bind.args([
            "--target",
            "nodejs",
            "--no-typescript",
            "--out-name",
            "engine",
            "--out-dir",
        ])
        .arg(&output)
        .arg(module);
        process::run(&mut bind).expect("the bindings are made");
        let bound = output.join("engine_bg.wasm");
        let mut wasm_opt = tools.npm.node.command(&tools.npm.wasm_opt()).unwrap();
        wasm_opt
            .args([optimise, "--strip-debug"])
            .args(WASM_FEATURES)
            .arg(&bound)
            .arg("-o")
            .arg(&bound);
        process::run(&mut wasm_opt).expect("the module is optimised");
    }
    let mut node = tools.npm.node.command(&workspace().join("features.cjs")).unwrap();
    node.arg(folder)
        .arg(peer)
        .args(BUILDS.map(|(profile, ..)| profile));
    process::run(&mut node).expect("the comparison in Node.js runs");
    let times = read(folder, "wasm.json");
    let rows = BUILDS.iter().map(|(profile, _, whose)| {
        row(
            &format!("100 features, WebAssembly {whose}: decide all for a visitor"),
            times["ours"][*profile].as_f64().unwrap(),
            times["peer"].as_f64().unwrap(),
            times["peer_name"].as_str().unwrap(),
            "µs",
        )
    });
    rows.collect()
}
