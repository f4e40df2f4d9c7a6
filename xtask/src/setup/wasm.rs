//! A Rust compiler for `wasm32-unknown-unknown`, and the standard library for it.
//!
//! The modules are built together with the standard library, from its source, since what they load is a tenth smaller
//! with one that is made for its size. Usually the compiler is the toolchain in use and the source comes from rustup.
//! Where rustup can't fetch them, Debian's compiler for WebAssembly and its source package are taken. Where those
//! can't be had either, the standard library is the one that came with the toolchain.

use std::env;
use std::fmt;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{Cache, apt, begin, finish};
use crate::process::{find_on_path, output, path_with, run_logged_within};
use crate::report::{Step, say};

const TARGET: &str = "wasm32-unknown-unknown";
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld-22";

/// What makes all code small that is built with the standard library. A panic stops at its place and says nothing:
/// the runtime's trap, whose stack `cargo xtask symbols` reads, takes the place of the message.
const FLAGS_FOR_SIZE: [&str; 3] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
];

/// How long rustup may take to fetch something.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// A compiler that makes WebAssembly, and its standard library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WasmToolchain {
    compiler: Compiler,
    library: StandardLibrary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Compiler {
    /// The toolchain that is in use anyway.
    Current,
    /// Debian's.
    Debian {
        /// Holds `cargo` and a `rustc` that knows of the target.
        programs: PathBuf,
    },
}

/// Which standard library the modules have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandardLibrary {
    /// Built with the module, for size.
    ForSize,
    /// As it came with the compiler.
    Prebuilt,
}

impl fmt::Display for StandardLibrary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::ForSize => "built for size",
            Self::Prebuilt => "as it came with the compiler",
        })
    }
}

impl fmt::Display for WasmToolchain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.compiler {
            Compiler::Current => out.write_str("the Rust toolchain in use")?,
            Compiler::Debian { programs } => write!(out, "Debian's, in {}", programs.display())?,
        }
        write!(out, "; the standard library {}", self.library)
    }
}

impl WasmToolchain {
    /// Which standard library the modules get.
    pub fn library(&self) -> StandardLibrary {
        self.library
    }

    /// A command that runs `program` (`cargo`, or something that runs cargo) with this compiler and standard library.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        self.command_with(program, &[])
    }

    /// The same, with further flags for the compiler.
    pub fn command_with(&self, program: impl AsRef<std::ffi::OsStr>, flags: &[&str]) -> Result<Command> {
        let mut command = Command::new(program);
        self.compiler.apply(&mut command)?;
        // Flags that are meant for the machine's own programs.
        command
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        let mut all: Vec<&str> = flags.to_vec();
        if self.library == StandardLibrary::ForSize {
            all.extend(FLAGS_FOR_SIZE);
            command
                // Both cargo and the compiler call it unstable to build the standard library.
                .env("RUSTC_BOOTSTRAP", "1")
                .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
                .env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
        }
        if !all.is_empty() {
            command.env("CARGO_ENCODED_RUSTFLAGS", all.join("\u{1f}"));
        }
        Ok(command)
    }

    /// The cargo of this toolchain.
    pub fn cargo(&self) -> Result<Command> {
        match &self.compiler {
            Compiler::Current => self.command("cargo"),
            Compiler::Debian { programs } => self.command(programs.join("cargo")),
        }
    }
}

impl Compiler {
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

    /// A command that runs the compiler itself.
    fn rustc(&self) -> Command {
        match self {
            Self::Current => Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())),
            Self::Debian { programs } => {
                let mut command = Command::new(programs.join("rustc"));
                command.env_remove("RUSTUP_TOOLCHAIN");
                command
            }
        }
    }

    /// Whether it has the source of the standard library and knows what builds it for size.
    fn builds_for_size(&self) -> bool {
        let has_source = output(self.rustc().args(["--print", "sysroot"])).is_ok_and(|sysroot| {
            // Where cargo looks for it.
            let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
            library.join("std/Cargo.toml").is_file()
        });
        let mut probe = self.rustc();
        probe
            .args(FLAGS_FOR_SIZE)
            .args(["--target", TARGET, "--print", "cfg"])
            .env("RUSTC_BOOTSTRAP", "1");
        has_source && output(&mut probe).is_ok()
    }

    fn for_size(self) -> Option<WasmToolchain> {
        self.builds_for_size().then_some(WasmToolchain {
            compiler: self,
            library: StandardLibrary::ForSize,
        })
    }
}

pub(super) fn ensure(cache: &Cache) -> Result<WasmToolchain> {
    let toolchain = cache.ensure("the wasm32 target", || find(cache), || install(cache))?;
    if toolchain.library == StandardLibrary::Prebuilt {
        say(format!(
            "The edge worker and the browser package are larger than they have to be, because neither rustup nor \
             Debian gives the source of the standard library here. If that has changed, remove {}.",
            no_source(cache).display()
        ));
    }
    Ok(toolchain)
}

fn find(cache: &Cache) -> Option<WasmToolchain> {
    if current_has_target()
        && let Some(toolchain) = Compiler::Current.for_size()
    {
        return Some(toolchain);
    }
    debian(cache).or_else(|| {
        (no_source(cache).is_file() && current_has_target()).then_some(WasmToolchain {
            compiler: Compiler::Current,
            library: StandardLibrary::Prebuilt,
        })
    })
}

fn debian(cache: &Cache) -> Option<WasmToolchain> {
    let programs = debian_place(cache)?.join("bin");
    let complete = programs.join("rustc").is_file() && Path::new(DEBIAN_LINKER).is_file();
    complete
        .then_some(Compiler::Debian { programs })
        .and_then(Compiler::for_size)
}

/// A note that the source of the standard library could not be had, so that it is not looked for with every build.
fn no_source(cache: &Cache) -> PathBuf {
    cache.place("no-source-of-std")
}

fn current_has_target() -> bool {
    let folder = output(
        Compiler::Current
            .rustc()
            .args(["--print", "target-libdir", "--target", TARGET]),
    );
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
            "rustup cannot add {TARGET} and the source of the standard library here, so Debian's compiler is taken: \
             {error:#}"
        )),
    }
    let Err(error) = install_debian(cache) else {
        return Ok(());
    };
    if current_has_target() {
        say(format!("nor is there Debian's: {error:#}"));
        let note = no_source(cache);
        return fs::write(&note, format!("{error:#}\n"))
            .with_context(|| format!("cannot write {}", note.display()));
    }
    Err(error).with_context(|| {
        format!(
            "the compiler for {TARGET} is missing: run `rustup target add {TARGET}` and \
             `rustup component add rust-src`"
        )
    })
}

fn add_with_rustup(cache: &Cache) -> Result<()> {
    let Some(rustup) = find_on_path("rustup") else {
        bail!("there is no rustup")
    };
    let wanted = [
        ("target", TARGET, current_has_target()),
        ("component", "rust-src", Compiler::Current.builds_for_size()),
    ];
    for (kind, name, _) in wanted.iter().filter(|(.., is_there)| !is_there) {
        let step = Step::start(format!("adding the {kind} {name} with rustup"), "about 10 s");
        let mut command = Command::new(&rustup);
        command.args([kind, "add", name]);
        run_logged_within(&mut command, &cache.log("rustup"), RUSTUP_LIMIT)
            .map_err(|error| last_line(&error))?;
        step.done();
    }
    if !current_has_target() || !Compiler::Current.builds_for_size() {
        bail!("rustup added it to a toolchain that is not the one in use, or one that is too old");
    }
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
    let partial = begin(&place)?;
    lay_out_sysroot(&partial, &place)?;
    finish(&partial, &place)?;
    if debian(cache).is_none() {
        bail!("Debian's rustc does not build the standard library");
    }
    Ok(())
}

fn debian_source() -> Option<PathBuf> {
    let library = PathBuf::from(format!("/usr/src/rustc-{}/library", debian_version()?));
    library.join("sysroot").is_dir().then_some(library)
}

/// A sysroot in which all is the system's, by links, but for the new target: a folder that is empty, since its
/// libraries are built with each module, but that `worker-build` looks for. `place` is where `folder` will be moved to.
fn lay_out_sysroot(folder: &Path, place: &Path) -> Result<()> {
    let system = output(
        Command::new(DEBIAN_RUSTC)
            .args(["--print", "sysroot"])
            .env_remove("RUSTUP_TOOLCHAIN"),
    )?;
    let system = Path::new(&system).join("lib/rustlib");
    fs::create_dir_all(folder.join("sysroot/lib/rustlib").join(TARGET).join("lib"))?;
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

    fn value(command: &Command, name: &str) -> Option<String> {
        let mut variables = command.get_envs();
        let (_, value) = variables.find(|(key, _)| *key == name)?;
        Some(value?.to_string_lossy().into_owned())
    }

    #[test]
    fn the_standard_library_is_built_for_size_or_left_alone() {
        let with = |library| WasmToolchain {
            compiler: Compiler::Current,
            library,
        };
        let command = with(StandardLibrary::ForSize).cargo().unwrap();
        let flags = value(&command, "CARGO_ENCODED_RUSTFLAGS").unwrap();
        assert_eq!(flags.split('\u{1f}').collect::<Vec<_>>(), FLAGS_FOR_SIZE);
        assert_eq!(value(&command, "RUSTC_BOOTSTRAP").as_deref(), Some("1"));
        let command = with(StandardLibrary::Prebuilt).cargo().unwrap();
        assert!(command.get_envs().all(|(_, value)| value.is_none()));
        let command = with(StandardLibrary::Prebuilt)
            .command_with("cargo", &["-Ca", "-Cb"])
            .unwrap();
        assert_eq!(
            value(&command, "CARGO_ENCODED_RUSTFLAGS").as_deref(),
            Some("-Ca\u{1f}-Cb")
        );
    }

    #[test]
    fn a_build_is_named_by_its_standard_library() {
        let with = |library| {
            let compiler = Compiler::Current;
            WasmToolchain { compiler, library }.to_string()
        };
        assert_ne!(with(StandardLibrary::ForSize), with(StandardLibrary::Prebuilt));
    }

    #[test]
    fn debians_toolchain_goes_before_rustups() {
        let toolchain = WasmToolchain {
            compiler: Compiler::Debian {
                programs: PathBuf::from("/cache/bin"),
            },
            library: StandardLibrary::ForSize,
        };
        let command = toolchain.cargo().unwrap();
        assert_eq!(command.get_program(), "/cache/bin/cargo");
        assert_eq!(value(&command, "RUSTC").unwrap(), "/cache/bin/rustc");
        assert!(value(&command, "PATH").unwrap().starts_with("/cache/bin:"));
        assert_eq!(value(&command, "RUSTUP_TOOLCHAIN"), None);
    }
}
