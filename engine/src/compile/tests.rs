//! What the compiler says about mistakes, and what it keeps in spite of them.

mod bounds;
mod experiences;
mod mistakes;
mod segments;

use super::*;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn compiled(manifest: &str) -> (Program, Vec<String>) {
    let (program, warnings) = compile(&json(manifest));
    // What the compiler makes, the edge must be able to read.
    assert_eq!(Program::from_bytes(&program.to_bytes()).as_ref(), Ok(&program));
    (program, warnings.iter().map(ToString::to_string).collect())
}

/// A manifest without mistakes.
#[track_caller]
fn valid(manifest: &str) -> Program {
    let (program, warnings) = compiled(manifest);
    assert_eq!(warnings, Vec::<String>::new());
    program
}

fn segment_names(program: &Program) -> Vec<&str> {
    program
        .segments
        .iter()
        .map(|segment| segment.id.as_str())
        .collect()
}

/// A manifest with this condition and one more segment has exactly this mistake, and the other segment is there.
#[track_caller]
fn mistake(when: &str, expected: &str) {
    let (program, warnings) = compiled(&format!(
        r#"{{"segments":{{"broken":{{"when":{when}}},"fine":{{"when":{{}}}}}}}}"#
    ));
    let expected = expected.replace('@', "error: $.segments.broken.when");
    assert_eq!(warnings, [expected], "{when}");
    assert_eq!(segment_names(&program), ["fine"]);
    assert!(program.cells.is_empty(), "a broken segment costs no state");
}
