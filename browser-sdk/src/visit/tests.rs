use super::*;
use nearside_engine::compile::compile;
use nearside_engine::wire::PageView;

const NOON: Timestamp = 1_795_262_400_000;
const URL: &str = "https://shop.example/";

fn program() -> Program {
    let manifest = r##"{
        "segments": {
            "keen": {"when": {"$events": {"name": "Viewed", "where": {"properties.category": "bikes"}, "count": {"$gte": 2}}}},
            "searching": {"when": {"$events": {"name": "Searched", "where": {"context.page.path": "/search"}}}},
            "ada": {"when": {"profile.traits.name": "Ada"}},
            "arrived": {"when": {"$events": {"type": "page", "where": {"properties.path": "/"}}}}
        },
        "experiences": [
            {"id": "hero", "segment": "keen", "variants": [{"id": "ride", "mutations": [
                {"op": "text", "selector": "h1", "value": "Ride, {{profile.traits.name|you}}"}]}]},
            {"id": "cart", "pages": [{"path": "/cart"}], "variants": [{"id": "cart", "mutations": [
                {"op": "remove", "selector": "h2"}]}]}
        ]
    }"##;
    let (program, warnings) = compile(&serde_json::from_str(manifest).unwrap());
    assert!(warnings.is_empty(), "{warnings:?}");
    program
}

fn page_state(program: &Program) -> PageState {
    PageState {
        visitor_id: "v".into(),
        now: NOON,
        program_id: String::new(),
        state: State::new(program).to_bytes(program),
        request: Object::new(),
        applied: Vec::new(),
        forced: Vec::new(),
        features: Object::new(),
        page_view: None,
        confirmed: Vec::new(),
    }
}

fn start(change: impl FnOnce(&mut PageState)) -> Visit {
    let program = program();
    let mut state = page_state(&program);
    change(&mut state);
    Visit::start(&program.to_bytes(), &state.to_value(), URL).unwrap()
}

fn fold_text(visit: &mut Visit, text: &str) -> Folded {
    let arrival = Arrival {
        received_at: NOON,
        sent_at: None,
    };
    visit.fold(crate::json::read(text).unwrap(), arrival)
}

fn viewed(visit: &mut Visit, id: &str) -> Folded {
    let text = format!(
        r#"{{"type":"track","event":"Viewed","messageId":"{id}","properties":{{"category":"bikes","secret":"x"}}}}"#
    );
    fold_text(visit, &text)
}

fn segments(visit: &mut Visit) -> String {
    crate::json::write(visit.decide(NOON).get("segments"))
}

fn keys(journal: &str) -> Vec<EventKey> {
    read_journal(journal, NOON)
        .unwrap()
        .iter()
        .map(|event| event.key)
        .collect()
}

#[test]
fn events_are_folded_once_and_decide() {
    let mut visit = start(|_| {});
    assert_eq!(viewed(&mut visit, "1"), Folded::Journaled);
    assert_eq!(viewed(&mut visit, "1"), Folded::Duplicate);
    assert_eq!(segments(&mut visit), "[]");
    assert_eq!(viewed(&mut visit, "2"), Folded::Journaled);
    assert_eq!(segments(&mut visit), r#"["keen"]"#);
    let decided = crate::json::write(visit.decide(NOON).get("places"));
    assert_eq!(decided, "[0,null]");
    assert_eq!(
        crate::json::write(&visit.edits(0, 0, NOON)),
        r#"[["h1","text","","Ride, you"]]"#
    );
    fold_text(
        &mut visit,
        r#"{"type":"identify","userId":"u","messageId":"3","traits":{"name":"Ada"}}"#,
    );
    assert_eq!(
        crate::json::write(&visit.edits(0, 0, NOON)),
        r#"[["h1","text","","Ride, Ada"]]"#
    );
    assert_eq!(crate::json::write(&visit.edits(9, 9, NOON)), "[]");
}

#[test]
fn what_is_no_event_is_invalid() {
    let mut visit = start(|_| {});
    for text in [
        "[]",
        "{}",
        r#"{"type":"track"}"#,
        r#"{"type":"track","event":"E","properties":1}"#,
    ] {
        assert_eq!(fold_text(&mut visit, text), Folded::Invalid, "{text}");
    }
}

#[test]
fn what_is_another_visitors_changes_nothing() {
    let mut visit = start(|_| {});
    for who in ["other", "V", ""] {
        let text = format!(
            r#"{{"type":"identify","userId":"u","messageId":"1{who}","anonymousId":"{who}","traits":{{"name":"Ada"}}}}"#
        );
        assert_ne!(fold_text(&mut visit, &text), Folded::Journaled, "{who}");
    }
    assert_eq!(segments(&mut visit), "[]");
    assert_eq!(visit.journal("", NOON), "");
    let own = r#"{"type":"identify","userId":"u","messageId":"2","anonymousId":"v","traits":{"name":"Ada"}}"#;
    assert_eq!(fold_text(&mut visit, own), Folded::Journaled);
    assert_eq!(segments(&mut visit), r#"["ada"]"#);
}

#[test]
fn the_journal_has_what_the_next_page_needs_and_no_more() {
    let mut visit = start(|_| {});
    assert_eq!(
        fold_text(&mut visit, r#"{"type":"track","event":"Other","messageId":"0"}"#),
        Folded::New
    );
    viewed(&mut visit, "1");
    let identify = r#"{"type":"identify","userId":"u","messageId":"2","traits":{"name":"Ada","age":36}}"#;
    assert_eq!(fold_text(&mut visit, identify), Folded::Journaled);
    let journal = visit.journal("", NOON);
    let events = read_journal(&journal, NOON).unwrap();
    assert_eq!(keys(&journal), [event_key("1"), event_key("2")]);
    assert_eq!(
        crate::json::write(&events[0].properties),
        r#"{"category":"bikes"}"#
    );
    assert_eq!(crate::json::write(&events[1].traits), r#"{"name":"Ada"}"#);
    assert_eq!(events[1].user_id.as_deref(), Some("u"));
}

#[test]
fn the_next_page_decides_from_the_journal_as_this_one_does() {
    let mut visit = start(|_| {});
    viewed(&mut visit, "1");
    viewed(&mut visit, "2");
    fold_text(
        &mut visit,
        r#"{"type":"identify","userId":"u","messageId":"3","traits":{"name":"Ada"}}"#,
    );
    let journal = visit.journal("", NOON);
    let mut next = start(|_| {});
    next.adopt(&journal, NOON);
    next.adopt(&journal, NOON);
    assert_eq!(segments(&mut next), segments(&mut visit));
}

#[test]
fn an_event_that_the_journal_cannot_carry_is_left_to_its_batch() {
    let mut visit = start(|_| {});
    let text = r#"{"type":"track","event":"Searched","messageId":"1","context":{"page":{"path":"/search"}}}"#;
    assert_eq!(fold_text(&mut visit, text), Folded::New);
    assert_eq!(segments(&mut visit), r#"["searching"]"#);
    assert_eq!(visit.journal("", NOON), "");
}

#[test]
fn tabs_share_the_journal() {
    let (mut one, mut other) = (start(|_| {}), start(|_| {}));
    viewed(&mut one, "1");
    let journal = one.journal("", NOON);
    viewed(&mut other, "2");
    let journal = other.journal(&journal, NOON);
    assert_eq!(keys(&journal), [event_key("1"), event_key("2")]);
    one.confirm(&[event_key("1")]);
    let journal = one.journal(&journal, NOON);
    assert_eq!(keys(&journal), [event_key("2")]);
    // The other tab does not bring back what this one has dropped.
    assert_eq!(keys(&other.journal(&journal, NOON)), [event_key("2")]);
    other.confirm(&[event_key("2")]);
    assert_eq!(other.journal(&journal, NOON), "");
}

#[test]
fn a_foreign_journal_is_replaced() {
    let mut visit = start(|_| {});
    viewed(&mut visit, "1");
    assert_eq!(keys(&visit.journal("no journal!", NOON)), [event_key("1")]);
}

#[test]
fn confirmed_keys_are_bounded() {
    let mut visit = start(|_| {});
    visit.confirm(&(0..10_000).collect::<Vec<_>>());
    assert_eq!(visit.confirmed.len(), MAX_CONFIRMED);
    assert_eq!(visit.confirmed.last(), Some(&9_999));
}

#[test]
fn the_edges_page_view_is_journaled_until_it_is_confirmed() {
    let view = || {
        Some(PageView {
            message_id: "view".into(),
            time: NOON,
        })
    };
    let mut visit = start(|page| page.page_view = view());
    assert_eq!(segments(&mut visit), r#"["arrived"]"#);
    let journal = visit.journal("", NOON);
    assert_eq!(keys(&journal), [event_key("view")]);
    assert_eq!(
        crate::json::write(&read_journal(&journal, NOON).unwrap()[0].properties),
        r#"{"path":"/"}"#
    );
    let mut next = start(|page| page.confirmed = vec![event_key("view")]);
    assert_eq!(next.journal(&journal, NOON), "");
}

#[test]
fn a_visit_starts_from_the_edges_state() {
    let program = program();
    let mut before = start(|_| {});
    viewed(&mut before, "1");
    viewed(&mut before, "2");
    let state = before.state.to_bytes(&program);
    assert_eq!(
        segments(&mut start(|page| page.state = state.clone())),
        r#"["keen"]"#
    );
    // A state that can't be read is none.
    assert_eq!(
        segments(&mut start(|page| page.state = state[..state.len() - 1].to_vec())),
        "[]"
    );
}

#[test]
fn a_broken_program_or_page_state_is_refused() {
    let program = program();
    let state = page_state(&program).to_value();
    let bytes = program.to_bytes();
    assert!(Visit::start(&bytes, &state, "").is_some());
    assert!(Visit::start(&bytes, &Value::Null, URL).is_none());
    for end in 0..bytes.len() {
        assert!(Visit::start(&bytes[..end], &state, URL).is_none(), "{end}");
    }
}

#[test]
fn consent_decides_what_is_shown_and_recorded() {
    let mut visit = start(|_| {});
    viewed(&mut visit, "1");
    viewed(&mut visit, "2");
    visit.set_consent(Some("analytics".into()));
    assert!(visit.may_record());
    assert_eq!(
        crate::json::write(visit.decide(NOON).get("places")),
        "[null,null]"
    );
    visit.set_consent(Some("none".into()));
    assert!(!visit.may_record());
    visit.set_consent(Some("all".into()));
    assert_eq!(crate::json::write(visit.decide(NOON).get("places")), "[0,null]");
}

#[test]
fn another_page_decides_otherwise() {
    let mut visit = start(|_| {});
    visit.set_url("https://shop.example/cart?x");
    assert_eq!(crate::json::write(visit.decide(NOON).get("places")), "[null,0]");
}

#[test]
fn a_preview_is_not_undone() {
    let mut visit =
        start(|state| state.forced = vec![("hero".into(), "ride".into()), ("gone".into(), "x".into())]);
    assert_eq!(crate::json::write(visit.decide(NOON).get("places")), "[0,null]");
    let reason = visit.decide(NOON).get("decisions").as_array().unwrap()[0]
        .get("reason")
        .clone();
    assert_eq!(reason.as_str(), Some("forced"));
    // Not without consent either, nor by what comes next.
    visit.set_consent(Some("none".into()));
    visit.set_url("https://shop.example/cart?ns_preview=TOKEN");
    assert_eq!(crate::json::write(visit.decide(NOON).get("places")), "[0,null]");
}
