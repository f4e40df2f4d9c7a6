//! Scripts of Node.js that drive the real browser, for the end-to-end tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::setup::{self, NpmTools};

/// Chromium and what drives it.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The browser's program.
    pub chromium: PathBuf,
    npm: NpmTools,
}

impl Browser {
    /// Finds the browser and playwright-core, or installs them.
    pub fn find() -> Result<Self> {
        Ok(Self {
            npm: setup::npm_tools()?,
            chromium: setup::chromium()?,
        })
    }

    /// The folder that holds playwright-core.
    pub fn node_modules(&self) -> PathBuf {
        self.npm.modules()
    }

    /// A command that runs a Node.js script, which can `require("playwright-core")` and finds the
    /// browser's program in `CHROMIUM`. Its input and outputs are as the caller sets them.
    pub fn node_script(&self, script: &Path) -> Result<Command> {
        let mut command = self.npm.node.command(script)?;
        command
            .env("NODE_PATH", self.node_modules())
            .env("CHROMIUM", &self.chromium)
            .stdin(Stdio::null());
        Ok(command)
    }
}
