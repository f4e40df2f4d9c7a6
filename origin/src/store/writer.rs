//! The one thread that writes.
//!
//! A commit waits for the disk, and takes about as long for one event as for a thousand. So the writer
//! takes all jobs that wait and commits them together; each is answered after the commit, and what fails
//! in one job does not touch the others.

use super::append::Batch;
use super::{Outcomes, StoreError};
use crate::clock;
use crate::message::Incoming;
use crate::published::Published;
use nearside_engine::value::Value;
use rusqlite::{Connection, Savepoint, TransactionBehavior, params};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};

/// The most jobs of one transaction.
const MAX_GROUP: usize = 256;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
pub(super) enum Job {
    /// Append a batch.
    Append {
        batch: Vec<Incoming>,
        room: OwnedSemaphorePermit,
        reply: Reply<Outcomes>,
    },
    /// Publish a manifest.
    Publish {
        manifest: Value,
        published: Arc<Published>,
        reply: Reply<bool>,
    },
    /// Keep what a reader has folded anew.
    Rebuilt(Rebuilt),
    /// End.
    Close(oneshot::Sender<()>),
}

/// A profile's state that a reader has folded anew.
pub(super) struct Rebuilt {
    pub(super) profile_id: i64,
    pub(super) revision: i64,
    pub(super) folding_id: String,
    pub(super) state: Vec<u8>,
}

/// A job that is done but not yet committed.
enum Done {
    Append(
        Reply<Outcomes>,
        Result<Outcomes, StoreError>,
        OwnedSemaphorePermit,
    ),
    Publish(Reply<bool>, Result<bool, StoreError>, Arc<Published>),
    Close(oneshot::Sender<()>),
}

struct Writer {
    connection: Connection,
    jobs: mpsc::Receiver<Job>,
    published: watch::Sender<Arc<Published>>,
    commits: watch::Sender<u64>,
}

/// Starts the writer. It ends with [`Job::Close`], or when no handle to the store is left.
pub(super) fn start(
    connection: Connection,
    jobs: mpsc::Receiver<Job>,
    published: watch::Sender<Arc<Published>>,
    commits: watch::Sender<u64>,
) -> Result<(), StoreError> {
    let writer = Writer {
        connection,
        jobs,
        published,
        commits,
    };
    match std::thread::Builder::new()
        .name("nearside-writer".to_owned())
        .spawn(move || writer.run())
    {
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::error!(%error, "no thread for the writer");
            Err(StoreError::Stopped)
        }
    }
}

impl Writer {
    fn run(mut self) {
        let mut closing = None;
        while closing.is_none() {
            let Some(first) = self.jobs.blocking_recv() else {
                break;
            };
            let mut group = vec![first];
            while group.len() < MAX_GROUP
                && let Ok(job) = self.jobs.try_recv()
            {
                group.push(job);
            }
            closing = self.commit(group);
        }
        drop(self.connection);
        if let Some(closed) = closing {
            let _ = closed.send(());
        }
    }

    /// Does a group of jobs in one transaction, then answers them.
    fn commit(&mut self, group: Vec<Job>) -> Option<oneshot::Sender<()>> {
        let mut done = Vec::with_capacity(group.len());
        let mut published = self.published.borrow().clone();
        let committed = self.write(group, &mut done, &mut published);
        if let Err(error) = &committed {
            tracing::error!(%error, jobs = done.len(), "could not commit");
        } else {
            self.commits.send_modify(|commits| *commits += 1);
        }
        let mut closing = None;
        for job in done {
            // Who has asked may be gone; what they asked for is done all the same.
            match job {
                Done::Append(reply, result, room) => {
                    let _ = reply.send(committed.clone().and(result));
                    drop(room);
                }
                Done::Publish(reply, result, published) => {
                    let result = committed.clone().and(result);
                    if matches!(result, Ok(true)) {
                        self.published.send_replace(published);
                    }
                    let _ = reply.send(result);
                }
                Done::Close(reply) => closing = Some(reply),
            }
        }
        closing
    }

    fn write(
        &mut self,
        group: Vec<Job>,
        done: &mut Vec<Done>,
        published: &mut Arc<Published>,
    ) -> Result<(), StoreError> {
        // Where the transaction does not begin, every job is still to be answered.
        let mut transaction = match self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
        {
            Ok(transaction) => transaction,
            Err(error) => {
                let error = StoreError::from(error);
                done.extend(group.into_iter().filter_map(|job| refused(job, &error)));
                return Err(error);
            }
        };
        for job in group {
            match job {
                Job::Append { batch, room, reply } => {
                    let result =
                        in_savepoint(&mut transaction, |savepoint| append(savepoint, published, &batch));
                    done.push(Done::Append(reply, result, room));
                }
                Job::Publish {
                    manifest,
                    published: newer,
                    reply,
                } => {
                    let result = in_savepoint(&mut transaction, |savepoint| {
                        publish(savepoint, &manifest, &newer)
                    });
                    if matches!(result, Ok(true)) {
                        published.clone_from(&newer);
                    }
                    done.push(Done::Publish(reply, result, newer));
                }
                Job::Rebuilt(rebuilt) => {
                    let kept =
                        in_savepoint(&mut transaction, |savepoint| keep(savepoint, published, &rebuilt));
                    if let Err(error) = kept {
                        tracing::warn!(%error, "could not keep a state that was folded anew");
                    }
                }
                Job::Close(reply) => done.push(Done::Close(reply)),
            }
        }
        transaction.commit()?;
        Ok(())
    }
}

fn refused(job: Job, error: &StoreError) -> Option<Done> {
    match job {
        Job::Append { room, reply, .. } => Some(Done::Append(reply, Err(error.clone()), room)),
        Job::Publish { published, reply, .. } => Some(Done::Publish(reply, Err(error.clone()), published)),
        Job::Rebuilt(_) => None,
        Job::Close(reply) => Some(Done::Close(reply)),
    }
}

fn in_savepoint<T>(
    transaction: &mut rusqlite::Transaction<'_>,
    work: impl FnOnce(&Savepoint<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    // Dropped without a commit, a savepoint undoes what was done since.
    let savepoint = transaction.savepoint()?;
    let result = work(&savepoint)?;
    savepoint.commit()?;
    Ok(result)
}

fn append(
    connection: &Connection,
    published: &Published,
    incoming: &[Incoming],
) -> Result<Outcomes, StoreError> {
    let mut batch = Batch::new(connection, published);
    for incoming in incoming {
        batch.take(incoming)?;
    }
    batch.finish()
}

fn publish(connection: &Connection, manifest: &Value, published: &Published) -> Result<bool, StoreError> {
    if super::queries::newest_manifest(connection)?.as_ref() == Some(manifest) {
        return Ok(false);
    }
    let text = serde_json::to_string(manifest)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection.execute(
        "INSERT INTO programs (id, manifest, published_at) VALUES (?, ?, ?)",
        params![published.id, text, clock::now()],
    )?;
    Ok(true)
}

/// Keeps a state that was folded anew, unless the profile or the program has changed since.
fn keep(connection: &Connection, published: &Published, rebuilt: &Rebuilt) -> Result<(), StoreError> {
    if rebuilt.folding_id == published.folding_id {
        connection.execute(
            "UPDATE profiles SET state = ?, folding_id = ? WHERE id = ? AND revision = ?",
            params![
                rebuilt.state,
                rebuilt.folding_id,
                rebuilt.profile_id,
                rebuilt.revision
            ],
        )?;
    }
    Ok(())
}
