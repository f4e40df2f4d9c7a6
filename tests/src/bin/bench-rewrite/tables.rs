//! What is printed, and written for others to read.

use std::fs;

use nearside_tests::rewriting::pages::Page;
use nearside_tests::rewriting::peers::{COUNTS, OURS, PASS};
use serde_json::{Value as Json, json};
use xtask::paths;
use xtask::report::table;

use crate::cases::{Case, Cases, MAIN, details, floors};
use crate::first_byte;
use crate::growth::{self, Growth};
use crate::start::{self, Start};

/// All that was measured.
pub(crate) struct Measured<'a> {
    pub(crate) pages: &'a [Page],
    pub(crate) cases: Cases,
    pub(crate) growth: Vec<Growth>,
    pub(crate) first_bytes: Vec<(&'static str, f64)>,
    pub(crate) starts: Vec<Start>,
}

/// Prints all of it, and writes `target/bench/rewrite.json`.
pub(crate) fn print(measured: &Measured<'_>) {
    let Measured {
        pages,
        cases,
        growth,
        first_bytes,
        starts,
    } = measured;
    println!("\nCPU of workerd for each page in ms, and what it adds to the pass-through");
    println!("{}", table(&pages_table(cases, pages)));
    println!("\nWhere our time goes, on the {MAIN} page");
    println!("{}", table(&single_cases(cases, &details())));
    println!("\nWhat the runtime takes by itself, in JavaScript, on the {MAIN} page");
    println!("{}", table(&single_cases(cases, &floors())));
    println!("\nWhat splicing grows with (native)");
    println!("{}", table(&growth::table(growth)));
    println!("\nThe first byte of a slow page's body");
    for (worker, time) in first_bytes {
        println!("{worker}: {time:.2} ms");
    }
    println!("\nFrom a process's start to its first answer");
    for start in starts {
        println!(
            "{}: {:.1} ms, {:.0} ms of computing",
            start.worker, start.time, start.cpu
        );
    }
    println!("\nWhat was asked for, on the {MAIN} page");
    println!("{}", table(&asked(cases, first_bytes)));
    let mut rows = rows(cases, MAIN);
    rows.extend(first_byte::rows(first_bytes));
    rows.extend(start::rows(starts));
    rows.extend(growth::rows(growth));
    for page in pages.iter().filter(|page| page.name != MAIN) {
        rows.extend(self::rows(cases, page.name));
    }
    let folder = paths::artifacts().join("bench");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("rewrite.json"),
        serde_json::to_string_pretty(&rows).unwrap(),
    )
    .unwrap();
}

/// What the issue asks for, and what came of it.
fn asked(cases: &Cases, first_bytes: &[(&'static str, f64)]) -> Vec<Vec<String>> {
    let mut table = vec![["what", "measured", "asked", ""].map(str::to_owned).to_vec()];
    let mut line = |what: String, measured: f64, asked: f64, at_most: bool| {
        let is_met = if at_most {
            measured <= asked
        } else {
            measured >= asked
        };
        let bound = if at_most { "at most" } else { "at least" };
        let verdict = if is_met { "met" } else { "missed" };
        table.push(vec![
            what,
            format!("{measured:.2}"),
            format!("{bound} {asked}"),
            verdict.to_owned(),
        ]);
    };
    for edits in COUNTS {
        let html_rewriter = cases.added(Case::html_rewriter(MAIN, edits));
        let node_html_parser = cases.added(Case::node_html_parser(MAIN, edits));
        let (cached, streamed) = (
            Case::ours(MAIN, "cached", edits),
            Case::ours(MAIN, "streamed", edits),
        );
        let added = |case| cases.added(case);
        line(
            format!("{edits} edits, cached: CPU added, of HTMLRewriter's"),
            added(cached) / html_rewriter,
            0.15,
            true,
        );
        line(
            format!("{edits} edits, streamed: CPU added, of HTMLRewriter's"),
            added(streamed) / html_rewriter,
            1.3,
            true,
        );
        line(
            format!("{edits} edits, cached: CPU added, of node-html-parser's"),
            added(cached) / node_html_parser,
            0.1,
            true,
        );
        line(
            format!("{edits} edits, streamed: CPU added, of node-html-parser's"),
            added(streamed) / node_html_parser,
            0.1,
            true,
        );
        line(
            format!("{edits} edits, cached: pages a second, of the pass-through's"),
            cases.rate(cached) / cases.rate(Case::pass(MAIN)),
            0.8,
            false,
        );
    }
    let (ours, passed) = (
        first_byte::of(first_bytes, OURS),
        first_byte::of(first_bytes, PASS),
    );
    line(
        "first byte of a slow page: ms later than a pass-through's".to_owned(),
        ours - passed,
        10.0,
        true,
    );
    table
}

fn pages_table(cases: &Cases, pages: &[Page]) -> Vec<Vec<String>> {
    let mut table = vec![
        [
            "page",
            "edits",
            "worker",
            "CPU",
            "added",
            "of HTMLRewriter's",
            "pages/s",
            "p50",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for page in pages {
        let mut line = |edits: String, worker: &str, case: Case, peer: Option<Case>| {
            let added = cases.added(case);
            let part = peer.map_or(String::new(), |peer| format!("{:.2}", added / cases.added(peer)));
            table.push(vec![
                page.name.to_owned(),
                edits,
                worker.to_owned(),
                format!("{:.3}", cases.cpu(case)),
                format!("{added:.3}"),
                part,
                format!("{:.0}", cases.rate(case)),
                format!("{:.1} ms", cases.time(case)),
            ]);
        };
        line(String::new(), "pass-through", Case::pass(page.name), None);
        for edits in COUNTS {
            let peer = Some(Case::html_rewriter(page.name, edits));
            let count = format!("{edits} ({})", page.changes(edits));
            line(
                count.clone(),
                "HTMLRewriter",
                Case::html_rewriter(page.name, edits),
                peer,
            );
            line(
                count.clone(),
                "node-html-parser",
                Case::node_html_parser(page.name, edits),
                peer,
            );
            line(
                count.clone(),
                "ours, streamed",
                Case::ours(page.name, "streamed", edits),
                peer,
            );
            line(
                count,
                "ours, cached",
                Case::ours(page.name, "cached", edits),
                peer,
            );
        }
    }
    table
}

fn single_cases(cases: &Cases, all: &[(&str, Case)]) -> Vec<Vec<String>> {
    let mut table = vec![
        ["page", "what", "CPU", "added", "pages/s"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for &(what, case) in all {
        table.push(vec![
            case.way.to_owned(),
            (*what).to_owned(),
            format!("{:.3}", cases.cpu(case)),
            format!("{:.3}", cases.added(case)),
            format!("{:.0}", cases.rate(case)),
        ]);
    }
    table
}

fn rows(cases: &Cases, page: &'static str) -> Vec<Json> {
    let row = |name: String, ours: f64, peer: f64, peer_name: &str, unit: &str| json!({"name": name, "ours": ours, "peer": peer, "peer_name": peer_name, "unit": unit, "ratio": ours / peer});
    let mut rows = Vec::new();
    for edits in COUNTS {
        for way in ["cached", "streamed"] {
            let ours = cases.added(Case::ours(page, way, edits));
            for (peer, name) in [
                (Case::html_rewriter(page, edits), "HTMLRewriter"),
                (Case::node_html_parser(page, edits), "node-html-parser"),
            ] {
                rows.push(row(
                    format!("{page}, {edits} edits, {way}: CPU added to a pass-through"),
                    ours,
                    cases.added(peer),
                    name,
                    "ms",
                ));
            }
        }
        rows.push(row(
            format!("{page}, {edits} edits, cached: pages a second"),
            cases.rate(Case::ours(page, "cached", edits)),
            cases.rate(Case::pass(page)),
            "pass-through",
            "1/s",
        ));
    }
    rows
}
