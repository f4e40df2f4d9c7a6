//! Edits on small pages: what changes, and that nothing else does.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::{Host, PageRewriter, RewriteError, Settings, host, rewrite, supports};

fn edit<'a>(selector: &'a str, operation: Operation, name: &'a str, content: &str) -> Edit<'a> {
    Edit {
        selector,
        operation,
        name,
        content: content.to_owned(),
    }
}

/// The same result for every split of the page.
#[track_caller]
fn check(page: &str, edits: &[Edit<'_>], expected: &str) {
    for chunk in 1..=page.len() {
        let output = rewrite(page.as_bytes(), edits, chunk).unwrap();
        assert_eq!(
            String::from_utf8(output).unwrap(),
            expected,
            "in chunks of {chunk}"
        );
    }
}

#[test]
fn each_operation() {
    let page = r#"<div><p class="a b" style="color: red;" title=x>Old <b>text</b></p><i>y</i></div>"#;
    let cases = [
        (
            Operation::Text,
            "",
            "<&>",
            r#"<div><p class="a b" style="color: red;" title=x>&lt;&amp;&gt;</p><i>y</i></div>"#,
        ),
        (
            Operation::Html,
            "",
            "<u>n</u>",
            r#"<div><p class="a b" style="color: red;" title=x><u>n</u></p><i>y</i></div>"#,
        ),
        (
            Operation::Attribute,
            "title",
            "a\"b",
            r#"<div><p class="a b" style="color: red;" title="a&quot;b">Old <b>text</b></p><i>y</i></div>"#,
        ),
        (
            Operation::RemoveAttribute,
            "title",
            "",
            r#"<div><p class="a b" style="color: red;">Old <b>text</b></p><i>y</i></div>"#,
        ),
        (
            Operation::Style,
            "color",
            "blue",
            r#"<div><p class="a b" style="color: red;; color: blue" title=x>Old <b>text</b></p><i>y</i></div>"#,
        ),
        (
            Operation::AddClass,
            "",
            "b c",
            r#"<div><p class="a b c" style="color: red;" title=x>Old <b>text</b></p><i>y</i></div>"#,
        ),
        (Operation::AddClass, "", "b", page),
        (
            Operation::RemoveClass,
            "",
            "a",
            r#"<div><p class="b" style="color: red;" title=x>Old <b>text</b></p><i>y</i></div>"#,
        ),
        (Operation::RemoveClass, "", "z", page),
        (Operation::Remove, "", "", "<div><i>y</i></div>"),
        (
            Operation::Before,
            "",
            "<hr>",
            r#"<div><hr><p class="a b" style="color: red;" title=x>Old <b>text</b></p><i>y</i></div>"#,
        ),
        (
            Operation::After,
            "",
            "<hr>",
            r#"<div><p class="a b" style="color: red;" title=x>Old <b>text</b></p><hr><i>y</i></div>"#,
        ),
        (
            Operation::Prepend,
            "",
            "<br>",
            r#"<div><p class="a b" style="color: red;" title=x><br>Old <b>text</b></p><i>y</i></div>"#,
        ),
        (
            Operation::Append,
            "",
            "<br>",
            r#"<div><p class="a b" style="color: red;" title=x>Old <b>text</b><br></p><i>y</i></div>"#,
        ),
        (Operation::Replace, "", "<hr>", "<div><hr><i>y</i></div>"),
        (Operation::Unwrap, "", "", "<div>Old <b>text</b><i>y</i></div>"),
        (Operation::Image, "", "/a.png", page),
        (Operation::Link, "", "/a", page),
        (Operation::Move, "append", "i", page),
    ];
    for (operation, name, content, expected) in cases {
        check(page, &[edit("div > p.a", operation, name, content)], expected);
    }
}

#[test]
fn an_image_is_shown_whatever_the_page_had_in_its_place() {
    check(
        "<img class=a src=x srcset='y 2x' sizes=1px alt=z><img class=b>",
        &[edit("img", Operation::Image, "", "/n?a=1&b=\"")],
        "<img class=a src=\"/n?a=1&amp;b=&quot;\" alt=z><img class=b src=\"/n?a=1&amp;b=&quot;\">",
    );
}

#[test]
fn links_lead_elsewhere() {
    check(
        "<map><area href=a></map><a>x</a><link href=c>",
        &[edit("*", Operation::Link, "", "/n")],
        "<map><area href=\"/n\"></map><a href=\"/n\">x</a><link href=c>",
    );
}

#[test]
fn what_was_unwrapped_is_not_there_any_more() {
    let unwrap = || edit("div", Operation::Unwrap, "", "");
    let page = "<p>a<div>b<p>c</div>d<br>e";
    check(page, &[unwrap()], "<p>a</p>b<p>c</p>d<br>e");
    for operation in [
        Operation::Remove,
        Operation::Replace,
        Operation::Text,
        Operation::Append,
    ] {
        let edits = [unwrap(), edit("div", operation, "", "x")];
        check(page, &edits, "<p>a</p>b<p>c</p>d<br>e");
    }
    let around = [
        edit("div", Operation::Prepend, "", "<i>1</i>"),
        edit("div", Operation::Append, "", "<i>2</i>"),
        unwrap(),
        edit("div", Operation::Before, "", "<u>3</u>"),
        edit("div", Operation::After, "", "<u>4</u>"),
    ];
    check("<div>b</div>", &around, "<u>3</u><i>1</i>b<i>2</i><u>4</u>");
    let replaced = [edit("div", Operation::Html, "", "<i>1</i>"), unwrap()];
    check("<div>b<p>c</div>d", &replaced, "<i>1</i>d");
    check("<br>", &[edit("br", Operation::Unwrap, "", "")], "");
}

#[test]
fn what_would_be_read_as_something_else_is_not_unwrapped() {
    for page in [
        "<body class=x>a</body>",
        "<table class=x><tr><td>a</table>",
        "<table><tr class=x><td>a</table>",
        "<table><tr><td class=x>a</table>",
        "<script class=x>a</script>",
        "<textarea class=x>a</textarea>",
        "<template class=x>a</template>",
        "<svg class=x><g/></svg>",
        "<svg><foreignObject class=x><p>a</p></foreignObject></svg>",
    ] {
        check(page, &[edit(".x", Operation::Unwrap, "", "")], page);
    }
    check(
        "<svg><g class=x><rect/></g></svg>",
        &[edit(".x", Operation::Unwrap, "", "")],
        "<svg><rect/></svg>",
    );
}

#[test]
fn what_stands_in_a_template_is_no_part_of_the_page() {
    check(
        "<b>x</b><template class=t><b>x</b><template><b>x</b></template><b>x</b></template><b>x</b>",
        &[
            edit("b", Operation::Text, "", "y"),
            edit("template", Operation::AddClass, "", "u"),
        ],
        "<b>y</b><template class=\"t u\"><b>x</b><template><b>x</b></template><b>x</b></template><b>y</b>",
    );
}

const DESCRIPTION: &str = "meta[name=\"description\" i]";

#[track_caller]
fn check_head(page: &str, expected: &str) {
    let edits = [
        edit("title", Operation::Title, "", "not this"),
        edit("title", Operation::Title, "", "<New> & \"it\""),
        edit(DESCRIPTION, Operation::Meta, "name=description", "<a> & \"b\""),
    ];
    check(page, &edits, expected);
}

#[test]
fn the_title_and_what_describes_the_page() {
    let (title, meta) = ("&lt;New&gt; &amp; \"it\"", "<a> &amp; &quot;b&quot;");
    check_head(
        "<head><title>Old</title><meta name=Description content=x></head><body><svg><title>s</title></svg>",
        &format!(
            "<head><title>{title}</title><meta name=Description content=\"{meta}\"></head>\
             <body><svg><title>s</title></svg>"
        ),
    );
    let added = format!("<title>{title}</title><meta name=\"description\" content=\"{meta}\">");
    check_head(
        "<head><link></head><body><title>too late</title>",
        &format!("<head><link>{added}</head><body><title>too late</title>"),
    );
    check_head("<head><link><body>x", &format!("<head><link>{added}<body>x"));
    // The browser adds them.
    check_head("<!doctype html><p>x", "<!doctype html><p>x");
    // The first one is the document's.
    check_head(
        "<template><title>t</title></template><svg><title>s</title></svg><title>1</title><meta name=description><title>2</title>",
        &format!(
            "<template><title>t</title></template><svg><title>s</title></svg><title>{title}</title>\
             <meta name=description content=\"{meta}\"><title>2</title>"
        ),
    );
}

#[test]
fn a_selector_that_does_not_stream_is_left_out_and_the_others_apply() {
    assert!(supports("div:has(p)").is_err());
    assert!(supports("p ~ b").is_err());
    assert!(supports("").is_err());
    assert!(supports("#hero h1:not(.x)").is_ok());
    for none in ["[a=b x]", "[a=b is]", "p:nth-child(2n\u{e9})"] {
        assert!(supports(none).is_err(), "{none}");
    }
    assert_eq!(host(Operation::Text, "#hero", ""), Host::Edge);
    assert!(matches!(host(Operation::Text, "p ~ b", ""), Host::Browser(_)));
    assert!(matches!(host(Operation::Move, "#hero", "p"), Host::Browser(_)));
    assert!(matches!(host(Operation::Title, "title", ""), Host::Both(_)));
    for selector in ["table > tbody", "table TBODY.x, p", "li:last-child"] {
        assert!(supports(selector).is_err(), "{selector}");
    }
    for selector in [
        "a[href='/x' i]",
        "[href=\"?a=1&b=2\"]",
        "a[title='<'] b",
        ".tbody",
        "#tbody",
        "[tbody]",
        "x-tbody",
        "tbody > tr",
        "table TBODY.x td",
    ] {
        assert!(supports(selector).is_ok(), "{selector}");
    }
    for (operation, selector, content, is_edge) in [
        (Operation::Html, "p.x", "<b>1</b><div>2</div>", false),
        (Operation::Append, "div > p b", "<UL></UL>", false),
        (Operation::After, "p", "<div>1</div>", true),
        (Operation::After, "p b", "<div>1</div>", false),
        (Operation::Html, "p", "<b>1</b>", true),
        (Operation::Html, ".p", "<div>1</div>", true),
        (Operation::Text, "p", "<div>1</div>", true),
    ] {
        let found = host(operation, selector, content);
        assert_eq!(found == Host::Edge, is_edge, "{operation:?} {selector} {content}");
    }
    let edits = [
        edit("p:has(b)", Operation::Remove, "", ""),
        edit("b", Operation::Text, "", "x"),
    ];
    check("<p><b>y</b></p>", &edits, "<p><b>x</b></p>");
}

/// Values are compared as the browser has them, whatever they are written like.
#[test]
fn values_of_attributes_are_compared_without_their_references() {
    let page = "<a href='?a=1&amp;b=2'>1</a><a href='?a=1&b=2'>2</a><a href='?a=1&#38;b=2'>3</a>\
                <p class='&#97; b' title='Caf&eacute; &lt;1&gt;'>4</p><p id=&#x78; title='&amp'>5</p>";
    for (selector, places) in [
        ("[href='?a=1&b=2']", vec![1, 2, 3]),
        ("[href*=amp], [title$=\"t;\"]", vec![]),
        ("[href*='&b'], [title='&']", vec![1, 2, 3, 5]),
        (".a.b, #x", vec![4, 5]),
        ("p.a:not(#x)", vec![4]),
        ("[title='Café <1>']", vec![4]),
        ("[title*='<']", vec![4]),
        ("[title*='>' i][title^=\"c\" i]", vec![4]),
    ] {
        let mut expected = page.to_owned();
        for place in places {
            expected = expected.replace(&format!(">{place}<"), ">!<");
        }
        check(page, &[edit(selector, Operation::Text, "", "!")], &expected);
    }
    check(
        "<p class='&#97; b&amp;c'>1</p>",
        &[
            edit("p", Operation::AddClass, "", "a d"),
            edit("p", Operation::RemoveClass, "", "b&c"),
        ],
        "<p class=\"&#97; d\">1</p>",
    );
}

/// An attribute whose name begins with `=` does not become the value of the one before it.
#[test]
fn odd_attributes_stay_what_they_are_where_the_tag_is_written_anew() {
    check(
        "<p a/=b>1</p><p =c d=1 =e/=f>2</p>",
        &[edit("p", Operation::AddClass, "", "x")],
        "<p a /=b class=\"x\">1</p><p /=c d=1 /=e /=f class=\"x\">2</p>",
    );
}

/// A tag with more attributes than somebody would write stays as it is; the others are edited.
#[test]
fn a_tag_with_too_many_attributes_is_not_written_anew() {
    let many = format!("<p id=x{}>1</p><p>2</p>", " a".repeat(20_000));
    let edits = [
        edit("p", Operation::AddClass, "", "y"),
        edit("p", Operation::RemoveAttribute, "a", ""),
    ];
    let output = rewrite(many.as_bytes(), &edits, 1_000).unwrap();
    assert_eq!(
        String::from_utf8(output).unwrap(),
        many.replace("<p>2", "<p class=\"y\">2")
    );
}

#[track_caller]
fn check_injection(page: &str, expected: &str) {
    for chunk in 1..=page.len() {
        let settings = Settings {
            inject: Some("<S>"),
            ..Settings::default()
        };
        let mut rewriter = PageRewriter::new(&[], settings).unwrap();
        let mut output = Vec::new();
        for chunk in page.as_bytes().chunks(chunk) {
            output.extend(rewriter.write(chunk));
        }
        output.extend(rewriter.end());
        assert_eq!(
            String::from_utf8(output).unwrap(),
            expected,
            "in chunks of {chunk}"
        );
    }
}

#[test]
fn the_sdk_is_put_into_the_head_once() {
    check_injection(
        "<html><head><title>t</title></head><body></body></html>",
        "<html><head><title>t</title><S></head><body></body></html>",
    );
    check_injection(
        "<head><title>t</title><body>x",
        "<head><title>t</title><S><body>x",
    );
    check_injection(
        "<!doctype html><title>t</title><p>x",
        "<!doctype html><title>t</title><p>x<S>",
    );
    check_injection(
        "<head><script>'</head>'</script></head><head></head><body>",
        "<head><script>'</head>'</script><S></head><head></head><body>",
    );
    check_injection("<li>a fragment", "<li>a fragment");
}

#[test]
fn pages_in_other_encodings() {
    let page = b"<meta charset=windows-1252><p>caf\xe9</p><i></i>";
    let output = rewrite(page, &[edit("i", Operation::Text, "", "\u{e9}\u{2713}")], 7).unwrap();
    assert_eq!(
        output,
        b"<meta charset=windows-1252><p>caf\xe9</p><i>\xe9&#10003;</i>"
    );
    let utf16: Vec<u8> = "\u{feff}<p>x</p>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(rewrite(&utf16, &[], 1_000), Err(RewriteError::Encoding));
    let settings = Settings {
        charset: Some("utf-16le"),
        ..Settings::default()
    };
    assert_eq!(
        PageRewriter::new(&[], settings).err(),
        Some(RewriteError::Encoding)
    );
}

#[test]
fn past_the_memory_limit_the_bytes_pass() {
    let page = format!("<b>x</b><b {}>y</b><b>z</b>", "a".repeat(100_000));
    let settings = Settings {
        max_memory: 20_000,
        ..Settings::default()
    };
    let mut rewriter = PageRewriter::new(&[edit("b", Operation::Text, "", "new")], settings).unwrap();
    let mut output = Vec::new();
    for chunk in page.as_bytes().chunks(1_000) {
        output.extend(rewriter.write(chunk));
    }
    output.extend(rewriter.end());
    assert_eq!(rewriter.failure(), Some(RewriteError::Memory));
    assert_eq!(
        String::from_utf8(output).unwrap(),
        page.replacen("<b>x</b>", "<b>new</b>", 1)
    );
}

#[test]
fn where_nothing_is_left_to_do_a_page_is_not_read() {
    // Past the head nothing is asked for: what would end the reading there is not met, and no limit.
    let head = "<!doctype html><html><head><title>t</title>";
    let rest = format!(
        "</head><body><b {}><meta charset=utf-16><p>x",
        "a".repeat(100_000)
    );
    let page = format!("{head}{rest}");
    for chunk in [1_000, 60_000, page.len()] {
        let settings = Settings {
            inject: Some("<script></script>"),
            max_memory: 20_000,
            ..Settings::default()
        };
        let mut rewriter = PageRewriter::new(&[], settings).unwrap();
        let mut output = Vec::new();
        for chunk in page.as_bytes().chunks(chunk) {
            output.extend(rewriter.write(chunk));
        }
        assert_eq!(output.len(), page.len() + 17, "nothing waits: {chunk}");
        output.extend(rewriter.end());
        assert_eq!(rewriter.failure(), None, "{chunk}");
        assert_eq!(
            String::from_utf8(output).unwrap(),
            format!("{head}<script></script>{rest}")
        );
    }
}

#[test]
fn past_the_longest_page_the_bytes_pass() {
    let page = "<b>x</b>".repeat(1_000);
    for chunk in [1, 7, 100, 800, 100_000] {
        let settings = Settings {
            max_page: 800,
            ..Settings::default()
        };
        let edits = [
            edit("b", Operation::Text, "", "n"),
            edit("b", Operation::After, "", "!"),
        ];
        let mut rewriter = PageRewriter::new(&edits, settings).unwrap();
        let mut output = Vec::new();
        for chunk in page.as_bytes().chunks(chunk) {
            output.extend(rewriter.write(chunk));
        }
        output.extend(rewriter.end());
        assert_eq!(rewriter.failure(), Some(RewriteError::Length));
        let expected = "<b>n</b>!".repeat(100) + &"<b>x</b>".repeat(900);
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }
    // A page of just that length is rewritten whole.
    let settings = Settings {
        max_page: page.len(),
        ..Settings::default()
    };
    let mut rewriter = PageRewriter::new(&[edit("b", Operation::Text, "", "n")], settings).unwrap();
    let mut output = rewriter.write(page.as_bytes());
    output.extend(rewriter.end());
    assert_eq!(rewriter.failure(), None);
    assert_eq!(output, "<b>n</b>".repeat(1_000).as_bytes());
}

#[test]
fn after_so_many_edits_the_bytes_pass() {
    let page = "<b>x</b>".repeat(1_000);
    for chunk in [1, 100, 100_000] {
        let settings = Settings {
            max_edits: 500,
            ..Settings::default()
        };
        let mut rewriter = PageRewriter::new(&[edit("b", Operation::Text, "", "n")], settings).unwrap();
        let mut output = Vec::new();
        for chunk in page.as_bytes().chunks(chunk) {
            output.extend(rewriter.write(chunk));
        }
        output.extend(rewriter.end());
        assert_eq!(rewriter.failure(), Some(RewriteError::Edits));
        let expected = "<b>n</b>".repeat(500) + &"<b>x</b>".repeat(500);
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }
}

#[test]
fn values_of_attributes_are_plain_text() {
    check(
        "<a href=x class='p&amp;q' style='--a: &quot;A&quot;'>y</a>",
        &[
            edit(
                "a",
                Operation::Attribute,
                "href",
                "javascript&colon;alert(1)?a=1&amp;b=\"2\"",
            ),
            edit("a", Operation::Style, "--b", "'&quot;'"),
            edit("a", Operation::AddClass, "", "r&lt;"),
        ],
        "<a href=\"javascript&amp;colon;alert(1)?a=1&amp;amp;b=&quot;2&quot;\" \
         class=\"p&amp;q r&amp;lt;\" style=\"--a: &quot;A&quot;; --b: '&amp;quot;'\">y</a>",
    );
    check(
        "<p style='margin: 1px; COLOR : red !Important; background: url(\"a;color:b\")'>x",
        &[edit("p", Operation::Style, "color", "blue")],
        "<p style=\"margin: 1px; background: url(&quot;a;color:b&quot;); color: blue\">x",
    );
    check(
        "<p style=' '>x",
        &[edit("p", Operation::Style, "a", "b")],
        "<p style=\" a: b\">x",
    );
    check(
        "<p style='font-family:&quot;A&quot;'>x",
        &[edit("p", Operation::Style, "a", "b")],
        "<p style=\"font-family:&quot;A&quot;; a: b\">x",
    );
}

#[test]
fn what_cannot_be_escaped_keeps_its_content() {
    for name in ["script", "style", "xmp", "iframe", "noembed", "noframes"] {
        let page = format!("<{name} id=x>a</{name}>");
        for operation in [
            Operation::Text,
            Operation::Html,
            Operation::Prepend,
            Operation::Append,
        ] {
            check(&page, &[edit("#x", operation, "", "<b>&")], &page);
        }
        check(&page, &[edit("#x", Operation::Remove, "", "")], "");
    }
    check(
        "<plaintext id=x>a",
        &[edit("#x", Operation::Prepend, "", "<b>&")],
        "<plaintext id=x>a",
    );
    check(
        "<title>a</title><textarea>b</textarea>",
        &[edit("title, textarea", Operation::Text, "", "<b>&")],
        "<title>&lt;b&gt;&amp;</title><textarea>&lt;b&gt;&amp;</textarea>",
    );
}

#[track_caller]
fn check_bytes(page: &[u8], charset: Option<&str>, expected: &[u8], failure: Option<RewriteError>) {
    for chunk in 1..=page.len() {
        let settings = Settings {
            charset,
            ..Settings::default()
        };
        let edits = [
            edit("i", Operation::Text, "", "\u{e9}<"),
            edit("i", Operation::Attribute, "a", "\u{e9}&"),
            edit("i", Operation::Style, "a", "\u{e9}"),
            edit("i", Operation::AddClass, "", "\u{e9}"),
            edit("i", Operation::After, "", "<b>\u{e9}</b>"),
        ];
        let mut rewriter = PageRewriter::new(&edits, settings).unwrap();
        let mut output = Vec::new();
        for chunk in page.chunks(chunk) {
            output.extend(rewriter.write(chunk));
        }
        output.extend(rewriter.end());
        assert_eq!(
            String::from_utf8_lossy(&output),
            String::from_utf8_lossy(expected),
            "in chunks of {chunk}"
        );
        assert_eq!(output, expected);
        assert_eq!(rewriter.failure(), failure);
    }
}

const REFERENCES: &str =
    "<i a=\"&#233;&amp;\" style=\"a: &#233;\" class=\"&#233;\">&#233;&lt;</i><b>&#233;</b>";

#[test]
fn without_a_known_encoding_characters_are_references() {
    check_bytes(b"<i>x</i>", None, REFERENCES.as_bytes(), None);
    let page = "<meta http-equiv=content-type content='text/html; charset=koi8-r'>";
    check_bytes(
        format!("{page}<i>x</i>").as_bytes(),
        None,
        format!("{page}{REFERENCES}").as_bytes(),
        None,
    );
    let encoded = "<i a=\"\u{e9}&amp;\" style=\"a: \u{e9}\" class=\"\u{e9}\">\u{e9}&lt;</i><b>\u{e9}</b>";
    check_bytes(b"<i>x</i>", Some("utf-8"), encoded.as_bytes(), None);
    check_bytes(
        b"<meta charset=utf-8><i>x</i>",
        None,
        format!("<meta charset=utf-8>{encoded}").as_bytes(),
        None,
    );
    // Browsers take this for UTF-8: whoever can read it does not have UTF-16.
    check_bytes(
        b"<meta charset=utf-16><i>x</i>",
        None,
        format!("<meta charset=utf-16>{encoded}").as_bytes(),
        None,
    );
    // A byte order mark is stronger than a header.
    check_bytes(
        b"\xef\xbb\xbf<i>x</i>",
        Some("windows-1252"),
        format!("\u{feff}{encoded}").as_bytes(),
        None,
    );
    // A class in an encoding that is not known is not touched.
    check_bytes(
        b"<i class=\xe9 style=\xe9>x</i>",
        None,
        b"<i class=\xe9 style=\xe9 a=\"&#233;&amp;\">&#233;&lt;</i><b>&#233;</b>",
        None,
    );
}

#[test]
fn encodings_whose_tags_are_not_ascii() {
    let encoding = Some(RewriteError::Encoding);
    for declaration in [
        "<meta charset=iso-2022-jp>",
        "<meta http-equiv=Content-Type content='text/html;charset=ISO-2022-JP'>",
        "<meta charset=hz-gb-2312>",
    ] {
        let page = format!("<p>a<p>b{declaration}<p>c<i>x</i>");
        check_bytes(page.as_bytes(), None, page.as_bytes(), encoding);
    }
    for page in [b"\xff\xfe<\0i\0>\0".as_slice(), b"\xfe\xff\0<\0i\0>"] {
        check_bytes(page, Some("utf-8"), page, encoding);
    }
    for page in [b"a".as_slice(), b"\xff\xfe", b"\xef\xbb"] {
        let failure = page.starts_with(b"\xff").then_some(RewriteError::Encoding);
        check_bytes(page, None, page, failure);
    }
}

#[test]
fn a_failure_in_the_midst_of_a_page_gives_back_its_bytes() {
    let long = format!("<a title='{}'>", "x".repeat(50_000));
    let deep = "<u>z".repeat(2_000);
    for (rest, expected) in [(long, RewriteError::Memory), (deep, RewriteError::Depth)] {
        // An element ends where its end tag was left out, and another end tag is ignored.
        let page = format!("<i>x</i><b><p>a</b><p>b{rest}<i>y</i>");
        for chunk in [1, 7, 1_000, 10_000] {
            for max_memory in (2_000..40_000).step_by(3_000) {
                let settings = Settings {
                    max_memory,
                    ..Settings::default()
                };
                let edits = [edit("i", Operation::Text, "", "x")];
                let mut rewriter = PageRewriter::new(&edits, settings).unwrap();
                let mut output = Vec::new();
                for chunk in page.as_bytes().chunks(chunk) {
                    output.extend(rewriter.write(chunk));
                }
                output.extend(rewriter.end());
                assert_eq!(rewriter.failure(), Some(expected));
                assert_eq!(String::from_utf8(output).unwrap(), page);
            }
        }
    }
}

/// What has left and what waits are all that has come, so that somebody else can go on with the page.
#[test]
fn what_waits_is_what_has_not_left() {
    let pages = [
        "\u{feff}<!doctype html><title>a</ti</title><p class='a>b'>x<!-- <p> --><p>y",
        "<p><script>if (a</b) x('</scrip')</script><svg><![CDATA[a]]b]]></svg><textarea></p></textarea>",
        "</<a/b></ a><!-><!--><!--a--!><? x ><p a=b/><p a = 'b",
        "<",
    ];
    let edits = [edit("u", Operation::Text, "", "x")];
    for page in pages.map(str::as_bytes) {
        for chunk in 1..=page.len() {
            let mut rewriter = PageRewriter::new(&edits, Settings::default()).unwrap();
            let (mut left, mut come) = (Vec::new(), 0);
            for chunk in page.chunks(chunk) {
                left.extend(rewriter.write(chunk));
                come += chunk.len();
                let mut all = left.clone();
                all.extend_from_slice(&page[come - rewriter.waiting()..come]);
                assert_eq!(all, page[..come], "in chunks of {}", chunk.len());
            }
            left.extend(rewriter.end());
            assert_eq!((left.as_slice(), rewriter.waiting()), (page, 0));
        }
    }
}
