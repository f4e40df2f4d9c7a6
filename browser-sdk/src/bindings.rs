//! What JavaScript sees: text, numbers, and two classes.

use crate::json;
use crate::visit::{Folded, Visit};
use nearside_engine::event::Arrival;
use nearside_engine::program::Program;
use nearside_engine::replay::{LoggedEvent, Replay};
use nearside_engine::time::{Timestamp, timestamp_from_number};
use wasm_bindgen::prelude::wasm_bindgen;

fn instant(milliseconds: f64) -> Timestamp {
    timestamp_from_number(milliseconds).unwrap_or_default()
}

/// A visit to a page, for `js/main.js`. Instants are milliseconds.
#[wasm_bindgen]
pub struct Engine(Visit);

#[wasm_bindgen]
impl Engine {
    /// See [`Visit::start`].
    pub fn start(program: &[u8], page_state: &str, url: &str) -> Option<Engine> {
        Visit::start(program, &json::read(page_state)?, url).map(Engine)
    }

    /// See [`Visit::set_consent`].
    pub fn consent(&mut self, cookie: Option<String>) {
        self.0.set_consent(cookie);
    }

    /// See [`Visit::may_record`].
    pub fn records(&self) -> bool {
        self.0.may_record()
    }

    /// See [`Visit::set_url`].
    pub fn url(&mut self, url: &str) {
        self.0.set_url(url);
    }

    /// See [`Visit::fold`]: 0 invalid, 1 duplicate, 2 new, 3 new and waiting for the journal, 4 another visitor's.
    pub fn fold(&mut self, message: &str, received_at: f64, sent_at: f64) -> u32 {
        let Some(message) = json::read(message) else {
            return 0;
        };
        let arrival = Arrival {
            received_at: instant(received_at),
            sent_at: Some(instant(sent_at)),
        };
        match self.0.fold(message, arrival) {
            Folded::Invalid => 0,
            Folded::Duplicate => 1,
            Folded::New => 2,
            Folded::Journaled => 3,
            Folded::Foreign => 4,
        }
    }

    /// See [`Visit::adopt`].
    pub fn adopt(&mut self, journal: &str, now: f64) {
        self.0.adopt(journal, instant(now));
    }

    /// See [`Visit::journal`].
    pub fn journal(&mut self, journal: &str, now: f64) -> String {
        self.0.journal(journal, instant(now))
    }

    /// See [`Visit::confirm`].
    pub fn confirm(&mut self, keys: &[u32]) {
        self.0.confirm(keys);
    }

    /// See [`Visit::decide`].
    pub fn decide(&mut self, now: f64) -> String {
        json::write(&self.0.decide(instant(now)))
    }

    /// See [`Visit::redirect`].
    pub fn redirect(&self, now: f64) -> Option<String> {
        self.0.redirect(instant(now))
    }

    /// See [`Visit::edits`].
    pub fn edits(&self, experience: usize, variant: usize, now: f64) -> String {
        json::write(&self.0.edits(experience, variant, instant(now)))
    }
}

/// Replays a log of events like `nearside replay`, so that its lines can be compared with those of the native
/// engine by anybody who has the page's engine.
#[wasm_bindgen(js_name = Replay)]
pub struct ReplayedLog(Replay<Program>);

#[wasm_bindgen(js_class = Replay)]
impl ReplayedLog {
    /// Begins; `undefined` if the program can't be read.
    pub fn open(program: &[u8]) -> Option<ReplayedLog> {
        Some(Self(Replay::new(Program::from_bytes(program).ok()?)))
    }

    /// The line for one event of the log, from line 1 on; `undefined` for what is no event.
    pub fn step(&mut self, message: &str, line: usize) -> Option<String> {
        let logged = LoggedEvent::read(line, &json::read(message)?, None).ok()?;
        Some(json::write(&self.0.step(&logged)))
    }

    /// The same with the explanation.
    #[wasm_bindgen(js_name = stepExplained)]
    pub fn step_explained(&mut self, message: &str, line: usize) -> Option<String> {
        let logged = LoggedEvent::read(line, &json::read(message)?, None).ok()?;
        Some(json::write(&self.0.step_explained(&logged)))
    }
}
