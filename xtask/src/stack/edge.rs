//! The real edge: the built worker in workerd, run by `wrangler dev` with the repository's configuration.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::ports::free_port;
use super::service::{Service, status_of};
use crate::paths;
use crate::setup::NpmTools;

const START_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How an edge is started.
#[derive(Clone, Debug)]
pub struct EdgeOptions {
    /// Where it listens on loopback.
    pub port: u16,
    /// Where its stored data and its log are.
    pub folder: PathBuf,
    /// The site that it stands before.
    pub upstream: String,
    /// The origin's address.
    pub origin: String,
    /// What the edge and the origin know each other by.
    pub edge_secret: String,
    /// Keys that seal the session cookie, as `wrangler.toml` describes them.
    pub seal_keys: String,
    /// What the runtime knows of each connection: `request.cf`, such as `{"country": "FR"}`.
    pub connection: serde_json::Value,
    /// More variables for the worker, which win over the ones above.
    pub variables: Vec<(String, String)>,
}

/// A running edge. It is killed when this is dropped.
#[derive(Debug)]
pub struct Edge {
    npm: NpmTools,
    options: EdgeOptions,
    service: Option<Service>,
}

impl Edge {
    /// Starts it and waits until it answers.
    pub fn start(npm: NpmTools, options: EdgeOptions) -> Result<Self> {
        let mut edge = Self {
            npm,
            options,
            service: None,
        };
        edge.restart()?;
        Ok(edge)
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.options.port)
    }

    /// How it was started.
    pub fn options(&self) -> &EdgeOptions {
        &self.options
    }

    /// The file with its output: wrangler's, and what the worker logs.
    pub fn log(&self) -> PathBuf {
        self.options.folder.join("edge.log")
    }

    /// Asks it to end, and waits until it has.
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

    /// Starts it again on the same port with what it had stored; stops it first where it runs.
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let port = self.options.port;
        let connection = self.connection_file();
        fs::write(&connection, self.options.connection.to_string())
            .with_context(|| format!("cannot write {}", connection.display()))?;
        let mut service = Service::start("the edge", self.command()?, &self.log())?;
        // Any status shows that the worker runs; an asset's depends on neither upstream nor origin.
        service
            .wait_until(START_LIMIT, || status_of(port, "/_ns/sdk.js").is_some())
            .context("the edge did not start")?;
        self.service = Some(service);
        Ok(())
    }

    fn connection_file(&self) -> PathBuf {
        self.options.folder.join("connection.json")
    }

    fn command(&self) -> Result<Command> {
        let options = &self.options;
        let mut command = self.npm.wrangler()?;
        command
            .arg("dev")
            .arg("--config")
            .arg(paths::repository().join("wrangler.toml"))
            .args(["--ip", "127.0.0.1", "--port", &options.port.to_string()])
            .args(["--inspector-port", &free_port()?.to_string()])
            .arg("--persist-to")
            .arg(options.folder.join("edge-data"))
            .args(["--show-interactive-dev-session", "false", "--log-level", "log"])
            .current_dir(paths::repository())
            // The worker was built by whoever starts this.
            .env("NEARSIDE_BUILT", "1")
            // Without this file wrangler asks a server of Cloudflare's where this machine is.
            .env("CLOUDFLARE_CF_FETCH_PATH", self.connection_file())
            // wrangler's settings, logs and its list of running workers go with the stack.
            .env("XDG_CONFIG_HOME", options.folder.join("wrangler"))
            .env("WRANGLER_REGISTRY_PATH", options.folder.join("wrangler/registry"));
        let own = [
            ("NEARSIDE_UPSTREAM", &options.upstream),
            ("NEARSIDE_ORIGIN", &options.origin),
            ("NEARSIDE_EDGE_SECRET", &options.edge_secret),
            ("NEARSIDE_SEAL_KEYS", &options.seal_keys),
        ];
        let own = own
            .into_iter()
            .filter(|(name, _)| !options.variables.iter().any(|(given, _)| given == name));
        for (name, value) in own.chain(
            options
                .variables
                .iter()
                .map(|(name, value)| (name.as_str(), value)),
        ) {
            command.args(["--var", &format!("{name}:{value}")]);
        }
        Ok(command)
    }
}
