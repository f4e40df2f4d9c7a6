//! The way of a request to the upstream's page: from memory, from the runtime's cache, or from the upstream.

use super::freshness::{Freshness, Header};
use super::kept::Kept;
use super::pages::{self, Asking, Known};
use super::vary::Variant;
use super::{behind, fill};
use crate::background;
use crate::clock;
use crate::config::Config;
use crate::proxy::{self, UpstreamRequest};
use crate::upstream_page::UpstreamPage;
use nearside_engine::time::Timestamp;
use std::rc::Rc;
use std::time::Duration;
use worker::{Context, Delay, Headers, Result, console_log, web_sys};

/// How long a visitor waits for a page that somebody else has asked for, before they ask themselves, in milliseconds.
const PATIENCE: i64 = 5_000;
/// How soon a visitor who waits looks again whether it is there: after an eighth of the time that they have waited, so that many
/// who wait for a slow upstream take little of the isolate's time. A promise of one request cannot wake another one reliably.
const fn look_again_after(waited: i64) -> Duration {
    let milliseconds = match waited / 8 {
        ..2 => 2,
        longer @ 2..100 => longer,
        100.. => 100,
    };
    Duration::from_millis(milliseconds as u64)
}

/// What the upstream has for a request.
pub(crate) struct Answer {
    pub(crate) page: UpstreamPage,
    pub(crate) source: Source,
}

/// Where an answer is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The upstream; the answer is not for others.
    Upstream,
    /// The upstream, and it is kept now.
    Miss,
    /// It was kept and is good.
    Hit,
    /// It was kept, and a newer one is being asked for.
    Stale,
    /// It was kept, and the upstream says that it is still the same.
    Revalidated,
    /// It was kept, and the upstream fails.
    Error,
}

impl Source {
    /// The name in `Server-Timing`; the words are RFC 9211's where it has them.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Upstream => "bypass",
            Self::Miss => "miss",
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Revalidated => "revalidated",
            Self::Error => "stale-if-error",
        }
    }
}

/// A request for a page that others may have asked for.
pub(crate) struct Ask<'r> {
    pub(crate) request: &'r web_sys::Request,
    pub(crate) headers: &'r Headers,
    pub(crate) context: &'r Context,
    pub(crate) config: &'r Config,
    /// Whether a response is a page that may be kept, as far as its kind goes.
    pub(crate) is_page: fn(&web_sys::Response) -> bool,
    /// Whether the upstream is asked for the whole page, whatever the visitor has of it.
    pub(crate) is_whole: bool,
}

/// Finds the page that a request asks for. The key is the page's address, or `None` where kept pages are not for the
/// request at all.
pub(crate) async fn answer(ask: &Ask<'_>, key: Option<&str>) -> Result<Answer> {
    let Some(key) = key else {
        let response = ask.upstream()?.send().headers().await?;
        return Ok(Answer::arriving(response, Source::Upstream));
    };
    let header = |name: &str| ask.headers.get(name).ok().flatten();
    let began_at = clock::now();
    loop {
        let now = clock::now();
        match pages::look(key, &header, now) {
            Known::Fresh(kept) => return Ok(Answer::kept(kept, Source::Hit)),
            Known::Stale(kept) => {
                revalidate_meanwhile(ask, key, &kept, Asking::begin(key, now));
                return Ok(Answer::kept(kept, Source::Stale));
            }
            Known::Asked if now - began_at < PATIENCE => {
                Delay::from(look_again_after(now - began_at)).await;
            }
            Known::Missing(kept) => {
                let asking = Asking::begin(key, now);
                return ask_upstream(ask, key, kept, asking).await;
            }
            Known::Asked | Known::Unkept => return ask_upstream(ask, key, None, None).await,
        }
    }
}

impl Answer {
    fn arriving(response: web_sys::Response, source: Source) -> Self {
        Self {
            page: UpstreamPage::Arriving(response),
            source,
        }
    }

    fn kept(kept: Rc<Kept>, source: Source) -> Self {
        Self {
            page: UpstreamPage::Kept(kept),
            source,
        }
    }
}

impl Ask<'_> {
    fn upstream(&self) -> Result<UpstreamRequest> {
        let upstream = UpstreamRequest::new(self.request, self.config)?;
        if self.is_whole {
            upstream.whole()
        } else {
            Ok(upstream)
        }
    }

    /// The values of the request that decide which kept pages are for it, for when the request is gone.
    fn snapshot(&self) -> Result<Headers> {
        Ok(Headers(web_sys::Headers::new_with_headers(&self.headers.0)?))
    }
}

/// Asks the upstream, and the runtime's cache before, if nothing is known.
async fn ask_upstream(
    ask: &Ask<'_>,
    key: &str,
    known: Option<Rc<Kept>>,
    asking: Option<Asking>,
) -> Result<Answer> {
    let header = |name: &str| ask.headers.get(name).ok().flatten();
    if known.is_none()
        && asking.is_some()
        && let Some(kept) = behind::get(key).await
    {
        let now = clock::now();
        pages::keep(key, Rc::new(kept), now, ask.config.cache_bytes);
        match pages::look(key, &header, now) {
            Known::Fresh(kept) => return Ok(Answer::kept(kept, Source::Hit)),
            Known::Stale(kept) => {
                revalidate_meanwhile(ask, key, &kept, asking);
                return Ok(Answer::kept(kept, Source::Stale));
            }
            _ => {}
        }
    }
    let mut upstream = ask.upstream()?;
    if let Some(known) = &known {
        upstream = upstream.unless_same(&known.headers)?;
    }
    let asked_at = clock::now();
    let coming = upstream.send();
    if asking.is_some() {
        // Others wait for it: it comes, even if this visitor goes.
        coming.keep_alive(ask.context);
    }
    let response = coming.headers().await;
    let now = clock::now();
    let is_known = known.is_some();
    if let Some(known) = known {
        let has_failed = response
            .as_ref()
            .map_or(true, |response| response.status() >= 500);
        if has_failed && known.freshness.serves_for_error(now) {
            return Ok(Answer::kept(known, Source::Error));
        }
        if let Ok(answer) = &response
            && answer.status() == 304
        {
            let same = take_304(ask, key, &known, &header, answer, asked_at, now).await;
            return Ok(Answer::kept(same, Source::Revalidated));
        }
        if !has_failed {
            pages::forget(key, &header);
        }
    }
    let response = response?;
    let Some((freshness, variant)) = storable(ask.is_page, &response, &header, asked_at, now) else {
        pages::note_unkept(key);
        if is_known {
            let key = key.to_owned();
            background::go_on(ask.context, async move { behind::forget(&key).await });
        }
        return Ok(Answer::arriving(response, Source::Upstream));
    };
    // Without a note somebody else keeps it already, or will.
    let Some(asking) = asking.or_else(|| Asking::begin(key, now)) else {
        return Ok(Answer::arriving(response, Source::Upstream));
    };
    let Some(filling) = fill::Filling::begin(now) else {
        return Ok(Answer::arriving(response, Source::Upstream));
    };
    let Some((theirs, ours)) = fill::doubled(&response) else {
        return Ok(Answer::arriving(response, Source::Upstream));
    };
    let headers = web_sys::Headers::new_with_headers(&response.headers())?;
    let passing = proxy::with_body(&response, Some(&theirs))?;
    let (key, bound) = (key.to_owned(), ask.config.cache_bytes);
    background::go_on(ask.context, async move {
        let filled = fill::read(ours).await;
        drop(filling);
        let now = clock::now();
        let kept = filled.and_then(|bytes| Kept::new(&headers, bytes, freshness, variant).ok());
        let Some(kept) = kept.map(Rc::new) else {
            pages::note_unkept(&key);
            return;
        };
        pages::keep(&key, Rc::clone(&kept), now, bound);
        drop(asking);
        behind::put(&key, &kept, now).await;
    });
    Ok(Answer::arriving(passing, Source::Miss))
}

/// Whether a response may be kept.
fn storable(
    is_page: fn(&web_sys::Response) -> bool,
    response: &web_sys::Response,
    request: Header<'_>,
    asked_at: Timestamp,
    now: Timestamp,
) -> Option<(Freshness, Variant)> {
    let headers = Headers(response.headers());
    if !is_page(response) || fill::is_too_large(&headers) {
        return None;
    }
    let header = |name: &str| headers.get(name).ok().flatten();
    let freshness = Freshness::of(request, &header, asked_at, now)?;
    let variant = Variant::of(request, header("vary").as_deref(), freshness.is_shared)?;
    Some((freshness, variant))
}

/// The kept page with what a 304 answer says of it; if that forbids to keep it, it is shown once more.
async fn take_304(
    ask: &Ask<'_>,
    key: &str,
    known: &Rc<Kept>,
    request: Header<'_>,
    answer: &web_sys::Response,
    asked_at: Timestamp,
    now: Timestamp,
) -> Rc<Kept> {
    let headers = Headers(answer.headers());
    match known.freshened(&headers, request, asked_at, now) {
        Some(kept) => {
            let kept = Rc::new(kept);
            pages::keep(key, Rc::clone(&kept), now, ask.config.cache_bytes);
            let (key, again) = (key.to_owned(), Rc::clone(&kept));
            background::go_on(ask.context, async move { behind::put(&key, &again, now).await });
            kept
        }
        None => {
            pages::forget(key, request);
            Rc::clone(known)
        }
    }
}

/// Asks the upstream whether a page is still the same, while the visitor has it already; without a note somebody
/// else does.
fn revalidate_meanwhile(ask: &Ask<'_>, key: &str, known: &Rc<Kept>, asking: Option<Asking>) {
    let Some(asking) = asking else { return };
    let asked = ask.upstream().and_then(|upstream| {
        let upstream = upstream.whole()?.unless_same(&known.headers)?;
        Ok((upstream, ask.snapshot()?))
    });
    let (upstream, request) = match asked {
        Ok(asked) => asked,
        Err(error) => return console_log!("nearside: a page cannot be revalidated: {error}"),
    };
    let (known, key, bound) = (Rc::clone(known), key.to_owned(), ask.config.cache_bytes);
    let is_page = ask.is_page;
    background::go_on(ask.context, async move {
        let _asking = asking;
        let header = |name: &str| request.get(name).ok().flatten();
        let asked_at = clock::now();
        let response = match upstream.send().headers().await {
            // Who fails has not answered: RFC 9111, section 4.3.3.
            Ok(response) if response.status() < 500 => response,
            Ok(_) => return,
            Err(error) => {
                console_log!("nearside: a page was not revalidated: {error}");
                return;
            }
        };
        let now = clock::now();
        let headers = Headers(response.headers());
        let kept = if response.status() == 304 {
            known.freshened(&headers, &header, asked_at, now)
        } else if let Some((freshness, variant)) = storable(is_page, &response, &header, asked_at, now)
            && let Some(body) = response.body()
        {
            // What breaks off says nothing of the page that is kept.
            let Some(bytes) = fill::read(body).await else {
                return;
            };
            Kept::new(&headers.0, bytes, freshness, variant).ok()
        } else {
            None
        };
        match kept.map(Rc::new) {
            Some(kept) => {
                pages::keep(&key, Rc::clone(&kept), now, bound);
                behind::put(&key, &kept, now).await;
            }
            None => {
                pages::forget(&key, &header);
                behind::forget(&key).await;
            }
        }
    });
}
