//! The places that `:nth-child()` tells, as in `2n+1` (<https://drafts.csswg.org/css-syntax/#anb-microsyntax>).

/// Every place `step` × n + `offset`, with n from zero on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Nth {
    pub(crate) step: i32,
    pub(crate) offset: i32,
}

impl Nth {
    pub(crate) const FIRST: Self = Self { step: 0, offset: 1 };

    /// Whether a place, counted from one, is one of them; zero, which is no place, never is.
    pub(crate) fn has(self, place: u32) -> bool {
        if place == 0 {
            return false;
        }
        let beyond = i64::from(place) - i64::from(self.offset);
        match i64::from(self.step) {
            0 => beyond == 0,
            step => beyond % step == 0 && beyond / step >= 0,
        }
    }

    /// Reads what stands between the parentheses; `None` if it is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim_ascii().to_ascii_lowercase();
        match &*text {
            "odd" => return Some(Self { step: 2, offset: 1 }),
            "even" => return Some(Self { step: 2, offset: 0 }),
            _ => {}
        }
        let Some((step, offset)) = text.split_once('n') else {
            let offset = number(&text)?;
            return Some(Self { step: 0, offset });
        };
        let step = match step {
            "" | "+" => 1,
            "-" => -1,
            step => number(step)?,
        };
        let offset = offset.trim_ascii_start();
        let offset = match offset.chars().next() {
            None => 0,
            Some(sign @ ('+' | '-')) => {
                let digits = offset.get(1..)?.trim_ascii_start();
                if digits.starts_with(['+', '-']) {
                    return None;
                }
                let offset = number(digits)?;
                if sign == '-' { -offset } else { offset }
            }
            Some(_) => return None,
        };
        Some(Self { step, offset })
    }
}

/// A whole number; one that is larger than any page is cut.
fn number(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse().unwrap_or(i32::MAX);
    Some(if text.starts_with('-') { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let places = |text: &str| -> Option<Vec<u32>> {
            let nth = Nth::read(text)?;
            Some((1..=7).filter(|place| nth.has(*place)).collect())
        };
        for (text, expected) in [
            ("odd", &[1, 3, 5, 7][..]),
            (" EVEN ", &[2, 4, 6]),
            ("3", &[3]),
            ("+3", &[3]),
            ("-3", &[]),
            ("0", &[]),
            ("n", &[1, 2, 3, 4, 5, 6, 7]),
            ("2n", &[2, 4, 6]),
            ("2n+1", &[1, 3, 5, 7]),
            ("2N + 5", &[5, 7]),
            ("3n-1", &[2, 5]),
            ("3n - 1", &[2, 5]),
            ("-n+3", &[1, 2, 3]),
            ("-2n+5", &[1, 3, 5]),
            ("+n", &[1, 2, 3, 4, 5, 6, 7]),
            ("0n+2", &[2]),
            ("99999999999", &[]),
        ] {
            assert_eq!(places(text).as_deref(), Some(expected), "{text}");
        }
        for none in [
            "",
            "x",
            "2x",
            "+ 3",
            "2n 1",
            "2n+-1",
            "n+",
            "- n",
            "2n+1 of p",
            "1.5",
            "n2",
            "2n\u{e9}",
        ] {
            assert_eq!(places(none), None, "{none}");
        }
    }
}
