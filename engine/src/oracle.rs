//! The oracle: what is known of a visitor, by brute force from the whole log.
//!
//! It shares nothing with the fold but the conditions, and is as plain as can be. Tests and
//! `nearside replay --brute-force` hold folded state against it.

use crate::decide::{Context, Decisions};
use crate::event::{Event, EventKind};
use crate::facts::Facts;
use crate::program::{Program, Scope};
use crate::state::{Profile, SESSION_GAP, Session};
use crate::sticky::{self, Remembered};
use crate::time::Timestamp;
use crate::value::Object;
use std::borrow::Cow;

/// The events of one visitor in the order of their arrival.
#[derive(Clone, Debug, Default)]
pub struct Log<'a> {
    events: Vec<&'a Event>,
    remembered: Vec<Remembered>,
}

impl<'a> Log<'a> {
    /// Adds an event; of several with the same key only the first counts.
    pub fn add(&mut self, event: &'a Event) {
        if !self.events.iter().any(|known| known.key == event.key) {
            self.events.push(event);
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

    /// For each event, the number of the session that it belongs to (none for one that came after its
    /// session was over), and the session that is the last.
    fn sessions(&self) -> (Vec<Option<u32>>, Session) {
        let mut session = Session::default();
        let mut numbers = Vec::with_capacity(self.events.len());
        for event in &self.events {
            if session.number == 0 || event.time - session.last_at >= SESSION_GAP {
                session = Session {
                    number: session.number + 1,
                    started_at: event.time,
                    last_at: event.time,
                    page_views: 0,
                };
            } else if session.started_at - event.time >= SESSION_GAP {
                numbers.push(None);
                continue;
            }
            session.started_at = session.started_at.min(event.time);
            session.last_at = session.last_at.max(event.time);
            session.page_views += u32::from(event.kind == EventKind::Page);
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

impl Facts for Log<'_> {
    fn count(&self, program: &Program, cell: usize, now: Timestamp) -> u32 {
        let Some(spec) = program.cells.get(cell) else {
            return 0;
        };
        let (numbers, session) = self.sessions();
        let begin = self.person_begins();
        let mut count = 0;
        for (place, event) in self.events.iter().enumerate() {
            let in_scope = match spec.scope {
                Scope::Visitor => place >= begin,
                Scope::Session => {
                    numbers[place] == Some(session.number) && now - session.last_at < SESSION_GAP
                }
            };
            let in_window = spec
                .within
                .is_none_or(|within| event.time > now - within && event.time <= now);
            count += u32::from(in_scope && in_window && spec.matcher.matches(event));
        }
        count
    }

    fn session(&self, now: Timestamp) -> Option<Cow<'_, Session>> {
        let (_, session) = self.sessions();
        (session.number > 0 && now - session.last_at < SESSION_GAP).then_some(Cow::Owned(session))
    }

    fn last_session_number(&self) -> u32 {
        self.sessions().1.number
    }

    fn profile(&self) -> Cow<'_, Profile> {
        let mut profile = Profile::default();
        let mut traits = Object::new();
        for event in &self.events[self.person_begins().min(self.events.len())..] {
            if event.kind == EventKind::Identify {
                profile.user_id = event.user_id.clone().or(profile.user_id);
                for (name, value) in event.traits.as_object().unwrap_or(&Object::new()).iter() {
                    traits.insert(name, value.clone());
                }
            }
            if profile.first_seen_at == 0 || event.time < profile.first_seen_at {
                profile.first_seen_at = event.time;
            }
        }
        profile.traits = traits;
        Cow::Owned(profile)
    }

    fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }

    /// The oracle does not know; it is asked at every instant.
    fn next_change_at(&self, _: &Program, _: Timestamp) -> Option<Timestamp> {
        None
    }
}
