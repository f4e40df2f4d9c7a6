//! The store: events, profiles and publications in SQLite.
//!
//! One thread writes (`writer`), a few connections read beside it (`readers`). Reads see whole
//! transactions only.

mod append;
mod profile;
mod queries;
mod readers;
mod schema;
mod writer;

pub use queries::{EventRow, ProfileKey, ProfileView};

use crate::message::Incoming;
use crate::published::Published;
use nearside_engine::state::Snapshot;
use nearside_engine::value::Value;
use readers::Readers;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use writer::{Job, Rebuilt};

/// How many jobs may wait for the writer.
const MAX_WAITING: usize = 1_024;
/// How much JSON may wait for the writer, in KiB.
const MAX_WAITING_KIB: usize = 32 * 1_024;

/// Why the store did not do something.
#[derive(Clone, Debug)]
pub enum StoreError {
    /// Too much waits for the writer. Nothing was stored; come back soon.
    Full,
    /// The writer has ended. Nothing was stored.
    Stopped,
    /// SQLite failed. Nothing was stored.
    Database(Arc<rusqlite::Error>),
    /// The database was written by a later version of this program.
    Version(i64),
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Full => formatter.write_str("too many events wait to be written"),
            StoreError::Stopped => formatter.write_str("the store has been closed"),
            StoreError::Database(error) => write!(formatter, "the database failed: {error}"),
            StoreError::Version(found) => write!(
                formatter,
                "the database has schema version {found}, this program knows {}: use a newer `nearside`",
                schema::VERSION
            ),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::Database(Arc::new(error))
    }
}

/// What became of the messages of a batch. Each is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcomes {
    /// On disk, and folded into a profile.
    pub accepted: usize,
    /// On disk before.
    pub duplicate: usize,
    /// No event.
    pub invalid: usize,
}

/// The store. Clones are handles to the same one.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    readers: Readers,
    published: watch::Receiver<Arc<Published>>,
    commits: watch::Receiver<u64>,
}

impl Store {
    /// Opens the database, makes it if it is not there, and starts the writer.
    ///
    /// # Errors
    /// When the file cannot be opened, or is no database of ours.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = schema::open_for_writing(path)?;
        schema::migrate(&mut connection)?;
        let newest = queries::newest_manifest(&connection)?;
        let published = newest.map_or_else(Published::nothing, |manifest| Published::compile(&manifest).0);
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        let (publish, published) = watch::channel(Arc::new(published));
        let (count, commits) = watch::channel(0);
        writer::start(connection, waiting, publish, count)?;
        let room = Arc::new(Semaphore::new(MAX_WAITING_KIB));
        Ok(Self {
            jobs,
            room,
            readers: Readers::new(path),
            published,
            commits,
        })
    }

    /// What is published now.
    pub fn published(&self) -> Arc<Published> {
        self.published.borrow().clone()
    }

    /// How many transactions were committed since the start.
    pub fn commits(&self) -> u64 {
        *self.commits.borrow()
    }

    /// How much JSON waits to be on disk, in KiB; each batch counts as one at least.
    pub fn waiting_kib(&self) -> usize {
        MAX_WAITING_KIB - self.room.available_permits()
    }

    /// Appends events once each and folds them into their profiles. Returns when they are on disk.
    ///
    /// # Errors
    /// When nothing of the batch was stored.
    pub async fn append(&self, batch: Vec<Incoming>) -> Result<Outcomes, StoreError> {
        let room = self.room_for(&batch)?;
        self.ask(|reply| Job::Append { batch, room, reply }).await
    }

    /// Publishes a manifest, if it differs from the newest one. Says whether it did.
    ///
    /// # Errors
    /// When it was not published.
    pub async fn publish(&self, manifest: &Value, published: Published) -> Result<bool, StoreError> {
        let manifest = manifest.clone();
        self.ask(|reply| Job::Publish {
            manifest,
            published: Arc::new(published),
            reply,
        })
        .await
    }

    /// What is known of a visitor now, for the edge.
    ///
    /// # Errors
    /// When the database could not be read.
    pub async fn snapshot(&self, anonymous_id: String) -> Result<Option<Snapshot>, StoreError> {
        let (published, key) = (self.published(), ProfileKey::Visitor(anonymous_id));
        let found = self
            .readers
            .read(move |connection| queries::snapshot(connection, &published, &key))
            .await?;
        Ok(self.keep_rebuilt(found))
    }

    /// A profile with its state by the program that is published now.
    ///
    /// # Errors
    /// When the database could not be read.
    pub async fn profile(&self, key: ProfileKey) -> Result<Option<ProfileView>, StoreError> {
        let published = self.published();
        let found = self
            .readers
            .read(move |connection| queries::profile(connection, &published, &key))
            .await?;
        Ok(self.keep_rebuilt(found))
    }

    /// Has the writer keep a state that was folded anew: it spares the next reader the work. Where there is
    /// no room for it, that one does it again.
    fn keep_rebuilt<T>(&self, found: Option<(T, Option<Rebuilt>)>) -> Option<T> {
        let (result, rebuilt) = found?;
        if let Some(rebuilt) = rebuilt {
            let _ = self.jobs.try_send(Job::Rebuilt(rebuilt));
        }
        Some(result)
    }

    /// The events of a visitor's or user's profile in the order of their arrival, from the one after
    /// `after` on.
    ///
    /// # Errors
    /// When the database could not be read.
    pub async fn events(
        &self,
        key: ProfileKey,
        after: i64,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        self.readers
            .read(move |connection| queries::events(connection, &key, after, limit))
            .await
    }

    /// How many messages had each outcome, since the database was made: outcome, reason, number.
    ///
    /// # Errors
    /// When the database could not be read.
    pub async fn outcomes(&self) -> Result<Vec<(String, String, i64)>, StoreError> {
        self.readers.read(queries::outcomes).await
    }

    /// Whether the store can write and read.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check(&self) -> Result<(), StoreError> {
        if self.jobs.is_closed() {
            return Err(StoreError::Stopped);
        }
        self.readers.read(queries::ping).await
    }

    /// Ends the writer once it has written what waits.
    pub async fn close(&self) {
        // The last connection to close brings the write-ahead log back into the database, and only the
        // writer's can.
        self.readers.close();
        let (reply, answer) = oneshot::channel();
        if self.jobs.send(Job::Close(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }

    fn room_for(&self, batch: &[Incoming]) -> Result<OwnedSemaphorePermit, StoreError> {
        let bytes: usize = batch
            .iter()
            .map(|incoming| match incoming {
                Incoming::Event(new) => new.message.len(),
                Incoming::Invalid(_) => 0,
            })
            .sum();
        let kibibytes = u32::try_from(1 + bytes / 1_024).map_err(|_| StoreError::Full)?;
        self.room
            .clone()
            .try_acquire_many_owned(kibibytes)
            .map_err(|_| StoreError::Full)
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(job(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Full,
            mpsc::error::TrySendError::Closed(_) => StoreError::Stopped,
        })?;
        answer.await.unwrap_or(Err(StoreError::Stopped))
    }
}
