//! A JSON value as the engine sees it.
//!
//! Numbers are `f64`, as in JavaScript, so that the three places where the engine runs agree on every
//! comparison. Objects are sorted by key, so that the same object always has the same bytes.
//! The engine reads no JSON text: its hosts do (`serde_json` natively and at the edge, `miniserde` in
//! the browser) and hand over a [`Value`].

use crate::codec::{Malformed, Reader, Writer};
use crate::sort::sort_by;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use std::cmp::Ordering;
use std::fmt;

/// How deep a value that is kept in bytes may nest: a plain value is one level, a list of them two.
///
/// What comes from outside is held to this before it is written ([`Value::nests_within`]), so that what was
/// written can be read.
pub const MAX_DEPTH: usize = 64;

/// How deep a value that is read from a text format may nest; `serde_json`'s own limit, for whatever other
/// reader there is. Values are dropped, cloned and compared by recursion.
const MAX_TEXT_DEPTH: usize = 128;

/// So many members are looked through one by one.
const FEW: usize = 16;

/// Integers up to this magnitude are exact in an `f64`.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// `null`, and also a value that is missing.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// A map with sorted, unique keys.
    Object(Object),
}

/// The members of a JSON object, sorted by key.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Object {
    members: Vec<(String, Value)>,
}

impl Object {
    /// An object without members.
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// The value of a member.
    pub fn get(&self, key: &str) -> Option<&Value> {
        if self.members.len() <= FEW {
            // Most names differ in their length already, which is quicker seen than their order.
            let mut members = self.members.iter();
            return members
                .find(|(known, _)| is_same_text(known, key))
                .map(|(_, value)| value);
        }
        let index = self.position(key)?;
        self.members.get(index).map(|(_, value)| value)
    }

    /// The value of a member, made as `null` if it was not there.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        let index = match self.members.binary_search_by(|(k, _)| order(k, key)) {
            Ok(index) => index,
            Err(index) => {
                self.members.insert(index, (key.to_owned(), Value::Null));
                index
            }
        };
        &mut self.members[index].1
    }

    /// An object of members in any order; the last value of a key wins.
    ///
    /// It sorts once: members that come in a hostile order must not cost the square of their number.
    pub fn from_members(mut members: Vec<(String, Value)>) -> Self {
        let is_in_order = members.is_sorted_by(|(a, _), (b, _)| a < b);
        if !is_in_order {
            // The last one of equal keys comes first, and stays.
            let mut numbered: Vec<(usize, (String, Value))> = members.into_iter().enumerate().collect();
            sort_by(&mut numbered, |(at, (a, _)), (before, (b, _))| {
                (a, before) < (b, at)
            });
            numbered.dedup_by(|(_, (a, _)), (_, (b, _))| a == b);
            members = numbered.into_iter().map(|(_, member)| member).collect();
        }
        Self { members }
    }

    /// The place of a member among the members.
    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        self.members.binary_search_by(|(k, _)| order(k, key)).ok()
    }

    /// The member at a place.
    pub(crate) fn member(&self, position: usize) -> Option<(&str, &Value)> {
        self.members
            .get(position)
            .map(|(key, value)| (key.as_str(), value))
    }

    /// Sets a member; the last value of a key wins.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) {
        self.set(key.into(), value.into());
    }

    /// One function for whatever the key and the value were.
    fn set(&mut self, key: String, value: Value) {
        match self.members.binary_search_by(|(k, _)| order(k, &key)) {
            Ok(index) => self.members[index].1 = value,
            Err(index) => self.members.insert(index, (key, value)),
        }
    }

    /// Removes a member and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.members.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
        Some(self.members.remove(index).1)
    }

    /// The members in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.members.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// Whether two texts are the same. Most differ in their length or their first byte.
#[inline(always)]
pub(crate) fn is_same_text(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.as_bytes().first() == b.as_bytes().first() && a == b
}

/// The order of two keys. Most differ in their first bytes, and calling a comparison of memory costs more than that,
/// in WebAssembly above all.
fn order(a: &str, b: &str) -> Ordering {
    match (a.as_bytes().first(), b.as_bytes().first()) {
        (Some(a), Some(b)) if a != b => a.cmp(b),
        _ => a.cmp(b),
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(members: I) -> Self {
        Self::from_members(
            members
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }
}

static NULL: Value = Value::Null;

impl Value {
    /// The member of an object; `null` if there is none, or if this is no object.
    pub fn get(&self, key: &str) -> &Value {
        match self {
            Value::Object(object) => object.get(key).unwrap_or(&NULL),
            _ => &NULL,
        }
    }

    /// The value at a dotted path (already split); list members are reached by their index.
    pub fn at<'a>(&'a self, path: &[String]) -> Option<&'a Value> {
        let mut value = self;
        for segment in path {
            value = match value {
                Value::Object(object) => object.get(segment)?,
                Value::Array(items) => items.get(index(segment)?)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// Sets the value at a path, making objects on the way; an item that a list has is set in the list.
    pub fn set_at(&mut self, path: &[String], value: Value) {
        let mut place = self;
        for segment in path {
            let index = match place {
                Value::Array(items) => index(segment).filter(|index| *index < items.len()),
                _ => None,
            };
            if index.is_none() && !matches!(place, Value::Object(_)) {
                *place = Value::Object(Object::new());
            }
            place = match (place, index) {
                (Value::Array(items), Some(index)) => &mut items[index],
                (Value::Object(object), _) => object.entry(segment),
                _ => return,
            };
        }
        *place = value;
    }

    /// Whether the value nests at most this deep: a plain value is one level, a list of them two.
    pub fn nests_within(&self, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        match self {
            Value::Array(items) => items.iter().all(|item| item.nests_within(depth)),
            Value::Object(object) => object.iter().all(|(_, value)| value.nests_within(depth)),
            _ => true,
        }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// An identifier: text as it is, a number as its decimal digits. Clients send both.
    pub fn to_identifier(&self) -> Option<String> {
        match self {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(_) => Some(self.to_text()),
            _ => None,
        }
    }

    /// The value as text for a person: no quotes around text, nothing for `null`.
    pub fn to_text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(boolean) => boolean.to_string(),
            // As in JavaScript, there is no sign on nothing.
            Value::Number(0.0) => "0".to_owned(),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Array(items) => items.iter().map(Value::to_text).collect::<Vec<_>>().join(","),
            Value::Object(_) => "[object]".to_owned(),
        }
    }

    /// Appends the value's binary form: a tag, then the content.
    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Value::Null => writer.byte(0),
            Value::Bool(false) => writer.byte(1),
            Value::Bool(true) => writer.byte(2),
            Value::Number(number) => {
                if number.fract() == 0.0 && *number >= 0.0 && *number < MAX_SAFE_INTEGER {
                    writer.byte(4);
                    writer.varint(*number as u64);
                } else {
                    writer.byte(3);
                    writer.bytes(&number.to_bits().to_le_bytes());
                }
            }
            Value::String(text) => {
                writer.byte(5);
                writer.text(text);
            }
            Value::Array(items) => {
                writer.byte(6);
                writer.varint(items.len() as u64);
                items.iter().for_each(|item| item.write(writer));
            }
            Value::Object(object) => {
                writer.byte(7);
                writer.varint(object.len() as u64);
                for (key, value) in object.iter() {
                    writer.text(key);
                    value.write(writer);
                }
            }
        }
    }

    /// Reads what [`Value::write`] wrote; `depth` bounds the nesting.
    pub(crate) fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, Malformed> {
        if depth == 0 {
            return Err(Malformed);
        }
        Ok(match reader.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => match f64::from_bits(u64::from_le_bytes(reader.array()?)) {
                number if number.is_finite() => Value::Number(number),
                // JSON has no such number, so nobody wrote one.
                _ => return Err(Malformed),
            },
            4 => Value::Number(reader.varint()? as f64),
            5 => Value::String(reader.text()?.to_owned()),
            6 => {
                let length = reader.length()?;
                let mut items = Vec::new();
                for _ in 0..length {
                    items.push(Value::read(reader, depth - 1)?);
                }
                Value::Array(items)
            }
            7 => {
                let length = reader.length()?;
                let mut members = Vec::new();
                for _ in 0..length {
                    let key = reader.text()?.to_owned();
                    members.push((key, Value::read(reader, depth - 1)?));
                }
                Value::Object(Object::from_members(members))
            }
            _ => return Err(Malformed),
        })
    }
}

/// The place that a path's name means in a list: `01` and `+1` mean none.
fn index(name: &str) -> Option<usize> {
    let is_plain = name == "0" || name.starts_with(|c: char| matches!(c, '1'..='9'));
    is_plain.then(|| name.parse().ok()).flatten()
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Number(number)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Value::Bool(boolean)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::Array(items)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// In text formats the value is plain JSON; in binary formats it is one byte string, because those
/// formats do not describe themselves.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            let mut writer = Writer::new();
            self.write(&mut writer);
            return serializer.serialize_bytes(&writer.into_bytes());
        }
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(boolean) => serializer.serialize_bool(*boolean),
            Value::Number(number) if number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER => {
                serializer.serialize_i64(*number as i64)
            }
            Value::Number(number) if !number.is_finite() => Err(S::Error::custom("not a JSON number")),
            Value::Number(number) => serializer.serialize_f64(*number),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items),
            Value::Object(object) => object.serialize(serializer),
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (key, value) in self.iter() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(ValueVisitor(MAX_TEXT_DEPTH))
        } else {
            deserializer.deserialize_bytes(ValueVisitor(MAX_DEPTH))
        }
    }
}

/// Reads a value that nests at most this deep.
#[derive(Clone, Copy)]
struct ValueVisitor(usize);

impl ValueVisitor {
    fn inner<E: de::Error>(self) -> Result<Self, E> {
        match self.0.checked_sub(1) {
            None | Some(0) => Err(E::custom("the value nests too deeply")),
            Some(depth) => Ok(Self(depth)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueVisitor {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Value, E> {
        Ok(Value::Bool(boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Value, E> {
        Value::read(&mut Reader::new(bytes), self.0).map_err(|_| E::custom("malformed value"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut members = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            members.push((key, map.next_value_seed(inner)?));
        }
        Ok(Value::Object(Object::from_members(members)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn round_trip(json: &str) {
        let value: Value = serde_json::from_str(json).unwrap();
        let mut writer = Writer::new();
        value.write(&mut writer);
        let bytes = writer.into_bytes();
        assert_eq!(
            Value::read(&mut Reader::new(&bytes), MAX_DEPTH),
            Ok(value.clone())
        );
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
    }

    #[test]
    fn values_survive_both_forms() {
        round_trip(r#"{"a":[1,2.5,-3,"x",null,true,false],"b":{"c":{}},"é":"✓"}"#);
        round_trip("9007199254740991");
        round_trip("-9007199254740991");
        round_trip("1.5e+300");
    }

    #[test]
    fn the_last_of_equal_keys_wins_and_keys_are_sorted() {
        let value: Value = serde_json::from_str(r#"{"b":1,"a":2,"b":3}"#).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a":2,"b":3}"#);
    }

    #[test]
    fn many_members_in_the_worst_order_are_read_at_once() {
        // Inserting them one by one would move some 100 GB.
        let members = (0..60_000).rev().map(|i| format!(r#""{i:06}":{i}"#));
        let json = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let value: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value.as_object().unwrap().len(), 60_000);
        assert_eq!(value.get("000007"), &Value::Number(7.0));
        let collected: Object = (0..60_000_u32)
            .rev()
            .chain([7])
            .map(|i| (format!("{i:06}"), Value::Number(f64::from(i))))
            .collect();
        assert_eq!(Value::Object(collected), value);
    }

    #[test]
    fn nesting_is_measured_and_bounded() {
        let nested = |depth: usize| {
            let json = format!("{}1{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
            serde_json::from_str::<Value>(&json)
        };
        assert!(nested(3).unwrap().nests_within(3));
        assert!(!nested(4).unwrap().nests_within(3));
        assert!(!Value::Null.nests_within(0));
        assert!(nested(120).is_ok());
        assert!(nested(200).is_err());
        // What is within the limit survives its bytes.
        let deepest = nested(MAX_DEPTH).unwrap();
        let mut writer = Writer::new();
        deepest.write(&mut writer);
        let bytes = writer.into_bytes();
        assert_eq!(Value::read(&mut Reader::new(&bytes), MAX_DEPTH), Ok(deepest));
    }

    #[test]
    fn values_are_set_inside_lists() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let mut value: Value = serde_json::from_str(r#"{"a":[1,2]}"#).unwrap();
        value.set_at(&path("a.1"), Value::from("x"));
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a":[1,"x"]}"#);
        value.set_at(&path("a.2"), Value::from("y"));
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a":{"2":"y"}}"#);
    }

    #[test]
    fn zero_has_no_sign_as_text() {
        assert_eq!(Value::Number(-0.0).to_text(), "0");
    }

    #[test]
    fn bytes_that_nest_too_deeply_are_malformed() {
        let mut bytes = Vec::new();
        for _ in 0..100_000 {
            bytes.extend([6, 1]);
        }
        assert_eq!(Value::read(&mut Reader::new(&bytes), MAX_DEPTH), Err(Malformed));
    }
}
