//! Addresses in an answer's headers: where they point at the upstream's own host, the visitor would leave the edge,
//! and where the upstream is out of their reach, get nowhere. So they point at the host that the visitor asked.
//!
//! That goes for `Location`, `Content-Location`, `Refresh`, and for the `Domain` of cookies, which no browser would
//! take from another host. `Link` and what stands in pages is the site's content.

use crate::address::Parts;
use crate::config::Config;
use worker::{Headers, Result};

/// What a header's values become.
type Changed = Vec<(&'static str, Vec<String>)>;

/// Where the edge's upstream is, and where the visitor thinks that they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    upstream: String,
    scheme: String,
    /// Host and port.
    authority: String,
}

impl Addresses {
    /// Those of a request.
    pub(crate) fn of(config: &Config, visited: &Parts<'_>, host: Option<String>) -> Self {
        Self {
            upstream: config.upstream.clone().unwrap_or_default(),
            scheme: visited.scheme.to_owned(),
            authority: host.unwrap_or_else(|| visited.host.to_owned()),
        }
    }

    /// The headers of an answer that have to be others.
    pub(crate) fn changed(&self, headers: &Headers, status: u16) -> Result<Changed> {
        let mut changed = Changed::new();
        let Some(upstream) = Place::of(&self.upstream) else {
            return Ok(changed);
        };
        if upstream.path.is_empty() && upstream.authority.eq_ignore_ascii_case(&self.authority) {
            return Ok(changed);
        }
        let location = ("location", matches!(status, 201 | 300..=399));
        for (name, may_be) in [location, ("content-location", true), ("refresh", true)] {
            let value = if may_be { headers.get(name)? } else { None };
            // What could not be read as text would be spoiled.
            let Some(value) = value.filter(|value| !value.contains('\u{fffd}')) else {
                continue;
            };
            let other = match name {
                "refresh" => self.refresh(&upstream, &value),
                _ => self.turned(&upstream, &value),
            };
            changed.extend(other.map(|other| (name, vec![other])));
        }
        let has_domain = |cookies: String| cookies.to_ascii_lowercase().contains("domain");
        if headers.get("set-cookie")?.is_some_and(has_domain) {
            let cookies = headers.get_all("set-cookie")?;
            let turned: Vec<String> = cookies
                .iter()
                .map(|cookie| self.without_domain(&upstream, cookie))
                .collect();
            if turned != cookies && !cookies.iter().any(|cookie| cookie.contains('\u{fffd}')) {
                changed.push(("set-cookie", turned));
            }
        }
        Ok(changed)
    }

    /// An address at the edge's host, if this one is at the upstream's.
    fn turned(&self, upstream: &Place<'_>, address: &str) -> Option<String> {
        let Some(found) = Place::of(address) else {
            // A path of the upstream's below its base.
            let is_path = address.starts_with('/') && !upstream.path.is_empty();
            let rest = is_path.then(|| below(upstream.path, address)).flatten()?;
            return Some(format!("{}{rest}", if rest.starts_with('/') { "" } else { "/" }));
        };
        if !found.host().eq_ignore_ascii_case(upstream.host()) {
            return None;
        }
        let rest = below(upstream.path, found.path)?;
        let is_same = found.scheme.is_empty() || found.scheme.eq_ignore_ascii_case(upstream.scheme);
        if is_same && found.port(upstream.scheme) == upstream.port(upstream.scheme) {
            return Some(match found.scheme {
                "" => format!("//{}{rest}", self.authority),
                _ => format!("{}://{}{rest}", self.scheme, self.authority),
            });
        }
        // The site means this host with the other scheme, as it does to leave plain HTTP.
        let has_default = !found.has_port() && !upstream.has_port();
        let visited = Place::at(&self.authority);
        (!is_same && has_default).then(|| format!("{}://{}{rest}", found.scheme, visited.host()))
    }

    /// `Refresh: 5; url=…` with its address at the edge's host.
    fn refresh(&self, upstream: &Place<'_>, value: &str) -> Option<String> {
        let at = value.to_ascii_lowercase().find("url=")? + "url=".len();
        let (before, address) = value.split_at_checked(at)?;
        let bare = address.trim_start_matches([' ', '"', '\'']);
        let quote = address.get(..address.len() - bare.len())?;
        let end = bare.find(['"', '\'']).unwrap_or(bare.len());
        let (bare, after) = bare.split_at_checked(end)?;
        Some(format!("{before}{quote}{}{after}", self.turned(upstream, bare)?))
    }

    /// A cookie for the host that the visitor asked, if it is for the upstream's.
    fn without_domain(&self, upstream: &Place<'_>, cookie: &str) -> String {
        let visited = Place::at(&self.authority);
        let is_foreign = |attribute: &str| {
            let domain = attribute
                .split_once('=')
                .filter(|(name, _)| name.trim().eq_ignore_ascii_case("domain"));
            domain.is_some_and(|(_, domain)| {
                let domain = domain.trim().trim_start_matches('.');
                is_within(upstream.host(), domain) && !is_within(visited.host(), domain)
            })
        };
        let mut parts = cookie.split(';');
        let pair = parts.next().unwrap_or_default();
        parts
            .filter(|attribute| !is_foreign(attribute))
            .fold(pair.to_owned(), |cookie, attribute| {
                format!("{cookie};{attribute}")
            })
    }
}

/// Whether a host is a domain or below it.
fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    !domain.is_empty()
        && host
            .strip_suffix(&domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What follows the base of a path.
fn below<'a>(base: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(base)?;
    (base.is_empty() || rest.is_empty() || rest.starts_with(['/', '?', '#'])).then_some(rest)
}

/// An address with a host, in its parts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place<'a> {
    /// Empty in an address that takes its page's.
    scheme: &'a str,
    authority: &'a str,
    /// With all that follows.
    path: &'a str,
}

impl<'a> Place<'a> {
    /// A host, perhaps with a port.
    pub(crate) fn at(authority: &'a str) -> Self {
        Self {
            authority,
            ..Self::default()
        }
    }

    /// Reads `http://…`, `https://…` or `//…`, without a user's name.
    fn of(address: &'a str) -> Option<Self> {
        let (scheme, rest) = match address.strip_prefix("//") {
            Some(rest) => ("", rest),
            None => address.split_once("://")?,
        };
        let is_known = ["", "http", "https"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known));
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let is_plain = !authority.is_empty() && !authority.contains('@') && !path.starts_with('\\');
        (is_known && is_plain).then_some(Self {
            scheme,
            authority,
            path,
        })
    }

    /// The port as it is written.
    fn written_port(&self) -> Option<(&'a str, &'a str)> {
        let (host, port) = self.authority.rsplit_once(':')?;
        port.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some((host, port))
    }

    fn has_port(&self) -> bool {
        self.written_port().is_some_and(|(_, port)| !port.is_empty())
    }

    fn host(&self) -> &'a str {
        self.written_port().map_or(self.authority, |(host, _)| host)
    }

    /// The port that it means, where the scheme is this one.
    pub(crate) fn port(&self, scheme: &str) -> Option<u16> {
        match self.written_port() {
            Some((_, port)) if !port.is_empty() => port.parse().ok(),
            _ if scheme.eq_ignore_ascii_case("https") => Some(443),
            _ => Some(80),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(upstream: &str, visited: &str) -> Addresses {
        let (scheme, authority) = visited.split_once("://").unwrap();
        Addresses {
            upstream: upstream.to_owned(),
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
        }
    }

    #[track_caller]
    fn check(upstream: &str, address: &str, expected: Option<&str>) {
        let addresses = addresses(upstream, "https://shop.example");
        let turned = addresses.turned(&Place::of(upstream).unwrap(), address);
        assert_eq!(turned.as_deref(), expected, "{address} of {upstream}");
    }

    #[test]
    fn hosts_and_ports() {
        let upstream = "http://Origin.internal:8080";
        check(
            upstream,
            "http://origin.INTERNAL:8080/a?b#c",
            Some("https://shop.example/a?b#c"),
        );
        check(upstream, "//origin.internal:8080", Some("//shop.example"));
        for other in [
            "http://origin.internal/a",
            "https://origin.internal:8080/a",
            "https://origin.internal/a",
            "http://x.origin.internal:8080/",
            "http://origin.internal:8080.example/",
            "http://origin.internal:8080@evil.example/",
            "http://origin.internal:8080\\@evil.example/",
            "/a",
            "a//origin.internal:8080",
            "",
        ] {
            check(upstream, other, None);
        }
        check(
            "http://origin.internal",
            "http://origin.internal:80/",
            Some("https://shop.example/"),
        );
        check(
            "https://[::1]:8443",
            "https://[::1]:8443/x",
            Some("https://shop.example/x"),
        );
        check("https://[::1]", "https://[::1]/x", Some("https://shop.example/x"));
    }

    #[test]
    fn another_scheme_of_the_same_host_is_kept() {
        let turned = |visited: &str| {
            let upstream = "http://origin.internal";
            addresses(upstream, visited).turned(&Place::of(upstream).unwrap(), "https://origin.internal/a")
        };
        assert_eq!(
            turned("http://shop.example:8000").as_deref(),
            Some("https://shop.example/a")
        );
    }

    #[test]
    fn an_upstream_below_a_path() {
        let upstream = "https://origin.internal/shop";
        check(
            upstream,
            "https://origin.internal/shop/a",
            Some("https://shop.example/a"),
        );
        check(
            upstream,
            "https://origin.internal/shop?a",
            Some("https://shop.example?a"),
        );
        check(upstream, "/shop/a", Some("/a"));
        check(upstream, "/shop", Some("/"));
        check(upstream, "/shopping", None);
        check(upstream, "https://origin.internal/other", None);
        check(upstream, "a", None);
    }

    #[test]
    fn domains_of_cookies() {
        let cookie = |visited: &str, cookie: &str| {
            let upstream = "https://www.origin.internal";
            addresses(upstream, visited).without_domain(&Place::of(upstream).unwrap(), cookie)
        };
        for domain in [
            "www.origin.internal",
            ".origin.internal",
            "ORIGIN.internal",
            "internal",
        ] {
            assert_eq!(
                cookie("https://shop.example", &format!("a=1; Domain={domain}; Path=/")),
                "a=1; Path=/"
            );
        }
        for kept in [
            "a=1; Domain=other.internal",
            "a=1; Domain=",
            "a=1;Path=/;domain",
            "domain=internal",
        ] {
            assert_eq!(cookie("https://shop.example", kept), kept);
        }
        let shared = "a=1; Domain=.origin.internal";
        assert_eq!(cookie("https://shop.origin.internal:8000", shared), shared);
    }
}
