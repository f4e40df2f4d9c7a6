//! Where a session began: its landing page, the referrer, and the campaign.

use crate::codec::{Malformed, Reader, Writer};
use crate::event::Event;
use crate::request::Request;
use crate::time::Timestamp;
use crate::value::{Object, Value};

/// The longest text that is kept, in bytes; the rest is cut off.
const MAX_TEXT: usize = 256;
/// The parts of a campaign that are kept, as Segment's `context.campaign` names them.
const CAMPAIGN: [&str; 5] = ["name", "source", "medium", "term", "content"];
/// How deep what is kept nests: an object of an object of texts.
const DEPTH: usize = 3;

/// The paths of an event that are read for it.
pub(crate) const PATHS: [&[&str]; 7] = [
    &["properties", "path"],
    &["properties", "url"],
    &["properties", "referrer"],
    &["context", "page", "path"],
    &["context", "page", "url"],
    &["context", "page", "referrer"],
    &["context", "campaign"],
];

/// Where a session began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Landing {
    at: Timestamp,
    document: Value,
}

impl Landing {
    /// `landingPage`, `referrer` and `campaign`, as far as they are known.
    pub fn document(&self) -> &Value {
        &self.document
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes note of a page view; the earliest of a session counts.
    pub(crate) fn take(&mut self, event: &Event) {
        if !self.document.is_null() && event.time >= self.at {
            return;
        }
        self.at = event.time;
        self.document = document(event);
    }

    pub(crate) fn write(&self, writer: &mut Writer, base: Timestamp) {
        self.document.write(writer);
        if !self.document.is_null() {
            writer.zigzag(base.saturating_sub(self.at));
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>, base: Timestamp) -> Result<Self, Malformed> {
        let document = Value::read(reader, DEPTH)?;
        if document.is_null() {
            return Ok(Self::default());
        }
        let at = base.checked_sub(reader.zigzag()?).ok_or(Malformed)?;
        if !(0..=1 << 48).contains(&at) {
            return Err(Malformed);
        }
        Ok(Self { at, document })
    }
}

fn document(event: &Event) -> Value {
    let page = event.context.get("page");
    let text = |name: &str| {
        let own = event.properties.get(name).as_str();
        own.or_else(|| page.get(name).as_str())
            .filter(|text| !text.is_empty())
    };
    let request = text("url").map(|url| Request::new(url, Object::new()));
    let path = text("path").or_else(|| request.as_ref().map(Request::path));
    let mut campaign = Object::new();
    let utm = request.as_ref().map(|request| request.document().get("utm"));
    for name in CAMPAIGN {
        let said = event.context.get("campaign").get(name).as_str();
        // The name of a campaign is `utm_campaign`; the others have their own.
        let parameter = if name == "name" { "campaign" } else { name };
        let in_address = utm.and_then(|utm| utm.get(parameter).as_str());
        if let Some(text) = said.or(in_address).filter(|text| !text.is_empty()) {
            campaign.insert(name, cut(text));
        }
    }
    let mut document = Object::new();
    document.insert("landingPage", path.map(cut));
    document.insert("referrer", text("referrer").map(cut));
    document.insert("campaign", campaign);
    Value::Object(document)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
