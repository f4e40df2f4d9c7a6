//! Numbers: their text as JavaScript writes it, without memory of its own; and sums that stay numbers.

use std::fmt::Write;

/// The longest text: a sign, 17 digits, a point, and `e-324` or the zeros before or after the digits.
const LONGEST: usize = 32;

/// A sum that stays finite: past the largest number it is that one. What is infinite could not be read from a
/// state's bytes again.
pub(crate) const fn added(a: f64, b: f64) -> f64 {
    (a + b).clamp(f64::MIN, f64::MAX)
}

/// A number's text.
#[derive(Clone, Copy)]
pub(crate) struct NumberText {
    bytes: [u8; LONGEST],
    length: usize,
}

impl NumberText {
    /// The text that JavaScript's `String(number)` gives.
    pub(crate) fn new(number: f64) -> Self {
        let mut text = Self {
            bytes: [0; LONGEST],
            length: 0,
        };
        // Writing fails for no number: all fit.
        let _written = text.write(number);
        text
    }

    pub(crate) fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn write(&mut self, number: f64) -> std::fmt::Result {
        if number.is_nan() {
            return self.write_str("NaN");
        }
        if number == 0.0 {
            // There is no sign on nothing.
            return self.write_str("0");
        }
        if number.is_infinite() {
            return self.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
        }
        let magnitude = number.abs();
        if (1e-6..1e21).contains(&magnitude) {
            return write!(self, "{number}");
        }
        // Rust writes `1.5e21` where JavaScript has `1.5e+21`; both write `1e-7`.
        let mut plain = Self {
            bytes: [0; LONGEST],
            length: 0,
        };
        write!(plain, "{number:e}")?;
        match plain.as_str().split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => write!(self, "{digits}e+{exponent}"),
            _ => self.write_str(plain.as_str()),
        }
    }
}

impl Write for NumberText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let place = self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_in_javascript() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (3.0, "3"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.000_001_5, "0.0000015"),
            (-0.000_001_234_567_890_123_456_7, "-0.0000012345678901234567"),
            (1e-7, "1e-7"),
            (1.5e21, "1.5e+21"),
            (-1.234_567_890_123_456_8e-300, "-1.2345678901234568e-300"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::NEG_INFINITY, "-Infinity"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(NumberText::new(number).as_str(), expected);
        }
    }
}
