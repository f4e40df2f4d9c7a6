//! `Content-Security-Policy`: the loader's tag fits the site's policy, and the policy leaves as it came.

use crate::client::Request;
use crate::rig::through_edge;
use crate::upstream::html;

const PAGE: &[u8] = b"<!DOCTYPE html><html><head><title>t</title></head><body><h1>Hi</h1></body></html>";

/// A page with these policies gets a loader with this nonce, and this in `Server-Timing`.
#[track_caller]
fn check(policies: &[&str], nonce: Option<&str>, outcome: &str) {
    let lines: String = policies
        .iter()
        .map(|policy| format!("Content-Security-Policy{policy}\r\n"))
        .collect();
    let got = through_edge(&Request::page("/policy"), &html(&lines, PAGE)).answer;
    assert_eq!(got.outcome().as_deref(), Some(outcome), "{policies:?}");
    let nonce = nonce
        .map(|nonce| format!(" nonce=\"{nonce}\""))
        .unwrap_or_default();
    let tag = format!("<script async{nonce} src=\"/_ns/sdk.js\"></script>");
    assert!(got.text().contains(&tag), "{policies:?}: {}", got.text());
    let sent: Vec<String> = got
        .head()
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("content-security-policy"))
        .map(|(name, value)| {
            format!(
                "{}: {}",
                &name["content-security-policy".len()..],
                String::from_utf8_lossy(value)
            )
        })
        .collect();
    let mut expected: Vec<String> = policies
        .iter()
        .map(|policy| policy.replace("-Report-Only", "-report-only"))
        .collect();
    expected.sort();
    let mut sent = sent
        .join("\n")
        .replace(", script-src", "\n: script-src")
        .lines()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    sent.sort();
    let expected = expected.join("\n").replace(", script-src", "\n: script-src");
    assert_eq!(sent.join("\n"), expected, "the policy is the site's");
}

#[test]
fn the_loader_fits_the_policy() {
    let wasm = "'wasm-unsafe-eval'";
    check(&[], None, "personalised");
    check(&[": img-src 'self'"], None, "personalised");
    check(&[&format!(": script-src 'self' {wasm}")], None, "personalised");
    check(
        &[&format!(": script-src 'nonce-r4nd0m+/=' {wasm}")],
        Some("r4nd0m+/="),
        "personalised",
    );
    check(
        &[&format!(
            ": script-src 'strict-dynamic' 'nonce-abc' {wasm}; object-src 'none'"
        )],
        Some("abc"),
        "personalised",
    );
    check(
        &[&format!(
            ": default-src 'none'; script-src-elem 'nonce-abc'; script-src {wasm}; connect-src 'self'"
        )],
        Some("abc"),
        "personalised",
    );
    // One without an engine still sends what happens.
    check(
        &[": script-src 'nonce-abc'"],
        Some("abc"),
        "personalised engine-blocked",
    );
}

#[test]
fn several_policies() {
    check(
        &[
            ": script-src 'nonce-a' 'nonce-b' 'unsafe-eval'",
            ": script-src 'nonce-b' 'unsafe-eval'",
        ],
        Some("b"),
        "personalised",
    );
    check(
        &[": script-src 'nonce-a' 'nonce-b' 'unsafe-eval', script-src 'nonce-b' 'unsafe-eval'"],
        Some("b"),
        "personalised",
    );
    check(
        &[
            ": script-src 'nonce-a' 'unsafe-eval'",
            ": script-src 'nonce-b' 'unsafe-eval'",
        ],
        None,
        "personalised sdk-blocked",
    );
    check(&["-Report-Only: script-src 'nonce-r'"], Some("r"), "personalised");
    check(&["-Report-Only: script-src 'none'"], None, "personalised");
    check(
        &[
            ": script-src 'nonce-a' 'unsafe-eval'",
            "-Report-Only: script-src 'nonce-r'",
        ],
        Some("a"),
        "personalised",
    );
}

#[test]
fn what_cannot_run_is_told_and_nothing_is_loosened() {
    for policy in [
        ": script-src 'none'",
        ": default-src 'none'",
        ": script-src 'sha256-B2yPHKaXnvFWtRChIbabYmUBFZdVfKKXHbWtWidDVF8='",
        ": script-src 'strict-dynamic' 'sha256-B2yPHKaXnvFWtRChIbabYmUBFZdVfKKXHbWtWidDVF8='",
        ": script-src https://cdn.example",
        ": script-src 'nonce-\"><script>alert(1)</script>'",
        ": sandbox",
    ] {
        check(&[policy], None, "personalised sdk-blocked");
    }
}

/// A page with this in its head, asked for several times, always gets a loader with this nonce.
#[track_caller]
fn check_declared(target: &str, headers: &str, meta: &str, nonce: Option<&str>) {
    let page = format!("<!DOCTYPE html><html><head>{meta}</head><body><h1>Hi</h1></body></html>");
    let nonce = nonce
        .map(|nonce| format!(" nonce=\"{nonce}\""))
        .unwrap_or_default();
    let tag = format!("{meta}<script type=\"application/json\"");
    // The page is kept, and would get a plan.
    for time in 0..6 {
        let sent = html(
            &format!("{headers}Cache-Control: public, max-age=600\r\n"),
            page.as_bytes(),
        );
        let got = through_edge(&Request::page(target), &sent).answer;
        let text = got.text();
        assert!(text.contains(&tag), "{text}");
        assert!(
            text.contains(&format!("</script><script async{nonce} src=\"/_ns/sdk.js\">")),
            "{meta}, {time}: {text}"
        );
    }
}

#[test]
fn policies_that_the_page_declares_itself() {
    let meta = |policy: &str| format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
    check_declared(
        "/meta/1",
        "",
        &meta("script-src 'nonce-abc' 'wasm-unsafe-eval'"),
        Some("abc"),
    );
    check_declared(
        "/meta/2",
        "",
        &meta("default-src &#39;nonce-abc&#39;"),
        Some("abc"),
    );
    check_declared("/meta/3", "", &meta("script-src 'self'"), None);
    check_declared(
        "/meta/4",
        "",
        &meta("img-src 'none'; script-src 'sha256-abc='"),
        None,
    );
    check_declared(
        "/meta/5",
        "",
        &format!(
            "{}{}",
            meta("script-src 'nonce-a' 'nonce-b'"),
            meta("script-src 'nonce-b'")
        ),
        Some("b"),
    );
    // What the headers ask for comes first.
    let header = "Content-Security-Policy: script-src 'nonce-h'\r\n";
    check_declared("/meta/6", header, &meta("script-src 'nonce-m'"), Some("h"));
    check_declared(
        "/meta/7",
        "Content-Security-Policy: script-src 'self'\r\n",
        &meta("script-src 'nonce-m'"),
        Some("m"),
    );
}
