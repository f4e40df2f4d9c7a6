//! What the visual editor changes in a page.

use super::{Import, object, text};
use nearside_engine::value::Value;

impl Import<'_> {
    /// The mutations of a variation.
    pub(super) fn mutations(&mut self, variation: &Value, path: &str) -> Vec<Value> {
        let mut mutations = Vec::new();
        let given = variation.get("domMutations").as_array().unwrap_or_default();
        for (index, given) in given.iter().enumerate() {
            let path = format!("{path}.domMutations[{index}]");
            match mutation(given) {
                Ok(found) => mutations.extend(found),
                Err(message) => self.warn(&path, message),
            }
        }
        if let Some(css) = text(variation.get("css")) {
            if css.to_ascii_lowercase().contains("</style") || css.contains("{{") {
                self.warn(
                    &format!("{path}.css"),
                    "these rules cannot be put into a `<style>`: they are left out",
                );
            } else {
                mutations.push(object([
                    ("op", Value::from("append")),
                    ("selector", Value::from("head")),
                    ("value", Value::from(format!("<style>{css}</style>"))),
                ]));
            }
        }
        if text(variation.get("js")).is_some() {
            self.warn(
                &format!("{path}.js"),
                "a variant runs no code of its own: put the script into the site, behind a feature",
            );
        }
        mutations
    }
}

fn mutation(given: &Value) -> Result<Vec<Value>, String> {
    let Some(selector) = text(given.get("selector")) else {
        return Err("a mutation without a selector is left out".to_owned());
    };
    let value = given.get("value").as_str().unwrap_or_default();
    if value.contains("{{") {
        return Err("`{{` begins a placeholder here: the mutation is left out".to_owned());
    }
    let make = |operation: &str, name: Option<&str>, value: Option<&str>| {
        let mut made = vec![
            ("op", Value::from(operation)),
            ("selector", Value::from(selector)),
        ];
        made.extend(name.map(|name| ("name", Value::from(name))));
        made.extend(value.map(|value| ("value", Value::from(value))));
        Value::Object(made.into_iter().collect())
    };
    let attribute = given.get("attribute").as_str().unwrap_or_default();
    let action = given.get("action").as_str().unwrap_or_default();
    Ok(match (attribute, action) {
        ("html", "set") => vec![make("html", None, Some(value))],
        ("html", "append") => vec![make("append", None, Some(value))],
        ("class", "append" | "remove") => {
            let operation = if action == "append" {
                "addClass"
            } else {
                "removeClass"
            };
            value
                .split_ascii_whitespace()
                .map(|class| make(operation, None, Some(class)))
                .collect()
        }
        ("position", _) => vec![movement(selector, given)?],
        ("html" | "", _) => return Err(format!("`{action}` is not known here: the mutation is left out")),
        (name, "set") => vec![make("attribute", Some(name), Some(value))],
        (name, "remove") => vec![make("removeAttribute", Some(name), None)],
        (name, _) => {
            return Err(format!(
                "`{action}` of `{name}` needs the value that the page has: the mutation is left out"
            ));
        }
    })
}

/// Elements go before another one, or to the end of a parent.
fn movement(selector: &str, given: &Value) -> Result<Value, String> {
    let before = text(given.get("insertBeforeSelector")).map(|before| (before, "before"));
    let within = text(given.get("parentSelector")).map(|parent| (parent, "append"));
    let (to, position) = before
        .or(within)
        .ok_or("`position` needs a `parentSelector`: the mutation is left out")?;
    Ok(object([
        ("op", Value::from("move")),
        ("selector", Value::from(selector)),
        ("to", Value::from(to)),
        ("position", Value::from(position)),
    ]))
}
