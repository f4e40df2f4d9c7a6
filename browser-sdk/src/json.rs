//! JSON text ↔ the engine's [`Value`], equal to what `serde_json` does at the edge and at the origin.
//!
//! Written for this: every library would bring number tables and collections that the engine does not need
//! otherwise, and each visitor would load them.

use crate::number;
use nearside_engine::decimal::to_even;
use nearside_engine::value::{Object, Value};

/// How deep the text may nest: what `serde_json` takes.
const MAX_NESTING: usize = 127;

/// Reads a JSON text; `None` if it is none, or nests too deeply.
pub fn read(text: &str) -> Option<Value> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.skip_space();
    (reader.at == text.len()).then_some(value)
}

/// Whole numbers of so many digits fit into 32 bits.
const SHORT: usize = 9;

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        // No JSON text has a NUL outside of the places where it is an error.
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    /// Takes that byte, if it is the next one.
    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str, value: Value) -> Option<Value> {
        self.text
            .as_bytes()
            .get(self.at..)?
            .starts_with(word.as_bytes())
            .then(|| self.at += word.len())?;
        Some(value)
    }

    fn value(&mut self, nesting: usize) -> Option<Value> {
        self.skip_space();
        match self.peek() {
            b'n' => self.word("null", Value::Null),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'"' => self.string().map(Value::String),
            b'[' | b'{' if nesting >= MAX_NESTING => None,
            b'[' => {
                let mut items = Vec::new();
                self.members(b']', |reader| {
                    items.push(reader.value(nesting + 1)?);
                    Some(())
                })?;
                Some(Value::Array(items))
            }
            b'{' => {
                let mut object = Object::new();
                self.members(b'}', |reader| {
                    reader.skip_space();
                    let key = reader.string()?;
                    reader.skip_space();
                    reader.take(b':')?;
                    object.insert(key, reader.value(nesting + 1)?);
                    Some(())
                })?;
                Some(Value::Object(object))
            }
            _ => self.number().map(Value::Number),
        }
    }

    /// What stands between brackets, parted by commas.
    fn members(&mut self, close: u8, mut member: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.skip_space();
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            member(self)?;
            self.skip_space();
            if self.take(close).is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<f64> {
        let start = self.at;
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at)?;
        // Most are short and whole, which is quicker read than any number.
        if text.len() <= SHORT && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let digits = text.bytes().map(|byte| u32::from(byte - b'0'));
            return Some(f64::from(digits.fold(0, |number, digit| number * 10 + digit)));
        }
        // `1e999` is no number for serde_json either.
        number::read(text).filter(|number| number.is_finite())
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        // Most strings have no escapes, and are copied as they are.
        let mut output = self.plain()?.to_owned();
        loop {
            if self.take(b'"').is_some() {
                return Some(output);
            }
            self.take(b'\\')?;
            let escape = self.peek();
            self.at += 1;
            output.push(match escape {
                b'"' | b'\\' | b'/' => char::from(escape),
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.unicode()?,
                _ => return None,
            });
            output.push_str(self.plain()?);
        }
    }

    /// What comes before the next quote, escape or control character.
    fn plain(&mut self) -> Option<&str> {
        let rest = self.text.get(self.at..)?;
        let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let length = rest.bytes().take_while(is_plain).count();
        self.at += length;
        rest.get(..length)
    }

    /// The character of one `\u` escape, or of the two that make a pair.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hexadecimal()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        self.take(b'\\')?;
        self.take(b'u')?;
        let second = self
            .hexadecimal()?
            .checked_sub(0xdc00)
            .filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second)
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number * 16 + char::from(self.peek()).to_digit(16)?;
            self.at += 1;
        }
        Some(number)
    }
}

/// Writes a value as JSON text. Numbers beyond 2⁵³ have the same value, but not always the same digits as
/// `serde_json` gives them; nothing that the engine decides has such.
pub fn write(value: &Value) -> String {
    let mut output = String::new();
    write_value(value, &mut output);
    output
}

fn write_value(value: &Value, output: &mut String) {
    match value {
        Value::Null => output.push_str("null"),
        // As `serde_json` has it: what is left of points that have faded long ago is that small.
        Value::Number(number) if *number != 0.0 && number.abs() < 1e-5 => {
            output.push_str(&to_even(*number, format!("{number:e}"), number::read));
        }
        Value::Number(number) => output.push_str(&to_even(*number, value.to_text(), number::read)),
        Value::Bool(_) => output.push_str(&value.to_text()),
        Value::String(text) => write_string(text, output),
        Value::Array(items) => write_members('[', items.iter(), output, write_value),
        Value::Object(object) => write_members('{', object.iter(), output, |(key, member), output| {
            write_string(key, output);
            output.push(':');
            write_value(member, output);
        }),
    }
    match value {
        Value::Array(_) => output.push(']'),
        Value::Object(_) => output.push('}'),
        _ => {}
    }
}

fn write_members<M>(
    open: char,
    members: impl Iterator<Item = M>,
    output: &mut String,
    write_member: impl Fn(M, &mut String),
) {
    output.push(open);
    for (place, member) in members.enumerate() {
        if place > 0 {
            output.push(',');
        }
        write_member(member, output);
    }
}

fn write_string(text: &str, output: &mut String) {
    output.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => output.extend(['\\', character]),
            '\u{8}' => output.push_str("\\b"),
            '\u{c}' => output.push_str("\\f"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            '\0'..='\u{1f}' => {
                output.push_str(if character < '\u{10}' { "\\u000" } else { "\\u001" });
                output.extend(char::from_digit(character as u32 % 16, 16));
            }
            other => output.push(other),
        }
    }
    output.push('"');
}

#[cfg(test)]
mod tests;
