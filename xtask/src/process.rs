//! Running other programs to their end.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// How many bytes of a log an error shows.
const TAIL_BYTES: u64 = 2_500;

/// The program of that name on `PATH`.
pub fn find_on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// `PATH` with `folders` before everything else.
pub fn path_with(folders: &[&Path]) -> Result<std::ffi::OsString> {
    let current = env::var_os("PATH").unwrap_or_default();
    let all = folders
        .iter()
        .map(|folder| folder.to_path_buf())
        .chain(env::split_paths(&current));
    env::join_paths(all).context("a folder's name has a character that PATH cannot hold")
}

/// A command line as a person would type it, for messages.
pub fn spelled(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Runs a command and gives its standard output, trimmed; an error holds what it said.
pub fn output(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run `{}`", spelled(command)))?;
    if !status.success() {
        bail!(
            "`{}` failed ({status}): {}",
            spelled(command),
            String::from_utf8_lossy(&stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// Runs a command with its output shown.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run `{}`", spelled(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", spelled(command));
    }
    Ok(())
}

/// Runs a command with its output in `log`; an error shows the log's end.
pub fn run_logged(command: &mut Command, log: &Path) -> Result<()> {
    let mut child = spawn_logged(command, log)?;
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for `{}`", spelled(command)))?;
    if !status.success() {
        bail!(
            "`{}` failed ({status}); the end of {}:\n{}",
            spelled(command),
            log.display(),
            tail(log)
        );
    }
    Ok(())
}

/// Like [`run_logged`], but ends the command when it takes longer than `limit`.
pub fn run_logged_within(command: &mut Command, log: &Path, limit: Duration) -> Result<()> {
    let mut child = spawn_logged(command, log)?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(());
            }
            bail!("`{}` failed ({status}): {}", spelled(command), tail(log).trim());
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!(
                "`{}` gave no result within {} s",
                spelled(command),
                limit.as_secs()
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn spawn_logged(command: &mut Command, log: &Path) -> Result<Child> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("cannot run `{}`", spelled(command)))
}

/// The end of a log file, or a note that it cannot be read.
pub fn tail(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_else(|error| format!("({} cannot be read: {error})", log.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_shows_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/sh.log");
        let error = run_logged(
            Command::new("sh").args(["-c", "echo lost the keys; exit 3"]),
            &log,
        )
        .unwrap_err();
        assert!(error.to_string().contains("lost the keys"), "{error}");
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("sleep.log");
        let limit = Duration::from_millis(100);
        let error = run_logged_within(Command::new("sleep").arg("600"), &log, limit).unwrap_err();
        assert!(error.to_string().contains("gave no result"), "{error}");
    }

    #[test]
    fn programs_are_found_on_the_path_only() {
        assert!(find_on_path("sh").is_some());
        assert!(find_on_path("no-such-program-of-nearside").is_none());
    }
}
