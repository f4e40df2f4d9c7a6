//! What edge, browser and origin say to each other. They import nothing from each other, and meet here.

mod journal;
mod page_state;
mod preview;
mod surrogates;

pub use journal::{MAX_JOURNAL, read_journal, write_journal};
pub use page_state::{AppliedDecision, PageState, PageView};
pub use preview::{
    MAX_PREVIEW_TOKEN, MAX_PREVIEW_VARIANTS, PREVIEW_COOKIE, PREVIEW_KEY_CONTEXT, PREVIEW_PARAMETER,
    PREVIEW_TAG, Preview, read_preview_token, split_preview, write_preview_token,
};
pub use surrogates::repair_surrogates;

use crate::base64url;
use crate::codec::Malformed;
use crate::event::instant;
use crate::state::Snapshot;
use crate::time::Timestamp;
use crate::value::{Object, Value};

/// The visitor's id, minted by the edge; `HttpOnly`.
pub const VISITOR_COOKIE: &str = "ns_id";
/// The sealed session state; `HttpOnly`.
pub const STATE_COOKIE: &str = "ns_s";
/// The journal: events that the edge has not confirmed yet, written by the SDK.
pub const JOURNAL_COOKIE: &str = "ns_j";
/// What stands in the journal's place after the visitor has asked to be somebody new, until the edge has made
/// them so: a request that overtakes the one for it must not bring the old person back. `r.ID` proposes who
/// they become, so that all requests which carry it, whatever tab they are from, make the same visitor.
pub const RESET_JOURNAL: &str = "r";
/// What the visitor agreed to: `all`, `none`, or the agreed purposes joined by `.`.
pub const CONSENT_COOKIE: &str = "ns_c";

/// Marks for a few seconds that the visitor was just sent to the page that they ask for.
pub const REDIRECT_COOKIE: &str = "ns_to";

/// The largest value of the sealed state cookie, in bytes.
pub const MAX_STATE_COOKIE: usize = 3_500;

/// The id of the element that carries the [`PageState`] in a page.
pub const STATE_ELEMENT: &str = "nearside-state";

/// The id that a reset in the journal's place proposes, empty where it proposes none; `None` for a journal.
pub fn read_reset(journal: &str) -> Option<&str> {
    match journal.strip_prefix(RESET_JOURNAL)? {
        "" => Some(""),
        // No journal has a point: it is base64url.
        proposed => proposed.strip_prefix('.'),
    }
}

/// Whether the visitor agrees to a purpose: by their cookie if there is one, else by the site's default.
pub fn consents(cookie: Option<&str>, purpose: &str, required: bool) -> bool {
    match cookie {
        None => !required,
        Some("all") => true,
        Some(purposes) => purposes.split('.').any(|agreed| agreed == purpose),
    }
}

/// Reads what a clock of ours showed, which is never before 1970.
fn clock(value: &Value) -> Result<Timestamp, Malformed> {
    instant(value).filter(|at| *at >= 0).ok_or(Malformed)
}

impl Snapshot {
    /// The snapshot as JSON: `{"asOf": milliseconds, "state": base64url}`.
    pub fn to_value(&self) -> Value {
        let mut object = Object::new();
        object.insert("asOf", self.as_of as f64);
        object.insert("state", base64url::encode(&self.state));
        Value::Object(object)
    }

    /// Reads what [`Snapshot::to_value`] made.
    ///
    /// # Errors
    /// On any other value.
    pub fn from_value(value: &Value) -> Result<Self, Malformed> {
        let as_of = clock(value.get("asOf"))?;
        let state = base64url::decode(value.get("state").as_str().ok_or(Malformed)?)?;
        Ok(Self { as_of, state })
    }
}
