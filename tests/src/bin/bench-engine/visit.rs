//! One visitor's events: each is folded, and everything is decided.

use crate::shop::Kind;
use nearside_engine::decide::{Context, decide};
use nearside_engine::decider::Decider;
use nearside_engine::event::{Event, EventKind};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::value::Object;
use nearside_tests::timing::{median, microseconds};
use std::hint::black_box;

const VISITOR: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const PAGES: [&str; 4] = ["/", "/products/a", "/products/b", "/cart"];

/// What was measured of a visit, in microseconds.
#[derive(Default)]
pub(crate) struct Times {
    /// An event folded and everything decided, with the decider of the event before.
    kept: Vec<f64>,
    /// Everything decided by a decider that knows nothing.
    fresh: Vec<f64>,
    /// What an event touched.
    decided: usize,
}

impl Times {
    pub(crate) fn kept(&self) -> f64 {
        median(self.kept.clone())
    }

    pub(crate) fn fresh(&self) -> f64 {
        median(self.fresh.clone())
    }
}

/// A visitor's way through their events.
pub(crate) struct Visit {
    program: Program,
    events: Vec<Event>,
    pages: Vec<Request>,
    at: usize,
    page: usize,
    pub(crate) state: State,
    decider: Decider,
    /// Whether fresh deciders are measured too. Copies of the state push what is used again out of the processor's
    /// caches.
    is_fresh: bool,
    pub(crate) times: Times,
}

impl Visit {
    pub(crate) fn new(kind: Kind, segments: usize, events: usize) -> Self {
        let program = kind.program(segments);
        Self {
            events: kind.events(events),
            pages: PAGES
                .map(|page| Request::new(&format!("https://shop.example{page}"), Object::new()))
                .to_vec(),
            at: 0,
            page: 0,
            state: State::new(&program),
            decider: Decider::new(),
            is_fresh: false,
            times: Times::default(),
            program,
        }
    }

    /// Measures fresh deciders too.
    pub(crate) fn with_fresh(mut self) -> Self {
        self.is_fresh = true;
        self
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// The next events; the visitor begins anew when there are no more.
    pub(crate) fn go_on(&mut self, count: usize) {
        for _ in 0..count {
            self.step();
        }
    }

    fn step(&mut self) {
        if self.at >= self.events.len() {
            self.at = 0;
            self.state = State::new(&self.program);
            self.decider = Decider::new();
        }
        let event = &self.events[self.at];
        self.at += 1;
        if event.kind == EventKind::Page {
            self.page = (self.page + 1) % self.pages.len();
        }
        let context = Context {
            visitor_id: VISITOR,
            request: &self.pages[self.page],
            consent: true,
            forced: &[],
        };
        let time = microseconds(|| {
            fold(&self.program, &mut self.state, event);
            let decided = self
                .decider
                .decide(&self.program, &mut self.state, &context, event.time);
            black_box(decided);
        });
        self.times.kept.push(time);
        if self.is_fresh && self.at.is_multiple_of(4) {
            let mut state = self.state.clone();
            let time = microseconds(|| {
                let mut decider = Decider::new();
                black_box(decider.decide(&self.program, &mut state, &context, event.time));
            });
            self.times.fresh.push(time);
        }
        let members = self.decider.decisions().segments.iter();
        self.times.decided += members.filter(|member| **member).count();
    }

    /// How large a part of the segments the visitor was in, on average: that something was decided at all.
    pub(crate) fn membership(&self) -> f64 {
        self.times.decided as f64 / (self.times.kept.len() * self.program.segments.len()) as f64
    }

    /// In how many segments the visitor is by these bytes of the state and not by the state, or the other way.
    pub(crate) fn differing(&self, bytes: &[u8]) -> usize {
        let short = State::from_bytes(&self.program, bytes).unwrap();
        let context = Context {
            visitor_id: VISITOR,
            request: &self.pages[self.page],
            consent: true,
            forced: &[],
        };
        let now = self.state.session.last_at;
        let [long, short] =
            [&self.state, &short].map(|state| decide(&self.program, state, &context, now).segments);
        long.iter()
            .zip(&short)
            .filter(|(long, short)| long != short)
            .count()
    }
}
