//! The edge worker: cargo, wasm-bindgen and a first bundle, all run by `worker-build`; then what makes the module
//! small to load, and the entry that stands before it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::freshness::Stamp;
use super::{Outcome, WASM_FEATURES};
use crate::process::run;
use crate::setup::{BuildTools, WORKER_BUILD};
use crate::{paths, wasm_module};

const SOURCES: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "engine",
    "rewriter",
    "edge",
    "xtask/src/build",
];

/// What wasm-opt does. Its passes that make code shorter reuse locals and so make it less alike: what is loaded, the
/// compressed module, was 6 % larger with them. Functions that are called alike are alike, and gzip finds that when
/// they stand near each other.
const PASSES: [&str; 5] = [
    "--duplicate-function-elimination",
    "--remove-unused-module-elements",
    "--rse",
    "--vacuum",
    "--reorder-functions-by-name",
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
    let glue = paths::artifacts().join("edge-glue");
    for folder in [&glue, &paths::artifacts().join("edge")] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut command = tools.wasm.command(&tools.worker_build)?;
    command
        .args(["--profile", "edge", "--out-dir"])
        .arg(&glue)
        .current_dir(paths::repository().join("edge"))
        // A folder of its own: another compiler than the native builds' may be at work here.
        .env("CARGO_TARGET_DIR", paths::cargo_target().join("wasm"))
        .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
        .env("ESBUILD_BIN", tools.npm.esbuild()?);
    run(&mut command)?;
    optimise(tools, &glue.join("index_bg.wasm"))?;
    bundle(tools, &glue.join("index.js"))?;
    stamp.record()?;
    Ok(Outcome::Built)
}

/// The module as it is deployed; beside it, with the functions' names, as logs and `cargo xtask size` need it.
fn optimise(tools: &BuildTools, module: &Path) -> Result<()> {
    let named = paths::named_worker_module();
    let mut command = tools.npm.node.command(&tools.npm.wasm_opt())?;
    command
        .arg(module)
        .args(WASM_FEATURES)
        .arg("--enable-exception-handling")
        .args(PASSES)
        .args(["--strip-producers", "--debuginfo", "-o"])
        .arg(&named);
    run(&mut command)?;
    let read = fs::read(&named).with_context(|| format!("cannot read {}", named.display()))?;
    let bare = wasm_module::without_names(&read)?;
    let file = paths::worker_module();
    fs::write(&file, bare).with_context(|| format!("cannot write {}", file.display()))
}

/// The entry with what `worker-build` has made, which the entry imports as `nearside-module`.
fn bundle(tools: &BuildTools, glue: &Path) -> Result<()> {
    let mut command = Command::new(tools.npm.esbuild()?);
    command
        .arg(paths::repository().join("edge/js/entry.js"))
        .args([
            "--bundle",
            "--format=esm",
            "--minify",
            "--legal-comments=none",
            "--target=es2022",
            "--external:cloudflare:*",
            "--external:./index_bg.wasm",
            "--log-level=warning",
        ])
        .arg(format!("--alias:nearside-module={}", glue.display()))
        .arg(format!("--outfile={}", paths::worker_entry().display()));
    run(&mut command)
}
