//! A profile in the database, and its state in memory.

use super::StoreError;
use crate::clock;
use crate::message::read_stored;
use crate::published::Published;
use nearside_engine::event::{Event, EventKind};
use nearside_engine::fold::fold_profile;
use nearside_engine::state::State;
use nearside_engine::time::Timestamp;
use nearside_engine::value::{Object, Value};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The most bytes of JSON that a profile's traits may have. Traits that would not fit are left out;
/// the events that brought them are kept.
const MAX_TRAITS: usize = 64 * 1024;

/// A profile, its state by the program that is published.
#[derive(Debug)]
pub(super) struct StoredProfile {
    pub(super) id: i64,
    pub(super) user_id: Option<String>,
    pub(super) state: State,
    pub(super) traits: Object,
    pub(super) first_seen_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) revision: i64,
    /// Whether the state was folded anew when the profile was read.
    pub(super) rebuilt: bool,
}

/// Makes an empty profile.
pub(super) fn create(
    connection: &Connection,
    published: &Published,
    user_id: Option<&str>,
) -> Result<StoredProfile, StoreError> {
    let mut state = State::new(&published.program);
    state.profile.user_id = user_id.map(str::to_owned);
    let updated_at = clock::now();
    connection
        .prepare_cached(
            "INSERT INTO profiles (user_id, state, folding_id, traits, first_seen_at, updated_at, revision)
             VALUES (?, ?, ?, '{}', 0, ?, 0)",
        )?
        .execute(params![
            user_id,
            state.to_bytes(&published.program),
            published.folding_id,
            updated_at
        ])?;
    Ok(StoredProfile {
        id: connection.last_insert_rowid(),
        user_id: user_id.map(str::to_owned),
        state,
        traits: Object::new(),
        first_seen_at: 0,
        updated_at,
        revision: 0,
        rebuilt: false,
    })
}

/// Reads a profile. A state that was folded for a program that kept other things is folded anew from all
/// events of the profile.
pub(super) fn load(
    connection: &Connection,
    published: &Published,
    id: i64,
) -> Result<Option<StoredProfile>, StoreError> {
    let row = connection
        .prepare_cached(
            "SELECT user_id, state, folding_id, traits, first_seen_at, updated_at, revision
             FROM profiles WHERE id = ?",
        )?
        .query_row([id], |row| {
            Ok((
                row.get::<_, Option<String>>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, Timestamp>(4)?,
                row.get::<_, Timestamp>(5)?,
                row.get::<_, i64>(6)?,
            ))
        })
        .optional()?;
    let Some((user_id, bytes, folding_id, traits, first_seen_at, updated_at, revision)) = row else {
        return Ok(None);
    };
    let kept = if folding_id == published.folding_id {
        State::from_bytes(&published.program, &bytes).ok()
    } else {
        None
    };
    let rebuilt = kept.is_none();
    let mut profile = StoredProfile {
        id,
        user_id,
        state: kept.unwrap_or_else(|| State::new(&published.program)),
        traits: read_object(&traits),
        first_seen_at,
        updated_at,
        revision,
        rebuilt,
    };
    if rebuilt {
        profile.know_person();
        profile.fold_events_of(connection, published, id)?;
        profile.know_traits(published);
    }
    Ok(Some(profile))
}

impl StoredProfile {
    /// Folds an event that is new to the profile.
    pub(super) fn fold(&mut self, published: &Published, event: &Event) {
        self.know_person();
        fold_profile(&published.program, &mut self.state, event);
        if event.kind == EventKind::Identify
            && let Some(traits) = event.traits.as_object()
        {
            self.take_traits(traits, |_| true);
            self.know_traits(published);
        }
    }

    /// Takes over what another profile is known by: its events, and the traits that this one has not.
    pub(super) fn merge(
        &mut self,
        connection: &Connection,
        published: &Published,
        other: &StoredProfile,
    ) -> Result<(), StoreError> {
        // The cells of both saw different events. Folding the events themselves gives what folding all
        // of them at once would give, which merging the cells does not where a cell has dropped some.
        // Every event can move only once, from a profile without a user to one with a user.
        self.fold_events_of(connection, published, other.id)?;
        let own = self.traits.clone();
        self.take_traits(&other.traits, |name| own.get(name).is_none());
        self.know_traits(published);
        Ok(())
    }

    /// Writes the profile.
    pub(super) fn save(&self, connection: &Connection, published: &Published) -> Result<(), StoreError> {
        let traits = serde_json::to_string(&self.traits).unwrap_or_else(|_| "{}".to_owned());
        connection
            .prepare_cached(
                "UPDATE profiles SET state = ?, folding_id = ?, traits = ?, first_seen_at = ?, updated_at = ?,
                 revision = revision + 1 WHERE id = ?",
            )?
            .execute(params![
                self.state.to_bytes(&published.program),
                published.folding_id,
                traits,
                self.state.profile.first_seen_at,
                clock::now(),
                self.id
            ])?;
        Ok(())
    }

    /// Folds all events that are stored for a profile, one after the other in the order of arrival.
    fn fold_events_of(
        &mut self,
        connection: &Connection,
        published: &Published,
        profile_id: i64,
    ) -> Result<(), StoreError> {
        let mut statement = connection.prepare_cached(
            "SELECT sequence, message, message_id, timestamp, received_at FROM events
             WHERE profile_id = ? ORDER BY sequence",
        )?;
        let mut rows = statement.query([profile_id])?;
        while let Some(row) = rows.next()? {
            match stored_event(row)? {
                Some(event) => fold_profile(&published.program, &mut self.state, &event),
                None => tracing::warn!(sequence = row.get::<_, i64>(0)?, "a stored event cannot be read"),
            }
        }
        Ok(())
    }

    /// The profile's user is the database's: an event may name the user without being an `identify`.
    fn know_person(&mut self) {
        self.state.profile.user_id.clone_from(&self.user_id);
    }

    fn take_traits(&mut self, traits: &Object, wanted: impl Fn(&str) -> bool) {
        let mut all = self.traits.clone();
        for (name, value) in traits.iter().filter(|(name, _)| wanted(name)) {
            all.insert(name, value.clone());
        }
        if serde_json::to_vec(&all).is_ok_and(|json| json.len() <= MAX_TRAITS) {
            self.traits = all;
        }
    }

    /// Gives the state those traits that the program reads.
    fn know_traits(&mut self, published: &Published) {
        let said = Event {
            key: 0,
            kind: EventKind::Identify,
            name: String::new(),
            time: 0,
            properties: Value::Null,
            context: Value::Null,
            traits: Value::Object(self.traits.clone()),
            user_id: None,
            anonymous_id: None,
        };
        // Only the engine knows which of them fit into a state, so it folds them into an empty one.
        let mut scratch = State::new(&published.program);
        fold_profile(&published.program, &mut scratch, &said);
        self.state.profile.traits = scratch.profile.traits;
    }
}

/// An event of a row `(_, message, message_id, timestamp, received_at)`.
fn stored_event(row: &Row<'_>) -> Result<Option<Event>, StoreError> {
    let (message, message_id) = (row.get_ref(1)?.as_str(), row.get_ref(2)?.as_str());
    let (Ok(message), Ok(message_id)) = (message, message_id) else {
        return Ok(None);
    };
    Ok(read_stored(message, message_id, row.get(3)?, row.get(4)?))
}

fn read_object(json: &str) -> Object {
    match serde_json::from_str(json) {
        Ok(Value::Object(object)) => object,
        _ => Object::new(),
    }
}
