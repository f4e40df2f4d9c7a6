//! The engine as a page has it: the program as bytes, attributes as JSON text, decisions as numbers.

use nearside_browser_sdk::json;
use nearside_engine::decide::{Context, decide};
use nearside_engine::event::{Event, EventKind};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::value::{Object, Value};
use wasm_bindgen::prelude::wasm_bindgen;

/// A program, to decide its features for one visitor after the other.
#[wasm_bindgen]
pub struct Features {
    program: Program,
    request: Request,
}

#[wasm_bindgen]
impl Features {
    /// Opens a program; `undefined` if it can't be read.
    pub fn open(program: &[u8]) -> Option<Features> {
        Some(Self {
            program: Program::from_bytes(program).ok()?,
            request: Request::new("https://shop.example/", Object::new()),
        })
    }

    /// As JSON, each feature's name and the values that it may have: the default, then each rule's variants.
    pub fn values(&self) -> String {
        let features = self.program.features.iter().map(|feature| {
            let rules = feature.rules.iter();
            let given = rules
                .flat_map(|rule| &rule.variants)
                .map(|variant| variant.value.clone());
            let values: Vec<Value> = std::iter::once(feature.default.clone()).chain(given).collect();
            Value::from(vec![Value::from(feature.id.as_str()), Value::from(values)])
        });
        json::write(&Value::from(features.collect::<Vec<_>>()))
    }

    /// Decides all features for a visitor with these attributes: for each, the place of its value.
    pub fn decide(&self, visitor_id: &str, attributes: &str, now: f64) -> Option<Vec<u16>> {
        let now = now as i64;
        let identify = Event {
            key: 1,
            kind: EventKind::Identify,
            name: String::new(),
            time: now,
            properties: Value::Null,
            context: Value::Null,
            traits: json::read(attributes)?,
            user_id: None,
            anonymous_id: None,
        };
        let mut state = State::new(&self.program);
        fold(&self.program, &mut state, &identify);
        let context = Context {
            visitor_id,
            request: &self.request,
            consent: true,
            forced: &[],
        };
        let decisions = decide(&self.program, &state, &context, now);
        let features = self.program.features.iter().zip(&decisions.features);
        let place = features.map(|(feature, decision)| match (decision.rule, decision.variant) {
            (Some(rule), Some(variant)) => {
                let before = feature.rules.iter().take(usize::from(rule));
                let before: usize = before.map(|rule| rule.variants.len()).sum();
                1 + before as u16 + variant
            }
            _ => 0,
        });
        Some(place.collect())
    }
}
