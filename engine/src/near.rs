//! `$near`: whether a place is within a distance of another, on a sphere with the earth's mean radius.
//!
//! The standard library's sine is not the same on all platforms, so this has its own: a Taylor polynomial over
//! plain IEEE arithmetic, off by less than 1e-14. Two places are compared by the chord between them; the error
//! is below a millimetre, where the earth's flattening makes up to 0.6 % of the distance.

use crate::decimal::Decimal;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// The earth's mean radius in kilometres.
const RADIUS: f64 = 6_371.008_8;

/// The largest coefficient's power is twice this and one: `(π/2)^23 / 23!` is below 1e-17.
const TERMS: u32 = 11;

/// All that lies within a distance of a place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Circle {
    /// The place as a point of the unit sphere.
    center: [f64; 3],
    /// The square of the longest chord between a place inside and the center.
    chord: f64,
}

impl Circle {
    /// A place by its latitude and longitude in degrees, and the distance in kilometres.
    pub(crate) fn new(latitude: f64, longitude: f64, kilometres: f64) -> Self {
        let half = kilometres / (2.0 * RADIUS);
        let chord = if half >= std::f64::consts::FRAC_PI_2 {
            f64::INFINITY
        } else {
            let sine = sine(half);
            4.0 * sine * sine
        };
        Self {
            center: point(latitude, longitude),
            chord,
        }
    }

    /// Whether a value is a place inside: an object with `lat` and `lon`, or `latitude` and `longitude`, as
    /// numbers or as texts of numbers.
    pub(crate) fn contains(&self, value: &Value) -> bool {
        let read = |names: [&str; 2]| names.iter().find_map(|name| degrees(value.get(name)));
        let (Some(latitude), Some(longitude)) = (read(["lat", "latitude"]), read(["lon", "longitude"]))
        else {
            return false;
        };
        if !(-90.0..=90.0).contains(&latitude) || !(-360.0..=360.0).contains(&longitude) {
            return false;
        }
        let other = point(latitude, longitude);
        let square = |axis: usize| (self.center[axis] - other[axis]) * (self.center[axis] - other[axis]);
        square(0) + square(1) + square(2) <= self.chord
    }
}

/// Edges tell coordinates as text. Of one with more than 15 digits, the last may be off: less than an atom's width.
fn degrees(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::String(text) => Decimal::read(text.trim()).map(Decimal::nearly),
        _ => None,
    }
}

fn point(latitude: f64, longitude: f64) -> [f64; 3] {
    let across = cosine_of_degrees(latitude);
    [
        across * cosine_of_degrees(longitude),
        across * sine_of_degrees(longitude),
        sine_of_degrees(latitude),
    ]
}

fn cosine_of_degrees(degrees: f64) -> f64 {
    sine_of_degrees(degrees + 90.0)
}

/// The sine of an angle between -450 and 450 degrees.
fn sine_of_degrees(degrees: f64) -> f64 {
    // To ±180, then to ±90, where the polynomial is good.
    let turned = if degrees > 180.0 {
        degrees - 360.0
    } else if degrees < -180.0 {
        degrees + 360.0
    } else {
        degrees
    };
    let folded = if turned > 90.0 {
        180.0 - turned
    } else if turned < -90.0 {
        -180.0 - turned
    } else {
        turned
    };
    sine(folded * (std::f64::consts::PI / 180.0))
}

/// The sine of an angle between -π/2 and π/2.
fn sine(angle: f64) -> f64 {
    let square = angle * angle;
    // Horner's scheme, from the smallest term on: x(1 − x²/2·3 (1 − x²/4·5 (…))).
    let mut sum = 1.0;
    for term in (1..=TERMS).rev() {
        let even = f64::from(2 * term);
        sum = 1.0 - square / (even * (even + 1.0)) * sum;
    }
    angle * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Object;

    fn place(latitude: f64, longitude: f64) -> Value {
        let mut object = Object::new();
        object.insert("lat", latitude);
        object.insert("lon", longitude);
        Value::Object(object)
    }

    #[test]
    fn the_sine_is_the_sine() {
        for step in -450..=450 {
            let degrees = f64::from(step);
            let expected = degrees.to_radians().sin();
            assert!((sine_of_degrees(degrees) - expected).abs() < 1e-14, "{step}");
        }
    }

    #[test]
    fn known_distances() {
        // Great-circle distances on the mean sphere, by the haversine formula.
        for (from, to, kilometres) in [
            ((48.86, 2.35), (51.51, -0.13), 343.6),
            ((0.0, 179.5), (0.0, -179.5), 111.195),
            ((0.0, 359.0), (0.0, -1.0), 0.0),
            ((90.0, 0.0), (-90.0, 77.0), 20_015.115),
            ((-33.87, 151.21), (40.71, -74.01), 15_989.0),
        ] {
            let place = place(to.0, to.1);
            let within = |distance: f64| Circle::new(from.0, from.1, distance).contains(&place);
            assert!(within(kilometres + 3.0), "{from:?} {to:?}");
            assert!(kilometres < 5.0 || !within(kilometres - 3.0), "{from:?} {to:?}");
        }
    }

    #[test]
    fn what_is_no_place_is_nowhere() {
        let earth = Circle::new(0.0, 0.0, 30_000.0);
        assert!(earth.contains(&place(-90.0, 180.0)));
        for value in [
            Value::Null,
            Value::from("0,0"),
            place(91.0, 0.0),
            place(f64::NAN, 0.0),
        ] {
            assert!(!earth.contains(&value), "{value:?}");
        }
    }
}
