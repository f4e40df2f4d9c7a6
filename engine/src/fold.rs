//! Folds an event into a state.

use crate::event::{Event, EventKind};
use crate::program::{Program, Scope};
use crate::state::{SESSION_GAP, State};

/// What folding an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// The event is in the state now.
    New,
    /// The event was in the state already; nothing changed.
    Duplicate,
}

/// Folds one event of a visitor's browser: session and visitor.
pub fn fold(program: &Program, state: &mut State, event: &Event) -> Folded {
    if state.has_seen(event.key) {
        return Folded::Duplicate;
    }
    state.remember(event.key);
    let in_session = enter_session(program, state, event);
    if in_session && event.kind == EventKind::Page {
        state.session.page_views = state.session.page_views.saturating_add(1);
        if program.reads_landing {
            state.session.landing.take(event);
        }
    }
    state.changes.session = true;
    fold_person(program, state, event);
    fold_cells(program, state, event, in_session);
    Folded::New
}

/// Folds one event into a profile, which has no session: it joins visitors.
///
/// The caller sees to it that each event comes once.
pub fn fold_profile(program: &Program, state: &mut State, event: &Event) {
    state.session.last_at = state.session.last_at.max(event.time);
    state.session.started_at = state.session.last_at;
    state.changes.session = true;
    fold_person(program, state, event);
    fold_cells(program, state, event, false);
}

/// Begins a new session if the last one is over, and says whether the event belongs to the current one.
fn enter_session(program: &Program, state: &mut State, event: &Event) -> bool {
    let session = &mut state.session;
    if session.number == 0 || event.time >= session.last_at.saturating_add(SESSION_GAP) {
        session.number = session.number.saturating_add(1);
        session.started_at = event.time;
        session.last_at = event.time;
        session.page_views = 0;
        session.landing.clear();
        for place in &program.index.of_session {
            if let Some(cell) = state.cells.get_mut(usize::from(*place))
                && !cell.is_empty()
            {
                cell.clear();
                state.changes.cells.push(*place);
            }
        }
        return true;
    }
    if event.time <= session.started_at.saturating_sub(SESSION_GAP) {
        // It comes late, from a session that is over.
        return false;
    }
    session.started_at = session.started_at.min(event.time);
    session.last_at = session.last_at.max(event.time);
    true
}

fn fold_person(program: &Program, state: &mut State, event: &Event) {
    if event.kind == EventKind::Identify {
        if let Some(user_id) = &event.user_id {
            state.identify(program, user_id);
        }
        state.merge_traits(program, &event.traits);
        state.profile.traits_at = state.profile.traits_at.max(event.time);
        state.changes.profile = true;
    }
    let first_seen_at = &mut state.profile.first_seen_at;
    if *first_seen_at == 0 || event.time < *first_seen_at {
        *first_seen_at = event.time;
        state.changes.profile = true;
    }
    state.watch_held(program, event.time);
}

fn fold_cells(program: &Program, state: &mut State, event: &Event, in_session: bool) {
    let changes = &mut state.changes.cells;
    let first = changes.len();
    program.index.cells(event, changes);
    // Of the cells that the event can touch, those stay in the list that it does touch.
    let mut kept = first;
    for at in first..changes.len() {
        let place = changes[at];
        let (Some(cell), Some(spec)) = (
            state.cells.get_mut(usize::from(place)),
            program.cells.get(usize::from(place)),
        ) else {
            continue;
        };
        if !in_session && spec.scope == Scope::Session {
            continue;
        }
        if let Some(seen) = spec.observe(event) {
            cell.add(spec, event.key, event.time, &seen);
            changes[kept] = place;
            kept += 1;
        }
    }
    changes.truncate(kept);
}
