//! An explanation as text that its reader need not be an engineer for.

use nearside_engine::time::{DAY, HOUR, MINUTE, SECOND, Timestamp, format_timestamp};
use nearside_engine::value::Value;
use std::fmt::Write;

/// The text for one line of a replay: whose event it is, what was decided, and why.
pub(super) fn text(line: &Value, summary: &str) -> String {
    let explanation = line.get("explanation");
    let mut page = Page {
        text: String::new(),
        now: explanation.get("at").as_f64().unwrap_or_default() as Timestamp,
    };
    let number = line.get("line").to_text();
    let visitor = line.get("anonymousId").to_text();
    page.line(
        0,
        &format!(
            "line {number}: {visitor} {summary}, {}",
            format_timestamp(page.now)
        ),
    );
    for experience in items(explanation, "experiences") {
        page.experience(experience);
    }
    for feature in items(explanation, "features") {
        let value = quoted(feature.get("value"));
        page.line(
            1,
            &format!(
                "feature {} is {value}: {}",
                feature.get("feature").to_text(),
                reason(feature)
            ),
        );
        for rule in items(feature, "rules") {
            page.line(2, &format!("rule {}", rule.get("rule").to_text()));
            page.conditions(3, rule);
        }
    }
    for segment in items(explanation, "segments") {
        let mark = mark(segment.get("member"));
        page.line(1, &format!("{mark} segment {}", segment.get("segment").to_text()));
        page.trace(2, segment.get("because"));
    }
    page.text
}

struct Page {
    text: String,
    now: Timestamp,
}

impl Page {
    fn line(&mut self, depth: usize, text: &str) {
        // Writing into memory does not fail.
        let _ = writeln!(self.text, "{:1$}{text}", "", depth * 2);
    }

    fn experience(&mut self, experience: &Value) {
        let name = experience.get("experience").to_text();
        let given = match experience.get("variant") {
            Value::Null => "nothing".to_owned(),
            variant => format!("`{}`", variant.to_text()),
        };
        self.line(
            1,
            &format!("experience {name} gives {given}: {}", reason(experience)),
        );
        if experience.get("onPage") == &Value::Bool(false) {
            self.line(2, "✗ this page is none of its pages");
        }
        let schedule = experience.get("schedule");
        if !schedule.is_null() {
            let instant = |name: &str| match schedule.get(name).as_f64() {
                Some(at) => format_timestamp(at as Timestamp),
                None => "always".to_owned(),
            };
            let mark = mark(schedule.get("now"));
            self.line(
                2,
                &format!("{mark} it runs from {} to {}", instant("from"), instant("to")),
            );
        }
        self.conditions(2, experience);
        let group = experience.get("group");
        if !group.is_null() {
            let given: Vec<String> = items(group, "given").iter().map(Value::to_text).collect();
            let given = if given.is_empty() {
                "none".to_owned()
            } else {
                given.join(", ")
            };
            self.line(
                2,
                &format!(
                    "of the group {}, this page has: {given}",
                    group.get("name").to_text()
                ),
            );
        }
        let holdout = experience.get("holdout");
        if let (Some(share), Some(place)) = (holdout.get("share").as_f64(), holdout.get("place").as_f64()) {
            let mark = if place < share { "✗" } else { "✓" };
            self.line(
                2,
                &format!("{mark} held out are places below {share}; the visitor's is {place}"),
            );
        }
        let bucket = experience.get("bucket");
        if let Some(place) = bucket.get("place").as_f64() {
            let ranges = items(bucket, "ranges")
                .iter()
                .map(|range| match range.as_array() {
                    Some([start, end]) => format!("{} to {}", start.to_text(), end.to_text()),
                    _ => String::new(),
                });
            let ranges: Vec<String> = ranges.collect();
            let traffic = bucket.get("traffic").as_f64().unwrap_or(1.0) * 100.0;
            self.line(
                2,
                &format!(
                    "the visitor's place is {place}; with {traffic} % of the traffic the variants are at {}",
                    ranges.join(", ")
                ),
            );
        }
    }

    fn conditions(&mut self, depth: usize, of: &Value) {
        for name in ["gate", "requires", "when"] {
            let trace = of.get(name);
            if !trace.is_null() {
                self.trace(depth, trace);
            }
        }
    }

    fn trace(&mut self, depth: usize, trace: &Value) {
        let mark = mark(trace.get("holds"));
        for (name, title) in [("all", "all of these"), ("any", "one of these")] {
            if let Some(parts) = trace.get(name).as_array() {
                let title = if parts.is_empty() && name == "all" {
                    "nothing is asked"
                } else {
                    title
                };
                self.line(depth, &format!("{mark} {title}"));
                parts.iter().for_each(|part| self.trace(depth + 1, part));
                return;
            }
        }
        for (name, title) in [
            ("not", "this does not hold"),
            ("group", "this holds for one of the groups"),
        ] {
            if !trace.get(name).is_null() {
                self.line(depth, &format!("{mark} {title}"));
                return self.trace(depth + 1, trace.get(name));
            }
        }
        let sentence = self.sentence(trace);
        self.line(depth, &format!("{mark} {sentence}"));
    }

    fn sentence(&self, trace: &Value) -> String {
        let value = trace.get("value");
        let asked = trace.get("test");
        if let Some(segment) = trace.get("segment").as_str() {
            return format!("the visitor is in the segment {segment}");
        }
        if let Some(feature) = trace.get("feature").as_str() {
            return format!(
                "the feature {feature} is {} (asked: {})",
                quoted(value),
                test(asked, plain)
            );
        }
        if let Some(path) = trace.get("path").as_str() {
            let found = if value.is_null() {
                "is not known".to_owned()
            } else {
                format!("is {}", quoted(value))
            };
            return format!(
                "{path} {found} (asked: {}){}{}",
                test(asked, plain),
                self.observed(trace),
                staleness(trace)
            );
        }
        if let Some(measure) = trace.get("measure").as_str() {
            return self.measured(measure, trace);
        }
        if trace.get("groups").as_f64().is_some() {
            return "there is no group yet".to_owned();
        }
        format!("asked: {}", test(asked, plain))
    }

    fn measured(&self, measure: &str, trace: &Value) -> String {
        let (value, asked, events) = (trace.get("value"), trace.get("test"), trace.get("events"));
        let observed = self.observed(trace);
        let happened = happening(events);
        let of = events.get("of").to_text();
        let number = if value.is_null() {
            "nothing".to_owned()
        } else {
            value.to_text()
        };
        let ago = value
            .as_f64()
            .map_or_else(|| "never".to_owned(), |ago| format!("{} ago", span(ago)));
        let yes = value.as_f64() == Some(1.0);
        let sentence = match measure {
            "count" => {
                let times = match value.as_f64() {
                    Some(1.0) => "once".to_owned(),
                    _ => format!("{number} times"),
                };
                format!("{happened} happened {times} (asked: {})", test(asked, plain))
            }
            "sum" => format!(
                "the sum of {of} of {happened} is {number} (asked: {})",
                test(asked, plain)
            ),
            "min" => format!(
                "the least {of} of {happened} is {number} (asked: {})",
                test(asked, plain)
            ),
            "max" => format!(
                "the greatest {of} of {happened} is {number} (asked: {})",
                test(asked, plain)
            ),
            "avg" => format!(
                "the average {of} of {happened} is {number} (asked: {})",
                test(asked, plain)
            ),
            "distinct" => format!(
                "{happened} had {number} different {of} (asked: {})",
                test(asked, plain)
            ),
            "first ago" => format!(
                "{happened} happened first {ago} (asked: {})",
                test(asked, duration)
            ),
            "last ago" => format!(
                "{happened} happened last {ago} (asked: {})",
                test(asked, duration)
            ),
            "first is" => format!("the first {of} of {happened} {} what is asked", fits(yes)),
            "last is" => format!("the last {of} of {happened} {} what is asked", fits(yes)),
            "mostFrequent is" => format!("the most frequent {of} of {happened} {} what is asked", fits(yes)),
            "completed" => format!("{happened} was {}completed", if yes { "" } else { "not " }),
            "completed ago" => format!(
                "{happened} was completed {ago} (asked: {})",
                test(asked, duration)
            ),
            "held for" => {
                let path = events.get("path").to_text();
                let held = value.as_f64().map_or_else(
                    || "is not what is asked".to_owned(),
                    |held| format!("has been what is asked for {}", span(held)),
                );
                return format!("{path} {held} (needed: {})", test(asked, duration));
            }
            _ => {
                let name = trace.get("score").to_text();
                let value = value.as_f64().unwrap_or_default();
                format!("the score {name} is {value:.2} (asked: {})", test(asked, plain))
            }
        };
        let exact = match trace.get("exact") {
            Value::Bool(false) => "; of so many events, the window's edge may be off by 1/32 of its length",
            _ => "",
        };
        format!("{sentence}{observed}{exact}")
    }

    /// How old what was read is, and who told it.
    fn observed(&self, trace: &Value) -> String {
        let Some(at) = trace.get("observedAt").as_f64() else {
            return String::new();
        };
        let age = self.now.saturating_sub(at as Timestamp) as f64;
        let when = if age <= 0.0 {
            "now".to_owned()
        } else {
            format!("{} ago", span(age))
        };
        match trace.get("by").as_str().unwrap_or_default() {
            "request" => String::new(),
            "event" => format!(", last event {when}"),
            "identify" => format!(", told {when}"),
            by => format!(", from the {by} {when}"),
        }
    }
}

/// What became of a value that is too old.
fn staleness(trace: &Value) -> String {
    let became = match trace.get("whenStale").as_str() {
        Some("unknown") => "taken as unknown",
        Some("default") => "its default is taken",
        Some(_) => "used all the same",
        None => return String::new(),
    };
    let max_age = trace.get("maxAge").as_f64().unwrap_or_default();
    format!(": older than {}, {became}", span(max_age))
}

fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).as_array().unwrap_or_default()
}

fn mark(holds: &Value) -> &'static str {
    if holds == &Value::Bool(true) { "✓" } else { "✗" }
}

const fn fits(yes: bool) -> &'static str {
    if yes { "is" } else { "is not" }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        Value::Null => "nothing".to_owned(),
        other => plain(other),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        Value::Array(_) | Value::Object(_) => serde_json::to_string(value).unwrap_or_default(),
        other => other.to_text(),
    }
}

fn duration(value: &Value) -> String {
    value.as_f64().map_or_else(|| plain(value), span)
}

/// A length of time, in the two largest units that it has.
fn span(milliseconds: f64) -> String {
    let mut left = milliseconds.max(0.0) as i64;
    if left < SECOND {
        return format!("{left} ms");
    }
    let mut parts = Vec::new();
    for (unit, name) in [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")] {
        if left >= unit && parts.len() < 2 {
            parts.push(format!("{} {name}", left / unit));
            left %= unit;
        }
    }
    parts.join(" ")
}

/// What is asked of a value, in words.
fn test(test_value: &Value, constant: fn(&Value) -> String) -> String {
    let Value::Object(operators) = test_value else {
        return constant(test_value);
    };
    let words = operators.iter().map(|(operator, operand)| {
        let list = |joint: &str| {
            let parts = operand.as_array().unwrap_or_default().iter();
            parts
                .map(|part| test(part, constant))
                .collect::<Vec<_>>()
                .join(joint)
        };
        match operator {
            "$eq" => constant(operand),
            "$gte" => format!("at least {}", constant(operand)),
            "$gt" => format!("more than {}", constant(operand)),
            "$lt" => format!("less than {}", constant(operand)),
            "$lte" => format!("at most {}", constant(operand)),
            "$in" => format!("one of {}", list(", ")),
            "$ini" => format!("one of {}, in any case", list(", ")),
            "$exists" => "to be known".to_owned(),
            "$not" => format!("not {}", test(operand, constant)),
            "$and" => list(" and "),
            "$or" => list(" or "),
            "$startsWith" => format!("to begin with {}", constant(operand)),
            "$endsWith" => format!("to end with {}", constant(operand)),
            "$contains" => format!("to contain {}", constant(operand)),
            "$regex" => "to fit a regular expression".to_owned(),
            "$near" => "to be near a place".to_owned(),
            other if other.starts_with('$') => format!("{} {}", &other[1..], constant(operand)),
            path => format!("{path} {}", test(operand, constant)),
        }
    });
    words.collect::<Vec<_>>().join(" and ")
}

/// Which events are meant, in words.
fn happening(events: &Value) -> String {
    let mut words = match events.get("steps").as_array() {
        Some(steps) => {
            let steps = steps.iter().map(|step| match step.get("not") {
                Value::Null => event(step) + &limit(step.get("within"), " within"),
                not => format!("no {}", event(not)) + &limit(step.get("for"), " for"),
            });
            format!("the sequence {}", steps.collect::<Vec<_>>().join(" → "))
        }
        None => event(events),
    };
    words += &limit(events.get("within"), " within");
    if let Some(by) = events.get("by").as_str() {
        words += &format!(" with the same {by}");
    }
    if events.get("in").as_str() == Some("session") {
        words += " in this session";
    }
    words
}

fn limit(length: &Value, word: &str) -> String {
    length
        .as_f64()
        .map_or_else(String::new, |length| format!("{word} {}", span(length)))
}

fn event(event: &Value) -> String {
    let kind = event.get("type").as_str();
    let name = event.get("name").as_str();
    let what = match (name, kind) {
        (Some(name), _) => format!("\"{name}\""),
        (None, Some("page")) => "a page view".to_owned(),
        (None, Some(kind)) => format!("an event of the kind {kind}"),
        (None, None) => "any event".to_owned(),
    };
    match event.get("where") {
        Value::Null => what,
        condition => format!("{what} with {}", test(condition, plain)),
    }
}

fn reason(of: &Value) -> String {
    match of.get("reason").as_str().unwrap_or_default() {
        "assigned" => "assigned by the visitor's place",
        "sticky" => "kept from an earlier page",
        "forced" => "asked for",
        "off-page" => "it is not for this page",
        "paused" => "it does not run now",
        "not-in-segment" => "the visitor is not whom it is for",
        "no-consent" => "the visitor has not agreed",
        "holdout" => "the visitor is held out, to know its effect",
        "not-in-traffic" => "the visitor is outside of its traffic",
        "excluded" => "another one keeps it away",
        "stale-data" => "a value is too old, and it would be decided otherwise if it were not",
        "invalid" => "it has a mistake; `nearside check` names it",
        "default" => "no rule gives another value",
        other => other,
    }
    .to_owned()
}
