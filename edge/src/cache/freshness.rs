//! Whether a page may be kept, and for how long it is good: RFC 9111 and RFC 5861.

use super::directives::{Directives, seconds};
use nearside_engine::time::Timestamp;
use std::time::UNIX_EPOCH;

/// A header of a request or a response, by its name; several lines are joined by commas.
pub(super) type Header<'h> = &'h dyn Fn(&str) -> Option<String>;

/// How long a kept page is good. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Freshness {
    /// When the page would have been of age 0.
    born_at: Timestamp,
    lifetime: i64,
    /// How long after its lifetime it may be shown while a newer one is asked for.
    while_revalidating: i64,
    /// How long after its lifetime it may be shown when the upstream fails.
    if_error: i64,
    must_revalidate: bool,
    /// Whether the upstream can say that the page is still the same.
    has_validator: bool,
    /// Whether the upstream says in so many words that caches for many may keep the page, and not just a browser.
    pub(super) is_shared: bool,
}

/// What may be done with a kept page for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is shown.
    Fresh,
    /// It is shown, and a newer one is asked for meanwhile.
    Stale,
    /// The upstream is asked first.
    Revalidate,
}

impl Freshness {
    /// What a response with status 200 to a GET request says, received at `now`; `None` if it must not be kept, or is of no use later.
    ///
    /// Nothing is guessed: a page that does not say how long it is good is not kept, although RFC 9111 (section
    /// 4.2.2) lets caches do that. Pages with `Set-Cookie`, and answers to requests with `Authorization`, are
    /// never kept, although it lets caches keep some of them.
    pub(super) fn of(
        request: Header<'_>,
        response: Header<'_>,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let asked = Directives::parse(&request("cache-control").unwrap_or_default());
        if asked.no_store || request("authorization").is_some() || response("set-cookie").is_some() {
            return None;
        }
        let said = Directives::parse(&response("cache-control")?);
        if said.no_store || said.is_private {
            return None;
        }
        let date = response("date").and_then(|date| time_of(&date));
        let lifetime = said.s_maxage.or(said.max_age).map(|seconds| seconds * 1_000);
        let lifetime = lifetime.or_else(|| {
            // A date that cannot be read is in the past.
            let expires = time_of(&response("expires")?).unwrap_or(0);
            Some((expires - date.unwrap_or(now)).max(0))
        });
        let has_validator = response("etag").is_some() || response("last-modified").is_some();
        let lifetime = match (lifetime, said.no_cache) {
            (_, true) => 0,
            (Some(lifetime), false) => lifetime,
            (None, false) => return None,
        };
        let swr = said.stale_while_revalidate.unwrap_or(0) * 1_000;
        let if_error = said.stale_if_error.unwrap_or(0) * 1_000;
        let must_revalidate = said.must_revalidate || said.no_cache || said.s_maxage.is_some();
        if lifetime == 0 && !has_validator && (must_revalidate || swr + if_error == 0) {
            return None;
        }
        // RFC 9111, section 4.2.3.
        let apparent_age = date.map_or(0, |date| (now - date).max(0));
        let age = response("age").map_or(0, |age| seconds(age.trim()) * 1_000);
        let corrected_age = age + (now - asked_at).max(0);
        Some(Self {
            born_at: now - apparent_age.max(corrected_age),
            lifetime,
            while_revalidating: swr,
            if_error,
            must_revalidate,
            has_validator,
            is_shared: said.is_public || said.s_maxage.is_some(),
        })
    }

    /// What may be done with the page for a request.
    pub(super) fn usable(&self, request: Header<'_>, now: Timestamp) -> Use {
        let asked = match request("cache-control") {
            Some(value) => Directives::parse(&value),
            None => Directives {
                no_cache: request("pragma").is_some_and(|value| value.contains("no-cache")),
                ..Directives::default()
            },
        };
        let age = self.age(now);
        let too_old = |limit: i64| age > limit * 1_000;
        if asked.no_cache || asked.max_age.is_some_and(too_old) {
            return Use::Revalidate;
        }
        let left = self.lifetime - age;
        if left > asked.min_fresh.unwrap_or(0) * 1_000 {
            return Use::Fresh;
        }
        if !self.must_revalidate && asked.min_fresh.is_none() && -left < self.while_revalidating {
            return Use::Stale;
        }
        Use::Revalidate
    }

    /// Whether the page may be shown when the upstream was asked and failed.
    pub(super) fn serves_for_error(&self, now: Timestamp) -> bool {
        !self.must_revalidate && self.age(now) - self.lifetime < self.if_error.max(self.while_revalidating)
    }

    /// How old the page is, in milliseconds.
    pub(super) fn age(&self, now: Timestamp) -> i64 {
        (now - self.born_at).max(0)
    }

    /// Until when the page is of any use, if nobody asks the upstream whether it is still the same.
    pub(super) fn useful_until(&self) -> Timestamp {
        let longer = if self.must_revalidate {
            0
        } else {
            self.while_revalidating.max(self.if_error)
        };
        self.born_at + self.lifetime + longer
    }

    /// For another isolate.
    pub(super) fn to_text(&self) -> String {
        format!(
            "{} {} {} {} {} {} {}",
            self.born_at,
            self.lifetime,
            self.while_revalidating,
            self.if_error,
            u8::from(self.must_revalidate),
            u8::from(self.has_validator),
            u8::from(self.is_shared)
        )
    }

    /// Reads what [`Self::to_text`] has written.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(str::parse::<i64>);
        let mut next = || numbers.next()?.ok();
        let freshness = Self {
            born_at: next()?,
            lifetime: next()?,
            while_revalidating: next()?,
            if_error: next()?,
            must_revalidate: next()? != 0,
            has_validator: next()? != 0,
            is_shared: next()? != 0,
        };
        Some(freshness)
    }

    /// Whether it is worth to be kept any longer.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        !self.has_validator && self.useful_until() <= now
    }
}

/// An HTTP date, in milliseconds.
fn time_of(date: &str) -> Option<Timestamp> {
    let time = httpdate::parse_http_date(date.trim()).ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = 1_795_305_600_000;
    const DATE: &str = "Sun, 22 Nov 2026 00:00:00 GMT";

    fn header<'h>(headers: &'h [(&'h str, &'h str)]) -> impl Fn(&str) -> Option<String> + 'h {
        move |name| {
            let found = headers.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    fn kept(response: &[(&str, &str)]) -> Option<Freshness> {
        Freshness::of(&header(&[]), &header(response), NOW, NOW)
    }

    fn usable(freshness: &Freshness, request: &[(&str, &str)], seconds_later: i64) -> Use {
        freshness.usable(&header(request), NOW + seconds_later * 1_000)
    }

    #[test]
    fn the_date_of_the_tests_is_now() {
        assert_eq!(time_of(DATE), Some(NOW));
    }

    #[test]
    fn what_is_private_or_somebodys_is_never_kept() {
        let public = ("cache-control", "public, max-age=60");
        assert!(kept(&[public]).is_some());
        assert!(kept(&[("cache-control", "private, max-age=60")]).is_none());
        assert!(kept(&[("cache-control", "max-age=60, no-store")]).is_none());
        assert!(kept(&[public, ("set-cookie", "a=b")]).is_none());
        for request in [("authorization", "Basic eDp5"), ("cache-control", "no-store")] {
            assert!(Freshness::of(&header(&[request]), &header(&[public]), NOW, NOW).is_none());
        }
    }

    #[test]
    fn what_does_not_say_how_long_it_is_good_is_not_kept() {
        assert!(kept(&[]).is_none());
        assert!(kept(&[("cache-control", "public")]).is_none());
        assert!(kept(&[("cache-control", "public"), ("etag", "\"a\"")]).is_none());
        assert!(kept(&[("last-modified", DATE)]).is_none());
    }

    #[test]
    fn what_is_over_at_once_is_kept_only_where_the_upstream_can_say_that_it_is_the_same() {
        assert!(kept(&[("cache-control", "max-age=0")]).is_none());
        assert!(kept(&[("cache-control", "no-cache")]).is_none());
        let page = kept(&[("cache-control", "no-cache, max-age=600"), ("etag", "\"a\"")]).unwrap();
        assert_eq!(usable(&page, &[], 0), Use::Revalidate);
        assert!(!page.is_over(NOW + 1_000_000));
    }

    #[test]
    fn the_lifetime_is_s_maxage_then_max_age_then_expires() {
        let date = ("date", DATE);
        let expires = ("expires", "Sun, 22 Nov 2026 00:00:30 GMT");
        let page = kept(&[("cache-control", "max-age=10, s-maxage=20"), expires, date]).unwrap();
        assert_eq!(usable(&page, &[], 19), Use::Fresh);
        assert_eq!(usable(&page, &[], 20), Use::Revalidate);
        let page = kept(&[("cache-control", "max-age=10"), expires, date]).unwrap();
        assert_eq!(usable(&page, &[], 10), Use::Revalidate);
        let page = kept(&[("cache-control", "public"), expires, date]).unwrap();
        assert_eq!(usable(&page, &[], 29), Use::Fresh);
        assert_eq!(usable(&page, &[], 30), Use::Revalidate);
        // RFC 9111, section 5.3: "0" and what is no date are in the past.
        assert!(kept(&[("cache-control", "public"), ("expires", "0"), date]).is_none());
    }

    #[test]
    fn the_age_that_a_page_comes_with_counts() {
        let page = kept(&[("cache-control", "max-age=60"), ("age", "50")]).unwrap();
        assert_eq!(page.age(NOW), 50_000);
        assert_eq!(usable(&page, &[], 9), Use::Fresh);
        assert_eq!(usable(&page, &[], 10), Use::Revalidate);
        let old = ("date", "Sat, 21 Nov 2026 23:59:00 GMT");
        assert_eq!(
            kept(&[("cache-control", "max-age=90"), old]).unwrap().age(NOW),
            60_000
        );
        // The way of the answer is part of its age.
        let slow = Freshness::of(
            &header(&[]),
            &header(&[("cache-control", "max-age=60"), ("age", "5")]),
            NOW - 3_000,
            NOW,
        );
        assert_eq!(slow.unwrap().age(NOW), 8_000);
    }

    #[test]
    fn what_is_stale_is_shown_where_the_upstream_allows_it() {
        let page = kept(&[(
            "cache-control",
            "max-age=10, stale-while-revalidate=20, stale-if-error=60",
        )])
        .unwrap();
        assert_eq!(usable(&page, &[], 9), Use::Fresh);
        assert_eq!(usable(&page, &[], 10), Use::Stale);
        assert_eq!(usable(&page, &[], 29), Use::Stale);
        assert_eq!(usable(&page, &[], 30), Use::Revalidate);
        assert!(page.serves_for_error(NOW + 69_000));
        assert!(!page.serves_for_error(NOW + 70_000));
        assert!(!page.is_over(NOW + 69_000));
        assert!(page.is_over(NOW + 70_000));
        // RFC 9111, section 5.2.2.10: s-maxage has the meaning of proxy-revalidate.
        for strict in ["must-revalidate", "proxy-revalidate", "s-maxage=10", "no-cache"] {
            let said = format!("max-age=10, stale-while-revalidate=20, stale-if-error=60, {strict}");
            let page = kept(&[("cache-control", &said), ("etag", "\"a\"")]).unwrap();
            assert_eq!(usable(&page, &[], 11), Use::Revalidate, "{strict}");
            assert!(!page.serves_for_error(NOW + 11_000), "{strict}");
        }
    }

    #[test]
    fn a_request_may_ask_for_less_age() {
        let page = kept(&[("cache-control", "max-age=60, stale-while-revalidate=60")]).unwrap();
        let ask = |name, value| [(name, value)];
        assert_eq!(
            usable(&page, &ask("cache-control", "no-cache"), 0),
            Use::Revalidate
        );
        assert_eq!(usable(&page, &ask("pragma", "no-cache"), 0), Use::Revalidate);
        assert_eq!(usable(&page, &ask("cache-control", "max-age=0"), 0), Use::Fresh);
        assert_eq!(
            usable(&page, &ask("cache-control", "max-age=0"), 1),
            Use::Revalidate
        );
        assert_eq!(usable(&page, &ask("cache-control", "max-age=10"), 10), Use::Fresh);
        assert_eq!(
            usable(&page, &ask("cache-control", "min-fresh=20"), 39),
            Use::Fresh
        );
        assert_eq!(
            usable(&page, &ask("cache-control", "min-fresh=20"), 40),
            Use::Revalidate
        );
        assert_eq!(
            usable(&page, &ask("cache-control", "min-fresh=20"), 70),
            Use::Revalidate
        );
    }

    #[test]
    fn another_isolate_reads_the_same() {
        for said in [
            "max-age=60, stale-if-error=5",
            "no-cache",
            "s-maxage=1, stale-while-revalidate=9",
        ] {
            let page = kept(&[("cache-control", said), ("etag", "\"a\""), ("age", "3")]).unwrap();
            assert_eq!(Freshness::from_text(&page.to_text()), Some(page));
        }
        assert_eq!(Freshness::from_text("1 2 3 4 5 6"), None);
        assert_eq!(Freshness::from_text("1 2 3 4 x 5 6"), None);
    }

    #[test]
    fn huge_numbers_do_no_harm() {
        let said = "max-age=99999999999999, stale-while-revalidate=99999999999999";
        let page = kept(&[("cache-control", said), ("age", "99999999999999")]).unwrap();
        assert_eq!(
            usable(&page, &[("cache-control", "min-fresh=99999999999999")], 0),
            Use::Revalidate
        );
        assert!(page.useful_until() > NOW);
    }
}
