//! Decides what a visitor gets: for every experience a variant, or none, and the reason.
//!
//! It does no I/O and cannot fail.

use crate::assign;
use crate::condition::Attributes;
use crate::decider::Decider;
use crate::facts::Facts;
use crate::program::{Experience, Program, Status};
use crate::request::Request;
use crate::time::Timestamp;

/// Why a visitor gets a variant, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The hash gave the variant.
    Assigned,
    /// The variant was given before, and is kept.
    Sticky,
    /// A preview asked for the variant.
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

/// All decisions at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// For each segment of the program, whether the visitor is in it.
    pub segments: Vec<bool>,
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

/// The variant that a preview asks for, if there is such a variant.
pub(crate) fn forced_variant(experience: &Experience, index: u16, context: &Context<'_>) -> Option<u16> {
    let (_, variant) = context.forced.iter().find(|(forced, _)| *forced == index)?;
    experience.variants.get(usize::from(*variant)).map(|_| *variant)
}

/// Whether the experience is for this page.
pub(crate) fn is_on_page(experience: &Experience, context: &Context<'_>) -> bool {
    experience.pages.is_empty()
        || experience
            .pages
            .iter()
            .any(|page| page.matches(context.request.url(), context.request.path()))
}

pub(crate) fn decide_one(
    experience: &Experience,
    index: u16,
    context: &Context<'_>,
    attributes: &dyn Attributes,
    is_group_taken: bool,
    now: Timestamp,
) -> Decision {
    let none = |reason| Decision {
        variant: None,
        reason,
    };
    if experience.status == Status::Invalid {
        return none(Reason::Invalid);
    }
    let on_page = is_on_page(experience, context);
    if let Some(variant) = forced_variant(experience, index, context) {
        // Whoever the visitor is and whatever the hour; but as a page could look, so only where it can be.
        return match (on_page, is_group_taken) {
            (false, _) => none(Reason::OffPage),
            (true, true) => none(Reason::Excluded),
            (true, false) => Decision {
                variant: Some(variant),
                reason: Reason::Forced,
            },
        };
    }
    let in_time =
        experience.starts_at.is_none_or(|at| now >= at) && experience.ends_at.is_none_or(|at| now < at);
    if experience.status == Status::Paused || !in_time {
        return none(Reason::Paused);
    }
    if !context.consent {
        return none(Reason::NoConsent);
    }
    if !on_page {
        return none(Reason::OffPage);
    }
    if !experience
        .condition
        .as_ref()
        .is_none_or(|condition| condition.holds(attributes))
    {
        return none(Reason::NotInSegment);
    }
    if is_group_taken {
        return none(Reason::Excluded);
    }
    if experience.holdout > 0.0 {
        let seed = format!("{}:holdout", experience.seed);
        if assign::bucket(&seed, context.visitor_id) < experience.holdout {
            return none(Reason::Holdout);
        }
    }
    let bucket = assign::bucket(&experience.seed, context.visitor_id);
    let weights = experience.variants.iter().map(|variant| variant.weight);
    match assign::choose(bucket, experience.traffic, weights) {
        Some(variant) => Decision {
            variant: u16::try_from(variant).ok(),
            reason: Reason::Assigned,
        },
        None => none(Reason::NotInTraffic),
    }
}
