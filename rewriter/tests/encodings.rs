//! A page in any encoding is rewritten as the same page in UTF-8 is.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it has to be"
)]

use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::{PagePlan, PageRewriter, Settings, joined};
use upstream::Encoding;

/// Every encoding in which ASCII is ASCII, with letters that it has; some of theirs end in bytes that are ASCII.
const ENCODINGS: [(&str, &str); 34] = [
    ("utf-8", "\u{e9}\u{43f}\u{8868}\u{1f600}"),
    ("windows-1252", "\u{e9}\u{20ac}\u{201c}"),
    ("iso-8859-1", "\u{e9}\u{ff}"),
    ("shift_jis", "\u{8868}\u{30bd}\u{80fd}\u{4e88}\u{ff71}"),
    ("euc-jp", "\u{8868}\u{30bd}\u{80fd}"),
    ("gbk", "\u{6c49}\u{5b57}\u{8aaa}\u{529f}"),
    ("gb18030", "\u{6c49}\u{5b57}\u{1f600}\u{e9}"),
    ("big5", "\u{529f}\u{8a31}\u{84cb}\u{6f22}"),
    ("euc-kr", "\u{d55c}\u{ae00}\u{ac02}\u{b620}"),
    ("koi8-r", "\u{43f}\u{440}\u{418}"),
    ("koi8-u", "\u{43f}\u{457}"),
    ("ibm866", "\u{43f}\u{440}"),
    ("macintosh", "\u{e9}\u{2122}"),
    ("x-mac-cyrillic", "\u{43f}\u{440}"),
    ("windows-874", "\u{e01}\u{e48}"),
    ("windows-1250", "\u{159}\u{17e}"),
    ("windows-1251", "\u{43f}\u{440}"),
    ("windows-1253", "\u{3b1}\u{3c9}"),
    ("windows-1254", "\u{131}\u{15f}"),
    ("windows-1255", "\u{5d0}\u{5ea}"),
    ("windows-1256", "\u{627}\u{644}"),
    ("windows-1257", "\u{105}\u{17e}"),
    ("windows-1258", "\u{1b0}\u{1a1}"),
    ("iso-8859-2", "\u{159}\u{17e}"),
    ("iso-8859-3", "\u{127}\u{121}"),
    ("iso-8859-4", "\u{105}\u{17e}"),
    ("iso-8859-5", "\u{43f}\u{440}"),
    ("iso-8859-6", "\u{627}\u{644}"),
    ("iso-8859-7", "\u{3b1}\u{3c9}"),
    ("iso-8859-8", "\u{5d0}\u{5ea}"),
    ("iso-8859-10", "\u{105}\u{17e}"),
    ("iso-8859-13", "\u{105}\u{17e}"),
    ("iso-8859-15", "\u{e9}\u{20ac}"),
    ("iso-8859-16", "\u{219}\u{e9}"),
];

fn edits() -> Vec<Edit<'static>> {
    let edit = |selector, operation, name, content: &str| Edit {
        selector,
        operation,
        name,
        content: content.to_owned(),
    };
    // Characters that most encodings lack, and one that stands for a byte where bytes stand for characters.
    let content = "\u{e9}\u{8868}\u{f7e9}\u{1f600}";
    vec![
        edit("h1", Operation::Text, "", &format!("{content}<&")),
        edit(".a", Operation::Attribute, "title", &format!("{content}\"&")),
        edit(".a", Operation::AddClass, "", "new"),
        edit(".b", Operation::RemoveClass, "", "b"),
        edit("[data-x]", Operation::Style, "color", "red"),
        edit(
            "p",
            Operation::Append,
            "",
            &format!("<i title='{content}'>{content}</i>"),
        ),
        edit(
            "ul > li:nth-child(2)",
            Operation::Before,
            "",
            &format!("<li>{content}"),
        ),
        edit("img", Operation::After, "", content),
        edit("section", Operation::Prepend, "", content),
    ]
}

/// Markup around letters of the encoding, some of it broken.
fn page(letters: &str, seed: usize) -> String {
    let parts = [
        format!("<h1 class=\"a {letters}\">{letters}</h1>"),
        format!("<p class='{letters} b a'>{letters}<p class=b>{letters}"),
        format!("<div data-x={letters} style='content: {letters}'>{letters}</div>"),
        format!("<ul><li title={letters}>{letters}<li class=a>{letters}</ul>"),
        format!("<img alt='{letters}' class=\"{letters}\"><!-- {letters} -->"),
        format!("<section {letters}=x class=a>{letters}<script>'{letters}'</script></section>"),
        format!("<{letters}>{letters}</x{letters}><a{letters} class=a>{letters}</a{letters}>"),
    ];
    let mut page = String::from("<!doctype html><head><title>x</title></head><body>");
    let mut state = seed;
    for _ in 0..12 {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
        page.push_str(&parts[(state >> 16) % parts.len()]);
    }
    page
}

fn rewritten(page: &[u8], charset: Option<&str>, chunk: usize) -> Vec<u8> {
    let settings = Settings {
        charset,
        inject: Some("<script>1</script>"),
        ..Settings::default()
    };
    let mut rewriter = PageRewriter::new(&edits(), settings).unwrap();
    let mut output = Vec::new();
    for chunk in page.chunks(chunk) {
        output.extend(rewriter.write(chunk));
    }
    output.extend(rewriter.end());
    assert_eq!(rewriter.failure(), None, "{charset:?}");
    // By a plan it is the same, whatever its encoding.
    let edits = edits();
    let selectors: Vec<&str> = edits.iter().map(|edit| edit.selector).collect();
    let plan = PagePlan::new(page, &selectors, settings).unwrap();
    let pieces = plan.splice(page, &edits, settings.inject).unwrap();
    assert_eq!(joined(page, &pieces), output, "{charset:?}");
    output
}

/// Decodes a page, with its numeric references as the characters that they are.
fn read(encoding: &'static Encoding, page: &[u8]) -> String {
    let (text, is_broken) = encoding.decode_without_bom_handling(page);
    assert!(!is_broken, "{} {text}", encoding.name());
    let mut read = String::new();
    let mut parts = text.split("&#");
    read.push_str(parts.next().unwrap());
    for part in parts {
        let (code, rest) = part.split_once(';').unwrap();
        read.push(char::from_u32(code.parse().unwrap()).unwrap());
        read.push_str(rest);
    }
    read
}

#[test]
fn pages_in_all_encodings_are_rewritten_alike() {
    for (label, letters) in ENCODINGS {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        for seed in 0..20 {
            let page = page(letters, seed);
            let (bytes, _, is_broken) = encoding.encode(&page);
            assert!(!is_broken, "{label} has no {letters}");
            let expected = read(upstream::UTF_8, &rewritten(page.as_bytes(), Some("utf-8"), 1_000));
            for chunk in [1, 7, 1_000] {
                let output = rewritten(&bytes, Some(label), chunk);
                assert_eq!(
                    read(encoding, &output),
                    expected,
                    "{label}, page {seed}, chunk {chunk}"
                );
            }
            // The page says itself what it is in.
            let declared = [format!("<meta charset={label}>").as_bytes(), &bytes].concat();
            let output = rewritten(&declared, None, 1_000);
            let expected = format!("<meta charset={label}>{expected}");
            assert_eq!(
                read(encoding, &output),
                expected,
                "{label}, declared, page {seed}"
            );
        }
    }
}

/// What visitors say is put into pages. Where bytes stand for characters, no character of theirs may become a byte:
/// it could make the quote that follows a part of itself.
#[test]
fn what_is_put_into_other_encodings_is_ascii() {
    let page = b"<p class=a>\x83\x5c</p><h1></h1><ul><li><li></ul><img><section></section>";
    for (charset, declared) in [(Some("shift_jis"), ""), (None, "<meta charset=gbk>"), (None, "")] {
        let page = [declared.as_bytes(), page].concat();
        let output = rewritten(&page, charset, 1_000);
        let place = output.windows(2).position(|bytes| bytes == b"\x83\x5c").unwrap();
        assert!(output[..place].is_ascii() && output[place + 2..].is_ascii());
    }
}
