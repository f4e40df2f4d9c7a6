//! A case's context as a visit: a payload, a program, a visitor's state, a page.

use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, Decisions, decide};
use nearside_engine::event::{Event, EventKind};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::redirect;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::sticky::{Remembered, key_of, variant_key};
use nearside_engine::time::Timestamp;
use nearside_engine::value::{Object, Value};
use nearside_origin::growthbook::{Attributes, Imported, Options, import};

const NOW: Timestamp = 1_795_262_400_000;

/// What was decided for a case.
pub(super) struct Visit {
    pub(super) imported: Imported,
    pub(super) program: Program,
    pub(super) decisions: Decisions,
    pub(super) state: State,
    /// Where the page sends the visitor.
    pub(super) redirect: Option<String>,
}

/// What a section adds to a context.
#[derive(Default)]
pub(super) struct Extra<'e> {
    pub(super) experiments: Option<Value>,
    /// The documents of a sticky bucket service, which there is if this is some.
    pub(super) documents: Option<&'e [Value]>,
}

impl Visit {
    pub(super) fn new(context: &Value, extra: &Extra<'_>) -> Self {
        let mut payload = context.as_object().cloned().unwrap_or_default();
        if let Some(experiments) = &extra.experiments {
            payload.insert("experiments", experiments.clone());
        }
        let options = Options {
            attributes: Attributes::traits(),
            sticky: extra.documents.is_some(),
            qa: context.get("qaMode") == &Value::Bool(true),
        };
        let imported = import(&Value::Object(payload), &options);
        let (program, _) = compile(&imported.manifest);
        // Through its bytes, as the edge has it.
        let program = Program::from_bytes(&program.to_bytes()).unwrap();
        let mut state = State::new(&program);
        fold(&program, &mut state, &identify(context));
        for entry in remembered(extra.documents.unwrap_or_default()) {
            state.remember_assignment(entry);
        }
        let request = Request::new(&address(context), Object::new());
        let question = Context {
            visitor_id: "",
            request: &request,
            consent: context.get("enabled") != &Value::Bool(false),
            forced: &[],
        };
        let decisions = decide(&program, &state, &question, NOW);
        let redirect = redirect::redirect(&program, &state, &question, &decisions, NOW)
            .filter(|address| address != request.url());
        state.keep_sticky(&program, &question, &decisions, NOW);
        Self {
            imported,
            program,
            decisions,
            state,
            redirect,
        }
    }
}

/// The attributes, told as traits.
fn identify(context: &Value) -> Event {
    let mut traits = context.get("attributes").as_object().cloned().unwrap_or_default();
    // What a server resolved goes into the attribute that stands for it.
    if let groups @ Value::Array(_) = context.get("remoteGroupIds") {
        traits.insert("__gb_remoteGroupIds", groups.clone());
    }
    Event {
        key: 1,
        kind: EventKind::Identify,
        name: String::new(),
        time: NOW,
        properties: Value::Null,
        context: Value::Null,
        traits: Value::Object(traits),
        user_id: None,
        anonymous_id: None,
    }
}

/// The page's address. A variant that the context forces is asked for in the query, which comes to the same.
fn address(context: &Value) -> String {
    let mut address = context.get("url").as_str().unwrap_or_default().to_owned();
    let forced = context.get("forcedVariations").as_object();
    for (name, place) in forced.into_iter().flat_map(Object::iter) {
        let separator = if address.contains('?') { '&' } else { '?' };
        address.push_str(&format!("{separator}{name}={}", place.to_text()));
    }
    address
}

/// The entries of the sticky buckets' documents: `{"attributeName", "attributeValue", "assignments"}`.
pub(super) fn remembered<'d>(documents: impl IntoIterator<Item = &'d Value>) -> Vec<Remembered> {
    let mut entries = Vec::new();
    for document in documents {
        let name = document.get("attributeName").as_str().unwrap_or_default();
        let value = document.get("attributeValue").as_str().unwrap_or_default();
        let path = ["profile", "traits", name].map(str::to_owned);
        let assignments = document.get("assignments").as_object();
        for (key, variant) in assignments.into_iter().flat_map(Object::iter) {
            let (experiment, version) = key.rsplit_once("__").unwrap_or((key, "0"));
            entries.push(Remembered {
                key: key_of(experiment, &path, value),
                version: version.parse().unwrap(),
                variant: variant_key(variant.as_str().unwrap_or_default()),
            });
        }
    }
    entries.sort_by_key(|entry| (entry.key, entry.version));
    entries
}
