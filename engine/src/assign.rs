//! Which variant a visitor gets: deterministic, without memory.
//!
//! This is GrowthBook's hash with its bucket ranges, so that the same seed, weights and traffic give the same
//! variant as its SDKs (<https://docs.growthbook.io/lib/build-your-own>). As there, texts are hashed by their
//! UTF-16 code units.

use crate::hash::{FNV_32, fnv1a_32_unit, fnv1a_32_units};
use serde::{Deserialize, Serialize};

/// How many steps a bucket has.
pub const STEPS: u16 = 10_000;

/// Which of GrowthBook's hashes is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HashVersion {
    /// The first one: biased, in steps of a thousandth; for what began with it.
    One,
    /// The second one.
    Two,
}

/// A seed, hashed as far as it can be before the visitor is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed {
    version: HashVersion,
    text: String,
    /// The hash of the text; only the second version begins with it.
    started: u32,
}

impl Seed {
    /// A seed for a version of the hash.
    pub fn new(text: &str, version: HashVersion) -> Self {
        Self {
            version,
            text: text.to_owned(),
            started: fnv1a_32_units(FNV_32, text),
        }
    }

    /// A visitor's place for the seed, in ten-thousandths.
    pub fn bucket(&self, visitor: &str) -> u16 {
        match self.version {
            HashVersion::One => {
                let hash = fnv1a_32_units(fnv1a_32_units(FNV_32, visitor), &self.text);
                (hash % 1_000) as u16 * 10
            }
            HashVersion::Two => {
                let inner = fnv1a_32_units(self.started, visitor);
                (hash_of_decimal(inner) % u32::from(STEPS)) as u16
            }
        }
    }

    /// The seed's text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A bucket as a number in `[0, 1)`.
pub fn fraction(bucket: u16) -> f64 {
    f64::from(bucket) / f64::from(STEPS)
}

/// Whether a number is in a range, which its end is not.
pub fn in_range(number: f64, range: (f64, f64)) -> bool {
    number >= range.0 && number < range.1
}

/// A variant's part of the visitors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Where it begins.
    pub start: f64,
    /// How long it is when all of the traffic is let in.
    pub weight: f64,
    /// Where it ends, if the author gave it as a range, which the traffic does not change.
    pub end: Option<f64>,
}

impl Share {
    /// The range of buckets that get the variant.
    pub fn range(&self, traffic: f64) -> (f64, f64) {
        let end = self.end.unwrap_or(self.start + traffic * self.weight);
        (self.start, end)
    }
}

/// Shares one after the other.
pub fn shares(weights: impl IntoIterator<Item = f64>) -> Vec<Share> {
    let mut start = 0.0;
    weights
        .into_iter()
        .map(|weight| {
            let share = Share {
                start,
                weight,
                end: None,
            };
            start += weight;
            share
        })
        .collect()
}

/// The weights of so many variants that get the same share.
pub fn equal_weights(variants: usize) -> Vec<f64> {
    vec![1.0 / variants as f64; variants]
}

/// The variant of the first share that a number in `[0, 1)` falls into.
pub fn choose(number: f64, traffic: f64, shares: &[Share]) -> Option<usize> {
    shares
        .iter()
        .position(|share| in_range(number, share.range(traffic)))
}

/// The variant that a page's address asks for: `?experiment=1`.
pub fn forced_by_query(key: &str, url: &str, variants: usize) -> Option<usize> {
    let (_, query) = url.split_once('?')?;
    // A second `?` ends the query, as in GrowthBook's SDKs.
    let query = query.split(['?', '#']).next()?;
    let mut pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(name, _)| *name == key)?;
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let number: usize = value.get(..digits)?.parse().ok()?;
    (number < variants).then_some(number)
}

/// The hash of a number's decimal digits.
fn hash_of_decimal(number: u32) -> u32 {
    let mut digits = [0; 10];
    let mut rest = number;
    let mut length = 0;
    // A division by a constant is a multiplication.
    for digit in digits.iter_mut().rev() {
        *digit = b'0' as u16 + (rest % 10) as u16;
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    let digits = digits.iter().skip(digits.len() - length);
    digits.fold(FNV_32, |hash, digit| fnv1a_32_unit(hash, *digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::fnv1a_32;

    /// Values of the `hash` section of GrowthBook's `cases.json`.
    #[test]
    fn places_are_growthbook_s() {
        use HashVersion::{One, Two};
        for (seed, value, version, expected) in [
            ("seed", "a", Two, 0.0505),
            ("seed", "b", Two, 0.2696),
            ("foo", "ab", Two, 0.2575),
            ("foo", "def", Two, 0.2019),
            ("", "a", One, 0.22),
            ("ef", "d", One, 0.652),
            ("", "josé", One, 0.586),
            ("", "😀", Two, 0.4971),
        ] {
            let bucket = Seed::new(seed, version).bucket(value);
            assert_eq!(fraction(bucket), expected, "{seed} {value}");
        }
    }

    #[test]
    fn decimals() {
        for number in [0, 7, 10, 4_294_967_295, 1_000_000_000, 100] {
            assert_eq!(hash_of_decimal(number), fnv1a_32(number.to_string().as_bytes()));
        }
    }

    #[test]
    fn traffic_keeps_each_variant_s_start() {
        let shares = shares([0.5, 0.5]);
        assert_eq!(choose(0.0, 0.4, &shares), Some(0));
        assert_eq!(choose(0.2, 0.4, &shares), None);
        assert_eq!(choose(0.5, 0.4, &shares), Some(1));
        assert_eq!(choose(0.7, 0.4, &shares), None);
        assert_eq!(choose(0.9999, 1.0, &shares), Some(1));
    }

    #[test]
    fn a_query_names_a_variant() {
        for (url, expected) in [
            ("/?t=1", Some(1)),
            ("/?a=b&t=0&t=1", Some(0)),
            ("/?t=1#x", Some(1)),
            ("/?t=1abc", Some(1)),
            ("/?t=2", None),
            ("/?t=-1", None),
            ("/?t=", None),
            ("/??t=1", None),
            ("/?t", None),
            ("/t=1", None),
            ("/?t=99999999999999999999999", None),
        ] {
            assert_eq!(forced_by_query("t", url, 2), expected, "{url}");
        }
    }
}
