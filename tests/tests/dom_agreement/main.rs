//! Edge and browser agree: a page that the edge has rewritten, as Chromium reads it, is the page that the SDK makes
//! in Chromium of the same edits, whatever the page is.
//!
//! What differs is, as far as it is known:
//! - content that no HTML can put there (a block in a paragraph, text in a table), which is marked so;
//! - elements that the browser makes of one tag several times (formatting that was left open): a selector finds them in the browser
//!   alone, and children are counted with them;
//! - elements that it makes of an end tag (`</p>`) or without a tag, where a selector asks for them themselves;
//! - content of a table that the browser puts before the table;
//! - white space in classes that is written with references, attributes of a second `<body>`, tags that the page ends in, and the
//!   newline at the beginning of a `<pre>`.
//!
//! Where they differ on pages of our own, `differences.txt` says so; it should only become shorter. On the pages of html5lib's
//! tests, which `cargo xtask test --long` fetches, `html5lib.txt` says how often they agree; that should only become more.
//! `NEARSIDE_WRITE_AGREEMENT=1` writes both anew, and `NEARSIDE_SHOW=FILE` writes
//! what differs to a file.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod cases;
mod pages;

use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::{Host, host};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use xtask::browser::Browser;
use xtask::paths;

const WRITE: &str = "NEARSIDE_WRITE_AGREEMENT";

/// The page that the browser makes alone, the one of the edge, and whether any HTML says the former.
type Difference = (String, String, bool);

/// One edit of a page.
struct Case {
    name: String,
    operation: Operation,
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
        operation: edit.operation,
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
fn compared(pages: &[Vec<u8>], cases: &[Case]) -> Vec<Option<Difference>> {
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
    let results: Vec<Option<Difference>> = serde_json::from_slice(&output.stdout).unwrap();
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
        if let Some(difference) = result {
            differences.push_str(&format!("{}{}\n", case.name, why(case, difference)));
            show(case, &pages, difference);
        }
    }
    println!("{} cases, {} differ", all.len(), differences.lines().count());
    let known = known("differences.txt", &differences);
    let lines = |text: &'_ str| text.lines().map(str::to_owned).collect::<BTreeSet<String>>();
    let (now, known) = (lines(&differences), lines(&known));
    let new: Vec<&String> = now.difference(&known).collect();
    let gone: Vec<&String> = known.difference(&now).collect();
    assert!(new.is_empty(), "differ now: {new:#?}");
    assert!(
        gone.is_empty(),
        "agree now: run this test with {WRITE}=1: {gone:#?}"
    );
}

/// What is known to differ, written anew if that is asked for.
fn known(file: &str, now: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/dom_agreement")
        .join(file);
    if std::env::var_os(WRITE).is_some() {
        fs::write(&path, now).unwrap();
    }
    fs::read_to_string(&path).unwrap()
}

/// Why edge and browser differ, as far as that is seen from outside.
fn why(case: &Case, (_, _, can_be_written): &Difference) -> &'static str {
    match (case.edge.is_none(), can_be_written) {
        (true, _) => " (passed as it came)",
        (_, false) => " (no HTML says this)",
        _ => "",
    }
}

/// Writes what differs into the file that `NEARSIDE_SHOW` names.
fn show(case: &Case, pages: &[Vec<u8>], difference: &Difference) {
    if let Some(file) = std::env::var_os("NEARSIDE_SHOW") {
        let (alone, edge, _) = difference;
        let (name, why) = (&case.name, why(case, difference));
        let page = String::from_utf8_lossy(&pages[case.page]);
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(file)
            .unwrap();
        let text = format!("== {name}{why}\n-- page\n{page}\n-- alone\n{alone}\n-- edge\n{edge}\n");
        file.write_all(text.as_bytes()).unwrap();
    }
}

/// The pages in html5lib's tests: what stands between `#data` and `#errors`, of tests that are no fragments.
fn html5lib_pages() -> Vec<(String, Vec<u8>)> {
    let folder = xtask::setup::html5lib_tests().unwrap();
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "dat"));
    files.sort();
    let mut pages = Vec::new();
    for file in files {
        let text = fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&text);
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for (number, test) in text.split("#data\n").skip(1).enumerate() {
            let (page, rest) = test.split_once("\n#errors").unwrap_or((test, ""));
            if !rest.contains("\n#document-fragment") {
                pages.push((format!("{name} {number}"), page.as_bytes().to_vec()));
            }
        }
    }
    pages
}

#[test]
fn edge_and_browser_agree_on_the_pages_of_html5lib() {
    if std::env::var_os("NEARSIDE_LONG").is_none() {
        return;
    }
    let corpus = html5lib_pages();
    let mut all = Vec::new();
    for (place, (name, html)) in corpus.iter().enumerate() {
        for (index, selector) in cases::HTML5LIB_SELECTORS.iter().enumerate() {
            for edit in cases::edits(selector) {
                if index == 0 || edit.operation.takes_selector() {
                    all.push(case(name, place, html, &edit));
                }
            }
        }
    }
    let pages: Vec<Vec<u8>> = corpus.into_iter().map(|(_, html)| html).collect();
    let results = compared(&pages, &all);
    let mut counts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for (case, result) in all.iter().zip(&results) {
        let place = match result.as_ref().map(|difference| why(case, difference)) {
            None => 0,
            Some(" (no HTML says this)") => 1,
            Some(" (passed as it came)") => 2,
            Some(_) => 3,
        };
        counts.entry(case.operation.name()).or_default()[place] += 1;
        if let Some(difference) = result {
            show(case, &pages, difference);
        }
    }
    let mut table = String::from("operation\tagree\tno HTML says it\tpassed as it came\tdiffer\n");
    for (operation, [agree, unsaid, passed, differ]) in &counts {
        table.push_str(&format!("{operation}\t{agree}\t{unsaid}\t{passed}\t{differ}\n"));
    }
    println!("{} pages, {} cases\n{table}", pages.len(), all.len());
    let known = known("html5lib.txt", &table);
    assert_eq!(table, known, "if it is better, run this test with {WRITE}=1");
}
