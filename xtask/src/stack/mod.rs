//! The whole of Nearside as running processes on loopback, for `cargo xtask dev` and the tests.
//!
//! Each part is a handle that owns its process; dropping it ends the process and everything that the
//! process started. Nothing here is simulated: the shop is a real HTTP server, the origin is the built
//! binary, and the edge is the built worker in workerd.

mod edge;
mod origin;
mod ports;
mod service;
mod shop;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::build::{self, Part};
use crate::{paths, setup};

pub use edge::{Edge, EdgeOptions};
pub use origin::{Origin, OriginOptions};
pub use ports::{free_port, is_free};
pub use service::{Service, status_of};
pub use shop::{PRODUCTS, Product, Shop};

/// The secret between edge and origin on a developer's machine and in the tests. It protects nothing.
pub const DEVELOPMENT_EDGE_SECRET: &str = "development-edge-secret";
/// The write key on a developer's machine and in the tests.
pub const DEVELOPMENT_WRITE_KEY: &str = "development";
/// The key that seals session cookies on a developer's machine and in the tests: 32 bytes that anybody can read here.
pub const DEVELOPMENT_SEAL_KEYS: &str = "k1:bmVhcnNpZGUtZGV2ZWxvcG1lbnQta2V5LTMyLWJ5dGU=";

/// How long the edge may take to get its program.
const PROGRAM_LIMIT: Duration = Duration::from_secs(60);

/// How a stack is started.
#[derive(Clone, Debug, Default)]
pub struct StackOptions {
    /// The shop's, the edge's and the origin's ports; free ones where there are none.
    pub ports: Option<[u16; 3]>,
    /// What is to be decided; the demo's where there is none.
    pub manifest: Option<PathBuf>,
    /// A site for the edge to stand before, instead of the demo shop.
    pub upstream: Option<String>,
    /// What the runtime knows of each connection, `request.cf`; somewhere in the US where there is none.
    pub connection: Option<serde_json::Value>,
    /// More variables for the worker.
    pub variables: Vec<(String, String)>,
    /// More arguments for the origin.
    pub origin_arguments: Vec<String>,
}

/// A running shop, edge and origin.
#[derive(Debug)]
pub struct Stack {
    // The edge goes first when this is dropped: it is the one that calls the others.
    /// The edge.
    pub edge: Edge,
    /// The origin.
    pub origin: Origin,
    /// The demo shop; none where the edge stands before another site.
    pub shop: Option<Shop>,
    folder: TempDir,
}

impl Stack {
    /// Builds what is not up to date, starts everything, and waits until it answers.
    pub fn start(options: StackOptions) -> Result<Self> {
        ensure_built()?;
        let npm = setup::npm_tools()?;
        let folder = tempfile::Builder::new()
            .prefix("nearside-")
            .tempdir()
            .context("no temporary folder")?;
        let [shop_port, edge_port, origin_port] = match options.ports {
            Some(ports) => ports,
            None => [0, free_port()?, free_port()?],
        };
        let shop = match &options.upstream {
            Some(_) => None,
            None => Some(Shop::start(shop_port)?),
        };
        let upstream = options
            .upstream
            .or_else(|| shop.as_ref().map(Shop::url))
            .unwrap_or_default();
        let origin = Origin::start(OriginOptions {
            port: origin_port,
            folder: folder.path().to_path_buf(),
            manifest: options.manifest.unwrap_or_else(demo_manifest),
            edge_secret: DEVELOPMENT_EDGE_SECRET.to_owned(),
            write_key: DEVELOPMENT_WRITE_KEY.to_owned(),
            arguments: options.origin_arguments,
        })?;
        let edge = EdgeOptions {
            port: edge_port,
            folder: folder.path().to_path_buf(),
            upstream: upstream.trim_end_matches('/').to_owned(),
            origin: origin.url(),
            edge_secret: DEVELOPMENT_EDGE_SECRET.to_owned(),
            seal_keys: DEVELOPMENT_SEAL_KEYS.to_owned(),
            connection: options
                .connection
                .unwrap_or_else(|| serde_json::json!({"country": "US", "city": "Austin"})),
            variables: options.variables,
        };
        Ok(Self {
            edge: Edge::start(npm, edge)?,
            origin,
            shop,
            folder,
        })
    }

    /// Waits until the edge has its program: the first visitor would get the page untouched.
    pub fn wait_for_program(&mut self) -> Result<()> {
        let started = Instant::now();
        while status_of(self.edge.options().port, "/_ns/state") != Some(200) {
            self.check()?;
            ensure!(
                started.elapsed() < PROGRAM_LIMIT,
                "the edge got no program from the origin: see {}",
                self.edge.log().display()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// An error when a process that should run has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        self.origin.check()?;
        self.edge.check()
    }

    /// Where the processes keep their data and logs; it is removed with the stack.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// The demo's manifest.
pub fn demo_manifest() -> PathBuf {
    paths::repository().join("demo").join("manifest.json")
}

/// Builds what is not up to date, unless whoever started this process has said that it did.
pub fn ensure_built() -> Result<()> {
    if std::env::var_os(BUILT).is_some() {
        return Ok(());
    }
    build::build(&Part::ALL)
}

/// Set where everything has just been built, so that nothing below looks again.
pub const BUILT: &str = "NEARSIDE_BUILT";
