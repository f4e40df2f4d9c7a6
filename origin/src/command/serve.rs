//! `nearside serve`: runs the origin.

use super::Failure;
use super::manifest_file;
use crate::published::Published;
use crate::server::{self, Access};
use crate::store::Store;
use axum::http::HeaderValue;
use nearside_engine::value::Value;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The arguments of `nearside serve`, as they were given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where to listen
    #[arg(
        long,
        env = "NEARSIDE_LISTEN",
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:8790"
    )]
    listen: String,
    /// Where events and profiles are kept: `sqlite:PATH`
    #[arg(
        long,
        env = "NEARSIDE_STORE",
        value_name = "URL",
        default_value = "sqlite:nearside.db"
    )]
    store: String,
    /// Publish this manifest, if it differs from the newest published one
    #[arg(long, env = "NEARSIDE_MANIFEST", value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// What the edge must know
    #[arg(
        long,
        env = "NEARSIDE_EDGE_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    edge_secret: Option<String>,
    /// What clients may collect with; may be given several times
    #[arg(
        long = "write-key",
        env = "NEARSIDE_WRITE_KEY",
        value_name = "KEY",
        value_delimiter = ',',
        hide_env_values = true
    )]
    write_keys: Vec<String>,
    /// What operators must know; without it the admin routes are closed
    #[arg(
        long,
        env = "NEARSIDE_ADMIN_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    admin_token: Option<String>,
    /// A site whose pages may collect directly, such as https://shop.example; may be given several times
    #[arg(
        long = "allow-origin",
        env = "NEARSIDE_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    allowed_origins: Vec<String>,
}

/// The arguments once they were found to make sense together.
struct Resolved {
    listen: SocketAddr,
    store: PathBuf,
    manifest: Option<Value>,
    access: Access,
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        start_logging();
        let resolved = self.resolve()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
        runtime.block_on(resolved.serve())?;
        // A request that did not end in time must not keep the process.
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(ExitCode::SUCCESS)
    }

    fn resolve(self) -> Result<Resolved, Failure> {
        let listen = self
            .listen
            .to_socket_addrs()
            .ok()
            .and_then(|mut addresses| addresses.next())
            .ok_or_else(|| Failure::new(format!("`--listen {}`: give ADDRESS:PORT", self.listen)))?;
        let on_loopback = listen.ip().is_loopback();
        let given = |text: &String| !text.is_empty();
        let edge_secret = self.edge_secret.filter(given);
        if edge_secret.is_none() {
            if !on_loopback {
                return Err(Failure::new(format!(
                    "`--edge-secret` is required when listening on {listen}, which others can reach"
                )));
            }
            tracing::warn!("no --edge-secret: every process on this machine is taken for the edge");
        }
        let write_keys: Vec<String> = self.write_keys.into_iter().filter(given).collect();
        if write_keys.is_empty() {
            if !on_loopback {
                return Err(Failure::new(format!(
                    "`--write-key` is required when listening on {listen}, which others can reach"
                )));
            }
            tracing::warn!("no --write-key: any key is accepted");
        }
        let allowed_origins = self.allowed_origins.iter().map(|origin| read_origin(origin));
        let allowed_origins = allowed_origins.collect::<Result<Vec<_>, _>>()?;
        let manifest = self.manifest.as_deref().map(manifest_file::read).transpose()?;
        let admin_token = self.admin_token.filter(given);
        let access = Access {
            edge_secret,
            write_keys,
            admin_token,
            allowed_origins,
        };
        Ok(Resolved {
            listen,
            store: store_path(&self.store)?,
            manifest,
            access,
        })
    }
}

impl Resolved {
    async fn serve(self) -> Result<(), Failure> {
        let name = self.store.display().to_string();
        let cannot_open =
            |error: &dyn std::fmt::Display| Failure::new(format!("cannot open the store {name}: {error}"));
        let store = Store::open(&self.store).map_err(|error| cannot_open(&error))?;
        if let Some(manifest) = &self.manifest {
            publish(&store, manifest).await?;
        }
        let cannot_listen =
            |error: io::Error| Failure::new(format!("cannot listen on {}: {error}", self.listen));
        // The signals are waited for before anybody can know that the service runs.
        let stop = stop_signal()?;
        let listener = TcpListener::bind(self.listen).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;
        writeln!(io::stdout(), "listening on http://{address}")?;
        server::serve(listener, server::router(store.clone(), self.access), stop).await;
        store.close().await;
        Ok(())
    }
}

/// Publishes a manifest at the start. A broken experience is left out, and said so; the rest goes on.
async fn publish(store: &Store, manifest: &Value) -> Result<(), Failure> {
    let (published, warnings) = Published::compile(manifest);
    for warning in &warnings {
        tracing::warn!("in the manifest: {warning}");
    }
    let id = published.id.clone();
    let changed = store
        .publish(manifest, published)
        .await
        .map_err(|error| Failure::new(format!("cannot publish the manifest: {error}")))?;
    tracing::info!(program = id, changed, "published");
    Ok(())
}

fn store_path(url: &str) -> Result<PathBuf, Failure> {
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        return Err(Failure::new(
            "`--store postgres://…` is not supported by this version yet: give `sqlite:PATH`",
        ));
    }
    match url
        .strip_prefix("sqlite:")
        .map(|path| path.strip_prefix("//").unwrap_or(path))
    {
        Some(path) if !path.is_empty() && path != ":memory:" => Ok(PathBuf::from(path)),
        _ => Err(Failure::new(format!("`--store {url}`: give `sqlite:PATH`"))),
    }
}

fn read_origin(origin: &str) -> Result<HeaderValue, Failure> {
    let has_scheme = origin.starts_with("https://") || origin.starts_with("http://");
    HeaderValue::from_str(origin)
        .ok()
        .filter(|_| has_scheme && !origin.ends_with('/'))
        .ok_or_else(|| {
            Failure::new(format!(
                "`--allow-origin {origin}`: give an origin such as https://shop.example"
            ))
        })
}

/// Ends when the process is asked to end.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let listen =
        |kind| signal(kind).map_err(|error| Failure::new(format!("cannot wait for signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn start_logging() {
    let filter = EnvFilter::try_from_env("NEARSIDE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
}
