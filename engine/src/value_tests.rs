//! What a value must be to a constant: GrowthBook's operators, without conversions between types.

use crate::condition::Comparison;
use crate::value::{Value, is_same_text};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Whether two values are the same plain value; lists and objects are never the same, as in JavaScript.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    !matches!(a, Value::Array(_) | Value::Object(_)) && a == b
}

/// Two numbers, or two texts by their UTF-16 code units; nothing else has an order.
pub(crate) fn compare(value: &Value, comparison: Comparison, constant: &Value) -> bool {
    let ordering = match (value, constant) {
        (Value::Number(value), Value::Number(constant)) => value.partial_cmp(constant),
        (Value::String(value), Value::String(constant)) => Some(text_order(value, constant)),
        _ => None,
    };
    ordering.is_some_and(|ordering| comparison.allows(ordering))
}

/// The order of JavaScript's texts: by UTF-16 code units, which puts the rarer characters before some others.
fn text_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() {
        a.cmp(b)
    } else {
        a.encode_utf16().cmp(b.encode_utf16())
    }
}

/// Texts of at most so many bytes are put into lower case without memory of their own.
const SHORT: usize = 4_096;

/// What a test says of a text in lower case.
///
/// It allocates only for a text that is not short, or one with a capital sigma, of which the place in its word
/// decides how it is written small.
pub(crate) fn in_lower_case(text: &str, test: impl FnOnce(&str) -> bool) -> bool {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if text.bytes().all(is_lower) {
        return test(text);
    }
    let mut room = [0; SHORT];
    match write_lower(text, &mut room) {
        Some(lower) => test(lower),
        None => test(&text.to_lowercase()),
    }
}

fn write_lower<'r>(text: &str, room: &'r mut [u8; SHORT]) -> Option<&'r str> {
    let mut length = 0;
    for character in text.chars() {
        if character == 'Σ' {
            return None;
        }
        for lower in character.to_lowercase() {
            let end = length + lower.len_utf8();
            lower.encode_utf8(room.get_mut(length..end)?);
            length = end;
        }
    }
    std::str::from_utf8(room.get(..length)?).ok()
}

/// Whether two texts are the same but for their case; `constant` is in lower case.
fn same_but_case(text: &str, constant: &str) -> bool {
    if text.is_ascii() {
        text.eq_ignore_ascii_case(constant)
    } else {
        in_lower_case(text, |text| text == constant)
    }
}

/// Whether a value is the constant, where texts may differ in case; `constant` is in lower case.
pub(crate) fn same_ignoring_case(value: &Value, constant: &Value) -> bool {
    match (value, constant) {
        (Value::String(value), Value::String(constant)) => same_but_case(value, constant),
        _ => value == constant,
    }
}

/// So many texts are looked through one by one.
const FEW: usize = 16;

/// Plain values to look something up in, quickly also when there are many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Set {
    /// Sorted by their bytes.
    texts: Vec<String>,
    /// Sorted.
    numbers: Vec<f64>,
    has_null: bool,
    has_true: bool,
    has_false: bool,
}

impl Set {
    /// The plain values of a list; lists and objects in it are equal to nothing. With `ignore_case`, texts are
    /// kept in lower case.
    pub(crate) fn new(values: &[Value], ignore_case: bool) -> Self {
        let mut set = Self::default();
        for value in values {
            match value {
                Value::Null => set.has_null = true,
                Value::Bool(true) => set.has_true = true,
                Value::Bool(false) => set.has_false = true,
                // There is no sign on nothing.
                Value::Number(number) => set.numbers.push(if *number == 0.0 { 0.0 } else { *number }),
                Value::String(text) if ignore_case => set.texts.push(text.to_lowercase()),
                Value::String(text) => set.texts.push(text.clone()),
                Value::Array(_) | Value::Object(_) => {}
            }
        }
        set.texts.sort_unstable();
        set.texts.dedup();
        set.numbers.sort_unstable_by(f64::total_cmp);
        set.numbers.dedup();
        set
    }

    /// Whether the value, or one of a list's items, is in the set.
    pub(crate) fn meets(&self, value: &Value, ignore_case: bool) -> bool {
        match value {
            Value::Array(items) => items.iter().any(|item| self.contains(item, ignore_case)),
            value => self.contains(value, ignore_case),
        }
    }

    fn contains(&self, value: &Value, ignore_case: bool) -> bool {
        match value {
            Value::Null => self.has_null,
            Value::Bool(true) => self.has_true,
            Value::Bool(false) => self.has_false,
            Value::Number(number) => {
                let number = if *number == 0.0 { 0.0 } else { *number };
                let found = self.numbers.binary_search_by(|known| known.total_cmp(&number));
                found.is_ok()
            }
            Value::String(text) if ignore_case => self.has_text_of_any_case(text),
            Value::String(text) => self.has_text(text),
            Value::Array(_) | Value::Object(_) => false,
        }
    }

    fn has_text(&self, text: &str) -> bool {
        if self.texts.len() <= FEW {
            // Most texts differ in their length already, which is quicker seen than their order.
            return self.texts.iter().any(|known| is_same_text(known, text));
        }
        let found = self.texts.binary_search_by(|known| known.as_str().cmp(text));
        found.is_ok()
    }

    fn has_text_of_any_case(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return in_lower_case(text, |text| self.has_text(text));
        }
        let lower = || text.bytes().map(|byte| byte.to_ascii_lowercase());
        let found = self.texts.binary_search_by(|known| known.bytes().cmp(lower()));
        found.is_ok()
    }

    /// Some of the values, for a person to read: at most so many.
    pub(crate) fn some(&self, limit: usize) -> Vec<Value> {
        let plain = [
            (self.has_null, Value::Null),
            (self.has_true, Value::Bool(true)),
            (self.has_false, Value::Bool(false)),
        ];
        let plain = plain.into_iter().filter(|(has, _)| *has).map(|(_, value)| value);
        let texts = self.texts.iter().map(|text| Value::from(text.as_str()));
        texts
            .chain(self.numbers.iter().map(|number| Value::Number(*number)))
            .chain(plain)
            .take(limit)
            .collect()
    }

    /// The numbers, sorted.
    pub(crate) fn numbers(&self) -> &[f64] {
        &self.numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_values_are_looked_up_one_by_one() {
        let values: Vec<Value> = (0..10_000)
            .flat_map(|number| [Value::from(f64::from(number)), Value::from(format!("u_{number}"))])
            .collect();
        let set = Set::new(&values, false);
        assert!(values.iter().all(|value| set.meets(value, false)));
        for other in [
            Value::from("10"),
            Value::from(10_000.0),
            Value::from("U_1"),
            Value::Null,
        ] {
            assert!(!set.meets(&other, false), "{other:?}");
        }
        assert!(set.meets(&Value::from(-0.0), false));
        assert!(set.meets(&Value::from(vec![Value::Null, Value::from("u_7")]), false));
    }

    #[test]
    fn the_case_counts_only_where_it_is_to() {
        let set = Set::new(&[Value::from("Éa"), Value::from("US"), Value::from("ΟΔΟΣ")], true);
        for text in ["éA", "us", "Us", "οδος"] {
            assert!(set.meets(&Value::from(text), true), "{text}");
        }
        assert!(!set.meets(&Value::from("UK"), true));
    }

    #[test]
    fn lower_case_is_the_standard_library_s() {
        let long = "Ä".repeat(SHORT);
        for text in [
            "",
            "abc",
            "ABC",
            "Ärger",
            "İstanbul",
            "ΟΔΟΣ",
            "ΟΔΟΣ ΣΑΣ",
            "ẞ ǅ K Å",
            "😀A",
            &long,
            &"A".repeat(SHORT),
            &"A".repeat(SHORT + 1),
        ] {
            assert!(
                in_lower_case(text, |lower| lower == text.to_lowercase()),
                "{text}"
            );
        }
    }

    #[test]
    fn texts_are_ordered_by_their_code_units() {
        let less = |a: &str, b: &str| compare(&Value::from(a), Comparison::Less, &Value::from(b));
        assert!(less("10", "9"));
        assert!(less("AZL", "alphabet"));
        // U+1F600 is written with units from D800 on, which are less than U+FF01.
        assert!(less("\u{1f600}", "\u{ff01}"));
        assert!(!compare(
            &Value::from("8"),
            Comparison::Greater,
            &Value::from(5.0)
        ));
    }
}
