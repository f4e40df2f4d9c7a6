//! JSON text ↔ the engine's [`Value`], equal to what `serde_json` does at the edge and at the origin.

use miniserde::json;
use nearside_engine::value::{Object, Value};

/// How deep the text may nest: what `serde_json` takes.
const MAX_NESTING: usize = 127;

/// Reads a JSON text; `None` if it is none, or nests too deeply.
pub fn read(text: &str) -> Option<Value> {
    if nesting(text) > MAX_NESTING {
        return None;
    }
    from_json(json::from_str(text).ok()?)
}

/// How deep the brackets of a text nest, so that what reads it can go down without a limit of its own.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn from_json(value: json::Value) -> Option<Value> {
    Some(match value {
        json::Value::Null => Value::Null,
        json::Value::Bool(boolean) => Value::Bool(boolean),
        json::Value::Number(json::Number::U64(number)) => Value::Number(number as f64),
        json::Value::Number(json::Number::I64(number)) => Value::Number(number as f64),
        // `1e999` is no number for serde_json.
        json::Value::Number(json::Number::F64(number)) => Value::Number(Some(number).filter(|n| n.is_finite())?),
        json::Value::String(text) => Value::String(text),
        json::Value::Array(items) => Value::Array(items.into_iter().map(from_json).collect::<Option<_>>()?),
        json::Value::Object(members) => {
            let mut object = Object::new();
            for (key, member) in members {
                object.insert(key, from_json(member)?);
            }
            Value::Object(object)
        }
    })
}

/// Writes a value as JSON text.
pub fn write(value: &Value) -> String {
    json::to_string(&to_json(value))
}

fn to_json(value: &Value) -> json::Value {
    match value {
        Value::Null => json::Value::Null,
        Value::Bool(boolean) => json::Value::Bool(*boolean),
        Value::Number(number) => json::Value::Number(json::Number::F64(*number)),
        Value::String(text) => json::Value::String(text.clone()),
        Value::Array(items) => json::Value::Array(items.iter().map(to_json).collect()),
        Value::Object(object) => json::Value::Object(object.iter().map(|(key, value)| (key.to_owned(), to_json(value))).collect()),
    }
}
