//! The `Content-Security-Policy`s that a page declares in its `<meta>`s: what is put into the head has to fit them.

use crate::attributes::Attributes;

/// More of them, or longer ones, are not read.
const MAX_POLICIES: usize = 8;
const MAX_LENGTH: usize = 4_000;

/// Makes the HTML that is put into a page's head fit the policies that the page has declared before its place; `None` if it
/// stays as it is.
pub type Fit = fn(&str, &[String]) -> Option<String>;

/// The policies of a page so far.
#[derive(Debug, Default)]
pub(crate) struct DeclaredPolicies(Vec<String>);

impl DeclaredPolicies {
    /// Takes note of a `<meta>`.
    pub(crate) fn note(&mut self, meta: &[u8]) {
        if self.0.len() < MAX_POLICIES {
            self.0.extend(policy(meta));
        }
    }

    /// The HTML as it fits them.
    pub(crate) fn fitted(&self, html: &str, fit: Fit) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        fit(html, &self.0)
    }
}

/// Whether a `<meta>` declares a policy that what is put in may have to fit: one with a nonce.
pub(crate) fn has_nonce(meta: &[u8]) -> bool {
    policy(meta).is_some_and(|policy| policy.to_ascii_lowercase().contains("'nonce-"))
}

fn policy(meta: &[u8]) -> Option<String> {
    let attribute = |name: &[u8]| {
        let found = Attributes::of(meta).find(|found| found.name(meta).eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(found.value(meta)))
    };
    let name = attribute(b"http-equiv")?;
    if !name.trim_ascii().eq_ignore_ascii_case("content-security-policy") {
        return None;
    }
    let content = attribute(b"content")?;
    (content.len() <= MAX_LENGTH).then(|| unquoted(&content))
}

/// Servers write the quotes of a policy as references.
fn unquoted(content: &str) -> String {
    ["&#39;", "&#x27;", "&#X27;", "&apos;", "&#039;"]
        .iter()
        .fold(content.to_owned(), |content, reference| {
            content.replace(reference, "'")
        })
}
