//! A real page of nearly a megabyte: the manual of bash in one page, from Debian's package.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{Cache, apt, begin, finish};
use crate::report::Step;

const PACKAGE: &str = "bash-doc";

/// Finds the page in the cache, else has apt fetch the package into it.
pub(super) fn ensure(cache: &Cache) -> Result<PathBuf> {
    let place = cache.place(PACKAGE);
    let log = cache.log(PACKAGE);
    cache.ensure(PACKAGE, || find(&place), || fetch(&place, &log))
}

fn find(place: &Path) -> Option<PathBuf> {
    let page = place.join("usr/share/doc/bash/bashref.html");
    page.is_file().then_some(page)
}

fn fetch(place: &Path, log: &Path) -> Result<()> {
    let step = Step::start(format!("fetching {PACKAGE}"), "a few seconds");
    let partial = begin(place)?;
    apt::unpack(PACKAGE, &partial, log)?;
    if find(&partial).is_none() {
        bail!("the package {PACKAGE} has no page; see {}", log.display());
    }
    finish(&partial, place)?;
    step.done();
    Ok(())
}
