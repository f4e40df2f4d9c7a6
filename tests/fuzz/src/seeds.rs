//! The inputs that a target starts from.
//!
//! Manifests, conditions, events, patterns… are committed as the texts that they are. Of the binary forms, which
//! change now and then, some are committed too, as the fuzzer found them; others are made anew from the manifests
//! and events each time, so that there is always something that can be read.

use crate::{TARGETS, Target, drive, programs};
use nearside_engine::base64url;
use nearside_engine::compile::compile;
use nearside_engine::event::Event;
use nearside_engine::fold::fold;
use nearside_engine::state::{Snapshot, State};
use nearside_engine::value::Value;
use nearside_engine::wire::write_journal;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of committed seeds.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// The committed seeds of a target: their files' names and contents.
///
/// # Errors
/// When they cannot be read.
pub fn committed(target: &Target) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut seeds = Vec::new();
    for entry in fs::read_dir(folder().join(target.name))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        seeds.push((name, fs::read(&path)?));
    }
    seeds.sort();
    Ok(seeds)
}

/// The seeds of a target that are made anew: of binary forms, none for the others.
///
/// # Errors
/// When what they are made of cannot be read.
pub fn made(target: &Target) -> io::Result<Vec<Vec<u8>>> {
    Ok(match target.name {
        "program" => program_contents()?,
        "state" => states(),
        "journal" => journals(),
        "wire" => snapshots(),
        _ => Vec::new(),
    })
}

/// Writes the made seeds of a target into a folder.
///
/// # Errors
/// When they cannot be made or written.
pub fn write_made(target: &Target, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (index, seed) in made(target)?.iter().enumerate() {
        fs::write(folder.join(format!("made-{index}")), seed)?;
    }
    Ok(())
}

/// The contents of the programs that the committed manifests compile to.
fn program_contents() -> io::Result<Vec<Vec<u8>>> {
    let manifests = committed(&TARGETS[0])?;
    let compiled = manifests.iter().filter_map(|(_, text)| {
        let manifest: Value = serde_json::from_slice(text).ok()?;
        Some(compile(&manifest).0)
    });
    let programs = compiled.chain(programs::all().iter().cloned());
    Ok(programs
        .map(|program| {
            let bytes = program.to_bytes();
            // Without the first bytes and the checksum: the target makes those.
            bytes[4..bytes.len() - 8].to_vec()
        })
        .collect())
}

fn states() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (choice, program) in programs::all().iter().enumerate() {
        let mut add = |state: &State| {
            let mut seed = vec![choice as u8];
            seed.extend(state.to_bytes(program));
            seeds.push(seed);
        };
        let mut state = State::new(program);
        add(&state);
        for logged in drive::log() {
            fold(program, &mut state, &logged.event);
            add(&state);
        }
        add(&drive::busy_profile(program));
        // One in which everything is full.
        for (index, logged) in drive::log().iter().cycle().take(300).enumerate() {
            let event = Event {
                key: (index as u32).wrapping_mul(0x9e37_79b9),
                time: logged.event.time + index as i64 * 60_000,
                ..logged.event.clone()
            };
            fold(program, &mut state, &event);
        }
        add(&state);
    }
    seeds
}

fn journals() -> Vec<Vec<u8>> {
    let events: Vec<Event> = drive::log().iter().map(|logged| logged.event.clone()).collect();
    (1..events.len())
        .map(|count| {
            let (text, _) = write_journal(&events[..count]);
            base64url::decode(&text).expect("a journal is base64url")
        })
        .collect()
}

fn snapshots() -> Vec<Vec<u8>> {
    let programs = programs::all().iter();
    programs
        .map(|program| {
            let snapshot = Snapshot {
                as_of: drive::NOON,
                state: drive::busy_profile(program).to_bytes(program),
            };
            serde_json::to_vec(&snapshot.to_value()).expect("a snapshot is JSON")
        })
        .collect()
}
