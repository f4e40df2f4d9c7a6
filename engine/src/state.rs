//! What is remembered of a visitor: a fold over their events, of bounded size.

use crate::cell::Cell;
use crate::codec::{Malformed, Reader, Writer};
use crate::decide::{Context, Decisions};
use crate::event::EventKey;
use crate::program::{Program, Scope};
use crate::sticky::{self, MAX_REMEMBERED, Remembered};
use crate::time::{MINUTE, Timestamp};
use crate::value::{MAX_DEPTH, Object, Value};

/// The version of the binary form.
const VERSION: u8 = 2;

/// A session ends when nothing happens for this long.
pub const SESSION_GAP: i64 = 30 * MINUTE;

/// How many of the newest events are known by key, so that folding one again changes nothing.
pub const MAX_RECENT: usize = 64;

/// The longest trait value that a visitor's state keeps, in bytes of its binary form.
pub const MAX_TRAIT: usize = 256;

/// The visit that is going on, or the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The how-manieth session of this visitor in this browser; 0 before the first event.
    pub number: u32,
    /// The first event's time.
    pub started_at: Timestamp,
    /// The last event's time.
    pub last_at: Timestamp,
    /// How many pages were seen.
    pub page_views: u32,
}

/// What is known of the person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Who they said to be.
    pub user_id: Option<String>,
    /// Those of their traits that the program reads.
    pub traits: Object,
    /// When they last told something of themselves; 0 if never.
    pub traits_at: Timestamp,
    /// When they were first seen; 0 if never.
    pub first_seen_at: Timestamp,
    /// The origin's clock when it made the newest snapshot that went into this state; 0 if none did.
    pub snapshot_at: Timestamp,
}

/// All that is remembered of a visitor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The visit that is going on, or the last one.
    pub session: Session,
    /// What is known of the person.
    pub profile: Profile,
    /// One for each cell of the program.
    pub(crate) cells: Vec<Cell>,
    /// The keys of the newest events, the oldest first.
    recent: Vec<EventKey>,
    /// The assignments that the visitor keeps, the oldest first.
    pub(crate) remembered: Vec<Remembered>,
}

impl State {
    /// Nothing is known.
    pub fn new(program: &Program) -> Self {
        Self {
            cells: vec![Cell::default(); program.cells.len()],
            ..Self::default()
        }
    }

    /// Whether an event with this key was folded lately.
    pub fn has_seen(&self, key: EventKey) -> bool {
        self.recent.contains(&key)
    }

    /// The keys of the newest events, the oldest first.
    pub fn recent(&self) -> &[EventKey] {
        &self.recent
    }

    /// The assignments that the visitor keeps, the oldest first.
    pub fn remembered(&self) -> &[Remembered] {
        &self.remembered
    }

    /// Takes note of an assignment that the visitor keeps.
    pub fn remember_assignment(&mut self, entry: Remembered) {
        sticky::remember(&mut self.remembered, entry);
    }

    /// Takes note of what a page's decisions assigned, where it is to be kept. Hosts call this when the page
    /// has been decided.
    pub fn keep_sticky(
        &mut self,
        program: &Program,
        context: &Context<'_>,
        decisions: &Decisions,
        now: Timestamp,
    ) {
        for entry in sticky::to_remember(program, self, context, decisions, now) {
            self.remember_assignment(entry);
        }
    }

    pub(crate) fn remember(&mut self, key: EventKey) {
        if self.recent.len() >= MAX_RECENT {
            self.recent.drain(..=self.recent.len() - MAX_RECENT);
        }
        self.recent.push(key);
    }

    /// Whether a session is going on.
    pub fn in_session(&self, now: Timestamp) -> bool {
        self.session.number > 0 && now < self.session.last_at.saturating_add(SESSION_GAP)
    }

    /// Takes over the traits that the program reads. One that is gone is kept as `null`, so that it is gone
    /// in a merge with an older state too.
    pub(crate) fn merge_traits(&mut self, program: &Program, traits: &Value) {
        let Some(members) = traits.as_object() else { return };
        let mut holder = Value::Object(std::mem::take(&mut self.profile.traits));
        for path in &program.trait_paths {
            let value = match traits.at(path) {
                // A trait that does not fit is unknown here; the origin has it in full.
                Some(value) if binary_length(value) > MAX_TRAIT => &Value::Null,
                Some(value) => value,
                // As Segment's servers do, a trait is replaced as a whole: what an object no longer has is gone.
                None if path.first().is_some_and(|first| members.get(first).is_some()) => &Value::Null,
                None => continue,
            };
            holder.set_at(path, value.clone());
        }
        if let Value::Object(traits) = holder {
            self.profile.traits = traits;
        }
    }

    /// Takes note of who the visitor says to be. If that is somebody else than before, what is known of
    /// the person before is forgotten: a shared computer must not mix people.
    pub(crate) fn identify(&mut self, program: &Program, user_id: &str) {
        if self
            .profile
            .user_id
            .as_deref()
            .is_some_and(|known| known != user_id)
        {
            for (cell, spec) in self.cells.iter_mut().zip(&program.cells) {
                if spec.scope == Scope::Visitor {
                    cell.clear();
                }
            }
            self.profile = Profile::default();
        }
        if self.profile.user_id.is_none() {
            // What the origin knows of an anonymous visitor is not what it knows of this person.
            self.profile.snapshot_at = 0;
            self.profile.user_id = Some(user_id.to_owned());
        }
    }

    /// Takes over what the origin knows of the profile: by union, so that events which both sides saw
    /// count once. A snapshot of somebody else is left out.
    pub fn apply_snapshot(&mut self, program: &Program, snapshot: &Snapshot) -> Result<(), Malformed> {
        let other = State::from_bytes(program, &snapshot.state)?;
        match (&self.profile.user_id, &other.profile.user_id) {
            (Some(mine), Some(theirs)) if mine != theirs => return Ok(()),
            (Some(_), None) => {
                // The origin has not seen yet who this is: its snapshot does not count as one of this person.
                self.merge_cells(program, &other);
                return Ok(());
            }
            (_, Some(theirs)) => self.profile.user_id = Some(theirs.clone()),
            (None, None) => {}
        }
        if program.site.shares_traits || other.profile.user_id.is_none() {
            self.take_traits(program, &other);
        }
        if other.profile.first_seen_at > 0
            && (self.profile.first_seen_at == 0 || other.profile.first_seen_at < self.profile.first_seen_at)
        {
            self.profile.first_seen_at = other.profile.first_seen_at;
        }
        self.profile.snapshot_at = self.profile.snapshot_at.max(snapshot.as_of);
        self.merge_cells(program, &other);
        Ok(())
    }

    /// Takes over the traits of another state: what was told last wins, and the rest is completed.
    fn take_traits(&mut self, program: &Program, other: &State) {
        let theirs = Value::Object(other.profile.traits.clone());
        let mine = Value::Object(std::mem::take(&mut self.profile.traits));
        let (winner, mut traits) = if other.profile.traits_at >= self.profile.traits_at {
            (theirs, mine)
        } else {
            (mine, theirs)
        };
        for path in &program.trait_paths {
            if let Some(value) = winner.at(path) {
                traits.set_at(path, value.clone());
            }
        }
        if let Value::Object(traits) = traits {
            self.profile.traits = traits;
        }
        self.profile.traits_at = self.profile.traits_at.max(other.profile.traits_at);
    }

    /// Takes over the visitor's cells of another state, by union.
    pub fn merge_cells(&mut self, program: &Program, other: &State) {
        for ((cell, theirs), spec) in self.cells.iter_mut().zip(&other.cells).zip(&program.cells) {
            if spec.scope == Scope::Visitor {
                cell.merge(theirs, spec.shape());
            }
        }
        // What was assigned here stays; what was assigned elsewhere completes it.
        for entry in &other.remembered {
            let known = |mine: &Remembered| (mine.key, mine.version) == (entry.key, entry.version);
            if !self.remembered.iter().any(known) && self.remembered.len() < MAX_REMEMBERED {
                self.remembered.insert(0, *entry);
            }
        }
    }

    /// The binary form. Cells are written with the key of their definition, so that another program can
    /// take over those that it has too.
    pub fn to_bytes(&self, program: &Program) -> Vec<u8> {
        self.write(program, MAX_RECENT, usize::MAX)
    }

    /// The binary form in at most `limit` bytes, and whether something had to be left out: first the oldest
    /// of the known keys, then the oldest events of every cell, then the traits.
    pub fn to_bytes_within(&self, program: &Program, limit: usize) -> (Vec<u8>, bool) {
        for (step, (recent, entries)) in [
            (MAX_RECENT, usize::MAX),
            (24, usize::MAX),
            (16, 16),
            (16, 8),
            (16, 4),
            (16, 2),
            (8, 1),
            (8, 0),
        ]
        .into_iter()
        .enumerate()
        {
            let bytes = self.write(program, recent, entries);
            if bytes.len() <= limit {
                return (bytes, step > 0);
            }
        }
        let mut bare = self.clone();
        bare.profile.traits = Object::new();
        bare.remembered.clear();
        let bytes = bare.write(program, 0, 0);
        (
            if bytes.len() <= limit {
                bytes
            } else {
                State::new(program).to_bytes(program)
            },
            true,
        )
    }

    fn write(&self, program: &Program, max_recent: usize, max_entries: usize) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.byte(VERSION);
        writer.varint(u64::from(self.session.number));
        writer.varint(self.session.last_at.max(0) as u64);
        writer.zigzag(self.session.last_at - self.session.started_at);
        writer.varint(u64::from(self.session.page_views));
        writer.text(self.profile.user_id.as_deref().unwrap_or_default());
        writer.varint(self.profile.first_seen_at.max(0) as u64);
        writer.varint(self.profile.snapshot_at.max(0) as u64);
        writer.varint(self.profile.traits_at.max(0) as u64);
        Value::Object(self.profile.traits.clone()).write(&mut writer);
        let recent = &self.recent[self.recent.len().saturating_sub(max_recent)..];
        writer.varint(recent.len() as u64);
        for key in recent {
            writer.bytes(&key.to_le_bytes());
        }
        writer.varint(self.remembered.len() as u64);
        for entry in &self.remembered {
            writer.bytes(&entry.key.to_le_bytes());
            writer.varint(u64::from(entry.version));
            writer.bytes(&entry.variant.to_le_bytes());
        }
        for (cell, spec) in self.cells.iter().zip(&program.cells) {
            if cell.is_empty() || max_entries == 0 {
                continue;
            }
            writer.bytes(&spec.key.to_le_bytes());
            cell.newest(max_entries, spec.shape())
                .write(&mut writer, self.session.last_at);
        }
        writer.into_bytes()
    }

    /// Reads the binary form. Cells that the program does not have are left out.
    ///
    /// # Errors
    /// When the bytes are not a state of this version.
    pub fn from_bytes(program: &Program, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.byte()? != VERSION {
            return Err(Malformed);
        }
        let mut state = State::new(program);
        let timestamp = |number: u64| {
            i64::try_from(number)
                .ok()
                .filter(|time| *time < 1 << 48)
                .ok_or(Malformed)
        };
        let count = |number: u64| u32::try_from(number).map_err(|_| Malformed);
        state.session.number = count(reader.varint()?)?;
        state.session.last_at = timestamp(reader.varint()?)?;
        let started = state
            .session
            .last_at
            .checked_sub(reader.zigzag()?)
            .ok_or(Malformed)?;
        state.session.started_at = timestamp(u64::try_from(started).map_err(|_| Malformed)?)?;
        state.session.page_views = count(reader.varint()?)?;
        state.profile.user_id = Some(reader.text()?)
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
        state.profile.first_seen_at = timestamp(reader.varint()?)?;
        state.profile.snapshot_at = timestamp(reader.varint()?)?;
        state.profile.traits_at = timestamp(reader.varint()?)?;
        let Value::Object(traits) = Value::read(&mut reader, MAX_DEPTH)? else {
            return Err(Malformed);
        };
        state.merge_traits(program, &Value::Object(traits));
        let recent = reader.length()?;
        if recent > MAX_RECENT {
            return Err(Malformed);
        }
        for _ in 0..recent {
            state.recent.push(u32::from_le_bytes(reader.array()?));
        }
        let remembered = reader.length()?;
        if remembered > MAX_REMEMBERED {
            return Err(Malformed);
        }
        for _ in 0..remembered {
            state.remembered.push(Remembered {
                key: u32::from_le_bytes(reader.array()?),
                version: count(reader.varint()?)?,
                variant: u32::from_le_bytes(reader.array()?),
            });
        }
        while !reader.is_empty() {
            let key = u32::from_le_bytes(reader.array()?);
            let cell = Cell::read(&mut reader, state.session.last_at)?;
            if let Some(index) = program.cells.iter().position(|spec| spec.key == key) {
                state.cells[index] = cell;
            }
        }
        Ok(state)
    }
}

fn binary_length(value: &Value) -> usize {
    let mut writer = Writer::new();
    value.write(&mut writer);
    writer.into_bytes().len()
}

/// What the origin knows of a profile at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The origin's clock when it made the snapshot.
    pub as_of: Timestamp,
    /// The profile's state, in [`State::to_bytes`]'s form.
    pub state: Vec<u8>,
}
