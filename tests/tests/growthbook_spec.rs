//! GrowthBook's own cases, from the package of its Rust SDK, pass as the committed counts say.

use nearside_tests::growthbook_spec::run;
use std::fmt::Write;

/// For each section how many cases there are; all of them pass. A section that is not run has its own word.
const EXPECTED: &str = include_str!("growthbook_spec.txt");

#[test]
fn all_of_growthbook_s_cases_that_are_ours_pass() {
    let path = xtask::setup::growthbook_cases().unwrap();
    let cases = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let summary = run(&cases);
    assert_eq!(summary.failures, Vec::<String>::new());
    let mut counts = String::new();
    for (section, (passed, _)) in &summary.sections {
        writeln!(counts, "{section} {passed}").unwrap();
    }
    for (section, cases, _) in &summary.left_out {
        writeln!(counts, "{section} {cases} not run").unwrap();
    }
    assert_eq!(counts, EXPECTED);
}

/// A runner that lets everything pass would not be noticed otherwise.
#[test]
fn a_case_that_expects_something_else_fails() {
    let cases = r#"{
        "evalCondition": [["right", {"a": 1}, {"a": 1}, true], ["wrong", {"a": 1}, {"a": 2}, true]],
        "hash": [["seed", "a", 2, 0.0505], ["seed", "a", 2, 0.0506]],
        "feature": [["wrong", {"features": {"f": {"defaultValue": 1}}}, "f", {"value": 2}]],
        "pruneCondition": [["not ours", {}, {}, true]],
        "somethingNew": [[]]}"#;
    let summary = run(&serde_json::from_str(cases).unwrap());
    assert_eq!(summary.totals(), (2, 3));
    assert_eq!(summary.failures.len(), 3);
    assert_eq!(
        summary.failures[1],
        "feature \"wrong\": expected {\"value\":2}, found {\"off\":false,\"on\":true,\"ruleId\":\"\",\"source\":\"defaultValue\",\"value\":1}"
    );
    let left_out: Vec<&str> = summary.left_out.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(left_out, ["pruneCondition", "somethingNew"]);
}
