//! Exponential decay, with the same bits everywhere.
//!
//! The `exp2` and `log2` of a platform's mathematics library differ in their last bits between platforms, so
//! that a decision could differ between the edge and the browser. These are made of additions and
//! multiplications alone, which IEEE 754 defines exactly.

use crate::number::added;
use crate::time::Timestamp;

/// Less than that is nothing.
pub const NOTHING: f64 = 1e-6;

const LN_2: f64 = std::f64::consts::LN_2;

/// `1/n!`: the series of `e^x`. Divisions that wait for each other would take most of the time.
const E_SERIES: [f64; 15] = {
    let mut series = [1.0; 15];
    let mut term = 1;
    while term < series.len() {
        series[term] = series[term - 1] / term as f64;
        term += 1;
    }
    series
};

/// `1/(2n + 1)`: the series of `artanh x / x`, in squares of `x`.
const ARTANH_SERIES: [f64; 14] = {
    let mut series = [1.0; 14];
    let mut term = 0;
    while term < series.len() {
        series[term] = 1.0 / (2 * term + 1) as f64;
        term += 1;
    }
    series
};

/// What is left after `elapsed` milliseconds: `2^(−elapsed / half_life)`. 1 if no time has gone by.
///
/// The error is below 2 × 10⁻¹⁵; multiples of the half-life are exact.
pub fn left_after(elapsed: i64, half_life: i64) -> f64 {
    if elapsed <= 0 || half_life <= 0 {
        return 1.0;
    }
    let halves = elapsed as f64 / half_life as f64;
    if halves > 1_000.0 {
        return 0.0;
    }
    // 2^−h = 2^−n · e^(−f·ln 2), with n the nearest whole number and |f| ≤ 1/2.
    let whole = (halves + 0.5).floor();
    let rest = -(halves - whole) * LN_2;
    // Taylor's series: the first term left out is below 10⁻¹⁷.
    let series = E_SERIES.iter().rev().fold(0.0, |sum, term| sum * rest + term);
    series * power_of_two(-(whole as i64))
}

/// `2^exponent`, for exponents of normal numbers.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1_023).clamp(1, 2_046) as u64) << 52)
}

/// After about how many milliseconds a value has faded to a part of it, `0 < part ≤ 1`.
pub fn time_to_fade(part: f64, half_life: i64) -> i64 {
    (-log2(part) * half_life as f64) as i64
}

/// The base-2 logarithm of a positive normal number, good to about 10⁻¹³.
fn log2(number: f64) -> f64 {
    let bits = number.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64 - 1_023;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1_023 << 52);
    // ln m = 2·artanh((m − 1) / (m + 1)), with m in [1, 2).
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let sum = ARTANH_SERIES
        .iter()
        .rev()
        .fold(0.0, |sum, term| sum * square + term);
    exponent as f64 + 2.0 * z * sum / LN_2
}

/// A value and the instant at which it was that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fading {
    /// The value at that instant.
    pub value: f64,
    /// The instant.
    pub at: Timestamp,
}

impl Fading {
    /// Adds points that were earned at an instant, before or after this one's.
    pub fn add(&mut self, points: f64, time: Timestamp, half_life: i64, cap: Option<f64>) {
        if time >= self.at {
            let left = self.value * left_after(time.saturating_sub(self.at), half_life);
            self.value = added(left, points);
            self.at = time;
        } else {
            let left = points * left_after(self.at.saturating_sub(time), half_life);
            self.value = added(self.value, left);
        }
        if let Some(cap) = cap {
            self.value = self.value.min(cap);
        }
    }

    /// The value at an instant.
    pub fn read(&self, now: Timestamp, half_life: i64) -> f64 {
        let value = self.value * left_after(now.saturating_sub(self.at), half_life);
        if value.abs() < NOTHING { 0.0 } else { value }
    }

    /// The earliest instant after `now` at which the value's order to `number` changes by time alone.
    pub fn next_crossing(&self, number: f64, now: Timestamp, half_life: i64) -> Option<Timestamp> {
        let current = self.read(now, half_life);
        if current == 0.0 {
            return None;
        }
        let order = |time: Timestamp| self.read(time, half_life).partial_cmp(&number);
        let now_order = current.partial_cmp(&number);
        // The value goes to nothing: it passes a number on the way there, or at the end of it.
        let target = if number * current > 0.0 && number.abs() > NOTHING {
            number.abs()
        } else {
            NOTHING
        };
        if target > self.value.abs() {
            return None;
        }
        let guess = self
            .at
            .saturating_add(time_to_fade(target / self.value.abs(), half_life));
        let mut time = guess.max(now.saturating_add(1));
        // The guess is off by rounding only; it is made exact by looking.
        for _ in 0..MAX_STEPS {
            if time <= now.saturating_add(1) || order(time - 1) == now_order {
                break;
            }
            time -= 1;
        }
        for _ in 0..MAX_STEPS {
            if order(time) != now_order {
                return Some(time);
            }
            time = time.saturating_add(1);
        }
        // The order is the same for a long time after the number was nearly reached: it is not passed.
        None
    }
}

/// How many milliseconds around a guess are looked at. The guess's error is below 10⁻¹² of ten years' half-lives.
const MAX_STEPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decay_is_accurate_and_exact_at_halves() {
        for halves in 0..900 {
            assert_eq!(left_after(halves * 7, 7), 0.5_f64.powi(halves as i32), "{halves}");
        }
        for elapsed in 1..20_000_i64 {
            let (ours, theirs) = (left_after(elapsed, 997), (-(elapsed as f64) / 997.0).exp2());
            assert!((ours / theirs - 1.0).abs() < 2e-14, "{elapsed}: {ours} {theirs}");
        }
        assert_eq!(left_after(i64::MAX, 1), 0.0);
        assert_eq!(left_after(-5, 1), 1.0);
    }

    #[test]
    fn decay_never_grows() {
        let mut last = 1.0;
        for elapsed in 0..200_000 {
            let left = left_after(elapsed, 86_400_000);
            assert!(left <= last, "{elapsed}");
            last = left;
        }
    }

    #[test]
    fn logarithms() {
        for number in [1.0, 0.5, 0.75, 1e-6, 1e-9, 0.999_999, 1.0 / 3.0] {
            let (ours, theirs) = (log2(number), f64::log2(number));
            assert!((ours - theirs).abs() < 1e-12, "{number}: {ours} {theirs}");
        }
    }

    #[test]
    fn crossings_are_where_the_order_changes() {
        let half_life = 86_400_000;
        for value in [1.0, 3.0, 7.5, 100.0, -4.0] {
            let fading = Fading { value, at: 1_000_000 };
            for number in [0.0, 0.5, 1.0, 2.9, 3.0, 50.0, -1.0, -4.0, 1e-7] {
                let now = 1_000_000;
                let order = |time| fading.read(time, half_life).partial_cmp(&number);
                match fading.next_crossing(number, now, half_life) {
                    Some(time) => {
                        assert_eq!(order(time - 1), order(now), "{value} {number}");
                        assert_ne!(order(time), order(now), "{value} {number}");
                    }
                    None => assert_eq!(order(now + 500 * half_life), order(now), "{value} {number}"),
                }
            }
        }
    }
}
