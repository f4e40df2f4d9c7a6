//! The programs that hostile states, events and journals meet.

use nearside_engine::compile::compile;
use nearside_engine::program::Program;
use std::sync::OnceLock;

/// One with every kind of cell, the demo shop's, and an empty one.
const MANIFESTS: [&str; 3] = [
    include_str!("../manifests/everything.json"),
    include_str!("../../../demo/manifest.json"),
    "{}",
];

/// The compiled programs.
pub(crate) fn all() -> &'static [Program] {
    static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let programs = MANIFESTS.iter().map(|manifest| {
            let manifest = serde_json::from_str(manifest).expect("a manifest is JSON");
            let (program, warnings) = compile(&manifest);
            assert_eq!(warnings, [], "a program to test with has no mistakes");
            program
        });
        programs.collect()
    })
}

/// The one with every kind of cell.
pub(crate) fn everything() -> &'static Program {
    &all()[0]
}
