//! `nearside schema`: prints the JSON Schema of manifests.

use super::Failure;
use crate::manifest_schema::manifest_schema_text;
use std::io::{self, Write};
use std::process::ExitCode;

/// The arguments of `nearside schema`.
#[derive(Debug, clap::Args)]
pub struct Arguments {}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let text = manifest_schema_text().map_err(|error| Failure::new(error.to_string()))?;
        io::stdout().lock().write_all(text.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}
