//! `cargo xtask dev`: everything, running, until Ctrl-C.

use std::path::PathBuf;
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::report::say;
use crate::stack::{Shop, Stack, StackOptions, is_free};

/// How often the processes are looked at.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// What a shell gives for a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// The options of `cargo xtask dev`.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Put the edge before this site instead of the demo shop
    #[arg(long, value_name = "URL", value_parser = upstream_url)]
    upstream: Option<String>,
    /// What is to be decided [default: demo/manifest.json]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// The shop's port; the edge's is the next, the origin's the one after
    #[arg(long, value_name = "N", default_value_t = 8780, value_parser = clap::value_parser!(u16).range(1..=65_533))]
    port_base: u16,
}

fn upstream_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    match text.split_once("://") {
        Some(("http" | "https", host)) if !host.is_empty() => Ok(text.to_owned()),
        _ => Err("give the site's address, such as https://shop.example".to_owned()),
    }
}

/// Builds and starts everything, prints the addresses and `ready`, and ends when it is told to.
pub fn dev(options: &Options) -> Result<()> {
    let base = options.port_base;
    let ports = [base, base + 1, base + 2];
    if let Some(taken) = ports.into_iter().find(|port| !is_free(*port)) {
        bail!("port {taken} is in use: give another with `cargo xtask dev --port-base N`");
    }
    let interruption = Interruption::watch()?;
    let mut stack = Stack::start(StackOptions {
        ports: Some(ports),
        manifest: options.manifest.clone().map(std::path::absolute).transpose()?,
        upstream: options.upstream.clone(),
        ..StackOptions::default()
    })?;
    match (&stack.shop, &options.upstream) {
        (None, Some(upstream)) => say(format!("upstream {upstream}")),
        (shop, _) => say(format!(
            "shop {}",
            shop.as_ref().map(Shop::url).unwrap_or_default()
        )),
    }
    say(format!("edge {}", stack.edge.url()));
    say(format!("origin {}", stack.origin.url()));
    stack.wait_for_program()?;
    say("ready");
    let ended = interruption.wait(|| stack.check());
    say("ending…");
    drop(stack);
    ended
}

/// A signal that tells the program to end: Ctrl-C, or a polite kill.
struct Interruption {
    signals: Receiver<()>,
    is_waited_for: Arc<AtomicBool>,
}

impl Interruption {
    fn watch() -> Result<Self> {
        let (sender, signals) = mpsc::channel();
        let is_waited_for = Arc::new(AtomicBool::new(false));
        let waiting = Arc::clone(&is_waited_for);
        ctrlc::set_handler(move || {
            // While things are still starting, nobody listens: end at once, and the watchdog of each
            // process ends it.
            if !waiting.load(Ordering::SeqCst) || sender.send(()).is_err() {
                exit(INTERRUPTED);
            }
        })
        .context("cannot watch for Ctrl-C")?;
        Ok(Self {
            signals,
            is_waited_for,
        })
    }

    /// Waits for the signal, or until `check` finds something wrong.
    fn wait(&self, mut check: impl FnMut() -> Result<()>) -> Result<()> {
        self.is_waited_for.store(true, Ordering::SeqCst);
        while self.signals.recv_timeout(CHECK_EVERY) == Err(RecvTimeoutError::Timeout) {
            check()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_an_address_without_a_slash_at_the_end() {
        assert_eq!(
            upstream_url("https://shop.example/"),
            Ok("https://shop.example".to_owned())
        );
        assert!(upstream_url("shop.example").is_err());
        assert!(upstream_url("http:///").is_err());
    }
}
