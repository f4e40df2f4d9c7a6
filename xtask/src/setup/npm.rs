//! Tools that come from npm, at the exact versions of `xtask/npm/package-lock.json`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::{Cache, begin, finish};
use crate::paths;
use crate::process::{find_on_path, output, path_with, run_logged};
use crate::report::Step;

/// The oldest Node.js that wrangler runs on.
const OLDEST_NODE: (u32, u32) = (22, 12);

/// A Node.js that is new enough for every tool.
#[derive(Clone, Debug)]
pub struct Node {
    /// The program `node`.
    pub program: PathBuf,
}

/// The installed npm packages.
#[derive(Clone, Debug)]
pub struct NpmTools {
    folder: PathBuf,
    /// Runs them.
    pub node: Node,
}

impl NpmTools {
    /// The `node_modules` folder.
    pub fn modules(&self) -> PathBuf {
        self.folder.join("node_modules")
    }

    /// esbuild's native program.
    pub fn esbuild(&self) -> Result<PathBuf> {
        let platform = platform();
        let program = self
            .modules()
            .join("@esbuild")
            .join(&platform)
            .join("bin")
            .join("esbuild");
        if !program.is_file() {
            bail!(
                "esbuild has no program for {platform}: {} is missing",
                program.display()
            );
        }
        Ok(program)
    }

    /// A wasm-opt that can be run as a program. It is a script of Node.js.
    pub fn wasm_opt(&self) -> PathBuf {
        self.modules().join(".bin").join("wasm-opt")
    }

    /// A command that runs wrangler.
    pub fn wrangler(&self) -> Result<Command> {
        let mut command = self
            .node
            .command(&self.modules().join("wrangler").join("bin").join("wrangler.js"))?;
        // It neither reports its use nor looks for a newer version: nothing but loopback is needed.
        command
            .env("WRANGLER_SEND_METRICS", "false")
            .env("WRANGLER_SEND_ERROR_REPORTS", "false")
            .env("WRANGLER_HIDE_BANNER", "true")
            .env("CI", "1");
        Ok(command)
    }
}

impl Node {
    /// A command that runs a script; programs that the script starts find the same Node.js.
    pub fn command(&self, script: &Path) -> Result<Command> {
        let mut command = Command::new(&self.program);
        command.arg(script).env("PATH", self.path()?);
        Ok(command)
    }

    /// `PATH` with this Node.js first.
    pub fn path(&self) -> Result<std::ffi::OsString> {
        path_with(self.program.parent().as_slice())
    }
}

/// Finds or installs the packages, and a Node.js where the machine's is too old.
pub(super) fn ensure(cache: &Cache) -> Result<NpmTools> {
    let source = paths::repository().join("xtask").join("npm");
    let node = ensure_node(cache, &source.join("node"))?;
    let folder = packages(
        cache,
        "npm",
        &source,
        "installing wrangler, esbuild, wasm-opt and others from npm",
    )?;
    Ok(NpmTools { folder, node })
}

/// Finds or installs GrowthBook's JavaScript SDK, and gives its `node_modules` folder.
pub(super) fn ensure_growthbook(cache: &Cache) -> Result<PathBuf> {
    let source = paths::repository().join("xtask").join("npm").join("growthbook");
    let folder = packages(
        cache,
        "growthbook-sdk",
        &source,
        "installing GrowthBook's JavaScript SDK from npm, to compare with",
    )?;
    Ok(folder.join("node_modules"))
}

/// Finds or installs what the comparison of rewriters needs, and gives its `node_modules` folder.
pub(super) fn ensure_rewriters(cache: &Cache) -> Result<PathBuf> {
    let source = paths::repository().join("xtask").join("npm").join("rewrite");
    let folder = packages(
        cache,
        "rewriters",
        &source,
        "installing real pages and other rewriters from npm, to compare with",
    )?;
    Ok(folder.join("node_modules"))
}

fn ensure_node(cache: &Cache, source: &Path) -> Result<Node> {
    if let Some(program) = find_on_path("node").filter(|program| is_new_enough(program)) {
        return Ok(Node { program });
    }
    let (major, minor) = OLDEST_NODE;
    let folder = packages(
        cache,
        "node",
        source,
        "installing a newer Node.js from npm, for wrangler",
    )?;
    let program = folder
        .join("node_modules")
        .join(format!("node-{}", platform()))
        .join("bin")
        .join("node");
    if !program.is_file() {
        bail!("wrangler needs Node.js {major}.{minor} or later: install it, and put it on PATH");
    }
    Ok(Node { program })
}

fn is_new_enough(program: &Path) -> bool {
    output(Command::new(program).arg("--version"))
        .ok()
        .and_then(|said| node_version(&said))
        .is_some_and(|version| version >= OLDEST_NODE)
}

/// Major and minor of what `node --version` prints: `v20.20.2`.
fn node_version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// This machine as npm packages name it: `linux-x64`, `darwin-arm64`.
fn platform() -> String {
    let system = if cfg!(target_os = "macos") {
        "darwin"
    } else {
        std::env::consts::OS
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{system}-{processor}")
}

/// The cached folder for the lock file in `source`, installed where it is missing.
fn packages(cache: &Cache, name: &str, source: &Path, what: &str) -> Result<PathBuf> {
    let lock_path = source.join("package-lock.json");
    let lock = fs::read(&lock_path).with_context(|| format!("cannot read {}", lock_path.display()))?;
    let place = cache.place(&format!("{name}-{}", lock_hash(&lock)));
    let find = || place.is_dir().then(|| place.clone());
    cache.ensure(name, find, || install(source, &place, &cache.log(name), what))
}

/// What names a set of packages: a change of any version is another folder.
fn lock_hash(lock: &[u8]) -> String {
    Sha256::digest(lock)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn install(source: &Path, place: &Path, log: &Path, what: &str) -> Result<()> {
    let Some(npm) = find_on_path("npm") else {
        bail!("npm is missing: install Node.js 20 or later (on Debian `apt-get install nodejs npm`)");
    };
    let step = Step::start(what, "about 20 s");
    let partial = begin(place)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source.join(file), partial.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    let mut command = Command::new(npm);
    // `npm ci` would be stricter, but it refuses a lock file that lacks a package for another platform,
    // and registries have those at different times. The locked versions and hashes hold here as well.
    // No package needs its install script: the native programs are packages of their own.
    command
        .args([
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .current_dir(&partial);
    run_logged(&mut command, log).with_context(|| {
        format!(
            "the npm tools are missing: run `npm install` in {}",
            source.display()
        )
    })?;
    finish(&partial, place)?;
    step.done();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_are_read_and_compared_as_numbers() {
        assert_eq!(node_version("v20.20.2"), Some((20, 20)));
        assert_eq!(node_version("nonsense"), None);
        assert!(node_version("v22.9.0").unwrap() < OLDEST_NODE);
        assert!(node_version("v100.0.0").unwrap() > OLDEST_NODE);
    }

    #[test]
    fn another_lock_file_is_another_folder() {
        assert_eq!(lock_hash(b"a").len(), 16);
        assert_ne!(lock_hash(b"a"), lock_hash(b"b"));
    }

    #[test]
    fn lock_files_name_no_registry_and_pin_every_package() {
        let folder = paths::repository().join("xtask").join("npm");
        for lock in [
            folder.join("package-lock.json"),
            folder.join("node").join("package-lock.json"),
            folder.join("growthbook").join("package-lock.json"),
            folder.join("rewrite").join("package-lock.json"),
        ] {
            let text = fs::read_to_string(&lock).unwrap();
            assert!(
                !text.contains("\"resolved\""),
                "{} names a registry's host",
                lock.display()
            );
            let lock: serde_json::Value = serde_json::from_str(&text).unwrap();
            for (name, package) in lock["packages"].as_object().unwrap() {
                assert!(
                    name.is_empty() || package["integrity"].is_string(),
                    "{name} has no integrity hash"
                );
            }
        }
    }
}
