//! The origin: a native release build.

use std::process::Command;

use anyhow::{Result, bail};

use super::Outcome;
use crate::paths;
use crate::process::run;

pub(super) fn build() -> Result<Outcome> {
    let mut command = Command::new("cargo");
    command
        .args(["build", "--release", "--package", "nearside-origin"])
        .current_dir(paths::repository());
    run(&mut command)?;
    let binary = paths::origin_binary();
    if !binary.is_file() {
        bail!("cargo built the origin, but there is no {}", binary.display());
    }
    Ok(Outcome::Built)
}
