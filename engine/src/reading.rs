//! One reading of the facts: at one instant, for one page.

use crate::aging::AgingTrait;
use crate::assignment::FeatureDecision;
use crate::cell::measure::{Measure, nothing};
use crate::cell::spec::CellKind;
use crate::clock::Clock;
use crate::condition::{Attributes, Condition, Node, Shared};
use crate::decide::{Context, Decisions};
use crate::event::MAX_IDENTIFIER;
use crate::facts::{Facts, is_of_session, next_crossing, next_passing, session_end};
use crate::path::Slots;
use crate::program::Program;
use crate::state::Session;
use crate::sticky::Remembered;
use crate::time::{SECOND, Timestamp, write_timestamp};
use crate::value::Value;
use std::borrow::Cow;

/// Texts that are made of what is known of a person, kept so that reading them again costs nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Views {
    visitor_id: Value,
    user_id: Text,
    first_seen_at: Text,
    first_seen: Timestamp,
}

impl Views {
    pub(crate) fn new(facts: &dyn Facts, context: &Context<'_>) -> Self {
        let mut views = Self::default();
        views.name(context);
        views.renew(facts);
        views
    }

    /// Takes note of whose visit it is.
    pub(crate) fn name(&mut self, context: &Context<'_>) {
        if self.visitor_id.as_str() != Some(context.visitor_id) {
            self.visitor_id = Value::from(context.visitor_id);
        }
    }

    /// Takes note of what is known of the person.
    pub(crate) fn renew(&mut self, facts: &dyn Facts) {
        let profile = facts.profile();
        self.user_id
            .set(MAX_IDENTIFIER, profile.user_id.is_some(), |text| {
                text.push_str(profile.user_id.as_deref().unwrap_or_default());
            });
        let at = profile.first_seen_at;
        if self.first_seen != at || self.first_seen_at.value.is_null() {
            self.first_seen = at;
            self.first_seen_at
                .set(TIMESTAMP, at > 0, |text| write_timestamp(at, text));
        }
    }
}

/// How long the text of an instant is.
const TIMESTAMP: usize = "2026-11-21T10:00:00.000Z".len();

/// A text that may be missing, in room that stays.
#[derive(Clone, Debug, Default, PartialEq)]
struct Text {
    value: Value,
    is_there: bool,
}

impl Text {
    fn set(&mut self, room: usize, is_there: bool, write: impl FnOnce(&mut String)) {
        self.is_there = is_there;
        if !matches!(self.value, Value::String(_)) {
            self.value = Value::String(String::with_capacity(room));
        }
        if let Value::String(text) = &mut self.value {
            text.clear();
            write(text);
        }
    }

    fn get(&self) -> Option<Cow<'_, Value>> {
        self.is_there.then_some(Cow::Borrowed(&self.value))
    }
}

/// Whether a session is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionView {
    /// As it is at the instant.
    Actual,
    /// As if it went on for ever.
    GoingOn,
    /// As if it were over.
    Over,
}

/// One reading of the facts.
pub(crate) struct Reading<'a> {
    program: &'a Program,
    facts: &'a dyn Facts,
    context: &'a Context<'a>,
    views: &'a Views,
    segments: &'a [bool],
    features: &'a [FeatureDecision],
    slots: &'a Slots<'a>,
    pub(crate) now: Timestamp,
    pub(crate) session: SessionView,
    /// Whether values are taken as fresh, however old they are.
    takes_as_fresh: bool,
    /// When the visitor's clock turns later than this is not asked.
    clock_until: Timestamp,
}

impl<'a> Reading<'a> {
    pub(crate) const fn new(
        program: &'a Program,
        facts: &'a dyn Facts,
        context: &'a Context<'a>,
        views: &'a Views,
        now: Timestamp,
    ) -> Self {
        Self {
            program,
            facts,
            context,
            views,
            segments: &[],
            features: &[],
            slots: &[],
            now,
            session: SessionView::Actual,
            takes_as_fresh: false,
            clock_until: Timestamp::MAX,
        }
    }

    /// The same, but for whether values are taken as fresh, however old they are.
    pub(crate) const fn taking_as_fresh(self, takes_as_fresh: bool) -> Self {
        Self {
            takes_as_fresh,
            ..self
        }
    }

    /// The same with what is decided already, and with what the paths with a slot lead to.
    pub(crate) fn with(self, decisions: &'a Decisions, slots: &'a Slots<'a>) -> Self {
        Self {
            segments: &decisions.segments,
            features: &decisions.features,
            slots,
            ..self
        }
    }

    /// The same at another instant.
    pub(crate) const fn at(&self, now: Timestamp, session: SessionView) -> Self {
        Self {
            now,
            session,
            ..*self
        }
    }

    /// The same, but that nobody asks when the visitor's clock turns later than at an instant.
    pub(crate) const fn with_clock_until(&self, clock_until: Timestamp) -> Self {
        Self { clock_until, ..*self }
    }

    fn in_session(&self) -> bool {
        match self.session {
            SessionView::Actual => session_end(self.facts, self.now).is_some(),
            SessionView::GoingOn => true,
            SessionView::Over => false,
        }
    }

    /// The attribute of the session; the path is below `session`.
    fn session_attribute(&self, path: &[String]) -> Option<Cow<'a, Value>> {
        let (name, rest) = path.split_first()?;
        let last = self.facts.last_session();
        // Between sessions, the one that would begin with the next event is meant.
        let last_number = last.as_ref().map_or(0, |session| session.number);
        let current = last.filter(|_| self.in_session());
        let number = match &current {
            Some(session) => session.number,
            None => last_number.saturating_add(1),
        };
        let owned = match name.as_str() {
            "number" => Value::Number(f64::from(number)),
            "isNew" => Value::Bool(number <= 1),
            "pageViews" => Value::Number(f64::from(current.map_or(0, |session| session.page_views))),
            "duration" => Value::Number(current.map_or(0.0, |session| duration(&session, self.now))),
            "landingPage" | "referrer" | "campaign" => {
                let found = match current? {
                    Cow::Borrowed(session) => Cow::Borrowed(session.landing.document().get(name).at(rest)?),
                    Cow::Owned(session) => Cow::Owned(session.landing.document().get(name).at(rest)?.clone()),
                };
                return Some(found).filter(|value| !value.is_null());
            }
            _ => return None,
        };
        rest.is_empty().then_some(Cow::Owned(owned))
    }

    fn profile_attribute(&self, path: &[String]) -> Option<Cow<'a, Value>> {
        match path {
            [name] if name == "userId" => self.views.user_id.get(),
            [name] if name == "firstSeenAt" => self.views.first_seen_at.get(),
            [name] if name == "sessions" => {
                let sessions = self.facts.last_session().map_or(0, |session| session.number);
                Some(Cow::Owned(Value::Number(f64::from(sessions))))
            }
            [consent, purpose] if consent == "consent" => {
                Some(Cow::Owned(Value::Bool(self.context.agrees(purpose))))
            }
            [traits, of_traits @ ..] if traits == "traits" && !self.program.aging.is_empty() => {
                let known = self.known_of_profile(path)?;
                match self.stale(of_traits).filter(|aging| !aging.is_used) {
                    None => Some(known),
                    Some(aging) => {
                        let value = aging.default.at(of_traits.get(aging.path.len()..)?)?;
                        (!value.is_null()).then_some(Cow::Borrowed(value))
                    }
                }
            }
            _ => self.known_of_profile(path),
        }
    }

    /// What is known of the person, however old it is.
    fn known_of_profile(&self, path: &[String]) -> Option<Cow<'a, Value>> {
        match self.facts.profile() {
            Cow::Borrowed(profile) => profile.attribute(path),
            Cow::Owned(profile) => profile
                .attribute(path)
                .map(|value| Cow::Owned(value.into_owned())),
        }
    }

    /// The declaration that the trait at a path falls under, if what is known of it is stale.
    pub(crate) fn stale(&self, path: &[String]) -> Option<&'a AgingTrait> {
        let aging = self.program.aging_trait(path).filter(|_| !self.takes_as_fresh)?;
        (aging.stale_at(self.program, self.facts) <= self.now).then_some(aging)
    }

    /// When a trait was told last.
    pub(crate) fn told_at(&self, aging: &AgingTrait) -> Timestamp {
        self.facts.told_at(self.program, aging)
    }

    /// The earliest instant after this one at which something that the unit reads becomes stale.
    pub(crate) fn next_staleness(&self, unit: usize) -> Option<Timestamp> {
        if self.takes_as_fresh {
            return None;
        }
        let aging = self.program.index.readers.aging.iter();
        let read = aging.filter(|(reader, _)| usize::from(*reader) == unit);
        read.filter_map(|(_, place)| self.program.aging.get(usize::from(*place)))
            .map(|aging| aging.stale_at(self.program, self.facts))
            .filter(|at| *at > self.now)
            .min()
    }

    fn clock(&self) -> Option<Clock> {
        Clock::read(self.context.request.document().get("time"))
    }

    fn of_clock(&self, part: &str) -> Option<Cow<'a, Value>> {
        let shown = self.clock()?.part(part, self.now)?;
        Some(Cow::Owned(Value::Number(shown)))
    }

    fn affinity_attribute(&self, path: &[String]) -> Option<Cow<'a, Value>> {
        let (name, rest) = path.split_first()?;
        let (_, cell) = self.program.affinities.iter().find(|(known, _)| known == name)?;
        let CellKind::Affinity(decay, _, keep) = &self.program.cells.get(usize::from(*cell))?.kind else {
            return None;
        };
        let affinity = self.facts.affinity(self.program, usize::from(*cell))?;
        let place = match rest.first()?.as_str() {
            "top" => 0,
            "second" => 1,
            "weight" => {
                let weight = affinity.weight(rest.get(1..)?, usize::from(*keep));
                let weight = weight.map_or(0.0, |weight| weight.read(self.now, decay.half_life));
                return Some(Cow::Owned(Value::Number(weight)));
            }
            _ => return None,
        };
        match affinity {
            Cow::Borrowed(affinity) => affinity.value(place).map(Cow::Borrowed),
            Cow::Owned(affinity) => affinity.value(place).cloned().map(Cow::Owned),
        }
    }

    fn score(&self, name: &str) -> Option<f64> {
        let (_, cell) = self.program.scores.iter().find(|(known, _)| known == name)?;
        self.measure(usize::from(*cell), Measure::Score, None)
    }

    /// The earliest instant after this one at which what a node reads may change by time alone, the session's
    /// end aside.
    pub(crate) fn next_candidate(
        &self,
        condition: &Condition,
        node: &Node,
        numbers: &mut Vec<f64>,
    ) -> Option<Timestamp> {
        match node {
            Node::Measure(cell, measure, test) => {
                let cell = usize::from(*cell);
                if is_of_session(self.program, cell) && !self.in_session() {
                    return None;
                }
                numbers.clear();
                condition.numbers_compared(*test, numbers);
                self.facts
                    .next_change_at(self.program, cell, *measure, numbers, self.now)
            }
            Node::Attribute(path, test) => match (path.first()?.as_str(), path.get(1)?.as_str()) {
                ("request", "time") => {
                    let (clock, part) = (self.clock()?, path.get(2)?);
                    numbers.clear();
                    condition.numbers_compared(*test, numbers);
                    let turn = clock.next_turn(part, numbers, self.now);
                    let turn = turn.filter(|at| *at <= self.clock_until);
                    turn.into_iter().chain(clock.next_change(self.now)).min()
                }
                ("session", "duration") if self.in_session() => {
                    numbers.clear();
                    condition.numbers_compared(*test, numbers);
                    next_passing(self.facts.last_session()?.started_at, SECOND, numbers, self.now)
                }
                ("affinity", name) if path.get(2).is_some_and(|kind| kind == "weight") => {
                    numbers.clear();
                    condition.numbers_compared(*test, numbers);
                    let (_, cell) = self.program.affinities.iter().find(|(known, _)| known == name)?;
                    let CellKind::Affinity(decay, _, keep) =
                        &self.program.cells.get(usize::from(*cell))?.kind
                    else {
                        return None;
                    };
                    let affinity = self.facts.affinity(self.program, usize::from(*cell))?;
                    let weight = affinity.weight(path.get(3..)?, usize::from(*keep))?;
                    next_crossing(weight, numbers, self.now, decay.half_life)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// How long a session has been going on, in whole seconds.
fn duration(session: &Session, now: Timestamp) -> f64 {
    (now.saturating_sub(session.started_at).max(0) / SECOND) as f64
}

impl Attributes for Reading<'_> {
    fn attribute(&self, path: &[String]) -> Option<Cow<'_, Value>> {
        let (root, rest) = path.split_first()?;
        // By its first letter: roots of the same length would all be compared.
        match (root.as_bytes().first()?, root.as_str()) {
            (b'r', "request") => match rest {
                [time, part] if time == "time" => self.of_clock(part),
                _ => self.context.request.document().at(rest).map(Cow::Borrowed),
            },
            (b'v', "visitor") if rest.len() == 1 => Some(Cow::Borrowed(&self.views.visitor_id)),
            (b's', "session") => self.session_attribute(rest),
            (b'p', "profile") => self.profile_attribute(rest),
            (b's', "score") if rest.len() == 1 => self
                .score(rest.first()?)
                .map(|score| Cow::Owned(Value::Number(score))),
            (b'a', "affinity") => self.affinity_attribute(rest),
            _ => None,
        }
    }

    fn measure(&self, cell: usize, measure: Measure, group: Option<u32>) -> Option<f64> {
        if is_of_session(self.program, cell) && !self.in_session() {
            return nothing(measure);
        }
        self.facts.measure(self.program, cell, measure, group, self.now)
    }

    fn group(&self, cell: usize, place: usize) -> Option<u32> {
        if is_of_session(self.program, cell) && !self.in_session() {
            return None;
        }
        self.facts.group(self.program, cell, place)
    }

    fn in_segment(&self, segment: usize) -> bool {
        self.segments.get(segment).copied().unwrap_or_default()
    }

    fn feature(&self, feature: usize) -> Option<&Value> {
        self.features
            .get(feature)?
            .value(self.program.features.get(feature)?)
    }

    fn remembered(&self) -> &[Remembered] {
        self.facts.remembered()
    }

    fn shared(&self) -> Shared<'_> {
        Shared {
            groups: &self.program.groups,
            slots: self.slots,
        }
    }
}
