//! The real origin process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::service::{Service, status_of};
use crate::paths;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How an origin is started.
#[derive(Clone, Debug)]
pub struct OriginOptions {
    /// Where it listens on loopback.
    pub port: u16,
    /// Where its database and its log are.
    pub folder: PathBuf,
    /// What is to be decided.
    pub manifest: PathBuf,
    /// What the edge and the origin know each other by.
    pub edge_secret: String,
    /// What clients may collect with.
    pub write_key: String,
    /// More arguments for `nearside serve`.
    pub arguments: Vec<String>,
}

/// A running origin, `nearside serve`. It is killed when this is dropped; its database stays.
#[derive(Debug)]
pub struct Origin {
    options: OriginOptions,
    service: Option<Service>,
}

impl Origin {
    /// Starts it and waits until it is healthy.
    pub fn start(options: OriginOptions) -> Result<Self> {
        let mut origin = Self {
            options,
            service: None,
        };
        origin.restart()?;
        Ok(origin)
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.port)
    }

    /// How it was started.
    pub fn options(&self) -> &OriginOptions {
        &self.options
    }

    /// The file of its database.
    pub fn database(&self) -> PathBuf {
        self.options.folder.join("nearside.db")
    }

    /// The file with its output, of all its starts.
    pub fn log(&self) -> PathBuf {
        log(&self.options.folder)
    }

    /// The id of its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.service.as_ref().map(Service::pid)
    }

    /// Kills it as `kill -9` does. Does nothing when it does not run.
    pub fn kill9(&mut self) -> Result<()> {
        match self.service.take() {
            Some(mut service) => service.kill9(),
            None => Ok(()),
        }
    }

    /// Asks it to end, and waits until it has. Does nothing when it does not run.
    pub fn stop(&mut self) -> Result<()> {
        match self.service.take() {
            Some(mut service) => service.stop(STOP_LIMIT),
            None => Ok(()),
        }
    }

    /// An error when it should run but has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.service.as_mut().map_or(Ok(()), Service::check)
    }

    /// Starts it again on the same port with the same database; stops it first where it runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let port = self.options.port;
        let mut service = Service::start("the origin", self.command(), &self.log())?;
        service.wait_until(START_LIMIT, || status_of(port, "/healthz") == Some(200))?;
        self.service = Some(service);
        Ok(())
    }

    fn command(&self) -> Command {
        let options = &self.options;
        let mut command = Command::new(paths::origin_binary());
        command
            .arg("serve")
            .args(["--listen", &format!("127.0.0.1:{}", options.port)])
            .args(["--store", &format!("sqlite:{}", self.database().display())])
            .arg("--manifest")
            .arg(&options.manifest)
            .args(["--edge-secret", &options.edge_secret])
            .args(["--write-key", &options.write_key])
            .args(&options.arguments);
        command
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("origin.log")
}
