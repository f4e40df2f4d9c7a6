//! A page while it streams.

use crate::declared_policies::Fit;
use crate::edit::OwnedEdit;
use crate::host::host;
use crate::selector;
use crate::streaming::Streaming;
use crate::walk::{UTF_8_MARK, Visitor as _, Walk};
use nearside_engine::mutation::Edit;
use std::fmt;

/// How often elements are edited, unless said otherwise: more is no page that somebody made for people.
pub(crate) const MAX_EDITS: usize = 20_000;

/// How a page is rewritten.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// HTML that is put into the head, if any. It should be ASCII: it is put into pages of any encoding as it is.
    pub inject: Option<&'a str>,
    /// Makes that HTML fit the policies that the page declares, where it must.
    pub fit: Option<Fit>,
    /// The name of the character encoding that the `Content-Type` gives, if it does; else the page's own
    /// `<meta>` is heeded, and UTF-8 is assumed.
    pub charset: Option<&'a str>,
    /// The most memory that what waits for the end of its tag may take, in bytes, and the most that the elements which are
    /// open may.
    pub max_memory: usize,
    /// How many bytes of a page are edited: where an element after them would be, the rest passes as it came.
    pub max_page: usize,
    /// How often elements may be edited; after that, the rest of the page passes as it came.
    pub max_edits: usize,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self {
            inject: None,
            fit: None,
            charset: None,
            max_memory: 2 * 1024 * 1024,
            max_page: 16 * 1024 * 1024,
            max_edits: MAX_EDITS,
        }
    }
}

/// Why a page, or the rest of it, passed as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewriteError {
    /// Its character encoding is unknown, or not a superset of ASCII.
    Encoding,
    /// A tag or comment in it is longer than what may wait for its end, or it has more elements than are remembered.
    Memory,
    /// Its elements stand in one another more deeply than is followed.
    Depth,
    /// It is longer than what is edited.
    Length,
    /// More of its elements would be edited than may be.
    Edits,
    /// It says of itself what has to be read while it streams: no plan can be made of it.
    Policy,
}

impl fmt::Display for RewriteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RewriteError::Encoding => "the page's character encoding cannot be rewritten",
            RewriteError::Memory => "the page needs more memory than the rewriter may use",
            RewriteError::Depth => "the page's elements stand in one another too deeply",
            RewriteError::Length => "the page is longer than what is edited",
            RewriteError::Edits => "more elements of the page would be edited than may be",
            RewriteError::Policy => "the page has a policy with a nonce, which is read while it streams",
        })
    }
}

impl std::error::Error for RewriteError {}

/// Rewrites one page.
pub struct PageRewriter {
    /// `None` when the rest passes as it comes.
    progress: Option<Box<Progress>>,
    failure: Option<RewriteError>,
}

struct Progress {
    walk: Walk,
    streaming: Streaming,
    /// The page's first bytes, if too few have come to see whether it begins with a byte order mark.
    first: Option<Vec<u8>>,
}

impl PageRewriter {
    /// Prepares to rewrite a page. Edits that are the browser's are left out.
    ///
    /// # Errors
    /// When the page's encoding cannot be rewritten.
    pub fn new(edits: &[Edit<'_>], settings: Settings<'_>) -> Result<Self, RewriteError> {
        let (mut selectors, mut owned) = (Vec::new(), Vec::new());
        for edit in edits {
            if host(edit.operation, edit.selector, &edit.content).has_edge()
                && let Ok(selector) = selector::read(edit.selector)
            {
                let known = selectors.iter().position(|known| *known == selector);
                let place = known.unwrap_or_else(|| {
                    selectors.push(selector);
                    selectors.len() - 1
                });
                owned.push((place, OwnedEdit::from(edit)));
            }
        }
        Ok(Self {
            progress: Some(Box::new(Progress {
                walk: Walk::new(&settings, selectors)?,
                streaming: Streaming::new(owned, &settings),
                first: Some(Vec::new()),
            })),
            failure: None,
        })
    }

    /// Takes the next bytes of the page, and gives those that can leave.
    pub fn write(&mut self, chunk: &[u8]) -> Vec<u8> {
        let Some(progress) = &mut self.progress else {
            return chunk.to_vec();
        };
        let (walk, streaming) = (&mut progress.walk, &mut progress.streaming);
        // Most of what comes leaves again.
        streaming.reserve(chunk.len());
        let result = match progress.first.take() {
            None => walk.write(chunk, streaming),
            // Most pages begin with more than that.
            Some(first) if first.is_empty() && chunk.len() >= UTF_8_MARK.len() => {
                walk.write(chunk, streaming)
            }
            Some(mut first) => {
                first.extend_from_slice(chunk);
                if first.len() < UTF_8_MARK.len() {
                    progress.first = Some(first);
                    return Vec::new();
                }
                walk.write(&first, streaming)
            }
        };
        let mut output = progress.streaming.output();
        self.failure = result.err();
        if self.failure.is_some() || progress.streaming.is_done() {
            output.extend(progress.walk.rest());
            self.progress = None;
        }
        output
    }

    /// How many of the last bytes that came were not answered yet: they wait for what follows them.
    pub fn waiting(&self) -> usize {
        self.progress.as_ref().map_or(0, |progress| {
            progress.walk.waiting() + progress.first.as_ref().map_or(0, Vec::len)
        })
    }

    /// Takes note of the page's end, and gives the last bytes.
    pub fn end(&mut self) -> Vec<u8> {
        let Some(mut progress) = self.progress.take() else {
            return Vec::new();
        };
        let first = progress.first.take().unwrap_or_default();
        let (walk, streaming) = (&mut progress.walk, &mut progress.streaming);
        let result = walk.write(&first, streaming).and_then(|()| walk.end(streaming));
        let mut output = streaming.output();
        if result.is_err() || !streaming.loses_content() {
            output.extend(walk.rest());
        }
        match result {
            Ok(()) if walk.has_doctype() => output.extend_from_slice(streaming.last().as_bytes()),
            Ok(()) => {}
            Err(failure) => self.failure = Some(failure),
        }
        output
    }

    /// Why the page, or the rest of it, passed as it came.
    pub const fn failure(&self) -> Option<RewriteError> {
        self.failure
    }
}
