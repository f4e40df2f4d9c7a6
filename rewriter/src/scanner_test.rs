//! The scanner held against the parser that edits: where both follow a page, they see the same tokens.

use crate::attributes::Attributes;
use crate::names::{Kind, Name};
use crate::open_elements::{OpenElements, StartTag};
use crate::scanner::{Scanner, Token};
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
    for _ in 0..50_000 {
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
        compared += before(&ours).len();
    }
    assert!(compared > 80_000, "{compared}");
}

fn text(page: &[u8]) -> String {
    String::from_utf8_lossy(page).into_owned()
}

/// The tokens that the scanner sees, and the place up to which the parser follows the page as the standard has it.
fn scanned(page: &[u8], chunk: usize) -> (Vec<Seen>, usize) {
    let (mut scanner, mut open) = (Scanner::new(), OpenElements::new());
    let (mut seen, mut at, mut end, mut until) = (Vec::new(), 0, 0, None);
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
                } => {
                    if let Some(attributes) = scanner.attributes() {
                        assert_eq!(
                            attributes,
                            Attributes::of(written).collect::<Vec<_>>(),
                            "{}",
                            text(written)
                        );
                    }
                    if until.is_none() && !is_followed(&name, is_self_closing, written, &open) {
                        until = Some(at);
                    }
                    let tag = StartTag {
                        name: name.clone(),
                        is_self_closing,
                        written,
                    };
                    let started = open.start(tag).unwrap();
                    if started.is_html && name.is(Kind::TEXT) {
                        scanner.enter(&name);
                    }
                    let language = if is_html(started.is_html, &name) {
                        ""
                    } else {
                        "foreign "
                    };
                    Some(format!("<{language}{}", text(name.bytes())))
                }
                Token::EndTag { name } => {
                    // The parser looks for SVG and MathML alone, and so leaves them wherever their end tags are.
                    let leaves = [SVG, MATH].contains(&name) || holds_html(&name);
                    if (open.are_foreign() || leaves) && open.last_name() != Some(&name) {
                        until = until.or(Some(at));
                    }
                    open.end(&name).unwrap();
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
                Token::Text => {
                    // The standard knows such sections there, too.
                    let is_section = open.are_foreign() && written.starts_with(b"<![CDATA[");
                    if is_section && open.last_name().is_some_and(holds_html) {
                        until = until.or(Some(at));
                    }
                    None
                }
                Token::Nothing => None,
            };
            seen.extend(name.map(|name| (at, at + length, name)));
            at += length;
        }
        if end == page.len() {
            return (seen, until.unwrap_or(at));
        }
    }
}

const SVG: Name = Name::known("svg");
const MATH: Name = Name::known("math");

/// Whether the parser takes a start tag for what the standard does.
fn is_followed(name: &Name, is_self_closing: bool, written: &[u8], open: &OpenElements) -> bool {
    let lacks_value = written
        .strip_suffix(b">")
        .is_some_and(|tag| tag.trim_ascii_end().ends_with(b"="));
    if name.is(Kind::TEXT) && lacks_value {
        false
    } else if [SVG, MATH].contains(name) {
        // What follows one without content is HTML, and one in the other's language is of that language.
        !is_self_closing && !open.are_foreign()
    } else if open.are_foreign() {
        let is_font = name.bytes() == b"font" && Attributes::of(written).next().is_some();
        !is_font && !name.is(Kind::LEAVES_FOREIGN.and(Kind::VOID)) && name.bytes() != b"annotation-xml"
    } else {
        true
    }
}

/// Of elements in which HTML stands again the parser says that they are HTML themselves.
fn is_html(is_html: bool, name: &Name) -> bool {
    is_html || holds_html(name)
}

fn holds_html(name: &Name) -> bool {
    name.is(Kind::HTML_IN_SVG.and(Kind::HTML_IN_MATH)) || name.bytes() == b"annotation-xml"
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
        let is_html_to_parser = element.namespace_uri() == "http://www.w3.org/1999/xhtml";
        let name = Name::read(element.tag_name().as_bytes());
        let language = if is_html(is_html_to_parser, &name) {
            ""
        } else {
            "foreign "
        };
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
