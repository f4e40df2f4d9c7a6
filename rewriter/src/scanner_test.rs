//! The scanner held against the parser that edits: where both follow a page, they see the same tokens.

use crate::names::{Kind, holds_html};
use crate::open_elements::{OpenElements, StartTag};
use crate::scanner::{Scanner, Token};
use crate::surroundings::is_foreign;
use lol_html::html_content::{Comment, Doctype, Element};
use lol_html::{
    AsciiCompatibleEncoding, DocumentContentHandlers, ElementContentHandlers, HtmlRewriter, Selector,
    Settings,
};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// A token's place and what it is; texts are left out.
type Seen = (usize, usize, String);

/// What pages are made of: everything that makes a tokenizer go on differently.
const PARTS: &[&str] = &[
    "<p>",
    "</p>",
    "<div a=\"b>c\">",
    "</div >",
    "<br/>",
    "<a href=x/>",
    "</a/>",
    "<b",
    ">",
    " x='",
    "'",
    "\"",
    "=",
    "/",
    "<!--",
    "-->",
    "--!>",
    "-",
    "!",
    "<!>",
    "<?x?>",
    "</>",
    "</ x>",
    "<",
    "</",
    "< ",
    "&lt;",
    "x",
    " ",
    "\n",
    "\0",
    "é",
    "<script>",
    "</script>",
    "<script a=",
    "</script\n",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea/>",
    "<noscript>",
    "</noscript>",
    "<xmp>",
    "</xmp>",
    "<svg>",
    "</svg>",
    "<g/>",
    "<path d='M0'/>",
    "<foreignObject>",
    "</foreignObject>",
    "<math>",
    "</math>",
    "<mi>",
    "</mi>",
    "<![CDATA[",
    "]]>",
    "]]",
    "<!doctype html>",
    "<!DOCTYPE",
    "<TABLE>",
    "<tr>",
    "<td>",
    "</table>",
    "<li>",
    "<ul>",
    "</ul>",
    "<x-y>",
    "</x-y>",
    "<plaintext>",
    "<svg/>",
    "<font color=red>",
    "<annotation-xml encoding='text/html'>",
    "</annotation-xml>",
    "</scr",
    "ipt>",
    "<!-",
];

#[test]
fn scanner_and_parser_see_the_same_tokens() {
    let mut random = Random(1);
    let mut compared = 0;
    for _ in 0..40_000 {
        let length = 1 + random.below(24);
        let page: Vec<&str> = (0..length).map(|_| PARTS[random.below(PARTS.len())]).collect();
        let page = page.concat().into_bytes();
        let (ours, until) = scanned(&page, page.len());
        for chunk in [1, 2, 5] {
            assert_eq!(
                scanned(&page, chunk),
                (ours.clone(), until),
                "in chunks of {chunk}: {}",
                text(&page)
            );
        }
        let theirs = parsed(&page);
        let before = |seen: &Vec<Seen>| -> Vec<Seen> {
            seen.iter().filter(|(_, end, _)| *end <= until).cloned().collect()
        };
        assert_eq!(before(&ours), before(&theirs), "{}", text(&page));
        compared += ours.len();
    }
    assert!(compared > 80_000, "{compared}");
}

fn text(page: &[u8]) -> String {
    String::from_utf8_lossy(page).into_owned()
}

/// The tokens that the scanner sees, and the place up to which it follows the page.
fn scanned(page: &[u8], chunk: usize) -> (Vec<Seen>, usize) {
    let (mut scanner, mut open) = (Scanner::new(), OpenElements::new());
    let (mut seen, mut at, mut end) = (Vec::new(), 0, 0);
    loop {
        end = (end + chunk).min(page.len());
        while let Some((length, token)) = scanner.next(&page[at..end], end == page.len(), open.are_foreign())
        {
            assert!(length > 0);
            let written = &page[at..at + length];
            let name = match token {
                Token::StartTag {
                    name,
                    is_self_closing,
                    lacks_value,
                } => {
                    let tag = StartTag {
                        name: name.clone(),
                        is_self_closing,
                        written,
                    };
                    let Ok((_, is_html)) = open.start(tag) else {
                        return (seen, at);
                    };
                    if is_html && name.is(Kind::TEXT) {
                        if lacks_value {
                            return (seen, at);
                        }
                        scanner.enter(&name);
                    }
                    // Of elements in which HTML stands again the parser says that they are HTML themselves.
                    let is_html = is_html || holds_html(&String::from_utf8_lossy(name.bytes()));
                    let language = if is_html { "" } else { "foreign " };
                    Some(format!("<{language}{}", String::from_utf8_lossy(name.bytes())))
                }
                Token::EndTag { name } => {
                    if open.end(&name).is_err() {
                        return (seen, at);
                    }
                    None
                }
                // A document type that the page breaks off in.
                Token::Comment { is_whole: false }
                    if written.to_ascii_lowercase().starts_with(b"<!doctype") =>
                {
                    Some("doctype".into())
                }
                Token::Comment { .. } => Some("comment".into()),
                Token::Doctype => Some("doctype".into()),
                Token::Text | Token::Nothing => None,
            };
            seen.extend(name.map(|name| (at, at + length, name)));
            at += length;
        }
        if end == page.len() {
            return (seen, at);
        }
    }
}

/// The tokens that the parser sees.
fn parsed(page: &[u8]) -> Vec<Seen> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = |seen: &Rc<RefCell<Vec<Seen>>>, place: std::ops::Range<usize>, name: String| {
        seen.borrow_mut().push((place.start, place.end, name));
    };
    let (elements, comments, doctypes) = (Rc::clone(&seen), Rc::clone(&seen), Rc::clone(&seen));
    let every: Selector = "*".parse().unwrap();
    let handlers = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
        let is_html = !is_foreign(element) || holds_html(&element.tag_name());
        let language = if is_html { "" } else { "foreign " };
        note(
            &elements,
            element.source_location().bytes(),
            format!("<{language}{}", element.tag_name()),
        );
        Ok(())
    });
    let documents = DocumentContentHandlers::default()
        .comments(move |comment: &mut Comment<'_>| {
            note(&comments, comment.source_location().bytes(), "comment".into());
            Ok(())
        })
        .doctype(move |doctype: &mut Doctype<'_>| {
            note(&doctypes, doctype.source_location().bytes(), "doctype".into());
            Ok(())
        });
    let settings = Settings::new()
        .with_strict(false)
        .with_encoding(AsciiCompatibleEncoding::utf_8())
        .append_element_content_handler((Cow::Owned(every), handlers))
        .append_document_content_handler(documents);
    let mut parser = HtmlRewriter::new(settings, |_: &[u8]| {});
    parser.write(page).unwrap();
    parser.end().unwrap();
    seen.take()
}

/// Xorshift: the same pages each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}
