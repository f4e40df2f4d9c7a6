//! The binary `nearside`.

#![forbid(unsafe_code)]

use clap::Parser;
use nearside_origin::command::Command;
use std::process::ExitCode;

/// Decides what a visitor sees on the near side of the network.
#[derive(Parser)]
#[command(name = "nearside", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    Arguments::parse().command.run()
}
