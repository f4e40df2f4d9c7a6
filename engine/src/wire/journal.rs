//! The journal: a cookie with the events that the browser recorded and the edge has not confirmed yet.
//!
//! The browser sends it with every request, so that the next page's decision sees an event even when the
//! request for it overtakes the event's batch.

use crate::base64url;
use crate::codec::{Malformed, Reader, Writer};
use crate::event::{Event, EventKind, MAX_IDENTIFIER, MAX_NAME};
use crate::time::Timestamp;
use crate::value::{MAX_DEPTH, Value};

/// The largest journal, in bytes.
pub const MAX_JOURNAL: usize = 2_000;

const VERSION: u8 = 1;
const KINDS: [EventKind; 6] = [
    EventKind::Page,
    EventKind::Track,
    EventKind::Identify,
    EventKind::Screen,
    EventKind::Group,
    EventKind::Alias,
];

/// Writes the newest of the events that fit, in their order, and says how many of the oldest were left out.
pub fn write_journal(events: &[Event]) -> (String, usize) {
    for skipped in 0..events.len() {
        let events = &events[skipped..];
        let mut writer = Writer::new();
        writer.byte(VERSION);
        for event in events {
            write_event(&mut writer, event);
        }
        let text = base64url::encode(&writer.into_bytes());
        if text.len() <= MAX_JOURNAL {
            return (text, skipped);
        }
    }
    (String::new(), events.len())
}

fn write_event(writer: &mut Writer, event: &Event) {
    writer.bytes(&event.key.to_le_bytes());
    writer.varint(event.time.max(0) as u64);
    writer.byte(
        KINDS
            .iter()
            .position(|kind| *kind == event.kind)
            .unwrap_or_default() as u8,
    );
    writer.text(&event.name);
    writer.text(event.user_id.as_deref().unwrap_or_default());
    event.properties.write(writer);
    event.traits.write(writer);
}

/// Reads a journal. An event from the reader's future is taken as now.
///
/// # Errors
/// When the text is no journal of this version.
pub fn read_journal(text: &str, now: Timestamp) -> Result<Vec<Event>, Malformed> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.len() > MAX_JOURNAL {
        return Err(Malformed);
    }
    let bytes = base64url::decode(text)?;
    let mut reader = Reader::new(&bytes);
    if reader.byte()? != VERSION {
        return Err(Malformed);
    }
    let mut events = Vec::new();
    while !reader.is_empty() {
        let key = u32::from_le_bytes(reader.array()?);
        let time = i64::try_from(reader.varint()?)
            .map_err(|_| Malformed)?
            .min(now.max(0));
        let kind = *KINDS.get(usize::from(reader.byte()?)).ok_or(Malformed)?;
        let name = reader.text()?.to_owned();
        let user_id = Some(reader.text()?)
            .filter(|id| !id.is_empty())
            .map(str::to_owned);
        if name.chars().count() > MAX_NAME
            || user_id
                .as_ref()
                .is_some_and(|id| id.chars().count() > MAX_IDENTIFIER)
        {
            return Err(Malformed);
        }
        let properties = Value::read(&mut reader, MAX_DEPTH)?;
        let traits = Value::read(&mut reader, MAX_DEPTH)?;
        events.push(Event {
            key,
            kind,
            name,
            time,
            properties,
            context: Value::Null,
            traits,
            user_id,
            anonymous_id: None,
        });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Object;

    fn event(key: u32, size: usize) -> Event {
        let properties: Object = [("category", Value::from("x".repeat(size)))]
            .into_iter()
            .collect();
        Event {
            key,
            kind: EventKind::Track,
            name: "Product Viewed".into(),
            time: 1_795_255_200_250,
            properties: Value::Object(properties),
            context: Value::Null,
            traits: Value::Null,
            user_id: None,
            anonymous_id: None,
        }
    }

    #[test]
    fn journals_survive_their_text() {
        let events = [event(1, 5), event(2, 0), event(3, 30)];
        let (text, skipped) = write_journal(&events);
        assert_eq!(skipped, 0);
        assert_eq!(read_journal(&text, i64::MAX).unwrap(), events);
        assert_eq!(read_journal(&text, 7).unwrap()[0].time, 7);
        assert_eq!(read_journal("", 7), Ok(Vec::new()));
        assert_eq!(write_journal(&[]), (String::new(), 0));
    }

    #[test]
    fn the_oldest_make_room() {
        let events: Vec<Event> = (0..100).map(|key| event(key, 40)).collect();
        let (text, skipped) = write_journal(&events);
        assert!(text.len() <= MAX_JOURNAL && skipped > 0);
        assert_eq!(read_journal(&text, i64::MAX).unwrap(), events[skipped..]);
        assert_eq!(write_journal(&[event(1, 5_000)]), (String::new(), 1));
    }

    #[test]
    fn anything_else_is_malformed() {
        let (text, _) = write_journal(&[event(1, 5)]);
        // The first two characters are the version: a journal without events.
        assert_eq!(read_journal(&text[..2], 7), Ok(Vec::new()));
        for end in (1..text.len()).filter(|end| *end != 2) {
            assert_eq!(read_journal(&text[..end], 7), Err(Malformed), "{end}");
        }
        assert_eq!(read_journal(&"A".repeat(2_001), 7), Err(Malformed));
    }
}
