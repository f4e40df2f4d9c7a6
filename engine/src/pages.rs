//! Page patterns: which pages an experience is for.
//!
//! A part of URLPattern's syntax (<https://urlpattern.spec.whatwg.org/>): literal text, `*` for anything,
//! and `:name` for one path segment. Matching takes time in the product of the two lengths at most.

use serde::{Deserialize, Serialize};

/// The longest pattern, in characters.
pub const MAX_PATTERN: usize = 500;

/// Which part of the page's address a pattern is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PagePart {
    /// The path alone.
    Path,
    /// The whole address without the fragment.
    Url,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Token {
    Literal(String),
    Anything,
    Segment,
}

/// A compiled page pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PagePattern {
    part: PagePart,
    tokens: Vec<Token>,
}

impl PagePattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// With a sentence that says what is wrong.
    pub fn parse(part: PagePart, pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_PATTERN {
            return Err(format!("the pattern is longer than {MAX_PATTERN} characters"));
        }
        if part == PagePart::Path && !pattern.starts_with(['/', '*', ':']) {
            return Err(format!("a path starts with `/`: did you mean `/{pattern}`?"));
        }
        let mut tokens = Vec::new();
        let mut literal = String::new();
        let mut characters = pattern.chars().peekable();
        let mut previous = None;
        while let Some(character) = characters.next() {
            let token = match character {
                '*' => Some(Token::Anything),
                // In `https://` and `localhost:8080` the colon is no parameter.
                ':' if previous == Some('/')
                    && characters
                        .peek()
                        .is_some_and(|c| c.is_ascii_alphabetic() || *c == '_') =>
                {
                    while characters
                        .next_if(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .is_some()
                    {}
                    Some(Token::Segment)
                }
                '\\' => {
                    literal.extend(characters.next());
                    None
                }
                '{' | '}' | '(' | ')' => {
                    return Err(format!(
                        "`{character}` is not supported: use `*`, `:name` and plain text"
                    ));
                }
                plain => {
                    literal.push(plain);
                    None
                }
            };
            previous = Some(character);
            if let Some(token) = token {
                if !literal.is_empty() {
                    tokens.push(Token::Literal(std::mem::take(&mut literal)));
                }
                tokens.push(token);
            }
        }
        if !literal.is_empty() {
            tokens.push(Token::Literal(literal));
        }
        Ok(Self { part, tokens })
    }

    /// Whether the page at this address fits; `url` without its fragment.
    pub fn matches(&self, url: &str, path: &str) -> bool {
        matches_from(
            &self.tokens,
            match self.part {
                PagePart::Path => path,
                PagePart::Url => url,
            },
        )
    }
}

/// Matches greedily between stars: it is enough to go back to the last star (as in a glob), and within the
/// run between two stars each token has one way to match, except a `:name`, which ends at the next `/`.
fn matches_from(tokens: &[Token], text: &str) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let stepped = match tokens.get(token) {
            None if at == text.len() => return true,
            None => None,
            Some(Token::Anything) => {
                retry = Some((token + 1, at));
                Some(at)
            }
            Some(Token::Literal(literal)) => text[at..]
                .starts_with(literal.as_str())
                .then(|| at + literal.len()),
            Some(Token::Segment) => {
                let length = text[at..].find('/').unwrap_or(text.len() - at);
                (length > 0).then_some(at + length)
            }
        };
        if let Some(next) = stepped {
            (token, at) = (token + 1, next);
            continue;
        }
        let Some((after_star, from)) = retry else {
            return false;
        };
        let Some(character) = text[from..].chars().next() else {
            return false;
        };
        let next = from + character.len_utf8();
        retry = Some((after_star, next));
        (token, at) = (after_star, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        let pattern = PagePattern::parse(PagePart::Path, pattern).unwrap();
        assert_eq!(pattern.matches("", path), expected, "{pattern:?} on {path}");
    }

    #[test]
    fn paths() {
        check("/", "/", true);
        check("/", "/a", false);
        check("*", "/a/b", true);
        check("/products/*", "/products/bike-1", true);
        check("/products/*", "/products/", true);
        check("/products/*", "/products", false);
        check("/products/:slug", "/products/bike-1", true);
        check("/products/:slug", "/products/a/b", false);
        check("/products/:slug", "/products/", false);
        check("/:a/x/:b", "/é/x/y", true);
        check("*/sale/*", "/shop/sale/sale/x", true);
        check("/a*b*c", "/aXbYbZc", true);
        check("/a*b*c", "/aXbYbZ", false);
    }

    #[test]
    fn whole_addresses() {
        let pattern = PagePattern::parse(PagePart::Url, "https://shop.example:8443/*?utm_source=x*").unwrap();
        assert!(pattern.matches("https://shop.example:8443/a?utm_source=x&b=1", "/a"));
        assert!(!pattern.matches("https://shop.example:8443/a", "/a"));
    }

    #[test]
    fn what_is_not_supported_is_named() {
        assert!(
            PagePattern::parse(PagePart::Path, "/a/(\\d+)")
                .unwrap_err()
                .contains("`(`")
        );
        assert!(
            PagePattern::parse(PagePart::Path, "about")
                .unwrap_err()
                .contains("`/about`")
        );
    }

    #[test]
    fn matching_is_bounded() {
        let pattern = PagePattern::parse(PagePart::Path, &format!("/{}b", "a*".repeat(200))).unwrap();
        assert!(!pattern.matches("", &format!("/{}", "a".repeat(20_000))));
    }
}
