//! A shop's segments and experiences, and what a visitor does there.

use nearside_engine::compile::compile;
use nearside_engine::event::{Event, EventKind};
use nearside_engine::program::Program;
use nearside_engine::time::{HOUR, MINUTE, SECOND, Timestamp};
use nearside_engine::value::{Object, Value};
use nearside_tests::corpus::Random;
use serde_json::{Value as Json, json};

/// 2026-08-01T00:00:00Z.
const BEGIN: Timestamp = 1_785_542_400_000;
const EXPERIENCES: usize = 50;
pub(crate) const CATEGORIES: usize = 20;
const WINDOWS: [&str; 5] = ["1h", "1d", "7d", "14d", "30d"];
const HALF_LIVES: [&str; 3] = ["1d", "3d", "14d"];
const NAMES: [&str; 7] = [
    "Product Viewed",
    "Product Added",
    "Product Removed",
    "Products Searched",
    "Checkout Started",
    "Order Completed",
    "Newsletter Opened",
];

/// What segments are about, and what visitors do.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A shop with 20 categories: some segments are about all of what visitors do, most about one category.
    Shop,
    /// So many separate themes: each event, and each segment, is about one of them.
    Themes(usize),
}

impl Kind {
    /// A program with so many segments, a third each counts, sequences and scores, and 50 experiences.
    pub(crate) fn program(self, segments: usize) -> Program {
        let random = &mut Random::new(3);
        let (mut named, mut scores) = (serde_json::Map::new(), serde_json::Map::new());
        for place in 0..segments {
            let matchers = self.matchers(random, place);
            let within = random.one(&WINDOWS);
            let when = match place / self.themes().unwrap_or(1) % 3 {
                0 => {
                    let mut events = matchers[0].clone();
                    events["in"] = json!("visitor");
                    events["within"] = json!(within);
                    events["count"] = json!({"$gte": random.one(&[1, 2, 3, 5])});
                    json!({"$events": events})
                }
                1 => {
                    let mut steps = matchers.to_vec();
                    if place % 2 == 0 {
                        steps.truncate(1);
                        steps.push(json!({"not": matchers[1], "for": "15m"}));
                    }
                    json!({"$sequence": {"steps": steps, "within": within, "in": "visitor"}})
                }
                _ => {
                    let on: Vec<Json> = matchers
                        .iter()
                        .zip([1, 5])
                        .map(|(matcher, points)| {
                            let mut one = matcher.clone();
                            one["points"] = json!(points);
                            one
                        })
                        .collect();
                    scores.insert(
                        format!("score-{place}"),
                        json!({"on": on, "halfLife": random.one(&HALF_LIVES), "cap": 100}),
                    );
                    let mut when = serde_json::Map::new();
                    when.insert(
                        format!("score.score-{place}"),
                        json!({"$gte": random.one(&[3, 10, 25])}),
                    );
                    Json::Object(when)
                }
            };
            named.insert(format!("segment-{place:04}"), json!({"when": when}));
        }
        let experiences: Vec<Json> = (0..EXPERIENCES)
            .map(|place| experience(random, place, segments))
            .collect();
        let manifest = json!({"segments": named, "scores": scores, "experiences": experiences});
        let (program, warnings) = compile(&serde_json::from_value(manifest).unwrap());
        assert_eq!(warnings, [], "the manifest has a mistake");
        program
    }

    fn themes(self) -> Option<usize> {
        match self {
            Kind::Shop => None,
            Kind::Themes(themes) => Some(themes),
        }
    }

    /// Two kinds of events that a segment is about.
    fn matchers(self, random: &mut Random, place: usize) -> [Json; 2] {
        match self {
            Kind::Themes(themes) => {
                let name = format!("Theme {}", place % themes);
                [
                    json!({"name": name}),
                    json!({"name": name, "where": {"properties.step": 1}}),
                ]
            }
            Kind::Shop => {
                let category = json!({"properties.category": category(place)});
                let later = random.one(&["Product Added", "Checkout Started", "Order Completed"]);
                let first = match place % 5 {
                    0 => json!({"type": "page", "where": category}),
                    1 | 2 => json!({"name": "Product Viewed", "where": category}),
                    3 => {
                        json!({"name": "Product Added", "where": {"properties.price": {"$gte": 10 * random.below(15)}}})
                    }
                    _ => json!({"name": random.one(&NAMES[1..])}),
                };
                [first, json!({"name": later, "where": category})]
            }
        }
    }

    /// So many events of one visitor: visits of some twenty events, five a day.
    pub(crate) fn events(self, count: usize) -> Vec<Event> {
        let random = &mut Random::new(5);
        let mut time = BEGIN;
        (0..count)
            .map(|place| {
                time += match place % 20 {
                    0 => 2 * HOUR + random.span(5 * HOUR),
                    _ => 5 * SECOND + random.span(2 * MINUTE),
                };
                self.event(random, place, time)
            })
            .collect()
    }

    fn event(self, random: &mut Random, place: usize, time: Timestamp) -> Event {
        let mut properties = Object::new();
        let (kind, name) = match self {
            Kind::Themes(themes) => {
                properties.insert("step", random.below(2) as f64);
                (EventKind::Track, format!("Theme {}", random.below(themes)))
            }
            Kind::Shop => {
                // Some categories are looked at more than others.
                let looked_at = category(random.below(CATEGORIES).min(random.below(CATEGORIES)));
                properties.insert("category", looked_at);
                properties.insert("price", random.below(200) as f64);
                match random.below(100) {
                    0..40 => (EventKind::Page, String::new()),
                    40..75 => (EventKind::Track, NAMES[0].to_owned()),
                    75..85 => (EventKind::Track, NAMES[1].to_owned()),
                    _ => (EventKind::Track, random.one(&NAMES[2..]).to_owned()),
                }
            }
        };
        Event {
            // Any number that no other event has.
            key: (place as u32).wrapping_mul(0x9e37_79b1),
            kind,
            name,
            time,
            properties: Value::Object(properties),
            context: Value::Null,
            traits: Value::Null,
            user_id: None,
            anonymous_id: None,
        }
    }
}

fn category(place: usize) -> String {
    format!("category-{}", place % CATEGORIES)
}

/// Three of four are for a segment, every other is for some pages, every fifth is in a group.
fn experience(random: &mut Random, place: usize, segments: usize) -> Json {
    let mut made = json!({
        "id": format!("experience-{place}"),
        "variants": [
            {"id": "control", "weight": 1},
            {"id": "changed", "weight": 1, "mutations": [{"op": "text", "selector": "h1", "value": "Hello, {{profile.traits.firstName|you}}"}]},
        ],
    });
    if !place.is_multiple_of(4) {
        made["segment"] = json!(format!("segment-{:04}", random.below(segments)));
    }
    match place % 4 {
        0 => made["pages"] = json!([{"path": "/"}]),
        2 => made["pages"] = json!([{"path": "/products/*"}, {"path": "/cart"}]),
        _ => {}
    }
    if place.is_multiple_of(5) {
        made["group"] = json!(["hero", "bar"][place / 5 % 2]);
        made["priority"] = json!(random.below(5));
    }
    if place.is_multiple_of(3) {
        made["holdout"] = json!(0.1);
    }
    made
}
