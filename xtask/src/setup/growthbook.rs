//! GrowthBook's cases, which come with the crate of its Rust SDK.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::{Cache, begin, finish};
use crate::process::run_logged;
use crate::report::Step;

/// The crate's name and version. Its specification is 0.12.
const PACKAGE: &str = "growthbook-rust";
const VERSION: &str = "0.4.0";

/// Finds the cases in the cache, else has cargo fetch the package into it.
pub(super) fn ensure(cache: &Cache) -> Result<PathBuf> {
    let name = format!("{PACKAGE}-{VERSION}");
    let place = cache.place(&name);
    let log = cache.log(&name);
    cache.ensure(&name, || find(&place), || fetch(&place, &log))
}

/// The file in the folder of sources of whichever registry the package came from.
fn find(place: &Path) -> Option<PathBuf> {
    let registries = std::fs::read_dir(place.join("registry").join("src")).ok()?;
    registries
        .flatten()
        .map(|registry| {
            let package = registry.path().join(format!("{PACKAGE}-{VERSION}"));
            package.join("tests").join("cases").join("cases.json")
        })
        .find(|cases| cases.is_file())
}

/// `cargo install` fetches the one package, and then finds no program in it, which is as well.
fn fetch(place: &Path, log: &Path) -> Result<()> {
    let step = Step::start(format!("fetching {PACKAGE} {VERSION}"), "a few seconds");
    let partial = begin(place)?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["install", "--root"])
        .arg(&partial)
        .arg(format!("{PACKAGE}@{VERSION}"))
        .env("CARGO_HOME", &partial);
    let result = run_logged(&mut command, log);
    if find(&partial).is_none() {
        result?;
        bail!("the package {PACKAGE} has no cases; see {}", log.display());
    }
    finish(&partial, place)?;
    step.done();
    Ok(())
}
