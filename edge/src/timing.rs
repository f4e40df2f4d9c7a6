//! What `Server-Timing` says of a page.

use crate::cache::Source;
use crate::{clock, counts};
use nearside_engine::time::Timestamp;
use std::cell::Cell;

/// What happened to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was rewritten for the visitor.
    Personalised,
    /// The visitor was sent to another one.
    Redirected,
    /// It has the SDK, and nothing else was to change.
    Unchanged,
    /// It is not a page, or not one that may be touched.
    Untouched,
    /// The site excludes it.
    Excluded,
    /// There is no program yet.
    NoProgram,
    /// The visitor has not agreed.
    NoConsent,
    /// Its encoding cannot be rewritten.
    Encoding,
    /// It is past a limit.
    Limit,
    /// Something of the runtime failed.
    Failed,
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Personalised => "personalised",
            Self::Redirected => "redirected",
            Self::Unchanged => "unchanged",
            Self::Untouched => "untouched",
            Self::Excluded => "excluded",
            Self::NoProgram => "no-program",
            Self::NoConsent => "no-consent",
            Self::Encoding => "encoding",
            Self::Limit => "limit",
            Self::Failed => "failed",
        }
    }
}

/// Measures a request; the runtime's clock moves with I/O alone, so that this is the time that Nearside made
/// the visitor wait for anything besides the upstream.
pub(crate) struct Timing {
    started_at: Timestamp,
    upstream: i64,
    note: Option<&'static str>,
    source: Option<Source>,
    is_spliced: Cell<bool>,
    policy: Cell<Option<&'static str>>,
}

impl Timing {
    pub(crate) fn start() -> Self {
        Self {
            started_at: clock::now(),
            upstream: 0,
            note: None,
            source: None,
            is_spliced: Cell::new(false),
            policy: Cell::new(None),
        }
    }

    /// Notes how long the upstream took.
    pub(crate) fn upstream(&mut self, milliseconds: i64) {
        self.upstream = milliseconds;
    }

    /// Notes what else is to be said.
    pub(crate) fn note(&mut self, note: Option<&'static str>) {
        self.note = note;
    }

    /// Notes where the upstream's page is from.
    pub(crate) fn source(&mut self, source: Source) {
        self.source = Some(source);
    }

    /// Notes whether the page was made by its plan.
    pub(crate) fn spliced(&self, is_spliced: bool) {
        self.is_spliced.set(is_spliced);
    }

    /// Notes what the page's policy does not let run.
    pub(crate) fn policy(&self, note: Option<&'static str>) {
        self.policy.set(note);
    }

    /// The header's value, for an answer that leaves now: it is counted.
    pub(crate) fn header(&self, outcome: Outcome) -> String {
        let source = self.source.map_or("bypass", Source::name);
        counts::count(outcome.name(), source);
        let ours = (clock::now() - self.started_at - self.upstream).max(0);
        let notes = [self.note, self.policy.get()].into_iter().flatten();
        let note: String = notes.map(|note| format!(" {note}")).collect();
        let plan = if self.is_spliced.get() { " spliced" } else { "" };
        format!(
            "nearside;dur={ours};desc=\"{}{note}\", nearside-upstream;dur={};desc=\"{source}{plan}\"",
            outcome.name(),
            self.upstream
        )
    }
}
