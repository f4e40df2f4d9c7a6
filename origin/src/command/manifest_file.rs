//! Reads a manifest from a file.

use super::Failure;
use nearside_engine::value::Value;
use std::path::Path;

/// The largest manifest, in bytes.
const MAX_MANIFEST: u64 = 8 * 1024 * 1024;

/// Why a file holds no manifest.
pub(super) enum NoManifest {
    /// It cannot be read.
    Unreadable(Failure),
    /// It is not JSON; the message has line and column.
    NotJson(String),
}

impl From<NoManifest> for Failure {
    fn from(error: NoManifest) -> Self {
        match error {
            NoManifest::Unreadable(failure) => failure,
            NoManifest::NotJson(message) => Failure::new(message),
        }
    }
}

pub(super) fn read(path: &Path) -> Result<Value, NoManifest> {
    let name = path.display();
    let unreadable = |message: String| NoManifest::Unreadable(Failure::new(message));
    let size = std::fs::metadata(path).map(|metadata| metadata.len());
    if size.is_ok_and(|size| size > MAX_MANIFEST) {
        return Err(unreadable(format!("{name} is larger than {MAX_MANIFEST} bytes")));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(format!("cannot read {name}: {error}")))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| NoManifest::NotJson(format!("{name} is not JSON: {error}")))
}
