//! The edge worker: cargo, wasm-bindgen, wasm-opt and a bundle, all run by `worker-build`.

use std::fs;

use anyhow::{Context, Result};

use super::Outcome;
use super::freshness::Stamp;
use crate::paths;
use crate::process::run;
use crate::setup::{BuildTools, WORKER_BUILD};

const SOURCES: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "engine",
    "rewriter",
    "edge",
    "xtask/src/build",
];

pub(super) fn build(tools: &BuildTools) -> Result<Outcome> {
    let results = [paths::worker_entry(), paths::worker_module()];
    let identity = format!(
        "{} {} {}",
        tools.wasm,
        WORKER_BUILD.version,
        tools.npm.modules().display()
    );
    let stamp = Stamp::of("edge", &SOURCES, &identity)?;
    if stamp.is_fresh(&results) {
        return Ok(Outcome::UpToDate);
    }
    let output = paths::artifacts().join("edge");
    fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
    let mut command = tools.wasm.command(&tools.worker_build)?;
    command
        .args(["--profile", "edge", "--out-dir"])
        .arg(&output)
        .current_dir(paths::repository().join("edge"))
        // A folder of its own: another compiler than the native builds' may be at work here.
        .env("CARGO_TARGET_DIR", paths::cargo_target().join("wasm"))
        .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
        .env("WASM_OPT_BIN", tools.npm.wasm_opt())
        .env("ESBUILD_BIN", tools.npm.esbuild()?);
    run(&mut command)?;
    stamp.record()?;
    Ok(Outcome::Built)
}
