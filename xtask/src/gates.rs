//! `cargo xtask test`: every check and every test, counted.
//!
//! Nothing stops the run: what fails is counted, and the rest goes on. A check (format, lints,
//! documentation) counts as one test; so does a build that does not succeed.

use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::build::{self, Part};
use crate::process::{run, spelled};
use crate::report::{say, spoken, table};
use crate::stack::BUILT;
use crate::{fuzz, paths, setup};

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

impl Count {
    const PASSED: Self = Self { passed: 1, failed: 0 };
    const FAILED: Self = Self { passed: 0, failed: 1 };
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs everything; with `long` also what takes long.
pub fn test(long: bool) -> Result<ExitCode> {
    let mut run = Run::default();
    run.needed("set-up", setup::everything);
    let is_built = run.needed("builds", || build::build(&Part::ALL));
    run.check("format", cargo(&["fmt", "--all", "--check"]));
    run.check(
        "lints",
        cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    );
    let mut documentation = cargo(&["doc", "--workspace", "--no-deps"]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    run.check("documentation", documentation);

    let with_built = |mut command: Command| {
        if is_built {
            command.env(BUILT, "1");
        }
        command
    };
    run.tests(
        "tests",
        with_built(cargo(&["test", "--workspace", "--no-fail-fast"])),
    );
    run.counted("fuzz targets", || {
        fuzz::all(if long { fuzz::LONG } else { fuzz::SHORT })
    });
    if long {
        // The same properties over many more random logs, manifests and pages; optimised, or it would take hours.
        let mut properties = cargo(&[
            "test",
            "--release",
            "--package",
            "nearside-tests",
            "--package",
            "nearside-rewriter",
            "--test",
            "engine_oracle",
            "--test",
            "manifest_schema",
            "--test",
            "regex_v8",
            "--test",
            "dom_agreement",
            "--test",
            "plan",
            "--no-fail-fast",
        ]);
        properties.env("NEARSIDE_LONG", "1");
        run.tests("long tests", properties);
        let mut parity = with_built(cargo(&[
            "test",
            "--package",
            "nearside-tests",
            "--test",
            "end_to_end",
            "parity",
        ]));
        parity.env("NEARSIDE_LONG", "1");
        run.tests("10,000 sessions in three places", parity);
        // Fails when an answer is not whole or workerd's memory grows; its figures are for `bench load`.
        let load = [
            "run",
            "--release",
            "--package",
            "nearside-tests",
            "--bin",
            "bench-load",
        ];
        run.check("fifty visitors for a minute", with_built(cargo(&load)));
    }
    Ok(run.finish())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(paths::repository());
    command
}

/// A run in progress.
#[derive(Default)]
struct Run {
    total: Count,
    phases: Vec<(&'static str, Duration, Count)>,
}

impl Run {
    /// Something that the tests need; it is no test, but when it fails that counts.
    fn needed(&mut self, name: &'static str, make: impl FnOnce() -> Result<()>) -> bool {
        self.phase(name, || {
            make()?;
            Ok(Count::default())
        })
    }

    /// A command that passes or fails as a whole.
    fn check(&mut self, name: &'static str, mut command: Command) {
        self.phase(name, || {
            run(&mut command)?;
            Ok(Count::PASSED)
        });
    }

    /// A command that prints the results of cargo's test programs.
    fn tests(&mut self, name: &'static str, mut command: Command) {
        self.phase(name, || run_tests(&mut command, |line| say(line)));
    }

    /// Work that counts by itself.
    fn counted(&mut self, name: &'static str, work: impl FnOnce() -> Result<Count>) {
        self.phase(name, work);
    }

    /// Runs a phase and gives whether it went without an error.
    fn phase(&mut self, name: &'static str, work: impl FnOnce() -> Result<Count>) -> bool {
        say(format!("\n== {name}"));
        let started = Instant::now();
        let result = work();
        let is_ok = result.is_ok();
        let count = result.unwrap_or_else(|error| {
            say(format!("error: {name}: {error:#}"));
            Count::FAILED
        });
        self.total += count;
        self.phases.push((name, started.elapsed(), count));
        is_ok
    }

    /// Prints where the time went, and the result as the last line.
    fn finish(self) -> ExitCode {
        let mut rows = vec![["phase", "time", "passed", "failed"].map(str::to_owned).to_vec()];
        for (name, time, count) in &self.phases {
            rows.push(vec![
                (*name).to_owned(),
                spoken(*time),
                count.passed.to_string(),
                count.failed.to_string(),
            ]);
        }
        say(format!("\n{}", table(&rows)));
        let Count { passed, failed } = self.total;
        say(format!("{passed} passed, {failed} failed"));
        if failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Runs cargo's tests, passes each line of their output on, and adds up what each test program says.
fn run_tests(command: &mut Command, mut show: impl FnMut(&str)) -> Result<Count> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run `{}`", spelled(command)))?;
    let mut count = Count::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            // A test may print anything; a line that is not UTF-8 is no reason to stop.
            let line = String::from_utf8_lossy(&line);
            show(&line);
            if let Some(result) = result_of(&line) {
                count += result;
            }
        }
    }
    let status = child.wait()?;
    if !status.success() && count.failed == 0 {
        // It did not compile, or a test program ended without a result.
        show(&format!("error: `{}` failed ({status})", spelled(command)));
        count += Count::FAILED;
    }
    Ok(count)
}

/// Reads `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
fn result_of(line: &str) -> Option<Count> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |unit: &str| -> Option<u64> {
        let part = numbers
            .split("; ")
            .find_map(|part| part.trim().strip_suffix(unit))?;
        part.trim().parse().ok()
    };
    Some(Count {
        passed: number(" passed")?,
        failed: number(" failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_test_programs_are_read() {
        let line =
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(
            result_of(line),
            Some(Count {
                passed: 12,
                failed: 0
            })
        );
        let line = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(result_of(line), Some(Count { passed: 3, failed: 2 }));
        assert_eq!(result_of("test a ... ok"), None);
        assert_eq!(result_of("test result: of a kind"), None);
    }

    fn shell(script: &str) -> Count {
        // Not shown: a run of this very test would count the lines.
        run_tests(Command::new("sh").args(["-c", script]), |_| {}).unwrap()
    }

    #[test]
    fn results_are_added_up() {
        let one = "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'";
        let other = "echo 'test result: FAILED. 1 passed; 1 failed; 0 ignored'";
        assert_eq!(
            shell(&format!("{one}; {other}; exit 101")),
            Count { passed: 3, failed: 1 }
        );
    }

    #[test]
    fn a_test_program_that_gives_no_result_has_failed() {
        assert_eq!(shell("exit 101"), Count::FAILED);
        let crashed = "echo 'test result: ok. 2 passed; 0 failed; 0 ignored'; exit 101";
        assert_eq!(shell(crashed), Count { passed: 2, failed: 1 });
    }

    #[test]
    fn a_failure_does_not_stop_the_run() {
        let mut run = Run::default();
        assert!(!run.needed("builds", || anyhow::bail!("no compiler")));
        run.check("format", Command::new("true"));
        run.check("lints", Command::new("false"));
        assert_eq!(run.total, Count { passed: 1, failed: 2 });
    }
}
