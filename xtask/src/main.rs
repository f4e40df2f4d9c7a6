//! The command line of `cargo xtask`.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::build::{self, Part};
use xtask::report::say;
use xtask::{bench, dev, fuzz, gates, setup, size, symbols};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "Sets up, builds, runs, tests and measures Nearside"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install every tool that is missing, and say where each one is
    ///
    /// The other commands do this too, for what they need. Tools go to NEARSIDE_CACHE, else to
    /// XDG_CACHE_HOME/nearside, else to ~/.cache/nearside, and are installed once for all clones.
    Setup,
    /// Make the release builds: edge worker, browser package, origin
    Build {
        /// What to build; everything when none is named
        parts: Vec<Part>,
    },
    /// Run the demo shop, the origin and the edge, and print their addresses; Ctrl-C ends all of it
    Dev(dev::Options),
    /// Run every check and test; the last line is `N passed, M failed`
    Test {
        /// Also run the tests that take longer than a commit should wait for
        #[arg(long)]
        long: bool,
    },
    /// Look for inputs that break the engine, with the fuzz targets of tests/fuzz
    Fuzz(fuzz::Options),
    /// Measure against peers, and write target/bench/NAME.json
    Bench {
        /// The comparison to run; all of them when none is named
        name: Option<String>,
    },
    /// Measure what visitors and the edge have to load, and write target/size.json
    Size,
    /// Make names of the `wasm-function[7]` in a log of the built worker
    Symbols {
        /// The log's lines; those of the standard input when there are none
        lines: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Setup => setup::everything()?,
        Command::Build { parts } if parts.is_empty() => build::build(&Part::ALL)?,
        Command::Build { parts } => build::build(&parts)?,
        Command::Dev(options) => dev::dev(&options)?,
        Command::Test { long } => return gates::test(long),
        Command::Fuzz(options) => return fuzz::fuzz(&options),
        Command::Bench { name } => bench::bench(name.as_deref())?,
        Command::Size => size::size()?,
        Command::Symbols { lines } => symbols::symbols(&lines)?,
    }
    Ok(ExitCode::SUCCESS)
}
