//! Reads decimal numbers without a table of powers.
//!
//! The standard library's reader has 10 KB of them, which neither gzip nor brotli makes smaller: a tenth of the
//! browser's module. Nearly all numbers that people and programs write need none: with a few digits and a small
//! exponent, one multiplication or division is exact. For the rest, the module's host has a reader.

/// The largest power of ten that a number holds exactly.
const MAX_EXACT_POWER: u32 = 22;

/// Up to this, all whole numbers are exact.
const MAX_EXACT_DIGITS: u64 = 1 << 53;

/// More than this is infinite or nothing, whatever the digits are.
const MAX_EXPONENT: i32 = 10_000;

/// A number as it is written: digits, and where the point is among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    is_negative: bool,
    digits: u64,
    /// The power of ten that the digits are multiplied with.
    exponent: i32,
    /// Whether digits did not find room.
    is_cut: bool,
}

impl Decimal {
    /// Reads a whole text: a sign, digits with a point among them, an exponent; `None` if it is no such number.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (is_negative, text) = signed(text);
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, self::exponent(exponent)?),
            None => (text, 0),
        };
        let mut read = Self {
            is_negative,
            digits: 0,
            exponent,
            is_cut: false,
        };
        let (mut is_behind_point, mut is_empty) = (false, true);
        for byte in mantissa.bytes() {
            let shift = match byte {
                b'.' if !is_behind_point => {
                    is_behind_point = true;
                    continue;
                }
                b'0'..=b'9' => read.push(u64::from(byte - b'0')),
                _ => return None,
            };
            is_empty = false;
            read.exponent = read.exponent.saturating_add(shift - i32::from(is_behind_point));
        }
        (!is_empty).then_some(read)
    }

    /// Adds a digit; gives by how much the power of ten grows.
    fn push(&mut self, digit: u64) -> i32 {
        let more = self
            .digits
            .checked_mul(10)
            .and_then(|digits| digits.checked_add(digit));
        match more {
            Some(digits) if !self.is_cut => {
                self.digits = digits;
                0
            }
            _ => {
                self.is_cut = true;
                1
            }
        }
    }

    /// The number, if one operation gives the one nearest to what is written; so it does for all that have up to
    /// 15 digits and are neither very large nor very small.
    #[must_use]
    pub fn exact(self) -> Option<f64> {
        let is_exact = !self.is_cut
            && self.digits <= MAX_EXACT_DIGITS
            && (self.digits == 0 || self.exponent.unsigned_abs() <= MAX_EXACT_POWER);
        is_exact.then(|| self.nearly())
    }

    /// The number, off by a few of the last digits that it can hold where it is not [`Self::exact`].
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "what is lost is within what the caller allows"
    )]
    pub fn nearly(self) -> f64 {
        let mut number = self.digits as f64;
        let mut left = self.exponent.unsigned_abs();
        while left > 0 && number != 0.0 && number.is_finite() {
            let step = left.min(MAX_EXACT_POWER);
            let power = (0..step).fold(1.0, |power, _| power * 10.0);
            if self.exponent > 0 {
                number *= power;
            } else {
                number /= power;
            }
            left -= step;
        }
        if self.is_negative { -number } else { number }
    }
}

/// Whether it is negative, and what is behind the sign.
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn exponent(text: &str) -> Option<i32> {
    let (is_negative, digits) = signed(text);
    let mut exponent = 0_i32;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        exponent = (exponent * 10 + i32::from(byte - b'0')).min(MAX_EXPONENT);
    }
    let exponent = if is_negative { -exponent } else { exponent };
    (!digits.is_empty()).then_some(exponent)
}

/// Of two shortest texts that are equally near to a number, the one whose last digit is even, as `serde_json` and
/// JavaScript have it: a standard library that is built for size takes the greater. `read` reads a number's text.
pub fn to_even(number: f64, text: String, read: impl Fn(&str) -> Option<f64>) -> String {
    // All texts of fifteen digits are different numbers', so no number is half way between two of them.
    if text.len() <= 15 {
        return text;
    }
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1_075;
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    // The number is so many odd parts of so small a power of two, and so much in decimal digits without a point.
    let zeros = mantissa.trailing_zeros();
    let places = -(exponent + zeros as i32);
    if !(1..=25).contains(&places) {
        return text;
    }
    let exact = u128::from(mantissa >> zeros) * 5_u128.pow(places as u32);
    let end = text.find('e').unwrap_or(text.len());
    let digits: String = text.chars().take(end).filter(char::is_ascii_digit).collect();
    let Ok(written) = digits.parse::<u128>() else {
        return text;
    };
    // Half way between two texts, exactly one digit is left out, and it is a five.
    let is_greater = written == exact / 10 + 1;
    if written % 2 == 0 || !(is_greater || written == exact / 10) || exact.ilog10() != written.ilog10() + 1 {
        return text;
    }
    let (start, rest) = text.split_at(end - 1);
    let last = (written % 10) as u8;
    let last = char::from(b'0' + if is_greater { last - 1 } else { last + 1 });
    let even = format!("{start}{last}{}", rest.get(1..).unwrap_or_default());
    // Below a power of two numbers lie closer together, so that the lower text may be another number's.
    if read(&even) == Some(number) { even } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A generator of our own, so that a failing case comes again.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % bound
        }
    }

    #[test]
    fn what_is_a_number_is_one_for_the_standard_library_too() {
        const PARTS: [&str; 12] = [
            "0",
            "1",
            "9",
            "25",
            ".",
            "e",
            "E",
            "-",
            "+",
            "000",
            "x",
            "1234567890",
        ];
        let mut random = Random(1);
        let mut exact = 0;
        for _ in 0..300_000 {
            let mut text = String::new();
            for _ in 0..random.below(6) {
                text.push_str(PARTS[random.below(12) as usize]);
            }
            let expected = text.parse::<f64>().ok();
            let read = Decimal::read(&text);
            assert_eq!(read.is_some(), expected.is_some(), "{text}");
            if let Some((number, expected)) = read.and_then(Decimal::exact).zip(expected) {
                assert_eq!(number.to_bits(), expected.to_bits(), "{text}");
                exact += 1;
            }
        }
        assert!(exact > 10_000, "{exact}");
    }

    #[test]
    fn what_people_write_is_exact() {
        let mut random = Random(2);
        for _ in 0..300_000 {
            let digits = random.below(1_000_000_000) * 1_000_000 + random.below(1_000_000);
            let text = format!("{digits}e-{}", random.below(23));
            let number = Decimal::read(&text).unwrap().exact().unwrap();
            assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
        for text in [
            "0",
            "-0",
            "0e999",
            "52.5200066",
            "-0.1",
            "9007199254740992",
            "1e22",
            "1.5E+3",
        ] {
            let number = Decimal::read(text).unwrap().exact().unwrap();
            assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }

    #[test]
    fn what_is_not_exact_is_near() {
        for text in [
            "13.404953999999975",
            "-0.1277583000000000000000000001",
            "123456789012345678901234567890",
            "1e300",
            "1.7976931348623157e308",
            "2.5e-300",
        ] {
            let read = Decimal::read(text).unwrap();
            let expected: f64 = text.parse().unwrap();
            assert_eq!(read.exact(), None, "{text}");
            assert!((read.nearly() / expected - 1.0).abs() < 1e-14, "{text}");
        }
        for (text, expected) in [("1e99999999999", f64::INFINITY), ("-1e-99999999999", 0.0)] {
            assert_eq!(Decimal::read(text).unwrap().nearly(), expected, "{text}");
        }
    }

    /// What a standard library that is built for size writes of numbers half way between two texts.
    #[test]
    fn of_two_texts_the_even_one_is_taken() {
        let number = 0.125 + 1.0 / 262_144.0;
        for (number, text, expected) in [
            (number, "0.12500381469726563", "0.12500381469726562"),
            (number, "0.12500381469726562", "0.12500381469726562"),
            (-number, "-1.2500381469726563e-1", "-1.2500381469726562e-1"),
            (0.1, "0.1", "0.1"),
        ] {
            assert_eq!(
                to_even(number, text.to_owned(), |text| text.parse().ok()),
                expected
            );
        }
    }
}
