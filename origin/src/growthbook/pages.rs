//! URL targeting → conditions over the request.
//!
//! GrowthBook's simple patterns compare host, path and query parameters one by one, without regard to case, with `*` for
//! anything and slashes at a path's ends as they come; its regular expressions are tried on the whole
//! address and on what comes after the host.

use super::condition::never;
use super::{Import, object};
use nearside_engine::regex::Regex;
use nearside_engine::value::{Object, Value};

/// The parts of a simple pattern.
struct Simple {
    host: Option<String>,
    path: String,
    query: Vec<(String, String)>,
    has_fragment: bool,
}

impl Import<'_> {
    /// Whether the page is one of those that some targets include, and none that they exclude.
    pub(super) fn url_targets(&mut self, targets: &[Value], path: &str) -> Value {
        if targets.is_empty() {
            return never();
        }
        let (mut included, mut excluded) = (Vec::new(), Vec::new());
        for (index, target) in targets.iter().enumerate() {
            let path = format!("{path}.urlPatterns[{index}]");
            let pattern = target.get("pattern").as_str().unwrap_or_default();
            let condition = match target.get("type").as_str() {
                Some("regex") => self.url_pattern(pattern, &path),
                Some("simple") => self.simple(pattern, &path),
                _ => {
                    self.warn(&path, "this kind of pattern is not known: it fits no page");
                    never()
                }
            };
            if target.get("include") == &Value::Bool(false) {
                excluded.push(condition);
            } else {
                included.push(condition);
            }
        }
        let mut parts = Vec::new();
        match included.len() {
            0 => {}
            1 => parts.append(&mut included),
            _ => parts.push(object([("$or", Value::Array(included))])),
        }
        if !excluded.is_empty() {
            parts.push(object([("$nor", Value::Array(excluded))]));
        }
        super::condition::all(parts)
    }

    /// A regular expression over the address.
    pub(super) fn url_pattern(&mut self, pattern: &str, path: &str) -> Value {
        if let Err(error) = Regex::compile(pattern, false) {
            self.warn(path, format!("`{pattern}`: {error}: it fits no page"));
            return never();
        }
        let of = |attribute: &str| object([(attribute, object([("$regex", Value::from(pattern))]))]);
        // What fits in a part of the address fits in the whole, unless it asks for the part's beginning.
        if pattern.contains('^') {
            object([("$or", Value::Array(vec![of("request.url"), of("request.target")]))])
        } else {
            of("request.url")
        }
    }

    fn simple(&mut self, pattern: &str, path: &str) -> Value {
        let simple = Simple::parse(pattern);
        if simple.has_fragment {
            self.warn(
                path,
                "what follows a `#` is not sent to servers: the pattern fits no page",
            );
            return never();
        }
        let mut parts = Vec::new();
        if let Some(host) = &simple.host
            && host != "*"
        {
            parts.push(matches("request.host", &format!("^{}$", escaped(host))));
        }
        let trimmed = escaped(&simple.path);
        let trimmed = trimmed.strip_prefix('/').unwrap_or(&trimmed);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        parts.push(matches("request.path", &format!("^/?{trimmed}/?$")));
        for (name, value) in &simple.query {
            if name.contains('.') || name.is_empty() {
                self.warn(
                    path,
                    format!("the query parameter `{name}` cannot be asked for: the pattern fits no page"),
                );
                return never();
            }
            let test = object([("$regexi", Value::from(format!("^{}$", escaped(value))))]);
            // A parameter that is missing is an empty one.
            let test = if value.chars().all(|c| c == '*') {
                let missing = object([("$exists", Value::Bool(false))]);
                object([("$or", Value::Array(vec![missing, test]))])
            } else {
                test
            };
            parts.push(object([(&format!("request.query.{name}"), test)]));
        }
        let fits = parts.iter().all(|part| {
            let patterns = part.as_object().into_iter().flat_map(Object::iter);
            patterns
                .filter_map(|(_, test)| test.get("$regexi").as_str())
                .all(|pattern| Regex::compile(pattern, true).is_ok())
        });
        if !fits {
            self.warn(path, "the pattern is too large: it fits no page");
            return never();
        }
        super::condition::all(parts)
    }
}

fn matches(attribute: &str, pattern: &str) -> Value {
    object([(attribute, object([("$regexi", Value::from(pattern))]))])
}

/// A pattern as a regular expression: `*` is anything, everything else is itself.
fn escaped(pattern: &str) -> String {
    let mut escaped = String::with_capacity(pattern.len() + 8);
    for character in pattern.chars() {
        match character {
            '*' => escaped.push_str(".*"),
            '.' | '+' | '?' | '^' | '$' | '{' | '}' | '(' | ')' | '|' | '[' | ']' | '\\' => {
                escaped.push('\\');
                escaped.push(character);
            }
            plain => escaped.push(plain),
        }
    }
    escaped
}

impl Simple {
    fn parse(pattern: &str) -> Self {
        let (pattern, fragment) = pattern.split_once('#').unwrap_or((pattern, ""));
        let (address, query) = pattern.split_once('?').unwrap_or((pattern, ""));
        let host_and_path = match address.split_once("://") {
            Some((_, rest)) => Some(rest),
            None if address.starts_with("//") => address.strip_prefix("//"),
            // `example.com/a` has a host, `/a` and `a` have none.
            None => {
                let first = address.split('/').next().unwrap_or_default();
                (first.contains('.') && !first.contains(':')).then_some(address)
            }
        };
        let (host, path) = match host_and_path {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (host, path) = rest.split_at(end);
                (Some(host.to_owned()), path)
            }
            None => (None, address),
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self {
            host,
            path: if path.starts_with('/') {
                encoded(path)
            } else {
                format!("/{}", encoded(path))
            },
            query: query.collect(),
            has_fragment: !fragment.is_empty(),
        }
    }
}

/// A path as a browser sends it.
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'{' | b'}') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A query parameter's text.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                after.get(2..).unwrap_or_default()
            }
            (b'+', _) => {
                bytes.push(b' ');
                after
            }
            (other, _) => {
                bytes.push(*other);
                after
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
