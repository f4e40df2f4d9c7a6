//! Redirects: a decided variant may send the visitor to another page instead of showing this one.

use crate::decide::{Context, Decisions};
use crate::facts::Facts;
use crate::mutation::{KEEP_QUERY, Mutation, Operation};
use crate::program::Program;
use crate::reading::{Reading, Views};
use crate::time::Timestamp;

/// The longest address of a redirect, in bytes.
const MAX_LOCATION: usize = 8_000;

/// Where the decided variants send the visitor of the page: the first redirect, in the order of priority. It is an
/// http, https or relative address. Whether it leads to this very page is for the host to find out, which can read
/// addresses as browsers do.
pub fn redirect(
    program: &Program,
    facts: &dyn Facts,
    context: &Context<'_>,
    decisions: &Decisions,
    now: Timestamp,
) -> Option<String> {
    program.by_priority.iter().find_map(|index| {
        let index = usize::from(*index);
        let variant = decisions.decisions.get(index)?.variant?;
        let experience = program.experiences.get(index)?;
        let variant = experience.variants.get(usize::from(variant))?;
        let is_redirect = |mutation: &&Mutation| mutation.operation == Operation::Redirect;
        let mutation = variant.mutations.iter().find(is_redirect)?;
        let views = Views::new(facts, context);
        let reading = Reading::new(program, facts, context, &views, now);
        let mut location = mutation.render(&reading).content;
        if experience.keeps_query || mutation.name == KEEP_QUERY {
            location = with_query(&location, context.request.url());
        }
        (check_target(&location).is_ok() && location.len() <= MAX_LOCATION).then_some(location)
    })
}

/// Whether any variant of the program redirects.
pub fn may_redirect(program: &Program) -> bool {
    let variants = program
        .experiences
        .iter()
        .flat_map(|experience| &experience.variants);
    let mut mutations = variants.flat_map(|variant| &variant.mutations);
    mutations.any(|mutation| mutation.operation == Operation::Redirect)
}

/// Whether an address may be redirected to.
///
/// # Errors
/// With a sentence that says why not.
pub fn check_target(target: &str) -> Result<(), &'static str> {
    if target.is_empty() {
        return Err("a redirect needs an address");
    }
    // Browsers drop some of these, and an address would not be what it seems.
    if target.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("an address has no spaces or control characters: write `%20` for a space");
    }
    let start = target.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    match start.split_once(':') {
        Some((scheme, _))
            if !["http", "https"]
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known)) =>
        {
            Err("a redirect leads to an http, https or relative address")
        }
        _ => Ok(()),
    }
}

/// Whether what stands in an address before a placeholder keeps visitors' values out of its scheme and host, which
/// would let anybody send the site's visitors anywhere; `after` is the author's text behind it.
pub(crate) fn may_hold_value(before: &str, after: &str) -> bool {
    let is_slash = |c: char| matches!(c, '/' | '\\');
    let rest = match before.split_once(':') {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#', '\\']) => rest,
        _ => before,
    };
    let has_authority = rest.len() < before.len() || rest.chars().take_while(|c| is_slash(*c)).count() >= 2;
    if has_authority {
        return rest.trim_start_matches(is_slash).contains(['/', '\\', '?', '#']);
    }
    // A relative address; nothing behind the value may make a scheme of it.
    let is_open = !before.contains(['/', '\\', '?', '#']);
    !(is_open
        && after
            .split(['/', '\\', '?', '#'])
            .next()
            .unwrap_or_default()
            .contains(':'))
}

/// The address with the page's query parameters that it does not have itself.
fn with_query(location: &str, page: &str) -> String {
    let page = page.split('#').next().unwrap_or_default();
    let Some((_, query)) = page.split_once('?') else {
        return location.to_owned();
    };
    let (address, fragment) = location.split_at(location.find('#').unwrap_or(location.len()));
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let own: Vec<String> = match address.split_once('?') {
        Some((_, own)) => own.split('&').map(name).collect(),
        None => Vec::new(),
    };
    let mut merged = address.to_owned();
    for pair in query
        .split('&')
        .filter(|pair| !pair.is_empty() && !own.contains(&name(pair)))
    {
        let separator = match merged.find('?') {
            None => "?",
            Some(at) if at + 1 == merged.len() || merged.ends_with('&') => "",
            Some(_) => "&",
        };
        merged.push_str(separator);
        merged.push_str(pair);
    }
    merged.push_str(fragment);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        for good in [
            "/",
            "/a?b#c",
            "a/b",
            "https://x/",
            "HTTP://x",
            "//x/",
            "?a:b",
            "/a:b",
            "#a",
        ] {
            assert_eq!(check_target(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\tscript:alert(1)",
            " https://x",
            "data:text/html,x",
            "mailto:a@b",
            "/a\r\nset-cookie: x",
            "/a\u{a0}b",
        ] {
            assert!(check_target(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn places_of_values() {
        for (before, after) in [
            ("/", ""),
            ("/a?b=", ":c"),
            ("https://x/", ""),
            ("//x/", ""),
            ("http://x?", ""),
            ("", "/a:b"),
            ("a", ""),
            ("https:/\\x/", ""),
        ] {
            assert!(may_hold_value(before, after), "{before}{{{{}}}}{after}");
        }
        for (before, after) in [
            ("https://", "/a"),
            ("https://x.", "/a"),
            ("//", ""),
            ("/\\", ""),
            ("\\\\x", ""),
            ("https:", ""),
            ("https:x", ""),
            ("", ":alert(1)"),
            ("java", ":alert(1)"),
        ] {
            assert!(!may_hold_value(before, after), "{before}{{{{}}}}{after}");
        }
    }

    #[test]
    fn queries_are_kept() {
        for (location, page, merged) in [
            ("/b", "https://x/a", "/b"),
            ("/b", "https://x/a?c=1&d=2", "/b?c=1&d=2"),
            ("/b?c=3#e", "https://x/a?c=1&d=2", "/b?c=3&d=2#e"),
            ("/b?", "/a?c&&d=%20", "/b?c&d=%20"),
            ("/b?c=1&", "/a?d", "/b?c=1&d"),
            ("/b", "/a?", "/b"),
        ] {
            assert_eq!(with_query(location, page), merged, "{location} {page}");
        }
    }
}
