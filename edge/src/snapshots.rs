//! Snapshots: what the origin knows of a visitor's profile.
//!
//! A snapshot is asked for while the upstream makes the page. What has arrived when the upstream's headers
//! arrive counts for this page; what comes later waits in the isolate's memory for the next one.

use crate::config::Config;
use crate::json;
use crate::origin::{Origin, PATIENT, PROMPT};
use crate::visit::Visit;
use nearside_engine::program::Program;
use nearside_engine::state::Snapshot;
use nearside_engine::time::Timestamp;
use std::cell::RefCell;
use std::collections::VecDeque;
use worker::{Context, Result, console_log};

/// How many snapshots wait at most; the oldest makes room.
const MAX_WAITING: usize = 1_000;

thread_local! {
    static WAITING: RefCell<VecDeque<(String, Snapshot)>> = const { RefCell::new(VecDeque::new()) };
}

/// Asks for a newer snapshot in the background, if that is due.
pub(crate) fn ask(visit: &Visit, context: &Context, config: &Config, now: Timestamp) {
    // Of a visitor who has just come nobody knows anything.
    if visit.is_new || visit.state.profile.snapshot_at + config.snapshot_age > now {
        return;
    }
    let Some(origin) = Origin::of(config) else { return };
    let visitor_id = visit.visitor_id.clone();
    context.wait_until(async move {
        match fetch(&origin, &visitor_id, PATIENT).await {
            Ok(Some(snapshot)) => keep(visitor_id, snapshot),
            Ok(None) => {}
            Err(error) => console_log!("nearside: no snapshot: {error}"),
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
