//! `nearside rewrite`: prints a page with the mutations of some variants.

use super::manifest_file;
use super::{Failure, complain};
use crate::clock;
use nearside_engine::compile::compile;
use nearside_engine::decide::Context;
use nearside_engine::facts::edits;
use nearside_engine::mutation::{Mutation, Operation};
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::value::Object;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The arguments of `nearside rewrite`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Has the experiences
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// Apply this variant; may be given several times
    #[arg(long, value_name = "EXPERIENCE=VARIANT", required = true)]
    force: Vec<String>,
    /// Feed the page in chunks of this many bytes
    #[arg(long, value_name = "N", default_value_t = 16 * 1024, value_parser = chunk_size)]
    chunk: usize,
    /// The page
    #[arg(value_name = "PAGE.html")]
    page: PathBuf,
}

fn chunk_size(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|size| *size > 0)
        .ok_or_else(|| "give a number from 1 on".to_owned())
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let (program, warnings) = compile(&manifest_file::read(&self.manifest)?);
        for warning in &warnings {
            complain(warning);
        }
        let mut forced = self
            .force
            .iter()
            .map(|text| find(&program, text))
            .collect::<Result<Vec<_>, _>>()?;
        // The order in which the edge applies them: that of the manifest.
        forced.sort_unstable();
        let page = std::fs::read(&self.page)
            .map_err(|error| Failure::new(format!("cannot read {}: {error}", self.page.display())))?;
        let (state, request) = (State::new(&program), Request::new("/", Object::new()));
        let context = Context {
            visitor_id: "",
            request: &request,
            consent: true,
            forced: &[],
        };
        let now = clock::now();
        for (experience, variant) in &forced {
            tell_redirect(&program, *experience, *variant);
        }
        let edits: Vec<_> = forced
            .iter()
            .flat_map(|(experience, variant)| edits(&program, &state, &context, *experience, *variant, now))
            .collect();
        let mut output = io::stdout().lock();
        let code = match nearside_rewriter::rewrite(&page, &edits, self.chunk) {
            Ok(rewritten) => {
                output.write_all(&rewritten)?;
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&format_args!("the page passes unchanged: {error}"));
                output.write_all(&page)?;
                ExitCode::FAILURE
            }
        };
        output.flush()?;
        Ok(code)
    }
}

/// Says where a variant sends the visitor: its page would not be seen.
fn tell_redirect(program: &Program, experience: usize, variant: usize) {
    let Some(experience) = program.experiences.get(experience) else {
        return;
    };
    let Some(variant) = experience.variants.get(variant) else {
        return;
    };
    let is_redirect = |mutation: &&Mutation| mutation.operation == Operation::Redirect;
    if let Some(mutation) = variant.mutations.iter().find(is_redirect) {
        complain(&format_args!(
            "`{}={}` answers with a redirect to `{}` in the place of this page",
            experience.id, variant.id, mutation.content
        ));
    }
}

/// The places of `EXPERIENCE=VARIANT`.
fn find(program: &Program, text: &str) -> Result<(usize, usize), Failure> {
    let Some((experience_id, variant_id)) = text.split_once('=') else {
        return Err(Failure::new(format!("`--force {text}`: give EXPERIENCE=VARIANT")));
    };
    let index = program.experience(experience_id).ok_or_else(|| {
        Failure::new(format!(
            "`--force {text}`: there is no experience `{experience_id}`"
        ))
    })?;
    let variants = program
        .experiences
        .get(index)
        .map_or(&[][..], |experience| &experience.variants);
    let variant = variants
        .iter()
        .position(|variant| variant.id == variant_id)
        .ok_or_else(|| {
            let known: Vec<_> = variants
                .iter()
                .map(|variant| format!("`{}`", variant.id))
                .collect();
            let known = if known.is_empty() {
                "no variants".to_owned()
            } else {
                known.join(", ")
            };
            Failure::new(format!(
                "`--force {text}`: `{experience_id}` has {known}, and no `{variant_id}`"
            ))
        })?;
    Ok((index, variant))
}
