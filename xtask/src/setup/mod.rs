//! Set-up: each tool that the build and the tests need is found, or installed once into the cache.
//!
//! Every tool has the same two steps. *Find* looks where the tool would be (on `PATH`, in the cache) and
//! changes nothing. *Install* runs only when find came back empty, under a lock, so that two runs at
//! the same time install once. A tool that cannot be had is one sentence with the command to run.
//!
//! A database server for tests of the origin's other stores belongs here too, as a module of its own
//! beside [`chromium`], when a test needs one.

mod apt;
mod cargo_tools;
mod chromium;
mod cxx;
mod growthbook;
mod html5lib;
mod long_page;
mod npm;
mod wasm;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::paths;
use crate::report::say;

pub use cargo_tools::{WASM_BINDGEN, WORKER_BUILD};
pub use npm::{Node, NpmTools};
pub use wasm::WasmToolchain;

/// The tools that turn Rust into the edge worker and the browser package.
#[derive(Clone, Debug)]
pub struct BuildTools {
    /// Compiles to `wasm32-unknown-unknown`.
    pub wasm: WasmToolchain,
    /// The program `wasm-bindgen`.
    pub wasm_bindgen: PathBuf,
    /// The program `worker-build`.
    pub worker_build: PathBuf,
    /// esbuild, wasm-opt and wrangler.
    pub npm: NpmTools,
}

/// Finds or installs what the builds need.
pub fn build_tools() -> Result<BuildTools> {
    let cache = Cache::open()?;
    Ok(BuildTools {
        wasm: wasm::ensure(&cache)?,
        wasm_bindgen: cargo_tools::ensure(&cache, &WASM_BINDGEN)?,
        worker_build: cargo_tools::ensure(&cache, &WORKER_BUILD)?,
        npm: npm::ensure(&cache)?,
    })
}

/// Finds or installs the npm tools and a Node.js that runs them.
pub fn npm_tools() -> Result<NpmTools> {
    npm::ensure(&Cache::open()?)
}

/// Finds or installs GrowthBook's JavaScript SDK: its `node_modules` folder. Only a comparison needs it.
pub fn growthbook_sdk() -> Result<PathBuf> {
    npm::ensure_growthbook(&Cache::open()?)
}

/// Finds or installs other rewriters and real pages: their `node_modules` folder. Only a comparison needs it.
pub fn rewriters() -> Result<PathBuf> {
    npm::ensure_rewriters(&Cache::open()?)
}

/// Finds or fetches a manual in one page of nearly a megabyte, from a Debian package. Only a comparison needs it.
pub fn long_page() -> Result<PathBuf> {
    long_page::ensure(&Cache::open()?)
}

/// Finds or installs the browser of the end-to-end tests.
pub fn chromium() -> Result<PathBuf> {
    chromium::ensure(&Cache::open()?)
}

/// Finds or fetches GrowthBook's `cases.json`.
pub fn growthbook_cases() -> Result<PathBuf> {
    growthbook::ensure(&Cache::open()?)
}

/// Finds or fetches html5lib's tests of tree construction: a folder of `.dat` files. Only the long tests need them.
pub fn html5lib_tests() -> Result<PathBuf> {
    html5lib::ensure(&Cache::open()?)
}

/// Finds or installs the C++ compiler that builds the fuzzer.
pub fn cxx() -> Result<PathBuf> {
    cxx::ensure(&Cache::open()?)
}

/// Does all of it, and says where each tool is: `cargo xtask setup`.
pub fn everything() -> Result<()> {
    let tools = build_tools()?;
    let chromium = chromium()?;
    let cxx = cxx()?;
    let cases = growthbook_cases()?;
    say(format!("wasm32 compiler  {}", tools.wasm));
    say(format!("wasm-bindgen     {}", tools.wasm_bindgen.display()));
    say(format!("worker-build     {}", tools.worker_build.display()));
    say(format!("npm tools        {}", tools.npm.modules().display()));
    say(format!("node             {}", tools.npm.node.program.display()));
    say(format!("chromium         {}", chromium.display()));
    say(format!("c++              {}", cxx.display()));
    say(format!("cases.json       {}", cases.display()));
    Ok(())
}

/// The folder of installed tools.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    fn open() -> Result<Self> {
        Self::at(paths::cache()?)
    }

    pub(crate) fn at(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| {
            format!(
                "cannot make {}: set NEARSIDE_CACHE to a folder that can be written",
                folder.display()
            )
        })?;
        Ok(Self { folder })
    }

    /// Where a tool of that name and version lies.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where the installation of a tool writes what it says.
    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(format!("{name}.log"))
    }

    /// Gives what `find` finds, after `install` where it finds nothing at first.
    pub(crate) fn ensure<T>(
        &self,
        name: &str,
        find: impl Fn() -> Option<T>,
        install: impl FnOnce() -> Result<()>,
    ) -> Result<T> {
        if let Some(found) = find() {
            return Ok(found);
        }
        let _lock = self.lock()?;
        // Another run may have installed it while this one waited for the lock.
        if let Some(found) = find() {
            return Ok(found);
        }
        install()?;
        find().with_context(|| {
            format!(
                "{name} was installed but is not where it should be; remove {} and try again",
                self.folder.display()
            )
        })
    }

    fn lock(&self) -> Result<File> {
        let path = self.folder.join("setup.lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        if file.try_lock().is_err() {
            say("waiting for another set-up to end…");
            file.lock()
                .with_context(|| format!("cannot lock {}", path.display()))?;
        }
        Ok(file)
    }
}

/// An empty folder beside `place`, that [`finish`] moves there when it is complete. What an interrupted
/// installation left is removed.
fn begin(place: &Path) -> Result<PathBuf> {
    let mut name = place.file_name().unwrap_or_default().to_os_string();
    name.push(".partial");
    let partial = place.with_file_name(name);
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    Ok(partial)
}

fn finish(partial: &Path, place: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place).with_context(|| format!("cannot remove {}", place.display()))?;
    }
    fs::rename(partial, place).with_context(|| format!("cannot move {} into place", partial.display()))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn cache() -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache")).unwrap();
        (folder, cache)
    }

    #[test]
    fn a_tool_is_installed_once() {
        let (_folder, cache) = cache();
        let place = cache.place("tool-1");
        let installs = Cell::new(0);
        for _ in 0..2 {
            let find = || place.join("bin").exists().then(|| place.clone());
            let install = || {
                installs.set(installs.get() + 1);
                let partial = begin(&place)?;
                fs::write(partial.join("bin"), "x")?;
                finish(&partial, &place)
            };
            assert_eq!(cache.ensure("tool", find, install).unwrap(), place);
        }
        assert_eq!(installs.get(), 1);
    }

    #[test]
    fn what_an_interrupted_installation_left_is_not_taken_for_a_tool() {
        let (_folder, cache) = cache();
        let place = cache.place("tool-1");
        let partial = begin(&place).unwrap();
        fs::write(partial.join("half"), "x").unwrap();
        assert!(!place.exists());
        let again = begin(&place).unwrap();
        assert!(!again.join("half").exists());
    }

    #[test]
    fn an_installation_that_installs_nothing_is_an_error() {
        let (_folder, cache) = cache();
        let error = cache.ensure("tool", || None::<()>, || Ok(())).unwrap_err();
        assert!(error.to_string().contains("tool was installed but"), "{error}");
    }
}
