//! Mints the tokens with which an author previews variants; the edge opens them.

use hmac::{Hmac, Mac};
use nearside_engine::time::{DAY, Timestamp, parse_duration};
use nearside_engine::wire::{
    MAX_PREVIEW_VARIANTS, PREVIEW_KEY_CONTEXT, PREVIEW_TAG, Preview, write_preview_token,
};
use sha2::Sha256;

/// How long a preview can be used, unless asked otherwise, as a duration.
pub const DEFAULT_AGE: &str = "24h";
/// The longest that a preview can be used: what is forgotten should end.
const MAX_AGE: i64 = 30 * DAY;

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoToken {
    /// No variant is asked for, or too many, or their ids are too long.
    Variants,
    /// There is no secret that the edge knows too.
    Secret,
}

impl std::fmt::Display for NoToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoToken::Variants => write!(
                formatter,
                "give 1 to {MAX_PREVIEW_VARIANTS} variants, whose ids fit into an address together"
            ),
            NoToken::Secret => {
                formatter.write_str("a preview needs the edge secret, which the edge knows too")
            }
        }
    }
}

/// Reads how long a preview can be used, in milliseconds.
pub fn read_age(text: &str) -> Result<i64, String> {
    parse_duration(text)
        .filter(|age| *age <= MAX_AGE)
        .ok_or_else(|| "give a duration of at most 30 days, such as `24h` or `7d`".to_owned())
}

/// Mints a token for experiences with their variants, by their ids.
///
/// # Errors
/// When there is nothing that a token could be made of.
pub fn mint(secret: &str, forced: Vec<(String, String)>, expires_at: Timestamp) -> Result<String, NoToken> {
    if forced.is_empty() {
        return Err(NoToken::Variants);
    }
    if secret.is_empty() {
        return Err(NoToken::Secret);
    }
    let content = Preview { expires_at, forced }
        .content()
        .ok_or(NoToken::Variants)?;
    let key = hmac(secret.as_bytes(), PREVIEW_KEY_CONTEXT).ok_or(NoToken::Secret)?;
    let tag = hmac(&key, &content).ok_or(NoToken::Secret)?;
    Ok(write_preview_token(&tag, &content))
}

fn hmac(key: &[u8], message: &[u8]) -> Option<[u8; PREVIEW_TAG]> {
    let mac: Hmac<Sha256> = Hmac::new_from_slice(key).ok()?;
    Some(mac.chain_update(message).finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forced(number: usize) -> Vec<(String, String)> {
        vec![("hero".to_owned(), "ride".to_owned()); number]
    }

    #[test]
    fn the_edge_knows_this_token() {
        // The edge's tests open the same one.
        assert_eq!(
            mint("secret", forced(1), 1_763_777_000_000 + 3_600_000).as_deref(),
            Ok("If5DOGXPGJ_SiCw6fBEJR_lzqIUzIt87Feb_xmEPNWaAg6GY1WYBBGhlcm8EcmlkZQ")
        );
    }

    #[test]
    fn what_no_token_can_be_made_of() {
        assert_eq!(mint("secret", forced(0), 1), Err(NoToken::Variants));
        assert_eq!(mint("secret", forced(33), 1), Err(NoToken::Variants));
        assert_eq!(
            mint("secret", vec![("x".repeat(2_000), String::new())], 1),
            Err(NoToken::Variants)
        );
        assert_eq!(mint("", forced(1), 1), Err(NoToken::Secret));
    }

    #[test]
    fn ages() {
        assert_eq!(read_age(DEFAULT_AGE), Ok(DAY));
        assert_eq!(read_age("30d"), Ok(30 * DAY));
        for wrong in ["31d", "", "0s", "soon", "-1h"] {
            assert!(read_age(wrong).is_err(), "{wrong}");
        }
    }
}
