//! Previews: variants that an author wants to see, whoever they are themselves.
//!
//! A preview travels as a token: `base64url(tag, content)`. The tag is HMAC-SHA-256 of the content under a key
//! that origin and edge derive from the secret that they share; they compute it, since this crate has no
//! cryptography. Nothing in a token is secret: it is a permission, and not a message.

use crate::base64url;
use crate::codec::{Malformed, Reader, Writer};
use crate::time::Timestamp;
use std::borrow::Cow;

/// The parameter of a page's address that begins a preview, or, if it is empty, ends one.
pub const PREVIEW_PARAMETER: &str = "ns_preview";
/// Keeps a preview's token for the following pages, until the browser is closed; `HttpOnly`.
pub const PREVIEW_COOKIE: &str = "ns_p";
/// What the key of the tag is derived for: HMAC-SHA-256 of these bytes under the shared secret. The secret itself
/// is sent in requests and must not be a key of anything else.
pub const PREVIEW_KEY_CONTEXT: &[u8] = b"nearside preview key 1";
/// The length of the tag, in bytes.
pub const PREVIEW_TAG: usize = 32;
/// The longest token, in characters.
pub const MAX_PREVIEW_TOKEN: usize = 1_500;
/// The most variants of one preview.
pub const MAX_PREVIEW_VARIANTS: usize = 32;

/// What an author wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// The instant from which the token is of no use.
    pub expires_at: Timestamp,
    /// The ids of experiences, each with the id of the variant to show.
    pub forced: Vec<(String, String)>,
}

impl Preview {
    /// The content of a token; `None` if the token would be too long.
    pub fn content(&self) -> Option<Vec<u8>> {
        let mut writer = Writer::new();
        writer.zigzag(self.expires_at);
        writer.varint(self.forced.len() as u64);
        for (experience, variant) in &self.forced {
            writer.text(experience);
            writer.text(variant);
        }
        let content = writer.into_bytes();
        let fits = (PREVIEW_TAG + content.len()).div_ceil(3) * 4 <= MAX_PREVIEW_TOKEN;
        (fits && self.forced.len() <= MAX_PREVIEW_VARIANTS).then_some(content)
    }

    /// Reads the content of a token whose tag was found to be right.
    ///
    /// # Errors
    /// On anything that [`Preview::content`] did not make.
    pub fn from_content(content: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(content);
        let expires_at = reader.zigzag()?;
        let number = reader.length()?;
        if number > MAX_PREVIEW_VARIANTS {
            return Err(Malformed);
        }
        let mut forced = Vec::with_capacity(number);
        for _ in 0..number {
            forced.push((reader.text()?.to_owned(), reader.text()?.to_owned()));
        }
        if !reader.is_empty() {
            return Err(Malformed);
        }
        Ok(Self { expires_at, forced })
    }
}

/// The token of a content and its tag.
pub fn write_preview_token(tag: &[u8; PREVIEW_TAG], content: &[u8]) -> String {
    base64url::encode(&[tag, content].concat())
}

/// The tag and the content of a token; the tag is still to be checked.
///
/// # Errors
/// When the token is too long, too short, or not base64url.
pub fn read_preview_token(token: &str) -> Result<([u8; PREVIEW_TAG], Vec<u8>), Malformed> {
    if token.len() > MAX_PREVIEW_TOKEN {
        return Err(Malformed);
    }
    let bytes = base64url::decode(token)?;
    let (tag, content) = bytes.split_first_chunk().ok_or(Malformed)?;
    Ok((*tag, content.to_vec()))
}

/// Takes the preview's parameter out of an address: it is Nearside's, and neither the site nor a condition reads
/// it. Of several the first counts.
pub fn split_preview(url: &str) -> (Cow<'_, str>, Option<&str>) {
    let (rest, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let Some((before, query)) = rest.split_once('?').filter(|_| url.contains(PREVIEW_PARAMETER)) else {
        return (Cow::Borrowed(url), None);
    };
    let value = |pair: &'_ str| -> Option<usize> {
        let rest = pair.strip_prefix(PREVIEW_PARAMETER)?;
        match rest.as_bytes().first() {
            None => Some(0),
            Some(b'=') => Some(rest.len() - 1),
            Some(_) => None,
        }
    };
    let asked = query
        .split('&')
        .find_map(|pair| value(pair).map(|length| &pair[pair.len() - length..]));
    if asked.is_none() {
        return (Cow::Borrowed(url), None);
    }
    let mut kept = before.to_owned();
    let others = query.split('&').filter(|pair| value(pair).is_none());
    for (index, pair) in others.enumerate() {
        kept.push(if index == 0 { '?' } else { '&' });
        kept.push_str(pair);
    }
    kept.push_str(fragment);
    (Cow::Owned(kept), asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(number: usize) -> Preview {
        Preview {
            expires_at: 1_763_777_000_000,
            forced: (0..number)
                .map(|index| (format!("experience-{index}"), "b".to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_preview_survives_its_token() {
        for number in [0, 1, MAX_PREVIEW_VARIANTS] {
            let preview = preview(number);
            let token = write_preview_token(&[7; PREVIEW_TAG], &preview.content().unwrap());
            assert!(token.len() <= MAX_PREVIEW_TOKEN);
            let (tag, content) = read_preview_token(&token).unwrap();
            assert_eq!(tag, [7; PREVIEW_TAG]);
            assert_eq!(Preview::from_content(&content), Ok(preview));
            for end in 0..content.len() {
                assert_eq!(Preview::from_content(&content[..end]), Err(Malformed), "{end}");
            }
        }
    }

    #[test]
    fn what_is_too_long_is_no_preview() {
        assert_eq!(preview(MAX_PREVIEW_VARIANTS + 1).content(), None);
        let mut long = preview(1);
        long.forced[0].0 = "x".repeat(MAX_PREVIEW_TOKEN);
        assert_eq!(long.content(), None);
        assert_eq!(
            read_preview_token(&"A".repeat(MAX_PREVIEW_TOKEN + 1)),
            Err(Malformed)
        );
        assert_eq!(read_preview_token(&"A".repeat(40)), Err(Malformed));
        assert_eq!(read_preview_token("no base64url!"), Err(Malformed));
        // More variants than bytes could hold.
        assert_eq!(Preview::from_content(&[0, 200]), Err(Malformed));
    }

    #[test]
    fn the_parameter_is_taken_out_of_addresses() {
        for (url, kept, asked) in [
            ("/a", "/a", None),
            ("/a?ns_preview=T", "/a", Some("T")),
            (
                "https://x/a?b=1&ns_preview=T&c#d",
                "https://x/a?b=1&c#d",
                Some("T"),
            ),
            ("/a?ns_preview", "/a", Some("")),
            ("/a?ns_preview=&ns_preview=T&b", "/a?b", Some("")),
            (
                "/a?ns_previews=T&x=ns_preview=T",
                "/a?ns_previews=T&x=ns_preview=T",
                None,
            ),
            ("/ns_preview=T#?ns_preview=T", "/ns_preview=T#?ns_preview=T", None),
            ("/a?é=ns_preview&ns_preview=é", "/a?é=ns_preview", Some("é")),
            ("/a??ns_preview=T", "/a??ns_preview=T", None),
        ] {
            assert_eq!(split_preview(url), (Cow::Borrowed(kept), asked), "{url}");
        }
    }
}
