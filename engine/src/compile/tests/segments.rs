use super::*;
use crate::cell::spec::Keep;
use std::fmt::Write;

fn chain(names: &[String]) -> String {
    let mut segments = String::new();
    for pair in names.windows(2) {
        write!(
            segments,
            r#""{}":{{"when":{{"$segment":"{}"}}}},"#,
            pair[0], pair[1]
        )
        .unwrap();
    }
    let last = names.last().unwrap();
    format!(r#"{{"segments":{{{segments}"{last}":{{"when":{{"$events":{{"name":"A"}}}}}}}}}}"#)
}

#[test]
fn segments_refer_to_each_other_in_any_order_and_however_long_the_chain() {
    let names: Vec<String> = (0..5_000).map(|index| format!("s{index:04}")).collect();
    for reversed in [false, true] {
        let mut names = names.clone();
        if reversed {
            names.reverse();
        }
        let program = valid(&chain(&names));
        assert_eq!(program.segments.len(), 5_000);
        assert_eq!(program.segments[0].id, *names.last().unwrap());
        assert_eq!(program.cells.len(), 1);
    }
}

#[test]
fn a_reference_in_a_deep_condition_is_seen() {
    let deep = |levels: usize| {
        format!(
            r#"{{"segments":{{"a":{{"when":{}{{"$segment":"b"}}{}}},"b":{{"when":{{}}}}}}}}"#,
            r#"{"$and":["#.repeat(levels),
            "]}".repeat(levels)
        )
    };
    let (program, warnings) = compiled(&deep(55));
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(segment_names(&program), ["b", "a"]);
}

#[test]
fn circles_are_named_once_for_each_segment_in_them() {
    let (program, warnings) = compiled(
        r#"{"segments":{
            "self":{"when":{"$not":{"$segment":"self"}}},
            "a":{"when":{"$segment":"b"}},
            "b":{"when":{"$and":[{"$segment":"c"},{"$segment":"fine"}]}},
            "c":{"when":{"$segment":"a"}},
            "user-of-a":{"when":{"$segment":"a"}},
            "fine":{"when":{}}}}"#,
    );
    assert_eq!(
        warnings,
        [
            "error: $.segments.a: the segment refers to itself in a circle: a → b → c → a",
            "error: $.segments.b: the segment refers to itself in a circle: b → c → a → b",
            "error: $.segments.c: the segment refers to itself in a circle: c → a → b → c",
            "error: $.segments.self: the segment refers to itself in a circle: self → self",
            "error: $.segments.user-of-a.when.$segment: the segment `a` has a mistake of its own",
        ]
    );
    assert_eq!(segment_names(&program), ["fine"]);
}

#[test]
fn every_segment_of_joined_circles_is_left_out_with_a_mistake() {
    let (program, warnings) = compiled(
        r#"{"segments":{
            "a":{"when":{"$or":[{"$segment":"b"},{"$segment":"c"}]}},
            "b":{"when":{"$segment":"a"}},
            "c":{"when":{"$segment":"b"}},
            "d":{"when":{"$segment":"e"}}, "e":{"when":{"$or":[{"$segment":"d"},{"$segment":"c"}]}}}}"#,
    );
    assert_eq!(segment_names(&program), Vec::<&str>::new());
    for name in ["a", "b", "c", "d", "e"] {
        let of_it = warnings
            .iter()
            .filter(|w| w.contains(&format!("$.segments.{name}")));
        assert_eq!(of_it.count(), 1, "{name}: {warnings:?}");
    }
}

#[test]
fn a_circle_of_thousands_is_named_briefly() {
    let mut names: Vec<String> = (0..3_000).map(|index| format!("s{index:04}")).collect();
    let text = chain(&names).replace(r#"{"$events":{"name":"A"}}"#, r#"{"$segment":"s0000"}"#);
    names.clear();
    let (program, warnings) = compiled(&text);
    assert_eq!(warnings.len(), 3_000);
    assert!(
        warnings.iter().all(|warning| warning.len() < 400),
        "{}",
        warnings[0]
    );
    assert!(program.segments.is_empty());
}

#[test]
fn the_same_event_condition_is_one_cell() {
    let program = valid(
        r#"{"segments":{
            "a":{"when":{"$events":{"name":"A","count":{"$gte":3}}}},
            "b":{"when":{"$events":{"name":"A","in":"session","count":{"$lt":3}}}},
            "c":{"when":{"$events":{"type":"track","name":"A","count":{"$gt":2}}}},
            "d":{"when":{"$events":{"name":"A","in":"visitor","count":{"$gte":3}}}}}}"#,
    );
    assert_eq!(program.cells.len(), 2);
}

#[test]
fn a_cell_keeps_as_many_events_as_decide_its_condition() {
    for (count, enough) in [
        (r#"{"$gte":3}"#, Some(3)),
        (r#"{"$gt":3}"#, Some(4)),
        (r#"{"$lt":3}"#, Some(3)),
        (r#"{"$lte":3}"#, Some(4)),
        (r#"{"$gte":2.5}"#, Some(3)),
        (r#"{"$gt":2.5}"#, Some(3)),
        ("3", Some(4)),
        ("0", Some(1)),
        (r#"{"$ne":-4}"#, Some(1)),
        (r#"{"$in":[1,7,2]}"#, Some(8)),
        (r#"{"$between":[2,5]}"#, Some(6)),
        (r#"{"$or":[{"$eq":3},{"$gte":32}]}"#, Some(32)),
        (r#"{"$gte":33}"#, None),
        (r#"{"$eq":32}"#, None),
        (r#"{"$gte":1e300}"#, None),
    ] {
        let program = valid(&format!(
            r#"{{"segments":{{"a":{{"when":{{"$events":{{"count":{count}}}}}}}}}}}"#
        ));
        let keep = enough.map_or(Keep::All, Keep::Newest);
        assert_eq!(program.cells[0].shape().keep, keep, "{count}");
    }
}

#[test]
fn a_condition_of_an_experience_that_is_broken_costs_no_state() {
    let program = compiled(
        r#"{"experiences":[
            {"id":"a","when":{"$events":{"name":"A"},"profile.traits.x":1},"variants":[]},
            {"id":"b","when":{"$events":{"name":"B"},"profile.traits.y":1},"variants":[{"id":"v"}]}]}"#,
    )
    .0;
    assert_eq!(program.cells.len(), 1);
    assert_eq!(program.cells[0].matchers[0].name.as_deref(), Some("B"));
    assert_eq!(program.trait_paths, [["y"]]);
}
