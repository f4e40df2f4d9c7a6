//! What a page in a preview says of its decisions, and why they came out so.

use crate::json;
use crate::preview::Preview;
use nearside_engine::decide::Decisions;
use nearside_engine::program::Program;
use nearside_engine::replay::decisions_to_object;
use nearside_engine::time::format_timestamp;
use nearside_engine::value::{Object, Value};

/// The header's name.
pub(crate) const EXPLAIN_HEADER: &str = "x-nearside-explain";
/// The longest value: servers before the edge take 8 KB of headers, or more.
const MAX_EXPLAIN: usize = 4_000;
/// More than all but decisions and traces takes where these are cut.
const FRAME: usize = 300;
/// So much is kept for traces, however many decisions there are.
const TRACES: usize = 1_500;
/// The longest explanation in the answer of `/_ns/state`.
pub(crate) const MAX_EXPLANATION: usize = 1_000_000;

/// The header's value: JSON of printable ASCII, `{"preview": {"until", "unknown"?}, "segments", "decisions",
/// "explanation"}`, the last in the engine's form. What would make it too long is left out: names of segments, then the
/// decisions and traces that matter least on this page; how many, both count as `more`.
pub(crate) fn explain_header(
    program: &Program,
    decisions: &Decisions,
    preview: &Preview,
    explanation: &Value,
) -> String {
    let mut about = Object::new();
    about.insert("until", format_timestamp(preview.expires_at));
    if !preview.unknown.is_empty() {
        let pair = |(experience, variant): &(String, String)| Value::from(format!("{experience}={variant}"));
        about.insert("unknown", preview.unknown.iter().map(pair).collect::<Vec<_>>());
    }
    let mut object = decisions_to_object(program, decisions);
    object.insert("preview", about);
    object.insert("explanation", explanation.clone());
    let full = json::write_for_header(&Value::Object(object.clone()));
    if full.len() <= MAX_EXPLAIN {
        return full;
    }
    let all = object.get("decisions").and_then(Value::as_array);
    let all = all.unwrap_or_default();
    // What the author asked for comes first; the names of what there is not and of segments have no room.
    let is_forced = |decision: &&Value| decision.get("reason").as_str() == Some("forced");
    let others = all.iter().filter(|decision| !is_forced(decision));
    let in_order = all.iter().filter(is_forced).chain(others);
    let mut room = MAX_EXPLAIN - FRAME;
    let of_decisions: usize = all.iter().map(length).sum();
    let for_traces = TRACES.max(room.saturating_sub(of_decisions));
    let explanation = within(explanation, for_traces);
    room = room.saturating_sub(length(&explanation));
    let mut kept = Vec::new();
    for decision in in_order {
        let length = length(decision);
        if length > room {
            break;
        }
        room -= length;
        kept.push(decision.clone());
    }
    let mut brief = Object::new();
    let mut about = Object::new();
    about.insert("until", format_timestamp(preview.expires_at));
    brief.insert("preview", about);
    brief.insert("more", (all.len() - kept.len()) as f64);
    brief.insert("decisions", kept);
    brief.insert("explanation", explanation);
    json::write_for_header(&Value::Object(brief))
}

/// How long a value is in a header, with what divides it from the next.
fn length(value: &Value) -> usize {
    json::write_for_header(value).len() + 1
}

/// An explanation with as many of its traces as fit into so many bytes: first those of what was asked for and of what
/// the page shows, last those of other pages. How many were left out is its member `more`.
pub(crate) fn within(explanation: &Value, mut room: usize) -> Value {
    const KINDS: [&str; 3] = ["experiences", "features", "segments"];
    let list = |kind: &str| explanation.get(kind).as_array().unwrap_or_default();
    let rank = |kind: &str, trace: &Value| match (kind, trace.get("reason").as_str()) {
        ("experiences", Some("forced")) => 0,
        ("experiences", _) if !trace.get("variant").is_null() => 1,
        ("experiences", Some("off-page")) => 5,
        ("experiences", _) => 2,
        ("features", _) => 3,
        _ => 4,
    };
    let mut kept: Vec<(&str, &Value)> = Vec::new();
    for of_rank in 0..=5 {
        for kind in KINDS {
            for trace in list(kind).iter().filter(|trace| rank(kind, trace) == of_rank) {
                let length = length(trace);
                // One that is too long leaves room for others.
                if length <= room {
                    room -= length;
                    kept.push((kind, trace));
                }
            }
        }
    }
    let all: usize = KINDS.iter().map(|kind| list(kind).len()).sum();
    let mut object = explanation.as_object().cloned().unwrap_or_default();
    for kind in KINDS.into_iter().filter(|kind| !list(kind).is_empty()) {
        let of_kind = kept.iter().filter(|(known, _)| *known == kind);
        object.insert(
            kind,
            of_kind.map(|(_, trace)| (*trace).clone()).collect::<Vec<_>>(),
        );
    }
    if kept.len() < all {
        object.insert("more", (all - kept.len()) as f64);
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearside_engine::compile::compile;
    use nearside_engine::decide::{Context, decide};
    use nearside_engine::explain::explain;
    use nearside_engine::request::Request;
    use nearside_engine::state::State;

    fn explained(number: usize, preview: &Preview) -> String {
        let experience = |index| format!(r#"{{"id":"é{index}","variants":[{{"id":"v"}}]}}"#);
        let list: Vec<String> = (0..number).map(experience).collect();
        let manifest = format!(r#"{{"experiences":[{}]}}"#, list.join(","));
        let (program, _) = compile(&serde_json::from_str(&manifest).unwrap());
        let context = Context {
            visitor_id: "v",
            request: &Request::new("/", Object::new()),
            consent: true,
            forced: &preview.forced,
        };
        let state = State::new(&program);
        let decisions = decide(&program, &state, &context, 0);
        let explanation = explain(&program, &state, &context, &decisions, 0);
        explain_header(&program, &decisions, preview, &explanation)
    }

    #[test]
    fn all_decisions_are_told() {
        let preview = Preview::asking(vec![(1, 0)], vec![("gone".to_owned(), "v".to_owned())]);
        let header = explained(2, &preview);
        assert!(
            header.starts_with(
                &(r#"{"decisions":[{"experience":"\u00e90","reason":"assigned","variant":"v"},"#.to_owned()
                    + r#"{"experience":"\u00e91","reason":"forced","variant":"v"}],"explanation":{"at":0,"#)
            ),
            "{header}"
        );
        assert!(
            header.ends_with(
                r#","preview":{"unknown":["gone=v"],"until":"1970-01-01T00:00:00.000Z"},"segments":[]}"#
            ),
            "{header}"
        );
        let value = json::read(header.as_bytes()).unwrap();
        let traces = value.get("explanation").get("experiences").as_array().unwrap();
        assert_eq!(traces.len(), 2);
        assert!(traces[0].get("bucket").get("place").as_f64().is_some());
    }

    #[test]
    fn many_decisions_are_cut_and_what_was_asked_for_comes_first() {
        let preview = Preview::asking(vec![(499, 0)], vec![("\u{1}".repeat(1_000), "v".to_owned())]);
        let header = explained(500, &preview);
        assert!(header.len() <= MAX_EXPLAIN && header.is_ascii(), "{header}");
        let value = json::read(header.as_bytes()).unwrap();
        let decisions = value.get("decisions").as_array().unwrap();
        assert_eq!(decisions[0].get("reason").as_str(), Some("forced"));
        assert_eq!(value.get("more").as_f64(), Some(500.0 - decisions.len() as f64));
        let explanation = value.get("explanation");
        let traces = explanation.get("experiences").as_array().unwrap();
        assert!(decisions.len() >= 20 && traces.len() >= 4, "{header}");
        assert_eq!(traces[0].get("reason").as_str(), Some("forced"));
        assert_eq!(
            explanation.get("more").as_f64(),
            Some(500.0 - traces.len() as f64)
        );
    }
}
