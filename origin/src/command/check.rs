//! `nearside check`: names every mistake in a manifest.

use super::Failure;
use super::manifest_file::{self, NoManifest};
use nearside_engine::compile::{Severity, Warning, compile};
use nearside_engine::program::Program;
use nearside_engine::value::Value;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The arguments of `nearside check`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The manifest
    file: PathBuf,
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let mut output = io::stdout().lock();
        let manifest = match manifest_file::read(&self.file) {
            Ok(manifest) => manifest,
            Err(NoManifest::Unreadable(failure)) => return Err(failure),
            Err(NoManifest::NotJson(message)) => {
                writeln!(output, "error: $: {message}")?;
                writeln!(output, "{}", summary(1, 0))?;
                return Ok(ExitCode::FAILURE);
            }
        };
        let (program, mut warnings) = compile(&manifest);
        warnings.extend(left_to_the_browser(&program, &manifest));
        for warning in &warnings {
            writeln!(output, "{warning}")?;
        }
        let errors = warnings
            .iter()
            .filter(|warning| warning.severity == Severity::Error)
            .count();
        writeln!(output, "{}", summary(errors, warnings.len() - errors))?;
        Ok(if errors == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn summary(errors: usize, warnings: usize) -> String {
    let plural = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"))
}

/// The mutations that the edge cannot do while a page streams.
fn left_to_the_browser(program: &Program, manifest: &Value) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let experiences = manifest.get("experiences").as_array().unwrap_or_default();
    for (index, experience) in experiences.iter().enumerate() {
        // An experience that was not compiled has a mistake already, which is named.
        let compiled = experience
            .get("id")
            .as_str()
            .and_then(|id| program.experience(id));
        if compiled.is_none() {
            continue;
        }
        for (variant_index, variant) in experience
            .get("variants")
            .as_array()
            .unwrap_or_default()
            .iter()
            .enumerate()
        {
            let mutations = variant.get("mutations").as_array().unwrap_or_default();
            for (mutation_index, mutation) in mutations.iter().enumerate() {
                let Some(selector) = mutation.get("selector").as_str() else {
                    continue;
                };
                if let Err(why) = nearside_rewriter::supports(selector) {
                    let place = format!("variants[{variant_index}].mutations[{mutation_index}].selector");
                    warnings.push(Warning {
                        severity: Severity::Warning,
                        path: format!("$.experiences[{index}].{place}"),
                        message: format!(
                            "`{selector}` cannot be matched while the page streams ({why}): the browser makes \
                             this change after the page has come"
                        ),
                    });
                }
            }
        }
    }
    warnings
}
