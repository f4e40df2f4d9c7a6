//! What must hold for a value: a constant, or operators.

use super::condition::MemberCondition;
use super::shape::never_null;
use super::text::{Comparable, GroupValue, Version};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// What must hold for a value: a constant that it equals, or operators.
#[derive(Debug)]
pub struct ValueTest;

/// What must hold for an item of a list, or for a value: a constant, operators, or a condition over its members.
#[derive(Debug)]
pub struct ElementTest;

impl JsonSchema for ValueTest {
    fn schema_name() -> Cow<'static, str> {
        "ValueTest".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let operators = generator.subschema_for::<Operators>();
        json_schema!({
            "description": "A constant that the value equals, or operators, all of which must hold.",
            // An object with any other member is a constant.
            "if": {"type": "object", "propertyNames": {"pattern": "^\\$"}},
            "then": operators,
            "properties": names_and_descriptions::<Operators>(generator),
        })
    }
}

impl JsonSchema for ElementTest {
    fn schema_name() -> Cow<'static, str> {
        "ElementTest".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let operators = generator.subschema_for::<Operators>();
        let members = generator.subschema_for::<MemberCondition>();
        json_schema!({
            "description": "A constant, operators, or a condition over the members of an object.",
            "if": {"type": "object"},
            "then": {"anyOf": [operators, members]},
            "properties": names_and_descriptions::<Operators>(generator),
        })
    }
}

/// The members of an object, which ask for nothing here: editors offer them while a name is still written.
fn names_and_descriptions<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    let schema = T::json_schema(generator).to_value();
    let properties = schema.get("properties").and_then(Value::as_object);
    let described = properties.into_iter().flatten().map(|(name, property)| {
        let description = property.get("description").cloned().unwrap_or_default();
        (name.clone(), json!({"description": description}))
    });
    Value::Object(described.collect::<Map<_, _>>())
}

/// Operators of a value, all of which must hold.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase", transform = operators)]
pub struct Operators {
    /// It is equal to this, and of the same type.
    #[schemars(rename = "$eq")]
    pub eq: Option<GroupValue>,
    /// It is not equal to this.
    #[schemars(rename = "$ne")]
    pub ne: Option<GroupValue>,
    /// It is less than this.
    #[schemars(rename = "$lt")]
    pub lt: Option<Comparable>,
    /// It is at most this.
    #[schemars(rename = "$lte")]
    pub lte: Option<Comparable>,
    /// It is more than this.
    #[schemars(rename = "$gt")]
    pub gt: Option<Comparable>,
    /// It is at least this.
    #[schemars(rename = "$gte")]
    pub gte: Option<Comparable>,
    /// It is at least the first, and at most the second.
    #[schemars(rename = "$between", length(min = 2, max = 2))]
    pub between: Option<Vec<Comparable>>,
    /// It is one of these; a list holds one of these.
    #[schemars(rename = "$in")]
    pub any_of: Option<Vec<GroupValue>>,
    /// It is none of these.
    #[schemars(rename = "$nin")]
    pub none_of: Option<Vec<GroupValue>>,
    /// It is one of these; upper and lower case are the same.
    #[schemars(rename = "$ini")]
    pub any_of_ignoring_case: Option<Vec<GroupValue>>,
    /// It is none of these; upper and lower case are the same.
    #[schemars(rename = "$nini")]
    pub none_of_ignoring_case: Option<Vec<GroupValue>>,
    /// It is in this group of the manifest.
    #[schemars(rename = "$inGroup")]
    pub in_group: Option<String>,
    /// It is not in this group of the manifest.
    #[schemars(rename = "$notInGroup")]
    pub not_in_group: Option<String>,
    /// `true`: it is there and not `null`. `false`: it is missing, or `null`.
    #[schemars(rename = "$exists")]
    pub exists: Option<bool>,
    /// It is of this type.
    #[schemars(rename = "$type")]
    pub of_type: Option<ValueType>,
    /// It is a list, and its length fits.
    #[schemars(rename = "$size")]
    pub size: Option<ValueTest>,
    /// It is a list, and at least one item fits.
    #[schemars(rename = "$elemMatch")]
    pub element: Option<ElementTest>,
    /// It is a list, and for each of these it has an item that fits.
    #[schemars(rename = "$all")]
    pub all: Option<Vec<ValueTest>>,
    /// As `$all`; upper and lower case are the same.
    #[schemars(rename = "$alli")]
    pub all_ignoring_case: Option<Vec<ValueTest>>,
    /// This does not hold.
    #[schemars(rename = "$not")]
    pub not: Option<ValueTest>,
    /// All of these hold.
    #[schemars(rename = "$and")]
    pub and: Option<Vec<ValueTest>>,
    /// At least one of these holds.
    #[schemars(rename = "$or")]
    pub or: Option<Vec<ValueTest>>,
    /// None of these holds.
    #[schemars(rename = "$nor")]
    pub nor: Option<Vec<ValueTest>>,
    /// It is text and begins with this.
    #[schemars(rename = "$startsWith")]
    pub starts_with: Option<TextTest>,
    /// It is text and ends with this.
    #[schemars(rename = "$endsWith")]
    pub ends_with: Option<TextTest>,
    /// It is text and contains this.
    #[schemars(rename = "$contains")]
    pub contains: Option<TextTest>,
    /// As `$startsWith`; upper and lower case are the same.
    #[schemars(rename = "$startsWithi")]
    pub starts_with_ignoring_case: Option<TextTest>,
    /// As `$endsWith`; upper and lower case are the same.
    #[schemars(rename = "$endsWithi")]
    pub ends_with_ignoring_case: Option<TextTest>,
    /// As `$contains`; upper and lower case are the same.
    #[schemars(rename = "$containsi")]
    pub contains_ignoring_case: Option<TextTest>,
    /// It fits this regular expression.
    #[schemars(rename = "$regex")]
    pub regex: Option<TextTest>,
    /// As `$regex`; upper and lower case are the same.
    #[schemars(rename = "$regexi")]
    pub regex_ignoring_case: Option<TextTest>,
    /// It is this version.
    #[schemars(rename = "$veq")]
    pub version_eq: Option<Version>,
    /// It is another version than this.
    #[schemars(rename = "$vne")]
    pub version_ne: Option<Version>,
    /// It is an earlier version than this.
    #[schemars(rename = "$vlt")]
    pub version_lt: Option<Version>,
    /// It is this version or an earlier one.
    #[schemars(rename = "$vlte")]
    pub version_lte: Option<Version>,
    /// It is a later version than this.
    #[schemars(rename = "$vgt")]
    pub version_gt: Option<Version>,
    /// It is this version or a later one.
    #[schemars(rename = "$vgte")]
    pub version_gte: Option<Version>,
    /// It is a place within some distance of another.
    #[schemars(rename = "$near")]
    pub near: Option<Near>,
}

/// `null` is a constant to be equal to, and an operand of nothing else.
fn operators(schema: &mut Schema) {
    let equals: Vec<(&str, Option<Value>)> = ["$eq", "$ne"]
        .map(|name| (name, schema.pointer(&format!("/properties/{name}")).cloned()))
        .into();
    never_null(schema);
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let equals = equals.into_iter();
        properties.extend(equals.filter_map(|(name, schema)| Some((name.to_owned(), schema?))));
    }
}

/// Text that is looked for.
pub type TextTest = String;

/// The type of a value.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase", inline)]
pub enum ValueType {
    /// Text.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
    /// `null`.
    Null,
    /// Missing.
    Undefined,
}

/// A place and a distance.
#[derive(Debug, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Near {
    /// The latitude in degrees.
    #[schemars(range(min = -90, max = 90))]
    pub lat: f64,
    /// The longitude in degrees.
    #[schemars(range(min = -180, max = 180))]
    pub lon: f64,
    /// The largest distance in kilometres.
    #[schemars(range(min = 0, max = 30_000))]
    pub km: f64,
}
