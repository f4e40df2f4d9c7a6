//! The tree construction tests of html5lib, which come with the sources of its Python package.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use super::{Cache, begin, finish};
use crate::process::{run, run_logged};
use crate::report::Step;

const PACKAGE: &str = "html5lib";
const VERSION: &str = "1.1";

/// Finds the tests in the cache, else has pip fetch the package into it: a folder of `.dat` files.
pub(super) fn ensure(cache: &Cache) -> Result<PathBuf> {
    let name = format!("{PACKAGE}-{VERSION}");
    let place = cache.place(&name);
    let log = cache.log(&name);
    cache.ensure(&name, || find(&place), || fetch(&place, &log))
}

fn find(place: &Path) -> Option<PathBuf> {
    let package = place.join(format!("{PACKAGE}-{VERSION}"));
    let tests = package.join("html5lib/tests/testdata/tree-construction");
    tests.is_dir().then_some(tests)
}

fn fetch(place: &Path, log: &Path) -> Result<()> {
    let step = Step::start(format!("fetching {PACKAGE} {VERSION}"), "a few seconds");
    let partial = begin(place)?;
    // To fetch sources, pip asks them what they need, and these ask with a part of setuptools that is gone since.
    let constraints = partial.join("constraints.txt");
    std::fs::write(&constraints, "setuptools<70\n")?;
    let mut command = Command::new("python3");
    command
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--no-binary",
            PACKAGE,
            "--dest",
        ])
        .arg(&partial)
        .arg(format!("{PACKAGE}=={VERSION}"))
        .env("PIP_CONSTRAINT", &constraints);
    run_logged(&mut command, log)?;
    let archive = partial.join(format!("{PACKAGE}-{VERSION}.tar.gz"));
    run(Command::new("tar")
        .arg("-xzf")
        .arg(&archive)
        .arg("-C")
        .arg(&partial))?;
    if find(&partial).is_none() {
        bail!("the package {PACKAGE} has no tests; see {}", log.display());
    }
    finish(&partial, place)?;
    step.done();
    Ok(())
}
