//! The visitor's clock: `request.time`.
//!
//! Which zone the visitor is in, and when its clocks are changed, only hosts know; they say it as
//! `{"offset": 60, "changesAt": instant, "then": 120}`, in minutes that the clock is ahead of UTC.

use crate::facts::next_passing;
use crate::time::{DAY, HOUR, MINUTE, Timestamp};
use crate::value::Value;

/// No clock is further from UTC, in minutes.
const MAX_OFFSET: f64 = 1_440.0;

/// What the visitor's clock shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Minutes ahead of UTC.
    offset: i64,
    /// From an instant on, others.
    change: Option<(Timestamp, i64)>,
}

impl Clock {
    /// Reads what a host says of the visitor's time; `None` if that is nothing.
    pub(crate) fn read(time: &Value) -> Option<Self> {
        let minutes = |name: &str| {
            let number = time.get(name).as_f64();
            let number = number.filter(|number| number.abs() <= MAX_OFFSET);
            number.map(|number| number as i64)
        };
        let at = time.get("changesAt").as_f64();
        let at = at.filter(|at| *at >= 0.0).map(|at| at as Timestamp);
        Some(Self {
            offset: minutes("offset")?,
            change: at.zip(minutes("then")),
        })
    }

    fn offset(self, now: Timestamp) -> i64 {
        match self.change {
            Some((at, then)) if now >= at => then,
            _ => self.offset,
        }
    }

    /// The instant as the clock shows it, as milliseconds since its own 1970.
    fn local(self, now: Timestamp) -> Timestamp {
        now.saturating_add(self.offset(now) * MINUTE)
    }

    /// `hour` (0 to 23), `weekday` (1, Monday, to 7), or `offset`.
    pub(crate) fn part(self, name: &str, now: Timestamp) -> Option<f64> {
        let local = self.local(now);
        let number = match name {
            "hour" => local.rem_euclid(DAY) / HOUR,
            // 1970 began on a Thursday.
            "weekday" => (local.div_euclid(DAY) + 3).rem_euclid(7) + 1,
            "offset" => self.offset(now),
            _ => return None,
        };
        Some(number as f64)
    }

    /// The earliest instant after `now` at which a part, or its order to one of the numbers, changes, as long as
    /// the clocks are not changed.
    pub(crate) fn next_turn(self, name: &str, numbers: &[f64], now: Timestamp) -> Option<Timestamp> {
        let midnight = now.saturating_sub(self.local(now).rem_euclid(DAY));
        let tomorrow = midnight.saturating_add(DAY);
        match name {
            "hour" => next_passing(midnight, HOUR, numbers, now)
                .map(|at| at.min(tomorrow))
                .or(Some(tomorrow)),
            "weekday" => Some(tomorrow),
            _ => None,
        }
    }

    /// When the clocks are changed, if that is still to come.
    pub(crate) fn next_change(self, now: Timestamp) -> Option<Timestamp> {
        self.change.map(|(at, _)| at).filter(|at| *at > now)
    }
}

/// After how long a part has shown all that it can show.
pub(crate) fn period(name: &str) -> i64 {
    match name {
        "weekday" => 7 * DAY,
        _ => DAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Object;

    /// 2026-11-22, a Sunday, 23:30 in UTC.
    const LATE: Timestamp = 1_795_390_200_000;

    fn clock(offset: f64, change: Option<(Timestamp, f64)>) -> Clock {
        let mut time = Object::new();
        time.insert("offset", offset);
        if let Some((at, then)) = change {
            time.insert("changesAt", at as f64);
            time.insert("then", then);
        }
        Clock::read(&Value::Object(time)).unwrap()
    }

    #[test]
    fn parts() {
        for (offset, hour, weekday) in [
            (0.0, 23.0, 7.0),
            (60.0, 0.0, 1.0),
            (-480.0, 15.0, 7.0),
            (330.0, 5.0, 1.0),
        ] {
            let clock = clock(offset, None);
            let parts = ["hour", "weekday", "offset", "minute"].map(|name| clock.part(name, LATE));
            assert_eq!(parts, [Some(hour), Some(weekday), Some(offset), None]);
        }
        assert_eq!(clock(0.0, None).part("weekday", 0), Some(4.0));
        assert_eq!(clock(-60.0, None).part("hour", 0), Some(23.0));
    }

    #[test]
    fn turns() {
        let zone = clock(330.0, None);
        let next = |name, numbers: &[f64]| zone.next_turn(name, numbers, LATE);
        // It is 5:00 there.
        assert_eq!(next("hour", &[9.0]), Some(LATE + 4 * HOUR));
        assert_eq!(next("hour", &[5.0]), Some(LATE + HOUR));
        assert_eq!(next("hour", &[8.5, 4.0]), Some(LATE + 4 * HOUR));
        assert_eq!(
            next("hour", &[3.0, 99.0, -1.0, f64::INFINITY]),
            Some(LATE + 19 * HOUR)
        );
        assert_eq!(next("weekday", &[]), Some(LATE + 19 * HOUR));
        assert_eq!(next("offset", &[]), None);
    }

    #[test]
    fn clocks_are_changed() {
        let zone = clock(120.0, Some((LATE, 60.0)));
        assert_eq!(zone.part("hour", LATE - 1), Some(1.0));
        assert_eq!(zone.part("hour", LATE), Some(0.0));
        assert_eq!(zone.next_change(LATE - 1), Some(LATE));
        assert_eq!(zone.next_change(LATE), None);
    }

    #[test]
    fn what_is_no_time() {
        for (offset, is_time) in [(1_440.0, true), (1_441.0, false), (f64::NAN, false)] {
            let mut time = Object::new();
            time.insert("offset", offset);
            assert_eq!(Clock::read(&Value::Object(time)).is_some(), is_time);
        }
        assert_eq!(Clock::read(&Value::Null), None);
        let odd = clock(-1_440.0, Some((i64::MAX, 0.0)));
        odd.part("hour", i64::MIN);
        odd.next_turn("hour", &[1.0], i64::MIN);
        clock(1_440.0, None).next_turn("weekday", &[], i64::MAX);
    }
}
