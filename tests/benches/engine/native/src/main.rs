//! Decides GrowthBook's features for one visitor after the other: with the engine, and with GrowthBook's SDK.
//!
//! `nearside-bench-native FOLDER` reads `payload.json`, `manifest.json` (the same as a manifest) and
//! `visitors.json` (their attributes), checks that both give the same values, and writes the medians, in
//! microseconds for each visitor, to `native.json`.

#[path = "../../../../src/timing.rs"]
mod timing;

use growthbook_rust::client::GrowthBookClientBuilder;
use growthbook_rust::dto::GrowthBookResponse;
use growthbook_rust::growthbook::GrowthBook;
use growthbook_rust::model_public::GrowthBookAttribute;
use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, Decisions, decide};
use nearside_engine::event::{Event, EventKind};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::value::{Object, Value};
use serde_json::{Value as Json, json};
use std::hint::black_box;
use std::path::Path;
use timing::in_turn;

const NOW: i64 = 1_795_262_400_000;
const ROUNDS: usize = 60;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder is named");
    let folder = Path::new(&folder);
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the file is there");
    let ours = Ours::new(&serde_json::from_str(&text("manifest.json")).expect("a manifest"));
    let peer = peer(&text("payload.json"));
    let visitors: Vec<Json> = serde_json::from_str(&text("visitors.json")).expect("visitors");
    // Each side gets the attributes in its own types; that they come as text is no part of the comparison.
    let events: Vec<Visitor> = visitors.iter().map(Visitor::new).collect();
    let attributes: Vec<_> = visitors
        .into_iter()
        .map(|visitor| Some(GrowthBookAttribute::from(visitor).expect("attributes")))
        .collect();

    let mut decided_by_rule = 0;
    for (visitor, attributes) in events.iter().zip(&attributes) {
        let decisions = ours.decide(visitor);
        for (place, feature) in ours.program.features.iter().enumerate() {
            let decision = &decisions.features[place];
            let value = serde_json::to_value(decision.value(feature)).expect("a value");
            let theirs = peer.check(&feature.id, attributes).value;
            assert_eq!(plain(&value), plain(&theirs), "{} of {}", feature.id, visitor.id);
            decided_by_rule += usize::from(decision.rule.is_some());
        }
    }
    let all = events.len() * ours.program.features.len();
    let share = decided_by_rule as f64 / all as f64;
    assert!(
        (0.2..0.8).contains(&share),
        "conditions that tell nobody apart: {share}"
    );

    let (ours_time, peer_time) = in_turn(
        ROUNDS,
        events.len(),
        || {
            for visitor in &events {
                let decisions = ours.decide(visitor);
                let features = ours.program.features.iter().zip(&decisions.features);
                for (feature, decision) in features {
                    black_box(decision.value(feature));
                }
            }
        },
        || {
            for attributes in &attributes {
                for feature in &ours.program.features {
                    black_box(peer.check(&feature.id, attributes));
                }
            }
        },
    );
    let times = json!({"ours": ours_time, "peer": peer_time, "by_rule": share});
    std::fs::write(folder.join("native.json"), times.to_string()).expect("the folder can be written");
}

struct Ours {
    program: Program,
    request: Request,
}

struct Visitor {
    id: String,
    identify: Event,
}

impl Visitor {
    fn new(attributes: &Json) -> Self {
        let id = attributes["id"].as_str().expect("an id").to_owned();
        let identify = Event {
            key: 1,
            kind: EventKind::Identify,
            name: String::new(),
            time: NOW,
            properties: Value::Null,
            context: Value::Null,
            traits: serde_json::from_value(attributes.clone()).expect("traits"),
            user_id: None,
            anonymous_id: None,
        };
        Self { id, identify }
    }
}

impl Ours {
    fn new(manifest: &Value) -> Self {
        let (program, warnings) = compile(manifest);
        assert_eq!(warnings, []);
        Self {
            program,
            request: Request::new("https://shop.example/", Object::new()),
        }
    }

    /// All of the way from a visitor's attributes to decisions, with nothing kept from the visitor before.
    fn decide(&self, visitor: &Visitor) -> Decisions {
        let mut state = State::new(&self.program);
        fold(&self.program, &mut state, &visitor.identify);
        let context = Context {
            visitor_id: &visitor.id,
            request: &self.request,
            consent: true,
            forced: &[],
        };
        decide(&self.program, &state, &context, NOW)
    }
}

/// The part of GrowthBook's SDK that decides, without the client around it, which costs more.
fn peer(payload: &str) -> GrowthBook {
    let response: GrowthBookResponse = serde_json::from_str(payload).expect("a payload");
    let client = GrowthBookClientBuilder::new()
        .features(response.features.expect("features"))
        .saved_groups(response.saved_groups.unwrap_or(Json::Null))
        .build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let client = runtime.block_on(client).expect("a client without a network");
    client.gb.read().expect("nobody has panicked").clone()
}

/// JSON as JavaScript sees it: `1` is `1.0`.
fn plain(json: &Json) -> Json {
    match json {
        Json::Number(number) => json!(number.as_f64()),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        other => other.clone(),
    }
}
