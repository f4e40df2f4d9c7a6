//! workerd's configuration, in the text form of Cap'n Proto.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use xtask::paths;

use super::{Kind, Module, Worker};

/// The file's name in the folder that workerd runs in.
pub(super) const FILE: &str = "workerd.capnp";

/// Writes the configuration and the workers' modules.
pub(super) fn write(
    folder: &Path,
    workers: &[Worker],
    ports: &[(String, u16)],
    v8_flags: &[&str],
) -> Result<()> {
    for name in workers.iter().flat_map(|worker| {
        worker
            .cache
            .iter()
            .chain(worker.queue.iter().map(|(_, service)| service))
    }) {
        ensure!(
            workers.iter().any(|worker| worker.name == *name),
            "there is no service `{name}`"
        );
    }
    for worker in workers {
        let own = folder.join(&worker.name);
        for module in &worker.modules {
            let path = own.join(&module.name);
            fs::create_dir_all(&own)
                .and_then(|()| fs::write(&path, &module.content))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    let path = folder.join(FILE);
    fs::write(&path, text(workers, ports, v8_flags, &compatibility_date()?))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The whole configuration: workers reach this machine and nothing else.
fn text(workers: &[Worker], ports: &[(String, u16)], v8_flags: &[&str], date: &str) -> String {
    let asked = asked_v8_flags();
    let flags: Vec<String> = v8_flags
        .iter()
        .copied()
        .chain(asked.split_whitespace())
        .map(quoted)
        .collect();
    let mut services = String::from("    (name = \"internet\", network = (allow = [\"local\"])),\n");
    for worker in workers {
        let name = quoted(&worker.name);
        let what = match &worker.kind {
            Kind::External(address) => format!("external = (address = {}, http = ())", quoted(address)),
            Kind::Code => format!("worker = {}", code(worker, date)),
        };
        let _ = writeln!(services, "    (name = {name}, {what}),");
    }
    let mut sockets = String::new();
    for (name, port) in ports {
        let name = quoted(name);
        let _ = writeln!(
            sockets,
            "    (name = {name}, address = \"127.0.0.1:{port}\", http = (), service = {name}),"
        );
    }
    format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\nconst config :Workerd.Config = (\n  services = [\n{services}  ],\n  sockets = [\n{sockets}  ],\n  v8Flags = [{}]\n);\n",
        flags.join(", ")
    )
}

/// What `NEARSIDE_V8_FLAGS` asks of V8, for whoever looks for where time goes: with `--perf-basic-prof`, Linux's
/// `perf` knows the names of functions in JavaScript and the numbers of those in WebAssembly, of which
/// `cargo xtask symbols` makes names.
fn asked_v8_flags() -> String {
    std::env::var("NEARSIDE_V8_FLAGS").unwrap_or_default()
}

fn code(worker: &Worker, date: &str) -> String {
    let modules: Vec<String> = worker
        .modules
        .iter()
        .map(|module| entry(&worker.name, module))
        .collect();
    let mut bindings: Vec<String> = worker
        .variables
        .iter()
        .map(|(name, value)| format!("(name = {}, text = {})", quoted(name), quoted(value)))
        .collect();
    bindings.extend(
        worker
            .queue
            .iter()
            .map(|(name, service)| format!("(name = {}, queue = {})", quoted(name), quoted(service))),
    );
    let cache = worker
        .cache
        .as_ref()
        .map(|service| format!(", cacheApiOutbound = {}", quoted(service)));
    format!(
        "(compatibilityDate = {}, modules = [{}], bindings = [{}]{})",
        quoted(date),
        modules.join(", "),
        bindings.join(", "),
        cache.unwrap_or_default()
    )
}

fn entry(worker: &str, module: &Module) -> String {
    let kind = if module.name.ends_with(".wasm") {
        "wasm"
    } else {
        "esModule"
    };
    format!(
        "(name = {}, {kind} = embed {})",
        quoted(&module.name),
        quoted(&format!("{worker}/{}", module.name))
    )
}

/// A text as Cap'n Proto writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_ascii_control() => {
                let _ = write!(quoted, "\\x{:02x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

/// The day whose behaviour the deployed worker asks for: that of `wrangler.toml`.
fn compatibility_date() -> Result<String> {
    let path = paths::repository().join("wrangler.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let date = text
        .lines()
        .find_map(|line| line.strip_prefix("compatibility_date = "));
    Ok(date
        .with_context(|| format!("{} has no compatibility_date", path.display()))?
        .trim()
        .trim_matches('"')
        .to_owned())
}
