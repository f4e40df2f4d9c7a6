//! Edge and browser agree: a page that the edge has rewritten, as Chromium reads it, is the page that the SDK makes
//! in Chromium of the same edits, whatever the page is.
//!
//! Where they differ, `differences.txt` says so, and nothing is added to it by a test: it can only become shorter.
//! `NEARSIDE_WRITE_AGREEMENT=1` writes it anew.

mod cases;
mod pages;

use nearside_engine::mutation::Edit;
use nearside_rewriter::{Host, host};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use xtask::browser::Browser;
use xtask::paths;

const WRITE: &str = "NEARSIDE_WRITE_AGREEMENT";

/// One edit of a page.
struct Case {
    name: String,
    page: usize,
    /// The page as the edge writes it; `None` if the rest of it passed as it came.
    edge: Option<Vec<u8>>,
    edits: Vec<Value>,
    left: Vec<Value>,
}

fn case(name: &str, page: usize, html: &[u8], edit: &Edit<'_>) -> Case {
    let written = json!([edit.selector, edit.operation.name(), edit.name, edit.content]);
    let host = host(edit.operation, edit.selector, &edit.content);
    let edge = match host.has_edge() {
        true => nearside_rewriter::rewrite(html, std::slice::from_ref(edit), 1_000).ok(),
        false => Some(html.to_vec()),
    };
    Case {
        name: format!(
            "{name} · {} {} {}",
            edit.operation.name(),
            edit.selector,
            edit.content
        ),
        page,
        edge,
        left: match host {
            Host::Edge => Vec::new(),
            Host::Both(_) | Host::Browser(_) => vec![written.clone()],
        },
        edits: vec![written],
    }
}

/// Says of each case whether both agree; else how the page is with the SDK alone, and with the edge.
fn compared(pages: &[Vec<u8>], cases: &[Case]) -> Vec<Option<(String, String, bool)>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.json");
    let listed: Vec<Value> = cases
        .iter()
        .map(|case| {
            let edge = case.edge.as_deref().unwrap_or(&pages[case.page]);
            json!({
                "page": case.page,
                "edge": (edge != pages[case.page]).then(|| base64(edge)),
                "edits": case.edits,
                "left": case.left,
            })
        })
        .collect();
    let pages: Vec<String> = pages.iter().map(|page| base64(page)).collect();
    fs::write(&file, json!({"pages": pages, "cases": listed}).to_string()).unwrap();
    let browser = Browser::find().unwrap();
    let script = paths::repository().join("tests/browser/agreement.cjs");
    let output = browser
        .node_script(&script)
        .unwrap()
        .arg(&file)
        .arg(paths::repository().join("browser-sdk/js/page_editor.js"))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "the cases could not be run");
    let results: Vec<Option<(String, String, bool)>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results.len(), cases.len());
    results
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, at| {
            number << 8 | usize::from(*three.get(at).unwrap_or(&0))
        });
        for at in 0..4 {
            let is_there = at <= three.len();
            let letter = LETTERS[number >> (18 - 6 * at) & 63];
            text.push(if is_there { char::from(letter) } else { '=' });
        }
    }
    text
}

#[test]
fn edge_and_browser_agree_on_pages_of_our_own() {
    let corpus = pages::pages();
    let mut all = Vec::new();
    for (place, page) in corpus.iter().enumerate() {
        // On the largest pages each operation is tried once.
        let selectors = match page.html.len() {
            0..20_000 => &cases::SELECTORS[..],
            _ => &cases::SELECTORS[..1],
        };
        for (index, selector) in selectors.iter().enumerate() {
            for edit in cases::edits(selector) {
                // What has no selector is done once.
                if index == 0 || edit.operation.takes_selector() {
                    all.push(case(page.name, place, &page.html, &edit));
                }
            }
        }
    }
    let pages: Vec<Vec<u8>> = corpus.into_iter().map(|page| page.html).collect();
    let results = compared(&pages, &all);
    let mut differences = String::new();
    for (case, result) in all.iter().zip(&results) {
        if let Some((alone, edge, can_be_written)) = result {
            let why = match (case.edge.is_none(), can_be_written) {
                (true, _) => " (passed as it came)",
                (_, false) => " (no HTML says this)",
                _ => "",
            };
            differences.push_str(&format!("{}{why}\n", case.name));
            if std::env::var_os("NEARSIDE_SHOW").is_some() {
                println!(
                    "== {}{why}\n-- page\n{}\n-- alone\n{alone}\n-- edge\n{edge}",
                    case.name,
                    String::from_utf8_lossy(&pages[case.page])
                );
            }
        }
    }
    let count = differences.lines().count();
    println!("{} cases, {count} differ", all.len());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dom_agreement/differences.txt");
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, &differences).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    let new: Vec<&str> = differences
        .lines()
        .filter(|line| !known.lines().any(|one| one == *line))
        .collect();
    let gone: Vec<&str> = known
        .lines()
        .filter(|line| !differences.lines().any(|one| one == *line))
        .collect();
    assert!(new.is_empty(), "differ now:\n{}", new.join("\n"));
    assert!(
        gone.is_empty(),
        "agree now: run this test with {WRITE}=1:\n{}",
        gone.join("\n")
    );
}
