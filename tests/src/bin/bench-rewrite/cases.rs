//! What is asked for, of whom, by whom.

use std::collections::HashMap;
use std::time::Duration;

use nearside_tests::rewriting::load::{Answer, Crowd, Met, Visitor};
use nearside_tests::rewriting::pages::Page;
use nearside_tests::rewriting::peers::{COUNTS, FLOORS, HTML_REWRITER, NODE_HTML_PARSER, OURS, PASS, Stage};
use nearside_tests::timing::median;

/// Visitors who ask at the same time.
pub(crate) const VISITORS: usize = 8;
/// The page that most is asked of.
pub(crate) const MAIN: &str = "75k";
/// A visit ahead of time is no page view: nothing is folded and handed on for it.
const AHEAD: &str = "sec-purpose: prefetch\r\n";

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Case {
    pub(crate) worker: &'static str,
    pub(crate) page: &'static str,
    /// `cached`, `streamed` or `excluded`.
    pub(crate) way: &'static str,
    pub(crate) edits: usize,
    pub(crate) visitors: Visitors,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Visitors {
    /// With the cookies that they got.
    Returning,
    /// Without any.
    New,
    /// Returning, and not counted.
    Ahead,
}

impl Visitors {
    /// One of them, at this port.
    pub(crate) fn one(self, port: u16) -> Visitor {
        let visitor = Visitor::new(port, self != Self::New);
        visitor.with_headers(if self == Self::Ahead { AHEAD } else { "" })
    }
}

impl Case {
    const fn new(worker: &'static str, page: &'static str, way: &'static str, edits: usize) -> Self {
        Self {
            worker,
            page,
            way,
            edits,
            visitors: Visitors::Returning,
        }
    }

    pub(crate) const fn pass(page: &'static str) -> Self {
        Self::new(PASS, page, "streamed", 5)
    }

    pub(crate) const fn html_rewriter(page: &'static str, edits: usize) -> Self {
        Self::new(HTML_REWRITER, page, "streamed", edits)
    }

    pub(crate) const fn node_html_parser(page: &'static str, edits: usize) -> Self {
        Self::new(NODE_HTML_PARSER, page, "streamed", edits)
    }

    pub(crate) const fn ours(page: &'static str, way: &'static str, edits: usize) -> Self {
        Self::new(OURS, page, way, edits)
    }

    pub(crate) const fn of(self, visitors: Visitors) -> Self {
        Self { visitors, ..self }
    }

    fn path(&self) -> String {
        format!("/{}/{}/{}", self.way, self.page, self.edits)
    }

    fn outcome(&self) -> Option<&'static str> {
        match (self.worker, self.way, self.edits) {
            (OURS, "excluded", _) => Some("excluded"),
            (OURS, _, 0) => Some("unchanged"),
            (OURS, _, _) => Some("personalised"),
            _ => None,
        }
    }
}

/// What is measured of the page that counts most, to know where the time goes.
pub(crate) fn details() -> Vec<(&'static str, Case)> {
    let mut details = vec![(
        "passes untouched: the site excludes it",
        Case::ours(MAIN, "excluded", 5),
    )];
    for way in ["cached", "streamed"] {
        details.extend([
            ("no edits: state and loader alone", Case::ours(MAIN, way, 0)),
            (
                "the same, not counted as a page view",
                Case::ours(MAIN, way, 0).of(Visitors::Ahead),
            ),
            ("5 edits", Case::ours(MAIN, way, 5)),
            (
                "the same, not counted as a page view",
                Case::ours(MAIN, way, 5).of(Visitors::Ahead),
            ),
            (
                "the same, new visitors",
                Case::ours(MAIN, way, 5).of(Visitors::New),
            ),
            ("30 edits", Case::ours(MAIN, way, 30)),
        ]);
    }
    details
}

/// What no way to change pages can do without, one or the other.
pub(crate) fn floors() -> Vec<(&'static str, Case)> {
    let floor = |way| Case::new(FLOORS, MAIN, way, 5);
    vec![
        ("answers from memory, asks nobody", floor("memory")),
        ("the same, after 60 copies of pieces into one", floor("copied")),
        ("the same, 60 pieces one by one", floor("pieces")),
        ("asks, waits for the page, answers", floor("buffered")),
        ("asks, hands on each chunk from JavaScript", floor("chunks")),
        ("the same, 64 KB of room for each chunk", floor("roomy")),
        ("the same, written to the runtime's own stream", floor("written")),
        ("asks, the runtime pipes through an identity", floor("pipe")),
        ("asks, passes, and tells a queue", floor("queued")),
        ("asks, HTMLRewriter adds to the head alone", floor("head")),
    ]
}

/// All cases, and what was measured.
pub(crate) struct Cases {
    cases: Vec<Case>,
    crowds: HashMap<(&'static str, Visitors), Crowd>,
    met: HashMap<Case, Vec<Met>>,
    /// The most that a page has.
    shortest: HashMap<&'static str, usize>,
}

impl Cases {
    pub(crate) fn new(stage: &Stage, pages: &[Page]) -> Self {
        let mut cases = Vec::new();
        for page in pages {
            cases.push(Case::pass(page.name));
            for edits in COUNTS {
                cases.extend([
                    Case::html_rewriter(page.name, edits),
                    Case::ours(page.name, "streamed", edits),
                    Case::ours(page.name, "cached", edits),
                    Case::node_html_parser(page.name, edits),
                ]);
            }
            if page.name == MAIN {
                for (_, case) in details().into_iter().chain(floors()) {
                    if !cases.contains(&case) {
                        cases.push(case);
                    }
                }
            }
        }
        let mut crowds = HashMap::new();
        for case in &cases {
            crowds.entry((case.worker, case.visitors)).or_insert_with(|| {
                let port = stage.workerd.port(case.worker);
                let visitors = (0..VISITORS).map(|_| case.visitors.one(port)).collect();
                let mut crowd = Crowd::new(stage.workerd.pid(), visitors);
                if case.worker == OURS && case.visitors != Visitors::New {
                    stage.introduce(&mut crowd, &format!("/streamed/{}/5", case.page));
                }
                crowd
            });
        }
        let shortest = pages
            .iter()
            .map(|page| (page.name, page.bytes.len() / 2))
            .collect();
        Self {
            cases,
            crowds,
            met: HashMap::new(),
            shortest,
        }
    }

    /// Each case once.
    pub(crate) fn round(&mut self, time: Duration, counts: bool) {
        for case in &self.cases {
            let (outcome, shortest) = (case.outcome(), self.shortest[case.page]);
            let check = |answer: &Answer<'_>| {
                assert!(
                    answer.status() == 200 && answer.body.len() >= shortest,
                    "{case:?}: {}",
                    answer.head
                );
                if let Some(outcome) = outcome {
                    assert_eq!(answer.outcome(), Some(outcome), "{case:?}");
                }
            };
            let crowd = self.crowds.get_mut(&(case.worker, case.visitors)).unwrap();
            let met = crowd.ask(&case.path(), time, check);
            if counts {
                self.met.entry(*case).or_default().push(met);
            }
        }
    }

    /// The median of something measured.
    fn of(&self, case: Case, what: impl Fn(&Met) -> f64) -> f64 {
        median(self.met[&case].iter().map(what).collect())
    }

    /// Milliseconds of computing for a page.
    pub(crate) fn cpu(&self, case: Case) -> f64 {
        self.of(case, Met::cpu_each)
    }

    /// What a page takes more than one that passes: the median of what it was in each round.
    pub(crate) fn added(&self, case: Case) -> f64 {
        let passed = &self.met[&Case::pass(case.page)];
        let both = self.met[&case].iter().zip(passed);
        median(
            both.map(|(met, passed)| met.cpu_each() - passed.cpu_each())
                .collect(),
        )
    }

    /// Pages in a second.
    pub(crate) fn rate(&self, case: Case) -> f64 {
        self.of(case, Met::rate)
    }

    /// The middle time to the last byte, in milliseconds.
    pub(crate) fn time(&self, case: Case) -> f64 {
        self.of(case, |met| {
            median(
                met.last_bytes
                    .iter()
                    .map(|time| time.as_secs_f64() * 1_000.0)
                    .collect(),
            )
        })
    }
}
