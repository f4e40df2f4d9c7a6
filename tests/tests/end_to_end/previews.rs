//! What an author's browser is shown with a token of the origin's.

use crate::{faults, shared, start};
use nearside_tests::client::{Answer, Visitor};
use nearside_tests::wait;
use serde_json::{Value, json};
use std::process::Command;
use xtask::paths;
use xtask::stack::{DEVELOPMENT_EDGE_SECRET, StackOptions};

/// What `nearside preview` prints.
fn mint(secret: &str, arguments: &[&str]) -> String {
    let output = Command::new(paths::origin_binary())
        .arg("preview")
        .args(arguments)
        .args(["--edge-secret", secret])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(crate) fn token(variants: &[&str]) -> String {
    mint(DEVELOPMENT_EDGE_SECRET, variants)
}

fn explained(answer: &Answer) -> Option<Value> {
    let header = answer.header("x-nearside-explain")?;
    assert!(header.is_ascii() && header.len() <= 4_000, "{header}");
    serde_json::from_str(header).unwrap()
}

fn reason<'a>(explained: &'a Value, experience: &str) -> &'a str {
    let decisions = explained["decisions"].as_array().unwrap();
    let found = decisions.iter().find(|one| one["experience"] == experience);
    found.unwrap()["reason"].as_str().unwrap()
}

#[test]
fn an_author_sees_a_variant_that_is_for_others() {
    let mut author = Visitor::new(&shared().edge.url());
    let plain = author.get("/");
    assert!(!plain.text().contains("Ride on") && explained(&plain).is_none());
    let token = token(&["hero-bikes=ride", "cart-reminder=bar"]);
    let begun = author.get(&format!("/?utm_source=x&ns_preview={token}"));
    assert!(begun.text().contains(">Ride on, friend</h1>"), "{}", begun.text());
    assert_eq!(begun.outcome(), Some("personalised preview"));
    assert_eq!(begun.header("cache-control"), Some("private, no-store"));
    let set = begun
        .all("set-cookie")
        .find(|cookie| cookie.starts_with("ns_p="))
        .unwrap();
    assert_eq!(set, format!("ns_p={token}; Path=/; HttpOnly; SameSite=Lax"));
    assert_eq!(begun.header("referrer-policy"), Some("strict-origin"));
    let explained_first = explained(&begun).unwrap();
    assert_eq!(reason(&explained_first, "hero-bikes"), "forced");
    // Whom it would be for else is told with it.
    let trace = explained_first["explanation"]["experiences"]
        .as_array()
        .unwrap()
        .iter()
        .find(|trace| trace["experience"] == "hero-bikes");
    assert_eq!(trace.unwrap()["when"]["segment"], "bike-lover");
    assert_eq!(trace.unwrap()["when"]["holds"], false);
    let whole: Value = serde_json::from_slice(&author.get("/_ns/state").body).unwrap();
    let segments = whole["explanation"]["segments"].as_array().unwrap();
    assert!(
        segments
            .iter()
            .any(|segment| segment["segment"] == "bike-lover" && segment["because"]["measure"] == "count")
    );
    assert_eq!(reason(&explained_first, "hero-headline"), "excluded");
    // The following pages too, and only what is for them.
    let next = author.get("/cart");
    assert_eq!(next.header("referrer-policy"), None);
    let explained_next = explained(&next).unwrap();
    assert_eq!(reason(&explained_next, "hero-bikes"), "off-page");
    assert_eq!(reason(&explained_next, "cart-reminder"), "forced");
    assert!(next.text().contains("id=\"cart-reminder\""));
    let state: Value = serde_json::from_slice(&author.get("/_ns/state?url=%2F").body).unwrap();
    assert_eq!(
        state["forced"],
        json!([["hero-bikes", "ride"], ["cart-reminder", "bar"]])
    );
    assert_eq!(reason(&state, "hero-bikes"), "forced");
    // Until it is ended.
    let ended = author.get("/?ns_preview=");
    assert!(!ended.text().contains("Ride on") && explained(&ended).is_none());
    assert_eq!(author.cookie("ns_p"), Some(""));
    assert!(!author.get("/").text().contains("Ride on"));
}

#[test]
fn a_preview_counts_nothing() {
    let mut author = Visitor::new(&shared().edge.url());
    author.get(&format!("/?ns_preview={}", token(&["hero-bikes=ride"])));
    let body = r#"{"event":"Product Added","messageId":"previewed-1"}"#;
    let answer = author.post("/_ns/v1/t", body);
    assert!(answer.text().contains("\"filtered\":1"), "{}", answer.text());
    // It shows its effect in the preview itself.
    assert!(author.get("/cart").text().contains("id=\"cart-reminder\""));
    author.get("/?ns_preview=");
    author.post("/_ns/v1/t", r#"{"event":"Any","messageId":"after-the-preview"}"#);
    let id = author.cookie("ns_id").unwrap().to_owned();
    let known = wait::until("the origin has what came after the preview", || {
        let known = faults::origin_events(shared(), &id);
        (known.len() >= 2).then_some(known)
    });
    assert_eq!(known.len(), 2, "{known:?}");
    assert!(!known.contains(&"previewed-1".to_owned()), "{known:?}");
}

#[test]
fn the_site_hears_nothing_of_it() {
    // What is asked of the upstream is told by where it redirects to.
    let token = token(&["hero-bikes=ride"]);
    let mut author = Visitor::new(&shared().edge.url());
    let answer = author.get(&format!("/old?ns_preview={token}"));
    assert_eq!((answer.status, answer.header("location")), (302, Some("/")));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    // A redirect on the way does not lose it.
    assert!(author.get("/").text().contains("Ride on"));
    // A file is nothing to preview.
    let file = author.send("GET", "/nowhere", &[("accept", "text/html")], "");
    assert_eq!(file.status, 404);
}

#[test]
fn tokens_that_are_not_right() {
    let good = token(&["hero-bikes=ride"]);
    let cases = [
        (good[..good.len() - 1].to_owned(), "preview-invalid"),
        (good[1..].to_owned(), "preview-invalid"),
        (good.replace(&good[..1], "%00"), "preview-invalid"),
        ("A".repeat(7_000), "preview-invalid"),
        (
            "%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
            "preview-invalid",
        ),
        (mint("another-secret", &["hero-bikes=ride"]), "preview-invalid"),
        (
            mint(DEVELOPMENT_EDGE_SECRET, &["hero-bikes=ride", "--expires", "1ms"]),
            "preview-expired",
        ),
        (token(&["nothing=ride", "hero-bikes=nothing"]), "preview-unknown"),
    ];
    for (wrong, note) in cases {
        let mut visitor = Visitor::new(&shared().edge.url());
        let answer = visitor.get(&format!("/?ns_preview={wrong}"));
        assert_eq!(answer.status, 200, "{wrong}");
        assert!(
            !answer.text().contains("Ride on") && explained(&answer).is_none(),
            "{wrong}"
        );
        assert!(!answer.text().contains("alert(1)"));
        let outcome = answer.outcome().unwrap();
        assert!(outcome.ends_with(&format!(" {note}")), "{wrong}: {outcome}");
        assert_eq!(visitor.cookie("ns_p"), None, "{wrong}");
    }
    // The same of a cookie that somebody has changed: an ordinary page, and the cookie ends.
    let mut visitor = Visitor::new(&shared().edge.url());
    visitor.set_cookie("ns_p", &good[1..]);
    let answer = visitor.get("/");
    assert!(answer.outcome().unwrap().ends_with(" preview-invalid"));
    assert_eq!(visitor.cookie("ns_p"), Some(""));
}

#[test]
fn who_has_not_agreed_sees_it_and_nothing_is_kept() {
    let mut author = Visitor::new(&shared().edge.url());
    author.set_cookie("ns_c", "none");
    let page = author.get(&format!("/?ns_preview={}", token(&["hero-bikes=ride"])));
    assert!(page.text().contains("Ride on"), "{}", page.text());
    let set: Vec<&str> = page.all("set-cookie").collect();
    assert!(set.len() == 1 && set[0].starts_with("ns_p="), "{set:?}");
    let explained = explained(&page).unwrap();
    assert_eq!(reason(&explained, "hero-headline"), "no-consent");
}

#[test]
fn what_is_paused_can_be_previewed_and_the_browser_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("paused.json");
    let paused = json!({"experiences": [{"id": "next", "status": "draft", "pages": [{"path": "/"}], "variants": [
    {"id": "v", "mutations": [
        {"op": "text", "selector": "header h1", "value": "Soon"},
        // The browser's part.
        {"op": "addClass", "selector": "header:has(h1)", "value": "previewed"}
    ]}]}]});
    std::fs::write(&manifest, paused.to_string()).unwrap();
    let stack = start(StackOptions {
        manifest: Some(manifest),
        ..StackOptions::default()
    });
    let page = format!("{}/", stack.edge.url());
    let address = mint(DEVELOPMENT_EDGE_SECRET, &["next=v", "--url", &page]);
    let seen = crate::browser::script("preview.cjs", &stack.edge.url(), &[&address]);
    assert_eq!(seen["headline"], "Soon", "{seen}");
    assert_eq!(seen["class"], "previewed");
    assert_eq!(
        seen["decisions"],
        json!([{"experience": "next", "variant": "v", "reason": "forced"}])
    );
    assert_eq!(seen["after"], json!({"headline": "Soon", "class": "previewed"}));
    assert_eq!(seen["explained"], true);
    assert_eq!(seen["ended"], json!({"variant": null, "reason": "paused"}));
    assert_eq!(seen["errors"], json!([]));
}
