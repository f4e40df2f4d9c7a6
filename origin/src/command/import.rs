//! `nearside import`: makes a manifest of what another product publishes.

use super::Failure;
use super::manifest_file;
use crate::growthbook::{Attributes, Options, import};
use nearside_engine::compile::compile;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The arguments of `nearside import`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, clap::Subcommand)]
enum Source {
    /// GrowthBook's SDK payload: features, visual-editor and redirect experiments, saved groups
    Growthbook(Growthbook),
}

#[derive(Debug, clap::Args)]
struct Growthbook {
    /// The payload, as https://cdn.growthbook.io/api/features/KEY gives it
    payload: PathBuf,
    /// Write the manifest here; to standard output without it
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// Put an attribute at a path of the decision's document: plan=profile.traits.plan
    #[arg(long = "map", value_name = "NAME=PATH", value_parser = mapping)]
    map: Vec<(String, String)>,
    /// Let visitors keep their variants, as with an SDK that has a sticky bucket service
    #[arg(long)]
    sticky: bool,
}

fn mapping(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => Ok((name.to_owned(), path.to_owned())),
        _ => Err("expected NAME=PATH, as in plan=profile.traits.plan".to_owned()),
    }
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        match self.source {
            Source::Growthbook(arguments) => arguments.run(),
        }
    }
}

impl Growthbook {
    fn run(self) -> Result<ExitCode, Failure> {
        let payload = manifest_file::read(&self.payload)?;
        let mut attributes = Attributes::default();
        for (name, path) in &self.map {
            attributes.map(name, path);
        }
        let imported = import(
            &payload,
            &Options {
                attributes,
                sticky: self.sticky,
                qa: false,
            },
        );
        let (program, mistakes) = compile(&imported.manifest);
        let manifest = serde_json::to_string_pretty(&imported.manifest)
            .map_err(|error| Failure::new(format!("cannot write the manifest: {error}")))?;
        match &self.output {
            Some(path) => write_file(path, &manifest)?,
            None => writeln!(io::stdout().lock(), "{manifest}")?,
        }
        // What is said goes to standard error, so that the output is a manifest.
        let mut said = io::stderr().lock();
        for warning in &imported.warnings {
            writeln!(said, "{warning}")?;
        }
        for mistake in &mistakes {
            writeln!(said, "{mistake}")?;
        }
        writeln!(
            said,
            "{} features, {} experiences; {} warnings",
            program.features.len(),
            program.experiences.len(),
            imported.warnings.len() + mistakes.len()
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

fn write_file(path: &Path, manifest: &str) -> Result<(), Failure> {
    std::fs::write(path, format!("{manifest}\n"))
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}
