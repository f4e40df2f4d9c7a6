//! What splicing grows with: edits and bytes, and not the page's elements.
//!
//! Native code, with pages made up for the purpose: of the edits, the bytes and the elements one changes, and the
//! others stay.

use nearside_engine::mutation::{Edit, Operation};
use nearside_rewriter::{PagePlan, Settings, joined, rewrite};
use nearside_tests::timing::{median, microseconds};
use serde_json::{Value as Json, json};

/// The elements that can be edited; there are as many selectors in each plan.
const TARGETS: usize = 300;
const OPERATIONS: [Operation; 5] = [
    Operation::Text,
    Operation::Attribute,
    Operation::AddClass,
    Operation::After,
    Operation::Remove,
];

/// A kind of page, and what takes how long with it, in microseconds.
pub(crate) struct Growth {
    pub(crate) edits: usize,
    pub(crate) bytes: usize,
    pub(crate) elements: usize,
    /// The list of pieces.
    pub(crate) splice: f64,
    /// The list, and the visitor's page made of it.
    pub(crate) copy: f64,
    /// The same page by a parse of its own.
    pub(crate) stream: f64,
}

/// What one of the three is, while the others stay at 30 edits, 100,000 bytes and 1,000 elements.
pub(crate) fn measure(rounds: usize) -> Vec<Growth> {
    let mut kinds = Vec::new();
    kinds.extend([1, 5, 30, 100, 300].map(|edits| (edits, 100_000, 1_000)));
    kinds.extend([50_000, 200_000, 1_000_000, 4_000_000].map(|bytes| (30, bytes, 1_000)));
    kinds.extend([400, 2_000, 5_000, 10_000].map(|elements| (30, 200_000, elements)));
    kinds
        .into_iter()
        .map(|(edits, bytes, elements)| one(edits, bytes, elements, rounds))
        .collect()
}

fn one(edits: usize, bytes: usize, elements: usize, rounds: usize) -> Growth {
    let page = page(bytes, elements);
    let selectors: Vec<String> = (0..TARGETS).map(|target| format!("#target-{target}")).collect();
    let known: Vec<&str> = selectors.iter().map(String::as_str).collect();
    let plan = PagePlan::new(&page, &known, Settings::default()).expect("the page has a plan");
    let edits: Vec<Edit<'_>> = (0..edits)
        .map(|number| Edit {
            // All over the page.
            selector: &selectors[number * 7 % TARGETS],
            operation: OPERATIONS[number % OPERATIONS.len()],
            name: "title",
            content: format!("<b>edit {number}</b>"),
        })
        .collect();
    let inject = Some("<script>the state of a page</script>");
    let spliced = || {
        plan.splice(&page, &edits, inject)
            .expect("the plan knows the edits")
    };
    let time = |work: &dyn Fn()| median((0..rounds).map(|_| microseconds(work)).collect());
    Growth {
        edits: edits.len(),
        bytes,
        elements,
        splice: time(&|| {
            std::hint::black_box(spliced());
        }),
        copy: time(&|| {
            std::hint::black_box(joined(&page, &spliced()));
        }),
        stream: time(&|| {
            std::hint::black_box(rewrite(&page, &edits, 16_384).expect("the page is rewritten"));
        }),
    }
}

/// A page of so many bytes and elements, of which every so many can be edited.
fn page(bytes: usize, elements: usize) -> Vec<u8> {
    let head = "<!DOCTYPE html><html><head><title>A page</title></head><body>";
    let mut page = head.as_bytes().to_vec();
    // All elements are as long, in bytes, so that as many targets lie in each part of the page.
    let each = (bytes - head.len()) / elements;
    for element in 0..elements {
        let before = page.len();
        let target = element * TARGETS / elements;
        let is_target = element == 0 || target != (element - 1) * TARGETS / elements;
        let tag = if is_target {
            format!("<p id=\"target-{target}\">")
        } else {
            "<p>".to_owned()
        };
        page.extend_from_slice(tag.as_bytes());
        let text = each.saturating_sub(page.len() - before + 4);
        page.extend(std::iter::repeat_n(b'x', text));
        page.extend_from_slice(b"</p>");
    }
    page
}

/// The lines of a table.
pub(crate) fn table(all: &[Growth]) -> Vec<Vec<String>> {
    let mut table = vec![
        [
            "edits",
            "bytes",
            "elements",
            "splice µs",
            "with copying µs",
            "streaming µs",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for growth in all {
        table.push(vec![
            growth.edits.to_string(),
            growth.bytes.to_string(),
            growth.elements.to_string(),
            format!("{:.1}", growth.splice),
            format!("{:.1}", growth.copy),
            format!("{:.0}", growth.stream),
        ]);
    }
    table
}

/// What grows and what does not, as comparisons with the kind that has less of one thing.
pub(crate) fn rows(all: &[Growth]) -> Vec<Json> {
    let find = |edits, bytes, elements| {
        all.iter()
            .find(|growth| (growth.edits, growth.bytes, growth.elements) == (edits, bytes, elements))
            .unwrap()
    };
    let row = |name: &str, ours: f64, peer: f64, peer_name: &str| json!({"name": name, "ours": ours, "peer": peer, "peer_name": peer_name, "unit": "µs", "ratio": ours / peer});
    let (few, many) = (find(30, 200_000, 400), find(30, 200_000, 10_000));
    let (less, more) = (find(5, 100_000, 1_000), find(300, 100_000, 1_000));
    let (short, long) = (find(30, 200_000, 1_000), find(30, 4_000_000, 1_000));
    vec![
        row(
            "splicing: 10,000 elements",
            many.copy,
            few.copy,
            "ours, 400 elements in as many bytes",
        ),
        row(
            "splicing: 300 edits",
            more.copy,
            less.copy,
            "ours, 5 edits of the same page",
        ),
        row(
            "splicing: 4,000,000 bytes",
            long.copy,
            short.copy,
            "ours, 200,000 bytes with as many elements",
        ),
    ]
}
