//! The page's library in real Chromium: edits as the edge makes them, exact reverts, deliveries, journals, visits.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use xtask::browser::Browser;
use xtask::{paths, stack};

#[test]
fn all_of_its_tests_in_chromium() {
    stack::ensure_built().unwrap();
    let folder = tempfile::tempdir().unwrap();
    // What the edge's rewriter and the native engine make of the cases that the page is held against.
    let fixtures = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--package",
            "nearside-browser-sdk",
            "--example",
            "dom_fixtures",
        ])
        .current_dir(paths::repository())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(fixtures.status.success(), "the cases could not be made");
    let file = folder.path().join("fixtures.json");
    fs::write(&file, fixtures.stdout).unwrap();

    let browser = Browser::find().unwrap();
    let script = Path::new("browser-sdk/tests/dom/run.mjs");
    let mut command = browser.node_script(&paths::repository().join(script)).unwrap();
    let output = command
        .arg(&file)
        .arg(paths::artifacts().join("assets"))
        .arg(&browser.chromium)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().next_back().unwrap_or_default();
    assert!(
        output.status.success() && last.ends_with("passed, 0 failed") && !last.starts_with("0 "),
        "{text}"
    );
}
