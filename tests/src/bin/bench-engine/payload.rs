//! A payload of GrowthBook's with 100 features, and visitors to decide them for.

use nearside_tests::corpus::Random;
use serde_json::{Value as Json, json};

pub(crate) const FEATURES: usize = 100;
const VISITORS: usize = 100;

const COUNTRIES: [&str; 8] = ["FR", "DE", "AT", "CH", "US", "GB", "JP", "BR"];
const PLANS: [&str; 4] = ["free", "starter", "pro", "enterprise"];
const BROWSERS: [&str; 4] = ["chrome", "firefox", "safari", "edge"];
const TAGS: [&str; 6] = ["beta", "vip", "newsletter", "student", "partner", "press"];
const HOSTS: [&str; 4] = ["gmail.com", "acme.example", "mail.acme.example", "uni.example"];
const CATEGORIES: [&str; 4] = ["bikes", "tents", "shoes", "hats"];

/// Saved groups, and features that each have a value for some visitors and an experiment or a rollout for others.
pub(crate) fn payload() -> Json {
    let random = &mut Random::new(7);
    let mut features = serde_json::Map::new();
    for place in 0..FEATURES {
        let name = format!("feature-{place:03}");
        let forced = condition(random, place);
        let tested = condition(random, place * 7 + 3);
        let values = values(place);
        let second = if place % 2 == 0 {
            json!({
                "key": format!("experiment-{place}"),
                "condition": tested,
                "hashAttribute": "id",
                "hashVersion": 2,
                "seed": format!("seed-{place}"),
                "variations": [values[0], values[1], values[2]],
                "weights": [0.5, 0.25, 0.25],
                "coverage": random.one(&[0.5, 0.8, 1.0]),
                "meta": [{"key": "control"}, {"key": "a"}, {"key": "b"}],
            })
        } else {
            json!({
                "condition": tested,
                "hashAttribute": "id",
                "coverage": random.one(&[0.1, 0.5, 0.9]),
                "force": values[2],
            })
        };
        features.insert(
            name,
            json!({"defaultValue": values[0], "rules": [{"condition": forced, "force": values[1]}, second]}),
        );
    }
    let members = |step: usize| -> Vec<String> { (0..50).map(|n| format!("visitor-{}", n * step)).collect() };
    json!({
        "features": features,
        "savedGroups": {"staff": members(2), "testers": members(3), "friends": members(5)},
    })
}

/// Three values that differ.
fn values(place: usize) -> [Json; 3] {
    match place % 4 {
        0 => [json!("control"), json!("large"), json!("compact")],
        1 => [json!(10), json!(20), json!(0.5)],
        2 => [
            json!({"columns": 3}),
            json!({"columns": 4, "title": "New"}),
            json!({"columns": 2}),
        ],
        _ => [json!(false), json!(true), json!("only for some")],
    }
}

/// One of ten kinds of conditions, so that 100 features have each of them in the same measure.
fn condition(random: &mut Random, place: usize) -> Json {
    match place % 10 {
        0 => json!({"country": random.one(&COUNTRIES), "loggedIn": true}),
        1 => json!({"country": {"$in": [random.one(&COUNTRIES), random.one(&COUNTRIES), "FR", "US"]},
                    "plan": {"$nin": ["free", random.one(&PLANS)]}}),
        2 => {
            json!({"age": {"$gte": 18 + random.below(10), "$lt": 40 + random.below(30)}, "cartTotal": {"$gt": random.below(100)}})
        }
        3 => json!({"appVersion": {"$vgte": format!("2.{}.0", random.below(8)), "$vlt": "10.0.0"}}),
        4 => {
            json!({"email": {"$regex": format!("^[a-z]+\\.{}[0-9]*@(.+\\.)?{}$", random.one(&["a", "b", "[a-m]"]), "(acme|uni)\\.example")}})
        }
        5 => {
            json!({"cart": {"$elemMatch": {"category": random.one(&CATEGORIES), "price": {"$gt": random.below(150)}}}})
        }
        6 => json!({"$or": [
            {"$and": [{"plan": random.one(&PLANS)}, {"browser": {"$ne": random.one(&BROWSERS)}}]},
            {"$and": [{"company.size": {"$gt": 50 * random.below(8)}}, {"$not": {"country": {"$in": ["US", random.one(&COUNTRIES)]}}}]},
            {"$nor": [{"loggedIn": true}, {"sessions": {"$lt": random.below(40)}}]},
        ]}),
        7 => {
            json!({"id": {"$inGroup": random.one(&["staff", "testers", "friends"])}, "country": {"$ne": "BR"}})
        }
        8 => json!({"tags": {"$all": [random.one(&TAGS)]}, "invitedBy": {"$exists": random.chance(50)}}),
        _ => {
            json!({"browser": {"$in": [random.one(&BROWSERS), random.one(&BROWSERS)]}, "tags": {"$size": {"$gte": 1 + random.below(2)}},
                    "company.name": {"$exists": true}})
        }
    }
}

/// What is known of the visitors.
pub(crate) fn visitors() -> Vec<Json> {
    let random = &mut Random::new(11);
    (0..VISITORS)
        .map(|place| {
            let cart: Vec<Json> = (0..random.below(4))
                .map(|_| json!({"category": random.one(&CATEGORIES), "price": random.below(200)}))
                .collect();
            let first = TAGS.iter().skip(random.below(TAGS.len()));
            let tags: Vec<&&str> = first.take(random.below(4)).collect();
            let letters = random.one(&["ada.a", "bob.b", "eve.f", "kim.z"]);
            let mut visitor = json!({
                "id": format!("visitor-{}", place * 3 % 120),
                "country": random.one(&COUNTRIES),
                "plan": random.one(&PLANS),
                "browser": random.one(&BROWSERS),
                "loggedIn": random.chance(60),
                "age": 16 + random.below(60),
                "cartTotal": random.below(20_000) as f64 / 100.0,
                "sessions": random.below(80),
                "appVersion": format!("{}.{}.{}", 1 + random.below(11), random.below(10), random.below(10)),
                "email": format!("{letters}{}@{}", random.below(100), random.one(&HOSTS)),
                "cart": cart,
                "tags": tags,
                "company": {"size": random.below(500), "name": "Acme"},
            });
            if random.chance(50) {
                visitor["invitedBy"] = json!("ada");
            }
            visitor
        })
        .collect()
}
