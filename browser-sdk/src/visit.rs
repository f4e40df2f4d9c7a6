//! A visit to a page: the visitor's state, what is decided, and the journal.

use nearside_engine::decide::{Context, PERSONALIZATION, decide};
use nearside_engine::decider::Decider;
use nearside_engine::event::{Arrival, Event, EventKey, EventKind, event_key};
use nearside_engine::facts::edits;
use nearside_engine::fold::{Folded as Fold, fold};
use nearside_engine::program::Program;
use nearside_engine::redirect::redirect;
use nearside_engine::replay::decisions_to_object;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::time::Timestamp;
use nearside_engine::value::{Object, Value};
use nearside_engine::wire::{PageState, read_journal, write_journal};

/// How many confirmed keys are remembered; the journal holds fewer entries.
const MAX_CONFIRMED: usize = 256;

/// What the visitor's consent to have events recorded is asked for.
const ANALYTICS: &str = "analytics";

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// It is no event.
    Invalid,
    /// It is another visitor's: of who was here before a reset.
    Foreign,
    /// It was folded before.
    Duplicate,
    /// It is in the state now, and changes nothing that the journal should tell the next page.
    New,
    /// It is in the state now, and waits for the next [`Visit::journal`].
    Journaled,
}

/// What is known of the visitor while a page is open.
pub struct Visit {
    program: Program,
    state: State,
    decider: Decider,
    visitor_id: String,
    /// What the edge knows of the request and the page cannot.
    extra: Object,
    request: Request,
    /// What a preview asks for: places of experiences and their variants.
    forced: Vec<(u16, u16)>,
    /// Events for the journal, until it is written.
    unwritten: Vec<Event>,
    /// Keys of events that are in a sealed state: the journal need not keep them.
    confirmed: Vec<EventKey>,
}

impl Visit {
    /// Starts from what the edge wrote; `None` if the program or the page's state can't be read. A visitor's
    /// state that can't be read is taken as none.
    pub fn start(program: &[u8], page_state: &Value, url: &str) -> Option<Self> {
        let program = Program::from_bytes(program).ok()?;
        let page = PageState::from_value(page_state).ok()?;
        let state = State::from_bytes(&program, &page.state).unwrap_or_else(|_| State::new(&program));
        let request =
            Request::new(url, page.request.clone()).with_consent(None, program.site.consent_required);
        let forced = page.forced.iter();
        let forced = forced.filter_map(|(experience, variant)| program.variant(experience, variant));
        let mut visit = Self {
            forced: forced.collect(),
            program,
            state,
            decider: Decider::new(),
            visitor_id: page.visitor_id,
            extra: page.request,
            request,
            unwritten: Vec::new(),
            confirmed: page.confirmed,
        };
        if let Some(view) = page.page_view {
            let event = visit.page_view(event_key(&view.message_id), view.time);
            fold(&visit.program, &mut visit.state, &event);
            visit.keep_for_journal(&event);
        }
        Some(visit)
    }

    /// The page view as the edge folded it.
    fn page_view(&self, key: EventKey, time: Timestamp) -> Event {
        let mut page = Object::new();
        page.insert("url", self.request.url());
        page.insert("path", self.request.path());
        let referrer = self.request.document().get("referrer");
        if !referrer.is_null() {
            page.insert("referrer", referrer.clone());
        }
        Event {
            key,
            kind: EventKind::Page,
            name: String::new(),
            time,
            properties: Value::Object(page),
            context: Value::Null,
            traits: Value::Null,
            user_id: None,
            anonymous_id: None,
        }
    }

    /// Takes note of what the visitor agreed to, in the form of the consent cookie's value.
    pub fn set_consent(&mut self, consent: Option<String>) {
        self.request
            .set_consent(consent, self.program.site.consent_required);
    }

    fn consents(&self, purpose: &str) -> bool {
        self.request.agrees(purpose).unwrap_or_default()
    }

    /// Whether the visitor agrees to have events recorded.
    pub fn may_record(&self) -> bool {
        self.consents(ANALYTICS)
    }

    /// Takes note of the page's address.
    pub fn set_url(&mut self, url: &str) {
        self.request = self.request.elsewhere(url, self.extra.clone());
    }

    /// Folds a message in the form of Segment's tracking API; both clocks as in [`Arrival`].
    pub fn fold(&mut self, mut message: Value, arrival: Arrival) -> Folded {
        if let Value::Object(object) = &mut message
            && object.get("anonymousId").is_none()
        {
            object.insert("anonymousId", self.visitor_id.as_str());
        }
        let Ok(event) = Event::from_message(&message, arrival, "") else {
            return Folded::Invalid;
        };
        if event.anonymous_id.as_deref() != Some(self.visitor_id.as_str()) {
            return Folded::Foreign;
        }
        if fold(&self.program, &mut self.state, &event) == Fold::Duplicate {
            return Folded::Duplicate;
        }
        if self.keep_for_journal(&event) {
            Folded::Journaled
        } else {
            Folded::New
        }
    }

    /// Keeps an event for the journal, if the next page's decisions may depend on it and the journal can
    /// carry all that they read of it.
    fn keep_for_journal(&mut self, event: &Event) -> bool {
        let matters =
            matches!(event.kind, EventKind::Page | EventKind::Identify) || self.program.concerns(event);
        if !matters {
            return false;
        }
        let brief = Event {
            properties: cut(&event.properties, self.properties_read()),
            context: Value::Null,
            traits: match event.kind {
                EventKind::Identify => cut(&event.traits, self.program.trait_paths.iter().map(Vec::as_slice)),
                _ => Value::Null,
            },
            anonymous_id: None,
            ..event.clone()
        };
        // An event is folded once: if the edge took it from the journal and saw less of it than its batch will
        // say, the rest would be lost.
        let faithful = self.program.means_the_same(event, &brief);
        if faithful {
            self.unwritten.push(brief);
        }
        faithful
    }

    fn properties_read(&self) -> impl Iterator<Item = &[String]> {
        self.program
            .event_paths
            .iter()
            .filter_map(|path| match path.split_first() {
                Some((root, rest)) if root == "properties" => Some(rest),
                _ => None,
            })
    }

    /// Folds what other tabs left in the journal.
    pub fn adopt(&mut self, journal: &str, now: Timestamp) {
        for event in read_journal(journal, now).unwrap_or_default() {
            fold(&self.program, &mut self.state, &event);
        }
    }

    /// The journal with what was folded since it was written last, and without what is confirmed. `journal` is
    /// what the cookie holds now: other tabs write it too.
    pub fn journal(&mut self, journal: &str, now: Timestamp) -> String {
        let mut events = read_journal(journal, now).unwrap_or_default();
        for event in self.unwritten.drain(..) {
            if !events.iter().any(|known| known.key == event.key) {
                events.push(event);
            }
        }
        events.retain(|event| !self.confirmed.contains(&event.key));
        write_journal(&events).0
    }

    /// Takes note of keys that are in a sealed state.
    pub fn confirm(&mut self, keys: &[EventKey]) {
        self.confirmed.extend_from_slice(keys);
        let surplus = self.confirmed.len().saturating_sub(MAX_CONFIRMED);
        self.confirmed.drain(..surplus);
    }

    fn context(&self) -> Context<'_> {
        let request = &self.request;
        let consent = self.consents(PERSONALIZATION);
        Context {
            visitor_id: &self.visitor_id,
            request,
            consent,
            forced: &self.forced,
        }
    }

    /// Whether the site keeps us from this page.
    fn is_excluded(&self) -> bool {
        let (url, path) = (self.request.url(), self.request.path());
        let mut excluded = self.program.site.exclude.iter();
        excluded.any(|page| page.matches(url, path))
    }

    /// Decides: `{"decisions": […], "segments": […], "places": […], "nextChangeAt"?}`, where `places` has the
    /// place of the variant to show, or `null`, for each experience.
    ///
    /// An assignment that is to be kept is kept as long as the page is open; the edge keeps it for the next one.
    pub fn decide(&mut self, now: Timestamp) -> Value {
        let excluded = self.is_excluded();
        let consent = self.consents(PERSONALIZATION);
        let context = Context {
            visitor_id: &self.visitor_id,
            request: &self.request,
            consent,
            forced: &self.forced,
        };
        let decisions = self.decider.decide(&self.program, &mut self.state, &context, now);
        self.state.keep_sticky(&self.program, &context, decisions, now);
        let places = decisions.decisions.iter().map(|decision| match decision.variant {
            Some(place) if !excluded => Value::Number(f64::from(place)),
            _ => Value::Null,
        });
        let places: Vec<Value> = places.collect();
        let mut object = decisions_to_object(&self.program, decisions);
        object.insert("places", places);
        if let Some(next) = decisions.next_change_at {
            object.insert("nextChangeAt", next as f64);
        }
        Value::Object(object)
    }

    /// Where the visitor is sent instead of being shown this page.
    pub fn redirect(&self, now: Timestamp) -> Option<String> {
        let context = self.context();
        let decisions = decide(&self.program, &self.state, &context, now);
        if self.is_excluded() {
            return None;
        }
        redirect(&self.program, &self.state, &context, &decisions, now)
    }

    /// The edits of a variant: `[[selector, operation, name, content], …]`.
    pub fn edits(&self, experience: usize, variant: usize, now: Timestamp) -> Value {
        let edits = edits(
            &self.program,
            &self.state,
            &self.context(),
            experience,
            variant,
            now,
        );
        let list = edits.into_iter().map(|edit| {
            let parts = [edit.selector, edit.operation.name(), edit.name, &edit.content];
            Value::Array(parts.into_iter().map(Value::from).collect())
        });
        Value::Array(list.collect())
    }
}

/// The members at those paths and no others.
fn cut<'p>(value: &Value, paths: impl Iterator<Item = &'p [String]>) -> Value {
    let mut brief = Value::Null;
    for path in paths {
        if let Some(member) = value.at(path) {
            brief.set_at(path, member.clone());
        }
    }
    brief
}

#[cfg(test)]
mod tests;
