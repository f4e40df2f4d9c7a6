//! Runs GrowthBook's `cases.json` against Nearside: each case is made a payload, imported, compiled, decided.
//!
//! What happens here is translation alone, of inputs and of results: the deciding is the engine's.

mod outcome;
mod sections;
mod visit;

use nearside_engine::value::Value;
use std::collections::BTreeMap;

/// Why a section is not run.
const NOT_OURS: [(&str, &str); 3] = [
    (
        "pruneCondition",
        "GrowthBook's servers cut conditions down to one visitor before they send them to a browser. Nothing is sent \
         for each visitor here: the edge decides before the page leaves it, and browsers load one compiled \
         program that is the same for all and cached for all",
    ),
    (
        "reducePayload",
        "it cuts a payload down to one visitor, for remote evaluation; see pruneCondition: the edge itself is the \
         remote evaluation, without a call for it",
    ),
    (
        "decrypt",
        "GrowthBook encrypts payloads because they come from its CDN to everybody. `nearside import growthbook` reads \
         the plain payload once, on your machine, and the program then comes from your own site",
    ),
];

/// What came of a file of cases.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// For each section that was run, how many cases passed, and how many failed.
    pub sections: BTreeMap<String, (usize, usize)>,
    /// A line for each case that failed.
    pub failures: Vec<String>,
    /// The sections that were not run: name, number of cases, reason.
    pub left_out: Vec<(String, usize, String)>,
}

impl Summary {
    /// How many cases passed and failed.
    pub fn totals(&self) -> (usize, usize) {
        self.sections.values().fold((0, 0), |total, section| {
            (total.0 + section.0, total.1 + section.1)
        })
    }
}

/// Runs all sections of a file of cases.
pub fn run(cases: &Value) -> Summary {
    let mut summary = Summary::default();
    let sections = cases.as_object().cloned().unwrap_or_default();
    for (name, section) in sections.iter() {
        match section {
            Value::Array(cases) => run_section(name, name, cases, &mut summary),
            // Newer sections hold sections of the kinds that there are.
            Value::Object(inner) => {
                for (kind, cases) in inner.iter() {
                    let cases = cases.as_array().unwrap_or_default();
                    run_section(&format!("{name}.{kind}"), kind, cases, &mut summary);
                }
            }
            _ => {}
        }
    }
    summary
}

fn run_section(name: &str, kind: &str, cases: &[Value], summary: &mut Summary) {
    let reason = NOT_OURS.iter().find(|(not_ours, _)| *not_ours == kind);
    if let Some((_, reason)) = reason {
        summary
            .left_out
            .push((name.to_owned(), cases.len(), (*reason).to_owned()));
        return;
    }
    let Some(run) = sections::runner(kind) else {
        let reason = "this runner does not know the section".to_owned();
        summary.left_out.push((name.to_owned(), cases.len(), reason));
        return;
    };
    let (mut passed, mut failed) = (0, 0);
    for case in cases {
        let parts = case.as_array().unwrap_or_default();
        match run(parts) {
            Ok(()) => passed += 1,
            Err(why) => {
                failed += 1;
                let label = serde_json::to_string(parts.first().unwrap_or(&Value::Null)).unwrap_or_default();
                summary.failures.push(format!("{name} {label}: {why}"));
            }
        }
    }
    summary.sections.insert(name.to_owned(), (passed, failed));
}
