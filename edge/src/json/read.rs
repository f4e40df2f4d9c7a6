//! Reads JSON text.

use crate::number;
use nearside_engine::value::{Object, Value};

/// How deep arrays and objects may nest; the origin's reader has the same bound.
const MAX_DEPTH: usize = 127;

/// Reads a whole text; `None` if it is no JSON, nests too deeply, or has a number that is too large for one.
///
/// Half a character, which JavaScript writes where it has cut a text in two, becomes U+FFFD.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let text = str::from_utf8(bytes).ok()?;
    let mut reader = Reader { text, place: 0 };
    let value = reader.value(MAX_DEPTH)?;
    reader.space();
    (reader.place == text.len()).then_some(value)
}

struct Reader<'t> {
    text: &'t str,
    place: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.place).copied()
    }

    /// Passes a byte if it is the next one.
    fn pass(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.place += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.pass(byte).then_some(())
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.place += 1;
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        let rest = self.text.get(self.place..)?;
        self.place += word.len();
        rest.starts_with(word).then_some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.space();
        match self.peek()? {
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'"' => self.string().map(Value::String),
            b'[' => self.array(depth.checked_sub(1)?),
            b'{' => self.object(depth.checked_sub(1)?),
            _ => self.number().map(Value::Number),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.expect(b'[')?;
        self.space();
        let mut items = Vec::new();
        if self.pass(b']') {
            return Some(Value::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            if !self.pass(b',') {
                self.expect(b']')?;
                return Some(Value::Array(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.expect(b'{')?;
        self.space();
        let mut members = Vec::new();
        if !self.pass(b'}') {
            loop {
                self.space();
                let key = self.string()?;
                self.space();
                self.expect(b':')?;
                members.push((key, self.value(depth)?));
                self.space();
                if !self.pass(b',') {
                    self.expect(b'}')?;
                    break;
                }
            }
        }
        Some(Value::Object(Object::from_members(members)))
    }

    fn string(&mut self) -> Option<String> {
        self.expect(b'"')?;
        let mut string = String::new();
        loop {
            let rest = self.text.get(self.place..)?;
            // What ends a run of plain characters is ASCII.
            let plain = rest
                .bytes()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
            string.push_str(rest.get(..plain)?);
            self.place += plain;
            match self.peek()? {
                b'"' => {
                    self.place += 1;
                    return Some(string);
                }
                b'\\' => {
                    self.place += 1;
                    string.push(self.escaped()?);
                }
                _ => return None,
            }
        }
    }

    /// The character after a backslash.
    fn escaped(&mut self) -> Option<char> {
        let kind = self.peek()?;
        self.place += 1;
        Some(match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                let low = match unit {
                    0xd800..0xdc00 => self.low_half(),
                    _ => None,
                };
                let mut units = [unit, low.unwrap_or_default()];
                let units = units.get_mut(..1 + usize::from(low.is_some()))?;
                let mut characters = char::decode_utf16(units.iter().copied());
                characters.next()?.unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return None,
        })
    }

    /// The four digits of an escape.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.place..self.place + 4)?;
        self.place += 4;
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        are_digits.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    }

    /// The second half of a character, if it follows.
    fn low_half(&mut self) -> Option<u16> {
        let start = self.place;
        let unit = (self.pass(b'\\') && self.pass(b'u'))
            .then(|| self.unit())
            .flatten();
        let low = unit.filter(|unit| (0xdc00..0xe000).contains(unit));
        if low.is_none() {
            self.place = start;
        }
        low
    }

    fn number(&mut self) -> Option<f64> {
        let start = self.place;
        self.pass(b'-');
        if !self.pass(b'0') {
            self.digits()?;
        }
        if self.pass(b'.') {
            self.digits()?;
        }
        if self.pass(b'e') || self.pass(b'E') {
            let _sign = self.pass(b'+') || self.pass(b'-');
            self.digits()?;
        }
        let number = number::read(self.text.get(start..self.place)?)?;
        number.is_finite().then_some(number)
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let start = self.place;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.place += 1;
        }
        (self.place > start).then_some(())
    }
}
