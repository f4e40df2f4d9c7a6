//! A page while it streams.

use crate::declared_policies::Fit;
use crate::edit::OwnedEdit;
use crate::host::host;
use crate::needs;
use crate::pipeline::{Pipeline, Plan};
use encoding_rs::Encoding;
use lol_html::errors::RewritingError;
use lol_html::{AsciiCompatibleEncoding, Selector};
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
    /// A random number. What the rewriter changes for its own parser bears it; whoever could write it into the page
    /// could make a part of the page vanish.
    pub secret: u64,
    /// The most memory that a parser may use, in bytes; a page with edits goes through two.
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
            secret: 0,
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
    /// The parser needed more memory than it may use.
    Memory,
    /// It is longer than what is edited.
    Length,
    /// More of its elements would be edited than may be.
    Edits,
    /// The parser could not go on.
    Parser,
}

impl fmt::Display for RewriteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RewriteError::Encoding => "the page's character encoding cannot be rewritten",
            RewriteError::Memory => "the page needs more memory than the rewriter may use",
            RewriteError::Length => "the page is longer than what is edited",
            RewriteError::Edits => "more elements of the page would be edited than may be",
            RewriteError::Parser => "the page could not be parsed",
        })
    }
}

impl std::error::Error for RewriteError {}

enum Progress {
    /// Too few bytes have come to see whether the page begins with a byte order mark.
    Start {
        plan: Plan,
        bytes: Vec<u8>,
    },
    Rewriting(Box<Pipeline>),
    /// The rest passes as it comes.
    Passing,
}

/// Rewrites one page.
pub struct PageRewriter {
    progress: Progress,
    failure: Option<RewriteError>,
}

impl PageRewriter {
    /// Prepares to rewrite a page. Edits that are the browser's are left out.
    ///
    /// # Errors
    /// When the page's encoding cannot be rewritten.
    pub fn new(edits: &[Edit<'_>], settings: Settings<'_>) -> Result<Self, RewriteError> {
        let encoding = match settings.charset {
            Some(charset) => {
                let encoding = Encoding::for_label_no_replacement(charset.as_bytes());
                let encoding = encoding.and_then(AsciiCompatibleEncoding::new);
                Some(encoding.ok_or(RewriteError::Encoding)?)
            }
            None => None,
        };
        let edits: Vec<&Edit<'_>> = edits
            .iter()
            .filter(|edit| host(edit.operation, edit.selector, &edit.content).has_edge())
            .collect();
        let needs_every_end_tag = edits.iter().any(|edit| needs::every_end_tag(edit));
        let edits = edits
            .into_iter()
            .filter_map(|edit| Some((edit.selector.parse::<Selector>().ok()?, OwnedEdit::from(edit))))
            .collect();
        let plan = Plan {
            edits,
            secret: settings.secret,
            needs_every_end_tag,
            inject: settings.inject.map(ToOwned::to_owned),
            fit: settings.fit,
            encoding,
            max_memory: settings.max_memory,
            max_page: settings.max_page,
            max_edits: settings.max_edits,
        };
        Ok(Self {
            progress: Progress::Start {
                plan,
                bytes: Vec::new(),
            },
            failure: None,
        })
    }

    /// Takes the next bytes of the page, and gives those that can leave.
    pub fn write(&mut self, chunk: &[u8]) -> Vec<u8> {
        match std::mem::replace(&mut self.progress, Progress::Passing) {
            Progress::Start { plan, mut bytes } => {
                bytes.extend_from_slice(chunk);
                if bytes.len() < UTF_8_MARK.len() {
                    self.progress = Progress::Start { plan, bytes };
                    return Vec::new();
                }
                match start(plan, &bytes) {
                    Ok(pipeline) => self.go_on(pipeline, &bytes),
                    Err(failure) => {
                        self.failure = Some(failure);
                        bytes
                    }
                }
            }
            Progress::Rewriting(pipeline) => self.go_on(pipeline, chunk),
            Progress::Passing => chunk.to_vec(),
        }
    }

    /// Takes note of the page's end, and gives the last bytes.
    pub fn end(&mut self) -> Vec<u8> {
        let mut output = Vec::new();
        let pipeline = match std::mem::replace(&mut self.progress, Progress::Passing) {
            Progress::Start { plan, bytes } => {
                match start(plan, &bytes).and_then(|pipeline| {
                    let (first, result) = pipeline.write(&bytes);
                    output = first;
                    result
                }) {
                    Ok(pipeline) => pipeline,
                    Err(failure) => {
                        self.failure = Some(failure);
                        return if output.is_empty() { bytes } else { output };
                    }
                }
            }
            Progress::Rewriting(pipeline) => pipeline,
            Progress::Passing => return output,
        };
        let (last, failure) = pipeline.end();
        self.failure = failure;
        output.extend(last);
        output
    }

    fn go_on(&mut self, pipeline: Box<Pipeline>, chunk: &[u8]) -> Vec<u8> {
        let (mut output, result) = pipeline.write(chunk);
        match result {
            // The parser has kept back what it cannot read yet.
            Ok(pipeline) if pipeline.is_done() => output.extend(pipeline.end().0),
            Ok(pipeline) => self.progress = Progress::Rewriting(pipeline),
            Err(failure) => self.failure = Some(failure),
        }
        output
    }

    /// Why the page, or the rest of it, passed as it came.
    pub const fn failure(&self) -> Option<RewriteError> {
        self.failure
    }
}

/// The bytes that say that a page is UTF-8, whatever else says something different.
pub(crate) const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

fn start(mut plan: Plan, bytes: &[u8]) -> Result<Box<Pipeline>, RewriteError> {
    if matches!(bytes, [0xfe, 0xff, ..] | [0xff, 0xfe, ..]) {
        return Err(RewriteError::Encoding);
    }
    if bytes.starts_with(UTF_8_MARK) {
        plan.encoding = Some(AsciiCompatibleEncoding::utf_8());
    }
    Pipeline::new(plan).map(Box::new).ok_or(RewriteError::Parser)
}

pub(crate) fn failure(error: &RewritingError) -> RewriteError {
    match error {
        RewritingError::MemoryLimitExceeded(_) => RewriteError::Memory,
        // The foreign enum may grow; whatever else stops the parser is the parser's.
        _ => RewriteError::Parser,
    }
}
