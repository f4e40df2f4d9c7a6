//! Debian's packages.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

use crate::process::{find_on_path, run_logged};

static UPDATED: AtomicBool = AtomicBool::new(false);

/// How this machine installs Debian packages, if it does at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    AsRoot,
    WithSudo,
    NotAllowed,
    NotDebian,
}

fn way(has_apt: bool, is_root: bool, has_sudo: bool) -> Way {
    match (has_apt, is_root, has_sudo) {
        (false, ..) => Way::NotDebian,
        (true, true, _) => Way::AsRoot,
        (true, false, true) => Way::WithSudo,
        (true, false, false) => Way::NotAllowed,
    }
}

fn this_way() -> Way {
    let found = |name| find_on_path(name).is_some();
    way(
        found("apt-get"),
        rustix::process::geteuid().is_root(),
        found("sudo"),
    )
}

/// Installs packages; `what` is what they are for, in words for the error.
pub(super) fn install(what: &str, packages: &[&str], log: &Path) -> Result<()> {
    let list = packages.join(" ");
    let way = this_way();
    match way {
        Way::NotDebian => bail!("{what} is missing, and this is no Debian system that could install {list}"),
        Way::NotAllowed => {
            bail!("{what} is missing: as root, run `apt-get update && apt-get install {list}`")
        }
        Way::AsRoot | Way::WithSudo => {}
    }
    let told = |error: anyhow::Error| {
        error.context(format!(
            "{what} is missing and could not be installed: run `apt-get install {list}`"
        ))
    };
    if !UPDATED.load(Ordering::Relaxed) {
        run_logged(apt_get(way).args(["-q", "update"]), log).map_err(told)?;
        UPDATED.store(true, Ordering::Relaxed);
    }
    let mut command = apt_get(way);
    // Another run of apt may hold dpkg's lock, as it does for a while after a machine has started.
    command.args([
        "-q",
        "-y",
        "-o",
        "DPkg::Lock::Timeout=300",
        "install",
        "--no-install-recommends",
    ]);
    run_logged(command.args(packages), log).map_err(told)
}

/// Fetches a package into a folder and unpacks it there, without installing it.
pub(super) fn unpack(package: &str, folder: &Path, log: &Path) -> Result<()> {
    if find_on_path("apt-get").is_none() || find_on_path("dpkg-deb").is_none() {
        bail!("this is no Debian system that could fetch {package}");
    }
    let fetch = || {
        run_logged(
            Command::new("apt-get")
                .args(["-q", "download", package])
                .current_dir(folder),
            log,
        )
    };
    if fetch().is_err() {
        // A new machine does not know yet what there is.
        run_logged(apt_get(this_way()).args(["-q", "update"]), log)?;
        fetch()?;
    }
    let mut archive = None;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            archive = Some(path);
        }
    }
    let Some(archive) = archive else {
        bail!("apt-get has fetched no package {package}; see {}", log.display());
    };
    run_logged(Command::new("dpkg-deb").arg("-x").arg(archive).arg(folder), log)
}

fn apt_get(way: Way) -> Command {
    let mut command = match way {
        Way::WithSudo => {
            let mut command = Command::new("sudo");
            // Without `-n` sudo would wait for a password that nobody types.
            command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            command
        }
        _ => Command::new("apt-get"),
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::spelled;

    #[test]
    fn root_needs_no_sudo() {
        assert_eq!(way(true, true, true), Way::AsRoot);
        assert_eq!(way(true, false, true), Way::WithSudo);
        assert_eq!(way(true, false, false), Way::NotAllowed);
        assert_eq!(way(false, true, true), Way::NotDebian);
    }

    #[test]
    fn sudo_never_asks_for_a_password() {
        assert_eq!(
            spelled(&apt_get(Way::WithSudo)),
            "sudo -n DEBIAN_FRONTEND=noninteractive apt-get"
        );
        assert_eq!(spelled(&apt_get(Way::AsRoot)), "apt-get");
    }
}
