//! What the worker's module exports for JavaScript that the worker has not.
//!
//! `worker` and the crates that it uses have classes for JavaScript. Their methods are exported, and with them stays
//! all that they call. The glue gives objects of most of these classes to nobody.

/// Whether an export is a method of a class of which the glue makes no object.
pub(super) fn is_unused(glue: &str) -> impl Fn(&str) -> bool {
    let classes: Vec<String> = glue
        .lines()
        .filter_map(class)
        .filter(|class| !glue.contains(&format!("{class}.__wrap(")))
        .map(str::to_lowercase)
        .collect();
    move |export| {
        let name = ["__wbg_get_", "__wbg_set_", "__wbg_"]
            .iter()
            .find_map(|prefix| export.strip_prefix(prefix))
            .unwrap_or(export);
        classes.iter().any(|class| {
            name.strip_prefix(class.as_str())
                .is_some_and(|member| member.starts_with('_'))
        })
    }
}

/// The class that a line of the glue begins.
fn class(line: &str) -> Option<&str> {
    let (name, value) = line.strip_prefix("var ")?.split_once(" = ")?;
    value.starts_with("class ").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_classes_without_objects_are_unused() {
        let glue = "var Range = class {\n};\nvar Source = class _Source {\n};\nvar first = () => 1;\n\
                    const ret = Source.__wrap(arg0);\n";
        let is_unused = is_unused(glue);
        for export in ["__wbg_range_free", "__wbg_get_range_from", "range_read"] {
            assert!(is_unused(export), "{export}");
        }
        for export in [
            "__wbg_source_free",
            "source_pull",
            "ranged",
            "range",
            "fetch",
            "memory",
            "first_",
        ] {
            assert!(!is_unused(export), "{export}");
        }
    }
}
