//! Which variant a visitor gets: deterministic, without memory.
//!
//! This is GrowthBook's hash, version 2, with its bucket ranges, so that the same seed, weights and traffic
//! give the same variant as its SDKs (<https://docs.growthbook.io/lib/build-your-own>).

use crate::hash::fnv1a_32;

/// A visitor's place for a seed: one of 10,000 steps in `[0, 1)`.
pub fn bucket(seed: &str, visitor_id: &str) -> f64 {
    let mut text = String::with_capacity(seed.len() + visitor_id.len());
    text.push_str(seed);
    text.push_str(visitor_id);
    let inner = fnv1a_32(text.as_bytes());
    text.clear();
    push_decimal(inner, &mut text);
    f64::from(fnv1a_32(text.as_bytes()) % 10_000) / 10_000.0
}

/// The variant at a place in `[0, 1)`; `None` outside the traffic. The weights add up to 1.
pub fn choose(bucket: f64, traffic: f64, weights: impl IntoIterator<Item = f64>) -> Option<usize> {
    let mut start = 0.0;
    for (index, weight) in weights.into_iter().enumerate() {
        if bucket >= start && bucket < start + traffic * weight {
            return Some(index);
        }
        start += weight;
    }
    None
}

fn push_decimal(number: u32, text: &mut String) {
    let mut divisor = 1_000_000_000;
    let mut started = false;
    while divisor > 0 {
        let digit = number / divisor % 10;
        started |= digit != 0 || divisor == 1;
        if started {
            text.push(char::from(b'0' + digit as u8));
        }
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the `hash` section of GrowthBook's `cases.json`, version 2.
    #[test]
    fn places_are_growthbook_s() {
        for (seed, value, expected) in [
            ("seed", "a", 0.0505),
            ("seed", "b", 0.2696),
            ("foo", "ab", 0.2575),
            ("foo", "def", 0.2019),
        ] {
            assert_eq!(bucket(seed, value), expected, "{seed} {value}");
        }
    }

    #[test]
    fn decimals() {
        for number in [0, 7, 10, 4_294_967_295, 1_000_000_000, 100] {
            let mut text = String::new();
            push_decimal(number, &mut text);
            assert_eq!(text, number.to_string());
        }
    }

    #[test]
    fn traffic_keeps_each_variant_s_start() {
        assert_eq!(choose(0.0, 0.4, [0.5, 0.5]), Some(0));
        assert_eq!(choose(0.2, 0.4, [0.5, 0.5]), None);
        assert_eq!(choose(0.5, 0.4, [0.5, 0.5]), Some(1));
        assert_eq!(choose(0.7, 0.4, [0.5, 0.5]), None);
        assert_eq!(choose(0.9999, 1.0, [0.5, 0.5]), Some(1));
    }
}
