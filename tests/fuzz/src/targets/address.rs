//! Addresses, and the page patterns that they meet: the address in the first line, patterns in the others.

use nearside_engine::pages::{PagePart, PagePattern};
use nearside_engine::request::Request;
use nearside_engine::value::Object;

const MAX_PATTERNS: usize = 16;

pub(crate) fn run(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let mut lines = text.split('\n');
    let url = lines.next().unwrap_or_default();
    let request = Request::new(url, Object::new());
    assert!(url.starts_with(request.url()) && !request.url().contains('#'));
    let path = request.path();
    assert!(path == "/" || request.url().contains(path));
    assert_eq!(request.document().get("url").as_str(), Some(request.url()));
    assert_eq!(request.document().get("path").as_str(), Some(path));
    let again = Request::new(request.url(), Object::new());
    assert_eq!(
        again, request,
        "the address without its fragment is the same address"
    );
    for line in lines.take(MAX_PATTERNS) {
        for pattern in [
            PagePattern::parse(PagePart::Path, line),
            PagePattern::parse(PagePart::Url, line),
        ]
        .into_iter()
        .flatten()
        {
            pattern.matches(request.url(), path);
        }
    }
    true
}
