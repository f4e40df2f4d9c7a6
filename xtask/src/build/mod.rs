//! `cargo xtask build`: release builds of what runs outside of the tests.
//!
//! The edge worker and the browser package have steps after cargo (bindings, wasm-opt, bundling), so
//! each has a stamp over its inputs and is left alone while they are unchanged. The origin is cargo's
//! own affair.

mod edge;
mod freshness;
mod glue;
mod order;
mod origin;
mod sdk;
mod unused;

use std::fs::{self, File};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::paths;
use crate::report::{say, spoken};
use crate::setup;

pub use sdk::{SdkFiles, WASM_FEATURES};

/// What wasm-opt does. It is chosen by the compressed module, since that is what is loaded: most passes that make code
/// shorter (`-Oz`, `--merge-similar-functions`, `--inlining`) also make it less alike, and larger in the end. The
/// order by names is what [`order`] begins with.
const PASSES: [&str; 10] = [
    "--duplicate-function-elimination",
    "--remove-unused-module-elements",
    "--dae-optimizing",
    "--remove-unused-brs",
    "--optimize-instructions",
    "--coalesce-locals",
    "--reorder-locals",
    "--rse",
    "--vacuum",
    "--reorder-functions-by-name",
];

/// A part that is built by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The edge worker, into `target/edge/`
    Edge,
    /// The browser package, into `target/assets/_ns/`
    Sdk,
    /// The origin, as the binary `nearside`
    Origin,
}

impl Part {
    /// Every part, in the order of building.
    pub const ALL: [Self; 3] = [Self::Edge, Self::Sdk, Self::Origin];

    fn name(self) -> &'static str {
        match self {
            Self::Edge => "edge worker",
            Self::Sdk => "browser package",
            Self::Origin => "origin",
        }
    }
}

/// What came of building one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was built.
    Built,
    /// Nothing that it is made of has changed.
    UpToDate,
}

/// Builds the parts that are not up to date. Two runs at the same time build one after the other.
pub fn build(parts: &[Part]) -> Result<()> {
    let _lock = lock()?;
    for &part in parts {
        let started = Instant::now();
        let outcome = match part {
            Part::Edge => edge::build(&setup::build_tools()?),
            Part::Sdk => sdk::build(&setup::build_tools()?),
            Part::Origin => origin::build(),
        };
        match outcome.with_context(|| format!("the {} could not be built", part.name()))? {
            Outcome::Built => say(format!("{}: built in {}", part.name(), spoken(started.elapsed()))),
            Outcome::UpToDate => say(format!("{}: up to date", part.name())),
        }
    }
    Ok(())
}

fn lock() -> Result<File> {
    let folder = paths::artifacts();
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(".nearside-build.lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        say("waiting for another build to end…");
        file.lock()
            .with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}
