//! Previews: an author's browser asks for variants, with a token of the origin's as permission.
//!
//! The token comes with a page's address and stays in a cookie until the browser is closed. It is opened anew for
//! each request, so that its end is its end. While it lasts, nothing is told to the origin.

use crate::config::Config;
use crate::cookies;
use hmac::{Hmac, Mac};
use nearside_engine::program::Program;
use nearside_engine::time::Timestamp;
use nearside_engine::wire::{
    self, PREVIEW_COOKIE, PREVIEW_KEY_CONTEXT, PREVIEW_TAG, read_preview_token, split_preview,
};
use sha2::Sha256;

/// What a request has of a preview.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Preview {
    /// The variants to show: places of experiences and their variants. Empty: there is no preview.
    pub(crate) forced: Vec<(u16, u16)>,
    /// What the token asks for and the program does not have.
    pub(crate) unknown: Vec<(String, String)>,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
    /// What `Server-Timing` says of it.
    pub(crate) note: Option<&'static str>,
    change: Change,
}

/// What becomes of the cookie.
#[derive(Debug, Default, PartialEq, Eq)]
enum Change {
    #[default]
    None,
    Begin(String),
    End,
}

impl Preview {
    /// Reads what a page's address and a `Cookie` header ask for. The address comes first; with an empty parameter it
    /// ends what the cookie keeps. What cannot be opened is no preview, and `note` says why.
    pub(crate) fn read(url: &str, cookie: &str, program: &Program, config: &Config, now: Timestamp) -> Self {
        let kept = cookies::read(cookie, PREVIEW_COOKIE).filter(|kept| !kept.is_empty());
        let (token, is_new) = match (split_preview(url).1, kept) {
            (Some(""), _) => {
                return Self {
                    change: Change::End,
                    ..Self::default()
                };
            }
            (Some(asked), _) => (asked, true),
            (None, Some(kept)) => (kept, false),
            (None, None) => return Self::default(),
        };
        let refused = |note, change| Self {
            note: Some(note),
            change,
            ..Self::default()
        };
        let end = || if kept.is_some() { Change::End } else { Change::None };
        let opened = match open(token, config.edge_secret.as_deref()) {
            Some(opened) if opened.expires_at > now => opened,
            Some(_) => return refused("preview-expired", end()),
            None => return refused("preview-invalid", end()),
        };
        let (mut forced, mut unknown) = (Vec::new(), Vec::new());
        for (experience, variant) in opened.forced {
            match program.variant(&experience, &variant) {
                Some(places) => forced.push(places),
                None => unknown.push((experience, variant)),
            }
        }
        if forced.is_empty() {
            // A kept one stays: another program, a moment older or newer, may have them.
            return refused("preview-unknown", if is_new { end() } else { Change::None });
        }
        Self {
            forced,
            unknown,
            expires_at: opened.expires_at,
            note: Some("preview"),
            change: if is_new {
                Change::Begin(token.to_owned())
            } else {
                Change::None
            },
        }
    }

    /// Whether there is a preview.
    pub(crate) fn is_on(&self) -> bool {
        !self.forced.is_empty()
    }

    /// Whether the page's address has brought its token.
    pub(crate) fn begins(&self) -> bool {
        matches!(self.change, Change::Begin(_))
    }

    /// The variants to show, by their ids.
    pub(crate) fn forced_ids(&self, program: &Program) -> Vec<(String, String)> {
        let ids = |(experience, variant): &(u16, u16)| {
            let experience = program.experiences.get(usize::from(*experience))?;
            let variant = experience.variants.get(usize::from(*variant))?;
            Some((experience.id.clone(), variant.id.clone()))
        };
        self.forced.iter().filter_map(ids).collect()
    }

    /// The `Set-Cookie` header that keeps it, or ends it; none if nothing changes.
    pub(crate) fn cookie(&self, secure: bool) -> Option<String> {
        match &self.change {
            Change::None => None,
            Change::Begin(token) => Some(cookies::set_for_now(PREVIEW_COOKIE, token, secure)),
            Change::End => Some(cookies::expire(PREVIEW_COOKIE, secure)),
        }
    }
}

/// Opens a token; `None` if it is none, or nobody with the secret has made it.
fn open(token: &str, secret: Option<&str>) -> Option<wire::Preview> {
    let (tag, content) = read_preview_token(token).ok()?;
    let mac = mac(&key(secret?)?)?.chain_update(&content);
    mac.verify_slice(&tag).ok()?;
    wire::Preview::from_content(&content).ok()
}

fn key(secret: &str) -> Option<[u8; PREVIEW_TAG]> {
    let derived = mac(secret.as_bytes())?.chain_update(PREVIEW_KEY_CONTEXT);
    Some(derived.finalize().into_bytes().into())
}

fn mac(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

#[cfg(test)]
impl Preview {
    /// A preview as a cookie keeps it.
    pub(crate) fn asking(forced: Vec<(u16, u16)>, unknown: Vec<(String, String)>) -> Self {
        Self {
            forced,
            unknown,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Keys;
    use nearside_engine::compile::compile;
    use nearside_engine::wire::{MAX_PREVIEW_TOKEN, write_preview_token};

    const NOW: Timestamp = 1_763_777_000_000;
    /// What the origin makes of `hero=ride` for the secret `secret`, until an hour after `NOW`; its tests have
    /// the same one.
    const TOKEN: &str = "If5DOGXPGJ_SiCw6fBEJR_lzqIUzIt87Feb_xmEPNWaAg6GY1WYBBGhlcm8EcmlkZQ";

    fn config(secret: Option<&str>) -> Config {
        Config {
            upstream: None,
            origin: None,
            edge_secret: secret.map(str::to_owned),
            keys: Keys::parse(""),
            country_header: None,
            refresh: 0,
            snapshot_age: 0,
            cache_bytes: 0,
        }
    }

    fn program() -> Program {
        let manifest = r#"{"experiences":[{"id":"a","variants":[{"id":"v"}]},
            {"id":"hero","variants":[{"id":"control"},{"id":"ride"}]}]}"#;
        compile(&serde_json::from_str(manifest).unwrap()).0
    }

    fn token(forced: &[(&str, &str)], expires_at: Timestamp) -> String {
        let forced = forced
            .iter()
            .map(|(experience, variant)| ((*experience).to_owned(), (*variant).to_owned()));
        let preview = wire::Preview {
            expires_at,
            forced: forced.collect(),
        };
        let content = preview.content().unwrap();
        let tag = mac(&key("secret").unwrap())
            .unwrap()
            .chain_update(&content)
            .finalize()
            .into_bytes();
        write_preview_token(&tag.into(), &content)
    }

    fn read(url: &str, cookie: &str) -> Preview {
        Preview::read(url, cookie, &program(), &config(Some("secret")), NOW)
    }

    #[track_caller]
    fn is_refused(preview: &Preview, note: &str, cookie: Option<&str>) {
        assert_eq!((preview.is_on(), preview.note), (false, Some(note)));
        assert_eq!(preview.cookie(false).as_deref(), cookie);
    }

    const ENDED: Option<&str> = Some("ns_p=; Path=/; Max-Age=0; SameSite=Lax");

    #[test]
    fn the_address_begins_it_and_the_cookie_keeps_it() {
        assert_eq!(token(&[("hero", "ride")], NOW + 3_600_000), TOKEN);
        let begun = read(&format!("/a?b&ns_preview={TOKEN}"), "ns_p=old");
        assert_eq!(
            (begun.forced.as_slice(), begun.note),
            (&[(1, 1)][..], Some("preview"))
        );
        let set = begun.cookie(true).unwrap();
        assert_eq!(
            set,
            format!("ns_p={TOKEN}; Path=/; HttpOnly; SameSite=Lax; Secure")
        );
        let kept = read("/", &format!("ns_p={TOKEN}"));
        assert_eq!((kept.forced.as_slice(), kept.cookie(true)), (&[(1, 1)][..], None));
        assert_eq!(
            kept.forced_ids(&program()),
            [("hero".to_owned(), "ride".to_owned())]
        );
        let ended = read("/?ns_preview=", &format!("ns_p={TOKEN}"));
        assert_eq!((ended.is_on(), ended.note), (false, None));
        assert_eq!(ended.cookie(false).as_deref(), ENDED);
        assert_eq!(read("/", ""), Preview::default());
    }

    #[test]
    fn a_token_that_is_not_right_is_an_ordinary_page() {
        for index in 0..TOKEN.len() {
            let mut forged = TOKEN.to_owned().into_bytes();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            is_refused(
                &read(&format!("/?ns_preview={forged}"), ""),
                "preview-invalid",
                None,
            );
            let cut = format!("ns_p={}", &TOKEN[..index.max(1)]);
            is_refused(&read("/", &cut), "preview-invalid", ENDED);
        }
        let huge = "A".repeat(MAX_PREVIEW_TOKEN + 1);
        is_refused(
            &read(&format!("/?ns_preview={huge}"), ""),
            "preview-invalid",
            None,
        );
        let expired = token(&[("hero", "ride")], NOW);
        is_refused(
            &read(&format!("/?ns_preview={expired}"), ""),
            "preview-expired",
            None,
        );
        is_refused(&read("/", &format!("ns_p={expired}")), "preview-expired", ENDED);
        let unknown = token(&[("hero", "gone"), ("gone", "v")], NOW + 1);
        is_refused(
            &read(&format!("/?ns_preview={unknown}"), ""),
            "preview-unknown",
            None,
        );
        is_refused(&read("/", &format!("ns_p={unknown}")), "preview-unknown", None);
        for other in [None, Some("another")] {
            let read = Preview::read("/", &format!("ns_p={TOKEN}"), &program(), &config(other), NOW);
            is_refused(&read, "preview-invalid", ENDED);
        }
    }

    #[test]
    fn what_is_known_of_it_is_shown() {
        let mixed = token(&[("gone", "v"), ("a", "v")], NOW + 1);
        let preview = read(&format!("/?ns_preview={mixed}"), "");
        assert_eq!(preview.forced, [(0, 0)]);
        assert_eq!(preview.unknown, [("gone".to_owned(), "v".to_owned())]);
    }
}
