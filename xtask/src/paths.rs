//! Where things are: the repository, its build results, and the cache of tools.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The top folder of the repository.
///
/// Cargo tells which package it runs; every package lies directly below the top. A program that is not
/// run by cargo takes the folder that it was compiled in, which is another clone's where two clones
/// share a target folder.
pub fn repository() -> PathBuf {
    let running = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR"));
    let above = |package: &Path| package.parent().unwrap_or(package).to_path_buf();
    running
        .map(|package| above(&package))
        .filter(|top| top.join("wrangler.toml").is_file())
        .unwrap_or_else(|| above(compiled))
}

/// `target/` of the repository: build results with fixed names are here, wherever cargo's own target
/// folder is, because `wrangler.toml` and the interfaces name them.
pub fn artifacts() -> PathBuf {
    repository().join("target")
}

/// Cargo's target folder: `CARGO_TARGET_DIR`, else the repository's `target/`.
pub fn cargo_target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => repository().join(folder),
        None => artifacts(),
    }
}

/// The folder of installed tools. It is outside of the clone, so that a second clone finds it.
pub fn cache() -> Result<PathBuf> {
    let named = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = named("NEARSIDE_CACHE") {
        return Ok(folder);
    }
    if let Some(folder) = named("XDG_CACHE_HOME") {
        return Ok(folder.join("nearside"));
    }
    let home = named("HOME").context("HOME is not set: set NEARSIDE_CACHE to a folder for tools")?;
    Ok(home.join(".cache").join("nearside"))
}

/// The built edge worker's entry, as `wrangler.toml` names it.
pub fn worker_entry() -> PathBuf {
    artifacts().join("edge").join("index.js")
}

/// The built edge worker's WebAssembly module.
pub fn worker_module() -> PathBuf {
    artifacts().join("edge").join("index_bg.wasm")
}

/// The same module with the names of its functions: what a log calls `wasm-function[7]` is found here.
pub fn named_worker_module() -> PathBuf {
    artifacts().join("edge-glue").join("named.wasm")
}

/// The folder that the edge serves as static assets; the SDK lies under `_ns/`.
pub fn assets() -> PathBuf {
    artifacts().join("assets")
}

/// The names of the SDK's files, written by the build.
pub fn sdk_manifest() -> PathBuf {
    assets().join("sdk-manifest.json")
}

/// The built origin's binary, `nearside`.
pub fn origin_binary() -> PathBuf {
    cargo_target().join("release").join("nearside")
}
