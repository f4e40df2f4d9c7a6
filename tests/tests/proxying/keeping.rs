//! What the edge keeps of the upstream's pages, for how long, and for whom: RFC 9111 and RFC 5861, seen from the
//! upstream, which counts what it is asked.

use crate::client::{self, Answer, Request, connect};
use crate::rig::{Way, rig};
use crate::upstream::{Gate, Step, answer, html};
use nearside_tests::wait;
use nearside_tests::workerd::{EdgeSettings, Worker, Workerd};
use std::collections::BTreeSet;
use std::io::{BufReader, Write};

const PAGE: &[u8] =
    b"<!DOCTYPE html><html><head><title>t</title></head><body><h1>Hi</h1><p class=a>one</body></html>";
const NOT_MODIFIED: &[u8] = b"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: no-cache\r\n\r\n";

/// An address of its own, with what the upstream answers there.
struct Site {
    case: String,
    path: String,
}

impl Site {
    fn new(steps: &[Step]) -> Self {
        let case = rig().case(steps);
        let path = format!("/kept/{case}");
        Self { case, path }
    }

    fn with(headers: &str) -> Self {
        Self::new(&[Step::Send(html(headers, PAGE))])
    }

    /// What the upstream answers from now on.
    fn answers(&self, steps: &[Step]) {
        rig().upstream.prepare(&self.case, steps.to_vec());
    }

    fn request(&self) -> Request {
        Request::page(&self.path)
    }

    #[track_caller]
    fn ask(&self, request: &Request) -> Answer {
        let got = client::ask(rig().port(Way::Edge), request, &self.case);
        assert_eq!(got.status(), 200);
        assert!(
            got.is_whole() && got.outcome().as_deref() == Some("personalised"),
            "{}",
            got.text()
        );
        assert_eq!(
            got.head().text("cache-control").as_deref(),
            Some("private, no-store")
        );
        got
    }

    /// Asks, and says where the page was from.
    #[track_caller]
    fn source(&self) -> String {
        source(&self.ask(&self.request()))
    }

    fn asked(&self) -> usize {
        rig().upstream.seen(&self.case).len()
    }

    /// The header of the last request that the upstream got.
    fn last(&self, name: &str) -> Option<String> {
        rig().upstream.seen(&self.case).last()?.head.text(name)
    }
}

fn source(answer: &Answer) -> String {
    let timing = answer.head().text("server-timing").unwrap();
    let (_, rest) = timing.split_once("nearside-upstream;").unwrap();
    rest.split_once("desc=\"")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap()
        .to_owned()
}

/// A page without what is each visitor's own.
fn without_state(answer: &Answer) -> String {
    let text = answer.text();
    let (before, rest) = text.split_once("<script type=\"application/json\"").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    format!("{before}{after}")
}

#[test]
fn a_page_is_asked_for_once_as_long_as_it_is_good() {
    let site = Site::with("Cache-Control: max-age=3600\r\nETag: \"v1\"\r\n");
    let first = site.ask(&site.request());
    assert_eq!(source(&first), "miss");
    // It is kept when its last byte has come.
    wait::until("the page is kept", || (site.source() != "miss").then_some(()));
    let asked = site.asked();
    let later: Vec<Answer> = (0..4).map(|_| site.ask(&site.request())).collect();
    assert_eq!(source(later.last().unwrap()), "hit spliced");
    for answer in &later {
        assert_eq!(without_state(answer), without_state(&first));
        for name in ["etag", "age", "last-modified"] {
            assert!(!answer.head().has(name), "{name}");
        }
        let length = answer.head().text("content-length").unwrap();
        assert_eq!(length, answer.body.len().to_string());
    }
    assert_eq!(site.asked(), asked);
    // Everybody is somebody else.
    let visitors: BTreeSet<_> = later
        .iter()
        .map(|answer| answer.head().text("set-cookie"))
        .collect();
    assert_eq!(visitors.len(), later.len());
}

#[test]
fn an_excluded_page_is_kept_as_the_upstream_sent_it() {
    let headers = "Cache-Control: max-age=3600, public\r\nETag: \"v1\"\r\nX-Own: yes\r\n";
    let mut site = Site::with(headers);
    site.path = format!("/excluded/{}", site.case);
    let ask = || client::ask(rig().port(Way::Edge), &site.request(), &site.case);
    let kept = wait::until("the page is kept", || {
        let answer = ask();
        assert_eq!((answer.status(), answer.body.as_slice()), (200, PAGE));
        (source(&answer) == "hit").then_some(answer)
    });
    let head = kept.head();
    assert_eq!(head.text("etag").as_deref(), Some("\"v1\""));
    assert_eq!(head.text("x-own").as_deref(), Some("yes"));
    assert_eq!(
        head.text("cache-control").as_deref(),
        Some("max-age=3600, public")
    );
    assert!(head.text("age").unwrap().parse::<u32>().is_ok());
}

#[test]
fn what_is_not_for_all_is_never_kept() {
    for headers in [
        "",
        "ETag: \"v1\"\r\nLast-Modified: Sun, 22 Nov 2026 00:00:00 GMT\r\n",
        "Cache-Control: private, max-age=60\r\n",
        "Cache-Control: max-age=60, no-store\r\n",
        "Cache-Control: max-age=60\r\nCache-Control: private\r\n",
        "Cache-Control: public, max-age=60\r\nSet-Cookie: a=b\r\n",
        "Cache-Control: public, max-age=60\r\nVary: Accept, *\r\n",
        "Cache-Control: public, max-age=0\r\n",
    ] {
        let site = Site::with(headers);
        for times in 1..4 {
            assert_eq!(site.source(), "bypass", "{headers}");
            assert_eq!(site.asked(), times, "{headers}");
        }
    }
    let site = Site::with("Cache-Control: public, max-age=60\r\n");
    for times in 1..4 {
        let request = site.request().with("Authorization: Basic eDp5");
        assert_eq!(source(&site.ask(&request)), "bypass");
        assert_eq!(site.asked(), times);
    }
}

#[test]
fn who_has_a_cookie_of_the_site_gets_a_page_of_their_own_unless_it_is_said_to_be_for_many() {
    let site = Site::with("Cache-Control: max-age=600\r\n");
    wait::until("the page is kept", || {
        site.source().starts_with("hit").then_some(())
    });
    for _ in 0..3 {
        let asked = site.asked();
        let request = site.request().with("Cookie: session=1");
        assert_eq!(source(&site.ask(&request)), "bypass");
        assert_eq!(site.asked(), asked + 1);
        // The others go on with theirs.
        assert!(site.source().starts_with("hit"));
        assert_eq!(site.asked(), asked + 1);
    }
    let site = Site::with("Cache-Control: public, max-age=600\r\n");
    wait::until("the page is kept", || {
        let request = site.request().with("Cookie: session=1");
        source(&site.ask(&request)).starts_with("hit").then_some(())
    });
}

#[test]
fn an_answer_that_is_no_page_is_not_kept() {
    for status in [
        "404 Not Found",
        "500 Internal Server Error",
        "203 Non-Authoritative Information",
    ] {
        let bytes = answer(
            status,
            "Content-Type: text/html\r\nCache-Control: max-age=60\r\n",
            PAGE,
        );
        let site = Site::new(&[Step::Send(bytes)]);
        for times in 1..4 {
            let got = client::ask(rig().port(Way::Edge), &site.request(), &site.case);
            assert_eq!(got.body, PAGE, "{status}");
            assert_eq!(site.asked(), times, "{status}");
        }
    }
}

#[test]
fn the_upstream_says_that_a_page_is_still_the_same() {
    let site = Site::with("Cache-Control: no-cache\r\nETag: \"v1\"\r\nX-Own: first\r\n");
    wait::until("the page is kept", || {
        site.source();
        site.answers(&[Step::Send(html(
            "Cache-Control: no-cache\r\nETag: \"v1\"\r\nX-Own: first\r\n",
            PAGE,
        ))]);
        site.last("if-none-match")
    });
    site.answers(&[Step::Send(NOT_MODIFIED.to_vec())]);
    for _ in 0..4 {
        let asked = site.asked();
        let got = site.ask(&site.request());
        assert!(source(&got).starts_with("revalidated"), "{}", source(&got));
        assert_eq!(got.head().text("x-own").as_deref(), Some("first"));
        assert_eq!(site.asked(), asked + 1);
        assert_eq!(site.last("if-none-match").as_deref(), Some("\"v1\""));
    }
    // And when it is not, the new one counts.
    let new = b"<!DOCTYPE html><title>new</title><h1>x</h1><i>new</i>";
    site.answers(&[Step::Send(html(
        "Cache-Control: max-age=60\r\nETag: \"v2\"\r\n",
        new,
    ))]);
    assert!(site.ask(&site.request()).text().contains("<i>new</i>"));
    wait::until("the new page is kept", || {
        site.source().starts_with("hit").then_some(())
    });
    assert!(site.ask(&site.request()).text().contains("<i>new</i>"));
}

#[test]
fn a_visitor_who_asks_for_the_newest_gets_it() {
    let site = Site::with("Cache-Control: max-age=60\r\nETag: \"v1\"\r\n");
    wait::until("the page is kept", || {
        site.source().starts_with("hit").then_some(())
    });
    site.answers(&[Step::Send(NOT_MODIFIED.to_vec())]);
    for line in ["Cache-Control: no-cache", "Pragma: no-cache"] {
        let asked = site.asked();
        site.ask(&site.request().with(line));
        assert_eq!(site.asked(), asked + 1, "{line}");
    }
}

#[test]
fn a_page_is_for_the_requests_that_it_was_made_for() {
    let page = |language: &str| {
        let body = format!("<!DOCTYPE html><html lang={language}><title>t</title><h1>x</h1>");
        let headers = "Cache-Control: max-age=60\r\nVary: Accept-Language, Accept-Encoding\r\n";
        vec![Step::Send(html(headers, body.as_bytes()))]
    };
    let site = Site::new(&page("de"));
    let request = |language: &str| site.request().with(format!("Accept-Language: {language}"));
    for language in ["de", "fr"] {
        site.answers(&page(language));
        wait::until("the variant is kept", || {
            let got = site.ask(&request(language));
            source(&got).starts_with("hit").then_some(())
        });
    }
    let asked = site.asked();
    for language in ["de", "fr", "de"] {
        let got = site.ask(&request(language));
        assert!(got.text().contains(&format!("lang={language}")), "{language}");
    }
    assert_eq!(site.asked(), asked);
    site.answers(&page("it"));
    assert!(site.ask(&request("it")).text().contains("lang=it"));
    assert_eq!(site.asked(), asked + 1);
}

#[test]
fn of_many_visitors_at_once_one_asks() {
    let gate = Gate::default();
    let page = html("Cache-Control: max-age=60\r\n", PAGE);
    let (head, body) = page.split_at(page.len() - 40);
    let site = Site::new(&[
        Step::Send(head.to_vec()),
        Step::Wait(gate.clone()),
        Step::Send(body.to_vec()),
    ]);
    // Each has asked, before any is answered.
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let stream = connect(rig().port(Way::Edge));
            (&stream).write_all(&site.request().bytes(&site.case)).unwrap();
            stream
        })
        .collect();
    wait::until("the upstream is asked", || (site.asked() > 0).then_some(()));
    gate.open();
    for stream in waiting {
        let got = client::read(&mut BufReader::new(stream), "GET");
        assert!(got.is_whole() && got.outcome().as_deref() == Some("personalised"));
    }
    assert_eq!(site.asked(), 1);
}

#[test]
fn visitors_do_not_wait_for_a_page_that_is_not_for_all() {
    let site = Site::with("Cache-Control: private\r\n");
    site.source();
    // The upstream holds the answer to the next visitor back, and others get theirs.
    let gate = Gate::default();
    site.answers(&[
        Step::Wait(gate.clone()),
        Step::Send(html("Cache-Control: private\r\n", PAGE)),
    ]);
    let held = connect(rig().port(Way::Edge));
    (&held).write_all(&site.request().bytes(&site.case)).unwrap();
    wait::until("the upstream is asked", || (site.asked() == 2).then_some(()));
    site.answers(&[Step::Send(html("Cache-Control: private\r\n", PAGE))]);
    assert_eq!(site.source(), "bypass");
    gate.open();
    assert!(client::read(&mut BufReader::new(held), "GET").is_whole());
}

#[test]
fn a_stale_page_is_shown_while_a_newer_one_is_asked_for() {
    let headers = "Cache-Control: max-age=0, stale-while-revalidate=600\r\nETag: \"v1\"\r\n";
    let site = Site::with(headers);
    wait::until("the page is kept", || (site.source() != "miss").then_some(()));
    // The upstream holds the newer one back: nobody waits for it.
    let gate = Gate::default();
    let new = html(
        "Cache-Control: max-age=600\r\n",
        b"<!DOCTYPE html><title>new</title><h1>x</h1><i>new</i>",
    );
    let before = site.asked();
    site.answers(&[Step::Wait(gate.clone()), Step::Send(new)]);
    wait::until("a newer one is asked for", || {
        assert!(source(&site.ask(&site.request())).starts_with("stale"));
        (site.asked() > before).then_some(())
    });
    let asked = site.asked();
    for _ in 0..3 {
        let got = site.ask(&site.request());
        assert!(source(&got).starts_with("stale") && !got.text().contains("<i>new"));
    }
    assert!(
        site.asked() <= asked + 1,
        "one asks: {} and then {}",
        asked,
        site.asked()
    );
    gate.open();
    wait::until("the new page is there", || {
        site.ask(&site.request())
            .text()
            .contains("<i>new</i>")
            .then_some(())
    });
}

#[test]
fn a_stale_page_is_shown_when_the_upstream_fails_where_it_allows_that() {
    let failing = || {
        vec![Step::Send(answer(
            "503 Service Unavailable",
            "Content-Type: text/html\r\n",
            b"down",
        ))]
    };
    let site = Site::with("Cache-Control: max-age=0, stale-if-error=600\r\nETag: \"v1\"\r\n");
    wait::until("the page is kept", || {
        site.source();
        site.last("if-none-match")
    });
    site.answers(&failing());
    assert!(site.source().starts_with("stale-if-error"));
    site.answers(&[Step::Close]);
    assert!(site.source().starts_with("stale-if-error"));
    // Where it does not, the visitor sees the failure.
    let site =
        Site::with("Cache-Control: max-age=0, must-revalidate, stale-if-error=600\r\nETag: \"v1\"\r\n");
    wait::until("the page is kept", || {
        site.source();
        site.last("if-none-match")
    });
    site.answers(&failing());
    let got = client::ask(rig().port(Way::Edge), &site.request(), &site.case);
    assert_eq!((got.status(), got.body.as_slice()), (503, &b"down"[..]));
}

#[test]
fn what_broke_off_or_is_too_large_is_not_kept() {
    let page = html("Cache-Control: max-age=60\r\n", PAGE);
    let broken = vec![Step::Send(page[..page.len() - 20].to_vec()), Step::Close];
    let site = Site::new(&broken);
    for _ in 0..3 {
        let got = client::ask(rig().port(Way::Edge), &site.request(), &site.case);
        assert!(!got.is_whole());
    }
    assert_eq!(site.asked(), 3);

    let mut large = b"<!DOCTYPE html><title>t</title><h1>x</h1>".to_vec();
    large.resize(3 * 1024 * 1024, b'.');
    let chunked = |body: &[u8]| {
        let mut bytes =
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
                .to_vec();
        bytes.extend(crate::upstream::chunks(&[body]));
        bytes.extend(b"0\r\n\r\n");
        bytes
    };
    for bytes in [html("Cache-Control: max-age=60\r\n", &large), chunked(&large)] {
        let site = Site::new(&[Step::Send(bytes)]);
        for times in 1..4 {
            let got = site.ask(&site.request());
            assert!(got.body.len() > large.len());
            assert_eq!(site.asked(), times);
        }
    }
}

#[test]
fn another_isolate_finds_the_page_in_the_runtime_s_cache() {
    let edge = |name: &str| {
        let settings = EdgeSettings {
            upstream: format!("http://127.0.0.1:{}", rig().upstream.port()),
            origin: rig().origin.url(),
            ..EdgeSettings::default()
        };
        Worker::edge(name, &settings).unwrap().with_cache("cache")
    };
    let workerd = Workerd::start(&[edge("one"), edge("two"), Worker::memory_cache("cache")]).unwrap();
    let site = Site::with("Cache-Control: max-age=600\r\nX-Own: yes\r\n");
    let ask = |edge: &str| client::ask(workerd.port(edge), &site.request(), &site.case);
    // Each has its program; what is asked until then is at another address.
    let before = Site::with("");
    for edge in ["one", "two"] {
        wait::until("the edge has its program", || {
            let got = client::ask(workerd.port(edge), &before.request(), &before.case);
            (got.outcome()? != "no-program").then_some(())
        });
    }
    assert_eq!(source(&ask("one")), "miss");
    // It is put there when the visitor has the page already.
    let found = wait::until("the other finds it", || {
        let asked = site.asked();
        let got = ask("two");
        assert_eq!(got.outcome().as_deref(), Some("personalised"));
        (site.asked() == asked && source(&got).starts_with("hit")).then_some(got)
    });
    assert_eq!(found.head().text("x-own").as_deref(), Some("yes"));
    assert_eq!(
        found.head().text("cache-control").as_deref(),
        Some("private, no-store")
    );
    assert!(!found.head().has("x-nearside-freshness"));
}
