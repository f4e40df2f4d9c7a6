//! Which requests a kept page answers: `Vary`, RFC 9111, section 4.1.

use super::freshness::Header;
use crate::cookies;

/// A page that depends on more headers is not kept.
const MAX_NAMES: usize = 16;

/// The request headers that a page depends on, with the values that it was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Variant(Vec<(String, Option<String>)>);

impl Variant {
    /// What a response says that it depends on; `None` if it is good for no other request.
    pub(super) fn of(request: Header<'_>, vary: Option<&str>) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        for name in vary.unwrap_or_default().split(',') {
            let name = name.trim().to_ascii_lowercase();
            match name.as_str() {
                "*" => return None,
                // The runtime opens what the upstream has packed, so that all get the same bytes.
                "" | "accept-encoding" => {}
                _ if names.contains(&name) => {}
                _ => names.push(name),
            }
        }
        if names.len() > MAX_NAMES {
            return None;
        }
        names.sort();
        let values = names.into_iter().map(|name| {
            let value = value_of(request, &name);
            (name, value)
        });
        Some(Self(values.collect()))
    }

    /// Whether the page was made for such a request.
    pub(super) fn fits(&self, request: Header<'_>) -> bool {
        self.0
            .iter()
            .all(|(name, value)| value_of(request, name) == *value)
    }

    /// Whether the page is good for all requests.
    pub(super) fn is_for_all(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes that it takes, about.
    pub(super) fn size(&self) -> usize {
        let value = |value: &Option<String>| value.as_ref().map_or(0, String::len);
        self.0
            .iter()
            .map(|(name, text)| name.len() + value(text) + 64)
            .sum()
    }
}

/// A header's value as the upstream gets it, without what may differ between equal ones.
fn value_of(request: Header<'_>, name: &str) -> Option<String> {
    let value = request(name)?;
    if name == "cookie" {
        let theirs = cookies::for_upstream(&value);
        return (!theirs.is_empty()).then_some(theirs);
    }
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    Some(parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'h>(headers: &'h [(&'h str, &'h str)]) -> impl Fn(&str) -> Option<String> + 'h {
        move |name| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn a_page_fits_requests_with_the_same_values() {
        let german = [("accept-language", "de, en;q=0.5"), ("x-device", "phone")];
        let page = Variant::of(
            &header(&german),
            Some("Accept-Language,  accept-encoding, X-None"),
        )
        .unwrap();
        assert!(page.fits(&header(&[("accept-language", "de,en;q=0.5")])));
        assert!(!page.fits(&header(&[("accept-language", "en")])));
        assert!(!page.fits(&header(&[])));
        assert!(!page.fits(&header(&[german[0], ("x-none", "")])));
        assert!(!page.is_for_all());
    }

    #[test]
    fn a_page_without_vary_fits_all_and_one_with_a_star_none() {
        for vary in [None, Some(""), Some("Accept-Encoding"), Some(" , ,")] {
            assert!(Variant::of(&header(&[]), vary).unwrap().is_for_all());
        }
        assert!(Variant::of(&header(&[]), Some("Accept-Encoding, *")).is_none());
        let many = (0..=MAX_NAMES).map(|i| format!("x-{i}")).collect::<Vec<_>>();
        assert!(Variant::of(&header(&[]), Some(&many.join(","))).is_none());
    }

    #[test]
    fn our_own_cookies_make_no_difference_to_the_upstream() {
        let first = [("cookie", "ns_id=1; basket=2; ns_s=abc")];
        let page = Variant::of(&header(&first), Some("Cookie")).unwrap();
        assert!(page.fits(&header(&[("cookie", "basket=2; ns_id=9")])));
        assert!(!page.fits(&header(&[("cookie", "basket=3; ns_id=1")])));
        let page = Variant::of(&header(&[("cookie", "ns_id=1")]), Some("Cookie")).unwrap();
        assert!(page.fits(&header(&[])));
    }
}
