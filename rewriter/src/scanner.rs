//! Where the tags of a page are: HTML's tokenizer, as far as the places of tokens go
//! (<https://html.spec.whatwg.org/multipage/parsing.html#tokenization>).
//!
//! It reads bytes: every encoding that is rewritten has tags in ASCII.

use crate::attributes::{Attribute, MAX_ATTRIBUTES};
use crate::names::{Kind, Name};
use crate::search::find;
use memchr::{memchr, memchr3};

/// A token of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Doctype,
    StartTag {
        name: Name,
        is_self_closing: bool,
    },
    EndTag {
        name: Name,
    },
    Text,
    /// A comment, or what is read as one, and whether it ends before the page does.
    Comment {
        is_whole: bool,
    },
    /// An end tag without a name, which is none.
    Nothing,
}

/// What the bytes that follow are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    Data,
    /// The text of an element of this name, up to its end tag.
    Text(Name),
    Script(Escape),
    /// The rest of the page is text.
    Plain,
    Cdata,
}

/// How far a script is within `<!--` and `<script`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    Not,
    /// Within `<!--`, after so many dashes.
    Once {
        dashes: u8,
    },
    /// Within `<!--` and `<script`, after so many dashes.
    Twice {
        dashes: u8,
    },
}

/// Where a tag is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InTag {
    Name,
    BeforeName,
    AttributeName,
    AfterName,
    BeforeValue,
    Value,
    Quoted(u8),
    /// After a `/`.
    Closing,
}

/// Finds the tokens of a page while it streams.
pub(crate) struct Scanner {
    mode: Mode,
    /// How far the token that is being read was read when the bytes ended.
    paused: Option<(InTag, usize)>,
    /// How many bytes of the token that is being read cannot end it.
    passed: usize,
    /// The attributes of the last tag, as far as they were seen on the way.
    attributes: Vec<Attribute>,
    /// Whether these are all that it has.
    has_all: bool,
}

/// What stands at the beginning of bytes.
enum Found {
    Token(usize, Token),
    /// More bytes will tell.
    Unclear,
}

impl Scanner {
    pub(crate) const fn new() -> Self {
        Self {
            mode: Mode::Data,
            paused: None,
            passed: 0,
            attributes: Vec::new(),
            has_all: false,
        }
    }

    /// The attributes of the last tag, if they were seen on the way to its end: mostly they are, and need not be read again.
    pub(crate) fn attributes(&self) -> Option<&[Attribute]> {
        self.has_all.then_some(&self.attributes)
    }

    /// Reads what follows a start tag as text, if an element of its name holds text. In SVG and MathML none does.
    pub(crate) fn enter(&mut self, name: &Name) {
        const PLAINTEXT: Name = Name::known("plaintext");
        const SCRIPT: Name = Name::known("script");
        if name.is(Kind::TEXT) {
            self.mode = match name {
                name if *name == PLAINTEXT => Mode::Plain,
                name if *name == SCRIPT => Mode::Script(Escape::Not),
                name => Mode::Text(name.clone()),
            };
        }
    }

    /// Whether what follows stands in a CDATA section.
    pub(crate) fn is_in_cdata(&self) -> bool {
        self.mode == Mode::Cdata
    }

    /// The token at the beginning of the bytes that follow the last one, and its length in bytes, which is not zero;
    /// `None` if more bytes will tell, or none are left. Of a tag that the page breaks off in nothing is told.
    ///
    /// A text can come in several tokens. `is_foreign` is whether the bytes stand in SVG or MathML, where there are
    /// CDATA sections.
    pub(crate) fn next(&mut self, bytes: &[u8], is_last: bool, is_foreign: bool) -> Option<(usize, Token)> {
        if bytes.is_empty() {
            return None;
        }
        let text = match &self.mode {
            Mode::Data => return self.data(bytes, is_last, is_foreign),
            Mode::Plain => bytes.len(),
            Mode::Text(name) => {
                let name = name.clone();
                self.text_of(name.bytes(), bytes, is_last)
            }
            Mode::Script(escape) => {
                let (length, escape) = script(*escape, bytes, is_last);
                self.mode = escape.map_or(Mode::Data, Mode::Script);
                length
            }
            Mode::Cdata => match find(bytes, b"]]>") {
                Some(place) => {
                    self.mode = Mode::Data;
                    place + 3
                }
                None if is_last => bytes.len(),
                None => bytes.len().saturating_sub(2),
            },
        };
        match text {
            // The end tag of an element with text comes at once.
            0 if self.mode == Mode::Data => self.data(bytes, is_last, is_foreign),
            0 => None,
            length => Some((length, Token::Text)),
        }
    }

    /// The length of the text before an element's end tag.
    fn text_of(&mut self, name: &[u8], bytes: &[u8], is_last: bool) -> usize {
        let mut at = 0;
        while let Some(place) = memchr(b'<', bytes.get(at..).unwrap_or_default()) {
            at += place;
            match ends(name, bytes.get(at..).unwrap_or_default()) {
                Some(true) => {
                    self.mode = Mode::Data;
                    return at;
                }
                None if !is_last => return at,
                _ => at += 1,
            }
        }
        bytes.len()
    }

    fn data(&mut self, bytes: &[u8], is_last: bool, is_foreign: bool) -> Option<(usize, Token)> {
        let mut at = 0;
        // A `<` before anything else is text. Mostly there is one at once, since the text before it came before.
        while let Some(place) = match bytes.get(at) {
            Some(b'<') => Some(0),
            _ => memchr(b'<', bytes.get(at..).unwrap_or_default()),
        } {
            at += place;
            let begins = match bytes.get(at + 1) {
                Some(next) => next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?'),
                None => !is_last,
            };
            if begins {
                if at > 0 {
                    return Some((at, Token::Text));
                }
                return match self.markup(bytes, is_last, is_foreign) {
                    Found::Token(length, token) => {
                        (self.paused, self.passed) = (None, 0);
                        Some((length, token))
                    }
                    Found::Unclear => None,
                };
            }
            at += 1;
        }
        Some((bytes.len(), Token::Text))
    }

    /// What begins with `<` and something that makes it no text.
    fn markup(&mut self, bytes: &[u8], is_last: bool, is_foreign: bool) -> Found {
        match bytes.get(1) {
            Some(b'!') => self.declaration(bytes, is_last, is_foreign),
            Some(b'?') => self.up_to_mark(bytes, is_last, 2),
            Some(b'/') => match bytes.get(2) {
                Some(b'>') => Found::Token(3, Token::Nothing),
                Some(first) if first.is_ascii_alphabetic() => self.tag(bytes, 2),
                Some(_) => self.up_to_mark(bytes, is_last, 2),
                None if is_last => Found::Token(bytes.len(), Token::Text),
                None => Found::Unclear,
            },
            Some(_) => self.tag(bytes, 1),
            None => Found::Unclear,
        }
    }

    /// What begins with `<!`.
    fn declaration(&mut self, bytes: &[u8], is_last: bool, is_foreign: bool) -> Found {
        const COMMENT: &[u8] = b"<!--";
        const CDATA: &[u8] = b"<![CDATA[";
        const DOCTYPE: &[u8] = b"<!doctype";
        let may_be = |whole: &[u8]| {
            let length = bytes.len().min(whole.len());
            let (begun, common) = (bytes.get(..length), whole.get(..length));
            let (begun, common) = (begun.unwrap_or_default(), common.unwrap_or_default());
            begun == common || (whole == DOCTYPE && begun.eq_ignore_ascii_case(common))
        };
        let is = |whole: &[u8]| bytes.len() >= whole.len() && may_be(whole);
        if is(COMMENT) {
            return self.comment(bytes, is_last);
        }
        if is(CDATA) && is_foreign {
            self.mode = Mode::Cdata;
            return Found::Token(CDATA.len(), Token::Text);
        }
        if !is_last
            && [COMMENT, CDATA, DOCTYPE]
                .into_iter()
                .any(|whole| !is(whole) && may_be(whole))
        {
            return Found::Unclear;
        }
        match (is(DOCTYPE), self.up_to_mark(bytes, is_last, 2)) {
            (true, Found::Token(length, Token::Comment { is_whole: true })) => {
                Found::Token(length, Token::Doctype)
            }
            (_, found) => found,
        }
    }

    /// A comment that ends with the next `>`.
    fn up_to_mark(&mut self, bytes: &[u8], is_last: bool, start: usize) -> Found {
        let from = self.passed.max(start);
        match memchr(b'>', bytes.get(from..).unwrap_or_default()) {
            Some(place) => Found::Token(from + place + 1, Token::Comment { is_whole: true }),
            None => self.unfinished(bytes, is_last),
        }
    }

    /// What begins with `<!--`.
    fn comment(&mut self, bytes: &[u8], is_last: bool) -> Found {
        const START: usize = 4;
        let mut from = self.passed.max(START);
        while let Some(place) = memchr(b'>', bytes.get(from..).unwrap_or_default()) {
            let end = from + place;
            let content = bytes.get(START..end).unwrap_or_default();
            if matches!(content, b"" | b"-") || content.ends_with(b"--") || content.ends_with(b"--!") {
                return Found::Token(end + 1, Token::Comment { is_whole: true });
            }
            from = end + 1;
        }
        self.unfinished(bytes, is_last)
    }

    fn unfinished(&mut self, bytes: &[u8], is_last: bool) -> Found {
        self.passed = bytes.len();
        match is_last {
            true => Found::Token(bytes.len(), Token::Comment { is_whole: false }),
            false => Found::Unclear,
        }
    }

    /// A tag; its name begins at a place.
    fn tag(&mut self, bytes: &[u8], start: usize) -> Found {
        let (mut state, mut at) = self.paused.unwrap_or((InTag::Name, start));
        self.attributes.clear();
        self.has_all = self.paused.is_none();
        // A quote is one only where a value begins, and an equals sign only behind an attribute's name.
        while let Some(byte) = bytes.get(at) {
            if *byte == b'>' && !matches!(state, InTag::Quoted(_)) {
                return Found::Token(at + 1, tag(bytes, start, state));
            }
            let rest = bytes.get(at..).unwrap_or_default();
            if state == InTag::BeforeName
                && let Some((name, length)) = quoted_attribute(rest)
            {
                if self.attributes.len() < MAX_ATTRIBUTES {
                    self.attributes.push(Attribute {
                        name: at as u32..(at + name) as u32,
                        value: (at + name + 2) as u32..(at + length - 1) as u32,
                        end: (at + length) as u32,
                    });
                }
                at += length;
                continue;
            }
            let is_blank = byte.is_ascii_whitespace();
            let (length, next) = match (state, *byte) {
                (InTag::Quoted(quote), _) => match memchr(quote, rest) {
                    Some(place) => (place + 1, InTag::BeforeName),
                    None => (rest.len(), state),
                },
                (InTag::BeforeValue, quote @ (b'"' | b'\'')) => (1, InTag::Quoted(quote)),
                (InTag::BeforeValue, _) if is_blank => (1, InTag::BeforeValue),
                (InTag::BeforeValue, _) => (1, InTag::Value),
                (InTag::Value, _) if is_blank => (1, InTag::BeforeName),
                (InTag::Value, _) => (until(rest, ENDS_VALUE), InTag::Value),
                (_, b'/') => (1, InTag::Closing),
                (InTag::Name | InTag::BeforeName | InTag::Closing, _) if is_blank => (1, InTag::BeforeName),
                (InTag::AttributeName | InTag::AfterName, _) if is_blank => (1, InTag::AfterName),
                (InTag::AttributeName | InTag::AfterName, b'=') => (1, InTag::BeforeValue),
                (InTag::Name, _) => (until(rest, ENDS_TAG_NAME), InTag::Name),
                (InTag::BeforeName | InTag::Closing | InTag::AfterName, _) => {
                    // One of another kind.
                    self.has_all = false;
                    (1, InTag::AttributeName)
                }
                (InTag::AttributeName, _) => (until(rest, ENDS_ATTRIBUTE_NAME), InTag::AttributeName),
            };
            at += length;
            state = next;
        }
        self.paused = Some((state, at));
        Found::Unclear
    }
}

/// The lengths of an attribute's name and of all of it, with quotes, as most are; `None` if bytes do not begin with one.
fn quoted_attribute(bytes: &[u8]) -> Option<(usize, usize)> {
    if !bytes.first()?.is_ascii_alphabetic() {
        return None;
    }
    let name = until(bytes, ENDS_ATTRIBUTE_NAME);
    let [b'=', quote @ (b'"' | b'\''), value @ ..] = bytes.get(name..)? else {
        return None;
    };
    Some((name, name + 2 + memchr(*quote, value)? + 1))
}

/// What ends a tag's name, an attribute's name, and a value without quotes.
const ENDS_TAG_NAME: u8 = 1;
const ENDS_ATTRIBUTE_NAME: u8 = 2;
const ENDS_VALUE: u8 = 4;

/// What each byte ends.
static ENDS: [u8; 256] = {
    let mut ends = [0; 256];
    let blanks = b" \t\n\r\x0c>";
    let mut at = 0;
    while at < blanks.len() {
        ends[blanks[at] as usize] = ENDS_TAG_NAME | ENDS_ATTRIBUTE_NAME | ENDS_VALUE;
        at += 1;
    }
    ends[b'/' as usize] = ENDS_TAG_NAME | ENDS_ATTRIBUTE_NAME;
    ends[b'=' as usize] = ENDS_ATTRIBUTE_NAME;
    ends
};

/// The length of what comes before the first byte that ends something.
fn until(bytes: &[u8], what: u8) -> usize {
    let ends = |byte: &u8| ENDS.get(usize::from(*byte)).is_some_and(|ends| ends & what != 0);
    bytes.iter().position(ends).unwrap_or(bytes.len())
}

/// A tag that ended in a state.
fn tag(bytes: &[u8], start: usize, state: InTag) -> Token {
    let written = bytes.get(start..).unwrap_or_default();
    let length = until(written, ENDS_TAG_NAME);
    let name = Name::read(written.get(..length).unwrap_or_default());
    match start {
        1 => Token::StartTag {
            name,
            is_self_closing: state == InTag::Closing,
        },
        _ => Token::EndTag { name },
    }
}

/// Whether bytes begin with the end tag of an element that holds text; `None` if more bytes will tell.
fn ends(name: &[u8], bytes: &[u8]) -> Option<bool> {
    let written = bytes.get(..bytes.len().min(name.len() + 2)).unwrap_or_default();
    let is_same = |(at, byte): (usize, &u8)| match at {
        0 => *byte == b'<',
        1 => *byte == b'/',
        _ => name
            .get(at - 2)
            .is_some_and(|expected| byte.eq_ignore_ascii_case(expected)),
    };
    if !written.iter().enumerate().all(is_same) {
        return Some(false);
    }
    bytes
        .get(name.len() + 2)
        .map(|byte| until(std::slice::from_ref(byte), ENDS_TAG_NAME) == 0)
}

/// The length of the text before a script's end tag as far as bytes tell, and how it goes on; if at all.
fn script(mut escape: Escape, bytes: &[u8], is_last: bool) -> (usize, Option<Escape>) {
    const NAME: &[u8] = b"script";
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        match (escape, *byte) {
            (Escape::Not, b'<') => {
                match ends(NAME, rest) {
                    Some(true) => return (at, None),
                    None if !is_last => return (at, Some(escape)),
                    _ => {}
                }
                if rest.starts_with(b"<!--") {
                    // A `>` ends it at once.
                    escape = Escape::Once { dashes: 2 };
                    at += 4;
                    continue;
                }
                if !is_last && b"<!--".starts_with(rest) {
                    return (at, Some(escape));
                }
            }
            (Escape::Not, _) => {
                at += memchr(b'<', rest).unwrap_or(rest.len());
                continue;
            }
            (Escape::Once { .. }, b'<') => {
                match ends(NAME, rest) {
                    Some(true) => return (at, None),
                    None if !is_last => return (at, Some(escape)),
                    _ => {}
                }
                match begins(NAME, rest) {
                    Some(true) => {
                        escape = Escape::Twice { dashes: 0 };
                        at += NAME.len() + 2;
                        continue;
                    }
                    None if !is_last => return (at, Some(escape)),
                    _ => escape = Escape::Once { dashes: 0 },
                }
            }
            (Escape::Twice { .. }, b'<') => match ends(NAME, rest) {
                Some(true) => {
                    escape = Escape::Once { dashes: 0 };
                    at += NAME.len() + 3;
                    continue;
                }
                None if !is_last => return (at, Some(escape)),
                _ => escape = Escape::Twice { dashes: 0 },
            },
            (Escape::Once { dashes: 2 } | Escape::Twice { dashes: 2 }, b'>') => escape = Escape::Not,
            (Escape::Once { dashes }, b'-') => {
                escape = Escape::Once {
                    dashes: (dashes + 1).min(2),
                }
            }
            (Escape::Twice { dashes }, b'-') => {
                escape = Escape::Twice {
                    dashes: (dashes + 1).min(2),
                }
            }
            (Escape::Once { .. } | Escape::Twice { .. }, _) => {
                escape = match escape {
                    Escape::Twice { .. } => Escape::Twice { dashes: 0 },
                    _ => Escape::Once { dashes: 0 },
                };
                at += memchr3(b'<', b'-', b'>', rest).unwrap_or(rest.len()).max(1);
                continue;
            }
        }
        at += 1;
    }
    (bytes.len(), Some(escape))
}

/// Whether bytes begin with the start tag of an element; `None` if more bytes will tell.
fn begins(name: &[u8], bytes: &[u8]) -> Option<bool> {
    let written = bytes.get(1..bytes.len().min(name.len() + 1)).unwrap_or_default();
    let expected = name.get(..written.len()).unwrap_or_default();
    if !written.eq_ignore_ascii_case(expected) {
        return Some(false);
    }
    bytes
        .get(name.len() + 1)
        .map(|byte| until(std::slice::from_ref(byte), ENDS_TAG_NAME) == 0)
}
