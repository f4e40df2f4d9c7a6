//! `cargo xtask symbols`: makes names of the numbers of functions that a log of the deployed worker has.
//!
//! The deployed module has no names, since they are as large as its code. The build keeps the same module with names
//! beside it: what a log calls `wasm-function[7]` is its seventh function.

use std::fs;
use std::io::{self, BufRead, Write};

use anyhow::{Context, Result, bail};

use crate::paths;
use crate::wasm_module::names;

const MARK: &str = "wasm-function[";

/// Prints the lines, or those of the standard input when there are none, with the functions' names.
pub fn symbols(lines: &[String]) -> Result<()> {
    let file = paths::named_worker_module();
    let module = fs::read(&file).with_context(|| {
        format!(
            "cannot read {}: run `cargo xtask build edge` in a checkout of what is deployed",
            file.display()
        )
    })?;
    let names = names(&module)?;
    if names.is_empty() {
        bail!("{} has no names", file.display());
    }
    let name = |index| names.get(&index).map(String::as_str);
    let mut out = io::stdout().lock();
    if lines.is_empty() {
        for line in io::stdin().lock().lines() {
            writeln!(out, "{}", named(&line?, name))?;
        }
    }
    for line in lines {
        writeln!(out, "{}", named(line, name))?;
    }
    Ok(())
}

/// The line with a name behind the number of each function that has one.
fn named<'a>(line: &str, name: impl Fn(u32) -> Option<&'a str>) -> String {
    let mut parts = line.split(MARK);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(MARK);
        let known = part.split_once(']').and_then(|(number, rest)| {
            let name = name(number.parse().ok()?)?;
            Some(format!("{number}: {}]{rest}", readable(name)))
        });
        text.push_str(known.as_deref().unwrap_or(part));
    }
    text
}

/// A name without the hash of its crate, `[0123456789abcdef]`, which nobody reads.
fn readable(name: &str) -> String {
    let mut parts = name.split('[');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let hash = part.split_once(']').filter(|(hash, _)| {
            hash.len() > 8 && hash.chars().all(|character| character.is_ascii_hexdigit())
        });
        match hash {
            Some((_, rest)) => text.push_str(rest),
            None => {
                text.push('[');
                text.push_str(part);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_names() {
        let name = |index| match index {
            7 => Some("<engine[c5930c85a12de822]::Value>::read::<[u8]>"),
            _ => None,
        };
        for (line, expected) in [
            (
                "at wasm://wasm/1:wasm-function[7]:0x1f (wasm-function[8])",
                "at wasm://wasm/1:wasm-function[7: <engine::Value>::read::<[u8]>]:0x1f (wasm-function[8])",
            ),
            ("nothing", "nothing"),
            (
                "wasm-function[seven] wasm-function[7",
                "wasm-function[seven] wasm-function[7",
            ),
        ] {
            assert_eq!(named(line, name), expected);
        }
    }
}
