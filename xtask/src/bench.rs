//! `cargo xtask bench`: comparisons with peers, each a program of the tests crate.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::paths;
use crate::process::{output, run};
use crate::report::{say, table};

/// The programs that are comparisons start with this.
const PREFIX: &str = "bench-";

/// Runs one comparison, or all, and prints what each wrote to `target/bench/NAME.json`.
pub fn bench(name: Option<&str>) -> Result<()> {
    let available = available()?;
    let chosen: Vec<&String> = available
        .iter()
        .filter(|one| name.is_none_or(|name| name == *one))
        .collect();
    if chosen.is_empty() {
        let list = if available.is_empty() {
            "there are none yet".to_owned()
        } else {
            available.join(", ")
        };
        match name {
            Some(name) => bail!("there is no comparison `{name}`; known: {list}"),
            None => {
                bail!("no comparisons to run: {list} (they are programs `{PREFIX}NAME` of the tests crate)")
            }
        }
    }
    fs::create_dir_all(paths::artifacts().join("bench"))?;
    for name in chosen {
        let mut command = Command::new("cargo");
        let program = format!("{PREFIX}{name}");
        command
            .args([
                "run",
                "--release",
                "--package",
                "nearside-tests",
                "--bin",
                &program,
            ])
            .current_dir(paths::repository());
        run(&mut command)?;
        let file = paths::artifacts().join("bench").join(format!("{name}.json"));
        let text = fs::read_to_string(&file)
            .with_context(|| format!("{program} did not write {}", file.display()))?;
        let rows = rows(&serde_json::from_str(&text)?)
            .with_context(|| format!("{} does not have the shape of a comparison", file.display()))?;
        say(format!("\n{name}"));
        say(table(&rows).trim_end());
    }
    Ok(())
}

/// The names of the comparisons that the tests crate has.
fn available() -> Result<Vec<String>> {
    let mut command = Command::new("cargo");
    command
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(paths::repository());
    let metadata: Value = serde_json::from_str(&output(&mut command)?)?;
    Ok(comparisons(&metadata))
}

fn comparisons(metadata: &Value) -> Vec<String> {
    let list = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut names: Vec<String> = list(metadata, "packages")
        .iter()
        .filter(|package| package.get("name").and_then(Value::as_str) == Some("nearside-tests"))
        .flat_map(|package| list(package, "targets"))
        .filter_map(|target| {
            target
                .get("name")?
                .as_str()?
                .strip_prefix(PREFIX)
                .map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// The table of `[{"name", "ours", "peer", "peer_name", "unit", "ratio"}]`.
fn rows(comparison: &Value) -> Option<Vec<Vec<String>>> {
    let mut rows = vec![
        ["what", "ours", "peer", "unit", "ratio", "peer is"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for entry in comparison.as_array()? {
        let text = |name: &str| entry.get(name)?.as_str().map(str::to_owned);
        let number = |name: &str| entry.get(name)?.as_f64().map(|value| format!("{value:.2}"));
        let row = [
            text("name"),
            number("ours"),
            number("peer"),
            text("unit"),
            number("ratio"),
            text("peer_name"),
        ];
        rows.push(row.into_iter().collect::<Option<Vec<String>>>()?);
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comparisons_are_the_programs_of_the_tests_crate() {
        let target = |name: &str| json!({"name": name});
        let metadata = json!({"packages": [
            {"name": "nearside-tests", "targets": [target("bench-rewrite"), target("growthbook-spec")]},
            {"name": "other", "targets": [target("bench-foreign")]},
        ]});
        assert_eq!(comparisons(&metadata), ["rewrite"]);
    }

    #[test]
    fn a_comparison_without_a_ratio_is_not_printed_as_if_it_had_one() {
        let full = json!([{"name": "a", "ours": 1, "peer": 2, "peer_name": "p", "unit": "ms", "ratio": 0.5}]);
        assert_eq!(rows(&full).unwrap()[1], ["a", "1.00", "2.00", "ms", "0.50", "p"]);
        assert!(rows(&json!([{"name": "a"}])).is_none());
    }
}
