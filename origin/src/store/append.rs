//! Takes the events of a batch: each is appended once and folded into the profile it belongs to.

use super::profile::{self, StoredProfile};
use super::{Outcomes, StoreError};
use crate::message::{Incoming, NewEvent};
use crate::published::Published;
use nearside_engine::event::Event;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// A batch while it is taken.
pub(super) struct Batch<'a> {
    connection: &'a Connection,
    published: &'a Published,
    /// The profiles that changed; written once, at the end.
    profiles: BTreeMap<i64, StoredProfile>,
    /// How many messages had each outcome and reason.
    counts: BTreeMap<(&'static str, &'static str), usize>,
}

/// Where a browser's newest events go.
struct Visitor {
    profile_id: i64,
    user_id: Option<String>,
    linked_at: i64,
}

impl<'a> Batch<'a> {
    pub(super) fn new(connection: &'a Connection, published: &'a Published) -> Self {
        Self {
            connection,
            published,
            profiles: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Takes one message. It has exactly one outcome.
    pub(super) fn take(&mut self, incoming: &Incoming) -> Result<(), StoreError> {
        let outcome = match incoming {
            Incoming::Invalid(reason) => ("invalid", *reason),
            Incoming::Event(new) if self.is_known(&new.message_id)? => ("duplicate", ""),
            Incoming::Event(new) => {
                let profile_id = self.profile_for(&new.event)?;
                // A profile that is folded anew when it is read must not find this event yet.
                self.profile(profile_id)?;
                self.append(new, profile_id)?;
                let published = self.published;
                self.profile(profile_id)?.fold(published, &new.event);
                ("accepted", "")
            }
        };
        *self.counts.entry(outcome).or_default() += 1;
        Ok(())
    }

    /// Writes what changed.
    pub(super) fn finish(self) -> Result<Outcomes, StoreError> {
        for profile in self.profiles.values() {
            profile.save(self.connection, self.published)?;
        }
        let mut outcomes = Outcomes::default();
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO outcomes VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET number = number + excluded.number",
        )?;
        for ((outcome, reason), number) in self.counts {
            statement.execute(params![
                outcome,
                reason,
                i64::try_from(number).unwrap_or(i64::MAX)
            ])?;
            match outcome {
                "accepted" => outcomes.accepted += number,
                "duplicate" => outcomes.duplicate += number,
                _ => outcomes.invalid += number,
            }
        }
        Ok(outcomes)
    }

    fn is_known(&self, message_id: &str) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT 1 FROM events WHERE message_id = ?")?
            .exists([message_id])?)
    }

    fn append(&self, new: &NewEvent, profile_id: i64) -> Result<(), StoreError> {
        let event = &new.event;
        self.connection
            .prepare_cached(
                "INSERT INTO events (message_id, profile_id, anonymous_id, user_id, type, name, timestamp,
                 received_at, message) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                new.message_id,
                profile_id,
                event.anonymous_id,
                event.user_id,
                event.kind.name(),
                event.name,
                event.time,
                new.received_at,
                new.message
            ])?;
        Ok(())
    }

    /// The profile that an event belongs to. What the event says of who is who is noted.
    ///
    /// An anonymous browser becomes its user's; of two users neither ever becomes the other's. Events may
    /// come late, so what counts is when they happened, not when they arrived.
    fn profile_for(&mut self, event: &Event) -> Result<i64, StoreError> {
        let Some(anonymous_id) = &event.anonymous_id else {
            return self.user_profile(event.user_id.as_deref());
        };
        let visitor = self.visitor(anonymous_id)?;
        let Some(user_id) = &event.user_id else {
            return self.anonymous_profile(anonymous_id, visitor, event.time);
        };
        let (profile_id, known_since) = match visitor {
            // Nobody's yet: all that the browser did was this user's doing.
            Some(Visitor {
                profile_id,
                user_id: None,
                ..
            }) => (self.claim(profile_id, user_id)?, None),
            // Where somebody else uses the browser now, what was before stays the other's.
            Some(Visitor { linked_at, .. }) => (self.user_profile(Some(user_id))?, Some(linked_at)),
            None => (self.user_profile(Some(user_id))?, None),
        };
        // A late event, from before the newest that names a user, does not give the browser to anybody.
        if known_since.is_none_or(|linked_at| event.time >= linked_at) {
            self.link(anonymous_id, profile_id, event.time)?;
        }
        Ok(profile_id)
    }

    /// The profile that an event without a user belongs to.
    fn anonymous_profile(
        &mut self,
        anonymous_id: &str,
        visitor: Option<Visitor>,
        time: i64,
    ) -> Result<i64, StoreError> {
        match visitor {
            // Late: somebody else may have used the browser then.
            Some(visitor) if visitor.user_id.is_some() && time < visitor.linked_at => {
                Ok(self.user_at(anonymous_id, time)?.unwrap_or(visitor.profile_id))
            }
            Some(visitor) => Ok(visitor.profile_id),
            None => {
                let profile_id = self.create(None)?;
                self.link(anonymous_id, profile_id, time)?;
                Ok(profile_id)
            }
        }
    }

    /// The profile of who used a browser at a time: of the user whom the last event until then names, or
    /// else of the first one who is named, whose the browser was from its beginning.
    fn user_at(&self, anonymous_id: &str, time: i64) -> Result<Option<i64>, StoreError> {
        for query in [
            "SELECT profile_id FROM events WHERE anonymous_id = ? AND user_id IS NOT NULL AND timestamp <= ?
             ORDER BY timestamp DESC, sequence DESC LIMIT 1",
            "SELECT profile_id FROM events WHERE anonymous_id = ? AND user_id IS NOT NULL AND timestamp > ?
             ORDER BY timestamp, sequence LIMIT 1",
        ] {
            let found = self
                .connection
                .prepare_cached(query)?
                .query_row(params![anonymous_id, time], |row| row.get(0))
                .optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Gives a profile without a user to a user: it becomes theirs, or a part of the one they have.
    fn claim(&mut self, profile_id: i64, user_id: &str) -> Result<i64, StoreError> {
        let Some(existing) = self.find_user(user_id)? else {
            self.connection
                .prepare_cached("UPDATE profiles SET user_id = ? WHERE id = ?")?
                .execute(params![user_id, profile_id])?;
            self.profile(profile_id)?.user_id = Some(user_id.to_owned());
            return Ok(profile_id);
        };
        self.profile(profile_id)?;
        let (connection, published) = (self.connection, self.published);
        if let Some(anonymous) = self.profiles.remove(&profile_id) {
            self.profile(existing)?.merge(connection, published, &anonymous)?;
        }
        for statement in [
            "UPDATE events SET profile_id = ?1 WHERE profile_id = ?2",
            "UPDATE visitors SET profile_id = ?1 WHERE profile_id = ?2",
        ] {
            connection
                .prepare_cached(statement)?
                .execute([existing, profile_id])?;
        }
        connection
            .prepare_cached("DELETE FROM profiles WHERE id = ?")?
            .execute([profile_id])?;
        Ok(existing)
    }

    /// The profile of a user; made if they have none.
    fn user_profile(&mut self, user_id: Option<&str>) -> Result<i64, StoreError> {
        match user_id
            .map(|user_id| self.find_user(user_id))
            .transpose()?
            .flatten()
        {
            Some(profile_id) => Ok(profile_id),
            None => self.create(user_id),
        }
    }

    fn find_user(&self, user_id: &str) -> Result<Option<i64>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT id FROM profiles WHERE user_id = ?")?
            .query_row([user_id], |row| row.get(0))
            .optional()?)
    }

    fn visitor(&self, anonymous_id: &str) -> Result<Option<Visitor>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT profile_id, user_id, linked_at FROM visitors
                 JOIN profiles ON profiles.id = profile_id WHERE anonymous_id = ?",
            )?
            .query_row([anonymous_id], |row| {
                Ok(Visitor {
                    profile_id: row.get(0)?,
                    user_id: row.get(1)?,
                    linked_at: row.get(2)?,
                })
            })
            .optional()?)
    }

    fn link(&self, anonymous_id: &str, profile_id: i64, at: i64) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(
                "INSERT INTO visitors VALUES (?, ?, ?) ON CONFLICT DO UPDATE
                 SET profile_id = excluded.profile_id, linked_at = excluded.linked_at",
            )?
            .execute(params![anonymous_id, profile_id, at])?;
        Ok(())
    }

    fn create(&mut self, user_id: Option<&str>) -> Result<i64, StoreError> {
        let created = profile::create(self.connection, self.published, user_id)?;
        let profile_id = created.id;
        self.profiles.insert(profile_id, created);
        Ok(profile_id)
    }

    fn profile(&mut self, id: i64) -> Result<&mut StoredProfile, StoreError> {
        let loaded = match self.profiles.remove(&id) {
            Some(profile) => profile,
            // The database refers to no profile that it does not have.
            None => profile::load(self.connection, self.published, id)?
                .ok_or(rusqlite::Error::QueryReturnedNoRows)?,
        };
        Ok(self.profiles.entry(id).or_insert(loaded))
    }
}
