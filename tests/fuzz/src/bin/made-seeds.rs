//! Writes the seeds that are made anew: `made-seeds FOLDER` makes a folder for each target in it.

use nearside_fuzz::{TARGETS, seeds};
use std::io;
use std::path::PathBuf;

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("name the folder to write to"))?;
    TARGETS
        .iter()
        .try_for_each(|target| seeds::write_made(target, &folder.join(target.name)))
}
