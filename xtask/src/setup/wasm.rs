//! A Rust compiler for `wasm32-unknown-unknown`.
//!
//! Usually that is the toolchain in use, after `rustup target add`. Where rustup can't fetch the target,
//! Debian's compiler for WebAssembly is taken, and its standard library is built from Debian's source
//! package into a sysroot in the cache: the system's own folders stay as the packages left them.

use std::env;
use std::fmt;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Cache, apt, begin, finish};
use crate::process::{find_on_path, output, path_with, run_logged, run_logged_within};
use crate::report::{Step, say};

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-22";

/// Features of the standard library, as the toolchain's own builds for this target have them.
const STD_FEATURES: &str = "panic-unwind,compiler-builtins-mem";

/// How long rustup may take to fetch the target.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// A compiler that makes WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WasmToolchain {
    /// The toolchain that is in use anyway has the target.
    Current,
    /// Debian's compiler with a sysroot of our own.
    Debian {
        /// Holds `cargo` and a `rustc` that knows the sysroot.
        programs: PathBuf,
    },
}

impl fmt::Display for WasmToolchain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => out.write_str("the Rust toolchain in use"),
            Self::Debian { programs } => write!(out, "Debian's, with the sysroot of {}", programs.display()),
        }
    }
}

impl WasmToolchain {
    /// A command that runs `program` (`cargo`, or something that runs cargo) with this compiler.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        let mut command = Command::new(program);
        self.apply(&mut command)?;
        Ok(command)
    }

    /// The cargo of this toolchain.
    pub fn cargo(&self) -> Result<Command> {
        match self {
            Self::Current => self.command("cargo"),
            Self::Debian { programs } => self.command(programs.join("cargo")),
        }
    }

    /// Makes a command, and what it starts, use this compiler.
    fn apply(&self, command: &mut Command) -> Result<()> {
        let Self::Debian { programs } = self else {
            return Ok(());
        };
        command
            .env("PATH", path_with(&[programs])?)
            .env("RUSTC", programs.join("rustc"))
            .env("CARGO", programs.join("cargo"))
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
            .env_remove("RUSTUP_TOOLCHAIN")
            .env_remove("RUSTDOC");
        Ok(())
    }
}

pub(super) fn ensure(cache: &Cache) -> Result<WasmToolchain> {
    cache.ensure("the wasm32 target", || find(cache), || install(cache))
}

fn find(cache: &Cache) -> Option<WasmToolchain> {
    if current_has_target() {
        return Some(WasmToolchain::Current);
    }
    let programs = debian_place(cache)?.join("bin");
    let complete = programs.join("rustc").is_file() && Path::new(DEBIAN_LINKER).is_file();
    complete.then_some(WasmToolchain::Debian { programs })
}

fn current_has_target() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let folder = output(Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| has_standard_library(Path::new(&folder)))
}

fn has_standard_library(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // rustup's is `libstd-HASH.rlib`; the one that cargo builds has no hash.
        name == "libstd.rlib" || (name.starts_with("libstd-") && name.ends_with(".rlib"))
    })
}

/// The cached sysroot for the Debian compiler that is installed, by its version.
fn debian_place(cache: &Cache) -> Option<PathBuf> {
    Some(cache.place(&format!("wasm-rust-{}", debian_version()?)))
}

fn debian_version() -> Option<String> {
    let said = output(
        Command::new(DEBIAN_RUSTC)
            .arg("--version")
            .env_remove("RUSTUP_TOOLCHAIN"),
    )
    .ok()?;
    // `rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)`
    said.split_whitespace().nth(1).map(str::to_owned)
}

fn install(cache: &Cache) -> Result<()> {
    match add_with_rustup(cache) {
        Ok(()) => return Ok(()),
        Err(error) => say(format!(
            "rustup cannot add {TARGET} here, so Debian's compiler is taken: {error:#}"
        )),
    }
    install_debian(cache)
        .with_context(|| format!("the compiler for {TARGET} is missing: run `rustup target add {TARGET}`"))
}

fn add_with_rustup(cache: &Cache) -> Result<()> {
    let Some(rustup) = find_on_path("rustup") else {
        bail!("there is no rustup")
    };
    let step = Step::start(format!("adding the target {TARGET} with rustup"), "about 10 s");
    let mut command = Command::new(rustup);
    command.args(["target", "add", TARGET]);
    let added = run_logged_within(&mut command, &cache.log("rustup"), RUSTUP_LIMIT)
        .map_err(|error| last_line(&error));
    added?;
    if !current_has_target() {
        bail!("rustup added it to a toolchain that is not the one in use");
    }
    step.done();
    Ok(())
}

/// The last line of what rustup said: the one that tells why.
fn last_line(error: &anyhow::Error) -> anyhow::Error {
    let text = error.to_string();
    anyhow::Error::msg(text.lines().last().unwrap_or(&text).trim().to_owned())
}

fn install_debian(cache: &Cache) -> Result<()> {
    let present =
        debian_version().is_some() && Path::new(DEBIAN_LINKER).is_file() && debian_source().is_some();
    if !present {
        let step = Step::start("installing Debian's Rust compiler for WebAssembly", "about 1 min");
        apt::install(
            "a Rust compiler for WebAssembly",
            &DEBIAN_PACKAGES,
            &cache.log("apt-rust"),
        )?;
        step.done();
    }
    let place = debian_place(cache).context("Debian's rustc does not run")?;
    let source = debian_source().context("Debian's source of the standard library is not in /usr/src")?;
    let step = Step::start(
        format!("building the standard library for {TARGET}"),
        "about 1 min",
    );
    let partial = begin(&place)?;
    build_standard_library(&source, &partial, &cache.log("wasm-std"))?;
    lay_out_sysroot(&partial, &place)?;
    finish(&partial, &place)?;
    step.done();
    Ok(())
}

fn debian_source() -> Option<PathBuf> {
    let library = PathBuf::from(format!("/usr/src/rustc-{}/library", debian_version()?));
    library.join("sysroot").is_dir().then_some(library)
}

fn build_standard_library(source: &Path, folder: &Path, log: &Path) -> Result<()> {
    let library = folder.join("library");
    let objects = folder.join("objects");
    // A copy, because cargo writes a lock file beside the sources.
    run_logged(Command::new("cp").arg("-r").arg(source).arg(&library), log)?;
    let mut cargo = Command::new(DEBIAN_CARGO);
    cargo
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            TARGET,
            "--features",
            STD_FEATURES,
        ])
        .args(["--manifest-path", "sysroot/Cargo.toml"])
        .current_dir(&library)
        .env("CARGO_TARGET_DIR", &objects)
        .env("RUSTC", DEBIAN_RUSTC)
        // The standard library uses unstable features; this is how the compiler's own build allows them.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zforce-unstable-if-unmarked -Cembed-bitcode=yes")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTUP_TOOLCHAIN");
    run_logged(&mut cargo, log)?;

    let libraries = folder.join("sysroot/lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&libraries)?;
    for entry in fs::read_dir(objects.join(TARGET).join("release/deps"))? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "rlib") {
            fs::copy(&file, libraries.join(file.file_name().unwrap_or_default()))?;
        }
    }
    if !has_standard_library(&libraries) {
        bail!(
            "the standard library was built, but its files were not found in {}",
            objects.display()
        );
    }
    fs::remove_dir_all(&objects)?;
    fs::remove_dir_all(&library)?;
    Ok(())
}

/// Completes the sysroot: everything but the new target is the system's, by links. `place` is where
/// `folder` will be moved to.
fn lay_out_sysroot(folder: &Path, place: &Path) -> Result<()> {
    let system = output(
        Command::new(DEBIAN_RUSTC)
            .args(["--print", "sysroot"])
            .env_remove("RUSTUP_TOOLCHAIN"),
    )?;
    let system = Path::new(&system).join("lib/rustlib");
    for entry in fs::read_dir(&system).with_context(|| format!("cannot read {}", system.display()))? {
        let entry = entry?;
        let link = folder.join("sysroot/lib/rustlib").join(entry.file_name());
        if !link.exists() {
            symlink(entry.path(), &link)?;
        }
    }
    let programs = folder.join("bin");
    fs::create_dir_all(&programs)?;
    symlink(DEBIAN_CARGO, programs.join("cargo"))?;
    let rustc = programs.join("rustc");
    fs::write(&rustc, wrapper(DEBIAN_RUSTC, &place.join("sysroot")))?;
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// A script that runs `rustc` with another sysroot.
fn wrapper(rustc: &str, sysroot: &Path) -> String {
    let quoted = sysroot.display().to_string().replace('\'', r"'\''");
    format!("#!/bin/sh\nexec {rustc} --sysroot '{quoted}' \"$@\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapper_quotes_the_cache_folder() {
        let script = wrapper("/usr/bin/rustc", Path::new("/home/o'neil/.cache/s"));
        assert_eq!(
            script,
            "#!/bin/sh\nexec /usr/bin/rustc --sysroot '/home/o'\\''neil/.cache/s' \"$@\"\n"
        );
    }

    #[test]
    fn a_folder_without_std_is_no_target() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_standard_library(folder.path()));
        fs::write(folder.path().join("libcore-1.rlib"), "").unwrap();
        assert!(!has_standard_library(folder.path()));
        fs::write(folder.path().join("libstd-1.rlib"), "").unwrap();
        assert!(has_standard_library(folder.path()));
    }

    #[test]
    fn the_current_toolchain_needs_no_environment() {
        let command = WasmToolchain::Current.cargo().unwrap();
        assert_eq!(command.get_envs().count(), 0);
    }

    #[test]
    fn debians_toolchain_goes_before_rustups() {
        let toolchain = WasmToolchain::Debian {
            programs: PathBuf::from("/cache/bin"),
        };
        let command = toolchain.cargo().unwrap();
        let value = |name: &str| {
            command
                .get_envs()
                .find(|(key, _)| *key == name)
                .and_then(|(_, value)| value)
                .map(std::ffi::OsStr::to_owned)
        };
        assert_eq!(command.get_program(), "/cache/bin/cargo");
        assert_eq!(value("RUSTC").unwrap(), "/cache/bin/rustc");
        assert!(
            value("PATH")
                .unwrap()
                .to_string_lossy()
                .starts_with("/cache/bin:")
        );
        assert_eq!(value("RUSTUP_TOOLCHAIN"), None);
    }
}
