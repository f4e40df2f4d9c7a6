//! Decides what a visitor gets: for every experience a variant, or none, and the reason.
//!
//! It does no I/O and cannot fail.

use crate::assignment::FeatureDecision;
use crate::decider::Decider;
use crate::facts::Facts;
use crate::program::Program;
use crate::request::Request;
use crate::time::Timestamp;

/// Why a visitor gets a variant, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The hash gave the variant.
    Assigned,
    /// The variant was given before, and is kept.
    Sticky,
    /// A preview asked for the variant, or the author gives it to all who would be assigned one.
    Forced,
    /// The experience is not for this page.
    OffPage,
    /// The author has switched it off, or it is not its time.
    Paused,
    /// The visitor is not in its segment.
    NotInSegment,
    /// The visitor has not agreed to personalisation.
    NoConsent,
    /// The visitor never gets it, so that its effect can be known.
    Holdout,
    /// The visitor is outside of its traffic.
    NotInTraffic,
    /// Another experience of its group is given on this page.
    Excluded,
    /// A value that it needs is too old.
    StaleData,
    /// It could not be compiled.
    Invalid,
    /// No rule of the feature gave a value.
    Default,
    /// Another feature has not the value that this one needs.
    Prerequisite,
}

impl Reason {
    /// The reason's name, as others read it.
    pub const fn name(self) -> &'static str {
        match self {
            Reason::Assigned => "assigned",
            Reason::Sticky => "sticky",
            Reason::Forced => "forced",
            Reason::OffPage => "off-page",
            Reason::Paused => "paused",
            Reason::NotInSegment => "not-in-segment",
            Reason::NoConsent => "no-consent",
            Reason::Holdout => "holdout",
            Reason::NotInTraffic => "not-in-traffic",
            Reason::Excluded => "excluded",
            Reason::StaleData => "stale-data",
            Reason::Invalid => "invalid",
            Reason::Default => "default",
            Reason::Prerequisite => "prerequisite",
        }
    }
}

/// The decision about one experience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The place of the variant in its experience; none, if the visitor gets the page as it is.
    pub variant: Option<u16>,
    /// Why.
    pub reason: Reason,
}

/// Who asks, and for which page.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The visitor's id, which the assignment hashes.
    pub visitor_id: &'a str,
    /// The page and what is known of the request for it.
    pub request: &'a Request,
    /// Whether the visitor agrees to personalisation.
    pub consent: bool,
    /// Variants that a preview asks for: places of experience and variant.
    pub forced: &'a [(u16, u16)],
}

/// What is asked for before anything is made for a visitor.
pub const PERSONALIZATION: &str = "personalization";

impl Context<'_> {
    /// Whether the visitor agrees to a purpose. Of one about which the request says nothing, what they say to
    /// personalisation counts.
    pub fn agrees(&self, purpose: &str) -> bool {
        if purpose == PERSONALIZATION {
            return self.consent;
        }
        self.request.agrees(purpose).unwrap_or(self.consent)
    }
}

/// All decisions at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// For each segment of the program, whether the visitor is in it.
    pub segments: Vec<bool>,
    /// For each feature of the program, the decision.
    pub features: Vec<FeatureDecision>,
    /// For each experience of the program, the decision.
    pub decisions: Vec<Decision>,
    /// The earliest instant at which a segment or a decision differs if no event comes; `None`: never.
    pub next_change_at: Option<Timestamp>,
}

/// Decides everything for one visitor, page and instant.
///
/// Who decides again and again for the same visitor keeps a [`Decider`], which costs much less.
pub fn decide(program: &Program, facts: &dyn Facts, context: &Context<'_>, now: Timestamp) -> Decisions {
    Decider::new().decide_all(program, facts, context, now)
}
