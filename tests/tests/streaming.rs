//! A page's first bytes reach the visitor before its last bytes have left the site.
//!
//! There is no time limit in this: the site sends the rest of the page when the visitor has its beginning. A worker
//! that waits for the whole page waits until the site gives up.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use nearside_tests::rewriting::load::Visitor;
use nearside_tests::rewriting::pages::pages;
use nearside_tests::rewriting::peers::{OURS, Stage};

/// Asks for a page in this way, and lets the site go on when its first byte is there.
fn check(stage: &Stage, path: &str) {
    let mut visitor = Visitor::new(stage.workerd.port(OURS), true);
    let answer = visitor.get_telling(path, || stage.upstream.release());
    let answer = answer.unwrap_or_else(|error| panic!("{path}: the edge waits for the whole page: {error}"));
    assert_eq!(answer.outcome(), Some("personalised"), "{path}");
    let body = String::from_utf8_lossy(answer.body);
    assert!(
        body.contains("Edit 0: bikes &amp; tents, for less"),
        "{path}: the page is not personalised"
    );
    assert!(
        body.trim_end().ends_with("</html>"),
        "{path}: the page breaks off"
    );
}

#[test]
fn the_first_bytes_leave_before_the_last_arrive() {
    let mut all = pages().unwrap();
    all.retain(|page| page.name == "75k");
    let stage = Stage::start(&all).unwrap();
    for edits in [5, 30] {
        // A page that may not be kept, and the first visitor of one that may.
        check(&stage, &format!("/slow/75k/{edits}"));
        check(&stage, &format!("/slow-cached/75k/{edits}"));
    }
}
