//! A page of the upstream that is kept, with its plan.

use super::freshness::{Freshness, Header, Use};
use super::vary::Variant;
use crate::policy;
use crate::private::make_private;
use crate::programs::Loaded;
use nearside_engine::mutation::Edit;
use nearside_engine::time::Timestamp;
use nearside_rewriter::{PagePlan, RewriteError, Settings, joined};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use worker::{Headers, Result, web_sys};

/// How often a page is rewritten while it streams before it gets a plan. Making a plan takes as long as rewriting the
/// page, and memory, which a page that nobody asks for again should not take.
const PLAN_AFTER: u32 = 1;

/// Headers that are about one connection, or about a body that the runtime has opened.
const NOT_KEPT: [&str; 12] = [
    "age",
    "connection",
    "content-encoding",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers of a visitor's page.
fn personal(headers: &Headers) -> Result<Headers> {
    let personal = Headers(web_sys::Headers::new_with_headers(&headers.0)?);
    make_private(&personal)?;
    // It is made now.
    personal.delete("date")?;
    Ok(personal)
}

/// A page of the upstream, whole.
pub(crate) struct Kept {
    pub(super) headers: Headers,
    /// The values of those that were asked for.
    asked: RefCell<Vec<(&'static str, Option<String>)>>,
    /// The headers of visitors' pages, as far as they are the same for all.
    personal: Headers,
    pub(super) body: Rc<Body>,
    pub(super) freshness: Freshness,
    pub(super) variant: Variant,
}

/// A page's bytes, which stay the same when the upstream says that they are, and what was made of them.
pub(super) struct Body {
    pub(super) bytes: Box<[u8]>,
    uses: Cell<u32>,
    has_grown: Cell<bool>,
    plan: RefCell<Option<Planned>>,
}

/// A plan, or why there is none, for the program that asked for it.
struct Planned {
    program_id: String,
    plan: std::result::Result<Rc<PagePlan>, RewriteError>,
}

impl Kept {
    /// Keeps a page. The headers are the upstream's.
    pub(super) fn new(
        headers: &web_sys::Headers,
        bytes: Box<[u8]>,
        freshness: Freshness,
        variant: Variant,
    ) -> Result<Self> {
        let headers = Headers(web_sys::Headers::new_with_headers(headers)?);
        for name in NOT_KEPT {
            headers.delete(name)?;
        }
        Ok(Self {
            personal: personal(&headers)?,
            headers,
            asked: RefCell::default(),
            body: Rc::new(Body {
                bytes,
                uses: Cell::new(0),
                has_grown: Cell::new(false),
                plan: RefCell::new(None),
            }),
            freshness,
            variant,
        })
    }

    /// The same page, as a 304 answer describes it now: RFC 9111, section 3.2.
    pub(super) fn freshened(
        &self,
        answer: &Headers,
        request: Header<'_>,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let headers = Headers(web_sys::Headers::new_with_headers(&self.headers.0).ok()?);
        for (name, value) in answer.entries() {
            // What is about the body was true of the one that is kept.
            if !NOT_KEPT.contains(&name.as_str()) && !name.starts_with("content-") {
                headers.set(&name, &value).ok()?;
            }
        }
        let header = |name: &str| match name {
            // Who answers now has this age, and what was not kept counts too.
            "age" | "set-cookie" => answer.get(name).ok().flatten(),
            _ => headers.get(name).ok().flatten(),
        };
        let freshness = Freshness::of(request, &header, asked_at, now)?;
        let variant = Variant::of(request, header("vary").as_deref(), freshness.is_shared)?;
        Some(Self {
            personal: personal(&headers).ok()?,
            headers,
            asked: RefCell::default(),
            body: Rc::clone(&self.body),
            freshness,
            variant,
        })
    }

    pub(super) fn usable(&self, request: Header<'_>, now: Timestamp) -> Use {
        self.freshness.usable(request, now)
    }

    /// The bytes that it takes, about.
    pub(super) fn size(&self) -> usize {
        let plan = self.body.plan.borrow();
        let plan = plan.as_ref().and_then(|planned| planned.plan.as_ref().ok());
        // The headers are in the runtime's memory, and small.
        self.body.bytes.len() + self.variant.size() + plan.map_or(0, |plan| plan.size()) + 4_096
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &'static str) -> Result<Option<String>> {
        let mut asked = self.asked.borrow_mut();
        if let Some((_, known)) = asked.iter().find(|(known, _)| *known == name) {
            return Ok(known.clone());
        }
        let value = self.headers.get(name)?;
        asked.push((name, value.clone()));
        Ok(value)
    }

    /// A copy of the headers.
    pub(crate) fn headers(&self) -> Result<Headers> {
        Ok(Headers(web_sys::Headers::new_with_headers(&self.headers.0)?))
    }

    /// The headers for a visitor's page, to be copied.
    pub(crate) const fn personal_headers(&self) -> &Headers {
        &self.personal
    }

    /// Whether the page takes more memory than when this was asked last.
    pub(crate) fn has_grown(&self) -> bool {
        self.body.has_grown.take()
    }

    /// The page as the upstream sent it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.body.bytes
    }

    /// How old the page is, in seconds.
    pub(crate) fn age(&self, now: Timestamp) -> i64 {
        self.freshness.age(now) / 1_000
    }

    /// A visitor's page by the plan; `None` if it has to go through the parser: because it is not worth a plan
    /// yet, or because there can be none.
    pub(crate) fn spliced(
        &self,
        loaded: &Loaded,
        edits: &[Edit<'_>],
        inject: &str,
        charset: Option<&str>,
    ) -> Option<Vec<u8>> {
        let plan = self.plan(loaded, charset)?;
        let pieces = plan.splice(self.bytes(), edits, Some(inject))?;
        Some(joined(self.bytes(), &pieces))
    }

    fn plan(&self, loaded: &Loaded, charset: Option<&str>) -> Option<Rc<PagePlan>> {
        let mut planned = self.body.plan.borrow_mut();
        if let Some(known) = &*planned
            && known.program_id == loaded.id
        {
            return known.plan.clone().ok();
        }
        let uses = self.body.uses.get() + 1;
        self.body.uses.set(uses);
        if uses <= PLAN_AFTER {
            return None;
        }
        self.body.uses.set(0);
        self.body.has_grown.set(true);
        let settings = Settings {
            charset,
            fit: Some(policy::fitted),
            ..Settings::default()
        };
        let plan = PagePlan::new(self.bytes(), &loaded.selectors(), settings).map(Rc::new);
        let known = planned.insert(Planned {
            program_id: loaded.id.clone(),
            plan,
        });
        known.plan.clone().ok()
    }
}
