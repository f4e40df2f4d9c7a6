//! Bytes that come back from outside: whatever they are, they are a state, a program or a journal, or an error.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::Malformed;
use nearside_engine::base64url;
use nearside_engine::cell::spec::{CellKind, Keep, Shape};
use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, decide};
use nearside_engine::event::{Event, EventKind};
use nearside_engine::facts::edits;
use nearside_engine::fold::fold;
use nearside_engine::hash::fnv1a_64;
use nearside_engine::program::{Program, ProgramError};
use nearside_engine::redirect;
use nearside_engine::replay::features_to_object;
use nearside_engine::request::Request;
use nearside_engine::state::{MAX_RECENT, Snapshot, State};
use nearside_engine::sticky::Remembered;
use nearside_engine::time::{DAY, MINUTE, Timestamp};
use nearside_engine::value::{Object, Value};
use nearside_engine::wire::{PageState, read_journal, write_journal};

/// The shape of a count without a window and without an end.
const TOTAL: Shape = Shape {
    keep: Keep::All,
    within: None,
};

const NOON: Timestamp = 1_795_262_400_000;

const MANIFEST: &str = r#"{
    "site":{"exclude":[{"path":"/raw/*"}],"consent":"required"},
    "segments":{
        "reader":{"when":{"$events":{"type":"page","where":{"properties.category":"bikes"},"within":"7d","in":"visitor","count":{"$gte":3}}}},
        "often":{"when":{"$events":{"name":"A","in":"visitor","count":{"$gte":100}}}},
        "lately":{"when":{"$events":{"name":"A","in":"visitor","within":"1d","count":{"$gte":40}}}},
        "now":{"when":{"$and":[{"$events":{"name":"A"}},{"$segment":"reader"},{"profile.traits.plan":{"$in":["pro",7,null]}}]}},
        "deep":{"when":{"$nor":[{"profile.traits.a":{"$elemMatch":{"x":{"$size":2}}}},{"profile.traits.b":{"$all":["a",{"$containsi":"B"}]}}]}}},
    "experiences":[
        {"id":"a","segment":"reader","pages":[{"path":"/a/:b/*"}],"holdout":0.1,"traffic":0.9,"group":"g","priority":3,
         "schedule":{"from":"2026-11-01","to":"2027-01-01"},
         "variants":[{"id":"v","weight":0.3,"mutations":[{"op":"text","selector":"h1","value":"Hi, {{profile.traits.firstName|you}}"}]},
                     {"id":"w","weight":0.7,"mutations":[{"op":"attribute","selector":"a","name":"href","value":"/x?{{request.query.q}}"}]}]},
        {"id":"b","when":{"session.duration":{"$gt":30}},"variants":[{"id":"v"}]},
        {"id":"c","requires":{"$feature":{"id":"color","path":"hex.0","is":{"$type":"string"}}},"hashAttribute":"profile.userId",
         "fallbackAttribute":"visitor.id","hashVersion":1,"sticky":{"version":2,"minVersion":1},"queryOverride":"q",
         "filters":[{"seed":"s","attribute":"visitor.id","ranges":[[0,0.5],[0.4,1]]}],"keepQuery":true,"release":"w",
         "traffic":[{"from":"2026-11-01","share":0.5},{"from":"2026-11-30","share":1}],
         "variants":[{"id":"v","range":[0,0.2]},{"id":"w","range":[0.2,1],"redirect":"/b?{{request.query.q}}"}]}],
    "groups":{"vip":["a","b",7,null,true]},
    "features":{
        "color":{"default":"grey","rules":[
            {"id":"r","gate":{"request.path":{"$regexi":"^/(a|b{2,3})"}},"when":{"visitor.id":{"$notInGroup":"vip"}},
             "range":[0,0.9],"value":{"hex":["f00",1]}},
            {"variants":[{"value":1,"passThrough":true},{"value":null}],"traffic":0.5}]},
        "near":{"rules":[
            {"when":{"request.geo":{"$near":{"lat":48,"lon":2,"km":20}},"profile.traits.v":{"$vgte":"1.2.3","$vne":7,"$ini":["É"],"$alli":["x"]}},
             "sticky":true,"variants":[{"value":1},{"value":2}]},
            {"when":{"$feature":{"id":"color","is":"grey"}},"value":true,"schedule":{"from":"2026-11-01"}}]}}}"#;

fn program(manifest: &str) -> Program {
    let (program, warnings) = compile(&serde_json::from_str(manifest).unwrap());
    assert_eq!(warnings, []);
    program
}

fn event(index: u32, kind: EventKind, time: Timestamp) -> Event {
    let properties: Value = serde_json::from_str(r#"{"category":"bikes","n":[1,2.5,null,true]}"#).unwrap();
    let traits: Value = serde_json::from_str(r#"{"plan":"pro","firstName":"Zoë"}"#).unwrap();
    Event {
        key: index.wrapping_mul(0x9e37_79b9),
        kind,
        name: if kind == EventKind::Track {
            "A".into()
        } else {
            String::new()
        },
        time,
        properties,
        context: Value::Null,
        traits: if kind == EventKind::Identify {
            traits
        } else {
            Value::Null
        },
        user_id: (kind == EventKind::Identify).then(|| "ada".to_owned()),
        anonymous_id: None,
    }
}

/// A visitor who has done much.
fn busy(program: &Program) -> State {
    let mut state = State::new(program);
    for index in 0..200 {
        let kind = match index % 7 {
            0 => EventKind::Page,
            1 => EventKind::Identify,
            _ => EventKind::Track,
        };
        fold(
            program,
            &mut state,
            &event(index, kind, NOON + i64::from(index) * 7 * MINUTE),
        );
    }
    for key in 0..40 {
        state.remember_assignment(Remembered {
            key,
            version: key % 3,
            variant: key,
        });
    }
    state
}

/// Whatever was read, everything that is done with it ends.
fn exercise(program: &Program, state: &State) {
    let request = Request::new("https://x/a/b/c?q=1", Object::new());
    let context = Context {
        visitor_id: "v",
        request: &request,
        consent: true,
        forced: &[],
    };
    for now in [0, NOON, NOON + DAY, i64::MAX, i64::MIN] {
        let decisions = decide(program, state, &context, now);
        assert_eq!(decisions.decisions.len(), program.experiences.len());
        assert_eq!(decisions.features.len(), program.features.len());
        features_to_object(program, &decisions);
        redirect::redirect(program, state, &context, &decisions, now);
        let mut kept = state.clone();
        kept.keep_sticky(program, &context, &decisions, now);
        assert!(State::from_bytes(program, &kept.to_bytes(program)).is_ok());
        for (experience, decision) in decisions.decisions.iter().enumerate() {
            if let Some(variant) = decision.variant {
                edits(program, state, &context, experience, usize::from(variant), now);
            }
        }
    }
    let mut folded = state.clone();
    fold(program, &mut folded, &event(7_777, EventKind::Track, NOON + 1));
    fold(program, &mut folded, &event(7_778, EventKind::Identify, 0));
    folded.merge_cells(program, state);
    let again = State::from_bytes(program, &state.to_bytes(program)).unwrap();
    assert_eq!(again.to_bytes(program), state.to_bytes(program));
    state.to_bytes_within(program, 100);
}

/// Changes that reach far: any byte, bytes added, taken away, or repeated.
struct Mutations(u64);

impl Mutations {
    fn number(&mut self) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize
    }

    fn apply(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..1 + self.number() % 3 {
            let at = self.number() % (bytes.len() + 1);
            match self.number() % 5 {
                0 => bytes.insert(at, self.number() as u8),
                1 if at < bytes.len() => {
                    bytes.remove(at);
                }
                2 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.number() % 5],
                3 => {
                    let end = (at + self.number() % 20).min(bytes.len());
                    let copy = bytes[at..end].to_vec();
                    bytes.extend(copy);
                }
                _ if at < bytes.len() => bytes[at] ^= 1 << (self.number() % 8),
                _ => {}
            }
        }
    }
}

#[test]
fn states_survive_their_bytes() {
    let program = program(MANIFEST);
    for state in [State::new(&program), busy(&program)] {
        let bytes = state.to_bytes(&program);
        assert_eq!(State::from_bytes(&program, &bytes).as_ref(), Ok(&state));
        exercise(&program, &state);
    }
}

#[test]
fn every_cut_and_every_change_of_a_state_is_an_error_or_a_state() {
    let program = program(MANIFEST);
    let bytes = busy(&program).to_bytes(&program);
    for end in 0..bytes.len() {
        if let Ok(state) = State::from_bytes(&program, &bytes[..end]) {
            exercise(&program, &state);
        }
    }
    assert_eq!(State::from_bytes(&program, &[]), Err(Malformed));
    let mut read = 0;
    let mut mutations = Mutations(1);
    for _ in 0..8_000 {
        let mut changed = bytes.clone();
        mutations.apply(&mut changed);
        if let Ok(state) = State::from_bytes(&program, &changed) {
            read += 1;
            exercise(&program, &state);
        }
    }
    assert!(read > 1_000, "only {read} changes were read at all");
}

#[test]
fn another_program_takes_over_what_it_has_too() {
    let old = program(MANIFEST);
    let mut state = busy(&old);
    state.profile.snapshot_at = NOON;
    let bytes = state.to_bytes(&old);
    // The reader's condition is where it was in another order, "often" asks for something else, one is new.
    let new = program(
        r#"{"segments":{
            "a-new-one":{"when":{"$events":{"name":"New","in":"visitor"}}},
            "often":{"when":{"$events":{"name":"A","in":"visitor","count":{"$gte":101}}}},
            "same-as-reader":{"when":{"$events":{"type":"page","where":{"properties.category":"bikes"},"within":"7d","in":"visitor","count":{"$lt":3}}}},
            "pro":{"when":{"profile.traits.plan":"pro"}},
            "zoe":{"when":{"profile.traits.lastName":"Zoë"}}}}"#,
    );
    let taken = State::from_bytes(&new, &bytes).unwrap();
    assert_eq!((&taken.session, taken.recent()), (&state.session, state.recent()));
    assert_eq!(taken.profile.user_id.as_deref(), Some("ada"));
    assert_eq!(taken.profile.traits.len(), 1);
    let now = state.session.last_at;
    let count = |program: &Program, state: &State, matching: &str| {
        let cell = program
            .cells
            .iter()
            .position(|cell| format!("{:?}", cell.matchers).contains(matching))
            .unwrap();
        state.count(program, cell, now)
    };
    assert!(count(&old, &state, "bikes") >= 3);
    assert_eq!(count(&new, &taken, "bikes"), count(&old, &state, "bikes"));
    assert_eq!(
        count(&new, &taken, "\"A\""),
        142,
        "the number decides, not the count that was asked for"
    );
    assert_eq!(count(&new, &taken, "New"), 0);
    // And an empty program keeps session and person.
    let empty = program("{}");
    let taken = State::from_bytes(&empty, &bytes).unwrap();
    assert_eq!(taken.session, state.session);
    exercise(&empty, &taken);
}

#[test]
fn a_state_is_cut_to_its_limit_step_by_step() {
    let program = program(MANIFEST);
    let state = busy(&program);
    let full = state.to_bytes(&program);
    let room = full.len() * 7 / 6 + 1;
    assert_eq!(state.to_bytes_within(&program, room), (full.clone(), false));
    let mut last = usize::MAX;
    for limit in (30..=room).rev() {
        let (bytes, cut) = state.to_bytes_within(&program, limit);
        assert_eq!(cut, bytes.len() < full.len());
        assert!(
            bytes.len() <= limit && bytes.len() <= last,
            "{} > {limit}",
            bytes.len()
        );
        last = bytes.len();
        let read = State::from_bytes(&program, &bytes).unwrap();
        if bytes.len() > 40 {
            assert_eq!(read.session, state.session, "{limit}");
        }
        assert!(state.recent().ends_with(read.recent()));
        exercise(&program, &read);
    }
    let mut settled = state.clone();
    settled.settle(&program);
    let settled = settled.to_bytes(&program);
    let is_less = settled.len() < full.len();
    let fitting = state.to_bytes_within(&program, settled.len() * 7 / 6 + 1);
    assert_eq!(fitting, (settled.clone(), is_less));
    let (bytes, _) = state.to_bytes_within(&program, settled.len() - 1);
    let less = State::from_bytes(&program, &bytes).unwrap();
    assert!(less.recent().len() < MAX_RECENT && !less.recent().is_empty());
    assert_eq!(less.profile, state.profile);
    // A total goes on however much is cut.
    let often = program.cells.iter().position(|c| c.shape() == TOTAL).unwrap();
    let total = state.count(&program, often, NOON + 10 * DAY);
    let (bytes, _) = state.to_bytes_within(&program, 300);
    let less = State::from_bytes(&program, &bytes).unwrap();
    assert_eq!(less.count(&program, often, NOON + 10 * DAY), total);
}

#[test]
fn programs_survive_their_bytes() {
    let program = program(MANIFEST);
    let bytes = program.to_bytes();
    assert_eq!(Program::from_bytes(&bytes), Ok(program.clone()));
    assert_eq!(program.to_bytes(), bytes);
    assert_eq!(Program::id_of(&bytes).len(), 16);
    assert_eq!(Program::from_bytes(b""), Err(ProgramError::Version));
    assert_eq!(
        Program::from_bytes(b"NSP9xxxxxxxxxxxx"),
        Err(ProgramError::Version)
    );
    assert_eq!(Program::from_bytes(b"NSP4xxx"), Err(ProgramError::Checksum));
}

#[test]
fn every_cut_and_every_change_of_a_program_is_an_error() {
    let bytes = program(MANIFEST).to_bytes();
    for end in 0..bytes.len() {
        assert!(Program::from_bytes(&bytes[..end]).is_err(), "{end}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            assert!(Program::from_bytes(&changed).is_err(), "{at}");
        }
    }
}

fn with_checksum(content: &[u8]) -> Vec<u8> {
    let checksum = fnv1a_64(content);
    [content, &checksum.to_le_bytes()].concat()
}

/// Bytes with a right checksum reach the decoder: what it takes must still run.
#[test]
fn changed_programs_with_a_right_checksum_are_errors_or_run() {
    let original = program(MANIFEST);
    let state = busy(&original).to_bytes(&original);
    let bytes = original.to_bytes();
    let content = &bytes[..bytes.len() - 8];
    for end in 4..content.len() {
        assert!(
            Program::from_bytes(&with_checksum(&content[..end])).is_err(),
            "{end}"
        );
    }
    let mut read = 0;
    let mut mutations = Mutations(2);
    for _ in 0..8_000 {
        let mut changed = content[4..].to_vec();
        mutations.apply(&mut changed);
        let changed = [&content[..4], &changed].concat();
        if let Ok(program) = Program::from_bytes(&with_checksum(&changed)) {
            read += 1;
            if let Ok(state) = State::from_bytes(&program, &state) {
                exercise(&program, &state);
            }
            exercise(&program, &busy(&program));
            assert!(Program::from_bytes(&program.to_bytes()).is_ok());
        }
    }
    assert!(read > 1_000, "only {read} changes were read at all");
}

#[test]
fn journals_of_any_kind_are_errors_or_events() {
    let events: Vec<Event> = (0..20)
        .map(|index| {
            event(
                index,
                [EventKind::Page, EventKind::Track, EventKind::Identify][index as usize % 3],
                NOON,
            )
        })
        .collect();
    let (text, skipped) = write_journal(&events);
    assert_eq!(skipped, 0);
    assert_eq!(read_journal(&text, NOON), Ok(events));
    let bytes = base64url::decode(&text).unwrap();
    let program = program(MANIFEST);
    let mut read = 0;
    let mut mutations = Mutations(3);
    for _ in 0..8_000 {
        let mut changed = bytes.clone();
        mutations.apply(&mut changed);
        if let Ok(events) = read_journal(&base64url::encode(&changed), NOON) {
            read += 1;
            let mut state = State::new(&program);
            for event in &events {
                assert!(event.time <= NOON);
                fold(&program, &mut state, event);
            }
            exercise(&program, &state);
            let (text, skipped) = write_journal(&events);
            assert_eq!(read_journal(&text, NOON).unwrap().len(), events.len() - skipped);
        }
    }
    assert!(read > 1_000, "only {read} changes were read at all");
    for wrong in ["A", "é", "AA==", "AAA", "%%%%", &"A".repeat(2_001)] {
        assert_eq!(read_journal(wrong, NOON), Err(Malformed), "{wrong}");
    }
}

#[test]
fn snapshots_survive_json_and_complete_a_state() {
    let mut program = program(MANIFEST);
    program.site.shares_traits = true;
    let origin = busy(&program);
    let snapshot = Snapshot {
        as_of: NOON + DAY,
        state: origin.to_bytes(&program),
    };
    assert_eq!(Snapshot::from_value(&snapshot.to_value()), Ok(snapshot.clone()));
    for wrong in [
        "7",
        "{}",
        r#"{"asOf":1}"#,
        r#"{"asOf":1,"state":"%"}"#,
        r#"{"asOf":-1,"state":""}"#,
    ] {
        assert_eq!(
            Snapshot::from_value(&serde_json::from_str(wrong).unwrap()),
            Err(Malformed),
            "{wrong}"
        );
    }

    // A new browser of somebody whom the origin knows.
    let mut state = State::new(&program);
    fold(&program, &mut state, &event(9_000, EventKind::Page, NOON + DAY));
    state.apply_snapshot(&program, &snapshot).unwrap();
    assert_eq!(state.profile.user_id.as_deref(), Some("ada"));
    assert_eq!(state.profile.traits, origin.profile.traits);
    assert_eq!(state.profile.first_seen_at, NOON);
    assert_eq!(state.profile.snapshot_at, NOON + DAY);
    assert_eq!(state.session.number, 1, "sessions are the browser's own");
    let often = program.cells.iter().position(|c| c.shape() == TOTAL).unwrap();
    assert_eq!(
        state.count(&program, often, NOON + DAY),
        origin.count(&program, often, NOON + DAY)
    );
    // Once more changes nothing; an older one does not set the clock back.
    let once = state.clone();
    state
        .apply_snapshot(
            &program,
            &Snapshot {
                as_of: NOON,
                ..snapshot.clone()
            },
        )
        .unwrap();
    assert_eq!(state, once);

    // Somebody else's is left out.
    let mut bob = State::new(&program);
    let identify = Event {
        user_id: Some("bob".into()),
        ..event(9_001, EventKind::Identify, NOON)
    };
    fold(&program, &mut bob, &identify);
    let before = bob.clone();
    bob.apply_snapshot(&program, &snapshot).unwrap();
    assert_eq!(bob, before);

    // One that was made before the origin knew who this is completes what was done, and is none of this person.
    let mut nameless = State::new(&program);
    fold(
        &program,
        &mut nameless,
        &event(1, EventKind::Track, NOON - MINUTE),
    );
    let nameless = Snapshot {
        as_of: NOON,
        state: nameless.to_bytes(&program),
    };
    bob.apply_snapshot(&program, &nameless).unwrap();
    assert_eq!(
        (bob.count(&program, often, NOON), bob.profile.snapshot_at),
        (1, 0)
    );

    let broken = Snapshot {
        as_of: NOON,
        state: vec![9, 9, 9],
    };
    let before = bob.clone();
    assert_eq!(bob.apply_snapshot(&program, &broken), Err(Malformed));
    assert_eq!(bob, before);
}

/// Anybody can say that they are somebody: what the person told elsewhere stays there, unless the site says
/// that its user ids are proof enough. What they did counts all the same.
#[test]
fn traits_told_in_another_browser_stay_there_unless_the_site_shares_them() {
    let mut program = program(MANIFEST);
    let origin = busy(&program);
    let snapshot = Snapshot {
        as_of: NOON + DAY,
        state: origin.to_bytes(&program),
    };
    let mut claimed = State::new(&program);
    let claim = Event {
        user_id: Some("ada".into()),
        traits: Value::Null,
        ..event(9_002, EventKind::Identify, NOON + DAY)
    };
    fold(&program, &mut claimed, &claim);
    let mut trusted = claimed.clone();
    claimed.apply_snapshot(&program, &snapshot).unwrap();
    assert!(claimed.profile.traits.is_empty());
    let often = program.cells.iter().position(|c| c.shape() == TOTAL).unwrap();
    assert!(claimed.count(&program, often, NOON + DAY) >= origin.count(&program, often, NOON + DAY));
    program.site.shares_traits = true;
    trusted.apply_snapshot(&program, &snapshot).unwrap();
    assert_eq!(trusted.profile.traits, origin.profile.traits);
}

#[test]
fn what_was_told_last_wins_in_a_merge() {
    let program = program(
        r#"{"site":{"traits":"shared"},
            "segments":{"a":{"when":{"profile.traits.plan":"pro","profile.traits.firstName":"x","profile.traits.city":"y"}}}}"#,
    );
    let told = |traits: &str, time: Timestamp| {
        let mut state = State::new(&program);
        let event = Event {
            traits: serde_json::from_str(traits).unwrap(),
            ..event(time as u32, EventKind::Identify, time)
        };
        fold(&program, &mut state, &event);
        state
    };
    let older = told(r#"{"plan":"free","city":"Rome"}"#, NOON);
    let newer = told(r#"{"plan":null,"firstName":"Ada"}"#, NOON + 1);
    for (mine, theirs) in [(&older, &newer), (&newer, &older)] {
        let mut mine = mine.clone();
        let snapshot = Snapshot {
            as_of: NOON,
            state: theirs.to_bytes(&program),
        };
        mine.apply_snapshot(&program, &snapshot).unwrap();
        let traits = Value::Object(mine.profile.traits);
        assert_eq!(
            serde_json::to_string(&traits).unwrap(),
            r#"{"city":"Rome","firstName":"Ada","plan":null}"#
        );
        assert_eq!(mine.profile.traits_at, NOON + 1);
    }
}

/// A state's bytes name cells by their keys: events of one would be read into the other.
#[test]
fn two_cells_with_the_same_key_are_no_program() {
    let mut program = program(MANIFEST);
    assert!(program.cells.len() > 1);
    program.cells[1].key = program.cells[0].key;
    assert_eq!(
        Program::from_bytes(&program.to_bytes()),
        Err(ProgramError::Malformed)
    );
}

/// Without a hash everybody gets the first variant.
#[test]
fn an_experience_without_variants_is_no_program() {
    let mut program = program(MANIFEST);
    program.experiences[1].variants.clear();
    program.experiences[1].assignment.shares.clear();
    program.experiences[1].assignment.hashes = false;
    assert_eq!(
        Program::from_bytes(&program.to_bytes()),
        Err(ProgramError::Malformed)
    );
}

/// A state is never written with a group in which nothing is, so it could not be read again.
#[test]
fn a_cell_that_keeps_no_event_is_no_program() {
    for keep in [Keep::Newest(0), Keep::NewestOfEach(0)] {
        let mut program = program(MANIFEST);
        for cell in &mut program.cells {
            if let CellKind::Events(shape, _) = &mut cell.kind {
                shape.keep = keep;
            }
        }
        assert_eq!(
            Program::from_bytes(&program.to_bytes()),
            Err(ProgramError::Malformed)
        );
    }
}

/// JSON has no such numbers, and nothing that has one is equal to itself.
#[test]
fn numbers_that_are_none_are_malformed() {
    let properties: Object = [("n", Value::Number(f64::NAN))].into_iter().collect();
    let event = Event {
        properties: Value::Object(properties),
        ..event(1, EventKind::Track, NOON)
    };
    let (text, _) = write_journal(&[event]);
    assert_eq!(read_journal(&text, NOON), Err(Malformed));
}

/// Points that cancel each other leave a value of nothing with an instant, which later points are counted from.
#[test]
fn a_score_of_nothing_survives_its_bytes() {
    let program = program(
        r#"{"scores":{"s":{"on":[{"name":"A","points":1},{"type":"page","points":-1}],"halfLife":"1m"}},
            "segments":{"a":{"when":{"score.s":{"$gt":0}}}}}"#,
    );
    let mut state = State::new(&program);
    for index in 0..10 {
        let kind = if index % 2 == 0 {
            EventKind::Track
        } else {
            EventKind::Page
        };
        fold(
            &program,
            &mut state,
            &event(index, kind, NOON + i64::from(index / 2)),
        );
        // A late one is counted from the instant of what is left of those before it.
        fold(&program, &mut state, &event(100 + index, kind, NOON - 12_345));
        let bytes = state.to_bytes(&program);
        assert_eq!(
            State::from_bytes(&program, &bytes).as_ref(),
            Ok(&state),
            "{index}"
        );
    }
}

/// Sums past the largest number are that one, so that the state can be read again.
#[test]
fn huge_numbers_do_not_cost_the_state() {
    let program = program(
        r#"{"segments":{"a":{"when":{"$or":[
                {"$events":{"name":"A","in":"visitor","sum":{"of":"properties.n","$gt":0}}},
                {"$events":{"name":"A","in":"visitor","within":"1d","sum":{"of":"properties.n","$gt":0}}}]}}}}"#,
    );
    let mut state = State::new(&program);
    for index in 0..100 {
        let properties: Value = serde_json::from_str(r#"{"n":1.7e308}"#).unwrap();
        let event = Event {
            properties,
            ..event(index, EventKind::Track, NOON + i64::from(index))
        };
        fold(&program, &mut state, &event);
        let bytes = state.to_bytes(&program);
        assert_eq!(
            State::from_bytes(&program, &bytes).as_ref(),
            Ok(&state),
            "{index}"
        );
    }
}

#[test]
fn page_states_survive_json() {
    let text = r#"{"applied":[["a","v",[1,2]]],"confirmed":[7,4294967295],"now":1795262400000,
        "pageView":{"id":"m","time":1795262400000},"program":"p","request":{"geo":{"country":"FR"}},"state":"AQ",
        "v":1,"visitor":"x"}"#;
    let value: Value = serde_json::from_str(text).unwrap();
    let state = PageState::from_value(&value).unwrap();
    assert_eq!(state.to_value(), value);
    for (from, to) in [
        (r#""v":1"#, r#""v":2"#),
        (r#""visitor":"x""#, r#""visitor":7"#),
        (r#""state":"AQ""#, r#""state":"A""#),
        (r#""now":1795262400000"#, r#""now":"soon""#),
        (r#""now":1795262400000"#, r#""now":"1969-12-31T23:59:59Z""#),
        (r#"[["a","v",[1,2]]]"#, r#"[["a","v"]]"#),
        (r#""id":"m","time":1795262400000"#, r#""id":"m""#),
    ] {
        let wrong = text.replace(from, to);
        assert_ne!(wrong, text);
        assert_eq!(
            PageState::from_value(&serde_json::from_str(&wrong).unwrap()),
            Err(Malformed),
            "{to}"
        );
    }
}
