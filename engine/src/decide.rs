//! Decides what a visitor gets: for every experience a variant, or none, and the reason.
//!
//! It does no I/O and cannot fail.

use crate::assignment::{FeatureDecision, decide_features, decide_one};
use crate::facts::{Facts, Reading};
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

/// All decisions at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// For each segment of the program, whether the visitor is in it.
    pub segments: Vec<bool>,
    /// For each feature of the program, the decision.
    pub features: Vec<FeatureDecision>,
    /// For each experience of the program, the decision.
    pub decisions: Vec<Decision>,
    /// No decision changes before this instant if no event comes; `None`: never.
    pub next_change_at: Option<Timestamp>,
}

/// Decides everything for one visitor, page and instant.
pub fn decide(program: &Program, facts: &dyn Facts, context: &Context<'_>, now: Timestamp) -> Decisions {
    let mut reading = Reading::new(program, facts, context, now);
    for segment in &program.segments {
        // A segment may refer to those before it, and no others.
        let member = segment.condition.holds(&reading);
        reading.segments.push(member);
    }
    let nothing = Decision {
        variant: None,
        reason: Reason::Invalid,
    };
    decide_features(program, context, &mut reading, now);
    let mut decisions = vec![nothing; program.experiences.len()];
    let mut groups: Vec<&str> = Vec::new();
    for index in &program.by_priority {
        let Some(experience) = program.experiences.get(usize::from(*index)) else {
            continue;
        };
        let decision = decide_one(experience, *index, context, &reading, &groups, now);
        if let (Some(_), Some(group)) = (decision.variant, &experience.group) {
            groups.push(group);
        }
        decisions[usize::from(*index)] = decision;
    }
    let next_change_at = program
        .next_scheduled_at(now)
        .into_iter()
        .chain(facts.next_change_at(program, now))
        .chain(reading.next_duration_at())
        .min();
    Decisions {
        segments: reading.segments,
        features: reading.features,
        decisions,
        next_change_at,
    }
}
