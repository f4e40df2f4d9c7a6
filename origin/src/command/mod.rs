//! The commands of `nearside`.
//!
//! All exit with 0 when they did what they are for, 1 when the input has mistakes, and 2 when they could
//! not begin (a file that is not there, an option that does not fit).

mod check;
mod explanation;
mod import;
mod manifest_file;
mod preview;
mod replay;
mod rewrite;
mod schema;
mod serve;

use clap::Subcommand;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// What `nearside` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the origin: take events, keep profiles, publish what is to be decided
    Serve(serve::Arguments),
    /// Name every mistake in a manifest
    Check(check::Arguments),
    /// Make a manifest of what another product publishes
    Import(import::Arguments),
    /// Print the JSON Schema of manifests, for editors
    Schema(schema::Arguments),
    /// Fold the events of a log and print what is decided after each
    Replay(replay::Arguments),
    /// Print a page with the mutations of some variants
    Rewrite(rewrite::Arguments),
    /// Mint a token that shows a browser some variants, whoever the visitor is
    Preview(preview::Arguments),
}

impl Command {
    /// Does it.
    pub fn run(self) -> ExitCode {
        let result = match self {
            Command::Serve(arguments) => arguments.run(),
            Command::Check(arguments) => arguments.run(),
            Command::Import(arguments) => arguments.run(),
            Command::Schema(arguments) => arguments.run(),
            Command::Replay(arguments) => arguments.run(),
            Command::Rewrite(arguments) => arguments.run(),
            Command::Preview(arguments) => arguments.run(),
        };
        match result {
            Ok(code) => code,
            Err(Failure::OutputClosed) => ExitCode::SUCCESS,
            Err(failure) => {
                complain(&failure);
                ExitCode::from(2)
            }
        }
    }
}

/// Why a command ended early.
#[derive(Debug)]
enum Failure {
    /// Nobody reads the output any more, as with `| head`.
    OutputClosed,
    /// What went wrong, as a sentence for the user.
    Message(String),
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Failure::Message(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::OutputClosed => formatter.write_str("the output was closed"),
            Failure::Message(message) => formatter.write_str(message),
        }
    }
}

/// For errors of standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::Message(format!("cannot write to the output: {error}")),
        }
    }
}

/// Tells the user on standard error. Where that is closed, nobody wants to know.
fn complain(message: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "nearside: {message}");
}
