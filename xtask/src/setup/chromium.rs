//! The browser of the end-to-end tests.

use std::env;
use std::path::PathBuf;

use anyhow::Result;

use super::{Cache, apt};
use crate::process::find_on_path;
use crate::report::Step;

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const ON_MACOS: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/// Finds Chromium or Chrome, else installs Debian's. `NEARSIDE_CHROMIUM` names one that lies elsewhere.
pub(super) fn ensure(cache: &Cache) -> Result<PathBuf> {
    cache.ensure("chromium", find, || {
        let step = Step::start("installing Chromium for the browser tests", "about 1 min");
        apt::install(
            "Chromium (for the browser tests)",
            &["chromium"],
            &cache.log("chromium"),
        )?;
        step.done();
        Ok(())
    })
}

fn find() -> Option<PathBuf> {
    let named = env::var_os("NEARSIDE_CHROMIUM")
        .map(PathBuf::from)
        .filter(|path| path.is_file());
    let on_macos = || Some(PathBuf::from(ON_MACOS)).filter(|path| path.is_file());
    named
        .or_else(|| NAMES.iter().find_map(|name| find_on_path(name)))
        .or_else(on_macos)
}
