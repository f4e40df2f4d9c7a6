//! The origin: it keeps what every visitor did, durably, and publishes what is to be decided.
//!
//! The way of a batch of events through `nearside serve`:
//!
//! 1. [`server`] takes the connection and the request, bounds how many there are and how large and slow they
//!    may be, and finds out who sends it. Clients of the tracking API come with a write key to `/v1/batch`
//!    and its kin, the edge with its secret to `/v1/edge/events`. What anybody may send has bounds of
//!    its own, so that it never keeps the edge from being answered.
//! 2. [`message`] makes each message an [`Event`](nearside_engine::event::Event), with its time corrected,
//!    or a reason why it is none. A message that is no event never sinks its batch.
//! 3. [`store::Store::append`] hands the batch to the one thread that writes. There is room for a bounded
//!    amount; a sender that finds none is told to come back (503).
//! 4. The writer takes all batches that wait and commits them in one transaction: each event is appended
//!    once by its `messageId`, folded into its profile, and the visitor is linked to the user they say to be.
//!    What comes late goes to who used the browser when it happened.
//! 5. Only after the transaction is on disk each sender is answered. What was acknowledged survives a
//!    `kill -9` and the loss of power.
//!
//! The way of a snapshot: the edge asks `/v1/edge/snapshot` for a visitor; the profile's state is read on a
//! connection of its own, beside the writer. When the state was folded by a program that kept other things,
//! it is folded anew from all events of the profile first, so that a new condition counts what happened
//! before it was published.
//!
//! The way of a manifest: it is compiled, stored and served to the edge as a program, by its id.
//!
//! Besides there are the commands of authors: [`command`] has `check`, `replay`, `rewrite`, and `preview`,
//! which mints a token ([`preview`]) as `/admin/v1/preview` does.

#![forbid(unsafe_code)]

pub mod clock;
pub mod command;
pub mod growthbook;
pub mod manifest_schema;
pub mod message;
pub mod preview;
pub mod published;
pub mod server;
pub mod store;
