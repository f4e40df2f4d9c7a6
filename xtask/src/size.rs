//! `cargo xtask size`: what visitors and the edge have to load.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::build::{self, Part, SdkFiles};
use crate::paths;
use crate::report::{say, table};

/// Builds what is measured, writes `target/size.json`, and prints the numbers.
pub fn size() -> Result<()> {
    build::build(&[Part::Edge, Part::Sdk])?;
    let sdk = SdkFiles::built()?;
    let loader = gzipped(&sdk.loader)?;
    let script = gzipped(&sdk.engine)?;
    let module = gzipped(&sdk.module)?;
    let worker = paths::worker_module();
    let sizes = [
        ("sdk_loader_gz", loader),
        ("sdk_js_gz", script),
        ("sdk_wasm_gz", module),
        ("sdk_total_gz", loader + script + module),
        ("edge_wasm_raw", read(&worker)?.len()),
        (
            "edge_total_gz",
            gzipped(&worker)? + gzipped(&paths::worker_entry())?,
        ),
    ];
    let json: serde_json::Map<String, serde_json::Value> = sizes
        .iter()
        .map(|&(name, bytes)| (name.to_owned(), bytes.into()))
        .collect();
    let file = paths::artifacts().join("size.json");
    fs::write(&file, format!("{:#}\n", serde_json::Value::Object(json)))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let rows: Vec<Vec<String>> = sizes
        .iter()
        .map(|(name, bytes)| vec![(*name).to_owned(), format!("{bytes} bytes")])
        .collect();
    say(table(&rows).trim_end());
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn gzipped(file: &Path) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&read(file)?)?;
    Ok(encoder.finish()?.len())
}
