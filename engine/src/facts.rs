//! What conditions read, whether it is folded state or a whole log.

use crate::assignment::FeatureDecision;
use crate::condition::Attributes;
use crate::decide::Context;
use crate::program::{Program, Scope};
use crate::state::{Profile, SESSION_GAP, Session, State};
use crate::sticky::Remembered;
use crate::time::{SECOND, Timestamp, format_timestamp};
use crate::value::Value;
use crate::value_tests::Set;
use std::borrow::Cow;

/// What is known of a visitor. [`State`] answers from cells; the oracle from the whole log.
pub trait Facts {
    /// How many events the cell counts; no more than decide its condition.
    fn count(&self, program: &Program, cell: usize, now: Timestamp) -> u32;
    /// The visit that is going on at that instant, if one is.
    fn session(&self, now: Timestamp) -> Option<Cow<'_, Session>>;
    /// The number of the last session.
    fn last_session_number(&self) -> u32;
    /// What is known of the person.
    fn profile(&self) -> Cow<'_, Profile>;
    /// The assignments that the visitor keeps.
    fn remembered(&self) -> &[Remembered];
    /// Nothing that conditions read changes before this instant if no event comes.
    fn next_change_at(&self, program: &Program, now: Timestamp) -> Option<Timestamp>;
}

impl Facts for State {
    fn count(&self, program: &Program, cell: usize, now: Timestamp) -> u32 {
        let (Some(cell), Some(spec)) = (self.cells.get(cell), program.cells.get(cell)) else {
            return 0;
        };
        if spec.scope == Scope::Session && !self.in_session(now) {
            return 0;
        }
        cell.count(now, spec.shape())
    }

    fn session(&self, now: Timestamp) -> Option<Cow<'_, Session>> {
        self.in_session(now).then_some(Cow::Borrowed(&self.session))
    }

    fn last_session_number(&self) -> u32 {
        self.session.number
    }

    fn profile(&self) -> Cow<'_, Profile> {
        Cow::Borrowed(&self.profile)
    }

    fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }

    fn next_change_at(&self, program: &Program, now: Timestamp) -> Option<Timestamp> {
        let end = self
            .in_session(now)
            .then(|| self.session.last_at.saturating_add(SESSION_GAP));
        let cells = self.cells.iter().zip(&program.cells);
        cells
            .filter_map(|(cell, spec)| cell.next_change_at(now, spec.shape()))
            .chain(end)
            .min()
    }
}

/// No session is as long, in seconds.
const MAX_DURATION: f64 = 1e12;

/// How long a session has been going on, in whole seconds.
fn duration(session: &Session, now: Timestamp) -> f64 {
    (now.saturating_sub(session.started_at).max(0) / SECOND) as f64
}

/// One reading of the facts, at one instant, for one page.
pub(crate) struct Reading<'a> {
    program: &'a Program,
    facts: &'a dyn Facts,
    context: &'a Context<'a>,
    now: Timestamp,
    pub(crate) segments: Vec<bool>,
    pub(crate) features: Vec<FeatureDecision>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        program: &'a Program,
        facts: &'a dyn Facts,
        context: &'a Context<'a>,
        now: Timestamp,
    ) -> Self {
        Self {
            program,
            facts,
            context,
            now,
            segments: Vec::with_capacity(program.segments.len()),
            features: Vec::new(),
        }
    }

    fn session(&self, name: &str) -> Option<Value> {
        let session = self.facts.session(self.now);
        // Between sessions, the one that would begin with the next event is meant.
        let number = match &session {
            Some(session) => session.number,
            None => self.facts.last_session_number().saturating_add(1),
        };
        Some(match name {
            "number" => Value::Number(f64::from(number)),
            "isNew" => Value::Bool(number <= 1),
            "pageViews" => Value::Number(f64::from(session.map_or(0, |session| session.page_views))),
            "duration" => Value::Number(session.map_or(0.0, |session| duration(&session, self.now))),
            _ => return None,
        })
    }

    /// When the session's duration, which grows by itself, next passes a number that a condition compares it
    /// with.
    pub(crate) fn next_duration_at(&self) -> Option<Timestamp> {
        let session = self.facts.session(self.now)?;
        let mut numbers = Vec::new();
        for condition in self.program.conditions() {
            condition.numbers_compared(&["session", "duration"], &mut numbers);
        }
        let duration = duration(&session, self.now);
        // The duration is a whole number: it reaches a number at the next one, and is past it one later.
        numbers
            .iter()
            .flat_map(|number| [number.ceil(), number.floor() + 1.0])
            .filter(|mark| *mark > duration && *mark < MAX_DURATION)
            .map(|mark| session.started_at.saturating_add(mark as i64 * SECOND))
            .min()
    }

    fn profile(&self, name: &str, rest: &[String]) -> Option<Cow<'_, Value>> {
        let profile = self.facts.profile();
        let owned = match name {
            "traits" => {
                let (first, rest) = rest.split_first()?;
                let found = match profile {
                    Cow::Borrowed(profile) => profile.traits.get(first)?.at(rest).map(Cow::Borrowed),
                    Cow::Owned(profile) => profile.traits.get(first)?.at(rest).cloned().map(Cow::Owned),
                };
                // A trait that was set to `null` is gone.
                return found.filter(|value| !value.is_null());
            }
            "userId" => Value::from(profile.user_id.clone()?),
            "identified" => Value::Bool(profile.user_id.is_some()),
            "firstSeenAt" if profile.first_seen_at > 0 => {
                Value::from(format_timestamp(profile.first_seen_at))
            }
            _ => return None,
        };
        Some(Cow::Owned(owned))
    }
}

impl Attributes for Reading<'_> {
    fn attribute(&self, path: &[String]) -> Option<Cow<'_, Value>> {
        let (root, rest) = path.split_first()?;
        match (root.as_str(), rest) {
            ("request", rest) => self.context.request.document().at(rest).map(Cow::Borrowed),
            ("visitor", [name]) if name == "id" => Some(Cow::Owned(Value::from(self.context.visitor_id))),
            ("session", [name]) => self.session(name).map(Cow::Owned),
            ("profile", [name, rest @ ..]) => self.profile(name, rest),
            _ => None,
        }
    }

    fn count(&self, cell: usize) -> u32 {
        self.facts.count(self.program, cell, self.now)
    }

    fn in_segment(&self, segment: usize) -> bool {
        self.segments.get(segment).copied().unwrap_or_default()
    }

    fn groups(&self) -> &[Set] {
        &self.program.groups
    }

    fn feature(&self, feature: usize) -> Option<&Value> {
        self.features
            .get(feature)?
            .value(self.program.features.get(feature)?)
    }

    fn remembered(&self) -> &[Remembered] {
        self.facts.remembered()
    }
}

/// Fills in the mutations of the variants that were decided, in the order of the experiences.
pub fn edits<'p>(
    program: &'p Program,
    facts: &dyn Facts,
    context: &Context<'_>,
    experience: usize,
    variant: usize,
    now: Timestamp,
) -> Vec<crate::mutation::Edit<'p>> {
    let reading = Reading::new(program, facts, context, now);
    program
        .experiences
        .get(experience)
        .and_then(|experience| experience.variants.get(variant))
        .map(|variant| {
            variant
                .mutations
                .iter()
                .map(|mutation| mutation.render(&reading))
                .collect()
        })
        .unwrap_or_default()
}
