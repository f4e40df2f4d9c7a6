//! Replays a log of events: folds each and says what was decided after it.
//!
//! The command line, the worker and the browser's tests share this, so that the same log gives the same
//! lines everywhere.

use crate::codec::Malformed;
use crate::decide::{Context, Decisions, decide};
use crate::decider::Decider;
use crate::event::{Arrival, Event, EventError, instant};
use crate::explain::explain;
use crate::fold::fold;
use crate::oracle::Log;
use crate::program::Program;
use crate::request::Request;
use crate::sort::sort_by;
use crate::state::State;
use crate::time::Timestamp;
use crate::value::{Object, Value};
use std::borrow::Borrow;
use std::collections::BTreeMap;

/// One event of a log, and the page on which it happened.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    /// Its line in the log, from 1 on.
    pub line: usize,
    /// Whose event it is: the `anonymousId`, or else the `userId`.
    pub visitor_id: String,
    /// The event.
    pub event: Event,
    /// The page and what else its context says of the request.
    pub request: Request,
}

impl LoggedEvent {
    /// Reads a line of a log. The event's `timestamp` is taken as it is: a log is no delivery, whose clocks
    /// are corrected. An event after `now` is taken as happening at `now`.
    ///
    /// # Errors
    /// When the message is not an event.
    pub fn read(line: usize, message: &Value, now: Option<Timestamp>) -> Result<Self, EventError> {
        let own = ["timestamp", "originalTimestamp", "receivedAt"]
            .into_iter()
            .find_map(|name| instant(message.get(name)));
        let arrival = Arrival {
            received_at: now.or(own).unwrap_or_default(),
            sent_at: None,
        };
        let mut event = Event::from_message(message, arrival, &format!("line-{line}"))?;
        if let Some(own) = own {
            event.time = own.clamp(0, arrival.received_at.max(0));
        }
        let visitor_id = event
            .anonymous_id
            .clone()
            .or_else(|| event.user_id.clone())
            .unwrap_or_default();
        let page = event.context.get("page");
        let url = page
            .get("url")
            .as_str()
            .or(page.get("path").as_str())
            .unwrap_or("/");
        let mut extra = Object::new();
        for name in ["geo", "language", "device", "browser", "bot", "time"] {
            let value = event.context.get(name);
            if !value.is_null() {
                extra.insert(name, value.clone());
            }
        }
        if let Some(referrer) = page.get("referrer").as_str() {
            extra.insert("referrer", referrer);
        }
        let mut request = Request::new(url, extra);
        // What Segment's clients say of consent, in the form of the consent cookie.
        if let Some(categories) = event
            .context
            .get("consent")
            .get("categoryPreferences")
            .as_object()
        {
            let mut agreed = String::new();
            for (purpose, _) in categories
                .iter()
                .filter(|(_, agrees)| **agrees == Value::Bool(true))
            {
                agreed.push('.');
                agreed.push_str(purpose);
            }
            request.set_consent(Some(agreed), true);
        }
        Ok(Self {
            line,
            visitor_id,
            event,
            request,
        })
    }
}

/// What is kept of a visitor between events.
struct Visitor {
    state: State,
    decider: Decider,
    latest: Timestamp,
}

/// Folds a log's events, any number of visitors mixed; with a program of its own, or a borrowed one.
pub struct Replay<P> {
    program: P,
    visitors: BTreeMap<String, Visitor>,
}

impl<P: Borrow<Program>> Replay<P> {
    /// Nothing has happened yet.
    pub fn new(program: P) -> Self {
        Self {
            program,
            visitors: BTreeMap::new(),
        }
    }

    /// Folds an event and decides at its instant, or, when it came late, at the latest one of its visitor.
    pub fn step(&mut self, logged: &LoggedEvent) -> Value {
        self.run(logged, false)
    }

    /// The same, with the explanation of what was decided as the line's `explanation`; see [`explain`].
    pub fn step_explained(&mut self, logged: &LoggedEvent) -> Value {
        self.run(logged, true)
    }

    fn run(&mut self, logged: &LoggedEvent, explained: bool) -> Value {
        let program = self.program.borrow();
        let visitor = self.visitors.entry(logged.visitor_id.clone());
        let Visitor {
            state,
            decider,
            latest,
        } = visitor.or_insert_with(|| Visitor {
            state: State::new(program),
            decider: Decider::new(),
            latest: Timestamp::MIN,
        });
        *latest = (*latest).max(logged.event.time);
        fold(program, state, &logged.event);
        let decisions = decider.decide(program, state, &context(logged), *latest);
        let mut line = line(program, logged, decisions);
        if explained && let Value::Object(line) = &mut line {
            let explanation = explain(program, state, &context(logged), decisions, *latest);
            line.insert("explanation", explanation);
        }
        state.keep_sticky(program, &context(logged), decisions, *latest);
        line
    }

    /// Writes each visitor's state to bytes and reads it again, as it happens to it between requests.
    ///
    /// # Errors
    /// When a state cannot be read again, which is a mistake of this crate.
    pub fn reload(&mut self) -> Result<(), Malformed> {
        let program = self.program.borrow();
        for visitor in self.visitors.values_mut() {
            visitor.state = State::from_bytes(program, &visitor.state.to_bytes(program))?;
        }
        Ok(())
    }

    /// What is remembered of a visitor.
    pub fn state(&self, visitor_id: &str) -> Option<&State> {
        self.visitors.get(visitor_id).map(|visitor| &visitor.state)
    }
}

/// The same from the whole log, without folded state: the line for each event.
pub fn brute_force<'a>(program: &Program, log: &'a [LoggedEvent]) -> Vec<Value> {
    let mut visitors: BTreeMap<&str, (Log<'a>, Timestamp)> = BTreeMap::new();
    log.iter()
        .map(|logged| {
            let (known, latest) = visitors
                .entry(&logged.visitor_id)
                .or_insert_with(|| (Log::default(), Timestamp::MIN));
            *latest = (*latest).max(logged.event.time);
            known.add(&logged.event);
            let decisions = decide(program, known, &context(logged), *latest);
            known.keep_sticky(program, &context(logged), &decisions, *latest);
            line(program, logged, &decisions)
        })
        .collect()
}

const fn context(logged: &LoggedEvent) -> Context<'_> {
    Context {
        visitor_id: logged.visitor_id.as_str(),
        request: &logged.request,
        consent: true,
        forced: &[],
    }
}

fn line(program: &Program, logged: &LoggedEvent, decisions: &Decisions) -> Value {
    let mut line = decisions_to_object(program, decisions);
    line.insert("line", logged.line as f64);
    line.insert("anonymousId", logged.visitor_id.as_str());
    Value::Object(line)
}

/// The values of the features: `{"name": value}`.
pub fn features_to_object(program: &Program, decisions: &Decisions) -> Object {
    let features = program.features.iter().zip(&decisions.features);
    features
        .map(|(feature, decision)| {
            let value = decision.value(feature).cloned().unwrap_or_default();
            (feature.id.as_str(), value)
        })
        .collect()
}

/// Decisions with names: `{"segments": […], "decisions": [{"experience", "variant", "reason"}]}`.
pub fn decisions_to_object(program: &Program, decisions: &Decisions) -> Object {
    let mut segments: Vec<&str> = program
        .segments
        .iter()
        .zip(&decisions.segments)
        .filter(|(_, member)| **member)
        .map(|(segment, _)| segment.id.as_str())
        .collect();
    sort_by(&mut segments, |a, b| a < b);
    let list = program
        .experiences
        .iter()
        .zip(&decisions.decisions)
        .map(|(experience, decision)| {
            let variant = decision
                .variant
                .and_then(|index| experience.variants.get(usize::from(index)));
            let mut object = Object::new();
            object.insert("experience", experience.id.as_str());
            object.insert("variant", variant.map(|variant| variant.id.as_str()));
            object.insert("reason", decision.reason.name());
            Value::Object(object)
        });
    let mut object = Object::new();
    object.insert("decisions", list.collect::<Vec<_>>());
    object.insert(
        "segments",
        segments.into_iter().map(Value::from).collect::<Vec<_>>(),
    );
    if !program.features.is_empty() {
        object.insert("features", features_to_object(program, decisions));
    }
    object
}
