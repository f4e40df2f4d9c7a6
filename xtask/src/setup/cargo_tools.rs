//! Programs that come from the Rust crate registry.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Cache, begin, finish};
use crate::process::{find_on_path, output, run_logged};
use crate::report::Step;

/// A program of a crate at one exact version.
#[derive(Debug)]
pub struct CargoTool {
    /// The crate's name in the registry.
    pub package: &'static str,
    /// The version, which has to fit the library that the workspace uses.
    pub version: &'static str,
    program: &'static str,
    locked: bool,
    expected: &'static str,
}

/// Makes the JavaScript for a WebAssembly module. It must be of the library's version exactly.
pub const WASM_BINDGEN: CargoTool = CargoTool {
    package: "wasm-bindgen-cli",
    version: "0.2.130",
    program: "wasm-bindgen",
    // Its lock file names a version of a dependency that the registry does not have.
    locked: false,
    expected: "about 2 min",
};

/// Makes a Cloudflare worker from a crate.
pub const WORKER_BUILD: CargoTool = CargoTool {
    package: "worker-build",
    version: "0.8.7",
    program: "worker-build",
    locked: true,
    expected: "about 2 min",
};

/// Finds the program on `PATH` or in the cache, else installs it into the cache.
pub(super) fn ensure(cache: &Cache, tool: &CargoTool) -> Result<PathBuf> {
    let name = format!("{}-{}", tool.package, tool.version);
    let place = cache.place(&name);
    let cached = place.join("bin").join(tool.program);
    let find = || {
        if cached.is_file() {
            return Some(cached.clone());
        }
        find_on_path(tool.program).filter(|program| has_version(program, tool.version))
    };
    cache.ensure(&name, find, || install(tool, &place, &cache.log(&name)))
}

fn has_version(program: &Path, version: &str) -> bool {
    output(Command::new(program).arg("--version")).is_ok_and(|said| names_version(&said, version))
}

/// Whether what `--version` printed ends in that version: `wasm-bindgen 0.2.130`, or just `0.8.7`.
fn names_version(said: &str, version: &str) -> bool {
    said.split_whitespace().nth(usize::from(said.contains(' '))) == Some(version)
}

fn install(tool: &CargoTool, place: &Path, log: &Path) -> Result<()> {
    let step = Step::start(
        format!("installing {} {}", tool.package, tool.version),
        tool.expected,
    );
    let partial = begin(place)?;
    let mut command = Command::new("cargo");
    // Without optimisation: it compiles twice as fast, and the tools run for a second or two.
    command
        .args([
            "install",
            "--debug",
            "--no-track",
            "--version",
            tool.version,
            "--root",
        ])
        .arg(&partial);
    if tool.locked {
        command.arg("--locked");
    }
    let objects = partial.join("objects");
    command.arg(tool.package).env("CARGO_TARGET_DIR", &objects);
    run_logged(&mut command, log).with_context(|| {
        format!(
            "{} is missing: run `cargo install {} --version {}`",
            tool.program, tool.package, tool.version
        )
    })?;
    // A gigabyte of object files that nothing needs any more.
    std::fs::remove_dir_all(&objects).with_context(|| format!("cannot remove {}", objects.display()))?;
    finish(&partial, place)?;
    step.done();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_compared_exactly() {
        assert!(names_version("wasm-bindgen 0.2.130", "0.2.130"));
        assert!(names_version("0.8.7", "0.8.7"));
        assert!(names_version("wasm-bindgen 0.2.130 (abc 2026-01-01)", "0.2.130"));
        assert!(!names_version("wasm-bindgen 0.2.13", "0.2.130"));
        assert!(!names_version("", "0.8.7"));
    }

    #[test]
    fn the_tool_has_the_version_of_the_library() {
        let manifest = std::fs::read_to_string(crate::paths::repository().join("Cargo.toml")).unwrap();
        let pinned = format!("wasm-bindgen = \"={}\"", WASM_BINDGEN.version);
        assert!(manifest.contains(&pinned), "Cargo.toml does not have {pinned}");
    }
}
