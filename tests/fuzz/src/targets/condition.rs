//! A condition, and documents that it is asked about: a JSON text a line.

use crate::drive;
use nearside_engine::compile::compile;
use nearside_engine::decide::decide;
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::replay::LoggedEvent;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::value::{Object, Value};

const MAX_DOCUMENTS: usize = 8;

pub(crate) fn run(data: &[u8]) -> bool {
    let mut lines = data.split(|byte| *byte == b'\n');
    let Some(Ok(condition)) = lines.next().map(serde_json::from_slice::<Value>) else {
        return false;
    };
    let Some(program) = program(condition) else {
        return false;
    };
    let mut state = State::new(&program);
    check(&program, &state, "/", Object::new());
    for line in lines.take(MAX_DOCUMENTS) {
        let Ok(document) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        if let Ok(logged) = LoggedEvent::read(1, &document, None) {
            fold(&program, &mut state, &logged.event);
        }
        let url = document.get("url").as_str().unwrap_or("/").to_owned();
        check(
            &program,
            &state,
            &url,
            document.as_object().cloned().unwrap_or_default(),
        );
    }
    true
}

/// A condition, twice what it is, and twice what it is not; as a condition on events, too.
fn program(condition: Value) -> Option<Program> {
    let object = |name: &str, value: Value| Value::Object([(name, value)].into_iter().collect());
    let list = Value::Array(vec![condition.clone()]);
    let segments: Object = [
        ("1", condition.clone()),
        ("2", object("$and", list.clone())),
        ("3", object("$or", list.clone())),
        ("4", object("$not", condition.clone())),
        ("5", object("$nor", list)),
        ("6", object("$events", object("where", condition))),
    ]
    .into_iter()
    .map(|(name, when)| (name, object("when", when)))
    .collect();
    let (program, _) = compile(&object("segments", Value::Object(segments)));
    let bytes = program.to_bytes();
    assert_eq!(Program::from_bytes(&bytes).as_ref(), Ok(&program));
    (!program.segments.is_empty()).then_some(program)
}

fn check(program: &Program, state: &State, url: &str, document: Object) {
    let request = Request::new(url, document);
    let decisions = decide(program, state, &drive::context_of(&request), drive::NOON);
    let member = |name: &str| {
        let place = program.segments.iter().position(|segment| segment.id == name)?;
        decisions.segments.get(place).copied()
    };
    let Some(holds) = member("1") else { return };
    for (name, expected) in [("2", holds), ("3", holds), ("4", !holds), ("5", !holds)] {
        // The outer ones nest a level deeper, which may be one too many.
        assert_eq!(member(name).unwrap_or(expected), expected, "segment {name}");
    }
}
