//! What is remembered of a visitor: a fold over their events, of bounded size.

use crate::cell::measure::Measure;
use crate::cell::spec::CellKind;
use crate::cell::table::EventTable;
use crate::cell::{Brevity, Cell};
use crate::codec::{Malformed, Reader, Writer};
use crate::condition::Condition;
use crate::decide::{Context, Decisions};
use crate::event::EventKey;
use crate::landing::Landing;
use crate::program::{Program, Scope};
use crate::sticky::{self, MAX_REMEMBERED, Remembered};
use crate::time::{MINUTE, Timestamp, format_timestamp};
use crate::value::{MAX_DEPTH, Object, Value};
use std::borrow::Cow;

/// The version of the binary form.
const VERSION: u8 = 2;

/// A session ends when nothing happens for this long.
pub const SESSION_GAP: i64 = 30 * MINUTE;

/// How many of the newest events are known by key, so that folding one again changes nothing.
pub const MAX_RECENT: usize = 64;

/// The longest trait value that a visitor's state keeps, in bytes of its binary form.
pub const MAX_TRAIT: usize = 256;

/// The visit that is going on, or the last one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Session {
    /// The how-manieth session of this visitor in this browser; 0 before the first event.
    pub number: u32,
    /// The first event's time.
    pub started_at: Timestamp,
    /// The last event's time.
    pub last_at: Timestamp,
    /// How many pages were seen.
    pub page_views: u32,
    /// Where it began, if the program reads that.
    pub landing: Landing,
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

impl Profile {
    /// The attribute at a path below `profile`; `None` if there is none.
    pub(crate) fn attribute(&self, path: &[String]) -> Option<Cow<'_, Value>> {
        let (name, rest) = path.split_first()?;
        let owned = match (name.as_str(), rest) {
            ("traits", [first, rest @ ..]) => {
                // A trait that was set to `null` is gone.
                let found = self.traits.get(first)?.at(rest).filter(|value| !value.is_null());
                return found.map(Cow::Borrowed);
            }
            ("userId", []) => Value::from(self.user_id.clone()?),
            ("identified", []) => Value::Bool(self.user_id.is_some()),
            ("firstSeenAt", []) if self.first_seen_at > 0 => {
                Value::from(format_timestamp(self.first_seen_at))
            }
            _ => return None,
        };
        Some(Cow::Owned(owned))
    }

    /// Whether the attribute at a path below `profile` fits.
    pub(crate) fn holds(&self, path: &[String], is: &Condition) -> bool {
        is.fits(self.attribute(path).as_deref())
    }
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
    /// What has changed since somebody asked.
    pub(crate) changes: Changes,
    /// The assignments that the visitor keeps, the oldest first.
    pub(crate) remembered: Vec<Remembered>,
}

/// More changed cells are not noted one by one.
const MAX_CHANGES: usize = 256;

/// What has changed in a state since a decider took note of it. It is no part of what is remembered: two states
/// are equal whatever has changed last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Everything may have changed.
    pub(crate) all: bool,
    /// The session.
    pub(crate) session: bool,
    /// What is known of the person.
    pub(crate) profile: bool,
    /// The assignments that the visitor keeps.
    pub(crate) remembered: bool,
    /// These cells.
    pub(crate) cells: Vec<u16>,
}

impl PartialEq for Changes {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Changes {
    pub(crate) fn clear(&mut self) {
        self.all = false;
        self.session = false;
        self.profile = false;
        self.remembered = false;
        self.cells.clear();
    }
}

impl State {
    /// Nothing is known.
    pub fn new(program: &Program) -> Self {
        Self {
            cells: program.cells.iter().map(Cell::new).collect(),
            changes: Changes {
                all: true,
                ..Changes::default()
            },
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
        self.changes.remembered = true;
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
        if self.changes.cells.len() > MAX_CHANGES {
            self.changes.all = true;
            self.changes.cells.clear();
        }
    }

    /// Takes note of since when the profile's attributes fit what cells watch.
    pub(crate) fn watch_held(&mut self, program: &Program, time: Timestamp) {
        for place in &program.index.held {
            let at = usize::from(*place);
            let (Some(Cell::Held(since)), Some(spec)) = (self.cells.get_mut(at), program.cells.get(at))
            else {
                continue;
            };
            let CellKind::Held(path, is) = &spec.kind else {
                continue;
            };
            let before = *since;
            *since = match self.profile.holds(path, is) {
                true => Some(before.unwrap_or(time)),
                false => None,
            };
            if *since != before {
                self.changes.cells.push(*place);
            }
        }
    }

    /// How many events a cell counts at an instant: as many as it keeps, where those decide its condition.
    pub fn count(&self, program: &Program, cell: usize, now: Timestamp) -> u32 {
        let (Some(cell), Some(spec)) = (self.cells.get(cell), program.cells.get(cell)) else {
            return 0;
        };
        if spec.scope == Scope::Session && !self.in_session(now) {
            return 0;
        }
        cell.measure(spec, Measure::Count, None, now).unwrap_or_default() as u32
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
        let mut writer = Writer::new();
        for path in &program.trait_paths {
            let mut binary_length = |value: &Value| {
                // Most are plain and short, which is seen without writing them down.
                match value {
                    Value::Null | Value::Bool(_) | Value::Number(_) => return 0,
                    Value::String(text) if text.len() < MAX_TRAIT / 2 => return 0,
                    _ => {}
                }
                writer.clear();
                value.write(&mut writer);
                writer.len()
            };
            let value = match traits.at(path) {
                // A trait that does not fit is unknown here; the origin has it in full.
                Some(value) if binary_length(value) > MAX_TRAIT => &Value::Null,
                Some(value) => value,
                // What is around it was told and has just been taken over, without it.
                None if program.keeps_around(path, traits) => continue,
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
            self.changes.all = true;
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
        self.changes.all = true;
        match (&self.profile.user_id, &other.profile.user_id) {
            (Some(mine), Some(theirs)) if mine != theirs => return Ok(()),
            (Some(_), None) => {
                // The origin has not seen yet who this is: its snapshot does not count as one of this person.
                self.merge_all_but_told(program, &other);
                return Ok(());
            }
            (_, Some(theirs)) => self.profile.user_id = Some(theirs.clone()),
            (None, None) => {}
        }
        let takes_traits = program.site.shares_traits || other.profile.user_id.is_none();
        if takes_traits {
            self.take_traits(program, &other);
        }
        if other.profile.first_seen_at > 0
            && (self.profile.first_seen_at == 0 || other.profile.first_seen_at < self.profile.first_seen_at)
        {
            self.profile.first_seen_at = other.profile.first_seen_at;
        }
        self.profile.snapshot_at = self.profile.snapshot_at.max(snapshot.as_of);
        if takes_traits {
            self.merge_cells(program, &other);
        } else {
            self.merge_all_but_told(program, &other);
        }
        Ok(())
    }

    /// Takes over the visitor's cells of another state, but for when traits were told: these are not taken over.
    fn merge_all_but_told(&mut self, program: &Program, other: &State) {
        let told = |state: &State| -> Vec<Option<Cell>> {
            let places = program.aging.iter().map(|aging| usize::from(aging.cell));
            places.map(|place| state.cells.get(place).cloned()).collect()
        };
        let mine = told(self);
        self.merge_cells(program, other);
        for (aging, mine) in program.aging.iter().zip(mine) {
            if let (Some(cell), Some(mine)) = (self.cells.get_mut(usize::from(aging.cell)), mine) {
                *cell = mine;
            }
        }
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
        self.changes.all = true;
        for ((cell, theirs), spec) in self.cells.iter_mut().zip(&other.cells).zip(&program.cells) {
            if spec.scope != Scope::Visitor {
                continue;
            }
            match (&mut *cell, theirs, &spec.kind) {
                (Cell::Held(mine), Cell::Held(theirs), CellKind::Held(path, is)) => {
                    // Who heard last of the person knows best since when.
                    let newest = match (*mine, *theirs) {
                        (Some(mine), Some(_)) if self.profile.traits_at > other.profile.traits_at => {
                            Some(mine)
                        }
                        (mine, theirs) => theirs.or(mine),
                    };
                    *mine = newest.filter(|_| self.profile.holds(path, is));
                }
                _ => cell.merge(theirs, spec),
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
        self.write(program, MAX_RECENT, Some(Brevity::NONE))
    }

    /// Drops the events that no answer needs any more, if all events that are still to come happen after the
    /// last one: what has left its window, and what no later event of a sequence can use. What is left answers
    /// the same from the last event on. Only an event that comes late, or a merge with a copy that saw other
    /// events, may miss what was dropped.
    pub fn settle(&mut self, program: &Program) {
        let now = self.session.last_at;
        for (cell, spec) in self.cells.iter_mut().zip(&program.cells) {
            cell.settle(spec, now);
        }
        self.changes.all = true;
    }

    /// The binary form in at most `limit` bytes, and whether something was left out. What is longer than six
    /// sevenths of that leaves out what [`State::settle`] drops, which changes no answer; if that is not enough,
    /// also what tells copies of a score apart, the oldest of the known keys, the
    /// oldest events and groups of every cell, and the traits.
    pub fn to_bytes_within(&self, program: &Program, limit: usize) -> (Vec<u8>, bool) {
        let whole = self.to_bytes(program);
        let comfortable = limit - limit / 7;
        if whole.len() <= comfortable {
            return (whole, false);
        }
        let mut settled = self.clone();
        settled.settle(program);
        // The logs of sequences go first: they are the longest, and their newest events decide most often. A count
        // keeps few events, and is wrong without one of them.
        for (recent, steps, entries, groups) in [
            (MAX_RECENT, usize::MAX, usize::MAX, usize::MAX),
            (32, usize::MAX, usize::MAX, usize::MAX),
            (24, 16, usize::MAX, 16),
            (16, 8, usize::MAX, 8),
            (16, 8, 8, 8),
            (16, 4, 8, 4),
            (16, 4, 4, 4),
            (8, 2, 4, 2),
            (8, 2, 2, 2),
            (8, 1, 1, 1),
        ] {
            let brevity = Brevity {
                steps,
                entries,
                groups,
                earned: if recent < MAX_RECENT {
                    steps.min(2)
                } else {
                    usize::MAX
                },
                values: groups.max(2),
            };
            let bytes = settled.write(program, recent, Some(brevity));
            // That copies of scores and events that came twice are told apart is worth less than a short cookie.
            let room = if recent < MAX_RECENT { limit } else { comfortable };
            if bytes.len() <= room {
                // What is told in other bytes may be as long.
                let is_cut = bytes != whole;
                return (bytes, is_cut);
            }
        }
        let bytes = self.write(program, 8, None);
        if bytes.len() <= limit {
            return (bytes, true);
        }
        let mut bare = self.clone();
        bare.profile.traits = Object::new();
        bare.session.landing.clear();
        bare.remembered.clear();
        let bytes = bare.write(program, 0, None);
        (
            if bytes.len() <= limit {
                bytes
            } else {
                State::new(program).to_bytes(program)
            },
            true,
        )
    }

    /// Writes the state, with so much of its cells; with none of them, if there is no brevity.
    fn write(&self, program: &Program, max_recent: usize, brevity: Option<Brevity>) -> Vec<u8> {
        let base = self.session.last_at;
        let mut writer = Writer::new();
        writer.byte(VERSION);
        writer.varint(u64::from(self.session.number));
        writer.varint(base.max(0) as u64);
        writer.zigzag(base - self.session.started_at);
        writer.varint(u64::from(self.session.page_views));
        self.session.landing.write(&mut writer, base);
        writer.text(self.profile.user_id.as_deref().unwrap_or_default());
        writer.varint(self.profile.first_seen_at.max(0) as u64);
        writer.varint(self.profile.snapshot_at.max(0) as u64);
        writer.varint(self.profile.traits_at.max(0) as u64);
        Value::Object(self.profile.traits.clone()).write(&mut writer);
        let mut cells = Vec::new();
        let mut events = Vec::new();
        if let Some(brevity) = brevity {
            let not_empty = self
                .cells
                .iter()
                .zip(&program.cells)
                .filter(|(cell, _)| !cell.is_empty());
            for (cell, spec) in not_empty {
                let brief = cell.brief(spec, brevity);
                brief.events(brevity, &mut events);
                cells.push((brief, spec, brevity));
            }
        }
        let table = EventTable::new(events);
        table.write(&mut writer, base);
        let recent = &self.recent[self.recent.len().saturating_sub(max_recent)..];
        writer.varint(recent.len() as u64);
        for key in recent {
            match table.place_of_key(*key) {
                Some(place) => writer.varint(place as u64 + 1),
                None => {
                    writer.varint(0);
                    writer.bytes(&key.to_le_bytes());
                }
            }
        }
        // Where room is short, most of them are assigned again by the same hash.
        let kept = if max_recent < 16 {
            max_recent / 2
        } else {
            MAX_REMEMBERED
        };
        let remembered = &self.remembered[self.remembered.len().saturating_sub(kept)..];
        writer.varint(remembered.len() as u64);
        for entry in remembered {
            writer.bytes(&entry.key.to_le_bytes());
            writer.varint(u64::from(entry.version));
            writer.bytes(&entry.variant.to_le_bytes());
        }
        for (cell, spec, brevity) in cells {
            writer.bytes(&spec.key.to_le_bytes());
            let mut content = Writer::new();
            cell.write(spec, &mut content, &table, base, brevity);
            let content = content.into_bytes();
            // Another program, which does not have the cell, passes over it.
            writer.varint(content.len() as u64);
            writer.bytes(&content);
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
        let base = state.session.last_at;
        state.session.landing = Landing::read(&mut reader, base)?;
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
        let table = EventTable::read(&mut reader, base)?;
        let recent = reader.length()?;
        if recent > MAX_RECENT {
            return Err(Malformed);
        }
        for _ in 0..recent {
            let key = match usize::try_from(reader.varint()?)
                .map_err(|_| Malformed)?
                .checked_sub(1)
            {
                Some(place) => table.event(place)?.1,
                None => u32::from_le_bytes(reader.array()?),
            };
            state.recent.push(key);
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
            let length = reader.length()?;
            let mut content = Reader::new(reader.take(length)?);
            if let Some(index) = program.index.cell(key)
                && let (Some(cell), Some(spec)) = (state.cells.get_mut(index), program.cells.get(index))
            {
                *cell = Cell::read(spec, &mut content, &table, base)?;
                if cell.is_empty() {
                    // Nobody writes a cell in which nothing is.
                    return Err(Malformed);
                }
            }
        }
        Ok(state)
    }
}

/// What the origin knows of a profile at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The origin's clock when it made the snapshot.
    pub as_of: Timestamp,
    /// The profile's state, in [`State::to_bytes`]'s form.
    pub state: Vec<u8>,
}
