//! What is known of the request for a page, as the document that conditions read below `request`.

use crate::value::{Object, Value};
use crate::wire::{consents, split_preview};

/// The longest address that is read; of a longer one the rest is cut off.
const MAX_URL: usize = 4_096;
/// How many query parameters are read.
const MAX_PARAMETERS: usize = 64;

/// What is known of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    url: String,
    path: (usize, usize),
    document: Value,
    agreement: Option<Agreement>,
}

/// What the visitor agrees to, as their consent cookie says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Agreement {
    cookie: Option<String>,
    is_required: bool,
}

impl Request {
    /// Reads a page's address; `extra` has what the host knows besides: `referrer`, `language`, `geo`, …
    pub fn new(url: &str, extra: Object) -> Self {
        // What asks for a preview is not the page's: with and without it, the same is decided.
        let (url, _) = split_preview(url);
        let mut end = url.len().min(MAX_URL);
        while !url.is_char_boundary(end) {
            end -= 1;
        }
        // Where a long address is cut off, the beginning of some parameter may have become one that asks.
        let (url, _) = split_preview(&url[..end]);
        let url = url.split('#').next().unwrap_or_default();
        // A `://` further on belongs to an address in the path or query.
        let scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        let authority = url
            .find("://")
            .filter(|at| url[..*at].chars().all(scheme))
            .map_or(0, |at| at + 3);
        let query_at = url[authority..].find('?').map_or(url.len(), |at| authority + at);
        let path_at = url[authority..query_at]
            .find('/')
            .map_or(query_at, |at| authority + at);
        let host = if authority > 0 {
            &url[authority..path_at]
        } else {
            ""
        };
        let mut query = Object::new();
        let mut utm = Object::new();
        for pair in url[query_at..]
            .trim_start_matches('?')
            .split('&')
            .take(MAX_PARAMETERS)
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name);
            if name.is_empty() || query.get(&name).is_some() {
                continue;
            }
            let value = decode(value);
            if let Some(campaign) = name.strip_prefix("utm_") {
                utm.insert(campaign, value.as_str());
            }
            query.insert(name, value);
        }
        let mut document = extra;
        document.insert("url", url);
        document.insert("host", host);
        document.insert(
            "path",
            if path_at == query_at {
                "/"
            } else {
                &url[path_at..query_at]
            },
        );
        document.insert("search", &url[query_at..]);
        document.insert("target", &url[path_at..]);
        document.insert("query", query);
        document.insert("utm", utm);
        Self {
            url: url.to_owned(),
            path: (path_at, query_at),
            document: Value::Object(document),
            agreement: None,
        }
    }

    /// The same with what the visitor agrees to: the value of their consent cookie, and whether the site asks for
    /// their agreement.
    #[must_use]
    pub fn with_consent(mut self, cookie: Option<&str>, is_required: bool) -> Self {
        self.set_consent(cookie.map(str::to_owned), is_required);
        self
    }

    /// Takes note of what the visitor agrees to.
    pub fn set_consent(&mut self, cookie: Option<String>, is_required: bool) {
        self.agreement = Some(Agreement { cookie, is_required });
    }

    /// The same visitor's request for another page.
    #[must_use]
    pub fn elsewhere(&self, url: &str, extra: Object) -> Self {
        Self {
            agreement: self.agreement.clone(),
            ..Self::new(url, extra)
        }
    }

    /// Whether the visitor agrees to a purpose; `None` if nothing is known of that.
    pub fn agrees(&self, purpose: &str) -> Option<bool> {
        let agreement = self.agreement.as_ref()?;
        Some(consents(
            agreement.cookie.as_deref(),
            purpose,
            agreement.is_required,
        ))
    }

    /// The address without its fragment.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path; `/` if the address has none.
    pub fn path(&self) -> &str {
        match &self.url[self.path.0..self.path.1] {
            "" => "/",
            path => path,
        }
    }

    /// The query with its `?`; empty without one.
    pub fn search(&self) -> &str {
        self.url.get(self.path.1..).unwrap_or_default()
    }

    /// The path and the query.
    pub fn target(&self) -> &str {
        self.url.get(self.path.0..).unwrap_or_default()
    }

    /// The document below `request`.
    pub fn document(&self) -> &Value {
        &self.document
    }
}

/// Decodes `application/x-www-form-urlencoded`; what is no UTF-8 is replaced.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digit = |offset: usize| bytes.get(at + offset).and_then(|d| char::from(*d).to_digit(16));
        match (byte, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) => decoded.push(b' '),
            (other, ..) => decoded.push(*other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let request = Request::new(
            "https://shop.example:8443/a/b?utm_source=mail&q=a+b%21&q=2#x?y",
            Object::new(),
        );
        assert_eq!(
            request.url(),
            "https://shop.example:8443/a/b?utm_source=mail&q=a+b%21&q=2"
        );
        assert_eq!(request.path(), "/a/b");
        assert_eq!(request.document().get("host"), &Value::from("shop.example:8443"));
        assert_eq!(request.document().get("query").get("q"), &Value::from("a b!"));
        let search = "?utm_source=mail&q=a+b%21&q=2";
        assert_eq!(request.document().get("search"), &Value::from(search));
        assert_eq!(
            request.document().get("target"),
            &Value::from(format!("/a/b{search}"))
        );
        assert_eq!(request.document().get("utm").get("source"), &Value::from("mail"));
    }

    #[test]
    fn odd_addresses() {
        let previewed = Request::new("/a?b=1&ns_preview=T", Object::new());
        assert_eq!(previewed, Request::new("/a?b=1", Object::new()));
        for (url, path) in [
            ("", "/"),
            ("/a?b", "/a"),
            ("https://x", "/"),
            ("https://x?a/b", "/"),
            ("?", "/"),
            ("/a?next=https://x.example/b", "/a"),
            ("/go/https://x.example/b", "/go/https://x.example/b"),
            ("https://x/a?next=https://y/b", "/a"),
            ("//x/a", "//x/a"),
        ] {
            assert_eq!(Request::new(url, Object::new()).path(), path, "{url}");
        }
        let request = Request::new("/?%=%zz&%ff=%e9&é=é", Object::new());
        assert_eq!(request.document().get("query").get("%"), &Value::from("%zz"));
        assert_eq!(request.document().get("query").get("é"), &Value::from("é"));
        Request::new(&"é".repeat(5_000), Object::new());
    }

    #[test]
    fn an_address_that_was_cut_off_is_the_same_when_it_is_read_again() {
        let cut_in = |name: &str| {
            let begin = "https://shop.example/?".to_owned();
            let filler = "x".repeat(MAX_URL - begin.len() - "&ns_preview".len());
            Request::new(&format!("{begin}{filler}&ns_preview{name}"), Object::new())
        };
        for request in [cut_in("er=1"), cut_in("=1")] {
            assert!(!request.url().contains("ns_preview"), "{}", request.url());
            assert_eq!(Request::new(request.url(), Object::new()), request);
        }
    }
}
