//! A spliced page is what the streaming rewriter makes of it, byte for byte, whatever the page and the edits are.

use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::{PagePlan, PageRewriter, RewriteError, Settings, joined};

/// SplitMix64: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const NAMES: [&str; 34] = [
    "div", "p", "P", "li", "ul", "ol", "span", "b", "i", "a", "table", "tr", "td", "th", "tbody", "select",
    "option", "h1", "section", "svg", "g", "title", "template", "math", "mi", "br", "img", "input", "dl",
    "dt", "dd", "button", "form", "x-y",
];
const ATTRIBUTES: [&str; 18] = [
    " class=\"a b\"",
    " class=a",
    " CLASS='b  c'",
    " id=hero",
    " id=\"x\"",
    " title",
    " title=",
    " title=\"\"",
    " title='it\"s &amp; x'",
    " style=\"color: red\"",
    " style=\"color: red;\"",
    " style",
    " data-x=1/",
    " data-x = '2'",
    " a b",
    " title=x title=y",
    " 名=値",
    "/",
];
const OTHERS: [&str; 27] = [
    "<meta name=Description content=x>",
    "<template><p class=a>x</p></template>",
    "<noscript><p class=a>x</p></noscript>",
    "text ",
    "Grüße 値",
    "&amp; &lt",
    "<!-- a comment </div> -->",
    "<!-->",
    "<![CDATA[ x ]]>",
    "<?php x ?>",
    "<script>if (a < b) '</div>';</script>",
    "<script>'<!--<script>'</script>",
    "<style>p > a {}</style>",
    "<textarea><b></textarea>",
    "<title>A <b> title</title>",
    "<!DOCTYPE html>",
    "<meta charset=utf-8>",
    "<meta http-equiv=content-type content='text/html; charset=utf-8'>",
    "<br>",
    "<img src=x>",
    "<hr/>",
    "</br>",
    "</p>",
    "a < b",
    "</ x>",
    "\0",
    "\n",
];
const SELECTORS: [&str; 24] = [
    "title",
    "meta[name=\"description\" i]",
    "img",
    "a",
    "p",
    "div",
    "li",
    ".a",
    ".b",
    "#hero",
    "[title]",
    "td",
    "h1",
    "div > p",
    "ul li",
    "span",
    "*",
    "section .a",
    "li:first-child",
    "p:nth-of-type(2)",
    "head",
    "body",
    "svg g",
    "div:has(p)",
];
const CONTENTS: [&str; 11] = [
    "",
    "new",
    "<p>new</p>",
    "<li>one",
    "<div class=\"n\">é</div>",
    "\"quoted\" & 'so'",
    "<td>x</td>",
    "<b>bold",
    "c d",
    "</div>",
    "<option>o",
];

fn page(random: &mut Random) -> Vec<u8> {
    let mut page = String::new();
    let mut open: Vec<&str> = Vec::new();
    if random.chance(5) {
        page.push('\u{feff}');
    }
    if random.chance(60) {
        page.push_str("<!doctype html>");
    }
    if random.chance(60) {
        page.push_str("<html><head>");
        if random.chance(50) {
            page.push_str("<meta charset=\"utf-8\">");
        }
        page.push_str(random.one(&["</head>", "<title>t</title></head>", "", "<p>"]));
        page.push_str(random.one(&["<body>", "<body class=a>", ""]));
    }
    for _ in 0..random.below(40) {
        match random.below(10) {
            0..5 => {
                let name = random.one(&NAMES);
                page.push('<');
                page.push_str(name);
                for _ in 0..random.below(3) {
                    page.push_str(random.one(&ATTRIBUTES));
                }
                page.push_str(random.one(&[">", ">", ">", "/>", " >"]));
                open.push(name);
            }
            5..7 => {
                if let Some(name) = open.pop() {
                    if random.chance(80) {
                        page.push_str(&format!("</{name}>"));
                    }
                } else {
                    page.push_str(&format!("</{}>", random.one(&NAMES)));
                }
            }
            _ => page.push_str(random.one(&OTHERS)),
        }
    }
    while let Some(name) = open.pop() {
        if random.chance(50) {
            page.push_str(&format!("</{name}>"));
        }
    }
    if random.chance(3) {
        page.push_str(random.one(&["<div", "<!-- ", "</p", "<script>", "<p class=\""]));
    }
    page.into_bytes()
}

fn edits(random: &mut Random) -> Vec<Edit<'static>> {
    (0..1 + random.below(5))
        .map(|_| {
            let (_, operation) = random.one(&Operation::ALL);
            Edit {
                selector: match operation {
                    Operation::Title => "title",
                    Operation::Meta => "meta[name=\"description\" i]",
                    _ => random.one(&SELECTORS),
                },
                operation,
                name: match operation.takes_name() {
                    true if operation == Operation::Meta => "name=description",
                    true => random.one(&["title", "style", "color", "class", "data-new", "Data-X"]),
                    false => "",
                },
                content: match operation.takes_value() {
                    true => random.one(&CONTENTS).to_owned(),
                    false => String::new(),
                },
            }
        })
        .collect()
}

/// The streamed page; `None` where it could not be rewritten to its end.
fn streamed(page: &[u8], edits: &[Edit<'_>], settings: Settings<'_>, chunk: usize) -> Option<Vec<u8>> {
    let mut rewriter = PageRewriter::new(edits, settings).ok()?;
    let mut output = Vec::new();
    for chunk in page.chunks(chunk) {
        output.extend(rewriter.write(chunk));
    }
    output.extend(rewriter.end());
    rewriter.failure().is_none().then_some(output)
}

#[test]
fn a_spliced_page_is_the_streamed_one() {
    let cases: u64 = match std::env::var("NEARSIDE_LONG").as_deref() {
        Ok("1") => 300_000,
        Ok(number) => number.parse().unwrap(),
        _ => 10_000,
    };
    let (mut same, mut changed, mut left) = (0, 0, 0);
    for seed in 0..cases {
        let random = &mut Random(seed);
        let page = page(random);
        let settings = Settings {
            inject: random.one(&[None, Some("<script>1</script>")]),
            charset: random.one(&[None, Some("utf-8"), Some("UTF8")]),
            ..Settings::default()
        };
        let edits = edits(random);
        let chunk = random.one(&[1, 7, 100_000]);
        let Ok(plan) = PagePlan::new(&page, &SELECTORS, settings) else {
            left += 1;
            continue;
        };
        let Some(pieces) = plan.splice(&page, &edits, settings.inject) else {
            left += 1;
            continue;
        };
        let Some(streamed) = streamed(&page, &edits, settings, chunk) else {
            left += 1;
            continue;
        };
        let spliced = joined(&page, &pieces);
        assert_eq!(
            String::from_utf8_lossy(&spliced),
            String::from_utf8_lossy(&streamed),
            "seed {seed}: {settings:?}\n{edits:#?}\n{}",
            String::from_utf8_lossy(&page)
        );
        same += 1;
        changed += usize::from(spliced != page);
    }
    println!("{same} pages are the same, of which {changed} were changed; {left} have to stream");
    assert!(changed * 2 > same && left * 3 < same);
}

/// Whatever a page is, its plan stays small: one with too many elements streams.
#[test]
fn a_page_with_very_many_elements_has_no_plan() {
    let page = |count: usize| "<b>".repeat(count).into_bytes();
    let plan = |count: usize| PagePlan::new(&page(count), &["*"], Settings::default());
    assert!(plan(1_000).is_ok());
    assert_eq!(plan(20_001).err(), Some(RewriteError::Memory));
}

/// What stands in a title is text, also where its start tag ends with an attribute that lacks its value.
#[test]
fn a_tag_that_ends_too_early_is_a_tag() {
    let edits = [Edit {
        selector: "p",
        operation: Operation::Remove,
        name: "",
        content: String::new(),
    }];
    for (page, expected) in [
        ("<title a=><p></title>", "<title a=><p></title>"),
        ("<TITLE a='>' b= ><p></TITLE><p>x", "<TITLE a='>' b= ><p></TITLE>"),
        ("<script>a => b</script><p a=>", "<script>a => b</script>"),
        ("\u{feff}<p>", "\u{feff}"),
    ] {
        let plan = PagePlan::new(page.as_bytes(), &["p"], Settings::default()).unwrap();
        let pieces = plan.splice(page.as_bytes(), &edits, None).unwrap();
        let spliced = joined(page.as_bytes(), &pieces);
        assert_eq!(String::from_utf8(spliced).unwrap(), expected);
        let streamed = streamed(page.as_bytes(), &edits, Settings::default(), 1).unwrap();
        assert_eq!(String::from_utf8(streamed).unwrap(), expected);
    }
}

/// The bytes of a byte order mark are a value like any other.
#[test]
fn a_value_may_begin_with_a_mark() {
    let edit = |operation, name, content: &str| Edit {
        selector: "p",
        operation,
        name,
        content: content.to_owned(),
    };
    let edits = [
        edit(Operation::AddClass, "", "b"),
        edit(Operation::Style, "color", "red"),
    ];
    for (page, expected) in [
        (
            "<p class='\u{feff}a'>".as_bytes(),
            "<p class=\"\u{feff}a b\" style=\"color: red\">".as_bytes(),
        ),
        (
            b"<p class='\xfe\xffa' style=\xff\xfe>",
            // Not UTF-8, and so left as it is.
            b"<p class='\xfe\xffa' style=\xff\xfe>",
        ),
    ] {
        let settings = Settings {
            charset: Some("utf-8"),
            ..Settings::default()
        };
        let plan = PagePlan::new(page, &["p"], settings).unwrap();
        assert_eq!(joined(page, &plan.splice(page, &edits, None).unwrap()), expected);
        assert_eq!(streamed(page, &edits, settings, 5).unwrap(), expected);
    }
}

/// An end tag that the page has not is as long as the name in its start tag, whatever that is.
#[test]
fn a_name_that_is_no_text_is_the_streamed_one() {
    let page = b"<div><so\xe3\x8e<g><b>x</div>y";
    let selectors = ["div", "b, *"];
    let plan = PagePlan::new(page, &selectors, Settings::default()).unwrap();
    for operation in [Operation::Unwrap, Operation::Remove, Operation::After] {
        let edits = selectors.map(|selector| Edit {
            selector,
            operation,
            name: "",
            content: "<i>1".to_owned(),
        });
        let spliced = joined(page, &plan.splice(page, &edits, None).unwrap());
        let streamed = streamed(page, &edits, Settings::default(), 5).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&spliced),
            String::from_utf8_lossy(&streamed),
            "{operation:?}"
        );
    }
}

/// One end tag may end several elements, each of which has something for it.
#[test]
fn an_end_tag_that_ends_several_elements_is_the_streamed_one() {
    let page = b"<section><div><span>x</section>y";
    let put = |selector, operation, content: &str| Edit {
        selector,
        operation,
        name: "",
        content: content.to_owned(),
    };
    let names = ["section", "div", "span"];
    let operations = [
        Operation::Append,
        Operation::After,
        Operation::Text,
        Operation::Remove,
        Operation::Replace,
    ];
    let plan = PagePlan::new(page, &names, Settings::default()).unwrap();
    for first in operations {
        for second in operations {
            for third in operations {
                let edits = [
                    put("section", first, "<div>1</div>"),
                    put("div", second, "<div>2</div>"),
                    put("span", third, "<div>3</div>"),
                ];
                let spliced = joined(page, &plan.splice(page, &edits, None).unwrap());
                let streamed = streamed(page, &edits, Settings::default(), 5).unwrap();
                assert_eq!(
                    String::from_utf8(spliced).unwrap(),
                    String::from_utf8(streamed).unwrap(),
                    "{first:?} {second:?} {third:?}"
                );
            }
        }
    }
}

#[test]
fn an_end_tag_may_have_attributes_of_any_form() {
    let edits = [Edit {
        selector: ".nowhere",
        operation: Operation::Text,
        name: "",
        content: String::new(),
    }];
    for attributes in [
        "=\"",
        "=\"\"",
        " =\"",
        " =\">\"",
        " a=\">\"",
        " a= '>'",
        " a =\t'>'",
        " a=b\">\"",
        " a=\"b\"=\"",
        " a=\"b\"c=\">\"",
        "/=\"",
        " a/=\"",
        "/a='>'",
        " a=/\"",
        " a==\"",
        " \"",
        " 'a=\">\"",
        " a=\n",
        " a= ",
    ] {
        for name in ["t", "div", "p"] {
            let page = format!("<div><p>x</{name}{attributes}></div>y<p>z</div>");
            let page = page.as_bytes();
            let plan = PagePlan::new(page, &[".nowhere"], Settings::default()).unwrap();
            let spliced = joined(page, &plan.splice(page, &edits, None).unwrap());
            for chunk in [1, 3, 100] {
                // A tag that stands for another and has attributes is not followed any further.
                let streamed = streamed(page, &edits, Settings::default(), chunk);
                let streamed = streamed.unwrap_or_else(|| page.to_vec());
                assert_eq!(String::from_utf8_lossy(&streamed), String::from_utf8_lossy(page));
            }
            assert_eq!(String::from_utf8_lossy(&spliced), String::from_utf8_lossy(page));
        }
    }
}
