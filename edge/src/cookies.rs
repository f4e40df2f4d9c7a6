//! Cookies: read from a request, written to a response.

use nearside_engine::wire::{
    CONSENT_COOKIE, JOURNAL_COOKIE, PREVIEW_COOKIE, REDIRECT_COOKIE, STATE_COOKIE, VISITOR_COOKIE,
};

/// How long the visitor's id and state are kept: 400 days, the longest that browsers keep a cookie.
const MAX_AGE: u32 = 400 * 24 * 60 * 60;

/// The value of a cookie in a `Cookie` header; of several with the same name the first, which is the one for
/// the longest path.
pub(crate) fn read<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    pairs(header)
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim(), value.trim().trim_matches('"')))
    })
}

/// What is the edge's alone.
const OURS: [&str; 6] = [
    STATE_COOKIE,
    JOURNAL_COOKIE,
    VISITOR_COOKIE,
    CONSENT_COOKIE,
    PREVIEW_COOKIE,
    REDIRECT_COOKIE,
];

fn is_ours(pair: &str) -> bool {
    OURS.contains(&pair.split('=').next().unwrap_or_default().trim())
}

/// Whether any of the cookies is the edge's alone.
pub(crate) fn has_ours(header: &str) -> bool {
    header.split(';').any(is_ours)
}

/// The `Cookie` header as the upstream gets it: without what is the edge's alone.
pub(crate) fn for_upstream(header: &str) -> String {
    let kept: Vec<&str> = header
        .split(';')
        .filter(|pair| !is_ours(pair))
        .map(str::trim)
        .collect();
    kept.join("; ")
}

/// A `Set-Cookie` header for a cookie that scripts cannot read.
pub(crate) fn set(name: &str, value: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax{secure}")
}

/// A `Set-Cookie` header for a cookie that scripts cannot read, and that ends with the browser.
pub(crate) fn set_for_now(name: &str, value: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}")
}

/// A `Set-Cookie` header that ends a cookie which scripts write.
pub(crate) fn expire(name: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}=; Path=/; Max-Age=0; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let header = "a=1; ns_id=\"x\";ns_s=y=z; xns_id=0; ns_id=second";
        assert_eq!(read(header, "ns_id"), Some("x"));
        assert_eq!(read(header, "ns_s"), Some("y=z"));
        assert_eq!(read(header, "ns_j"), None);
        assert_eq!(read("", "ns_id"), None);
    }

    #[test]
    fn the_upstream_gets_its_own_cookies_unchanged() {
        assert_eq!(
            for_upstream("cart=1; ns_s=x; ns_p=t; theme=\"a b\"; ns_j=; flag"),
            "cart=1; theme=\"a b\"; flag"
        );
        assert_eq!(for_upstream("ns_id=1"), "");
    }
}
