//! Random manifests and random sessions: the same seed gives the same ones, everywhere and for ever.
//!
//! What is allowed to differ between folded state and the whole log is not made here:
//! - counts of more than 32 events are tested without a window only: in a window they may be off by 1/32 of it;
//! - an event comes again within the next 50 events of its visitor: state knows the newest 64 by their keys;
//! - a trait's value is short: state keeps traits of up to 256 bytes;
//! - prices are multiples of a quarter: their sums are exact in any order.
//!
//! No manifest has a mistake, and each message is a valid event.

use nearside_engine::state::SESSION_GAP;
use nearside_engine::time::{DAY, HOUR, MINUTE, SECOND, Timestamp, format_timestamp};
use nearside_engine::value::Value;
use serde_json::{Value as Json, json};

/// 2026-11-02T00:00:00Z: no session is before it, apart from late events.
const BEGIN: Timestamp = 1_793_577_600_000;

const NAMES: [&str; 4] = ["Product Viewed", "Product Added", "Order Completed", "Signed Up"];
const CATEGORIES: [&str; 4] = ["bikes", "cars", "hats", "Bikes & more"];
const PATHS: [&str; 5] = [
    "/",
    "/products/bikes/1",
    "/products/hats/2.html",
    "/cart",
    "/über/uns",
];
const COUNTRIES: [&str; 4] = ["FR", "DE", "AT", "JP"];
const PLANS: [&str; 3] = ["free", "pro", "gold"];
const TAGS: [&str; 4] = ["red", "new", "sale", "xl"];
/// The lengths of windows: among them a session's gap, so that both end at once.
const WINDOWS: [(&str, i64); 7] = [
    ("250ms", 250),
    ("30s", 30 * SECOND),
    ("10m", 10 * MINUTE),
    ("30m", SESSION_GAP),
    ("2h", 2 * HOUR),
    ("1d", DAY),
    ("7d", 7 * DAY),
];

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>): small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit as u64) as usize
    }

    /// An instant or a duration of at least 0 and below `limit`, which is not 0.
    pub fn span(&mut self, limit: i64) -> i64 {
        (self.number() % limit.unsigned_abs()) as i64
    }

    /// True in `percent` of all cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A manifest without mistakes.
pub fn manifest(seed: u64) -> Value {
    let random = &mut Random::new(seed ^ 0x006d_616e_6966_6573);
    let count = 4 + random.below(7);
    // The names' order is not the one in which the segments refer to each other.
    let mut names: Vec<String> = (0..count).map(|index| format!("s{index}")).collect();
    for index in (1..count).rev() {
        names.swap(index, random.below(index + 1));
    }
    let mut segments = serde_json::Map::new();
    for index in 0..count {
        let when = condition(random, &names[..index], 3);
        segments.insert(names[index].clone(), json!({"when": when}));
    }
    let experiences: Vec<Json> = (0..3 + random.below(5))
        .map(|index| experience(random, index, &names))
        .collect();
    let mut manifest = json!({"segments": segments, "experiences": experiences});
    manifest["scores"] = json!({
        "engaged": {"on": [{"name": "Product Viewed", "points": 1}, {"name": "Order Completed", "points": 10}],
                    "halfLife": random.one(&["10m", "1d"]), "cap": random.one(&[12, 100])},
        "seen": {"on": [{"type": "page", "points": 0.5}, {"where": event_condition(random), "points": 2}],
                 "halfLife": random.one(&["30s", "2h", "7d"])},
    });
    manifest["affinities"] = json!({
        "category": {"of": "properties.category", "on": [{"name": "Product Viewed"}, {"type": "page", "points": 0.3}],
                     "halfLife": random.one(&["2h", "7d"]), "keep": random.one(&[1, 2, 8])},
    });
    manifest["groups"] = json!({"payers": ["pro", "gold"], "some": ["user-1", "user-2", 30]});
    manifest["features"] = features(random, &names);
    if random.chance(60) {
        attributes(random, &mut manifest);
    }
    to_value(manifest)
}

/// How old traits may be: of some of those that anything reads.
fn attributes(random: &mut Random, manifest: &mut Json) {
    let whole = manifest.to_string();
    let mut made = serde_json::Map::new();
    for (path, default) in [
        ("profile.traits.plan", json!(random.one(&PLANS))),
        ("profile.traits.age", json!(30)),
        ("profile.traits.tags", json!([random.one(&TAGS), 7])),
        ("profile.traits.address", json!({"city": "Wien"})),
        ("profile.traits.address.city", json!(7)),
        ("profile.traits.firstName", json!("friend")),
    ] {
        if !whole.contains(path) || random.chance(30) {
            continue;
        }
        let mut aging = json!({"maxAge": random.one(&WINDOWS).0});
        match random.below(5) {
            0 => {}
            1 => aging["whenStale"] = json!("use"),
            2 => aging["whenStale"] = json!("unknown"),
            _ => aging["whenStale"] = json!({"default": default}),
        }
        made.insert(path.to_owned(), aging);
    }
    manifest["attributes"] = Json::Object(made);
}

fn features(random: &mut Random, names: &[String]) -> Json {
    let mut made = serde_json::Map::new();
    for index in 0..random.below(4) {
        let rules: Vec<Json> = (0..1 + random.below(3))
            .map(|_| {
                let mut rule = json!({"when": condition(random, names, 1)});
                match random.below(3) {
                    0 => rule["value"] = json!(random.below(5)),
                    _ => {
                        rule["variants"] = json!([{"id": "a", "value": "a"}, {"id": "b", "value": "b"}]);
                        assignment(random, &mut rule);
                    }
                }
                if index > 0 && random.chance(30) {
                    let other = format!("f{}", random.below(index));
                    rule["requires"] = json!({"$feature": {"id": other, "is": {"$in": ["a", 1, 2, "off"]}}});
                }
                rule
            })
            .collect();
        made.insert(format!("f{index}"), json!({"default": "off", "rules": rules}));
    }
    Json::Object(made)
}

/// How visitors are assigned: to what, how many, and whether they keep it.
fn assignment(random: &mut Random, made: &mut Json) {
    if random.chance(20) {
        made["holdout"] = json!(random.one(&[0.1, 0.3]));
    }
    if random.chance(20) {
        made["traffic"] = json!(random.one(&[0.5, 0.9]));
    } else if random.chance(20) {
        let from = BEGIN + random.span(5 * DAY);
        made["traffic"] = json!([
            {"from": format_timestamp(from), "share": 0.2},
            {"from": format_timestamp(from + 1 + random.span(5 * DAY)), "share": 0.8},
        ]);
    }
    if random.chance(20) {
        made["hashAttribute"] = json!(random.one(&["profile.userId", "profile.traits.age"]));
        made["fallbackAttribute"] = json!("visitor.id");
    }
    if random.chance(25) {
        made["sticky"] = json!(true);
    }
    if random.chance(10) {
        made["filters"] = json!([{"seed": "layer", "ranges": [[0, 0.6]]}]);
    }
}

fn experience(random: &mut Random, index: usize, names: &[String]) -> Json {
    let variants: Vec<Json> = (0..1 + random.below(3))
        .map(|variant| {
            let mut made = json!({"id": format!("v{variant}")});
            if random.chance(60) {
                made["weight"] = json!(random.one(&[0.5, 1.0, 2.0, 3.0]));
            }
            if random.chance(30) {
                made["mutations"] = json!([
                    {"op": "text", "selector": "h1", "value": "Hi, {{profile.traits.firstName|you}}"},
                    {"op": "addClass", "selector": "body", "value": "x"},
                ]);
            }
            made
        })
        .collect();
    let mut made = json!({"id": format!("e{index}"), "variants": variants});
    if random.chance(40) {
        let pages: Vec<Json> = (0..1 + random.below(2))
            .map(|_| {
                random
                    .one(&[
                        ("path", "/"),
                        ("path", "/products/*"),
                        ("path", "/products/:kind/:item.html"),
                        ("path", "*"),
                        ("url", "https://shop.example/*"),
                        ("url", "*utm_source=mail*"),
                    ])
                    .into_json()
            })
            .collect();
        made["pages"] = json!(pages);
    }
    match random.below(4) {
        0 => {}
        1 => made["when"] = condition(random, names, 2),
        _ => made["segment"] = json!(names[random.below(names.len())]),
    }
    assignment(random, &mut made);
    if random.chance(15) {
        made["purpose"] = json!(random.one(&["personalization", "ads"]));
    }
    if random.chance(40) {
        made["group"] = json!(random.one(&["hero", "bar"]));
        made["priority"] = json!(random.below(3));
    }
    if random.chance(20) {
        let from = BEGIN + random.span(10 * DAY);
        made["schedule"] = json!({"from": format_timestamp(from)});
        if random.chance(60) {
            made["schedule"]["to"] = json!(format_timestamp(from + 1 + random.span(5 * DAY)));
        }
    }
    if random.chance(5) {
        made["status"] = json!("paused");
    }
    made
}

trait IntoJson {
    fn into_json(self) -> Json;
}

impl IntoJson for (&str, &str) {
    fn into_json(self) -> Json {
        let mut object = serde_json::Map::new();
        object.insert(self.0.to_owned(), json!(self.1));
        Json::Object(object)
    }
}

fn condition(random: &mut Random, names: &[String], depth: usize) -> Json {
    if depth > 0 && random.chance(45) {
        let list = |random: &mut Random| -> Json {
            (0..1 + random.below(3))
                .map(|_| condition(random, names, depth - 1))
                .collect()
        };
        return match random.below(5) {
            0 => json!({"$and": list(random)}),
            1 => json!({"$or": list(random)}),
            2 => json!({"$nor": list(random)}),
            3 => json!({"$not": condition(random, names, depth - 1)}),
            _ => {
                let mut both = attribute(random);
                let (name, of_events) = about_events(random);
                both[name] = of_events;
                both
            }
        };
    }
    match random.below(10) {
        0 | 1 if !names.is_empty() => json!({"$segment": names[random.below(names.len())]}),
        0..=3 => attribute(random),
        _ => {
            let mut made = json!({});
            let (name, of_events) = about_events(random);
            made[name] = of_events;
            made
        }
    }
}

fn about_events(random: &mut Random) -> (&'static str, Json) {
    match random.below(10) {
        0..=2 => ("$sequence", sequence(random)),
        3 => ("$held", held(random)),
        4 => {
            let number = random.one(&[0.5, 1.0, 2.5, 10.0, 11.0]);
            let score = random.one(&["score.engaged", "score.seen"]);
            (
                score,
                json!({random.one(&["$gte", "$lt", "$gt", "$lte"]): number}),
            )
        }
        _ => ("$events", events(random)),
    }
}

fn held(random: &mut Random) -> Json {
    let (path, is) = match random.below(4) {
        0 => ("profile.identified", json!(random.chance(70))),
        1 => ("profile.traits.plan", json!(random.one(&PLANS))),
        2 => ("profile.traits.plan", json!({"$exists": random.chance(50)})),
        _ => ("profile.traits.age", json!({"$gte": 30})),
    };
    json!({"path": path, "is": is, "for": random.one(&WINDOWS).0})
}

fn matcher(random: &mut Random) -> Json {
    match random.below(6) {
        0 => json!({"type": "page"}),
        1 => json!({"where": event_condition(random)}),
        _ => json!({"name": random.one(&NAMES)}),
    }
}

fn sequence(random: &mut Random) -> Json {
    let mut steps = Vec::new();
    for index in 0..1 + random.below(3) {
        if index > 0 && random.chance(25) {
            steps.push(json!({"not": matcher(random)}));
        }
        let mut step = matcher(random);
        if index > 0 && random.chance(30) {
            step["within"] = json!(random.one(&WINDOWS).0);
        }
        steps.push(step);
    }
    if random.chance(30) {
        steps.push(json!({"not": matcher(random), "for": random.one(&WINDOWS).0}));
    }
    let mut made = json!({"steps": steps});
    if random.chance(30) {
        made["within"] = json!(random.one(&WINDOWS).0);
    }
    if random.chance(50) {
        made["in"] = json!("visitor");
    }
    if random.chance(15) {
        made["by"] = json!(random.one(&["properties.category", "properties.price"]));
    }
    if random.chance(25) {
        made["completed"] = json!({"ago": {random.one(&["$lt", "$gte"]): random.one(&WINDOWS).0}});
    }
    made
}

/// An aggregate besides the count, by its name.
fn aggregate(random: &mut Random) -> (&'static str, Json) {
    let number = random.below(200);
    let comparison = random.one(&["$gte", "$lt", "$gt", "$lte"]);
    match random.below(9) {
        0 => ("sum", json!({"of": "properties.price", comparison: number})),
        1 => ("min", json!({"of": "properties.price", comparison: number / 2})),
        2 => ("max", json!({"of": "properties.price", comparison: number / 2})),
        3 => ("avg", json!({"of": "properties.price", comparison: number / 2})),
        4 => (
            "distinct",
            json!({"of": "properties.category", comparison: 1 + random.below(4)}),
        ),
        5 => ("first", json!({"ago": {comparison: random.one(&WINDOWS).0}})),
        6 => ("last", json!({"ago": {comparison: random.one(&WINDOWS).0}})),
        7 => (
            random.one(&["first", "last"]),
            json!({"of": "properties.category", "is": {"$in": [random.one(&CATEGORIES), random.one(&CATEGORIES)]}}),
        ),
        _ => (
            "mostFrequent",
            json!({"of": "properties.category", "is": random.one(&CATEGORIES)}),
        ),
    }
}

fn events(random: &mut Random) -> Json {
    let mut made = json!({});
    match random.below(4) {
        0 => made["type"] = json!(random.one(&["page", "track", "identify"])),
        1 => {}
        _ => made["name"] = json!(random.one(&NAMES)),
    }
    if random.chance(40) {
        made["where"] = event_condition(random);
    }
    match random.below(5) {
        0 => made["in"] = json!("session"),
        1..=3 => made["in"] = json!("visitor"),
        _ => {}
    }
    let has_window = random.chance(60);
    if has_window {
        made["within"] = json!(random.one(&WINDOWS).0);
    }
    if random.chance(75) {
        made["count"] = count(random, has_window);
    }
    for _ in 0..random.below(3) {
        if random.chance(40) {
            let (name, test) = aggregate(random);
            made[name] = test;
        }
    }
    if random.chance(15) {
        made["by"] = json!(random.one(&[
            "properties.category",
            "properties.price",
            "context.page.path",
            "name"
        ]));
    }
    made
}

fn count(random: &mut Random, has_window: bool) -> Json {
    let few = random.below(6);
    match random.below(12) {
        0..=4 => json!({"$gte": few.max(1)}),
        5 => json!({"$lt": few + 1}),
        6 => json!({"$gt": few, "$ne": few + 2}),
        7 => json!({"$in": [few, few + 3]}),
        8 => json!({"$between": [few, few + 2]}),
        9 => json!(few),
        10 => json!({"$or": [{"$eq": few}, {"$gte": few + 4}]}),
        _ if has_window => json!({"$lte": random.one(&[8, 20, 31])}),
        _ => json!({"$gte": random.one(&[10, 20, 32, 33, 40])}),
    }
}

fn event_condition(random: &mut Random) -> Json {
    match random.below(9) {
        0 | 1 => json!({"properties.category": random.one(&CATEGORIES)}),
        2 => json!({"properties.category": {"$in": [random.one(&CATEGORIES), random.one(&CATEGORIES)]}}),
        3 => json!({"properties.price": {random.one(&["$gt", "$lte"]): random.below(100)}}),
        4 => json!({"properties.tags": {"$elemMatch": {"$eq": random.one(&TAGS)}}}),
        5 => json!({"properties.tags": {"$all": [random.one(&TAGS)]}}),
        6 => json!({"context.page.path": {"$startsWith": "/products/"}}),
        7 => json!({"$or": [{"properties.price": {"$exists": false}}, {"name": {"$containsi": "PRODUCT"}}]}),
        _ => json!({"properties.items": {"$elemMatch": {"sku": random.one(&["a", "b"]), "n": {"$gte": 2}}}}),
    }
}

/// Hours of the day; also such as never come.
fn hours(random: &mut Random) -> Json {
    let hour = random.below(24);
    match random.below(5) {
        0 => json!({"$gte": hour}),
        1 => json!({"$gte": hour, "$lt": hour + 3}),
        2 => json!({"$not": {"$between": [hour, hour + 8]}}),
        3 => json!({"$gt": 23.5}),
        _ => json!(hour),
    }
}

fn attribute(random: &mut Random) -> Json {
    match random.below(26) {
        22 => json!({"request.time.hour": hours(random)}),
        23 => match random.below(3) {
            0 => json!({"request.time.weekday": {"$in": [1 + random.below(7), 7]}}),
            1 => json!({"request.time.weekday": 1 + random.below(7), "request.time.hour": hours(random)}),
            _ => json!({"request.time.offset": {"$gte": 60}}),
        },
        24 => match random.below(3) {
            0 => json!({"request.device.type": random.one(&["mobile", "desktop"])}),
            1 => json!({"request.browser": {"$exists": true}, "request.browser.version": {"$gte": 120}}),
            _ => json!({"request.bot": {"$ne": true}}),
        },
        25 => match random.below(3) {
            0 => json!({"profile.sessions": {random.one(&["$gte", "$lt"]): 1 + random.below(3)}}),
            _ => {
                json!({random.one(&["profile.consent.ads", "profile.consent.analytics"]): random.chance(50)})
            }
        },
        0 => json!({"request.path": {"$startsWith": "/products/"}}),
        1 => json!({"request.query.q": {"$exists": random.chance(50)}}),
        2 => json!({"request.utm.source": "mail"}),
        3 => match random.below(4) {
            0 => {
                json!({"request.path": {"$regex": random.one(&["^/products/(bikes|hats)/\\d", "html$", "ü"])}})
            }
            1 => json!({"request.geo.country": {"$ini": ["fr", "De"]}}),
            2 => json!({"profile.traits.plan": {"$inGroup": "payers"}}),
            _ => json!({"request.geo.country": {"$in": [random.one(&COUNTRIES), random.one(&COUNTRIES)]}}),
        },
        4 => json!({"request.language": {"$ne": "de"}}),
        5 => json!({"session.number": {"$gte": 1 + random.below(3)}}),
        6 => json!({"session.isNew": random.chance(50)}),
        7 => json!({"session.pageViews": {random.one(&["$gte", "$lt"]): 1 + random.below(4)}}),
        8 => json!({"session.duration": {random.one(&["$gt", "$gte", "$lt", "$lte"]): random.below(2_000)}}),
        9 => json!({"session.duration": {"$not": {"$in": [0, random.below(60)]}}}),
        10 => json!({"profile.traits.plan": random.one(&PLANS)}),
        11 => json!({"profile.traits.plan": {"$exists": random.chance(50)}}),
        12 => json!({"profile.traits.age": {"$gte": 18 + random.below(40)}}),
        13 => json!({"profile.traits.address.city": {"$type": random.one(&["string", "undefined", "null"])}}),
        14 => json!({"profile.traits.tags": {"$elemMatch": {"$eq": random.one(&TAGS)}}}),
        15 => json!({"profile.identified": random.chance(50)}),
        16 => json!({"profile.userId": {"$ne": "user-1"}}),
        17 => json!({"session.landingPage": random.one(&PATHS)}),
        18 => json!({"session.campaign.source": {"$exists": random.chance(50)}}),
        19 => json!({"affinity.category.top": random.one(&CATEGORIES)}),
        20 => json!({"affinity.category.weight.bikes": {"$gte": random.one(&[0.2, 1.0, 3.0])}}),
        _ => json!({"profile.firstSeenAt": {"$lt": format_timestamp(BEGIN + random.span(10 * DAY))}}),
    }
}

/// The messages of this many sessions, in the order of their arrival; about three sessions a visitor, the
/// visitors mixed.
pub fn log(seed: u64, sessions: usize) -> Vec<Value> {
    let random = &mut Random::new(seed ^ 0x0000_006c_6f67);
    let mut visitors: Vec<Visitor> = (0..sessions.div_ceil(3))
        .map(|index| Visitor::new(random, index))
        .collect();
    let mut left = sessions;
    let mut messages = Vec::new();
    while !visitors.is_empty() {
        let index = random.below(visitors.len());
        let visitor = &mut visitors[index];
        if visitor.left_in_session == 0 {
            if left == 0 {
                visitors.swap_remove(index);
                continue;
            }
            left -= 1;
            visitor.begin_session(random);
        }
        let message = visitor.message(random, messages.len());
        messages.push(to_value(message));
    }
    messages
}

/// Who sends messages, and what they sent.
struct Visitor {
    id: String,
    clock: Timestamp,
    left_in_session: usize,
    sent: Vec<Json>,
    times: Vec<Timestamp>,
    user: usize,
}

impl Visitor {
    fn new(random: &mut Random, index: usize) -> Self {
        Self {
            id: format!("visitor-{index}-{:x}", random.below(1 << 20)),
            clock: BEGIN + random.span(7 * DAY),
            left_in_session: 0,
            sent: Vec::new(),
            times: Vec::new(),
            user: index,
        }
    }

    fn begin_session(&mut self, random: &mut Random) {
        self.left_in_session = match random.below(20) {
            0 => 40 + random.below(40),
            1..=3 => 15 + random.below(15),
            _ => 1 + random.below(10),
        };
        self.clock += match random.below(4) {
            0 => SESSION_GAP,
            1 => SESSION_GAP + 1,
            2 => SESSION_GAP + random.span(DAY),
            _ => SESSION_GAP + random.span(9 * DAY),
        };
    }

    /// The next event's time: often at the very edge of a session or of a window.
    fn next_time(&mut self, random: &mut Random) -> Timestamp {
        let step = match random.below(20) {
            0..=2 => 0,
            3 => 1,
            4..=8 => random.span(30 * SECOND),
            9..=13 => random.span(10 * MINUTE),
            14 => SESSION_GAP - 1,
            15 => SESSION_GAP,
            // At the edge of the window that began with an event before.
            16 | 17 if !self.times.is_empty() => {
                let from = self.times[self.times.len() - 1 - random.below(self.times.len().min(6))];
                let edge = from + random.one(&WINDOWS).1 + random.one(&[-1, 0, 0, 1]);
                (edge - self.clock).clamp(0, 2 * DAY)
            }
            // Late: its session goes on, or is over, or was never seen.
            18 => {
                let late = random.one(&[
                    SECOND,
                    SESSION_GAP - 1,
                    SESSION_GAP,
                    SESSION_GAP + 1,
                    DAY,
                    9 * DAY,
                ]);
                return self.clock - random.span(late + 1).max(late * i64::from(random.chance(50)));
            }
            // By a clock that runs ahead: what comes next is late.
            19 if random.chance(30) => return self.clock + random.span(2 * HOUR),
            _ => random.span(MINUTE),
        };
        self.clock += step;
        self.clock
    }

    fn message(&mut self, random: &mut Random, number: usize) -> Json {
        self.left_in_session -= 1;
        if !self.sent.is_empty() && random.chance(8) {
            // The client did not see the answer and sends the message again; perhaps by a corrected clock.
            let back = random.below(self.sent.len().min(50));
            let mut again = self.sent[self.sent.len() - 1 - back].clone();
            if random.chance(20) {
                again["timestamp"] = json!(format_timestamp(self.clock));
            }
            return again;
        }
        let time = self.next_time(random);
        self.times.push(time);
        let path = random.one(&PATHS);
        let query = random.one(&["", "", "?utm_source=mail", "?q=a+b&utm_source=x"]);
        let mut message = json!({
            "messageId": format!("m-{number}"),
            "anonymousId": self.id,
            "timestamp": format_timestamp(time),
            "context": {"page": {"url": format!("https://shop.example{path}{query}"), "path": path}},
        });
        if random.chance(10) {
            message["timestamp"] = json!(time);
        }
        if random.chance(50) {
            message["context"]["geo"] = json!({"country": random.one(&COUNTRIES)});
        }
        if random.chance(30) {
            message["context"]["language"] = json!(random.one(&["de", "fr"]));
        }
        if random.chance(60) {
            message["context"]["time"] = clock(random, time);
        }
        if random.chance(30) {
            message["context"]["device"] = json!({"type": random.one(&["mobile", "tablet", "desktop"])});
            message["context"]["browser"] = json!({"name": "firefox", "version": 118 + random.below(5)});
            message["context"]["bot"] = json!(random.chance(20));
        }
        if random.chance(30) {
            message["context"]["consent"] =
                json!({"categoryPreferences": {"ads": random.chance(50), "analytics": random.chance(80)}});
        }
        match random.below(20) {
            0..=6 => {
                message["type"] = json!("page");
                message["properties"] = json!({"path": path, "category": random.one(&CATEGORIES)});
            }
            7..=17 => {
                message["type"] = json!("track");
                message["event"] = json!(random.one(&NAMES));
                message["properties"] = properties(random);
            }
            _ => {
                message["type"] = json!("identify");
                if random.chance(70) {
                    // Now and then somebody else sits down.
                    self.user += usize::from(random.chance(30));
                    message["userId"] = json!(format!("user-{}", self.user % 5));
                }
                message["traits"] = traits(random);
            }
        }
        self.sent.push(message.clone());
        message
    }
}

/// What a visitor's clock shows; now and then it is changed soon.
fn clock(random: &mut Random, now: Timestamp) -> Json {
    let mut made = json!({"offset": random.one(&[0, 60, -480, 330, 765])});
    if random.chance(30) {
        made["changesAt"] = json!(now + random.span(8 * DAY));
        made["then"] = json!(random.one(&[0, 120, -420]));
    }
    made
}

fn properties(random: &mut Random) -> Json {
    let mut made = json!({"category": random.one(&CATEGORIES)});
    if random.chance(60) {
        made["price"] = match random.below(4) {
            0 => json!(random.below(100).to_string()),
            1 => json!(random.below(400) as f64 / 4.0),
            _ => json!(random.below(100)),
        };
    }
    if random.chance(30) {
        made["tags"] = json!([random.one(&TAGS), random.one(&TAGS)]);
    }
    if random.chance(20) {
        made["items"] = json!([{"sku": random.one(&["a", "b"]), "n": random.below(4)}, 7, null]);
    }
    made
}

fn traits(random: &mut Random) -> Json {
    let mut made = json!({"firstName": random.one(&["Ada", "Zoë", "<b>"])});
    if random.chance(60) {
        made["plan"] = match random.below(5) {
            0 => Json::Null,
            _ => json!(random.one(&PLANS)),
        };
    }
    if random.chance(40) {
        made["age"] = json!(16 + random.below(60));
    }
    if random.chance(40) {
        made["address"] = match random.below(4) {
            0 => Json::Null,
            1 => json!("somewhere"),
            2 => json!({"street": "Rue de la Paix"}),
            _ => json!({"city": "Paris"}),
        };
    }
    if random.chance(40) {
        made["tags"] = json!([random.one(&TAGS), random.one(&TAGS)]);
    }
    made
}

fn to_value(json: Json) -> Value {
    serde_json::from_value(json).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearside_engine::compile::compile;
    use nearside_engine::program::Program;
    use nearside_engine::replay::{LoggedEvent, Replay};
    use std::collections::BTreeSet;

    #[test]
    fn manifests_have_no_mistakes_and_messages_are_events() {
        for seed in 0..500 {
            let (program, warnings) = compile(&manifest(seed));
            assert_eq!(warnings, [], "seed {seed}");
            let read = Program::from_bytes(&program.to_bytes());
            assert_eq!(read, Ok(program), "seed {seed}");
            let log = log(seed, 5);
            assert!(log.len() >= 5);
            for (index, message) in log.iter().enumerate() {
                LoggedEvent::read(index + 1, message, None).unwrap();
            }
        }
    }

    /// A corpus that decides nothing compares nothing.
    #[test]
    fn decisions_come_and_go() {
        let mut seldom = 0;
        for seed in 0..100 {
            let (program, _) = compile(&manifest(seed));
            let mut replay = Replay::new(&program);
            let (mut lines, mut assigned, mut segments) = (0, 0, BTreeSet::new());
            for (index, message) in log(seed, 30).iter().enumerate() {
                let line = replay.step(&LoggedEvent::read(index + 1, message, None).unwrap());
                let decisions = line.get("decisions").as_array().unwrap();
                lines += 1;
                assigned += usize::from(
                    decisions
                        .iter()
                        .any(|d| d.get("reason").as_str() == Some("assigned")),
                );
                segments.insert(serde_json::to_string(line.get("segments")).unwrap());
            }
            seldom += usize::from(assigned * 10 < lines || segments.len() < 3);
        }
        assert!(seldom < 10, "{seldom} of 100 corpora decide little");
    }

    #[test]
    fn the_same_seed_gives_the_same() {
        assert_eq!(manifest(7), manifest(7));
        assert_eq!(log(7, 50), log(7, 50));
        assert_ne!(manifest(7), manifest(8));
        assert_ne!(log(7, 50), log(8, 50));
    }
}
