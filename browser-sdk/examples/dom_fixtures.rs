//! Prints what the tests in Chromium (`tests/dom/`) start from, as JSON: a program with its page state, and
//! pages with edits and what the edge's rewriter makes of them.

use nearside_engine::base64url;
use nearside_engine::compile::compile;
use nearside_engine::mutation::{Edit, Operation};
use nearside_engine::program::Program;
use nearside_engine::replay::{LoggedEvent, Replay};
use nearside_engine::state::State;
use nearside_engine::value::{Object, Value};
use nearside_engine::wire::PageState;
use serde_json::json;
use std::error::Error;

const MANIFEST: &str = include_str!("../tests/dom/manifest.json");
const CASES: &str = include_str!("../tests/dom/edit_cases.json");

fn main() -> Result<(), Box<dyn Error>> {
    let (program, warnings) = compile(&serde_json::from_str(MANIFEST)?);
    if let Some(warning) = warnings.first() {
        return Err(format!("{warning:?}").into());
    }
    let bytes = program.to_bytes();
    let state = PageState {
        visitor_id: "visitor-1".into(),
        now: 0,
        program_id: Program::id_of(&bytes),
        state: State::new(&program).to_bytes(&program),
        request: Object::new(),
        applied: Vec::new(),
        forced: Vec::new(),
        features: Object::new(),
        page_view: None,
        confirmed: Vec::new(),
    };
    let (log, lines) = replay(&program)?;
    let output = json!({
        "program": base64url::encode(&bytes),
        "state": state.to_value(),
        "cases": rewritten()?,
        "log": log,
        "lines": lines,
    });
    writeln(&output)
}

fn writeln(output: &serde_json::Value) -> Result<(), Box<dyn Error>> {
    use std::io::Write;
    Ok(writeln!(std::io::stdout(), "{output}")?)
}

/// The cases, each with the page as the edge would send it.
fn rewritten() -> Result<Vec<serde_json::Value>, Box<dyn Error>> {
    let cases: Vec<(String, String, Vec<[String; 4]>)> = serde_json::from_str(CASES)?;
    let mut output = Vec::new();
    for (name, page, edits) in cases {
        let mut filled = Vec::new();
        for [selector, operation, attribute, content] in &edits {
            let operation = Operation::parse(operation).ok_or_else(|| format!("{name}: {operation}"))?;
            filled.push(Edit {
                selector,
                operation,
                name: attribute,
                content: content.clone(),
            });
        }
        let rewritten = nearside_rewriter::rewrite(page.as_bytes(), &filled, 7)?;
        output.push(
            json!({"name": name, "page": page, "edits": edits, "rewritten": String::from_utf8(rewritten)?}),
        );
    }
    Ok(output)
}

/// A log of some visitors, and the native engine's lines for it.
fn replay(program: &Program) -> Result<(Vec<String>, Vec<String>), Box<dyn Error>> {
    let (mut log, mut lines) = (Vec::new(), Vec::new());
    let mut replay = Replay::new(program);
    for number in 0..500_usize {
        let category = ["bikes", "café \u{1F6B2}", "a\"\\\u{7}b"][number % 3];
        let message = json!({
            "type": if number % 5 == 0 { "page" } else { "track" },
            "event": if number % 7 == 0 { "Order Completed" } else { "Product Viewed" },
            "anonymousId": format!("visitor-{}\n", number * 31 % 11),
            "timestamp": 1_795_255_200_000_u64 + (number as u64 * 7_919_777) % 9_000_000,
            "properties": {"category": category, "price": number as f64 / 7.0},
            "context": {"page": {"url": format!("https://shop.example/{}?q={number}", number % 2)}},
        });
        let text = message.to_string();
        let value: Value = serde_json::from_str(&text)?;
        lines.push(serde_json::to_string(&replay.step(&LoggedEvent::read(
            number + 1,
            &value,
            None,
        )?))?);
        log.push(text);
    }
    Ok((log, lines))
}
