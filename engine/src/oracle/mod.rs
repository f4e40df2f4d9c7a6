//! The oracle: what is known of a visitor, by brute force from the whole log.
//!
//! It shares nothing with the fold but the conditions, and is as plain as can be. Tests and
//! `nearside replay --brute-force` hold folded state against it.

mod measures;

use crate::aging::AgingTrait;
use crate::cell::measure::Measure;
use crate::cell::spec::{CellKind, CellSpec, Keep, Note, Observation, Scope};
use crate::cell::{Affinity, MAX_EXACT, MAX_GROUPS};
use crate::condition::Condition;
use crate::decay::Fading;
use crate::decide::{Context, Decisions};
use crate::event::{Event, EventKind};
use crate::facts::Facts;
use crate::landing::Landing;
use crate::program::Program;
use crate::state::{Profile, SESSION_GAP, Session};
use crate::sticky::{self, Remembered};
use crate::time::Timestamp;
use crate::value::Object;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The events of one visitor in the order of their arrival.
#[derive(Clone, Debug, Default)]
pub struct Log<'a> {
    events: Vec<&'a Event>,
    remembered: Vec<Remembered>,
    memo: Memo<'a>,
}

/// Events with what they mean to a cell.
type Observed<'a> = Vec<(&'a Event, Observation<'a>)>;

/// What was asked since the last event came. The same is asked again and again, and computing it is slow; a log is
/// used with one program.
#[derive(Clone, Debug, Default)]
struct Memo<'a> {
    sessions: OnceCell<(Vec<Option<u32>>, Session)>,
    person: OnceCell<Profile>,
    /// In the order of arrival, and in the order of time, by the keys of the cells.
    observed: RefCell<BTreeMap<u32, Rc<[Observed<'a>; 2]>>>,
    held: RefCell<BTreeMap<u32, Option<Timestamp>>>,
}

impl<'a> Log<'a> {
    /// Adds an event; of several with the same key only the first counts.
    pub fn add(&mut self, event: &'a Event) {
        if !self.events.iter().any(|known| known.key == event.key) {
            self.events.push(event);
            self.memo = Memo::default();
        }
    }

    /// Takes note of what a page's decisions assigned, where it is to be kept.
    pub fn keep_sticky(
        &mut self,
        program: &Program,
        context: &Context<'_>,
        decisions: &Decisions,
        now: Timestamp,
    ) {
        for entry in sticky::to_remember(program, self, context, decisions, now) {
            sticky::remember(&mut self.remembered, entry);
        }
    }

    /// What was known before an event.
    fn before(&self, end: usize) -> Self {
        Self {
            events: self.events[..end].to_vec(),
            ..Self::default()
        }
    }

    /// For each event, the number of the session that it belongs to (none for one that came after its
    /// session was over), and the session that is the last.
    fn sessions(&self) -> &(Vec<Option<u32>>, Session) {
        self.memo.sessions.get_or_init(|| self.count_sessions())
    }

    fn count_sessions(&self) -> (Vec<Option<u32>>, Session) {
        let mut session = Session::default();
        let mut numbers = Vec::with_capacity(self.events.len());
        for event in &self.events {
            if session.number == 0 || event.time - session.last_at >= SESSION_GAP {
                session = Session {
                    number: session.number + 1,
                    started_at: event.time,
                    last_at: event.time,
                    page_views: 0,
                    landing: Landing::default(),
                };
            } else if session.started_at - event.time >= SESSION_GAP {
                numbers.push(None);
                continue;
            }
            session.started_at = session.started_at.min(event.time);
            session.last_at = session.last_at.max(event.time);
            if event.kind == EventKind::Page {
                session.page_views += 1;
                session.landing.take(event);
            }
            numbers.push(Some(session.number));
        }
        (numbers, session)
    }

    /// The place of the event from which on the visitor is the person that they are now: one that names
    /// another user than before ends what is known of the person.
    fn person_begins(&self) -> usize {
        let mut user: Option<&str> = None;
        let mut begin = 0;
        for (place, event) in self.events.iter().enumerate() {
            if event.kind == EventKind::Identify
                && let Some(id) = event.user_id.as_deref()
            {
                if user.is_some_and(|known| known != id) {
                    begin = place;
                }
                user = Some(id);
            }
        }
        begin
    }
}

impl<'a> Log<'a> {
    /// The events that lie in a cell's scope, with what they mean to it, in the order of their times.
    fn observed(&self, spec: &CellSpec) -> Observed<'a> {
        self.both_orders(spec)[1].clone()
    }

    fn observed_as_they_came(&self, spec: &CellSpec) -> Observed<'a> {
        self.both_orders(spec)[0].clone()
    }

    fn both_orders(&self, spec: &CellSpec) -> Rc<[Observed<'a>; 2]> {
        let mut memo = self.memo.observed.borrow_mut();
        let known = memo.entry(spec.key).or_insert_with(|| {
            let as_they_came = self.observe(spec);
            let mut by_time = as_they_came.clone();
            by_time.sort_by_key(|(event, _)| (event.time, event.key));
            Rc::new([as_they_came, by_time])
        });
        Rc::clone(known)
    }

    fn observe(&self, spec: &CellSpec) -> Observed<'a> {
        let (numbers, session) = self.sessions();
        let begin = self.person_begins();
        let in_scope = |place: usize| match spec.scope {
            Scope::Visitor => place >= begin,
            Scope::Session => numbers[place] == Some(session.number),
        };
        let events = self
            .events
            .iter()
            .enumerate()
            .filter(|(place, _)| in_scope(*place));
        events
            .filter_map(|(_, event)| spec.observe(event).map(|seen| (*event, seen)))
            .collect()
    }

    /// Whether so many events decide a cell at an instant that its bounded memory need not be exact.
    pub fn is_crowded(&self, program: &Program, cell: usize, now: Timestamp) -> bool {
        let Some(spec) = program.cells.get(cell) else {
            return false;
        };
        let observed = self.observed(spec);
        let groups: BTreeSet<u32> = observed.iter().map(|(_, seen)| seen.group).collect();
        let keeps_all = match &spec.kind {
            CellKind::Sequence(_) => true,
            CellKind::Events(shape, note) => {
                let is_total = shape.within.is_none() && !matches!(note, Note::IdentityFits(..));
                !is_total && matches!(shape.keep, Keep::All | Keep::Newest(32))
            }
            _ => false,
        };
        // What has left the window may have been counted in it while it was there.
        let recent = observed.iter().filter(|(event, _)| match &spec.kind {
            CellKind::Events(shape, _) => shape.within.is_none_or(|within| event.time > now - 2 * within),
            _ => true,
        });
        groups.len() > MAX_GROUPS || keeps_all && recent.count() > MAX_EXACT
    }

    fn person(&self, end: usize) -> Profile {
        let part = self.before(end);
        let mut profile = Profile::default();
        let mut traits = Object::new();
        for event in &part.events[part.person_begins().min(end)..] {
            if event.kind == EventKind::Identify {
                profile.user_id = event.user_id.clone().or(profile.user_id);
                for (name, value) in event.traits.as_object().unwrap_or(&Object::new()).iter() {
                    traits.insert(name, value.clone());
                }
                profile.traits_at = profile.traits_at.max(event.time);
            }
            if profile.first_seen_at == 0 || event.time < profile.first_seen_at {
                profile.first_seen_at = event.time;
            }
        }
        profile.traits = traits;
        profile
    }

    /// Since when an attribute of the person fits.
    fn held_since(&self, path: &[String], is: &Condition) -> Option<Timestamp> {
        let mut since: Option<Timestamp> = None;
        let mut begin = 0;
        for end in 1..=self.events.len() {
            let part = self.before(end);
            // Of somebody else nothing is known.
            if part.person_begins() != begin {
                begin = part.person_begins();
                since = None;
            }
            let holds = self.person(end).holds(path, is);
            since = holds.then(|| since.unwrap_or(self.events[end - 1].time));
        }
        since
    }
}

impl Facts for Log<'_> {
    fn measure(
        &self,
        program: &Program,
        cell: usize,
        measure: Measure,
        group: Option<u32>,
        now: Timestamp,
    ) -> Option<f64> {
        let spec = program.cells.get(cell)?;
        let group = group.unwrap_or_default();
        match &spec.kind {
            CellKind::Events(shape, _) => {
                let in_window = |time: Timestamp| shape.within.is_none_or(|within| time > now - within);
                let events: Vec<_> = self
                    .observed(spec)
                    .into_iter()
                    .filter(|(event, seen)| seen.group == group && in_window(event.time))
                    .collect();
                measures::aggregate(&events, measure, now)
            }
            CellKind::Sequence(sequence) => {
                let mut events = self.observed(spec);
                events.retain(|(_, seen)| seen.group == group);
                let completed_at = measures::completed_at(&events, sequence, now);
                match measure {
                    Measure::CompletedAgo => completed_at.map(|at| (now - at) as f64),
                    _ => Some(f64::from(u8::from(completed_at.is_some()))),
                }
            }
            CellKind::Score(decay) => {
                let mut score = Fading::default();
                for (event, seen) in self.observed_as_they_came(spec) {
                    score.add(decay.points_of(seen.mark), event.time, decay.half_life, decay.cap);
                }
                Some(score.read(now, decay.half_life))
            }
            CellKind::Held(path, is) => {
                let mut memo = self.memo.held.borrow_mut();
                let since = memo.entry(spec.key).or_insert_with(|| self.held_since(path, is));
                since.map(|since| (now - since) as f64)
            }
            CellKind::Affinity(..) => None,
        }
    }

    fn group(&self, program: &Program, cell: usize, place: usize) -> Option<u32> {
        let observed = self.observed(program.cells.get(cell)?);
        let groups: BTreeSet<u32> = observed.iter().map(|(_, seen)| seen.group).collect();
        groups.into_iter().nth(place)
    }

    /// What is kept of an affinity is a matter of definition: it is folded here too, in the order of arrival.
    fn affinity(&self, program: &Program, cell: usize) -> Option<Cow<'_, Affinity>> {
        let spec = program.cells.get(cell)?;
        let CellKind::Affinity(decay, _, keep) = &spec.kind else {
            return None;
        };
        let mut affinity = Affinity::default();
        for (event, seen) in self.observed_as_they_came(spec) {
            affinity.add(seen.value.as_deref()?, event.time, seen.mark, decay, *keep);
        }
        Some(Cow::Owned(affinity))
    }

    fn last_session(&self) -> Option<Cow<'_, Session>> {
        let (_, session) = self.sessions();
        (session.number > 0).then_some(Cow::Borrowed(session))
    }

    fn profile(&self) -> Cow<'_, Profile> {
        Cow::Borrowed(self.memo.person.get_or_init(|| self.person(self.events.len())))
    }

    fn told_at(&self, _: &Program, aging: &AgingTrait) -> Timestamp {
        let of_person = &self.events[self.person_begins()..];
        let identifies = of_person.iter().filter(|event| event.kind == EventKind::Identify);
        let tells = |event: &&&Event| {
            let told = event.traits.at(&aging.path);
            told.is_some_and(|value| !value.is_null())
        };
        let told = identifies.filter(tells).map(|event| event.time).max();
        told.unwrap_or_else(|| self.profile().traits_at)
    }

    fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }

    /// The oracle does not know; it is asked at every instant.
    fn next_change_at(
        &self,
        _: &Program,
        _: usize,
        _: Measure,
        _: &[f64],
        _: Timestamp,
    ) -> Option<Timestamp> {
        None
    }

    fn foresees(&self) -> bool {
        false
    }
}
