//! A page while it streams.

use crate::edit::OwnedEdit;
use crate::inject::inject;
use encoding_rs::Encoding;
use lol_html::errors::RewritingError;
use lol_html::html_content::Element;
use lol_html::{AsciiCompatibleEncoding, ElementContentHandlers, HtmlRewriter, MemorySettings, Selector};
use nearside_engine::mutation::Edit;
use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// How a page is rewritten.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// HTML that is put into the head, if any.
    pub inject: Option<&'a str>,
    /// The name of the character encoding that the `Content-Type` gives, if it does; else the page's own
    /// `<meta>` is heeded, and UTF-8 is assumed.
    pub charset: Option<&'a str>,
    /// The most memory that the parser may use, in bytes.
    pub max_memory: usize,
}

impl Default for Settings<'_> {
    fn default() -> Self {
        Self {
            inject: None,
            charset: None,
            max_memory: 2 * 1024 * 1024,
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
    /// The parser could not go on.
    Parser,
}

impl fmt::Display for RewriteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RewriteError::Encoding => "the page's character encoding cannot be rewritten",
            RewriteError::Memory => "the page needs more memory than the rewriter may use",
            RewriteError::Parser => "the page could not be parsed",
        })
    }
}

impl std::error::Error for RewriteError {}

type Output = Rc<RefCell<Vec<u8>>>;
type Sink = Box<dyn FnMut(&[u8])>;
type Rewriter = HtmlRewriter<'static, Sink>;

enum Progress {
    /// Nothing has come yet.
    Start(Box<Rewriter>),
    Rewriting(Box<Rewriter>),
    /// The rest passes as it comes.
    Passing,
}

/// Rewrites one page.
pub struct PageRewriter {
    progress: Progress,
    output: Output,
    failure: Option<RewriteError>,
}

impl PageRewriter {
    /// Prepares to rewrite a page. Edits whose selector cannot be matched while streaming are left out.
    ///
    /// # Errors
    /// When the page's encoding cannot be rewritten.
    pub fn new(edits: &[Edit<'_>], settings: Settings<'_>) -> Result<Self, RewriteError> {
        let mut rewriting = lol_html::Settings::new()
            // A page that the parser is in doubt about is still a page: the visitor's values are escaped
            // for every way in which it could be read.
            .with_strict(false)
            .with_graceful_bail_out_on_content_handler_error(true)
            .with_memory_settings(
                MemorySettings::new()
                    .with_max_allowed_memory_usage(settings.max_memory)
                    .with_graceful_bail_out_on_memory_limit_exceeded(true),
            );
        rewriting = match settings.charset {
            Some(charset) => {
                let encoding = Encoding::for_label_no_replacement(charset.as_bytes());
                let encoding = encoding
                    .and_then(AsciiCompatibleEncoding::new)
                    .ok_or(RewriteError::Encoding)?;
                rewriting.with_encoding(encoding)
            }
            None => rewriting.with_adjust_charset_on_meta_tag(true),
        };
        for edit in edits {
            let Ok(selector) = edit.selector.parse::<Selector>() else {
                continue;
            };
            let edit = OwnedEdit::from(edit);
            rewriting = rewriting.append_element_content_handler((
                Cow::Owned(selector),
                ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
                    edit.apply(element);
                    Ok(())
                }),
            ));
        }
        if let Some(html) = settings.inject {
            rewriting = inject(rewriting, html).ok_or(RewriteError::Parser)?;
        }
        let output = Output::default();
        let sink = Rc::clone(&output);
        let sink: Sink = Box::new(move |bytes| sink.borrow_mut().extend_from_slice(bytes));
        let rewriter = Box::new(HtmlRewriter::new(rewriting, sink));
        Ok(Self {
            progress: Progress::Start(rewriter),
            output,
            failure: None,
        })
    }

    /// Takes the next bytes of the page, and gives those that can leave.
    pub fn write(&mut self, chunk: &[u8]) -> Vec<u8> {
        let rewriter = match std::mem::replace(&mut self.progress, Progress::Passing) {
            // UTF-16 says so by its first bytes, whatever the headers say.
            Progress::Start(_) if matches!(chunk, [0xfe, 0xff, ..] | [0xff, 0xfe, ..]) => {
                self.failure = Some(RewriteError::Encoding);
                None
            }
            Progress::Start(rewriter) | Progress::Rewriting(rewriter) => Some(rewriter),
            Progress::Passing => None,
        };
        let Some(mut rewriter) = rewriter else {
            return chunk.to_vec();
        };
        match rewriter.write(chunk) {
            Ok(()) => self.progress = Progress::Rewriting(rewriter),
            Err(error) => self.failure = Some(failure(&error)),
        }
        self.output.take()
    }

    /// Takes note of the page's end, and gives the last bytes.
    pub fn end(&mut self) -> Vec<u8> {
        if let Progress::Start(rewriter) | Progress::Rewriting(rewriter) =
            std::mem::replace(&mut self.progress, Progress::Passing)
            && let Err(error) = rewriter.end()
        {
            self.failure = Some(failure(&error));
        }
        self.output.take()
    }

    /// Why the page, or the rest of it, passed as it came.
    pub const fn failure(&self) -> Option<RewriteError> {
        self.failure
    }
}

fn failure(error: &RewritingError) -> RewriteError {
    match error {
        RewritingError::MemoryLimitExceeded(_) => RewriteError::Memory,
        // The foreign enum may grow; whatever else stops the parser is the parser's.
        _ => RewriteError::Parser,
    }
}
