use super::*;
use crate::cell::measure::Measure;
use crate::value::{Object, Value};
use std::borrow::Cow;

struct Data(Value);

impl Attributes for Data {
    fn attribute(&self, path: &[String]) -> Option<Cow<'_, Value>> {
        self.0.at(path).map(Cow::Borrowed)
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

#[track_caller]
fn check(content: &str, kind: ContentKind, value: &str, expected: &str) {
    let data = Data(Value::Object(
        [("x", Value::from(value))].into_iter().collect::<Object>(),
    ));
    assert_eq!(Template::parse(content, kind).unwrap().render(&data), expected);
}

#[test]
fn defaults_stand_in_for_what_is_missing() {
    check("Hi, {{y|there}}!", ContentKind::Plain, "", "Hi, there!");
    check("Hi, {{ x | there }}!", ContentKind::Plain, "Ada", "Hi, Ada!");
    check("Hi{{y}}!", ContentKind::Plain, "", "Hi!");
}

#[test]
fn values_are_escaped_for_their_place() {
    check("<b>{{x}}</b>", ContentKind::Html, "<i>&", "<b>&lt;i&gt;&amp;</b>");
    check(
        "<b title='{{x}}'>",
        ContentKind::Html,
        "' onclick='",
        "<b title='&#39; onclick=&#39;'>",
    );
    check(
        "<a href=\"{{x}}\">",
        ContentKind::Html,
        "java\tscript:alert(1)",
        "<a href=\"#\">",
    );
    check(
        "<a href=\"{{x}}\">",
        ContentKind::Html,
        "/a?b=1&c=2",
        "<a href=\"/a?b=1&amp;c=2\">",
    );
    check(
        "<a href=\"/s?q={{x}}\">",
        ContentKind::Html,
        "a b&c=/",
        "<a href=\"/s?q=a%20b%26c%3D%2F\">",
    );
    check(
        "{{x}}",
        ContentKind::Style,
        "red;} body{display:none",
        "red bodydisplaynone",
    );
    check("<!-- > --><p>{{x}}", ContentKind::Html, "<", "<!-- > --><p>&lt;");
    check(
        "<script>if (a</b/.c) {}</script>{{x}}",
        ContentKind::Html,
        "<",
        "<script>if (a</b/.c) {}</script>&lt;",
    );
}

#[test]
fn unsafe_places_are_refused() {
    for content in [
        "<script>{{x}}</script>",
        "<SCRIPT type=a>var a = '{{x}}'</SCRIPT>",
        "<style>{{x}}",
        "<a href={{x}}>",
        "<a {{x}}>",
        "<{{x}}>",
        "<p onclick=\"{{x}}\">",
        "<p style='{{x}}'>",
        "<iframe srcdoc=\"{{x}}\">",
        "<!-- {{x}} -->",
        "<p/onclick='{{x}}'>",
        "<script>'</scripty>{{x}}",
        "<!--><script>-->{{x}}",
        "<!---><script>-->{{x}}",
        "<!-- --!><script>-->{{x}}",
    ] {
        assert!(Template::parse(content, ContentKind::Html).is_err(), "{content}");
    }
    assert!(Template::parse("{{x", ContentKind::Plain).is_err());
    assert!(Template::parse("{{ }}", ContentKind::Plain).is_err());
}
