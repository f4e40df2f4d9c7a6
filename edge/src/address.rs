//! Addresses. The address of a request is read as the runtime has written it; others are the runtime's own parser's
//! to read, so that the worker needs none.

use std::borrow::Cow;

/// The parts of an address as the runtime writes it, which has `://` and a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parts<'u> {
    pub(crate) scheme: &'u str,
    /// The host, with its port where that is not the scheme's own.
    pub(crate) host: &'u str,
    /// The path, with the slash at its beginning.
    pub(crate) path: &'u str,
    /// What stands between the question mark and the fragment, if there is a question mark.
    pub(crate) query: Option<&'u str>,
}

impl<'u> Parts<'u> {
    /// Reads an address; `None` if it is not one of the web.
    pub(crate) fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // A name and a password are no part of where something is.
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        Some(Self {
            scheme,
            host,
            path: if path.is_empty() { "/" } else { path },
            query,
        })
    }

    /// Whether two addresses are of one site, for a browser.
    pub(crate) fn is_same_origin(&self, other: &Self) -> bool {
        (self.scheme, self.host) == (other.scheme, other.host)
    }

    /// A parameter of the query, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self.query.unwrap_or_default().split('&');
        pairs.find_map(|pair| {
            let (known, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(known) == name).then(|| decoded(value).into_owned())
        })
    }
}

/// A name or value of a query, as forms write it.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        place += 1;
        let pair = digit(bytes.get(place)).zip(digit(bytes.get(place + 1)));
        decoded.push(match (byte, pair) {
            (b'%', Some((high, low))) => {
                place += 2;
                // Two digits are less than 256.
                (high * 16 + low) as u8
            }
            (b'+', _) => b' ',
            _ => *byte,
        });
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

/// Reads an address that stands in the page with another address; `None` if it is none.
#[cfg(target_arch = "wasm32")]
pub(crate) fn resolved(address: &str, page: &str) -> Option<String> {
    let url = web_sys::Url::new_with_base(address, page).ok()?;
    Some(url.href())
}

/// The same for tests, which have no runtime: its parser and this one follow the same standard.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn resolved(address: &str, page: &str) -> Option<String> {
    let page = worker::Url::parse(page).ok()?;
    page.join(address).ok().map(Into::into)
}

/// An address without its fragment.
pub(crate) fn without_fragment(address: &str) -> &str {
    address.split_once('#').map_or(address, |(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_what_a_parser_finds() {
        for url in [
            "https://shop.example/",
            "https://shop.example/a/b%20c?x=1&y=/?#d?e",
            "http://127.0.0.1:8080/?",
            "http://[::1]:8080//a@b#",
            "https://user:word@shop.example/a",
            "https://shop.example/#a",
        ] {
            let parsed = worker::Url::parse(url).unwrap();
            let parts = Parts::of(url).unwrap();
            let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
            assert_eq!(parts.scheme, parsed.scheme(), "{url}");
            assert_eq!(parts.host, parsed.host_str().unwrap().to_owned() + &port, "{url}");
            assert_eq!(parts.path, parsed.path(), "{url}");
            assert_eq!(parts.query, parsed.query(), "{url}");
        }
        for none in ["", "null", "about:blank", "/a"] {
            assert_eq!(Parts::of(none), None, "{none}");
        }
    }

    #[test]
    fn parameters_are_decoded_as_forms_write_them() {
        for query in [
            "url=https%3A%2F%2Fa.example%2F%3Fb%3D%C3%A9+c",
            "x=1&url=%&url=2",
            "%75rl=%4",
            "url",
            "url=%ff%e2%82",
            "urls=1&x",
            "",
        ] {
            let url = format!("https://a.example/?{query}");
            let parsed = worker::Url::parse(&url).unwrap();
            let expected = parsed.query_pairs().find(|(name, _)| name == "url");
            let expected = expected.map(|(_, value)| value.into_owned());
            assert_eq!(Parts::of(&url).unwrap().parameter("url"), expected, "{query}");
        }
    }

    #[test]
    fn a_site_is_scheme_host_and_port() {
        let is_same = |a, b| Parts::of(a).unwrap().is_same_origin(&Parts::of(b).unwrap());
        assert!(is_same("https://a.example", "https://a.example/b?c#d"));
        assert!(!is_same("https://a.example", "http://a.example"));
        assert!(!is_same("https://a.example", "https://a.example:444"));
        assert!(!is_same("https://a.example", "https://b.example"));
    }
}
