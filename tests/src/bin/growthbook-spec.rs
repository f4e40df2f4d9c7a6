//! `growthbook-spec FILE`: runs GrowthBook's `cases.json` against Nearside.

#![expect(clippy::print_stdout, reason = "the program is for what it prints")]

use nearside_tests::growthbook_spec::run;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        println!("usage: growthbook-spec FILE");
        return ExitCode::from(2);
    };
    let cases = std::fs::read(&path).map_err(|error| error.to_string());
    let cases = cases.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()));
    let summary = match cases {
        Ok(cases) => run(&cases),
        Err(error) => {
            println!("cannot read {}: {error}", path.display());
            return ExitCode::from(2);
        }
    };
    for failure in &summary.failures {
        println!("{failure}");
    }
    for (section, (passed, failed)) in &summary.sections {
        println!("{section}: {passed} passed, {failed} failed");
    }
    for (section, cases, reason) in &summary.left_out {
        println!("{section}: {cases} cases not run: {reason}");
    }
    let (passed, failed) = summary.totals();
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}
