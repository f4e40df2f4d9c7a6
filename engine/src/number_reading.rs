//! Reads a number from text, exactly as the standard library does, without its tables: they are 10 KB, which each
//! visitor and each edge worker would have to load for the few numbers that come as text.
//!
//! Few digits are one multiplication or division, which rounds once. All others are divided digit by digit, with
//! whole numbers of any size, and then rounded.

use std::cmp::Ordering;

/// Digits past these only tell whether something follows: no number halfway between two others has more.
const MOST_DIGITS: usize = 800;
/// What is larger is infinite, what is smaller is nothing: as powers of ten, of the first digit.
const LARGEST: i64 = 310;
const SMALLEST: i64 = -330;
/// So many bits of a quotient are enough to round it.
const QUOTIENT_BITS: i64 = 64;

/// Reads a number: digits, perhaps with a sign, a point, and an exponent. A larger one than any is infinite.
#[must_use]
pub fn read_number(text: &str) -> Option<f64> {
    let (is_negative, text) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = || whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || !all().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let zeros = all().take_while(|digit| *digit == b'0').count();
    let mut digits: Vec<u8> = all()
        .skip(zeros)
        .take(MOST_DIGITS)
        .map(|digit| digit - b'0')
        .collect();
    let left = whole.len() + fraction.len() - zeros - digits.len();
    let mut exponent = exponent + left as i64 - fraction.len() as i64;
    if all().skip(zeros + digits.len()).any(|digit| digit != b'0') {
        digits.push(1);
        exponent -= 1;
    }
    while digits.last() == Some(&0) {
        digits.pop();
        exponent += 1;
    }
    let number = nearest(&digits, exponent);
    Some(if is_negative { -number } else { number })
}

/// An exponent; one that is larger than can matter is as large as any.
fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    let size = if significant.len() > 9 {
        1_000_000_000
    } else {
        significant
            .bytes()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    };
    Some(if text.starts_with('-') { -size } else { size })
}

/// The number nearest to digits times a power of ten.
fn nearest(digits: &[u8], exponent: i64) -> f64 {
    let first = digits.len() as i64 + exponent;
    if digits.is_empty() || first < SMALLEST {
        return 0.0;
    }
    if first > LARGEST {
        return f64::INFINITY;
    }
    // Both are exact, so that the result is rounded once (W. D. Clinger, 1990).
    if digits.len() <= 15 && (-22..=22).contains(&exponent) {
        let mantissa = digits
            .iter()
            .fold(0.0, |sum, digit| sum * 10.0 + f64::from(*digit));
        let power = (0..exponent.abs()).fold(1.0, |power, _| power * 10.0);
        return if exponent < 0 {
            mantissa / power
        } else {
            mantissa * power
        };
    }
    let mut above = Whole::default();
    for digit in digits {
        above.times_ten_and(u32::from(*digit));
    }
    let mut below = Whole(vec![1]);
    let scaled = if exponent < 0 { &mut below } else { &mut above };
    (0..exponent.abs()).for_each(|_| scaled.times_ten_and(0));
    // The quotient gets one bit more than asked for, or two.
    let shift = QUOTIENT_BITS + 1 - above.bits() + below.bits();
    if shift > 0 {
        above.shift_left(shift);
    } else {
        below.shift_left(-shift);
    }
    below.shift_left(QUOTIENT_BITS + 2);
    let mut quotient = 0_u128;
    for _ in 0..=QUOTIENT_BITS + 2 {
        quotient <<= 1;
        if above.compare(&below) != Ordering::Less {
            above.subtract(&below);
            quotient |= 1;
        }
        below.halve();
    }
    rounded(quotient, shift, !above.is_zero())
}

/// The number nearest to a quotient, of which something is left, over a power of two; of two, the even one.
fn rounded(quotient: u128, shift: i64, is_more: bool) -> f64 {
    let bits = 128 - i64::from(quotient.leading_zeros());
    let highest = bits - 1 - shift;
    // Below the smallest normal number, there are fewer bits.
    let kept = 53.min(53 + highest + 1022);
    if kept < 0 {
        return 0.0;
    }
    let dropped = bits - kept;
    let half = 1_u128 << (dropped - 1);
    let rest = quotient & ((half << 1) - 1);
    let mut mantissa = (quotient >> dropped) as u64;
    if rest > half || (rest == half && (is_more || mantissa & 1 == 1)) {
        mantissa += 1;
    }
    mantissa as f64 * power_of_two(dropped - shift)
}

/// A power of two between 2^-1074 and 2^1023.
fn power_of_two(exponent: i64) -> f64 {
    if exponent > 1023 {
        f64::INFINITY
    } else if exponent < -1022 {
        f64::from_bits(1 << (exponent + 1074).max(0))
    } else {
        f64::from_bits(((exponent + 1023) as u64) << 52)
    }
}

/// A whole number of any size; the lowest 32 bits come first, and the highest are not zero.
#[derive(Default)]
struct Whole(Vec<u32>);

impl Whole {
    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn bits(&self) -> i64 {
        let highest = self.0.last().map_or(0, |part| 32 - part.leading_zeros());
        (self.0.len() as i64 - 1) * 32 + i64::from(highest)
    }

    fn times_ten_and(&mut self, digit: u32) {
        let mut carry = u64::from(digit);
        for part in &mut self.0 {
            carry += u64::from(*part) * 10;
            *part = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift_left(&mut self, bits: i64) {
        let (parts, bits) = ((bits / 32) as usize, (bits % 32) as u32);
        let mut carry = 0;
        for part in &mut self.0 {
            let wide = u64::from(*part) << bits | carry;
            *part = wide as u32;
            carry = wide >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, parts));
    }

    fn halve(&mut self) {
        let mut carry = 0;
        for part in self.0.iter_mut().rev() {
            let low = *part & 1;
            *part = *part >> 1 | carry << 31;
            carry = low;
        }
        self.trim();
    }

    fn compare(&self, other: &Self) -> Ordering {
        let by_length = self.0.len().cmp(&other.0.len());
        by_length.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes away one that is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        let others = other.0.iter().copied().chain(std::iter::repeat(0));
        for (part, other) in self.0.iter_mut().zip(others) {
            let (less, first) = part.overflowing_sub(other);
            let (less, second) = less.overflowing_sub(u32::from(borrow));
            *part = less;
            borrow = first || second;
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::read_number;

    #[track_caller]
    fn check(text: &str) {
        let expected: f64 = text.parse().unwrap();
        let read = read_number(text).unwrap();
        assert_eq!(
            read.to_bits(),
            expected.to_bits(),
            "{text}: {read:e} {expected:e}"
        );
    }

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        for text in [
            "0",
            "-0",
            "1",
            "+1",
            ".5",
            "5.",
            "0.1",
            "1e3",
            "1E+3",
            "1e-3",
            "00012.500",
            "37.77493",
            "-122.41942",
            "9007199254740993",
            "9007199254740991.5",
            "123456789012345678901234567890",
            "1e22",
            "1e23",
            "1e308",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "1e400",
            "-1e999999999999",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "4.9e-324",
            "1e-400",
            "1e-9999999999999",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "2.225073858507201136057409796709131975934819546351645648e-308",
            "0e999",
            "0.000000000000000000000000000000000000000000000000000000000000000001e66",
            "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
        ] {
            check(text);
        }
        // Halfway between two numbers, and a little beside it, in as many digits as there are.
        let exact = format!("{:.1074}", f64::from_bits(3));
        check(&exact);
        check(&format!("{exact}1"));
    }

    #[test]
    fn random_numbers_come_back() {
        let mut state = 1_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for case in 0..100_000 {
            let number = f64::from_bits(random());
            if !number.is_finite() {
                continue;
            }
            check(&match case % 4 {
                0 => format!("{number:e}"),
                1 => format!("{number:.17e}"),
                2 => format!("{:e}", f64::from_bits(random() & 0x000f_ffff_ffff_ffff)),
                _ => format!("{}.{}e{}", random() % 1_000, random(), random() as i64 % 330),
            });
        }
    }

    /// Exactly halfway between two numbers, and just above and below.
    #[test]
    fn halves_are_rounded_to_even() {
        for number in [1.0_f64, 1.5, 3.3, 1e15, 1e-5, 1e-300, 4e-310] {
            for step in 0..20 {
                let low = f64::from_bits(number.to_bits() + step);
                let high = f64::from_bits(low.to_bits() + 1);
                // The digits of both are few enough to be written whole; their middle has one more.
                let (low, high) = (format!("{low:.1074}"), format!("{high:.1074}"));
                let sum = added(&low, &high);
                check(&sum);
                check(&format!("{sum}1"));
                check(&format!("{}49", sum.strip_suffix('5').unwrap_or(&sum)));
            }
        }
    }

    /// Half of the sum of two decimal texts of the same form.
    fn added(a: &str, b: &str) -> String {
        let (whole_a, fraction_a) = a.split_once('.').unwrap();
        let (whole_b, fraction_b) = b.split_once('.').unwrap();
        let width = whole_a.len().max(whole_b.len());
        let digits = |whole: &str, fraction: &str| -> Vec<u8> {
            format!("{whole:0>width$}{fraction}")
                .bytes()
                .map(|digit| digit - b'0')
                .collect()
        };
        let (a, b) = (digits(whole_a, fraction_a), digits(whole_b, fraction_b));
        let mut carry = 0;
        let mut sum: Vec<u8> = Vec::new();
        for (a, b) in a.iter().zip(&b).rev() {
            carry += a + b;
            sum.push(carry % 10);
            carry /= 10;
        }
        sum.push(carry);
        sum.reverse();
        let mut rest = 0;
        let mut half: Vec<u8> = Vec::new();
        for digit in sum.iter().chain([&0]) {
            let both = rest * 10 + digit;
            half.push(both / 2);
            rest = both % 2;
        }
        let text: String = half.iter().map(|digit| char::from(b'0' + digit)).collect();
        format!("{}.{}", &text[..width + 1], &text[width + 1..])
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", "+", "-", ".", "e5", "1e", "1e+", "1.2.3", "0x10", "1_000", "inf", "NaN", " 1", "1 ", "--1",
            "1e5.0",
        ] {
            assert_eq!(read_number(text), None, "{text}");
        }
    }
}
