//! Real pages, and edits that match in them.
//!
//! The pages come from npm packages at pinned versions: two templates, three articles that were collected from the web,
//! and the documentation of a library; and a manual from a Debian package, where there is one.
//! The edits are chosen by `tests/benches/rewrite/pages.cjs`, the same ones each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};
use xtask::process::output;
use xtask::{paths, setup};

/// A page, and what is to be changed in it.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its size, for tables and addresses: `75k`.
    pub name: &'static str,
    /// Where it is from.
    pub source: &'static str,
    /// Its HTML.
    pub bytes: Vec<u8>,
    /// Thirty mutations as a manifest has them, besides how often each `matches`. The first ones are an experiment
    /// of their own.
    pub edits: Vec<Value>,
}

impl Page {
    /// The first edits as the mutations of a manifest.
    pub fn mutations(&self, count: usize) -> Vec<Value> {
        let mut mutations = Vec::new();
        for edit in self.edits.iter().take(count) {
            let members = edit.as_object().into_iter().flatten();
            let members = members.filter(|(name, _)| *name != "matches");
            mutations.push(Value::Object(
                members
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect::<Map<_, _>>(),
            ));
        }
        mutations
    }

    /// How many changes the first edits make, all their elements counted.
    pub fn changes(&self, count: usize) -> u64 {
        self.edits
            .iter()
            .take(count)
            .filter_map(|edit| edit.get("matches")?.as_u64())
            .sum()
    }
}

/// Where npm packages are from.
#[derive(Clone, Copy)]
enum Set {
    /// The one of all tools.
    Tools,
    /// The one of this comparison.
    Rewriters,
    /// Debian's packages.
    Debian,
}

const COLLECTED: &str = "htmlparser-benchmark/files";

/// The pages by size. The collected ones say that they are in UTF-8: the smallest, and one near 75 and 200 KB.
const PAGES: [(&str, Set, &str, &str); 7] = [
    (
        "13k",
        Set::Rewriters,
        COLLECTED,
        "b7660c4d40274010176c79271f7ed0c2d4612fa2a68efb92b30cfe68cc400e5e.html",
    ),
    (
        "16k",
        Set::Tools,
        "startbootstrap-shop-homepage/dist",
        "index.html",
    ),
    ("32k", Set::Rewriters, "startbootstrap-sb-admin-2", "cards.html"),
    (
        "75k",
        Set::Rewriters,
        COLLECTED,
        "f4041ae33fa184f10de3b0fb3acc42e29ada0c3a3427ad22a26ebf0f31559330.html",
    ),
    (
        "198k",
        Set::Rewriters,
        COLLECTED,
        "f243b2cf1ddbbb1b6d0876a439f0c41f17e4cdd155e45332656d4d1872c7a67d.html",
    ),
    ("661k", Set::Rewriters, "snapsvg/doc", "reference.html"),
    ("867k", Set::Debian, "bash-doc", "bashref.html"),
];

/// All pages, from the smallest.
///
/// # Errors
/// When the packages cannot be installed, or the edits not be chosen.
pub fn pages() -> Result<Vec<Page>> {
    let (tools, rewriters) = (setup::npm_tools()?.modules(), setup::rewriters()?);
    let mut sources = Vec::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for (name, set, folder, file) in PAGES {
        files.push(match set {
            Set::Tools => tools.join(folder).join(file),
            Set::Rewriters => rewriters.join(folder).join(file),
            Set::Debian => match setup::long_page() {
                Ok(page) => page,
                Err(why) => {
                    eprintln!("the page of {name} is left out: {why:#}");
                    continue;
                }
            },
        });
        sources.push((name, folder));
    }
    let chosen = script("choose", &files)?;
    let chosen = chosen.as_array().context("no edits were chosen")?;
    ensure!(
        chosen.len() == files.len(),
        "edits were chosen for {} pages",
        chosen.len()
    );
    let mut pages = Vec::new();
    for (((name, source), file), edits) in sources.into_iter().zip(&files).zip(chosen) {
        pages.push(Page {
            name,
            source,
            bytes: fs::read(file).with_context(|| format!("cannot read {}", file.display()))?,
            edits: edits.as_array().cloned().unwrap_or_default(),
        });
    }
    Ok(pages)
}

/// How often each of a page's first `count` edits was made in a result.
///
/// # Errors
/// When the result cannot be read.
pub fn made(page: &Page, count: usize, result: &[u8]) -> Result<Vec<u64>> {
    let folder = tempfile::tempdir()?;
    let (edits, file) = (
        folder.path().join("edits.json"),
        folder.path().join("result.html"),
    );
    fs::write(
        &edits,
        serde_json::to_string(page.edits.get(..count).unwrap_or_default())?,
    )?;
    fs::write(&file, result)?;
    let answer = script("check", &[edits, file])?;
    let made = answer
        .get(0)
        .and_then(|answer| answer.get("made"))
        .and_then(Value::as_array);
    Ok(made
        .context("the result was not read")?
        .iter()
        .filter_map(Value::as_u64)
        .collect())
}

fn script(task: &str, files: &[PathBuf]) -> Result<Value> {
    let script = folder().join("pages.cjs");
    let mut command = Command::new(setup::npm_tools()?.node.program);
    // The packages are looked for from where it runs.
    let packages = setup::rewriters()?;
    command
        .arg(script)
        .arg(task)
        .args(files)
        .current_dir(packages.parent().unwrap_or(&packages));
    Ok(serde_json::from_str(&output(&mut command)?)?)
}

/// Where the scripts of this comparison are.
pub(super) fn folder() -> PathBuf {
    let tests: &Path = &paths::repository().join("tests");
    tests.join("benches").join("rewrite")
}
