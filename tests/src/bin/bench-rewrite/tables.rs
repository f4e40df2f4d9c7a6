//! What is printed, and written for others to read.

use std::fs;

use nearside_tests::rewriting::pages::Page;
use nearside_tests::rewriting::peers::COUNTS;
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
