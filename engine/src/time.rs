//! Instants and durations, in milliseconds.

use std::fmt::Write;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Timestamp = i64;

/// One second in milliseconds.
pub const SECOND: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day in milliseconds.
pub const DAY: i64 = 24 * HOUR;

/// Longer durations are mistakes: ten years.
pub const LONGEST: i64 = 3_653 * DAY;

/// The latest instant that is taken from outside: the end of the year 9999.
const LATEST: Timestamp = 253_402_300_799_999;

/// Reads a duration such as `250ms`, `30s`, `15m`, `2h` or `7d`, in milliseconds; at most ten years.
pub fn parse_duration(text: &str) -> Option<i64> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: i64 = number.parse().ok()?;
    let unit = match unit {
        "ms" => 1,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    number
        .checked_mul(unit)
        .filter(|duration| *duration > 0 && *duration <= LONGEST)
}

/// Reads an instant as RFC 3339 writes it (`2026-11-21T10:00:00.250Z`, or with an offset).
///
/// A space in place of the `T` and a missing offset (taken as UTC) are accepted, as clients send them.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        Some(
            digits
                .iter()
                .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')),
        )
    };
    let is = |at: usize, any_of: &[u8]| bytes.get(at).is_some_and(|byte| any_of.contains(byte));
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    if !is(4, b"-") || !is(7, b"-") || !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let midnight = days_from_civil(year, month, day) * DAY;
    if bytes.len() == 10 {
        return Some(midnight);
    }
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !is(10, b"Tt ") || !is(13, b":") || !is(16, b":") || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    let mut milliseconds = 0;
    if is(at, b".,") {
        let start = at + 1;
        at = start;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        if at == start {
            return None;
        }
        for place in 0..3 {
            let digit = bytes
                .get(start + place)
                .filter(|_| start + place < at)
                .map_or(0, |d| i64::from(d - b'0'));
            milliseconds = milliseconds * 10 + digit;
        }
    }
    let offset = match bytes.get(at) {
        None => 0,
        Some(b'Z' | b'z') if at + 1 == bytes.len() => 0,
        Some(sign @ (b'+' | b'-')) => {
            let minutes_at = if is(at + 3, b":") { at + 4 } else { at + 3 };
            let offset = number(at + 1, at + 3)? * HOUR + number(minutes_at, minutes_at + 2)? * MINUTE;
            if bytes.len() != minutes_at + 2 {
                return None;
            }
            if *sign == b'+' { offset } else { -offset }
        }
        Some(_) => return None,
    };
    Some(midnight + hour * HOUR + minute * MINUTE + second * SECOND + milliseconds - offset)
}

/// Takes an instant from a number of milliseconds, if it lies between 1970 and 9999.
pub fn timestamp_from_number(number: f64) -> Option<Timestamp> {
    (number >= 0.0 && number <= LATEST as f64).then_some(number as Timestamp)
}

/// Writes an instant as RFC 3339 in UTC with milliseconds.
pub fn format_timestamp(timestamp: Timestamp) -> String {
    let mut text = String::new();
    write_timestamp(timestamp, &mut text);
    text
}

/// Appends what [`format_timestamp`] gives.
pub(crate) fn write_timestamp(timestamp: Timestamp, text: &mut String) {
    let timestamp = timestamp.clamp(0, LATEST);
    let (days, time) = (timestamp.div_euclid(DAY), timestamp.rem_euclid(DAY));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute) = (time / HOUR, time / MINUTE % 60);
    let (second, millisecond) = (time / SECOND % 60, time % SECOND);
    // Writing to a text does not fail.
    let _ = write!(
        text,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z"
    );
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`], from the same source.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(parse_duration("250ms"), Some(250));
        assert_eq!(parse_duration("15m"), Some(15 * MINUTE));
        assert_eq!(parse_duration("7d"), Some(7 * DAY));
        for wrong in [
            "",
            "d",
            "7",
            "7w",
            "-7d",
            "0s",
            "9999999d",
            "99999999999999999999s",
            "1 d",
            "é",
        ] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn timestamps() {
        assert_eq!(parse_timestamp("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            parse_timestamp("2026-11-21T10:00:00.25Z"),
            Some(1_795_255_200_250)
        );
        assert_eq!(
            parse_timestamp("2026-11-21T11:00:00.250+01:00"),
            Some(1_795_255_200_250)
        );
        assert_eq!(parse_timestamp("2026-11-21 10:00:00"), Some(1_795_255_200_000));
        assert_eq!(parse_timestamp("2024-02-29"), Some(1_709_164_800_000));
        for wrong in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-11-21T10:00:00.Z",
            "2026-11-21T10:00:00ZZ",
            "é026-11-21",
        ] {
            assert_eq!(parse_timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_survives() {
        for day in -200..146_500 {
            let (year, month, of_month) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, of_month), day);
        }
        assert_eq!(format_timestamp(1_795_255_200_250), "2026-11-21T10:00:00.250Z");
    }
}
