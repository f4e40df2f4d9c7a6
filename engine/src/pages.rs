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
        while let Some(character) = characters.next() {
            let token = match character {
                '*' => Some(Token::Anything),
                // In `https://` and `localhost:8080` the colon is no parameter.
                ':' if characters
                    .peek()
                    .is_some_and(|c| c.is_ascii_alphabetic() || *c == '_') =>
                {
                    while characters
                        .next_if(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .is_some()
                    {}
                    if let Some(modifier @ ('?' | '+' | '*' | '(')) = characters.peek() {
                        return Err(format!(
                            "`{modifier}` after a `:name` is not supported: use `*`, `:name` and plain text"
                        ));
                    }
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
                '?' | '#' if part == PagePart::Path => {
                    return Err(format!(
                        "a path has no `{character}`: match the whole address by {{\"url\": …}}"
                    ));
                }
                plain => {
                    literal.push(plain);
                    None
                }
            };
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

/// Whether the tokens cover the text: for each token in turn, the set of places at which the tokens up to it
/// may end. So that no pattern makes matching slow, whatever the text.
fn matches_from(tokens: &[Token], text: &str) -> bool {
    let mut text = text.as_bytes();
    let mut tokens = tokens;
    // Most patterns begin with plain text, which most pages do not fit.
    while let Some((Token::Literal(literal), rest)) = tokens.split_first() {
        let Some(after) = text.strip_prefix(literal.as_bytes()) else {
            return false;
        };
        (tokens, text) = (rest, after);
    }
    match tokens {
        [] => return text.is_empty(),
        [Token::Anything] => return true,
        _ => {}
    }
    let mut ends = vec![false; text.len() + 1];
    ends[0] = true;
    for token in tokens {
        let mut next = vec![false; text.len() + 1];
        // Whether the token may have begun before this place and go on over it.
        let mut open = false;
        for at in 0..=text.len() {
            match token {
                Token::Literal(literal) => {
                    if ends[at] && text[at..].starts_with(literal.as_bytes()) {
                        next[at + literal.len()] = true;
                    }
                }
                Token::Anything => {
                    open |= ends[at];
                    next[at] = open;
                }
                Token::Segment => {
                    next[at] = open;
                    open = (open || ends[at]) && text.get(at).is_some_and(|byte| *byte != b'/');
                }
            }
        }
        ends = next;
    }
    ends.last() == Some(&true)
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
        check("/products/:slug.html", "/products/bike-1.html", true);
        check("/products/:slug.html", "/products/.html", false);
        check("/products/:slug.html", "/products/a/b.html", false);
        check("*/:slug-:id", "/a/b/bike-2-x", true);
        check("*/:slug-:id", "/a/b/bike", false);
        check("/:a", "/x/", false);
        check("/**", "/", true);
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
        for (pattern, named) in [
            ("/a/:b?", "`?`"),
            ("/:a+", "`+`"),
            ("/a?b=1", "`url`"),
            ("/a#b", "`#`"),
        ] {
            let message = PagePattern::parse(PagePart::Path, pattern).unwrap_err();
            assert!(message.replace('"', "`").contains(named), "{message}");
        }
    }

    #[test]
    fn matching_is_bounded() {
        let pattern = PagePattern::parse(PagePart::Path, &format!("/{}b", "a*".repeat(200))).unwrap();
        assert!(!pattern.matches("", &format!("/{}", "a".repeat(20_000))));
    }
}
