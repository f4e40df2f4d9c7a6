//! Versions (`1.4.0`, `v2.0.0-rc.1+build7`) and their order, as GrowthBook has it.
//!
//! A leading `v` and what follows a `+` do not count. The rest is split at `-` and `.`. A part of digits is padded
//! to five places, and a release of three parts is followed by `~`, the last character of ASCII, so that it
//! comes after its pre-releases. The parts, joined again, are compared as texts.

use crate::condition::Comparison;
use crate::number::NumberText;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// What a version must be to a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VersionTest {
    /// `$veq`.
    Equal,
    /// `$vlt`, `$vlte`, `$vgt`, `$vgte`.
    Ordered(Comparison),
}

/// Whether a value is to a version as the test says. Both must be texts, or both numbers.
pub(crate) fn holds(value: &Value, test: VersionTest, constant: &Value) -> bool {
    let ordering = match (value, constant) {
        (Value::String(value), Value::String(constant)) => order(value, constant),
        (Value::Number(value), Value::Number(constant)) => order(
            NumberText::new(*value).as_str(),
            NumberText::new(*constant).as_str(),
        ),
        _ => return false,
    };
    match test {
        VersionTest::Equal => ordering == Ordering::Equal,
        VersionTest::Ordered(comparison) => comparison.allows(ordering),
    }
}

fn order(a: &str, b: &str) -> Ordering {
    match (plain(a), plain(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => padded(a).cmp(padded(b)),
    }
}

/// The parts of a version such as `2.10.3`, in the order of their padded forms; `None` for any other.
///
/// Most are such. Each part is a number of its digits' bytes: padding puts the one with fewer digits first, and
/// the first digit that differs decides between others.
fn plain(version: &str) -> Option<[u64; 3]> {
    const LONGEST: u64 = 1 << 40;
    let mut parts = [0; 3];
    let mut place = 0;
    for byte in version.bytes() {
        let part: &mut u64 = parts.get_mut(place)?;
        match byte {
            b'0'..=b'9' => *part = *part << 8 | u64::from(byte),
            b'.' | b'-' if *part > 0 => place += 1,
            _ => return None,
        }
        if parts.get(place).is_some_and(|part| *part >= LONGEST) {
            return None;
        }
    }
    parts.iter().all(|part| *part > 0).then_some(parts)
}

/// The form that is compared, without writing it down.
fn padded(version: &str) -> impl Iterator<Item = u16> + '_ {
    const WIDTH: usize = 5;
    let version = if version.is_empty() { "0" } else { version };
    let version = version.strip_prefix('v').unwrap_or(version);
    let version = version.split('+').next().unwrap_or_default();
    let parts = version.split(['-', '.']);
    let release = (parts.clone().count() == 3).then_some("~");
    parts.chain(release).enumerate().flat_map(|(index, part)| {
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let spaces = if is_number {
            WIDTH.saturating_sub(part.len())
        } else {
            0
        };
        let separator = (index > 0).then_some(u16::from(b'-'));
        separator
            .into_iter()
            .chain(std::iter::repeat_n(u16::from(b' '), spaces))
            .chain(part.encode_utf16())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_order() {
        let ordered = [
            "0.9.99",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0",
            "1.0.1",
            "1.2.3",
            "10.0.0",
        ];
        for (place, a) in ordered.iter().enumerate() {
            for (other, b) in ordered.iter().enumerate() {
                assert_eq!(order(a, b), place.cmp(&other), "{a} {b}");
            }
        }
        for (a, b) in [("v1.2.3+x", "1.2.3"), ("1-2-3", "1.2.3"), ("", "0")] {
            assert_eq!(order(a, b), Ordering::Equal, "{a} {b}");
        }
    }

    #[test]
    fn plain_versions_are_in_the_order_of_their_padded_forms() {
        let versions = [
            "0.0.0",
            "0.0.00",
            "1.2.3",
            "1.2.30",
            "1.02.3",
            "1-2-3",
            "10.0.0",
            "9.99999.1",
            "9.99998.1",
            "9.100000.1",
            "1.2",
            "1.2.3.4",
            "1..3",
            ".1.2",
            "1.2.",
            "1.2.a",
            "v1.2.3",
            "1.2.3+b",
            "",
            "1.2.3-b",
            "12345.1.1",
            "12346.0.0",
        ];
        for a in versions {
            for b in versions {
                assert_eq!(order(a, b), padded(a).cmp(padded(b)), "{a} {b}");
            }
        }
        assert!(plain("9.99999.1").is_some() && plain("9.100000.1").is_none() && plain("1.2.").is_none());
    }

    #[test]
    fn a_version_is_compared_with_its_like_only() {
        let is = |value: Value, constant: Value| holds(&value, VersionTest::Equal, &constant);
        assert!(is(Value::from(2.0), Value::from(2.0)));
        assert!(!is(Value::from(2.0), Value::from("2")));
        assert!(!is(Value::Null, Value::from("0")));
    }
}
