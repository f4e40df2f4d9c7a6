//! What a payload becomes, beside the cases of GrowthBook itself, which `growthbook-spec` runs.

use super::*;
use nearside_engine::compile::compile;
use nearside_engine::decide::{Context, Decisions, Reason, decide};
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A manifest without mistakes, and what was said of the payload.
#[track_caller]
fn imported(payload: &str) -> (Program, Vec<String>) {
    let imported = import(&json(payload), &Options::default());
    let (program, mistakes) = compile(&imported.manifest);
    assert_eq!(mistakes, [], "{payload}");
    let warnings = imported.warnings.iter().map(ToString::to_string);
    (program, warnings.collect())
}

fn decisions(program: &Program, id: &str, url: &str) -> Decisions {
    let context = Context {
        visitor_id: id,
        request: &Request::new(url, Object::new()),
        consent: true,
        forced: &[],
    };
    decide(program, &State::new(program), &context, 0)
}

/// Whether an experiment with these targets is for a page.
#[track_caller]
fn targeted(targets: &str, pages: &[(&str, bool)]) {
    let (program, warnings) = imported(&format!(
        r#"{{"experiments":[{{"key":"e","variations":[{{}},{{}}],"urlPatterns":{targets}}}]}}"#
    ));
    assert_eq!(warnings, Vec::<String>::new());
    for (url, expected) in pages {
        let decision = decisions(&program, "v", url).decisions[0];
        assert_eq!(decision.variant.is_some(), *expected, "{targets} {url}");
    }
}

#[test]
fn simple_targets_compare_the_parts_of_an_address() {
    targeted(
        r#"[{"type":"simple","include":true,"pattern":"/Shop/*"}]"#,
        &[
            ("https://x.example/shop/a", true),
            ("https://y.example/SHOP/a/b/?c", true),
            ("https://x.example/shops/a", false),
            ("https://x.example/", false),
        ],
    );
    targeted(
        r#"[{"type":"simple","include":true,"pattern":"*.x.example/a/"}]"#,
        &[
            ("https://www.x.example/a", true),
            ("https://x.example/a", false),
            ("https://www.x.example/b", false),
        ],
    );
    targeted(
        r#"[{"type":"simple","include":true,"pattern":"https://x.example/a?b=1&c=*"}]"#,
        &[
            ("https://x.example/a?b=1", true),
            ("https://x.example/a?z=0&c=9&b=1", true),
            ("https://x.example/a?b=12", false),
            ("https://x.example/a", false),
        ],
    );
}

#[test]
fn targets_include_and_exclude() {
    targeted("[]", &[("https://x.example/", false)]);
    targeted(
        r#"[{"type":"simple","include":true,"pattern":"/a*"},{"type":"regex","include":true,"pattern":"^/b"},
            {"type":"regex","include":false,"pattern":"secret=1"}]"#,
        &[
            ("https://x.example/abc", true),
            ("https://x.example/b", true),
            ("https://x.example/c", false),
            ("https://x.example/abc?secret=1", false),
        ],
    );
    targeted(
        r#"[{"type":"simple","include":false,"pattern":"/admin*"}]"#,
        &[
            ("https://x.example/a", true),
            ("https://x.example/admin/b", false),
        ],
    );
}

#[test]
fn the_visual_editor_s_changes_are_mutations() {
    let (program, warnings) = imported(
        r##"{"experiments":[{"key":"e","variations":[{},{"css":"h1{color:red}","domMutations":[
            {"selector":"h1","attribute":"html","action":"set","value":"Hi"},
            {"selector":"ul","attribute":"html","action":"append","value":"<li>x"},
            {"selector":"a","attribute":"class","action":"append","value":"big red"},
            {"selector":"a","attribute":"class","action":"remove","value":"small"},
            {"selector":"a","attribute":"href","action":"set","value":"/b"},
            {"selector":"a","attribute":"title","action":"remove"},
            {"selector":"p","attribute":"position","action":"set","parentSelector":"main"},
            {"selector":"p","attribute":"position","action":"set","parentSelector":"main","insertBeforeSelector":"h1"},
            {"selector":"p","attribute":"position","action":"set"},
            {"selector":"p","attribute":"title","action":"append","value":"!"},
            {"selector":"p","attribute":"html","action":"set","value":"{{x}}"}]}]}]}"##,
    );
    let mutations = &program.experiences[0].variants[1].mutations;
    let names: Vec<&str> = mutations
        .iter()
        .map(|mutation| mutation.operation.name())
        .collect();
    assert_eq!(
        names,
        [
            "html",
            "append",
            "addClass",
            "addClass",
            "removeClass",
            "attribute",
            "removeAttribute",
            "move",
            "move",
            "append"
        ]
    );
    let moved: Vec<String> = mutations[7..9]
        .iter()
        .map(|mutation| format!("{} {}", mutation.name, mutation.content))
        .collect();
    assert_eq!(moved, ["append main", "before h1"]);
    assert_eq!(mutations[9].selector, "head");
    let place = "warning: $.experiments[0].variations[1].domMutations";
    assert_eq!(
        warnings,
        [
            format!("{place}[8]: `position` needs a `parentSelector`: the mutation is left out"),
            format!(
                "{place}[9]: `append` of `title` needs the value that the page has: the mutation is left out"
            ),
            format!("{place}[10]: `{{{{` begins a placeholder here: the mutation is left out"),
        ]
    );
}

#[test]
fn what_cannot_be_taken_over_is_named() {
    for (payload, expected) in [
        (
            r#"{"encryptedFeatures":"x.y"}"#,
            "$.encryptedFeatures: the features are encrypted: ask GrowthBook for the payload of an SDK connection without encryption",
        ),
        (
            r#"{"experiments":[{"key":"e","variations":[{}]}]}"#,
            "$.experiments[0]: an experiment with less than two variations is left out",
        ),
        (
            r#"{"experiments":[{"key":"e","manual":true,"variations":[{},{}]}]}"#,
            "$.experiments[0]: it is triggered by the page's own code, which is not known here: it is paused",
        ),
        (
            r#"{"features":{"f":{"rules":[{"force":1,"condition":{"a":{"$regx":"x"}}}]}}}"#,
            "$.features.f.rules[0].condition: `$regx` is not known: the condition fails, as in GrowthBook's SDKs",
        ),
        (
            r#"{"features":{"f":{"rules":[{"force":1,"condition":{"a":{"$regex":"(?=x)"}}}]}}}"#,
            "$.features.f.rules[0].condition: `(?=x)`: at character 1: there is no look-ahead or look-behind: use two \
             conditions, `$regex` for what must be there and `$not` with `$regex` for what must not",
        ),
        (
            r##"{"experiments":[{"key":"e","variations":[{},{}],"urlPatterns":[{"type":"simple","pattern":"/a#b"}]}]}"##,
            "$.experiments[0].urlPatterns[0]: what follows a `#` is not sent to servers: the pattern fits no page",
        ),
    ] {
        let (_, warnings) = imported(payload);
        assert_eq!(warnings, [format!("warning: {expected}")], "{payload}");
    }
}

#[test]
fn a_payload_of_anything_is_a_manifest_without_mistakes() {
    for payload in [
        "null",
        "[]",
        r#"{"features":[],"experiments":{},"savedGroups":7}"#,
        r#"{"features":{"":{"rules":[null,7,{"force":1,"coverage":"x","range":["a",1]},{"variations":[1,2],"ranges":[[0],"x"],
            "weights":["a"],"meta":[7,{"key":7}],"filters":[{"seed":"s","ranges":7}],"hashVersion":1}]}}}"#,
        r#"{"features":{"f":{"rules":[{"force":{},"condition":{"":1,"a..b":{"$exists":false},"$and":7,
            "$or":[{"$not":[]}],"x":{"$in":[[1],{}],"$elemMatch":{"$or":[{"$not":{"y":1}}]}}}}]}}}"#,
        r#"{"experiments":[null,{"key":""},{"key":"a","variations":[7,"x"],"force":1.5,"weights":[1e308,1e308]},
            {"key":"a","variations":[{},{}]}]}"#,
        r#"{"savedGroups":{"a":{"type":"condition","condition":{"$and":[{"$savedGroup":{"id":"a"}}]}}},
            "features":{"f":{"rules":[{"force":1,"condition":{"$savedGroup":{"id":"a"}}}]}}}"#,
    ] {
        imported(payload);
    }
}

/// Groups that name each other twice would double the condition with each of them.
#[test]
fn groups_of_groups_are_written_out_only_so_far() {
    let groups: Vec<String> = (0..30)
        .map(|number| {
            let next = format!(r#"{{"$savedGroup":{{"id":"g{}"}}}}"#, number + 1);
            format!(r#""g{number}":{{"type":"condition","condition":{{"$or":[{next},{next}]}}}}"#)
        })
        .collect();
    let (program, warnings) = imported(&format!(
        r#"{{"savedGroups":{{{},"g30":{{"type":"condition","condition":{{}}}}}},
            "features":{{"f":{{"defaultValue":0,"rules":[{{"force":1,"condition":{{"$savedGroup":{{"id":"g0"}}}}}}]}}}}}}"#,
        groups.join(",")
    ));
    assert_eq!(
        warnings,
        [
            "warning: $.features.f.rules[0].condition: the condition is too large with its saved groups written out: it holds for nobody"
        ]
    );
    let decision = decisions(&program, "v", "/").features[0];
    assert_eq!(decision.reason, Reason::Default);
}

#[test]
fn the_visitor_s_id_and_the_page_are_the_decision_s_own() {
    let (program, _) = imported(
        r#"{"features":{
            "id":{"rules":[{"force":1,"condition":{"id":"v"}}]},
            "page":{"rules":[{"force":1,"condition":{"path":"/a","query":"?utm_source=mail","utmSource":"mail"}}]},
            "test":{"rules":[{"variations":[1,2],"hashVersion":2}]}}}"#,
    );
    let reasons = |id, url| -> Vec<Reason> {
        let found = decisions(&program, id, url).features;
        found.iter().map(|decision| decision.reason).collect()
    };
    use Reason::{Assigned, Default};
    assert_eq!(
        reasons("v", "https://x/a?utm_source=mail"),
        [Assigned, Assigned, Assigned]
    );
    assert_eq!(reasons("w", "https://x/a"), [Default, Default, Assigned]);
}
