//! Snapshots: what the origin knows of a visitor's profile.
//!
//! A snapshot is asked for while the upstream makes the page. What has arrived when the upstream's headers
//! arrive counts for this page; what comes later waits in the isolate's memory for the next one.

use crate::background;
use crate::config::Config;
use crate::json;
use crate::origin::{Origin, PATIENT, PROMPT};
use crate::visit::Visit;
use nearside_engine::program::Program;
use nearside_engine::state::Snapshot;
use nearside_engine::time::Timestamp;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use worker::{Context, Result, console_log};

/// How many snapshots wait at most; the oldest makes room.
const MAX_WAITING: usize = 1_000;

/// Of how many visitors it is known when they were asked for; the first ones make room.
const MAX_ASKED: usize = 4_000;

thread_local! {
    static WAITING: RefCell<VecDeque<(String, Snapshot)>> = const { RefCell::new(VecDeque::new()) };
    static ASKED: RefCell<Asked> = RefCell::default();
}

/// The visitors that were asked for. The origin may know nothing of one, or answer late: none of their pages
/// asks again before a snapshot would be too old.
#[derive(Default)]
struct Asked {
    at: HashMap<Rc<str>, Timestamp>,
    order: VecDeque<Rc<str>>,
}

impl Asked {
    /// Whether it is time to ask for a visitor; if so, that is noted.
    fn is_due(&mut self, visitor_id: &str, age: i64, now: Timestamp) -> bool {
        if let Some(at) = self.at.get_mut(visitor_id) {
            let is_due = *at + age <= now;
            if is_due {
                *at = now;
            }
            return is_due;
        }
        if self.order.len() >= MAX_ASKED
            && let Some(first) = self.order.pop_front()
        {
            self.at.remove(&first);
        }
        let visitor_id: Rc<str> = Rc::from(visitor_id);
        self.order.push_back(Rc::clone(&visitor_id));
        self.at.insert(visitor_id, now);
        true
    }

    fn forget(&mut self, visitor_id: &str) {
        if self.at.remove(visitor_id).is_some() {
            self.order.retain(|known| **known != *visitor_id);
        }
    }
}

/// Asks for a newer snapshot in the background, if that is due.
pub(crate) fn ask(visit: &Visit, context: &Context, config: &Config, now: Timestamp) {
    // Of a visitor who has just come nobody knows anything.
    if visit.is_new || visit.state.profile.snapshot_at + config.snapshot_age > now {
        return;
    }
    let Some(origin) = Origin::of(config) else { return };
    if !ASKED.with_borrow_mut(|asked| asked.is_due(&visit.visitor_id, config.snapshot_age, now)) {
        return;
    }
    let visitor_id = visit.visitor_id.clone();
    background::go_on(context, async move {
        match fetch(&origin, &visitor_id, PATIENT).await {
            Ok(Some(snapshot)) => keep(visitor_id, snapshot),
            Ok(None) => {}
            Err(error) => {
                // The next page may try again.
                ASKED.with_borrow_mut(|asked| asked.forget(&visitor_id));
                console_log!("nearside: no snapshot: {error}");
            }
        }
    });
}

/// Asks for a snapshot and waits for it.
pub(crate) async fn ask_now(visit: &mut Visit, program: &Program, config: &Config) {
    let Some(origin) = Origin::of(config) else { return };
    if let Ok(Some(snapshot)) = fetch(&origin, &visit.visitor_id, PROMPT).await {
        apply(visit, program, &snapshot);
    }
}

/// Takes over a snapshot that has arrived meanwhile.
pub(crate) fn take(visit: &mut Visit, program: &Program) {
    let arrived = WAITING.with_borrow_mut(|waiting| {
        let place = waiting
            .iter()
            .position(|(visitor_id, _)| *visitor_id == visit.visitor_id)?;
        waiting.remove(place)
    });
    if let Some((_, snapshot)) = arrived {
        apply(visit, program, &snapshot);
    }
}

fn apply(visit: &mut Visit, program: &Program, snapshot: &Snapshot) {
    if visit.state.apply_snapshot(program, snapshot).is_err() {
        console_log!("nearside: the origin's snapshot cannot be read");
    }
}

fn keep(visitor_id: String, snapshot: Snapshot) {
    WAITING.with_borrow_mut(|waiting| {
        waiting.retain(|(known, _)| *known != visitor_id);
        if waiting.len() >= MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back((visitor_id, snapshot));
    });
}

async fn fetch(origin: &Origin, visitor_id: &str, limit: u32) -> Result<Option<Snapshot>> {
    // The id has letters, digits and hyphens alone.
    let path = format!("/v1/edge/snapshot?anonymousId={visitor_id}");
    let mut response = origin.get(&path, None, limit).await?;
    match response.status_code() {
        200 => {}
        404 => return Ok(None),
        status => return Err(format!("the origin answered {status}").into()),
    }
    let value = json::read(&response.bytes().await?).ok_or("the origin's snapshot is no JSON")?;
    Ok(Some(
        Snapshot::from_value(&value).map_err(|error| error.to_string())?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_is_asked_for_once_in_a_while() {
        let mut asked = Asked::default();
        assert!(asked.is_due("a", 60, 1_000));
        assert!(!asked.is_due("a", 60, 1_059));
        assert!(asked.is_due("b", 60, 1_059));
        assert!(asked.is_due("a", 60, 1_060));
        assert!(!asked.is_due("a", 60, 1_119));
        asked.forget("a");
        assert!(asked.is_due("a", 60, 1_119));
        // Where pages may always ask, they do.
        assert!(asked.is_due("a", 0, 1_119));
    }

    #[test]
    fn what_is_known_of_asking_is_bounded() {
        let mut asked = Asked::default();
        for visitor in 0..MAX_ASKED + 10 {
            assert!(asked.is_due(&visitor.to_string(), 60, 0));
        }
        assert_eq!((asked.at.len(), asked.order.len()), (MAX_ASKED, MAX_ASKED));
        assert!(asked.is_due("0", 60, 0));
        assert!(!asked.is_due("100", 60, 0));
    }
}
