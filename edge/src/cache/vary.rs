//! Which requests a kept page answers: `Vary`, RFC 9111, section 4.1.

use super::freshness::Header;
use crate::cookies;

const COOKIE: &str = "cookie";
/// A page that depends on more headers is not kept.
const MAX_NAMES: usize = 16;

/// The request headers that a page depends on, with the values that it was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Variant(Vec<(String, Option<String>)>);

impl Variant {
    /// What a response says that it depends on; `None` if it is good for no other request.
    ///
    /// RFC 9111 lets caches give a page with `max-age=60` to everybody. Sites that mean their visitors' browsers write the
    /// same, and show who is logged in. So a page that is not said to be for many (`is_shared`: `public` or `s-maxage`)
    /// is kept and shown only where the site has set no cookie.
    pub(super) fn of(request: Header<'_>, vary: Option<&str>, is_shared: bool) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        if !is_shared {
            if value_of(request, COOKIE).is_some() {
                return None;
            }
            names.push(COOKIE.to_owned());
        }
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

    /// Whether the page depends on no header that the upstream names.
    pub(super) fn is_for_all(&self) -> bool {
        self.0.is_empty() || *self == Self::without_cookies()
    }

    /// The requests without cookies of the site.
    pub(super) fn without_cookies() -> Self {
        Self(vec![(COOKIE.to_owned(), None)])
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
    if name == COOKIE {
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
            true,
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
            assert!(Variant::of(&header(&[]), vary, true).unwrap().is_for_all());
        }
        assert!(Variant::of(&header(&[]), Some("Accept-Encoding, *"), true).is_none());
        let many = (0..=MAX_NAMES).map(|i| format!("x-{i}")).collect::<Vec<_>>();
        assert!(Variant::of(&header(&[]), Some(&many.join(",")), true).is_none());
    }

    #[test]
    fn our_own_cookies_make_no_difference_to_the_upstream() {
        let first = [("cookie", "ns_id=1; basket=2; ns_s=abc")];
        let page = Variant::of(&header(&first), Some("Cookie"), true).unwrap();
        assert!(page.fits(&header(&[("cookie", "basket=2; ns_id=9")])));
        assert!(!page.fits(&header(&[("cookie", "basket=3; ns_id=1")])));
        let page = Variant::of(&header(&[("cookie", "ns_id=1")]), Some("Cookie"), true).unwrap();
        assert!(page.fits(&header(&[])));
    }
    #[test]
    fn a_page_that_is_not_said_to_be_for_many_is_for_those_without_the_site_s_cookies() {
        let ours = [("cookie", "ns_id=1; ns_s=abc")];
        let page = Variant::of(&header(&ours), None, false).unwrap();
        assert_eq!(page, Variant::without_cookies());
        assert!(page.is_for_all());
        assert!(page.fits(&header(&[])) && page.fits(&header(&[("cookie", "ns_id=2")])));
        let theirs = [("cookie", "ns_id=1; session=2")];
        assert!(!page.fits(&header(&theirs)));
        assert!(Variant::of(&header(&theirs), None, false).is_none());
        assert!(
            Variant::of(&header(&theirs), None, true)
                .unwrap()
                .fits(&header(&[]))
        );
    }
}
