//! Makes a visitor's page: by its plan, or by the parser, while it streams where it still arrives.

use crate::private::make_private;
use crate::programs::Loaded;
use crate::timing::Outcome;
use crate::upstream_page::{UpstreamPage, whole};
use crate::{page_stream, policy};
use nearside_engine::mutation::Edit;
use nearside_rewriter::{PageRewriter, RewriteError, Settings};
use std::fmt;
use worker::{Headers, web_sys};

/// How much of a kept page is rewritten at a time, in bytes.
const PIECE: usize = 16 * 1024;

/// Why a page is not rewritten.
#[derive(Debug)]
pub(crate) enum NotRewritten {
    /// The rewriter cannot do it.
    Page(RewriteError),
    /// The runtime cannot do it.
    Runtime(worker::Error),
}

impl NotRewritten {
    pub(crate) const fn outcome(&self) -> Outcome {
        match self {
            Self::Page(RewriteError::Encoding) => Outcome::Encoding,
            Self::Page(
                RewriteError::Memory | RewriteError::Depth | RewriteError::Length | RewriteError::Edits,
            ) => Outcome::Limit,
            Self::Page(_) | Self::Runtime(_) => Outcome::Failed,
        }
    }
}

impl fmt::Display for NotRewritten {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(error) => error.fmt(formatter),
            Self::Runtime(error) => error.fmt(formatter),
        }
    }
}

impl From<worker::Error> for NotRewritten {
    fn from(error: worker::Error) -> Self {
        Self::Runtime(error)
    }
}

impl From<RewriteError> for NotRewritten {
    fn from(error: RewriteError) -> Self {
        Self::Page(error)
    }
}

/// A visitor's page, with the upstream's headers as far as they are true of it, and whether it was spliced.
pub(crate) async fn page(
    page: &UpstreamPage,
    loaded: &Loaded,
    edits: &[Edit<'_>],
    inject: &str,
) -> Result<(web_sys::Response, bool), NotRewritten> {
    let content_type = page.header("content-type").unwrap_or_default();
    let charset = charset(&content_type);
    if let UpstreamPage::Kept(kept) = page
        && let Some(bytes) = kept.spliced(loaded, edits, inject, charset)
    {
        return Ok((whole(&bytes, kept.personal_headers())?, true));
    }
    let settings = Settings {
        inject: Some(inject),
        fit: Some(policy::fitted),
        charset,
        ..Settings::default()
    };
    let mut rewriter = PageRewriter::new(edits, settings)?;
    let response = match page {
        UpstreamPage::Kept(kept) => {
            let mut bytes = Vec::with_capacity(kept.bytes().len() + inject.len());
            // A page without edits is not read further than it has to be.
            for piece in kept.bytes().chunks(PIECE) {
                bytes.extend(rewriter.write(piece));
            }
            bytes.extend(rewriter.end());
            if let Some(failure) = rewriter.failure() {
                // None of it has left: the visitor gets the upstream's page.
                return Err(failure.into());
            }
            whole(&bytes, kept.personal_headers())?
        }
        UpstreamPage::Arriving(response) => {
            let personal = page_stream::rewritten(response, rewriter).await?;
            make_private(&Headers(personal.headers()))?;
            personal
        }
    };
    Ok((response, false))
}

/// The character encoding that a `Content-Type` gives.
fn charset(content_type: &str) -> Option<&str> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    });
    // Without a name it gives none.
    parameters.find(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets() {
        assert_eq!(charset("text/html; charset=UTF-8"), Some("UTF-8"));
        assert_eq!(
            charset("text/html;x=y; Charset=\"windows-1252\""),
            Some("windows-1252")
        );
        assert_eq!(charset("text/html"), None);
        assert_eq!(charset("text/html; charset="), None);
    }
}
