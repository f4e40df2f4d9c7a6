//! Whether what a part is made of has changed since it was built.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::paths;

/// Folders that hold no sources.
const NOT_SOURCES: [&str; 3] = ["target", "node_modules", ".wrangler"];

/// A record, beside the build results, of the inputs that they were made from.
pub(super) struct Stamp {
    file: PathBuf,
    inputs: String,
}

impl Stamp {
    /// The stamp of the part `name`, over the contents of `sources` (files or folders of the
    /// repository) and `tools`, a text that changes with the tools and their options.
    pub(super) fn of(name: &str, sources: &[&str], tools: &str) -> Result<Self> {
        let repository = paths::repository();
        let mut files = Vec::new();
        for source in sources {
            collect(&repository.join(source), &mut files)?;
        }
        files.sort();
        let mut hash = Sha256::new();
        hash.update(tools);
        for file in files {
            let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let name = file.to_string_lossy();
            // Lengths first, so that no two lists of files give the same bytes.
            hash.update(name.len().to_le_bytes());
            hash.update(name.as_bytes());
            hash.update(content.len().to_le_bytes());
            hash.update(content);
        }
        let inputs = format!("{:x}", hash.finalize());
        Ok(Self {
            file: paths::artifacts().join(".stamps").join(name),
            inputs,
        })
    }

    /// Whether the results are there and were made from these inputs.
    pub(super) fn is_fresh(&self, results: &[PathBuf]) -> bool {
        results.iter().all(|result| result.is_file())
            && fs::read_to_string(&self.file).is_ok_and(|recorded| recorded == self.inputs)
    }

    /// Records that the results are made from these inputs.
    pub(super) fn record(&self) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.file, &self.inputs).with_context(|| format!("cannot write {}", self.file.display()))
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    for entry in entries {
        let entry = entry?;
        if !NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// The first characters of a hash over a file's content, for its name.
pub(super) fn content_hash(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .take(5)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_changes_with_the_tools_and_the_sources() {
        let stamp = |sources: &[&str], tools| Stamp::of("test", sources, tools).unwrap().inputs;
        let one = stamp(&["xtask/Cargo.toml"], "a");
        assert_eq!(one, stamp(&["xtask/Cargo.toml"], "a"));
        assert_ne!(one, stamp(&["xtask/Cargo.toml"], "b"));
        assert_ne!(one, stamp(&["Cargo.toml"], "a"));
    }

    #[test]
    fn results_that_are_missing_are_not_fresh() {
        let stamp = Stamp {
            file: PathBuf::from("/nonexistent"),
            inputs: String::new(),
        };
        assert!(!stamp.is_fresh(&[PathBuf::from("/nonexistent")]));
    }

    #[test]
    fn the_hash_in_a_name_is_short_and_of_the_content() {
        assert_eq!(content_hash(b"nearside").len(), 10);
        assert_ne!(content_hash(b"a"), content_hash(b"b"));
    }
}
