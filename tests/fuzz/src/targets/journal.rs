//! The texts that a browser sends back, a journal and a preview's token: as they are, and the bytes as the content.

use crate::{drive, programs};
use nearside_engine::base64url;
use nearside_engine::event::Event;
use nearside_engine::fold::fold;
use nearside_engine::state::State;
use nearside_engine::wire::{
    PREVIEW_TAG, Preview, read_journal, read_preview_token, read_reset, write_journal, write_preview_token,
};

pub(crate) fn run(data: &[u8]) -> bool {
    let text = base64url::encode(data);
    assert_eq!(base64url::decode(&text).as_deref(), Ok(data));
    preview(data);
    if let Ok(text) = std::str::from_utf8(data) {
        read_reset(text);
        if let Ok(bytes) = base64url::decode(text) {
            assert_eq!(base64url::encode(&bytes), text, "one text for the same bytes");
        }
        check(text);
    }
    check(&text)
}

fn check(text: &str) -> bool {
    let Ok(events) = read_journal(text, drive::NOON) else {
        return false;
    };
    for now in [i64::MIN, 0, i64::MAX] {
        let others = read_journal(text, now).expect("what can be read does not depend on when");
        assert!(others.iter().all(|event| (0..=now.max(0)).contains(&event.time)));
    }
    assert!(read_reset(text).is_none() || events.is_empty() || text.len() > 1);
    rewrite(&events);
    for program in programs::all() {
        let mut state = State::new(program);
        for event in &events {
            assert!((0..=drive::NOON).contains(&event.time));
            fold(program, &mut state, event);
        }
        drive::check_bytes(program, &state);
        drive::decide_at_odd_instants(program, &state);
    }
    !events.is_empty()
}

/// The content of a preview's token, and the token.
fn preview(content: &[u8]) {
    let token = write_preview_token(&[7; PREVIEW_TAG], content);
    if let Ok((tag, read)) = read_preview_token(&token) {
        assert_eq!((tag, read.as_slice()), ([7; PREVIEW_TAG], content));
    }
    if let Ok(preview) = Preview::from_content(content)
        && let Some(written) = preview.content()
    {
        assert_eq!(Preview::from_content(&written), Ok(preview));
    }
}

/// What was read can be written, in no more room, and read again.
fn rewrite(events: &[Event]) {
    let (text, skipped) = write_journal(events);
    assert_eq!(skipped, 0, "what was read fits");
    assert_eq!(read_journal(&text, drive::NOON).as_deref(), Ok(events));
}
