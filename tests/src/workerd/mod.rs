//! The stock workerd, run without wrangler: the built edge worker beside plain JavaScript workers, each on a port
//! of its own.
//!
//! wrangler puts a proxy of its own before a worker, which adds headers and changes pages, and takes more time than
//! the worker. Where bytes or time count, nothing may stand between the client and the worker.
//!
//! ```no_run
//! use nearside_tests::workerd::{EdgeSettings, Worker, Workerd};
//!
//! # fn main() -> anyhow::Result<()> {
//! let edge = EdgeSettings {
//!     upstream: "http://127.0.0.1:8000".to_owned(),
//!     origin: "http://127.0.0.1:8001".to_owned(),
//!     ..EdgeSettings::default()
//! };
//! let workerd = Workerd::start(&[
//!     Worker::edge("edge", &edge)?.with_cache("cache"),
//!     Worker::memory_cache("cache"),
//!     Worker::script("pass", "export default { fetch: (request, env) => fetch(env.UPSTREAM) }")
//!         .with_variable("UPSTREAM", "http://127.0.0.1:8000/"),
//! ])?;
//! let page = format!("{}/index.html", workerd.url("edge"));
//! # drop(page);
//! # Ok(())
//! # }
//! ```
//!
//! The edge has neither KV nor a queue nor assets here, unless a service is named for the queue: it gets its program
//! from the origin (the first page of a new process passes untouched; wait for another outcome than `no-program`),
//! posts page views to the origin itself, and has no `/_ns/sdk.js`.

mod config;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use xtask::stack::{self, Service, free_port};
use xtask::{paths, setup};

/// Only a failure takes that long.
const START_LIMIT: Duration = Duration::from_secs(60);

/// One worker, or another server under the name of one.
#[derive(Clone, Debug)]
pub struct Worker {
    name: String,
    kind: Kind,
    modules: Vec<Module>,
    variables: Vec<(String, String)>,
    cache: Option<String>,
    queue: Option<(String, String)>,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Code that workerd runs.
    Code,
    /// A server elsewhere, by its `HOST:PORT`, that workers reach as a service.
    External(String),
}

/// A file of a worker: its name, as the others import it, and its content. The first module of a worker is its
/// entry; a name that ends in `.wasm` is WebAssembly, all others are JavaScript modules.
#[derive(Clone, Debug)]
struct Module {
    name: String,
    content: Vec<u8>,
}

/// The variables of an edge worker, as `wrangler.toml` describes them.
#[derive(Clone, Debug)]
pub struct EdgeSettings {
    /// The site that it stands before.
    pub upstream: String,
    /// The origin's address; empty for none.
    pub origin: String,
    /// What the edge and the origin know each other by.
    pub edge_secret: String,
    /// Keys that seal the session cookie.
    pub seal_keys: String,
}

impl Default for EdgeSettings {
    /// Nothing to stand before, and the secrets of a developer's machine.
    fn default() -> Self {
        Self {
            upstream: String::new(),
            origin: String::new(),
            edge_secret: stack::DEVELOPMENT_EDGE_SECRET.to_owned(),
            seal_keys: stack::DEVELOPMENT_SEAL_KEYS.to_owned(),
        }
    }
}

impl Worker {
    /// The edge worker as `cargo xtask build edge` makes it; it is built where that is due.
    ///
    /// # Errors
    /// When it cannot be built or read.
    pub fn edge(name: &str, settings: &EdgeSettings) -> Result<Self> {
        stack::ensure_built()?;
        let read = |path: PathBuf| {
            fs::read(&path)
                .with_context(|| format!("{} is missing: run `cargo xtask build edge`", path.display()))
        };
        let module = |name: &str, path| -> Result<Module> {
            Ok(Module {
                name: name.to_owned(),
                content: read(path)?,
            })
        };
        let mut worker = Self::new(name, Kind::Code);
        worker.modules = vec![
            module("index.js", paths::worker_entry())?,
            module("index_bg.wasm", paths::worker_module())?,
        ];
        Ok(worker
            .with_variable("NEARSIDE_UPSTREAM", &settings.upstream)
            .with_variable("NEARSIDE_ORIGIN", &settings.origin)
            .with_variable("NEARSIDE_EDGE_SECRET", &settings.edge_secret)
            .with_variable("NEARSIDE_SEAL_KEYS", &settings.seal_keys))
    }

    /// The worker with its WebAssembly changed.
    ///
    /// # Errors
    /// When it has none, or it cannot be changed.
    pub fn with_changed_module(mut self, change: impl FnOnce(&[u8]) -> Result<Vec<u8>>) -> Result<Self> {
        let mut modules = self.modules.iter_mut();
        let module = modules.find(|module| module.name.ends_with(".wasm"));
        let module = module.context("the worker has no WebAssembly")?;
        module.content = change(&module.content)?;
        Ok(self)
    }

    /// A worker of one JavaScript module.
    pub fn script(name: &str, source: &str) -> Self {
        let mut worker = Self::new(name, Kind::Code);
        worker.modules = vec![Module {
            name: "index.js".to_owned(),
            content: source.as_bytes().to_vec(),
        }];
        worker
    }

    /// What a worker's Cache API (`caches.default`) can keep its answers in: memory, of this process alone. Like
    /// the real one it keeps nothing without a lifetime, or with a `Set-Cookie`.
    pub fn memory_cache(name: &str) -> Self {
        Self::script(name, include_str!("memory_cache.js"))
    }

    /// A server outside of workerd, such as one of the test's own, that a worker can reach by name: as its queue.
    pub fn external(name: &str, address: SocketAddr) -> Self {
        Self::new(name, Kind::External(address.to_string()))
    }

    fn new(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            modules: Vec::new(),
            variables: Vec::new(),
            cache: None,
            queue: None,
        }
    }

    /// One more variable in the worker's `env`; it wins over an earlier one of that name.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The worker of that name answers for this one's Cache API. Without one, `caches.default` fails.
    #[must_use]
    pub fn with_cache(mut self, service: &str) -> Self {
        self.cache = Some(service.to_owned());
        self
    }

    /// What this worker sends to the queue `binding`, the service of that name gets as HTTP posts.
    #[must_use]
    pub fn with_queue(mut self, binding: &str, service: &str) -> Self {
        self.queue = Some((binding.to_owned(), service.to_owned()));
        self
    }
}

/// A running workerd. It is killed when this is dropped.
#[derive(Debug)]
pub struct Workerd {
    service: Service,
    ports: Vec<(String, u16)>,
    folder: TempDir,
}

impl Workerd {
    /// Starts workerd with these workers, and waits until all their ports are listened on.
    ///
    /// # Errors
    /// When it does not start; the error shows what it said.
    pub fn start(workers: &[Worker]) -> Result<Self> {
        Self::spawn(workers)?.listening()
    }

    /// The same, with V8 made to take back all that nobody uses whenever it takes back anything: the memory that the
    /// process holds is then what its workers keep. As it runs by itself, V8 lets 100 MB come together first.
    ///
    /// # Errors
    /// When it does not start; the error shows what it said.
    pub fn start_tidy(workers: &[Worker]) -> Result<Self> {
        Self::spawn_with(workers, &["--gc-global", "--max-semi-space-size=1"])?.listening()
    }

    fn listening(mut self) -> Result<Self> {
        let ports: Vec<u16> = self.ports.iter().map(|(_, port)| *port).collect();
        self.service.wait_until(START_LIMIT, || {
            ports
                .iter()
                .all(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok())
        })?;
        Ok(self)
    }

    /// Starts workerd, and waits for nothing.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub fn spawn(workers: &[Worker]) -> Result<Self> {
        Self::spawn_with(workers, &[])
    }

    fn spawn_with(workers: &[Worker], v8_flags: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("nearside-workerd-")
            .tempdir()
            .context("no temporary folder")?;
        let mut ports = Vec::new();
        for worker in workers {
            if matches!(worker.kind, Kind::Code) {
                ports.push((worker.name.clone(), free_port()?));
            }
        }
        config::write(folder.path(), workers, &ports, v8_flags)?;
        let mut command = Command::new(program()?);
        command.args(["serve", config::FILE]).current_dir(folder.path());
        let service = Service::start("workerd", command, &folder.path().join("workerd.log"))?;
        Ok(Self {
            service,
            ports,
            folder,
        })
    }

    /// The port on loopback of the worker of that name.
    ///
    /// # Panics
    /// When there is no such worker.
    pub fn port(&self, name: &str) -> u16 {
        let found = self.ports.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("workerd runs no {name}")).1
    }

    /// The address of the worker of that name, without a slash at the end.
    ///
    /// # Panics
    /// When there is no such worker.
    pub fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}", self.port(name))
    }

    /// The id of its process: all workers run in this one.
    pub fn pid(&self) -> u32 {
        self.service.pid()
    }

    /// What workerd and the workers said so far (`console.log` and errors).
    pub fn said(&self) -> String {
        let log = fs::read(self.folder.path().join("workerd.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// An error when it has ended by itself, with what it said last.
    ///
    /// # Errors
    /// When it has ended.
    pub fn check(&mut self) -> Result<()> {
        self.service.check()
    }
}

/// The stock program that wrangler brings.
fn program() -> Result<PathBuf> {
    let processor = match std::env::consts::ARCH {
        "x86_64" => "64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let package = format!("workerd-{system}-{processor}");
    let modules = setup::npm_tools()?.modules();
    let program = modules
        .join("@cloudflare")
        .join(package)
        .join("bin")
        .join("workerd");
    ensure!(
        program.is_file(),
        "workerd has no program for this machine: {} is missing",
        program.display()
    );
    Ok(program)
}

#[cfg(test)]
mod tests;
