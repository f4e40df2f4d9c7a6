//! `nearside check`: names every mistake in a manifest.

use super::Failure;
use super::manifest_file::{self, NoManifest};
use nearside_engine::compile::{Severity, Warning, compile};
use nearside_engine::mutation::Operation;
use nearside_engine::program::Program;
use nearside_engine::value::Value;
use nearside_rewriter::{Host, host};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The arguments of `nearside check`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Also say of each mutation whether the edge or the browser makes it, and why
    #[arg(long)]
    mutations: bool,
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
        let made = made(&program, &manifest);
        warnings.extend(made.iter().filter_map(Made::warning));
        if self.mutations {
            for made in &made {
                writeln!(output, "{}", made.line())?;
            }
        }
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

/// Who makes a mutation of the manifest.
struct Made {
    place: String,
    operation: Operation,
    selector: String,
    host: Host,
}

/// All mutations of a manifest, each with who makes it.
fn made(program: &Program, manifest: &Value) -> Vec<Made> {
    let mut all = Vec::new();
    let experiences = manifest.get("experiences").as_array().unwrap_or_default();
    for (index, experience) in experiences.iter().enumerate() {
        // An experience that was not compiled has a mistake already, which is named.
        let id = experience.get("id").as_str();
        if id.and_then(|id| program.experience(id)).is_none() {
            continue;
        }
        let variants = experience.get("variants").as_array().unwrap_or_default();
        for (variant_index, variant) in variants.iter().enumerate() {
            let mutations = variant.get("mutations").as_array().unwrap_or_default();
            for (mutation_index, mutation) in mutations.iter().enumerate() {
                let operation = mutation.get("op").as_str().and_then(Operation::parse);
                let Some(operation) = operation.filter(|operation| *operation != Operation::Redirect) else {
                    continue;
                };
                let selector = mutation.get("selector").as_str().unwrap_or_default();
                // Without a selector, an operation has an element of its own.
                let found = match operation.takes_selector() {
                    true => selector,
                    false => operation.name(),
                };
                let place = format!("variants[{variant_index}].mutations[{mutation_index}]");
                all.push(Made {
                    place: format!("$.experiences[{index}].{place}"),
                    operation,
                    selector: selector.to_owned(),
                    host: host(
                        operation,
                        found,
                        mutation.get("value").as_str().unwrap_or_default(),
                    ),
                });
            }
        }
    }
    all
}

impl Made {
    /// What the author should know of it, if the edge does not make it.
    fn warning(&self) -> Option<Warning> {
        let Host::Browser(why) = &self.host else {
            return None;
        };
        let (member, message) = match nearside_rewriter::supports(&self.selector) {
            Ok(()) => (
                "op",
                format!(
                    "`{}` cannot be done while the page streams ({why})",
                    self.operation.name()
                ),
            ),
            Err(_) => (
                "selector",
                format!(
                    "`{}` cannot be matched while the page streams ({why})",
                    self.selector
                ),
            ),
        };
        Some(Warning {
            severity: Severity::Warning,
            path: format!("{}.{member}", self.place),
            message: format!("{message}: the browser makes this change after the page has come"),
        })
    }

    /// A line that says who makes it, and why.
    fn line(&self) -> String {
        let (place, operation) = (&self.place, self.operation.name());
        match &self.host {
            Host::Edge => format!("edge: {place}: {operation} {}", self.selector),
            Host::Both(why) => format!("edge and browser: {place}: {operation}: {why}"),
            Host::Browser(why) => format!("browser: {place}: {operation} {}: {why}", self.selector),
        }
    }
}
