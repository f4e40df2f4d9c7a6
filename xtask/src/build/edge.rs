//! The edge worker: cargo, wasm-bindgen and a first bundle, all run by `worker-build`; then what makes the module
//! small to load, and the entry that stands before it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::freshness::Stamp;
use super::{Outcome, PASSES, WASM_FEATURES, glue, order, unused};
use crate::process::run;
use crate::setup::{BuildTools, WORKER_BUILD};
use crate::{paths, wasm_module};

const SOURCES: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "engine",
    "rewriter",
    "edge",
    "xtask/src/build",
    "xtask/src/wasm_module.rs",
];

/// What edges run all has it, and pages are searched faster for it. Browsers that have not are still in use.
const SIMD: &str = "-Ctarget-feature=+simd128";

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
    let folder_of_glue = paths::artifacts().join("edge-glue");
    for folder in [&folder_of_glue, &paths::artifacts().join("edge")] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut command = tools.wasm.command_with(&tools.worker_build, &[SIMD])?;
    command
        .args(["--profile", "edge", "--out-dir"])
        .arg(&folder_of_glue)
        .current_dir(paths::repository().join("edge"))
        // A folder of its own: another compiler than the native builds' may be at work here.
        .env("CARGO_TARGET_DIR", paths::cargo_target().join("wasm"))
        .env("WASM_BINDGEN_BIN", &tools.wasm_bindgen)
        .env("ESBUILD_BIN", tools.npm.esbuild()?)
        // The bundle below is minified; this one is read.
        .env("NO_MINIFY", "1");
    run(&mut command)?;
    let module = folder_of_glue.join("module.js");
    let script = folder_of_glue.join("index.js");
    let text = fs::read_to_string(&script).with_context(|| format!("cannot read {}", script.display()))?;
    let text = glue::telling_of_traps(&glue::without_class(&text)?)?;
    let text = optimise(tools, &folder_of_glue.join("index_bg.wasm"), text)?;
    fs::write(&module, text).with_context(|| format!("cannot write {}", module.display()))?;
    bundle(tools, &module)?;
    stamp.record()?;
    Ok(Outcome::Built)
}

/// The module as it is deployed; beside it, with the functions' names, as logs and `cargo xtask size` need it. Gives
/// the glue that fits it.
fn optimise(tools: &BuildTools, module: &Path, mut glue: String) -> Result<String> {
    let named = paths::named_worker_module();
    let used = module.with_extension("used.wasm");
    let read = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    fs::write(
        &used,
        wasm_module::without_exports(&read, unused::is_unused(&glue))?,
    )
    .with_context(|| format!("cannot write {}", used.display()))?;
    let mut command = tools.npm.node.command(&tools.npm.wasm_opt())?;
    command
        .arg(&used)
        .args(WASM_FEATURES)
        .arg("--enable-simd")
        .arg("--enable-exception-handling")
        .args(PASSES)
        .args(["--strip-producers", "--debuginfo", "-o"])
        .arg(&named);
    run(&mut command)?;
    let ordered = order::ordered(&named)?;
    fs::write(&named, &ordered).with_context(|| format!("cannot write {}", named.display()))?;
    let mut count = 0;
    let bare = wasm_module::shortened(&ordered, |name| {
        let short = format!("i{count}");
        count += 1;
        rename(&mut glue, name, &short).unwrap_or_else(|| name.to_owned())
    })?;
    let file = paths::worker_module();
    fs::write(&file, bare).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(glue)
}

/// Gives a function of the glue another name, if it is there once. The names have hashes in them, which do not compress
/// and stand in both the module and the glue.
fn rename(glue: &mut String, name: &str, short: &str) -> Option<String> {
    let (before, after) = glue.split_once(&format!(" {name}:"))?;
    if after.contains(&format!(" {name}:")) {
        return None;
    }
    *glue = format!("{before} {short}:{after}");
    Some(short.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_there_once_gets_a_short_name() {
        let mut glue = "{ __wbg_a_0: f, __wbg_a_01: g, b: 1, b: 2 }".to_owned();
        assert_eq!(rename(&mut glue, "__wbg_a_0", "i0").as_deref(), Some("i0"));
        assert_eq!(rename(&mut glue, "b", "i1"), None);
        assert_eq!(rename(&mut glue, "c", "i2"), None);
        assert_eq!(glue, "{ i0: f, __wbg_a_01: g, b: 1, b: 2 }");
    }
}
