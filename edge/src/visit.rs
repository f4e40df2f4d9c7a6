//! The visit: who asks, and what is remembered of them.

use crate::config::Config;
use crate::seal::{MAX_CONTENT, NONCE};
use crate::{cookies, identifiers};
use nearside_engine::event::{Event, EventKey};
use nearside_engine::fold::fold;
use nearside_engine::program::Program;
use nearside_engine::state::State;
use nearside_engine::time::Timestamp;
use nearside_engine::wire::{
    CONSENT_COOKIE, JOURNAL_COOKIE, STATE_COOKIE, VISITOR_COOKIE, consents, read_journal, read_reset,
};

/// A visitor, as their request shows them.
pub(crate) struct Visit {
    /// The visitor's id: their cookie's, or a new one.
    pub(crate) visitor_id: String,
    /// Whether the id is new.
    pub(crate) is_new: bool,
    /// Whether it is new because the visitor's page asked for that in the journal's place.
    pub(crate) is_reset: bool,
    /// What is remembered of them, with the journal folded in.
    pub(crate) state: State,
    /// The keys of journal entries that the sealed cookie had already: they are safe.
    pub(crate) confirmed: Vec<EventKey>,
}

/// The id that a visitor's cookie has, if it can be one of ours.
pub(crate) fn known_id(cookie: &str) -> Option<&str> {
    cookies::read(cookie, VISITOR_COOKIE).filter(|id| identifiers::is_visitor_id(id))
}

/// The id of somebody new: the one that their reset proposes, or a random one. That a page may propose it gives
/// nothing away: pages know their visitor's id, and it proves nothing.
pub(crate) fn new_id(cookie: &str) -> Option<String> {
    let proposed = cookies::read(cookie, JOURNAL_COOKIE).and_then(read_reset);
    match proposed.filter(|id| identifiers::is_visitor_id(id)) {
        Some(id) => Some(id.to_owned()),
        None => identifiers::uuid(),
    }
}

/// What a visitor agrees to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Consent {
    /// Their events may be collected.
    pub(crate) analytics: bool,
    /// Pages may be made for them.
    pub(crate) personalization: bool,
}

/// The value of the consent cookie in a `Cookie` header.
pub(crate) fn consent_cookie(cookie: &str) -> Option<&str> {
    cookies::read(cookie, CONSENT_COOKIE)
}

impl Consent {
    /// Reads the consent from a `Cookie` header.
    pub(crate) fn read(cookie: &str, program: &Program) -> Self {
        let agreed = consent_cookie(cookie);
        let required = program.site.consent_required;
        Self {
            analytics: consents(agreed, "analytics", required),
            personalization: consents(agreed, "personalization", required),
        }
    }
}

impl Visit {
    /// Reads a visit from a `Cookie` header: anything that is not ours, not whole or not sealed for this
    /// visitor is as if it were not there. Of a visitor who has not agreed to it (`remembers`), the state is
    /// not read. `None` if there is no id, and none can be made.
    pub(crate) fn read(
        cookie: &str,
        program: &Program,
        config: &Config,
        now: Timestamp,
        remembers: bool,
    ) -> Option<Self> {
        let journal = cookies::read(cookie, JOURNAL_COOKIE);
        if journal.and_then(read_reset).is_some() {
            return Self::anew(cookie, program);
        }
        let known = known_id(cookie);
        let visitor_id = match known {
            Some(id) => id.to_owned(),
            None => identifiers::uuid()?,
        };
        let mut visit = Self {
            visitor_id,
            is_new: known.is_none(),
            is_reset: false,
            state: State::new(program),
            confirmed: Vec::new(),
        };
        // Without an id the rest is somebody else's, or from before the id was lost.
        if visit.is_new || !remembers {
            return Some(visit);
        }
        let sealed = cookies::read(cookie, STATE_COOKIE);
        let opened = sealed.and_then(|sealed| config.keys.open(sealed, &visit.visitor_id));
        if let Some(Ok(state)) = opened.map(|bytes| State::from_bytes(program, &bytes)) {
            visit.state = state;
        }
        if let Some(Ok(journal)) = journal.map(|text| read_journal(text, now)) {
            // All are looked up before any is folded: folding makes the state forget the oldest keys.
            let (known, new): (Vec<Event>, Vec<Event>) = journal
                .into_iter()
                .partition(|event| visit.state.has_seen(event.key));
            visit.confirmed = known.iter().map(|event| event.key).collect();
            for event in &new {
                visit.fold(program, event);
            }
        }
        Some(visit)
    }

    /// Somebody new, after a reset.
    pub(crate) fn anew(cookie: &str, program: &Program) -> Option<Self> {
        Some(Self {
            visitor_id: new_id(cookie)?,
            is_new: true,
            is_reset: true,
            state: State::new(program),
            confirmed: Vec::new(),
        })
    }

    /// Folds an event.
    pub(crate) fn fold(&mut self, program: &Program, event: &Event) {
        fold(program, &mut self.state, event);
    }

    /// The `Set-Cookie` headers that remember the visit. Without a key the state cannot be remembered.
    pub(crate) fn cookies(&self, program: &Program, config: &Config, secure: bool) -> Vec<String> {
        let mut cookies = vec![cookies::set(VISITOR_COOKIE, &self.visitor_id, secure)];
        let (bytes, _) = self.state.to_bytes_within(program, MAX_CONTENT);
        let sealed = identifiers::random::<NONCE>()
            .and_then(|nonce| config.keys.seal(&bytes, &self.visitor_id, nonce));
        if self.is_reset {
            cookies.push(cookies::expire(JOURNAL_COOKIE, secure));
        }
        cookies.extend(sealed.map(|sealed| cookies::set(STATE_COOKIE, &sealed, secure)));
        cookies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Keys;
    use nearside_engine::event::EventKind;
    use nearside_engine::value::Value;
    use nearside_engine::wire::write_journal;

    fn config() -> Config {
        Config {
            upstream: None,
            origin: None,
            edge_secret: None,
            keys: Keys::parse("k1:bmVhcnNpZGUtZGV2ZWxvcG1lbnQta2V5LTMyLWJ5dGU="),
            country_header: None,
            refresh: 0,
            snapshot_age: 0,
            cache_bytes: 0,
        }
    }

    /// The value of a cookie in its `Set-Cookie` header.
    fn pair(header: &str) -> &str {
        header.split(';').next().unwrap()
    }

    #[test]
    fn a_journal_longer_than_the_state_s_memory_of_keys_is_confirmed_by_what_is_known() {
        let (program, config) = (Program::default(), config());
        let events: Vec<Event> = (0..70)
            .map(|key| Event {
                key,
                kind: EventKind::Track,
                name: "E".to_owned(),
                time: 1_000 + i64::from(key),
                properties: Value::Null,
                context: Value::Null,
                traits: Value::Null,
                user_id: None,
                anonymous_id: None,
            })
            .collect();
        let (journal, skipped) = write_journal(&events);
        assert_eq!(skipped, 0);
        let mut cookie = format!("ns_id=0123456789abcdef0123; ns_j={journal}");
        let mut confirmed = Vec::new();
        for _ in 0..3 {
            let visit = Visit::read(&cookie, &program, &config, 2_000, true).unwrap();
            confirmed.push(visit.confirmed.len());
            let sealed = visit.cookies(&program, &config, false);
            cookie = format!("ns_id=0123456789abcdef0123; ns_j={journal}; {}", pair(&sealed[1]));
        }
        assert_eq!(confirmed[0], 0);
        assert!(confirmed[1] >= 60, "{confirmed:?}");
        // After a reset nothing of the old person is read, whatever else the request brings.
        let reset = cookie.replace(&format!("ns_j={journal}"), "ns_j=r");
        let somebody_new = Visit::read(&reset, &program, &config, 2_000, true).unwrap();
        assert_ne!(somebody_new.visitor_id, "0123456789abcdef0123");
        assert!(somebody_new.is_new && somebody_new.state.recent().is_empty());
        // Whoever else asks with the same reset becomes the same; with one that proposes no id, somebody else.
        let becomes = |journal: &str| {
            let visit = Visit::read(
                &format!("ns_id=0123456789abcdef0123; ns_j={journal}"),
                &program,
                &config,
                2_000,
                true,
            );
            let visit = visit.unwrap();
            assert!(visit.is_reset, "{journal}");
            visit.visitor_id
        };
        assert_eq!(becomes("r.fedcba9876543210-new"), "fedcba9876543210-new");
        for wrong in [
            "r.",
            "r.short",
            "r.<script>alert(1)</script>",
            &format!("r.{}", "a".repeat(65)),
        ] {
            assert!(!wrong.ends_with(&becomes(wrong)) && becomes(wrong) != becomes(wrong));
        }
        let cookies = somebody_new.cookies(&program, &config, false);
        assert!(
            cookies.contains(&"ns_j=; Path=/; Max-Age=0; SameSite=Lax".to_owned()),
            "{cookies:?}"
        );
        // A visitor who does not agree has neither state nor journal.
        let refused = Visit::read(&cookie, &program, &config, 2_000, false).unwrap();
        assert!(refused.confirmed.is_empty() && refused.state.recent().is_empty());
    }
}
