//! `cargo xtask dev`
use anyhow::Result;
/// x
#[derive(clap::Args)]
pub struct Options {}
/// x
pub fn dev(_o: &Options) -> Result<()> { Ok(()) }
