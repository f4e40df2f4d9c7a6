//! What a page in a preview says of its decisions.

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
/// More than all but the decisions takes where these are cut.
const FRAME: usize = 200;

/// The header's value: JSON of printable ASCII, `{"preview": {"until", "unknown"?}, "segments", "decisions"}`. What
/// would make it too long is left out from the end of `decisions`, and counted as `more`.
pub(crate) fn explain_header(program: &Program, decisions: &Decisions, preview: &Preview) -> String {
    let mut about = Object::new();
    about.insert("until", format_timestamp(preview.expires_at));
    if !preview.unknown.is_empty() {
        let pair = |(experience, variant): &(String, String)| Value::from(format!("{experience}={variant}"));
        about.insert("unknown", preview.unknown.iter().map(pair).collect::<Vec<_>>());
    }
    let mut object = decisions_to_object(program, decisions);
    object.insert("preview", about);
    let full = json::write_for_header(&Value::Object(object.clone()));
    if full.len() <= MAX_EXPLAIN {
        return full;
    }
    let all = object.get("decisions").and_then(Value::as_array);
    let all = all.unwrap_or_default().to_vec();
    // What the author asked for comes first; the names of what there is not and of segments have no room.
    let is_forced = |decision: &&Value| decision.get("reason").as_str() == Some("forced");
    let others = all.iter().filter(|decision| !is_forced(decision));
    let mut brief = Object::new();
    let mut about = Object::new();
    about.insert("until", format_timestamp(preview.expires_at));
    brief.insert("preview", about);
    let mut room = MAX_EXPLAIN - FRAME;
    let mut kept = Vec::new();
    for decision in all.iter().filter(is_forced).chain(others) {
        let length = json::write_for_header(decision).len() + 1;
        if length > room {
            break;
        }
        room -= length;
        kept.push(decision.clone());
    }
    brief.insert("more", (all.len() - kept.len()) as f64);
    brief.insert("decisions", kept);
    json::write_for_header(&Value::Object(brief))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nearside_engine::compile::compile;
    use nearside_engine::decide::{Context, decide};
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
        let decisions = decide(&program, &State::new(&program), &context, 0);
        explain_header(&program, &decisions, preview)
    }

    #[test]
    fn all_decisions_are_told() {
        let preview = Preview::asking(vec![(1, 0)], vec![("gone".to_owned(), "v".to_owned())]);
        assert_eq!(
            explained(2, &preview),
            r#"{"decisions":[{"experience":"\u00e90","reason":"assigned","variant":"v"},"#.to_owned()
                + r#"{"experience":"\u00e91","reason":"forced","variant":"v"}],"#
                + r#""preview":{"unknown":["gone=v"],"until":"1970-01-01T00:00:00.000Z"},"segments":[]}"#
        );
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
    }
}
