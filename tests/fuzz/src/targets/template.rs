//! Content with placeholders: the author's in the first line, the visitor's value in the rest.

use nearside_engine::cell::measure::Measure;
use nearside_engine::condition::Attributes;
use nearside_engine::template::{ContentKind, Template, is_safe_url};
use nearside_engine::value::Value;
use std::borrow::Cow;

/// Every attribute has the same value.
struct Same(Value);

impl Attributes for Same {
    fn attribute(&self, _: &[String]) -> Option<Cow<'_, Value>> {
        Some(Cow::Borrowed(&self.0))
    }

    fn measure(&self, _: usize, _: Measure, _: Option<u32>) -> Option<f64> {
        None
    }

    fn group(&self, _: usize, _: usize) -> Option<u32> {
        None
    }

    fn in_segment(&self, _: usize) -> bool {
        false
    }
}

pub(crate) fn run(data: &[u8]) -> bool {
    let Ok(data) = std::str::from_utf8(data) else {
        return false;
    };
    let (content, value) = data.split_once('\n').unwrap_or((data, "\"><script>'`x"));
    is_safe_url(value);
    let attributes = Same(Value::from(value));
    let mut is_template = false;
    for kind in [ContentKind::Plain, ContentKind::Html, ContentKind::Style] {
        let Ok(template) = Template::parse(content, kind) else {
            continue;
        };
        is_template = true;
        let rendered = template.render(&attributes);
        if template.is_literal() {
            assert_eq!(rendered, content, "without placeholders the content is as it is");
            continue;
        }
        if kind == ContentKind::Html {
            // Only the author's content may open or close something.
            for character in ['<', '>', '"', '\''] {
                let count = |text: &str| text.matches(character).count();
                assert!(
                    count(&rendered) <= count(content),
                    "a visitor's {character} is escaped: {rendered}"
                );
            }
        }
    }
    is_template
}
