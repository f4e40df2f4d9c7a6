//! The shape of a manifest, as types that its JSON Schema is generated from.
//!
//! The schema is for editors: they complete and describe what an author writes, and mark most mistakes while
//! it is written. What a manifest means, `nearside_engine::compile` alone decides; tests hold the two against
//! each other. The docs of the members become the descriptions that editors show.

mod aging;
mod assignment;
mod attributes;
mod condition;
mod events;
mod experience;
mod feature;
mod manifest;
mod mutation;
mod quantity;
mod score;
mod sequence;
mod shape;
mod text;
mod value_test;

pub use aging::{AgingAttribute, StaleDefault, StaleWord, WhenStale};
pub use assignment::{
    AssignmentFilter, HashVersion, QueryOverride, Stickiness, StickyVersions, Traffic, TrafficStep,
};
pub use attributes::Attributes;
pub use condition::{Condition, EventCondition, FeatureTest, Held, MemberCondition};
pub use events::{AgoTest, Event, EventMeasure, EventType, Events, FirstOrLast, Scope, ValueOfEvent};
pub use experience::{Experience, Kind, PagePattern, Schedule, Status, Variant};
pub use feature::{Feature, FeatureVariant, Rule};
pub use manifest::{Consent, Manifest, Segment, Site, TraitSharing};
pub use mutation::{
    AddressChange, Change, Image, Meta, Movement, Mutation, NamedChange, NamedRemoval, Position, Redirect,
    Removal, Title,
};
pub use quantity::{Quantity, QuantityOperators};
pub use score::{Affinity, EventWithPoints, Score};
pub use sequence::{NotStep, Sequence, Step, Steps};
pub use text::{
    Comparable, Duration, EventPath, GroupValue, Instant, Number, PathOfDecision, ProfilePath, Share, Version,
};
pub use value_test::{ElementTest, Near, Operators, TextTest, ValueTest, ValueType};

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

/// The JSON Schema (draft 2020-12) of a manifest.
pub fn manifest_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(shape::without_format));
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Manifest>()
        .to_value();
    // The same text, whatever else is built along with this crate.
    schema.sort_all_objects();
    schema
}

/// The schema as the text of a file.
///
/// # Errors
/// None that is known of: a schema has no value that JSON cannot write.
pub fn manifest_schema_text() -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&manifest_schema())? + "\n")
}

#[cfg(test)]
mod tests;
