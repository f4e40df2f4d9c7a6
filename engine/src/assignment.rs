//! One experience, or one rule of a feature: whether the visitor gets it, and which variant.
//!
//! The order of the questions is GrowthBook's, so that an imported experiment decides as it did there.

use crate::assign::{choose, forced_by_query, fraction, in_range};
use crate::condition::{Attributes, Condition, Shared};
use crate::decide::{Context, Decision, Reason};
use crate::number::NumberText;
use crate::path::Path;
use crate::program::{Assignment, Experience, Feature, Filter, Rule, Status};
use crate::sticky::{Memory, recall};
use crate::time::Timestamp;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Whom an assignment is about: what the hash is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// The visitor's id.
    #[default]
    Visitor,
    /// An attribute: the user, their company…
    Attribute(Path),
}

impl Unit {
    /// The attribute's path; empty for the visitor's id.
    pub fn path(&self) -> &[String] {
        match self {
            Unit::Visitor => &[],
            Unit::Attribute(path) => path,
        }
    }
}

/// Whom a unit names; nobody, unless by text or a number other than 0, whose
/// text is written in the room.
pub(crate) fn unit_of<'a>(
    unit: &Unit,
    context: &Context<'a>,
    attributes: &'a dyn Attributes,
    room: &'a mut Option<NumberText>,
) -> Option<Cow<'a, str>> {
    let path = match unit {
        Unit::Visitor => return Some(Cow::Borrowed(context.visitor_id)),
        Unit::Attribute(path) => path,
    };
    let value = match attributes.shared().slots.get(usize::from(path.slot())) {
        Some(value) => Cow::Borrowed((*value)?),
        None => attributes.attribute(path)?,
    };
    match value {
        Cow::Borrowed(Value::String(text)) if !text.is_empty() => Some(Cow::Borrowed(text)),
        Cow::Owned(Value::String(text)) if !text.is_empty() => Some(Cow::Owned(text)),
        Cow::Borrowed(&Value::Number(number)) | Cow::Owned(Value::Number(number))
            if number != 0.0 && !number.is_nan() =>
        {
            Some(Cow::Borrowed(room.insert(NumberText::new(number)).as_str()))
        }
        _ => None,
    }
}

/// A variant that was found, and how.
struct Found {
    variant: usize,
    reason: Reason,
    bucket: Option<u16>,
}

/// The decision about a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureDecision {
    /// The place of the rule that gave the value; none for the default.
    pub rule: Option<u16>,
    /// The place of the variant in that rule.
    pub variant: Option<u16>,
    /// Why.
    pub reason: Reason,
    /// The visitor's place for the rule's seed in ten-thousandths, if it decided.
    pub bucket: Option<u16>,
}

impl FeatureDecision {
    pub(crate) const fn none(reason: Reason) -> Self {
        Self {
            rule: None,
            variant: None,
            reason,
            bucket: None,
        }
    }

    /// The feature's value; `None` if it has none.
    pub fn value<'f>(&self, feature: &'f Feature) -> Option<&'f Value> {
        match (self.rule, self.variant) {
            (Some(rule), Some(variant)) => {
                let rule = feature.rules.get(usize::from(rule))?;
                Some(&rule.variants.get(usize::from(variant))?.value)
            }
            _ if self.reason == Reason::Default => Some(&feature.default),
            _ => None,
        }
    }
}

/// Who asks, what is known, and when.
struct Case<'a> {
    context: &'a Context<'a>,
    attributes: &'a dyn Attributes,
    shared: Shared<'a>,
    now: Timestamp,
}

impl<'a> Case<'a> {
    fn new(context: &'a Context<'a>, attributes: &'a dyn Attributes, now: Timestamp) -> Self {
        Self {
            context,
            attributes,
            shared: attributes.shared(),
            now,
        }
    }

    /// Most of what may ask something asks nothing, which is seen without a call.
    #[inline(always)]
    fn holds(&self, condition: Option<&Condition>) -> bool {
        match condition {
            Some(condition) => condition.holds_among(self.shared, self.attributes),
            None => true,
        }
    }

    /// The variant that the page's address asks for, where that is allowed.
    #[inline(always)]
    fn asked_for(&self, assignment: &Assignment) -> Option<Found> {
        let key = assignment.query_override.as_deref()?;
        self.asked_for_by(key, assignment)
    }

    fn asked_for_by(&self, key: &str, assignment: &Assignment) -> Option<Found> {
        if !self.context.consent || self.context.request.search().is_empty() {
            return None;
        }
        let variant = forced_by_query(key, self.context.request.url(), assignment.shares.len())?;
        Some(Found {
            variant,
            reason: Reason::Forced,
            bucket: None,
        })
    }

    /// Assigns a variant; `admits` says whether somebody new may come in.
    fn assign(
        &self,
        assignment: &Assignment,
        admits: impl FnOnce() -> Result<(), Reason>,
    ) -> Result<Found, Reason> {
        if !assignment.hashes {
            self.pass(assignment, None, None)?;
            admits()?;
            return Ok(Found {
                variant: 0,
                reason: Reason::Assigned,
                bucket: None,
            });
        }
        let mut room = None;
        let value = match unit_of(&assignment.unit, self.context, self.attributes, &mut room) {
            Some(value) => value,
            None => assignment
                .fallback
                .as_ref()
                .and_then(|unit| unit_of(unit, self.context, self.attributes, &mut room))
                .ok_or(Reason::NotInTraffic)?,
        };
        let text = &*value;
        self.pass(assignment, Some(text), Some(true))?;
        let memory = assignment.sticky.as_ref().map_or(Memory::Nothing, |stickiness| {
            let remembered = self.attributes.remembered();
            recall(assignment, stickiness, remembered, self.context, self.attributes)
        });
        if !matches!(memory, Memory::Variant(_)) {
            self.pass(assignment, Some(text), Some(false))?;
            admits()?;
        }
        if let Some((seed, share)) = &assignment.holdout
            && fraction(seed.bucket(text)) < *share
        {
            return Err(Reason::Holdout);
        }
        let bucket = assignment.seed.bucket(text);
        let (variant, reason) = match memory {
            Memory::TooOld => return Err(Reason::Excluded),
            Memory::Variant(variant) => (variant, Reason::Sticky),
            Memory::Nothing => {
                let traffic = assignment.traffic_at(self.now);
                let variant = choose(fraction(bucket), traffic, &assignment.shares);
                (variant.ok_or(Reason::NotInTraffic)?, Reason::Assigned)
            }
        };
        Ok(match assignment.release {
            Some(release) => Found {
                variant: usize::from(release),
                reason: Reason::Forced,
                bucket: None,
            },
            None => Found {
                variant,
                reason,
                bucket: Some(bucket),
            },
        })
    }

    /// Whether the visitor is in a range of each filter: of all, or of those that last or do not.
    #[inline(always)]
    fn pass(&self, assignment: &Assignment, unit: Option<&str>, lasting: Option<bool>) -> Result<(), Reason> {
        if assignment.filters.is_empty() {
            return Ok(());
        }
        self.pass_filters(assignment, unit, lasting)
    }

    fn pass_filters(
        &self,
        assignment: &Assignment,
        unit: Option<&str>,
        lasting: Option<bool>,
    ) -> Result<(), Reason> {
        let is_in = |filter: &Filter, text: &str| {
            let place = fraction(filter.seed.bucket(text));
            filter.ranges.iter().any(|range| in_range(place, *range))
        };
        for filter in &assignment.filters {
            if lasting.is_some_and(|lasting| lasting != filter.lasting) {
                continue;
            }
            let own = match unit {
                None => Some(filter.unit.as_ref().unwrap_or(&assignment.unit)),
                Some(_) => filter.unit.as_ref(),
            };
            let passes = match (own, unit) {
                (Some(own), _) => unit_of(own, self.context, self.attributes, &mut None)
                    .is_some_and(|value| is_in(filter, &value)),
                (None, Some(text)) => is_in(filter, text),
                (None, None) => false,
            };
            if !passes {
                return Err(Reason::Excluded);
            }
        }
        Ok(())
    }
}

/// The variant that a preview asks for, if there is such a variant.
pub(crate) fn forced_variant(experience: &Experience, index: u16, context: &Context<'_>) -> Option<u16> {
    let (_, variant) = context.forced.iter().find(|(forced, _)| *forced == index)?;
    experience.variants.get(usize::from(*variant)).map(|_| *variant)
}

/// Whether the experience is for this page.
pub(crate) fn is_on_page(experience: &Experience, context: &Context<'_>) -> bool {
    let mut pages = experience.pages.iter();
    experience.pages.is_empty()
        || pages.any(|page| page.matches(context.request.url(), context.request.path()))
}

/// Decides about one experience, of whose group another one may be given on this page.
pub(crate) fn decide_one(
    experience: &Experience,
    index: u16,
    context: &Context<'_>,
    attributes: &dyn Attributes,
    in_taken_group: bool,
    now: Timestamp,
) -> Decision {
    let none = |reason| Decision {
        variant: None,
        reason,
    };
    if experience.status == Status::Invalid {
        return none(Reason::Invalid);
    }
    if let Some(variant) = forced_variant(experience, index, context) {
        // Whoever the visitor is and whatever the hour; but as a page could look, so only where it can be.
        return match (is_on_page(experience, context), in_taken_group) {
            (false, _) => none(Reason::OffPage),
            (true, true) => none(Reason::Excluded),
            (true, false) => Decision {
                variant: Some(variant),
                reason: Reason::Forced,
            },
        };
    }
    let case = Case::new(context, attributes, now);
    let on_page = || is_on_page(experience, context);
    let agrees = context.consent
        && experience
            .purpose
            .as_ref()
            .is_none_or(|purpose| context.agrees(purpose));
    let given = |found: Found| Decision {
        variant: u16::try_from(found.variant).ok(),
        reason: found.reason,
    };
    if let Some(found) = case.asked_for(&experience.assignment)
        && agrees
        && on_page()
        && case.holds(experience.requires.as_ref())
    {
        return given(found);
    }
    let in_time =
        experience.starts_at.is_none_or(|at| now >= at) && experience.ends_at.is_none_or(|at| now < at);
    if experience.status != Status::Running || !in_time {
        return none(Reason::Paused);
    }
    if !agrees {
        return none(Reason::NoConsent);
    }
    if !on_page() {
        return none(Reason::OffPage);
    }
    if !case.holds(experience.requires.as_ref()) {
        return none(Reason::NotInSegment);
    }
    let found = case.assign(&experience.assignment, || {
        if !case.holds(experience.condition.as_ref()) {
            Err(Reason::NotInSegment)
        } else if in_taken_group {
            Err(Reason::Excluded)
        } else {
            Ok(())
        }
    });
    match found {
        Ok(_) if in_taken_group => none(Reason::Excluded),
        Ok(found) => given(found),
        Err(reason) => none(reason),
    }
}

/// Decides about one feature, after those that it refers to.
pub(crate) fn decide_feature(
    feature: &Feature,
    context: &Context<'_>,
    attributes: &dyn Attributes,
    now: Timestamp,
) -> FeatureDecision {
    let case = Case::new(context, attributes, now);
    for (index, rule) in feature.rules.iter().enumerate() {
        if !case.holds(rule.gate.as_ref()) {
            return FeatureDecision::none(Reason::Prerequisite);
        }
        if let Some(found) = decide_rule(&case, rule)
            && !rule
                .variants
                .get(found.variant)
                .is_none_or(|variant| variant.passes_through)
        {
            return FeatureDecision {
                rule: u16::try_from(index).ok(),
                variant: u16::try_from(found.variant).ok(),
                reason: found.reason,
                bucket: found.bucket,
            };
        }
    }
    FeatureDecision::none(Reason::Default)
}

fn decide_rule(case: &Case<'_>, rule: &Rule) -> Option<Found> {
    if rule.variants.is_empty() || !case.holds(rule.requires.as_ref()) {
        return None;
    }
    if let Some(found) = case.asked_for(&rule.assignment) {
        // A filter that lasts is a part of what the rule requires.
        return case
            .pass(&rule.assignment, None, Some(true))
            .is_ok()
            .then_some(found);
    }
    let in_time =
        rule.starts_at.is_none_or(|at| case.now >= at) && rule.ends_at.is_none_or(|at| case.now < at);
    if rule.status != Status::Running || !in_time || (rule.assignment.hashes && !case.context.consent) {
        return None;
    }
    let admits = || {
        case.holds(rule.condition.as_ref())
            .then_some(())
            .ok_or(Reason::NotInSegment)
    };
    case.assign(&rule.assignment, admits).ok()
}
