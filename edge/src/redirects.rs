//! Redirects: a decided variant sends the visitor to another page instead of showing this one.
//!
//! Nobody is sent around in circles. A page that leads to itself is shown; a mark in a cookie of a few seconds says
//! that a visitor was sent here, who is not sent on; and of a visitor whose cookies are not known yet, who may have
//! none, it is found out first whether the other page would send them on.

use crate::address::{Parts, resolved, without_fragment};
use crate::cookies;
use crate::visit::Visit;
use nearside_engine::decide::{Context, Decisions, decide};
use nearside_engine::program::Program;
use nearside_engine::redirect::{may_redirect, redirect};
use nearside_engine::time::Timestamp;
use nearside_engine::value::Object;
use nearside_engine::wire::REDIRECT_COOKIE;

/// How long the mark lives, in seconds: until the other page is asked for.
const MARK_AGE: u32 = 10;

/// Whether the visitor was just sent here.
pub(crate) fn was_sent(cookie: &str) -> bool {
    cookies::read(cookie, REDIRECT_COOKIE).is_some_and(|mark| !mark.is_empty())
}

/// Whether pages may be redirected at all.
pub(crate) fn are_possible(program: &Program, cookie: &str) -> bool {
    !was_sent(cookie) && may_redirect(program)
}

/// The `Set-Cookie` header that marks the visitor as sent; the SDK reads and writes it too.
pub(crate) fn mark(secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{REDIRECT_COOKIE}=1; Path=/; Max-Age={MARK_AGE}; SameSite=Lax{secure}")
}

/// Where the visitor is sent, as the value of `Location`; `None`: they get the page.
pub(crate) fn find(
    program: &Program,
    visit: &Visit,
    question: &Context<'_>,
    decisions: &Decisions,
    facts: &Object,
    now: Timestamp,
) -> Option<String> {
    let page = resolved("", question.request.url())?;
    let target = target(program, visit, question, decisions, &page, now)?;
    let is_own = Parts::of(&target)?.is_same_origin(&Parts::of(&page)?);
    if visit.is_new && is_own {
        let mut facts = facts.clone();
        if let Some(referrer) = question.request.document().get("referrer").as_str() {
            facts.insert("referrer", referrer);
        }
        let next = Context {
            request: &question.request.elsewhere(&target, facts),
            ..*question
        };
        let decisions = decide(program, &visit.state, &next, now);
        if self::target(program, visit, &next, &decisions, &target, now).is_some() {
            return None;
        }
    }
    if !is_own {
        return Some(target);
    }
    // What stands before the edge may have changed scheme and port.
    let authority_at = target.find("://")? + 3;
    let path_at = authority_at + target.get(authority_at..)?.find('/')?;
    let path = target.get(path_at..)?;
    // A path that begins with two slashes would be read as a host.
    Some(if path.starts_with("//") {
        target.clone()
    } else {
        path.to_owned()
    })
}

/// Where the decisions send the visitor of a page, if it is somewhere else.
fn target(
    program: &Program,
    visit: &Visit,
    question: &Context<'_>,
    decisions: &Decisions,
    page: &str,
    now: Timestamp,
) -> Option<String> {
    let location = redirect(program, &visit.state, question, decisions, now)?;
    let target = resolved(&location, page)?;
    let is_of_the_web = matches!(Parts::of(&target)?.scheme, "http" | "https");
    (is_of_the_web && without_fragment(&target) != without_fragment(page)).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearside_engine::compile::{Severity, Warning, compile};
    use nearside_engine::request::Request;
    use nearside_engine::state::State;

    fn found(experiences: &str, url: &str, is_new: bool) -> Option<String> {
        let manifest = format!(r#"{{"experiences":[{experiences}]}}"#);
        let (program, warnings) = compile(&serde_json::from_str(&manifest).unwrap());
        let is_mistake = |warning: &Warning| warning.severity == Severity::Error;
        assert!(!warnings.iter().any(is_mistake), "{warnings:?}");
        let visit = Visit {
            visitor_id: "visitor".to_owned(),
            is_new,
            is_reset: false,
            state: State::new(&program),
            confirmed: Vec::new(),
        };
        let question = Context {
            visitor_id: "visitor",
            request: &Request::new(url, Object::new()),
            consent: true,
            forced: &[],
        };
        let decisions = decide(&program, &visit.state, &question, 0);
        find(&program, &visit, &question, &decisions, &Object::new(), 0)
    }

    fn experience(id: &str, path: &str, to: &str) -> String {
        format!(
            r#"{{"id":"{id}","kind":"redirect","pages":[{{"path":"{path}"}}],
                "variants":[{{"id":"v","mutations":[{{"op":"redirect","value":"{to}","keepQuery":true}}]}}]}}"#
        )
    }

    #[test]
    fn locations() {
        for (to, location) in [
            ("/b", Some("/b?q=1")),
            ("b#c", Some("/x/b?q=1#c")),
            ("https://shop.example/b?q=2", Some("/b?q=2")),
            ("https://other.example", Some("https://other.example/?q=1")),
            ("//other.example/b", Some("https://other.example/b?q=1")),
            (
                "https://shop.example//other.example/",
                Some("https://shop.example//other.example/?q=1"),
            ),
            ("/é", Some("/%C3%A9?q=1")),
            ("/{{request.path}}", Some("/%2Fx%2Fa?q=1")),
            // This very page, in several spellings.
            ("/x/a", None),
            ("/x/./a?q=1#there", None),
            ("?", None),
            ("HTTPS://SHOP.example:443/x/a", None),
            // No address after all.
            ("https://[", None),
        ] {
            let found = found(&experience("e", "/x/a", to), "https://shop.example/x/a?q=1", true);
            assert_eq!(found.as_deref(), location, "{to}");
        }
    }

    #[test]
    fn who_may_have_no_cookies_is_not_sent_in_circles() {
        let circle = [experience("e", "/a", "/b"), experience("f", "/b", "/a")].join(",");
        assert_eq!(found(&circle, "https://x.example/a", true), None);
        assert_eq!(
            found(&circle, "https://x.example/a", false).as_deref(),
            Some("/b")
        );
        let once = [experience("e", "/a", "/b"), experience("f", "/b", "/b")].join(",");
        assert_eq!(found(&once, "https://x.example/a", true).as_deref(), Some("/b"));
    }

    #[test]
    fn the_mark() {
        assert_eq!(mark(true), "ns_to=1; Path=/; Max-Age=10; SameSite=Lax; Secure");
        assert!(was_sent("a=1; ns_to=1") && !was_sent("ns_to=") && !was_sent(""));
    }
}
