//! The attributes that a condition may ask for, by the forms of their paths.

use super::quantity::Quantity;
use super::text::Number;
use super::value_test::ValueTest;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// Attributes whose names are the site's own: parameters of the address, traits, scores, affinities.
#[derive(Debug)]
pub struct Attributes;

impl JsonSchema for Attributes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Attributes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<ValueTest>();
        let number = generator.subschema_for::<Quantity<Number>>();
        json_schema!({
            "type": "object",
            "patternProperties": {
                r"^request\.(query|utm)\.[^.]+$": value,
                r"^profile\.consent\.[^.]+$": value,
                r"^session\.campaign\.[^.]+$": value,
                r"^profile\.traits(\.[^.]+)+$": value,
                r"^score\.[^.]+$": number,
                r"^affinity\.[^.]+\.(top|second)$": value,
                r"^affinity\.[^.]+\.weight(\.[^.]+)+$": number,
            },
        })
    }
}
