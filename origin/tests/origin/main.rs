//! The origin through its routes and its commands, on real databases.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is how it fails")]

mod bounds;
mod changes_of_user;
mod collecting;
mod commands;
mod crash;
mod edge;
mod group_commit;
mod hostile;
mod process;
mod profiles;
mod support;
