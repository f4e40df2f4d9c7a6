//! A page's `Content-Security-Policy`, as far as it is about what the edge puts into the page: the SDK's loader.
//!
//! The policy is the site's and stays as it is. Where it asks for a nonce, the loader's tag carries the nonce of the
//! policy; where it allows the site's own scripts, nothing is needed. Where it allows neither, the loader does not run:
//! a hash or a nonce of ours would have to be added, and the policy would allow what its author did not. The page is
//! personalised all the same, and `Server-Timing` says what is missing in it. Policies in a `<meta>` are read while the page
//! passes, too late for that; where none in the headers has a nonce for the loader, theirs is taken.

use crate::address::Parts;
use crate::page_state::LOADER_TAG;
use crate::timing::Timing;
use std::cell::RefCell;
use worker::console_log;

/// The most nonces of a page that are tried.
const MAX_NONCES: usize = 16;
/// Where a policy says which scripts may be loaded: the first directive that it has.
const SCRIPTS: [&str; 3] = ["script-src-elem", "script-src", "default-src"];
/// The same for what scripts evaluate, WebAssembly among it.
const EVALUATION: [&str; 2] = ["script-src", "default-src"];
/// The same for what scripts fetch.
const CONNECTIONS: [&str; 2] = ["connect-src", "default-src"];
/// Under which path all is that the loader loads.
const PATH: &str = "/_ns/sdk.js";

/// What a page's policies mean for the loader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What the loader's tag carries; it needs no escapes.
    pub(crate) nonce: Option<String>,
    /// What will not work, for `Server-Timing`.
    pub(crate) note: Option<&'static str>,
}

thread_local! {
    /// What was logged: once an isolate is enough.
    static LOGGED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

impl Verdict {
    /// Tells what will not work.
    pub(crate) fn tell(&self, timing: &Timing) {
        timing.policy(self.note);
        let is_new = |note: &&str| LOGGED.with_borrow(|logged| !logged.contains(note));
        if let Some(note) = self.note.filter(is_new) {
            LOGGED.with_borrow_mut(|logged| logged.push(note));
            console_log!("nearside: {note}: a page's Content-Security-Policy does not let it run");
        }
    }
}

/// Reads the policies of a page: the values of the headers that enforce and that only report, and its address.
pub(crate) fn verdict(enforced: Option<&str>, reported: Option<&str>, page: &str) -> Verdict {
    let (Some(page), true) = (Parts::of(page), enforced.or(reported).is_some()) else {
        return Verdict::default();
    };
    let enforced = policies(enforced.unwrap_or_default());
    let reported = policies(reported.unwrap_or_default());
    let loads = |policy: &Policy<'_>, nonce: Option<&str>| {
        policy.list(&SCRIPTS).is_none_or(|list| {
            let is_named = nonce.is_some_and(|nonce| nonces(list).any(|known| known == nonce));
            is_named || allows_address(list, &page)
        })
    };
    let named = enforced
        .iter()
        .chain(&reported)
        .filter_map(|policy| policy.list(&SCRIPTS))
        .flat_map(nonces)
        .take(MAX_NONCES);
    // With a nonce rather than without: it holds wherever the SDK is. A report for nothing is avoided where it can be.
    let best = named
        .map(Some)
        .chain([None])
        .filter(|nonce| enforced.iter().all(|policy| loads(policy, *nonce)))
        .rev_max_by_key(|nonce| reported.iter().filter(|policy| loads(policy, *nonce)).count());
    let is_shut = enforced.iter().any(Policy::forbids_scripts);
    match best.filter(|_| !is_shut) {
        None => Verdict {
            nonce: None,
            note: Some("sdk-blocked"),
        },
        Some(nonce) => Verdict {
            nonce: nonce.map(str::to_owned),
            note: enforced
                .iter()
                .any(|policy| !policy.lets_engine_run(&page))
                .then_some("engine-blocked"),
        },
    }
}

/// The HTML for a page's head with a nonce of the policies that the page declares itself, if it has none yet: the one
/// that most of them name. It does no harm where it is not needed.
pub(crate) fn fitted(html: &str, declared: &[String]) -> Option<String> {
    let tag = format!("{LOADER_TAG} src=");
    let at = html.rfind(&tag)? + LOADER_TAG.len();
    let all: Vec<Policy<'_>> = declared.iter().flat_map(|policy| policies(policy)).collect();
    let lists = || all.iter().filter_map(|policy| policy.list(&SCRIPTS));
    let nonce = lists()
        .flat_map(nonces)
        .take(MAX_NONCES)
        .rev_max_by_key(|nonce| {
            lists()
                .filter(|list| nonces(list).any(|known| known == *nonce))
                .count()
        })?;
    let (before, after) = html.split_at_checked(at)?;
    Some(format!("{before} nonce=\"{nonce}\"{after}"))
}

/// The first of the largest.
trait FirstMax: Iterator + Sized {
    fn rev_max_by_key<K: Ord>(self, key: impl Fn(&Self::Item) -> K) -> Option<Self::Item> {
        self.fold(None, |best: Option<Self::Item>, item| match best {
            Some(best) if key(&best) >= key(&item) => Some(best),
            _ => Some(item),
        })
    }
}

impl<I: Iterator> FirstMax for I {}

/// One policy: the values of its directives, of each name the first.
struct Policy<'p>(Vec<(String, Vec<&'p str>)>);

/// The policies of a header, whose values are joined by commas.
fn policies(header: &str) -> Vec<Policy<'_>> {
    header.split(',').map(Policy::read).collect()
}

impl<'p> Policy<'p> {
    fn read(text: &'p str) -> Self {
        let mut directives: Vec<(String, Vec<&str>)> = Vec::new();
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace();
            let Some(name) = words.next().map(str::to_ascii_lowercase) else {
                continue;
            };
            if !directives.iter().any(|(known, _)| *known == name) {
                directives.push((name, words.collect()));
            }
        }
        Self(directives)
    }

    /// The values of the first of these directives that the policy has.
    fn list(&self, names: &[&str]) -> Option<&[&'p str]> {
        names.iter().find_map(|name| {
            let mut directives = self.0.iter();
            directives.find_map(|(known, list)| (known == name).then_some(list.as_slice()))
        })
    }

    fn forbids_scripts(&self) -> bool {
        self.list(&["sandbox"])
            .is_some_and(|list| !has(list, "allow-scripts"))
    }

    /// Whether the engine can be fetched, compiled and told what happens.
    fn lets_engine_run(&self, page: &Parts<'_>) -> bool {
        let evaluates = self
            .list(&EVALUATION)
            .is_none_or(|list| has(list, "'wasm-unsafe-eval'") || has(list, "'unsafe-eval'"));
        let connects = self
            .list(&CONNECTIONS)
            .is_none_or(|list| list.iter().any(|source| matches(source, page)));
        evaluates && connects
    }
}

fn has(list: &[&str], keyword: &str) -> bool {
    list.iter().any(|source| source.eq_ignore_ascii_case(keyword))
}

/// The nonces of a list that browsers take for ones.
fn nonces<'p>(list: &[&'p str]) -> impl Iterator<Item = &'p str> {
    list.iter().filter_map(|source| {
        let (name, nonce) = source.split_at_checked("'nonce-".len())?;
        let nonce = nonce.strip_suffix('\'')?;
        let bare = nonce.trim_end_matches('=');
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
        let is_nonce = name.eq_ignore_ascii_case("'nonce-")
            && !bare.is_empty()
            && nonce.len() - bare.len() <= 2
            && bare.bytes().all(is_base64);
        is_nonce.then_some(nonce)
    })
}

/// Whether a list allows the loader for where it is.
fn allows_address(list: &[&str], page: &Parts<'_>) -> bool {
    !has(list, "'strict-dynamic'") && list.iter().any(|source| matches(source, page))
}

/// Whether a source of a list is the page's own site, or holds it (CSP 3, 6.7.2.8).
fn matches(source: &str, page: &Parts<'_>) -> bool {
    if source == "*" || source.eq_ignore_ascii_case("'self'") {
        return true;
    }
    // What is allowed for a scheme is allowed for its safe one.
    let is_scheme = |scheme: &str| {
        let upgraded = if scheme.eq_ignore_ascii_case("http") {
            "https"
        } else {
            scheme
        };
        [scheme, upgraded]
            .iter()
            .any(|scheme| scheme.eq_ignore_ascii_case(page.scheme))
    };
    if let Some(scheme) = source.strip_suffix(':') {
        return is_scheme(scheme);
    }
    let rest = match source.split_once("://") {
        Some((scheme, _)) if !is_scheme(scheme) => return false,
        Some((_, rest)) => rest,
        None => source,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = split_port(authority);
    let (own_host, own_port) = split_port(page.host);
    let is_host = match host.strip_prefix("*.") {
        Some(domain) => own_host
            .to_ascii_lowercase()
            .strip_suffix(&domain.to_ascii_lowercase())
            .is_some_and(|rest| rest.ends_with('.')),
        None => host.eq_ignore_ascii_case(own_host),
    };
    let default = if page.scheme == "https" { "443" } else { "80" };
    let own_port = own_port.unwrap_or(default);
    let is_port = match port {
        None => own_port == default,
        Some("*") => true,
        Some("80") => own_port == "80" || own_port == "443",
        Some(port) => port == own_port,
    };
    let is_path = match path {
        "" | "/" => true,
        _ if path.ends_with('/') => PATH.starts_with(path),
        _ => path == PATH,
    };
    !host.is_empty() && is_host && is_port && is_path
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if port == "*" || port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://shop.example/a?b";

    #[track_caller]
    fn check(policy: &str, nonce: Option<&str>, note: Option<&'static str>) {
        let expected = Verdict {
            nonce: nonce.map(str::to_owned),
            note,
        };
        assert_eq!(verdict(Some(policy), None, PAGE), expected, "{policy}");
    }

    const BLOCKED: Option<&str> = Some("sdk-blocked");
    const NO_ENGINE: Option<&str> = Some("engine-blocked");

    #[test]
    fn what_needs_nothing() {
        for policy in [
            "",
            ";;",
            "img-src 'none'",
            "script-src 'self' 'wasm-unsafe-eval'",
            "SCRIPT-SRC 'SELF' 'Unsafe-Eval'",
            "script-src * 'unsafe-inline' 'unsafe-eval'",
            "script-src https: 'wasm-unsafe-eval'",
            "script-src http: 'wasm-unsafe-eval'",
            "script-src shop.example 'wasm-unsafe-eval'",
            "script-src https://SHOP.example:443/_ns/ 'wasm-unsafe-eval'",
            "script-src *.example:* 'wasm-unsafe-eval'",
            "default-src 'self' 'wasm-unsafe-eval'; script-src-elem 'self'",
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'; script-src 'none'",
            "sandbox allow-scripts allow-forms",
        ] {
            check(policy, None, None);
        }
    }

    #[test]
    fn nonces_are_carried() {
        for (policy, nonce) in [
            ("script-src 'nonce-abc' 'wasm-unsafe-eval'", "abc"),
            ("script-src 'NONCE-aB+/-_==' 'unsafe-eval'", "aB+/-_=="),
            ("default-src 'nonce-abc' 'unsafe-eval'; connect-src 'self'", "abc"),
            (
                "script-src-elem 'nonce-abc'; script-src 'none' 'wasm-unsafe-eval'",
                "abc",
            ),
            (
                "script-src 'strict-dynamic' 'nonce-abc' 'unsafe-inline' https: 'wasm-unsafe-eval'",
                "abc",
            ),
            ("script-src 'self' 'nonce-abc' 'wasm-unsafe-eval'", "abc"),
            // Several policies: one nonce has to fit all.
            (
                "script-src 'nonce-a' 'nonce-b' 'unsafe-eval', script-src 'nonce-b' 'unsafe-eval'",
                "b",
            ),
            (
                "script-src 'self' 'unsafe-eval', script-src 'nonce-b' 'unsafe-eval', img-src *",
                "b",
            ),
        ] {
            check(policy, Some(nonce), None);
        }
    }

    #[test]
    fn nonces_that_the_page_declares() {
        let of = |html: &str, declared: &[&str]| {
            let declared: Vec<String> = declared.iter().map(|policy| (*policy).to_owned()).collect();
            fitted(html, &declared)
        };
        let html = "<script>{}</script><script async src=\"/_ns/sdk.js\"></script>";
        let with = |nonce: &str| Some(html.replace("async", &format!("async nonce=\"{nonce}\"")));
        assert_eq!(of(html, &["script-src 'nonce-abc'"]), with("abc"));
        assert_eq!(
            of(
                html,
                &[
                    "script-src 'nonce-a' 'nonce-b'",
                    "img-src *",
                    "default-src 'nonce-b'"
                ]
            ),
            with("b")
        );
        for none in [
            "script-src 'self'",
            "img-src 'nonce-abc'",
            "script-src 'nonce-\"><b>'",
            "",
        ] {
            assert_eq!(of(html, &[none]), None, "{none}");
        }
        // The headers' nonce stays.
        assert_eq!(of(&with("h").unwrap(), &["script-src 'nonce-abc'"]), None);
    }

    #[test]
    fn what_stays_shut() {
        for policy in [
            "script-src 'none'",
            "script-src",
            "default-src 'none'",
            "script-src https://cdn.example",
            "script-src shop.example:8443",
            "script-src *.shop.example",
            "script-src https://shop.example/js/",
            "script-src ws:",
            "script-src 'sha256-B2yPHKaXnvFWtRChIbabYmUBFZdVfKKXHbWtWidDVF8='",
            "script-src 'strict-dynamic' 'self' 'sha256-B2yPHKaXnvFWtRChIbabYmUBFZdVfKKXHbWtWidDVF8='",
            "script-src 'unsafe-inline'",
            // No browser takes these for nonces.
            "script-src 'nonce-a\"b'",
            "script-src 'nonce-'",
            "script-src 'nonce-a===' ",
            "script-src nonce-abc",
            "script-src 'nonce-a', script-src 'nonce-b'",
            "script-src-elem 'none'; script-src 'self'",
            "sandbox",
            "script-src 'self', script-src 'none'",
        ] {
            check(policy, None, BLOCKED);
        }
    }

    #[test]
    fn what_the_engine_needs() {
        check("script-src 'nonce-a'", Some("a"), NO_ENGINE);
        check("default-src 'self'", None, NO_ENGINE);
        check(
            "script-src 'self' 'wasm-unsafe-eval'; connect-src https://api.example",
            None,
            NO_ENGINE,
        );
        check("connect-src 'none'", None, NO_ENGINE);
    }

    #[test]
    fn what_only_reports_is_kept_quiet_where_it_can_be() {
        let of = |enforced, reported| verdict(enforced, Some(reported), PAGE);
        assert_eq!(of(None, "script-src 'nonce-a'").nonce.as_deref(), Some("a"));
        assert_eq!(of(None, "script-src 'none'"), Verdict::default());
        let both = Some("script-src 'nonce-a' 'nonce-b' 'unsafe-eval'");
        assert_eq!(of(both, "script-src 'nonce-b'").nonce.as_deref(), Some("b"));
        // The policy in force counts first.
        let other = Some("script-src 'nonce-a' 'unsafe-eval'");
        assert_eq!(of(other, "script-src 'nonce-b'").nonce.as_deref(), Some("a"));
        assert_eq!(verdict(None, None, PAGE), Verdict::default());
    }

    #[test]
    fn ports_and_schemes_of_a_page_in_development() {
        let note = |policy| verdict(Some(policy), None, "http://127.0.0.1:8787/").note;
        assert_eq!(
            note("script-src http://127.0.0.1:8787 'unsafe-eval'; connect-src *"),
            None
        );
        assert_eq!(note("script-src 127.0.0.1"), BLOCKED);
        assert_eq!(note("script-src https:"), BLOCKED);
    }
}
