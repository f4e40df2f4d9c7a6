//! `cargo xtask size`: what visitors and the edge have to load.

mod parts;

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

use crate::build::{self, Part, SdkFiles};
use crate::paths;
use crate::report::{say, table};

/// Builds what is measured, writes `target/size.json`, and prints the numbers.
pub fn size() -> Result<()> {
    build::build(&[Part::Edge, Part::Sdk])?;
    let sdk = SdkFiles::built()?;
    let loader = gzipped(&read(&sdk.loader)?)?;
    let script = gzipped(&read(&sdk.engine)?)?;
    let module = gzipped(&read(&sdk.module)?)?;
    let worker = read(&paths::worker_module())?;
    let entry = read(&paths::worker_entry())?;
    let sizes = [
        ("sdk_loader_gz", loader),
        ("sdk_js_gz", script),
        ("sdk_wasm_gz", module),
        ("sdk_total_gz", loader + script + module),
        ("edge_wasm_raw", worker.len()),
        ("edge_total_gz", gzipped(&worker)? + gzipped(&entry)?),
    ];
    let parts = parts::parts(&read(&paths::named_worker_module())?, &entry)?;
    let mut json: Map<String, Value> = sizes
        .iter()
        .map(|&(name, bytes)| (name.to_owned(), bytes.into()))
        .collect();
    let edge_parts = parts
        .iter()
        .map(|size| json!({"part": size.part, "raw": size.raw, "gz": size.compressed}));
    json.insert("edge_parts".to_owned(), edge_parts.collect());
    let file = paths::artifacts().join("size.json");
    fs::write(&file, format!("{:#}\n", Value::Object(json)))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let rows: Vec<Vec<String>> = sizes
        .iter()
        .map(|(name, bytes)| vec![(*name).to_owned(), format!("{bytes} bytes")])
        .collect();
    say(table(&rows).trim_end());
    say("\nWhat takes the edge worker's size, each part compressed for itself:");
    let mut rows = vec![["part", "bytes", "gzip"].map(str::to_owned).to_vec()];
    rows.extend(parts.iter().map(|size| {
        vec![
            size.part.to_owned(),
            size.raw.to_string(),
            size.compressed.to_string(),
        ]
    }));
    say(table(&rows).trim_end());
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn gzipped(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
