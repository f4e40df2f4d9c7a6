//! Policies in a real browser: the SDK runs where the policy lets it, and where it does not, nothing breaks.

use crate::rig::GREETING;
use crate::upstream::{Step, Upstream, html};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use xtask::browser::Browser;
use xtask::stack::{Stack, StackOptions};

/// What runs in a page.
const ENGINE: &str = "engine";
const LOADER: &str = "loader";
const NOTHING: &str = "nothing";

const PAGES: [(&str, &str, &str); 12] = [
    (
        "/strict",
        ENGINE,
        "script-src 'nonce-abc' 'strict-dynamic' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'",
    ),
    (
        "/nonce",
        ENGINE,
        "default-src 'none'; script-src 'nonce-abc' 'wasm-unsafe-eval'; connect-src 'self'",
    ),
    (
        "/self",
        ENGINE,
        "default-src 'self'; script-src 'self' 'nonce-abc' 'unsafe-eval'",
    ),
    (
        "/elements",
        ENGINE,
        "script-src-elem 'nonce-abc'; script-src 'wasm-unsafe-eval'",
    ),
    (
        "/trusted",
        ENGINE,
        "script-src 'nonce-abc' 'wasm-unsafe-eval'; require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("/meta", ENGINE, ""),
    ("/meta-nonce", ENGINE, ""),
    ("/no-wasm", LOADER, "script-src 'nonce-abc' 'strict-dynamic'"),
    (
        "/no-wasm-without-strict-dynamic",
        LOADER,
        "script-src 'nonce-abc'",
    ),
    (
        "/shut",
        NOTHING,
        "script-src 'sha256-7h93s0WRjwTtrtS4vXY0mKAdQRIqgiOR/gsC/GCSLfg='",
    ),
    // What a page's own policy forbids, the edge cannot know before the page comes.
    ("/meta-shut", NOTHING, ""),
    ("/sandbox", NOTHING, "sandbox allow-same-origin"),
];

fn page(path: &str) -> String {
    let meta = match path {
        "/meta" => {
            "<meta http-equiv=Content-Security-Policy content=\"script-src 'self' 'nonce-abc' 'wasm-unsafe-eval'\">"
        }
        "/meta-nonce" => {
            "<meta http-equiv=Content-Security-Policy content=\"script-src 'nonce-abc' 'strict-dynamic' 'wasm-unsafe-eval'\">"
        }
        "/meta-shut" => "<meta http-equiv=Content-Security-Policy content=\"script-src 'none'\">",
        _ => "",
    };
    format!(
        "<!DOCTYPE html><html><head>{meta}<title>t</title></head><body><h1>Hi</h1><p></p><script nonce=abc>window.own = 1;</script></body></html>"
    )
}

#[test]
fn the_sdk_runs_where_the_policy_lets_it_and_nothing_breaks_elsewhere() {
    let upstream = Upstream::start();
    for (path, _, policy) in PAGES {
        let policy = if policy.is_empty() {
            String::new()
        } else {
            format!("Content-Security-Policy: {policy}\r\n")
        };
        upstream.prepare(path, vec![Step::Send(html(&policy, page(path).as_bytes()))]);
    }
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.json");
    let mutations = json!([
        {"op": "text", "selector": "h1", "value": GREETING},
        // Only the browser can find this one.
        {"op": "append", "selector": "body:has(script) p", "value": "<b id=added>added</b>"}
    ]);
    let experiences =
        json!({"experiences": [{"id": "greeting", "variants": [{"id": "warm", "mutations": mutations}]}]});
    std::fs::write(&manifest, experiences.to_string()).unwrap();
    let options = StackOptions {
        manifest: Some(manifest),
        upstream: Some(format!("http://127.0.0.1:{}", upstream.port())),
        ..StackOptions::default()
    };
    let mut stack = Stack::start(options).unwrap();
    stack.wait_for_program().unwrap();
    let seen = browse(&stack.edge.url());
    for (path, runs, policy) in PAGES {
        let seen = &seen[path];
        assert_eq!(
            seen["headline"], GREETING,
            "{path}: the edge's part is done: {seen}"
        );
        assert_eq!(seen["thrown"], json!([]), "{path}: {seen}");
        assert_eq!(seen["decisions"], runs == ENGINE, "{path}: {seen}");
        assert_eq!(
            seen["sdk"],
            if runs == NOTHING { "undefined" } else { "object" },
            "{path}: {seen}"
        );
        if runs == LOADER {
            assert_eq!(seen["delivered"], true, "{path}: {seen}");
        }
        // The page's own script runs as before.
        assert_eq!(
            seen["own"],
            if runs == NOTHING { Value::Null } else { 1.into() },
            "{path}: {seen}"
        );
        assert_eq!(seen["policy"].as_str().unwrap_or_default(), policy, "{path}");
        // Where the page lets nobody write HTML, what needs the browser is left out.
        let is_added = runs == ENGINE && path != "/trusted";
        assert_eq!(
            seen["added"],
            if is_added { "added".into() } else { Value::Null },
            "{path}: {seen}"
        );
        let note = match runs {
            _ if path == "/meta-shut" => "personalised\"",
            ENGINE => "personalised\"",
            LOADER => "personalised engine-blocked\"",
            _ => "personalised sdk-blocked\"",
        };
        assert!(seen["timing"].as_str().unwrap().contains(note), "{path}: {seen}");
    }
}

fn browse(edge: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/policy.cjs");
    let mut command = Browser::find().unwrap().node_script(&script).unwrap();
    let pages = PAGES.iter().map(|(path, runs, _)| format!("{path}={runs}"));
    let output = command
        .arg(edge)
        .args(pages)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"))
}
