//! A compiler of C++, which the fuzzer is written in.

use std::env;
use std::path::PathBuf;

use anyhow::Result;

use super::{Cache, apt};
use crate::process::find_on_path;
use crate::report::Step;

/// Finds a compiler, else installs Debian's. `CXX` names one that lies elsewhere.
pub(super) fn ensure(cache: &Cache) -> Result<PathBuf> {
    cache.ensure("g++", find, || {
        let step = Step::start("installing g++ for the fuzzer", "about 1 min");
        apt::install("A C++ compiler (for the fuzzer)", &["g++"], &cache.log("g++"))?;
        step.done();
        Ok(())
    })
}

fn find() -> Option<PathBuf> {
    let named = env::var_os("CXX").map(PathBuf::from);
    named.or_else(|| ["c++", "g++", "clang++"].into_iter().find_map(find_on_path))
}
