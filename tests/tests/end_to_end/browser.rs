//! The same in a real browser.

use crate::{faults, shared};
use nearside_tests::wait;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use xtask::browser::Browser;

/// Runs a script of `tests/browser` against an edge, and gives what it prints.
pub(crate) fn script(name: &str, edge: &str, arguments: &[&str]) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser").join(name);
    let mut command = Browser::find().unwrap().node_script(&path).unwrap();
    let output = command
        .arg(edge)
        .args(arguments)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{name}: {error}: {errors}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name}: {value}"))
}

/// Where the README's pictures go; they replace the committed ones only when that is asked for.
fn pictures() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = match std::env::var_os("NEARSIDE_PICTURES") {
        Some(_) => root.join("demo/pictures"),
        None => root.join("target/pictures"),
    };
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_hero_is_in_the_html_and_nothing_changes_after_the_first_paint() {
    let folder = pictures();
    let [before, after] = ["before.png", "after.png"].map(|name| folder.join(name).display().to_string());
    let seen = script("hero.cjs", &shared().edge.url(), &[&before, &after]);
    assert!(text(&seen, "html").contains(">Ride on, friend</h1>"), "{seen}");
    assert_eq!(text(&seen, "headline"), "Ride on, friend");
    assert_eq!(
        seen["changes"],
        serde_json::json!([]),
        "the document was changed after it was parsed"
    );
    assert_eq!(seen["hidden"], serde_json::json!([]), "an element was hidden");
    assert_eq!(seen["errors"], serde_json::json!([]));
    assert!(
        seen["decisions"]["segments"]
            .as_array()
            .unwrap()
            .contains(&"bike-lover".into()),
        "{seen}"
    );
}

#[test]
fn an_event_before_a_click_counts_on_the_next_page() {
    let seen = script("journal.cjs", &shared().edge.url(), &[]);
    assert_eq!(seen["deliveredBefore"], 0, "the batch was to be late");
    assert!(text(&seen, "html").contains("id=\"cart-reminder\""), "{seen}");
    assert_eq!(seen["journal"], true);
    assert_eq!(seen["cleared"], true, "the journal ends when its events are safe");
    assert_eq!(seen["errors"], serde_json::json!([]));
    // The late batch still arrives: the product view, the addition, and the pages.
    let visitor = text(&seen, "visitor");
    wait::until("the origin has the events", || {
        (faults::origin_events(shared(), visitor).len() >= 5).then_some(())
    });
}

#[test]
fn an_open_page_changes_with_what_the_visitor_does_and_back() {
    let seen = script("flip.cjs", &shared().edge.url(), &[]);
    assert_eq!(
        [
            &seen["before"]["reminder"],
            &seen["during"]["reminder"],
            &seen["after"]["reminder"]
        ],
        [false, true, false]
    );
    assert!(
        seen["during"]["segments"]
            .as_array()
            .unwrap()
            .contains(&"cart-abandoner".into()),
        "{seen}"
    );
    assert!(
        !seen["after"]["segments"]
            .as_array()
            .unwrap()
            .contains(&"cart-abandoner".into()),
        "{seen}"
    );
    assert_eq!(
        seen["after"]["body"], seen["before"]["body"],
        "the page is as it was"
    );
    assert_eq!(
        seen["before"]["loads"], seen["after"]["loads"],
        "without a reload"
    );
    assert_eq!(seen["errors"], serde_json::json!([]));
}

#[test]
fn another_browser_of_the_same_person_gets_the_durable_variant() {
    let seen = script("second.cjs", &shared().edge.url(), &[]);
    assert!(!text(&seen, "stranger").contains("Good to see you again"));
    assert!(
        text(&seen, "html").contains("Good to see you again, <strong>Grace</strong>"),
        "{seen}"
    );
    assert_eq!(seen["errors"], serde_json::json!([]));
}
