//! `cargo xtask fuzz`: runs the fuzz targets of `tests/fuzz` under libFuzzer.
//!
//! The fuzzer is a crate, and what it needs of the compiler is LLVM's own coverage pass, which a stable compiler
//! has too: no nightly, no tool to install but a C++ compiler. There is no address sanitizer: the engine has no
//! unsafe code, and what goes wrong in it is a panic, an overflow (both are on), time, or memory.
//!
//! What a run has learned is kept in `target/fuzz/corpus/NAME`, and the next one goes on from there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::gates::Count;
use crate::process::{output, run};
use crate::report::{say, table};
use crate::{paths, setup};

/// What the compiler adds, so that the fuzzer sees which edges an input reaches and what is compared with what.
/// These are `cargo fuzz`'s own.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// How long targets run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many inputs, the same ones each time: what `cargo xtask test` says must not depend on luck.
    Inputs(u64),
    /// So many seconds, each time with other inputs.
    Seconds(u64),
}

/// How long each target runs in `cargo xtask test`.
pub const SHORT: Length = Length::Inputs(2_000);
/// How long each target runs in `cargo xtask test --long`.
pub const LONG: Length = Length::Seconds(600);

/// No input is longer; most targets take less.
const MAX_LENGTH: usize = 8_192;
/// An input that takes longer is a finding, in seconds.
const TIMEOUT: u64 = 25;
/// A run that takes more memory is a finding, in megabytes.
const MEMORY: u64 = 1_024;

/// What to fuzz, and for how long.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The targets to run; all of them when none is named
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// A folder of further inputs to start from
    #[arg(long)]
    with: Option<PathBuf>,
    /// Run this input alone, and show what it does
    #[arg(long, conflicts_with = "with")]
    input: Option<PathBuf>,
}

/// Runs what the command line asks for.
pub fn fuzz(options: &Options) -> Result<ExitCode> {
    let known = targets()?;
    if let Some(unknown) = options.targets.iter().find(|name| !known.contains(name)) {
        bail!("there is no target `{unknown}`; known: {}", known.join(", "));
    }
    let chosen = if options.targets.is_empty() {
        &known
    } else {
        &options.targets
    };
    let fuzzer = Fuzzer::build()?;
    if let Some(input) = &options.input {
        let [target] = chosen.as_slice() else {
            bail!("name the one target that the input is for");
        };
        run(fuzzer.command(target).arg(input))?;
        return Ok(ExitCode::SUCCESS);
    }
    let count = fuzzer.run(chosen, Length::Seconds(options.seconds), options.with.as_deref())?;
    Ok(if count.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Runs each target; each counts as a test.
pub(crate) fn all(length: Length) -> Result<Count> {
    Fuzzer::build()?.run(&targets()?, length, None)
}

/// The names of the targets: each has a folder of seeds.
fn targets() -> Result<Vec<String>> {
    let folder = seeds();
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn seeds() -> PathBuf {
    paths::repository().join("tests").join("fuzz").join("seeds")
}

/// What is kept from run to run, and what runs say.
fn work() -> PathBuf {
    paths::artifacts().join("fuzz")
}

/// The built fuzzer.
struct Fuzzer {
    program: PathBuf,
}

/// How a target's run went.
struct Outcome {
    target: String,
    executions: String,
    coverage: String,
    finding: Option<String>,
}

impl Fuzzer {
    fn build() -> Result<Self> {
        setup::cxx()?;
        let host = host()?;
        let mut command = Command::new("cargo");
        // With a target, what runs while building (procedural macros) is not instrumented.
        command
            .args(["build", "--package", "nearside-fuzz", "--bin", "nearside-fuzz"])
            .args(["--features", "libfuzzer", "--profile", "fuzz", "--target", &host])
            .env("RUSTFLAGS", COVERAGE.join(" "))
            .current_dir(paths::repository());
        run(&mut command)?;
        let mut made = Command::new("cargo");
        made.args([
            "run",
            "--quiet",
            "--package",
            "nearside-fuzz",
            "--bin",
            "made-seeds",
            "--",
        ])
        .arg(work().join("made"))
        .current_dir(paths::repository());
        run(&mut made)?;
        let program = paths::cargo_target()
            .join(host)
            .join("fuzz")
            .join("nearside-fuzz");
        Ok(Self { program })
    }

    fn command(&self, target: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("NEARSIDE_FUZZ", target)
            .arg(format!("-timeout={TIMEOUT}"))
            .arg(format!("-rss_limit_mb={MEMORY}"))
            .arg(format!("-max_len={MAX_LENGTH}"))
            .arg(format!("-artifact_prefix={}/{target}-", work().display()))
            .arg("-print_final_stats=1");
        command
    }

    /// Runs the targets, as many at a time as there are processors.
    fn run(&self, targets: &[String], length: Length, with: Option<&Path>) -> Result<Count> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let waiting = Mutex::new(targets.iter());
        let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
        let work = || -> Result<Vec<Outcome>> {
            let mut outcomes = Vec::new();
            while let Some(target) = next() {
                let outcome = self.run_one(target, length, with)?;
                match &outcome.finding {
                    None => say(format!("{target}: {} executions, no finding", outcome.executions)),
                    Some(finding) => say(format!("error: {target}: {finding}")),
                }
                outcomes.push(outcome);
            }
            Ok(outcomes)
        };
        let mut outcomes = Vec::new();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                match worker.join() {
                    Ok(found) => outcomes.extend(found?),
                    Err(_) => bail!("a thread that runs targets has panicked"),
                }
            }
            Ok(())
        })?;
        outcomes.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(report(&outcomes))
    }

    fn run_one(&self, target: &str, length: Length, with: Option<&Path>) -> Result<Outcome> {
        let folder = match length {
            Length::Seconds(_) => work().join("corpus").join(target),
            Length::Inputs(_) => {
                // What earlier runs found would change what is tried.
                let folder = work().join("short").join(target);
                if folder.exists() {
                    fs::remove_dir_all(&folder)
                        .with_context(|| format!("cannot empty {}", folder.display()))?;
                }
                folder
            }
        };
        let arguments = match length {
            Length::Seconds(seconds) => vec![format!("-max_total_time={seconds}")],
            Length::Inputs(inputs) => vec![format!("-runs={inputs}"), "-seed=1".to_owned()],
        };
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let log = work().join(format!("{target}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = self.command(target);
        command
            .args(arguments)
            .arg(&folder)
            .arg(seeds().join(target))
            .arg(work().join("made").join(target))
            .args(with)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let status = command
            .status()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let finding = (!status.success()).then(|| {
            format!(
                "{status}\n{}\n(all of it is in {})",
                finding(&said),
                log.display()
            )
        });
        Ok(Outcome {
            target: target.to_owned(),
            executions: executions(&said),
            coverage: coverage(&said),
            finding,
        })
    }
}

/// The compiler's own platform.
fn host() -> Result<String> {
    let said = output(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}

/// Prints a line for each target, and counts.
fn report(outcomes: &[Outcome]) -> Count {
    let mut rows = vec![
        ["target", "executions", "edges", "findings"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut count = Count::default();
    for outcome in outcomes {
        let found = u64::from(outcome.finding.is_some());
        count.failed += found;
        count.passed += 1 - found;
        rows.push(vec![
            outcome.target.clone(),
            outcome.executions.clone(),
            outcome.coverage.clone(),
            found.to_string(),
        ]);
    }
    say(format!("\n{}", table(&rows).trim_end()));
    count
}

/// The number in `stat::number_of_executed_units: 123`.
fn executions(said: &str) -> String {
    said.lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .map_or_else(|| "?".to_owned(), |number| number.trim().to_owned())
}

/// The last number after `cov:`: how many edges of the code were reached.
fn coverage(said: &str) -> String {
    said.lines()
        .rev()
        .find_map(|line| line.split_once(" cov: "))
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .unwrap_or("?")
        .to_owned()
}

/// What is worth reading of a run that found something: the panic, what libFuzzer says, and where the input is.
fn finding(said: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut after_panic = 0;
    for line in said.lines() {
        if line.contains("panicked at") {
            after_panic = 4;
        }
        let is_told = line.contains("ERROR: libFuzzer") || line.contains("Test unit written");
        if after_panic > 0 || is_told {
            // A state that is not what it should be is told in many thousand characters.
            let end = line.char_indices().nth(400).map_or(line.len(), |(end, _)| end);
            lines.extend(line.get(..end));
        }
        after_panic = usize::saturating_sub(after_panic, 1);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "#2\tINITED cov: 40 ft: 41 corp: 1/1b exec/s: 0 rss: 27Mb\n\
        #9\tNEW    cov: 1234 ft: 104 corp: 59/2047b lim: 4096 exec/s: 9 rss: 27Mb\n\
        thread '<unnamed>' (7) panicked at tests/fuzz/src/drive.rs:122:5:\n\
        assertion failed: x\n\
        stack backtrace:\n\
        \x20  0: a\n\
        \x20  1: b\n\
        ==7== ERROR: libFuzzer: deadly signal\n\
        artifact_prefix='/x/'; Test unit written to /x/crash-1\n\
        stat::number_of_executed_units: 5678\n";

    #[test]
    fn what_the_fuzzer_says_is_read() {
        assert_eq!(executions(SAID), "5678");
        assert_eq!(coverage(SAID), "1234");
        let found = finding(SAID);
        assert!(
            found.contains("assertion failed: x") && found.contains("crash-1"),
            "{found}"
        );
        assert!(!found.contains("1: b"), "{found}");
        assert_eq!((executions(""), coverage("")), ("?".into(), "?".into()));
    }

    #[test]
    fn every_target_has_a_folder() {
        let targets = targets().unwrap();
        assert!(targets.iter().any(|name| name == "manifest"), "{targets:?}");
    }
}
