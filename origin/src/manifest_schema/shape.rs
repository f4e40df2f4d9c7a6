//! What the derived schemas lack, and what they have too much.

use schemars::Schema;
use serde_json::{Value, json};

/// The members are given or left out: in these objects, `null` is a mistake.
pub(super) fn never_null(schema: &mut Schema) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(without_null);
    }
}

/// The same for one member.
pub(super) fn not_null(schema: &mut Schema) {
    let mut value = std::mem::take(schema).to_value();
    without_null(&mut value);
    if let Ok(made) = Schema::try_from(value) {
        *schema = made;
    }
}

fn without_null(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}

/// `double` and `uint` mean something to programs, and nothing to authors.
pub(super) fn without_format(schema: &mut Schema) {
    schema.remove("format");
}

/// Of two members, only one may be given.
pub(super) fn not_both(schema: &mut Schema, one: &str, other: &str) {
    let given = json!({"not": {"type": "null"}});
    schema.insert(
        "not".to_owned(),
        json!({"required": [one, other], "properties": {one: given, other: given}}),
    );
}

/// As is written in a condition that asks for nothing: at least one member must be given.
pub(super) fn not_empty(schema: &mut Schema) {
    schema.insert("minProperties".to_owned(), json!(1));
}
