//! The tables, and how an older database becomes one of this version.

use super::StoreError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// How long one connection waits for another one's lock.
const LOCK_LIMIT: Duration = Duration::from_secs(10);

/// Each takes the schema one version further. Never change one that was released: add another.
const MIGRATIONS: [&str; 2] = [BEGINNING, WHO_WHEN];

const BEGINNING: &str = "
    -- What was published, the newest last.
    CREATE TABLE programs (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL,
        manifest TEXT NOT NULL,
        published_at INTEGER NOT NULL
    );
    -- A person, or a browser of which it is not known whose it is. Ids are never used twice.
    CREATE TABLE profiles (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT UNIQUE,
        -- What conditions read, and which programs it was folded for.
        state BLOB NOT NULL,
        folding_id TEXT NOT NULL,
        -- All traits, as JSON.
        traits TEXT NOT NULL,
        first_seen_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        -- Grows with every change.
        revision INTEGER NOT NULL
    );
    -- Whose profile a browser's events go to.
    CREATE TABLE visitors (
        anonymous_id TEXT PRIMARY KEY,
        profile_id INTEGER NOT NULL REFERENCES profiles (id),
        -- The time of the event that said so.
        linked_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX visitors_by_profile ON visitors (profile_id);
    CREATE TABLE events (
        sequence INTEGER PRIMARY KEY,
        message_id TEXT NOT NULL UNIQUE,
        profile_id INTEGER NOT NULL REFERENCES profiles (id),
        anonymous_id TEXT,
        user_id TEXT,
        type TEXT NOT NULL,
        name TEXT NOT NULL,
        timestamp INTEGER NOT NULL,
        received_at INTEGER NOT NULL,
        message TEXT NOT NULL
    );
    CREATE INDEX events_by_profile ON events (profile_id, sequence);
    -- How many messages had each outcome.
    CREATE TABLE outcomes (
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (outcome, reason)
    ) WITHOUT ROWID;
";

/// Who used a browser when is read from its events; `visitors.linked_at` is the time of the newest that names
/// a user, and of an anonymous browser that of its first event. Before, a late event could give a browser to
/// the user of then.
const WHO_WHEN: &str = "
    CREATE INDEX events_that_name_a_user ON events (anonymous_id, timestamp) WHERE user_id IS NOT NULL;
    UPDATE visitors SET (profile_id, linked_at) = (
        SELECT profile_id, timestamp FROM events
        WHERE anonymous_id = visitors.anonymous_id AND user_id IS NOT NULL
        ORDER BY timestamp DESC, sequence DESC LIMIT 1
    ) WHERE EXISTS (
        SELECT 1 FROM events WHERE anonymous_id = visitors.anonymous_id AND user_id IS NOT NULL
    );
";

/// The version that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// Opens the database for the one thread that writes.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(LOCK_LIMIT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Every commit is synced to the disk: an acknowledged event survives the loss of power.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Opens the database for reading beside the writer.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_LIMIT)?;
    Ok(connection)
}

/// Brings the schema to this version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")?;
    let found: i64 = transaction.query_row(
        "SELECT coalesce(max(version), 0) FROM schema_version",
        [],
        |row| row.get(0),
    )?;
    let Some(missing) = usize::try_from(found)
        .ok()
        .and_then(|found| MIGRATIONS.get(found..))
    else {
        return Err(StoreError::Version(found));
    };
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    if !missing.is_empty() {
        transaction.execute_batch("DELETE FROM schema_version")?;
        transaction.execute("INSERT INTO schema_version VALUES (?)", [VERSION])?;
    }
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_later_version_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let mut connection = open_for_writing(&path).unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        connection
            .execute("UPDATE schema_version SET version = 99", [])
            .unwrap();
        assert!(matches!(migrate(&mut connection), Err(StoreError::Version(99))));
    }

    #[test]
    fn commits_are_synced() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open_for_writing(&folder.path().join("x.db")).unwrap();
        let mode: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        let synchronous: i64 = connection
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .unwrap();
        assert_eq!((mode.as_str(), synchronous), ("wal", 2));
    }
}
