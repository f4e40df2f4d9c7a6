//! Large and deep manifests: bounded work, a mistake that says so, and the rest goes on.

use super::*;
use crate::value::Object;

fn nest(levels: usize, innermost: Value, around: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(innermost, |inner, _| around(inner))
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().collect::<Object>())
}

fn manifest_with(when: Value) -> Value {
    object([(
        "segments",
        object([
            ("deep", object([("when", when)])),
            ("fine", object([("when", object([]))])),
        ]),
    )])
}

/// Values this deep come from no parser that is in use; they are built here, and need room to be dropped.
fn with_room(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(256 << 20)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

/// The compiler itself gets by with little room, however deep the manifest is.
fn compile_with_little_room(manifest: Value) {
    let (program, warnings, manifest) = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(|| {
            let (program, warnings) = compile(&manifest);
            (program, warnings, manifest)
        })
        .unwrap()
        .join()
        .unwrap();
    drop(manifest);
    assert_eq!(segment_names(&program), ["fine"]);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].message.contains("nests deeper than"), "{warnings:?}");
    assert!(
        warnings[0].path.starts_with("$.segments.deep.when"),
        "{warnings:?}"
    );
}

#[test]
fn ten_thousand_levels_are_one_mistake() {
    with_room(|| {
        let leaf = || object([("request.path", Value::from("/"))]);
        let list = |value| Value::Array(vec![value]);
        compile_with_little_room(manifest_with(nest(10_000, leaf(), |v| object([("$not", v)]))));
        compile_with_little_room(manifest_with(nest(10_000, leaf(), |v| {
            object([("$and", list(v))])
        })));
        let test = nest(10_000, object([("$eq", Value::from("/"))]), |v| {
            object([("$not", v)])
        });
        compile_with_little_room(manifest_with(object([("request.path", test)])));
        let item = nest(10_000, leaf(), |v| object([("$elemMatch", v)]));
        compile_with_little_room(manifest_with(object([("request.path", item)])));
        for operator in ["$eq", "$in"] {
            let constant = nest(100_000, Value::Null, list);
            let test = object([(operator, list(constant))]);
            compile_with_little_room(manifest_with(object([("request.path", test)])));
        }
        let constant = nest(100_000, Value::Null, |v| object([("a", v)]));
        compile_with_little_room(manifest_with(object([("request.path", constant)])));
    });
}

/// Some operators make two nodes a level, and constants count too: whatever compiles can be read again.
#[test]
fn whatever_compiles_can_be_read_again() {
    let leaf = r#"{"request.path":"/"}"#;
    let shapes = [
        (r#"{"$nor":["#, "]}", leaf),
        (r#"{"$not":"#, "}", leaf),
        (r#"{"session.number":1,"$and":["#, "]}", leaf),
        (r#"{"session.number":1,"$nor":["#, "]}", leaf),
        (r#"{"profile.traits.a":{"$elemMatch":"#, "}}", leaf),
        (r#"{"profile.traits.a":{"$not":{"$size":{"$all":["#, "]}}}}", "7"),
    ];
    for (open, close, innermost) in shapes {
        let mut compiled_at_all = false;
        let mut refused = false;
        for levels in 1..60 {
            let when = format!("{}{innermost}{}", open.repeat(levels), close.repeat(levels));
            let manifest = format!(r#"{{"segments":{{"a":{{"when":{when}}}}}}}"#);
            let Ok(manifest) = serde_json::from_str(&manifest) else {
                break;
            };
            let (program, warnings) = compile(&manifest);
            assert_eq!(
                Program::from_bytes(&program.to_bytes()).as_ref(),
                Ok(&program),
                "{open} {levels}"
            );
            assert_eq!(
                program.segments.is_empty(),
                !warnings.is_empty(),
                "{open} {levels}"
            );
            compiled_at_all |= warnings.is_empty();
            refused |= !warnings.is_empty();
        }
        assert!(compiled_at_all, "{open}");
        assert!(refused || !open.contains("$nor"), "{open}");
    }
    // A constant that JSON parsers take and the program's bytes do not hold.
    for levels in [60, 100] {
        let when = format!(
            r#"{{"profile.traits.a":{}1{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        );
        let (program, warnings) = compiled(&format!(r#"{{"segments":{{"a":{{"when":{when}}}}}}}"#));
        assert_eq!(program.segments.len(), usize::from(levels == 60), "{warnings:?}");
    }
}

#[test]
fn too_many_of_anything_is_a_mistake() {
    let segments = |count: usize| -> Object {
        (0..count)
            .map(|index| (format!("s{index}"), object([("when", object([]))])))
            .collect()
    };
    let manifest = object([("segments", Value::Object(segments(5_001)))]);
    let (program, warnings) = compile(&manifest);
    assert_eq!(
        warnings[0].to_string(),
        "error: $.segments: more than 5000 segments"
    );
    assert!(program.segments.is_empty());

    let experience = object([("id", Value::from("a"))]);
    let manifest = object([("experiences", Value::Array(vec![experience; 2_001]))]);
    let (_, warnings) = compile(&manifest);
    assert_eq!(
        warnings[0].to_string(),
        "error: $.experiences: more than 2000 experiences"
    );

    let events =
        (0..10_001).map(|index| object([("$events", object([("name", Value::from(index.to_string()))]))]));
    let (program, warnings) = compile(&manifest_with(object([("$or", Value::Array(events.collect()))])));
    assert_eq!(
        warnings[0].to_string(),
        "error: $.segments.deep.when.$or[10000].$events: more than 10000 different event conditions"
    );
    assert_eq!(segment_names(&program), ["fine"]);
    assert!(program.cells.is_empty());

    let conditions = vec![object([("request.path", Value::from("/"))]); 40_000];
    let (program, warnings) = compile(&manifest_with(object([("$or", Value::Array(conditions))])));
    assert!(
        warnings[0].message.contains("the condition is too large"),
        "{}",
        warnings[0]
    );
    assert_eq!(segment_names(&program), ["fine"]);
}

#[test]
fn thousands_of_mistakes_are_named_in_reasonable_time() {
    let segments: Object = (0..5_000)
        .map(|index| {
            let name = format!("a-segment-with-a-long-name-{index}");
            let reference = Value::from(format!("a-segment-with-a-lung-name-{index}"));
            (name, object([("when", object([("$segment", reference)]))]))
        })
        .collect();
    let (program, warnings) = compile(&object([("segments", Value::Object(segments))]));
    assert_eq!(warnings.len(), 5_000);
    assert!(program.segments.is_empty());
}
