//! The browser package: the engine as WebAssembly with its bindings, and the loader.
//!
//! The order follows from the names. Each file carries the hash of its content and is named in the next:
//! module, then the engine's script, then the loader, which alone has a name that stays.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::freshness::{Stamp, content_hash};
use super::{Outcome, PASSES, order};
use crate::process::{output, run};
use crate::setup::{BuildTools, WASM_BINDGEN};
use crate::{paths, wasm_module};

const SOURCES: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "engine",
    "rewriter",
    "browser-sdk",
    "xtask/src/build",
    "xtask/src/wasm_module.rs",
];

/// What the sources write where the build puts an address.
const ENGINE_URL: &str = "__NEARSIDE_ENGINE_URL__";
const WASM_URL: &str = "__NEARSIDE_WASM_URL__";

/// The oldest language level that browsers with all of WebAssembly's features used here have.
const LANGUAGE: &str = "--target=es2020";

/// What rustc's code for this target may use, and nothing newer that browsers may lack.
pub const WASM_FEATURES: [&str; 6] = [
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-reference-types",
];

/// The files of the built SDK, as `sdk-manifest.json` lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdkFiles {
    /// The loader that pages name.
    pub loader: PathBuf,
    /// The engine's script, which the loader imports.
    pub engine: PathBuf,
    /// The engine's WebAssembly module.
    pub module: PathBuf,
}

impl SdkFiles {
    /// The files of the last build.
    pub fn built() -> Result<Self> {
        let path = paths::sdk_manifest();
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}: run `cargo xtask build sdk`", path.display()))?;
        let names: serde_json::Value = serde_json::from_str(&text)?;
        let file = |name: &str| {
            let relative = names.get(name).and_then(serde_json::Value::as_str);
            relative
                .map(|relative| paths::assets().join(relative))
                .with_context(|| format!("{name} is not named"))
        };
        Ok(Self {
            loader: file("loader")?,
            engine: file("engine")?,
            module: file("module")?,
        })
    }

    fn all(&self) -> [PathBuf; 3] {
        [self.loader.clone(), self.engine.clone(), self.module.clone()]
    }
}

pub(super) fn build(tools: &BuildTools) -> Result<Outcome> {
    let identity = format!(
        "{} {} {}",
        tools.wasm,
        WASM_BINDGEN.version,
        tools.npm.modules().display()
    );
    let stamp = Stamp::of("sdk", &SOURCES, &identity)?;
    if SdkFiles::built().is_ok_and(|files| stamp.is_fresh(&files.all())) {
        return Ok(Outcome::UpToDate);
    }
    let work = paths::artifacts().join("sdk");
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let compiled = compile(tools)?;
    let glue = bind(tools, &compiled, &work)?;
    let module = optimise(tools, &work)?;

    let scripts = paths::repository().join("browser-sdk").join("js");
    let module_name = format!("engine_bg-{}.wasm", content_hash(&module));
    let engine = bundle(tools, &scripts.join("main.js"), &glue, &address(&module_name))?;
    let engine_name = format!("engine-{}.js", content_hash(engine.as_bytes()));
    let loader = minify(tools, &scripts.join("loader.js"), &address(&engine_name))?;

    publish(&[
        ("sdk.js", loader.as_bytes()),
        (&engine_name, engine.as_bytes()),
        (&module_name, &module),
    ])?;
    let names = serde_json::json!({
        "loader": "_ns/sdk.js",
        "engine": format!("_ns/{engine_name}"),
        "module": format!("_ns/{module_name}"),
    });
    fs::write(paths::sdk_manifest(), format!("{names:#}\n"))?;
    stamp.record()?;
    Ok(Outcome::Built)
}

fn address(name: &str) -> String {
    format!("/_ns/{name}")
}

fn compile(tools: &BuildTools) -> Result<PathBuf> {
    let target = paths::cargo_target().join("wasm");
    let mut cargo = tools.wasm.cargo()?;
    cargo
        .args(["build", "--package", "nearside-browser-sdk", "--lib"])
        .args(["--target", "wasm32-unknown-unknown", "--profile", "browser"])
        .current_dir(paths::repository())
        .env("CARGO_TARGET_DIR", &target);
    run(&mut cargo)?;
    let module = target.join("wasm32-unknown-unknown/browser/nearside_browser_sdk.wasm");
    ensure!(
        module.is_file(),
        "there is no {}: is the crate's type `cdylib`?",
        module.display()
    );
    Ok(module)
}

fn bind(tools: &BuildTools, module: &Path, work: &Path) -> Result<PathBuf> {
    let mut command = Command::new(&tools.wasm_bindgen);
    // The page is told where the module is, so the bindings need not guess it from their own address.
    command.args([
        "--target",
        "web",
        "--no-typescript",
        "--omit-default-module-path",
        "--out-name",
        "glue",
    ]);
    run(command.arg("--out-dir").arg(work).arg(module))?;
    Ok(work.join("glue.js"))
}

fn optimise(tools: &BuildTools, work: &Path) -> Result<Vec<u8>> {
    let optimised = work.join("engine_bg.wasm");
    let mut command = tools.npm.node.command(&tools.npm.wasm_opt())?;
    command
        .args(PASSES)
        .args(["--strip-producers", "--debuginfo"])
        .args(WASM_FEATURES);
    run(command.arg(work.join("glue_bg.wasm")).arg("-o").arg(&optimised))?;
    wasm_module::shortened(&order::ordered(&optimised)?, str::to_owned)
}

/// The engine's script with the bindings in one file. The sources import the bindings as `#glue`.
fn bundle(tools: &BuildTools, script: &Path, glue: &Path, module_url: &str) -> Result<String> {
    let mut command = Command::new(tools.npm.esbuild()?);
    command.arg(script).args([
        "--bundle",
        "--format=esm",
        "--minify",
        "--legal-comments=none",
        LANGUAGE,
    ]);
    command
        .arg(format!("--alias:#glue={}", glue.display()))
        .arg(define(WASM_URL, module_url));
    with_address(&output(&mut command)?, WASM_URL, module_url, script)
}

fn minify(tools: &BuildTools, script: &Path, engine_url: &str) -> Result<String> {
    let mut command = Command::new(tools.npm.esbuild()?);
    command
        .arg(script)
        .args(["--minify", "--legal-comments=none", LANGUAGE]);
    command.arg(define(ENGINE_URL, engine_url));
    with_address(&output(&mut command)?, ENGINE_URL, engine_url, script)
}

/// Lets the sources write the placeholder as a name.
fn define(placeholder: &str, address: &str) -> String {
    format!("--define:{placeholder}=\"{address}\"")
}

/// Lets the sources write the placeholder inside of a string, and checks that it was there at all.
fn with_address(text: &str, placeholder: &str, address: &str, script: &Path) -> Result<String> {
    let filled = text.replace(placeholder, address);
    if !filled.contains(address) {
        bail!(
            "{} does not use {placeholder}, so the file it stands for would never load",
            script.display()
        );
    }
    Ok(filled)
}

/// Writes the files, and removes those of earlier builds.
fn publish(files: &[(&str, &[u8])]) -> Result<()> {
    let folder = paths::assets().join("_ns");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, content) in files {
        fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if !files.iter().any(|(name, _)| entry.file_name() == *name) {
            fs::remove_file(entry.path())
                .with_context(|| format!("cannot remove {}", entry.path().display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_put_in_or_missed() {
        let script = Path::new("loader.js");
        let filled = with_address(
            "import('__NEARSIDE_ENGINE_URL__')",
            ENGINE_URL,
            "/_ns/engine-1.js",
            script,
        );
        assert_eq!(filled.unwrap(), "import('/_ns/engine-1.js')");
        let error = with_address("nothing", ENGINE_URL, "/_ns/engine-1.js", script).unwrap_err();
        assert!(
            error.to_string().contains("does not use __NEARSIDE_ENGINE_URL__"),
            "{error}"
        );
    }
}
