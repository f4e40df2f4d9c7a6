//! Writes JSON text, as the origin's library writes it.

use crate::number;
use nearside_engine::decimal::to_even;
use nearside_engine::value::Value;
use std::fmt::Write;

/// The largest number up to which all whole numbers are exact.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Adds a value to the text; `None` if it has a number that is none.
pub(super) fn write(value: &Value, text: &mut String) -> Option<()> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => write_number(*number, text)?,
        Value::String(string) => write_string(string, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text)?;
            }
            text.push(']');
        }
        Value::Object(object) => {
            text.push('{');
            for (index, (key, value)) in object.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_string(key, text);
                text.push(':');
                write(value, text)?;
            }
            text.push('}');
        }
    }
    Some(())
}

fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..'\u{20}' => push_unit(u16::from(character as u8), text),
            _ => text.push(character),
        }
    }
    text.push('"');
}

/// The escape of half a character, or of a whole one.
pub(super) fn push_unit(unit: u16, text: &mut String) {
    // Writing to a string does not fail.
    let _ = write!(text, "\\u{unit:04x}");
}

fn write_number(number: f64, text: &mut String) -> Option<()> {
    if !number.is_finite() {
        return None;
    }
    if number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER {
        let _ = write!(text, "{}", number as i64);
        return Some(());
    }
    // All have the same digits; where numbers are very large or small, the origin's library has an exponent.
    let magnitude = number.abs();
    if (1e-5..1e16).contains(&magnitude) {
        text.push_str(&to_even(number, number.to_string(), number::read));
        if number.fract() == 0.0 {
            text.push_str(".0");
        }
    } else {
        let sign = if magnitude >= 1.0 { "+" } else { "" };
        let plain = to_even(number, format!("{number:e}"), number::read);
        let (digits, exponent) = plain.split_once('e')?;
        let _ = write!(text, "{digits}e{sign}{exponent}");
    }
    Some(())
}
