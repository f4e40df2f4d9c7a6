//! Headers between visitor and upstream: those of one connection go no further, and the upstream is told who asked
//! for what.

use crate::address::Parts;
use crate::locations::{Addresses, Place};
use crate::{number, proxy};
use std::net::IpAddr;
use worker::{Headers, Result, web_sys};

/// What is between two neighbours, in a request. `Connection`, `Keep-Alive`, `TE`, `Trailer`, `Transfer-Encoding` and
/// `Upgrade` are the runtime's own affair.
const OF_A_REQUEST_S_CONNECTION: [&str; 2] = ["proxy-connection", "proxy-authorization"];
/// The same, in an answer.
const OF_AN_ANSWER_S_CONNECTION: [&str; 3] = [
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authentication-info",
];
/// What is meant for all who handle a message, so that nobody may name it as a connection's own (RFC 9110, 7.6.1).
const FOR_EVERYBODY: [&str; 9] = [
    "authorization",
    "cache-control",
    "cookie",
    "host",
    "location",
    "set-cookie",
    "transfer-encoding",
    "upgrade",
    "vary",
];

/// Makes a visitor's headers those of the request to the upstream.
pub(crate) fn to_upstream(headers: &Headers, visited: &Parts<'_>) -> Result<()> {
    for name in named(headers)? {
        headers.delete(&name)?;
    }
    for name in OF_A_REQUEST_S_CONNECTION {
        headers.delete(name)?;
    }
    let host = headers.get("host")?;
    let host = host.as_deref().unwrap_or(visited.host);
    let address = headers
        .get("cf-connecting-ip")?
        .and_then(|address| address.parse::<IpAddr>().ok());
    if let Some(address) = address {
        let known = headers.get("x-forwarded-for")?;
        headers.set("x-forwarded-for", &forwarded_for(known.as_deref(), address))?;
    }
    if let Some(known) = headers.get("forwarded")? {
        let element = forwarded(address, host, visited.scheme);
        headers.set("forwarded", &format!("{known}, {element}"))?;
    }
    if headers.has("x-forwarded-port")? {
        match Place::at(visited.host).port(visited.scheme) {
            Some(port) => headers.set("x-forwarded-port", &port.to_string())?,
            None => headers.delete("x-forwarded-port")?,
        }
    }
    headers.set("x-forwarded-host", host)?;
    headers.set("x-forwarded-proto", visited.scheme)
}

/// Makes an upstream's answer one for the visitor: the same, or a copy with other headers.
pub(crate) fn to_visitor(response: web_sys::Response, addresses: &Addresses) -> Result<web_sys::Response> {
    // The runtime makes no copies of these.
    if !(200..=599).contains(&response.status()) {
        return Ok(response);
    }
    let headers = Headers(response.headers());
    let mut gone = named(&headers)?;
    for name in OF_AN_ANSWER_S_CONNECTION {
        if headers.has(name)? {
            gone.push(name.to_owned());
        }
    }
    let changed = addresses.changed(&headers, response.status())?;
    if gone.is_empty() && changed.is_empty() {
        return Ok(response);
    }
    let copy = proxy::with_body(&response, response.body().as_ref())?;
    let headers = Headers(copy.headers());
    for name in gone {
        headers.delete(&name)?;
    }
    for (name, values) in changed {
        headers.delete(name)?;
        for value in values {
            headers.append(name, &value)?;
        }
    }
    Ok(copy)
}

/// The names that a message's `Connection` header says are its connection's own.
fn named(headers: &Headers) -> Result<Vec<String>> {
    let connection = headers.get("connection")?;
    Ok(connection.as_deref().map(names).unwrap_or_default())
}

fn names(connection: &str) -> Vec<String> {
    let names = connection.split(',').map(|name| name.trim().to_ascii_lowercase());
    let is_own = |name: &String| {
        !name.is_empty()
            && name.bytes().all(is_of_a_name)
            && !matches!(name.as_str(), "close" | "keep-alive")
            && !name.starts_with("content-")
            && !FOR_EVERYBODY.contains(&name.as_str())
    };
    names.filter(is_own).collect()
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// `X-Forwarded-For` with the visitor's address as its last, which is the one that can be believed.
fn forwarded_for(known: Option<&str>, address: IpAddr) -> String {
    let known = known.map(str::trim).filter(|known| !known.is_empty());
    match known {
        None => address.to_string(),
        Some(known) if known.rsplit(',').next().map(str::trim) == Some(&address.to_string()) => {
            known.to_owned()
        }
        Some(known) => format!("{known}, {address}"),
    }
}

/// The element of `Forwarded` (RFC 7239) that tells of this step.
fn forwarded(address: Option<IpAddr>, host: &str, scheme: &str) -> String {
    let address = match address {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("\"[{address}]\""),
        None => "unknown".to_owned(),
    };
    let host: String = host.chars().filter(|c| !matches!(c, '"' | '\\')).collect();
    format!("for={address};host=\"{host}\";proto={scheme}")
}

/// Of the codings that a visitor takes, those that the runtime can open, so that their page can be personalised;
/// `None` if there is nothing to leave out.
pub(crate) fn openable(accepted: &str) -> Option<String> {
    let items: Vec<&str> = accepted.split(',').map(str::trim).collect();
    let is_refused = |item: &str| {
        let mut parameters = item
            .split(';')
            .skip(1)
            .filter_map(|parameter| parameter.split_once('='));
        parameters.any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("q") && number::read(value.trim()) == Some(0.0)
        })
    };
    let coding = |item: &str| {
        item.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    };
    let kept: Vec<&str> = items
        .iter()
        .copied()
        .filter(|item| match coding(item).as_str() {
            "gzip" | "br" | "identity" | "" => true,
            _ => is_refused(item),
        })
        .collect();
    // Who takes no page as it is, and nothing that can be opened, gets what they ask for.
    let takes_plain = !items
        .iter()
        .any(|item| matches!(coding(item).as_str(), "identity" | "*") && is_refused(item));
    let takes_kept = kept.iter().any(|item| !is_refused(item));
    if kept.len() == items.len() || !(takes_plain || takes_kept) {
        return None;
    }
    Some(if kept.is_empty() {
        "identity".to_owned()
    } else {
        kept.join(", ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_connection() {
        assert_eq!(names("close"), Vec::<String>::new());
        assert_eq!(
            names("X-Gone,\tclose ,, Keep-Alive, cookie, Content-Length, a b, TE"),
            ["x-gone", "te"]
        );
    }

    #[test]
    fn addresses() {
        let address = "198.51.100.7".parse().unwrap();
        assert_eq!(forwarded_for(None, address), "198.51.100.7");
        assert_eq!(forwarded_for(Some(" "), address), "198.51.100.7");
        assert_eq!(forwarded_for(Some("a, b"), address), "a, b, 198.51.100.7");
        assert_eq!(forwarded_for(Some("a,198.51.100.7"), address), "a,198.51.100.7");
        assert_eq!(
            forwarded(Some(address), "x:1\"\\", "https"),
            "for=198.51.100.7;host=\"x:1\";proto=https"
        );
        assert_eq!(
            forwarded("::1".parse().ok(), "x", "http"),
            "for=\"[::1]\";host=\"x\";proto=http"
        );
        assert_eq!(forwarded(None, "x", "http"), "for=unknown;host=\"x\";proto=http");
    }

    #[test]
    fn codings() {
        for (accepted, asked) in [
            ("", None),
            ("gzip, br", None),
            ("gzip, deflate, br, zstd", Some("gzip, br")),
            ("zstd", Some("identity")),
            ("*", Some("identity")),
            ("gzip;q=0, zstd", Some("gzip;q=0")),
            ("*;q=0, gzip, zstd", Some("*;q=0, gzip")),
            ("identity;q=0, zstd", None),
            ("zstd, *; q=0.0", None),
        ] {
            assert_eq!(openable(accepted).as_deref(), asked, "{accepted}");
        }
    }
}
