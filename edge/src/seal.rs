//! Seals the state cookie: only the edge can read it, nobody can change it, and it is of use to one visitor.
//!
//! XChaCha20-Poly1305 with a random nonce; the visitor's id is associated data, so that one visitor's cookie
//! does not open for another. The first byte is the key's id, so that keys can be changed: the first key of
//! the list seals, all of them open.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use nearside_engine::base64url;
use nearside_engine::hash::fnv1a_32;
use nearside_engine::wire::MAX_STATE_COOKIE;

/// The length of a nonce.
pub(crate) const NONCE: usize = 24;
const TAG: usize = 16;
/// The longest content of which the sealed form fits into the cookie.
pub(crate) const MAX_CONTENT: usize = MAX_STATE_COOKIE / 4 * 3 - 1 - NONCE - TAG;

/// The keys: the first seals, all of them open.
#[derive(Default)]
pub(crate) struct Keys {
    keys: Vec<(u8, XChaCha20Poly1305)>,
}

impl Keys {
    /// Reads `name:base64 of 32 bytes, name:…`. What is no key is left out; without any key there is no state
    /// cookie, and each page is decided from the journal alone.
    pub(crate) fn parse(text: &str) -> Self {
        let mut keys: Vec<(u8, XChaCha20Poly1305)> = Vec::new();
        for entry in text.split(',') {
            let Some((name, key)) = entry.trim().split_once(':') else {
                continue;
            };
            let Some(key) = plain_base64(key.trim()) else {
                continue;
            };
            let Ok(cipher) = XChaCha20Poly1305::new_from_slice(&key) else {
                continue;
            };
            let id = fnv1a_32(name.as_bytes()) as u8;
            if !keys.iter().any(|(known, _)| *known == id) {
                keys.push((id, cipher));
            }
        }
        Self { keys }
    }

    /// Seals content for a visitor; `None` without a key, or when the content is too long.
    pub(crate) fn seal(&self, content: &[u8], visitor_id: &str, nonce: [u8; NONCE]) -> Option<String> {
        let (id, cipher) = self.keys.first()?;
        if content.len() > MAX_CONTENT {
            return None;
        }
        let payload = Payload {
            msg: content,
            aad: visitor_id.as_bytes(),
        };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        let mut bytes = Vec::with_capacity(1 + NONCE + sealed.len());
        bytes.push(*id);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Some(base64url::encode(&bytes))
    }

    /// Opens what was sealed for this visitor; `None` for anything else.
    pub(crate) fn open(&self, cookie: &str, visitor_id: &str) -> Option<Vec<u8>> {
        if cookie.len() > MAX_STATE_COOKIE {
            return None;
        }
        let bytes = base64url::decode(cookie).ok()?;
        let (id, rest) = bytes.split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let (_, cipher) = self.keys.iter().find(|(known, _)| known == id)?;
        let payload = Payload {
            msg: sealed,
            aad: visitor_id.as_bytes(),
        };
        cipher.decrypt(&XNonce::from(*nonce), payload).ok()
    }
}

/// Reads base64 in its first alphabet, with its padding (RFC 4648, section 4), as configurations have it.
fn plain_base64(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    let is_whole = text.len().is_multiple_of(4) && text.len() - bare.len() <= 2;
    if !is_whole || bare.contains(['-', '_']) {
        return None;
    }
    base64url::decode(&bare.replace('+', "-").replace('/', "_")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn keys(names: &[&str]) -> Keys {
        let entry = |name: &&str| format!("{name}:{}", STANDARD.encode([name.len() as u8; 32]));
        Keys::parse(&names.iter().map(entry).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn only_the_same_visitor_s_unchanged_cookie_opens() {
        let keys = keys(&["one"]);
        let sealed = keys.seal(b"state", "visitor", [7; NONCE]).unwrap();
        assert_eq!(keys.open(&sealed, "visitor").as_deref(), Some(&b"state"[..]));
        assert_eq!(keys.open(&sealed, "another"), None);
        for index in 0..sealed.len() {
            let mut forged = sealed.clone().into_bytes();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                keys.open(std::str::from_utf8(&forged).unwrap(), "visitor"),
                None,
                "{index}"
            );
            assert_eq!(keys.open(&sealed[..index], "visitor"), None, "{index}");
        }
        assert_eq!(keys.open(&"A".repeat(MAX_STATE_COOKIE + 1), "visitor"), None);
    }

    #[test]
    fn keys_can_be_changed() {
        let old = keys(&["one"]).seal(b"state", "v", [7; NONCE]).unwrap();
        let rotated = keys(&["second", "one"]);
        assert_eq!(rotated.open(&old, "v").as_deref(), Some(&b"state"[..]));
        let new = rotated.seal(b"state", "v", [7; NONCE]).unwrap();
        assert_eq!(keys(&["one"]).open(&new, "v"), None);
    }

    #[test]
    fn base64_is_read_as_others_read_it() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).map(|at: u8| at.wrapping_mul(37) ^ 0xfb).collect();
            let text = STANDARD.encode(&bytes);
            assert_eq!(plain_base64(&text), Some(bytes), "{text}");
        }
        for text in [
            "Zg", "Zg=", "Zg===", "Zh==", "=", "====", "Zm9v====", "Zm-v", "Zm_v", "Z=9v", "Zm9v\n",
        ] {
            assert_eq!(plain_base64(text), None, "{text}");
            assert!(STANDARD.decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_cookie_never_gets_too_long() {
        let keys = keys(&["one"]);
        assert!(keys.seal(&[0; MAX_CONTENT], "v", [7; NONCE]).unwrap().len() <= MAX_STATE_COOKIE);
        assert_eq!(keys.seal(&[0; MAX_CONTENT + 1], "v", [7; NONCE]), None);
    }

    #[test]
    fn what_is_no_key_is_left_out() {
        assert_eq!(Keys::parse("").seal(b"", "v", [7; NONCE]), None);
        assert_eq!(Keys::parse("a:b,c,:,d:AAAA").seal(b"", "v", [7; NONCE]), None);
    }
}
