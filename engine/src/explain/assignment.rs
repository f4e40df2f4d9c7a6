//! How a variant was assigned: whom the hash was about, where they are, and what that place gives.

use super::Asked;
use super::condition::brief;
use crate::assign::fraction;
use crate::assignment::{Unit, unit_of};
use crate::program::Assignment;
use crate::value::{Object, Value};

/// Adds what the assignment read.
pub(super) fn insert(object: &mut Object, asked: &Asked<'_>, assignment: &Assignment) {
    if !assignment.hashes {
        return;
    }
    let units = std::iter::once(&assignment.unit).chain(&assignment.fallback);
    let found = units
        .filter_map(|unit| {
            Some((
                unit,
                unit_of(unit, asked.context, &asked.reading, &mut None)?.into_owned(),
            ))
        })
        .next();
    let mut bucket = Object::new();
    match found {
        None => bucket.insert("of", Value::Null),
        Some((unit, value)) => {
            let of = match unit {
                Unit::Visitor => "visitor".to_owned(),
                Unit::Attribute(path) => path.join("."),
            };
            bucket.insert("of", of);
            bucket.insert("value", brief(&Value::from(value.as_str())));
            bucket.insert("place", fraction(assignment.seed.bucket(&value)));
            if let Some((seed, share)) = &assignment.holdout {
                let mut holdout = Object::new();
                holdout.insert("share", *share);
                holdout.insert("place", fraction(seed.bucket(&value)));
                object.insert("holdout", holdout);
            }
        }
    }
    let traffic = assignment.traffic_at(asked.now);
    bucket.insert("traffic", traffic);
    let ranges = assignment.shares.iter().map(|share| {
        let (start, end) = share.range(traffic);
        Value::Array(vec![Value::Number(start), Value::Number(end)])
    });
    bucket.insert("ranges", ranges.collect::<Vec<_>>());
    bucket.insert("sticky", assignment.sticky.is_some());
    bucket.insert("filters", assignment.filters.len() as f64);
    object.insert("bucket", bucket);
}
