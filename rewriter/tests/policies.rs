//! What is put into the head fits the policies that the page has declared before.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use nearside_rewriter::{PagePlan, PageRewriter, RewriteError, Settings, joined};

/// Shows what it was given.
fn fit(html: &str, policies: &[String]) -> Option<String> {
    let is_wanted = policies.iter().any(|policy| policy.contains("nonce"));
    is_wanted.then(|| format!("{html}{}!", policies.join("|")))
}

fn settings() -> Settings<'static> {
    Settings {
        inject: Some("[sdk]"),
        fit: Some(fit),
        ..Settings::default()
    }
}

/// The page's beginning up to `<p>` becomes this, in chunks of any size; whether the page can have a plan.
#[track_caller]
fn check(page: &str, expected: &str, has_plan: bool) {
    let page = format!("{page}<p>");
    for chunk in 1..=page.len() {
        let mut rewriter = PageRewriter::new(&[], settings()).unwrap();
        let mut output = Vec::new();
        for bytes in page.as_bytes().chunks(chunk) {
            output.extend(rewriter.write(bytes));
        }
        output.extend(rewriter.end());
        assert_eq!(
            String::from_utf8(output).unwrap(),
            format!("{expected}<p>"),
            "in chunks of {chunk}"
        );
    }
    match PagePlan::new(page.as_bytes(), &[], settings()) {
        Ok(plan) => {
            assert!(has_plan, "{page}");
            let pieces = plan.splice(page.as_bytes(), &[], Some("[sdk]")).unwrap();
            let spliced = joined(page.as_bytes(), &pieces);
            assert_eq!(String::from_utf8(spliced).unwrap(), format!("{expected}<p>"));
        }
        Err(error) => {
            assert!(!has_plan, "{page}");
            assert_eq!(error, RewriteError::Policy);
        }
    }
}

#[test]
fn the_policies_of_the_head() {
    check(
        "<head><title>t</title></head>",
        "<head><title>t</title>[sdk]</head>",
        true,
    );
    let meta = "<meta http-equiv=Content-Security-Policy content=\"script-src 'self'\">";
    check(
        &format!("<head>{meta}</head>"),
        &format!("<head>{meta}[sdk]</head>"),
        true,
    );
    let meta = "<meta http-equiv=\" content-security-POLICY\" content=\"script-src 'nonce-a'\">";
    check(
        &format!("<head>{meta}</head>"),
        &format!("<head>{meta}[sdk]script-src 'nonce-a'!</head>"),
        false,
    );
    let escaped = "<META content='script-src &#39;nonce-a&#x27;' HTTP-EQUIV=Content-Security-Policy>";
    check(
        &format!("<head>{meta}{escaped}<body>"),
        &format!("<head>{meta}{escaped}[sdk]script-src 'nonce-a'|script-src 'nonce-a'!<body>"),
        false,
    );
    // A policy that comes behind holds for what stands behind.
    check(
        &format!("<head></head><body>{meta}"),
        &format!("<head>[sdk]</head><body>{meta}"),
        true,
    );
    // Other declarations are none.
    let other = "<meta http-equiv=Content-Security-Policy-Report-Only content=\"script-src 'nonce-a'\"><meta name=Content-Security-Policy content=\"script-src 'nonce-a'\">";
    check(
        &format!("<head>{other}</head>"),
        &format!("<head>{other}[sdk]</head>"),
        true,
    );
}

#[test]
fn what_is_read_is_bounded() {
    let long = format!(
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'nonce-a' {}\">",
        "x".repeat(4_000)
    );
    let page = format!("<head>{long}</head>");
    let output = |page: &str| {
        let mut rewriter = PageRewriter::new(&[], settings()).unwrap();
        let mut output = rewriter.write(page.as_bytes());
        output.extend(rewriter.end());
        String::from_utf8(output).unwrap()
    };
    assert_eq!(output(&page), format!("<head>{long}[sdk]</head>"));
    let many = "<meta http-equiv=Content-Security-Policy content=\"'nonce-a'\">".repeat(50);
    let expected = ["'nonce-a'"; 8].join("|");
    assert_eq!(
        output(&format!("<head>{many}</head>")),
        format!("<head>{many}[sdk]{expected}!</head>")
    );
}
