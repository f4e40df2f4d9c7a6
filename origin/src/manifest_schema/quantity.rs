//! Tests of numbers and of lengths of time.

use super::shape::{never_null, not_empty};
use schemars::JsonSchema;

/// A value to be equal to, or operators that compare with values.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, rename = "{T}Quantity")]
pub enum Quantity<T> {
    /// The value that it must be equal to.
    Equal(T),
    /// Operators, all of which must hold.
    Operators(QuantityOperators<T>),
}

/// Operators that compare with values; all of them must hold.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "{T}Operators", transform = never_null, transform = not_empty)]
pub struct QuantityOperators<T> {
    /// It is equal to this.
    #[schemars(rename = "$eq")]
    pub eq: Option<T>,
    /// It is not equal to this.
    #[schemars(rename = "$ne")]
    pub ne: Option<T>,
    /// It is less than this.
    #[schemars(rename = "$lt")]
    pub lt: Option<T>,
    /// It is at most this.
    #[schemars(rename = "$lte")]
    pub lte: Option<T>,
    /// It is more than this.
    #[schemars(rename = "$gt")]
    pub gt: Option<T>,
    /// It is at least this.
    #[schemars(rename = "$gte")]
    pub gte: Option<T>,
    /// It is one of these.
    #[schemars(rename = "$in")]
    pub any_of: Option<Vec<T>>,
    /// It is none of these.
    #[schemars(rename = "$nin")]
    pub none_of: Option<Vec<T>>,
    /// It is at least the first, and at most the second.
    #[schemars(rename = "$between", length(min = 2, max = 2))]
    pub between: Option<Vec<T>>,
    /// This does not hold.
    #[schemars(rename = "$not")]
    pub not: Option<Box<Quantity<T>>>,
    /// All of these hold.
    #[schemars(rename = "$and")]
    pub and: Option<Vec<Quantity<T>>>,
    /// At least one of these holds.
    #[schemars(rename = "$or")]
    pub or: Option<Vec<Quantity<T>>>,
    /// None of these holds.
    #[schemars(rename = "$nor")]
    pub nor: Option<Vec<Quantity<T>>>,
}
