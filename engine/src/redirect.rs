//! Where a decided page sends the visitor.

use crate::decide::{Context, Decisions};
use crate::facts::{Facts, rendered};
use crate::mutation::Operation;
use crate::program::Program;
use crate::request::Request;
use crate::time::Timestamp;

/// The address that the first experience with a redirect sends the visitor to; `None` if none does, or if it is
/// the page itself.
pub fn address(
    program: &Program,
    facts: &dyn Facts,
    context: &Context<'_>,
    decisions: &Decisions,
    now: Timestamp,
) -> Option<String> {
    for (index, (experience, decision)) in program.experiences.iter().zip(&decisions.decisions).enumerate() {
        let Some(variant) = decision.variant.map(usize::from) else {
            continue;
        };
        // Filling in a variant's mutations costs more than looking whether there is a redirect.
        let redirects = experience.variants.get(variant).is_some_and(|variant| {
            let mut mutations = variant.mutations.iter();
            mutations.any(|mutation| mutation.operation == Operation::Redirect)
        });
        if !redirects {
            continue;
        }
        let edits = rendered(program, facts, context, (index, variant), now, |operation| {
            operation == Operation::Redirect
        });
        let edit = edits.into_iter().next()?;
        let address = if experience.keeps_query {
            with_query_of(&edit.content, context.request)
        } else {
            edit.content
        };
        let is_here = address == context.request.url() || address == context.request.target();
        return (!is_here).then_some(address);
    }
    None
}

/// An address with those of the page's query parameters that it has not itself.
fn with_query_of(address: &str, request: &Request) -> String {
    let (address, fragment) = match address.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (address, None),
    };
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let own = address.split_once('?').map_or("", |(_, query)| query);
    let known: Vec<String> = own.split('&').map(name).collect();
    let mut merged = address.to_owned();
    for pair in request.search().trim_start_matches('?').split('&') {
        if pair.is_empty() || known.contains(&name(pair)) {
            continue;
        }
        merged.push(match merged.find('?') {
            None => '?',
            Some(_) => '&',
        });
        merged.push_str(pair);
    }
    if let Some(fragment) = fragment {
        merged.push('#');
        merged.push_str(fragment);
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Object;

    #[test]
    fn a_page_s_parameters_go_along_unless_the_address_has_them() {
        let page = Request::new(
            "https://x.example/a?color=blue&food=sushi&color=red#f",
            Object::new(),
        );
        for (address, expected) in [
            ("/b", "/b?color=blue&food=sushi&color=red"),
            ("/b?color=green", "/b?color=green&food=sushi"),
            ("/b#there", "/b?color=blue&food=sushi&color=red#there"),
        ] {
            assert_eq!(with_query_of(address, &page), expected);
        }
        assert_eq!(with_query_of("/b?x", &Request::new("/a", Object::new())), "/b?x");
    }
}
