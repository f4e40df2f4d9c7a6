//! A process that runs beside us, and never longer than we do.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::process::{spelled, tail};

/// How often a condition that is waited for is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A running program with everything that it started: they share a process group, and dropping this
/// kills the group.
///
/// A second process, the watchdog, does the same when this one ends without dropping anything, as a
/// test program does that is interrupted.
#[derive(Debug)]
#[must_use = "the process is killed when this is dropped"]
pub struct Service {
    name: String,
    child: Child,
    watchdog: Child,
    log: PathBuf,
}

impl Service {
    /// Starts `command` with its output added to `log`.
    pub fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name}: cannot run `{}`", spelled(&command)))?;
        match watchdog(child.id()) {
            Ok(watchdog) => Ok(Self {
                name: name.to_owned(),
                child,
                watchdog,
                log: log.to_path_buf(),
            }),
            Err(error) => {
                signal_group(child.id(), Signal::KILL);
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// The id of the program's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The file with its output.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// An error when the program has ended by itself, with its log's end.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                bail!(
                    "{} ended ({status}); the end of {}:\n{}",
                    self.name,
                    self.log.display(),
                    tail(&self.log)
                )
            }
        }
    }

    /// Waits until `is_ready` holds. An error tells whether the process ended, and shows its log's end.
    pub fn wait_until(&mut self, limit: Duration, mut is_ready: impl FnMut() -> bool) -> Result<()> {
        let started = Instant::now();
        while !is_ready() {
            self.check()?;
            if started.elapsed() > limit {
                let (name, log) = (&self.name, self.log.display());
                bail!(
                    "{name} was not ready within {} s; the end of {log}:\n{}",
                    limit.as_secs(),
                    tail(&self.log)
                );
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Kills it as `kill -9` does, with no chance to finish anything.
    pub fn kill9(&mut self) -> Result<()> {
        signal_group(self.child.id(), Signal::KILL);
        self.child
            .wait()
            .with_context(|| format!("cannot wait for {}", self.name))?;
        Ok(())
    }

    /// Asks it to end, and kills it when it has not after `limit`.
    pub fn stop(&mut self, limit: Duration) -> Result<()> {
        signal_group(self.child.id(), Signal::TERM);
        let started = Instant::now();
        while self.child.try_wait()?.is_none() {
            if started.elapsed() > limit {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        self.kill9()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // The group may outlive its first process, so it is killed in any case.
        signal_group(self.child.id(), Signal::KILL);
        let _ = self.child.wait();
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}

/// A shell that waits for the end of its input, which comes when we end for whatever reason, and then
/// kills the group.
fn watchdog(group: u32) -> Result<Child> {
    Command::new("sh")
        .args(["-c", "read -r _; kill -9 \"-$1\" 2>/dev/null", "watchdog"])
        .arg(group.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot run `sh`")
}

fn signal_group(group: u32, signal: Signal) {
    // An error means that the group is gone, which is what was wanted.
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

/// The status code of a GET request to loopback, if there is an answer.
pub fn status_of(port: u16, path: &str) -> Option<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n"
    )
    .ok()?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).ok()?;
    // `HTTP/1.1 200`
    std::str::from_utf8(start.get(9..)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, log: &Path) -> Service {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Service::start("sh", command, log).unwrap()
    }

    fn is_running(pid: u32) -> bool {
        // A zombie has ended, though its number is still taken.
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").starts_with(" Z"))
    }

    fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
        let started = Instant::now();
        while !condition() {
            assert!(started.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(PAUSE);
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn children_of_a_service_end_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut service = shell("sleep 1000 & echo $!; wait", &log);
        let read = || fs::read_to_string(&log).unwrap().trim().parse::<u32>().ok();
        service
            .wait_until(Duration::from_secs(20), || read().is_some())
            .unwrap();
        let grandchild = read().unwrap();
        assert!(is_running(grandchild));
        drop(service);
        eventually("the grandchild runs on", || !is_running(grandchild));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_service_ends_when_its_owner_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut service = shell("exec sleep 1000", &folder.path().join("log"));
        // What happens to the pipe when this process dies.
        drop(service.watchdog.stdin.take());
        eventually("the service runs on", || {
            service.child.try_wait().unwrap().is_some()
        });
    }

    #[test]
    fn a_service_that_ends_early_shows_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut service = shell("echo no such table; exit 1", &folder.path().join("log"));
        let error = service.wait_until(Duration::from_secs(20), || false).unwrap_err();
        assert!(error.to_string().contains("no such table"), "{error}");
    }

    #[test]
    fn stopping_lets_a_service_finish() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut service = shell(
            "trap 'echo finished; exit 0' TERM; echo up; while :; do sleep 0.05; done",
            &log,
        );
        let said = |word: &str| fs::read_to_string(&log).unwrap().contains(word);
        service
            .wait_until(Duration::from_secs(20), || said("up"))
            .unwrap();
        service.stop(Duration::from_secs(20)).unwrap();
        assert!(said("finished"));
    }
}
