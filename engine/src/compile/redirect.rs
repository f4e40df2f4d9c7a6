//! Redirects as an author writes them: `"redirect": address` of a variant, or a mutation `redirect`.

use super::warning::{Place, Report};
use crate::mutation::{KEEP_QUERY, Mutation, Operation};
use crate::pages::PagePattern;
use crate::program::Variant;
use crate::request::Request;
use crate::template::{ContentKind, Template};
use crate::value::{Object, Value};

/// The longest address, in bytes.
const MAX_ADDRESS: usize = 4_000;

/// The mutation that leads to an address.
pub(super) fn mutation(
    address: &Value,
    keeps_query: bool,
    place: &Place<'_>,
    report: &mut Report,
) -> Option<Mutation> {
    let address = match address {
        Value::String(address) if address.len() <= MAX_ADDRESS => address,
        _ => {
            report.error(
                place,
                format!("expected an address of at most {MAX_ADDRESS} bytes"),
            );
            return None;
        }
    };
    match Template::parse(address, ContentKind::Url) {
        Ok(content) => Some(Mutation {
            selector: String::new(),
            operation: Operation::Redirect,
            name: if keeps_query { KEEP_QUERY } else { "" }.to_owned(),
            content,
        }),
        Err(message) => {
            report.error(place, message);
            None
        }
    }
}

/// Looks at an experience as a whole: one that is a redirect must have one, and it should lead away.
pub(super) fn check(
    experience: &Value,
    pages: &[PagePattern],
    variants: &[Variant],
    place: &Place<'_>,
    report: &mut Report,
) {
    let mutations = variants.iter().flat_map(|variant| &variant.mutations);
    let redirects: Vec<&Mutation> = mutations
        .filter(|mutation| mutation.operation == Operation::Redirect)
        .collect();
    if redirects.is_empty() && experience.get("kind").as_str() == Some("redirect") {
        report.error(
            &place.member("variants"),
            "a redirect needs a variant with one: {\"id\": …, \"redirect\": \"https://…\"}",
        );
    }
    let leads_back = |mutation: &&Mutation| {
        let target = mutation.content.to_string();
        let page = Request::new(&target, Object::new());
        let is_here = |pattern: &PagePattern| pattern.matches(page.url(), page.path());
        mutation.content.is_literal() && target.starts_with('/') && pages.iter().any(is_here)
    };
    if redirects.iter().any(leads_back) {
        report.warning(
            &place.member("pages"),
            "a redirect leads to one of these pages itself: who was sent there is not sent on",
        );
    }
}
