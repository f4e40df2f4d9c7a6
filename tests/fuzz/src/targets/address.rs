//! Addresses, and the page patterns that they meet: the address in the first line, patterns in the others.

use nearside_engine::pages::{PagePart, PagePattern};
use nearside_engine::request::Request;
use nearside_engine::value::Object;
use nearside_engine::wire::split_preview;

const MAX_PATTERNS: usize = 16;

pub(crate) fn run(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let mut lines = text.split('\n');
    let url = lines.next().unwrap_or_default();
    let request = Request::new(url, Object::new());
    let (without, asked) = split_preview(url);
    assert!(without.starts_with(request.url()) && !request.url().contains('#'));
    let path = request.path();
    assert!(path == "/" || request.url().contains(path));
    assert_eq!(request.document().get("url").as_str(), Some(request.url()));
    assert_eq!(request.document().get("path").as_str(), Some(path));
    assert!(without.len() <= url.len());
    assert!(
        asked.is_some() || without == url,
        "an address without a preview stays as it is"
    );
    assert_eq!(
        split_preview(&without),
        (without.clone(), None),
        "a preview is taken out as a whole"
    );
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
