//! Golden pages: each file of `golden/` has edits (operation, selector, name and content, with tabs between them), a page, and
//! what the edits make of it. The same comes out for every split of the stream, and when the page is spliced.
//!
//! `NEARSIDE_WRITE_GOLDEN=1` writes the results anew, to be read before they are committed.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::{PagePlan, Settings, host, joined, rewrite};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const WRITE: &str = "NEARSIDE_WRITE_GOLDEN";
const BREAK: &str = "----\n";

struct Golden {
    file: PathBuf,
    edits: String,
    page: String,
    expected: String,
}

fn goldens() -> Vec<Golden> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).unwrap();
            let mut parts = text.splitn(3, BREAK).map(str::to_owned);
            let mut part = || parts.next().unwrap_or_default();
            Golden {
                edits: part(),
                page: part(),
                expected: part(),
                file,
            }
        })
        .collect()
}

fn edit(line: &str) -> Edit<'_> {
    let parts: Vec<&str> = line.split('\t').collect();
    let [operation, selector, name, content] = parts.try_into().unwrap();
    Edit {
        operation: Operation::parse(operation).unwrap(),
        selector,
        name,
        content: content.replace("\\n", "\n"),
    }
}

#[test]
fn golden_pages() {
    let mut operations = BTreeSet::new();
    let goldens = goldens();
    for golden in &goldens {
        let name = golden.file.display();
        let edits: Vec<Edit<'_>> = golden.edits.lines().map(edit).collect();
        operations.extend(edits.iter().map(|edit| edit.operation.name()));
        let page = golden.page.as_bytes();
        let made = rewrite(page, &edits, page.len()).unwrap();
        for chunk in [1, 2, 3, 5, 7, 16, 64, 1_000] {
            let streamed = rewrite(page, &edits, chunk).unwrap();
            assert_eq!(
                String::from_utf8_lossy(&streamed),
                String::from_utf8_lossy(&made),
                "{name} in chunks of {chunk}"
            );
        }
        let selectors: Vec<&str> = edits.iter().map(|edit| edit.selector).collect();
        let plan = PagePlan::new(page, &selectors, Settings::default()).unwrap();
        let spliced = joined(page, &plan.splice(page, &edits, None).unwrap());
        assert_eq!(
            String::from_utf8_lossy(&spliced),
            String::from_utf8_lossy(&made),
            "{name} spliced"
        );
        let made = String::from_utf8(made).unwrap();
        if std::env::var_os(WRITE).is_some() {
            let text = [&*golden.edits, BREAK, &*golden.page, BREAK, &*made].concat();
            fs::write(&golden.file, text).unwrap();
        } else {
            assert_eq!(made, golden.expected, "{name}");
        }
        let is_edges = |edit: &Edit<'_>| host(edit.operation, edit.selector, &edit.content).has_edge();
        assert!(
            edits.iter().any(is_edges) || made == golden.page,
            "{name}: the browser's"
        );
    }
    for (name, operation) in Operation::ALL {
        assert!(
            operation == Operation::Redirect || operations.contains(name),
            "no page has `{name}`"
        );
    }
    println!("{} golden pages", goldens.len());
}
