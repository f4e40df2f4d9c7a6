//! What is read.

use super::StoreError;
use super::profile::{self, StoredProfile};
use super::writer::Rebuilt;
use crate::clock;
use crate::published::Published;
use nearside_engine::state::Snapshot;
use nearside_engine::time::Timestamp;
use nearside_engine::value::Value;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many of a profile's browsers are named.
const MAX_VISITORS: i64 = 100;

/// Whom a profile is looked up by.
#[derive(Clone, Debug)]
pub enum ProfileKey {
    /// A browser, by its `anonymousId`.
    Visitor(String),
    /// A person, by their `userId`.
    User(String),
}

/// A profile as an operator sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProfileView {
    /// The profile's id.
    pub profile_id: i64,
    /// The user, if it is known.
    pub user_id: Option<String>,
    /// The newest of the browsers whose events go to it.
    pub anonymous_ids: Vec<String>,
    /// All traits.
    pub traits: Value,
    /// How many events of each type it has.
    pub events: BTreeMap<String, i64>,
    /// The time of the first event.
    pub first_seen_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When this was read.
    pub as_of: Timestamp,
    /// The id of the published program.
    pub program_id: String,
    /// The state, in the engine's binary form.
    #[serde(serialize_with = "base64url")]
    pub state: Vec<u8>,
}

fn base64url<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&nearside_engine::base64url::encode(bytes))
}

/// An event as an operator sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventRow {
    /// Its place in the order of arrival.
    pub sequence: i64,
    /// What identifies it.
    pub message_id: String,
    /// Its corrected time.
    pub timestamp: Timestamp,
    /// When it arrived.
    pub received_at: Timestamp,
    /// The message.
    pub message: Value,
}

pub(super) fn ping(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?)
}

/// The manifest that was published last.
pub(super) fn newest_manifest(connection: &Connection) -> Result<Option<Value>, StoreError> {
    let text: Option<String> = connection
        .query_row(
            "SELECT manifest FROM programs ORDER BY sequence DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// A profile with its state's bytes and, where it was folded anew for that, what is to be kept of it.
struct Found {
    profile: StoredProfile,
    state: Vec<u8>,
    rebuilt: Option<Rebuilt>,
}

fn find(
    connection: &Connection,
    published: &Published,
    key: &ProfileKey,
) -> Result<Option<Found>, StoreError> {
    let Some(id) = profile_id(connection, key)? else {
        return Ok(None);
    };
    let Some(profile) = profile::load(connection, published, id)? else {
        return Ok(None);
    };
    let state = profile.state.to_bytes(&published.program);
    let rebuilt = profile.rebuilt.then(|| Rebuilt {
        profile_id: id,
        revision: profile.revision,
        folding_id: published.folding_id.clone(),
        state: state.clone(),
    });
    Ok(Some(Found {
        profile,
        state,
        rebuilt,
    }))
}

pub(super) fn snapshot(
    connection: &Connection,
    published: &Published,
    key: &ProfileKey,
) -> Result<Option<(Snapshot, Option<Rebuilt>)>, StoreError> {
    let found = find(connection, published, key)?;
    Ok(found.map(|found| {
        (
            Snapshot {
                as_of: clock::now(),
                state: found.state,
            },
            found.rebuilt,
        )
    }))
}

pub(super) fn profile(
    connection: &Connection,
    published: &Published,
    key: &ProfileKey,
) -> Result<Option<(ProfileView, Option<Rebuilt>)>, StoreError> {
    let Some(Found {
        profile,
        state,
        rebuilt,
    }) = find(connection, published, key)?
    else {
        return Ok(None);
    };
    let view = ProfileView {
        profile_id: profile.id,
        user_id: profile.user_id,
        anonymous_ids: visitors_of(connection, profile.id)?,
        traits: Value::Object(profile.traits),
        events: events_of(connection, profile.id)?,
        first_seen_at: profile.first_seen_at,
        updated_at: profile.updated_at,
        as_of: clock::now(),
        program_id: published.id.clone(),
        state,
    };
    Ok(Some((view, rebuilt)))
}

fn profile_id(connection: &Connection, key: &ProfileKey) -> Result<Option<i64>, StoreError> {
    let (query, id) = match key {
        ProfileKey::Visitor(id) => ("SELECT profile_id FROM visitors WHERE anonymous_id = ?", id),
        ProfileKey::User(id) => ("SELECT id FROM profiles WHERE user_id = ?", id),
    };
    Ok(connection
        .prepare_cached(query)?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

fn visitors_of(connection: &Connection, profile_id: i64) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT anonymous_id FROM visitors WHERE profile_id = ? ORDER BY linked_at DESC LIMIT ?",
    )?;
    let rows = statement.query_map([profile_id, MAX_VISITORS], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn events_of(connection: &Connection, profile_id: i64) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT type, count(*) FROM events WHERE profile_id = ? GROUP BY type")?;
    let rows = statement.query_map([profile_id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn events(
    connection: &Connection,
    key: &ProfileKey,
    after: i64,
    limit: usize,
) -> Result<Vec<EventRow>, StoreError> {
    let Some(id) = profile_id(connection, key)? else {
        return Ok(Vec::new());
    };
    let mut statement = connection.prepare_cached(
        "SELECT sequence, message_id, timestamp, received_at, message FROM events
         WHERE profile_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
    )?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![id, after, limit], |row| {
        let message: String = row.get(4)?;
        Ok(EventRow {
            sequence: row.get(0)?,
            message_id: row.get(1)?,
            timestamp: row.get(2)?,
            received_at: row.get(3)?,
            message: serde_json::from_str(&message).unwrap_or_default(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn outcomes(connection: &Connection) -> Result<Vec<(String, String, i64)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT outcome, reason, number FROM outcomes ORDER BY outcome, reason")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
