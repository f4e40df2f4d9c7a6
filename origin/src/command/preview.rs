//! `nearside preview`: mints a token with which a browser is shown some variants.

use super::Failure;
use crate::clock;
use crate::preview::{DEFAULT_AGE, mint, read_age};
use nearside_engine::wire::{PREVIEW_PARAMETER, split_preview};
use std::io::{self, Write};
use std::process::ExitCode;

/// The arguments of `nearside preview`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The variant to show of an experience; several times for several experiences
    #[arg(required = true, value_name = "EXPERIENCE=VARIANT", value_parser = pair)]
    variants: Vec<(String, String)>,
    /// How long the token can be used: at most 30 days
    #[arg(long, value_name = "DURATION", default_value = DEFAULT_AGE, value_parser = read_age)]
    expires: i64,
    /// The page to show: prints its address with the token, and else the token alone
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// What the edge knows too
    #[arg(
        long,
        env = "NEARSIDE_EDGE_SECRET",
        value_name = "SECRET",
        hide_env_values = true
    )]
    edge_secret: String,
}

fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(experience, variant)| !experience.is_empty() && !variant.is_empty())
        .map(|(experience, variant)| (experience.to_owned(), variant.to_owned()))
        .ok_or_else(|| "give EXPERIENCE=VARIANT".to_owned())
}

impl Arguments {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let expires_at = clock::now().saturating_add(self.expires);
        let token = mint(&self.edge_secret, self.variants, expires_at)
            .map_err(|error| Failure::new(error.to_string()))?;
        let mut output = io::stdout().lock();
        match &self.url {
            Some(url) => writeln!(output, "{}", address(url, &token))?,
            None => writeln!(output, "{token}")?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A page's address with the token, in the place of an earlier one.
fn address(url: &str, token: &str) -> String {
    let (url, _) = split_preview(url);
    let (page, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let separator = if page.contains('?') { '&' } else { '?' };
    format!("{page}{separator}{PREVIEW_PARAMETER}={token}{fragment}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, expected) in [
            ("https://x/", "https://x/?ns_preview=T"),
            ("/a?b=1#c", "/a?b=1&ns_preview=T#c"),
            ("/a?ns_preview=old&b", "/a?b&ns_preview=T"),
        ] {
            assert_eq!(address(url, "T"), expected, "{url}");
        }
    }
}
