//! Groups: named lists of values for `$inGroup`.

use super::Compiler;
use super::value_operator::near_name;
use super::warning::{Place, Report};
use crate::value::Value;
use crate::value_tests::Set;

/// More of either are a mistake.
const MAX_GROUPS: usize = 10_000;
const MAX_ENTRIES: usize = 1_000_000;

pub(super) fn compile(compiler: &mut Compiler, value: &Value, place: &Place<'_>, report: &mut Report) {
    let groups = match value {
        Value::Null => return,
        Value::Object(groups) if groups.len() <= MAX_GROUPS => groups,
        Value::Object(_) => return report.error(place, format!("more than {MAX_GROUPS} groups")),
        _ => return report.error(place, "expected an object of groups by name: lists of values"),
    };
    let mut entries = 0;
    for (name, group) in groups.iter() {
        let place = &place.member(name);
        compiler.group_names.insert(name.to_owned());
        let Some(values) = group.as_array() else {
            report.error(place, "expected a list of values");
            continue;
        };
        entries += values.len();
        if entries > MAX_ENTRIES {
            return report.error(place, format!("the groups have more than {MAX_ENTRIES} values"));
        }
        if let Some(index) = values
            .iter()
            .position(|value| matches!(value, Value::Array(_) | Value::Object(_)))
        {
            report.error(
                &place.item(index),
                "a group holds texts, numbers, `true`, `false` and `null`",
            );
            continue;
        }
        let index = compiler.program.groups.len();
        compiler.program.groups.push(Set::new(values, false));
        if let Ok(index) = u16::try_from(index) {
            compiler.group_places.insert(name.to_owned(), index);
        }
    }
}

impl Compiler {
    /// The place of a group; `None` after an error.
    pub(super) fn group(&self, name: &str, place: &Place<'_>, report: &mut Report) -> Option<u16> {
        let found = self.group_places.get(name).copied();
        if found.is_none() {
            let message = if self.group_names.contains(name) {
                format!("the group `{name}` has a mistake of its own")
            } else {
                let near = if report.may_compare(self.group_names.len()) {
                    near_name(name, self.group_names.iter())
                } else {
                    String::new()
                };
                format!("there is no group `{name}`{near}")
            };
            report.error(place, message);
        }
        found
    }
}
