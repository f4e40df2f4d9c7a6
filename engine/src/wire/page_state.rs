//! What the edge puts into a page for the SDK.

use super::clock;
use crate::base64url;
use crate::codec::Malformed;
use crate::event::EventKey;
use crate::time::Timestamp;
use crate::value::{Object, Value};

/// The page view that the edge has folded for this page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageView {
    /// Its `messageId`.
    pub message_id: String,
    /// Its time, by the edge's clock.
    pub time: Timestamp,
}

/// A variant whose mutations the edge has put into the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedDecision {
    /// The experience's id.
    pub experience: String,
    /// The variant's id.
    pub variant: String,
    /// The places of those mutations that were left to the browser.
    pub left: Vec<u16>,
}

/// What the SDK starts from.
#[derive(Clone, Debug, PartialEq)]
pub struct PageState {
    /// The visitor's id.
    pub visitor_id: String,
    /// The edge's clock when it wrote the page.
    pub now: Timestamp,
    /// The id of the program that decided; it is at `/_ns/program-ID.bin`.
    pub program_id: String,
    /// The visitor's state, in `State::to_bytes`'s form.
    pub state: Vec<u8>,
    /// What conditions read below `request` and the page cannot know itself: `geo`, `language`…
    pub request: Object,
    /// What the edge has put into the page.
    pub applied: Vec<AppliedDecision>,
    /// What a preview asks for: experiences with their variants, by their ids.
    pub forced: Vec<(String, String)>,
    /// The values of the program's features.
    pub features: Object,
    /// The page view of this page; none if the page was not counted.
    pub page_view: Option<PageView>,
    /// The keys of journal entries that the visitor's cookie held before this request: they are safe.
    pub confirmed: Vec<EventKey>,
}

impl PageState {
    /// The JSON form.
    pub fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.insert("v", 1.0);
        object.insert("visitor", self.visitor_id.as_str());
        object.insert("now", self.now as f64);
        object.insert("program", self.program_id.as_str());
        object.insert("state", base64url::encode(&self.state));
        object.insert("request", self.request.clone());
        let applied = self.applied.iter().map(|applied| {
            let left = applied
                .left
                .iter()
                .map(|place| Value::Number(f64::from(*place)))
                .collect();
            Value::Array(vec![
                Value::from(applied.experience.as_str()),
                Value::from(applied.variant.as_str()),
                Value::Array(left),
            ])
        });
        object.insert("applied", applied.collect::<Vec<_>>());
        if !self.forced.is_empty() {
            let pair = |(experience, variant): &(String, String)| {
                Value::Array(vec![
                    Value::from(experience.as_str()),
                    Value::from(variant.as_str()),
                ])
            };
            object.insert("forced", self.forced.iter().map(pair).collect::<Vec<_>>());
        }
        if !self.features.is_empty() {
            object.insert("features", self.features.clone());
        }
        if let Some(view) = &self.page_view {
            let mut page_view = Object::new();
            page_view.insert("id", view.message_id.as_str());
            page_view.insert("time", view.time as f64);
            object.insert("pageView", page_view);
        }
        let confirmed = self.confirmed.iter().map(|key| Value::Number(f64::from(*key)));
        object.insert("confirmed", confirmed.collect::<Vec<_>>());
        Value::Object(object)
    }

    /// Reads what [`PageState::to_value`] made.
    ///
    /// # Errors
    /// On any other value.
    pub fn from_value(value: &Value) -> Result<Self, Malformed> {
        let text = |name: &str| value.get(name).as_str().ok_or(Malformed);
        if value.get("v").as_f64() != Some(1.0) {
            return Err(Malformed);
        }
        let list = |name: &str| value.get(name).as_array().unwrap_or_default();
        let applied = list("applied").iter().map(|applied| match applied.as_array() {
            Some(
                [
                    Value::String(experience),
                    Value::String(variant),
                    Value::Array(left),
                ],
            ) => Ok(AppliedDecision {
                experience: experience.clone(),
                variant: variant.clone(),
                left: left
                    .iter()
                    .filter_map(Value::as_f64)
                    .map(|place| place as u16)
                    .collect(),
            }),
            _ => Err(Malformed),
        });
        let forced = list("forced").iter().map(|pair| match pair.as_array() {
            Some([Value::String(experience), Value::String(variant)]) => {
                Ok((experience.clone(), variant.clone()))
            }
            _ => Err(Malformed),
        });
        let view = value.get("pageView");
        let page_view = match view.get("id").as_str() {
            None => None,
            Some(id) => {
                let time = clock(view.get("time"))?;
                Some(PageView {
                    message_id: id.to_owned(),
                    time,
                })
            }
        };
        Ok(Self {
            visitor_id: text("visitor")?.to_owned(),
            now: clock(value.get("now"))?,
            program_id: text("program")?.to_owned(),
            state: base64url::decode(text("state")?)?,
            request: value.get("request").as_object().cloned().unwrap_or_default(),
            applied: applied.collect::<Result<_, _>>()?,
            forced: forced.collect::<Result<_, _>>()?,
            features: value.get("features").as_object().cloned().unwrap_or_default(),
            page_view,
            confirmed: list("confirmed")
                .iter()
                .filter_map(Value::as_f64)
                .map(|key| key as u32)
                .collect(),
        })
    }
}
