//! The commands, as a user calls them.

use crate::process::nearside;
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command in the folder: exit code, output, errors.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = nearside()
            .current_dir(self.0.path())
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

const GOOD: &str = r#"{"segments":{"buyer":{"when":{"$events":{"name":"Bought"}}}},
    "experiences":[{"id":"hero","segment":"buyer","variants":[
        {"id":"thanks","mutations":[{"op":"text","selector":"h1","value":"Thanks <3"}]}]}]}"#;

#[test]
fn check_says_who_makes_each_mutation() {
    let mutations = r#"{"op":"text","selector":"h1","value":"x"},{"op":"text","selector":"table tbody","value":"x"},
        {"op":"html","selector":"p","value":"<ul></ul>"},{"op":"move","selector":"h1","to":"p","position":"after"},
        {"op":"title","value":"x"},{"op":"redirect","value":"/b"}"#;
    let manifest = GOOD.replace(r#"{"op":"text","selector":"h1","value":"Thanks <3"}"#, mutations);
    let files = Files::new(&[("manifest.json", &manifest)]);
    let (code, output, _) = files.run(&["check", "--mutations", "manifest.json"]);
    assert_eq!(code, 0, "{output}");
    let lines: Vec<&str> = output.lines().collect();
    let place = |number: usize| format!("$.experiences[0].variants[0].mutations[{number}]");
    let begins = [
        format!("edge: {}: text h1", place(0)),
        format!(
            "browser: {}: text table tbody: where a page has no `<tbody>`,",
            place(1)
        ),
        format!(
            "browser: {}: html p: a paragraph (`<p>`) ends where a block begins",
            place(2)
        ),
        format!(
            "browser: {}: move h1: where an element goes may have left",
            place(3)
        ),
        format!(
            "edge and browser: {}: title: in a page without `</head>`",
            place(4)
        ),
        format!("warning: {}.selector: `table tbody` cannot be matched", place(1)),
        format!(
            "warning: {}.op: `html` cannot be done while the page streams",
            place(2)
        ),
        format!(
            "warning: {}.op: `move` cannot be done while the page streams",
            place(3)
        ),
        "0 errors, 3 warnings".to_owned(),
    ];
    for (line, begin) in lines.iter().zip(&begins) {
        assert!(line.starts_with(begin), "{begin}\n{output}");
    }
    assert_eq!(lines.len(), begins.len(), "{output}");
}

#[test]
fn check_names_mistakes() {
    let files = Files::new(&[
        ("good.json", GOOD),
        (
            "broken.json",
            r#"{"segments":{"a":{"when":{"$events":{"nam":"x","count":{"$gte":"y"}}}}},"extra":1}"#,
        ),
        ("has.json", &GOOD.replace("\"h1\"", "\"div:has(h1)\"")),
        ("text.json", "{\n  \"a\": nope}"),
    ]);
    assert_eq!(
        files.run(&["check", "good.json"]),
        (0, "0 errors, 0 warnings\n".into(), String::new())
    );
    let (code, output, _) = files.run(&["check", "broken.json"]);
    assert_eq!(code, 1);
    assert!(output.contains("error: $.segments.a.when"), "{output}");
    assert!(output.contains("warning: $.extra: "), "{output}");
    let (code, output, _) = files.run(&["check", "has.json"]);
    assert_eq!(code, 0, "{output}");
    assert!(
        output.contains("warning: $.experiences[0].variants[0].mutations[0].selector: `div:has(h1)`"),
        "{output}"
    );
    assert!(output.ends_with("0 errors, 1 warning\n"), "{output}");
    let (code, output, _) = files.run(&["check", "text.json"]);
    assert_eq!(code, 1);
    assert!(output.contains("line 2 column 9"), "{output}");
    let (code, _, errors) = files.run(&["check", "absent.json"]);
    assert_eq!(code, 2);
    assert!(errors.contains("absent.json"), "{errors}");
}

#[test]
fn replay_prints_a_line_for_each_event() {
    let log = concat!(
        r#"{"type":"page","anonymousId":"a","messageId":"1","timestamp":"2026-11-21T10:00:00Z"}"#,
        "\n",
        "nonsense\n\n",
        r#"{"type":"track","event":"Bought","anonymousId":"a","messageId":"2","timestamp":"2026-11-21T10:01:00Z"}"#,
        "\n",
        r#"{"type":"page","anonymousId":"b","messageId":"3","timestamp":"2026-11-21T10:02:00Z"}"#,
    );
    let files = Files::new(&[("m.json", GOOD), ("log.jsonl", log)]);
    let (code, output, errors) = files.run(&["replay", "--manifest", "m.json", "log.jsonl"]);
    assert_eq!(code, 1);
    assert!(errors.contains("line 2: not JSON"), "{errors}");
    let lines: Vec<Value> = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["segments"].to_string(),
                line["decisions"][0]["reason"].clone(),
            )
        })
        .collect();
    assert_eq!(summary[0], (1, "[]".into(), "not-in-segment".into()));
    assert_eq!(summary[1], (4, r#"["buyer"]"#.into(), "assigned".into()));
    assert_eq!(summary[2], (5, "[]".into(), "not-in-segment".into()));
    let (_, forced, _) = files.run(&["replay", "--manifest", "m.json", "--brute-force", "log.jsonl"]);
    assert_eq!(forced, output);
    let (code, ..) = files.run(&["replay", "--manifest", "m.json", "--now", "soon", "log.jsonl"]);
    assert_eq!(code, 2);
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let event = r#"{"type":"page","anonymousId":"a","timestamp":1000}"#;
    let log = format!("{event}\n\"{}\"\n{event}\n", "x".repeat(3_000_000));
    let files = Files::new(&[("m.json", GOOD), ("log.jsonl", &log)]);
    let (code, output, errors) = files.run(&["replay", "--manifest", "m.json", "log.jsonl"]);
    assert_eq!((code, output.lines().count()), (1, 2));
    assert!(errors.contains("line 2: longer than"), "{errors}");
    assert!(output.lines().last().unwrap().contains("\"line\":3"), "{output}");
}

const EXPLAINED: &str = r#"{"segments":{"reader":{"when":{"$events":{"type":"page","where":{"properties.category":"bikes"},"within":"7d","in":"visitor","count":{"$gte":2}}}},
"abandoner":{"when":{"$sequence":{"steps":[{"name":"Product Added"},{"not":{"name":"Order Completed"},"for":"15m"}]}}},
"keen":{"when":{"$and":[{"$segment":"reader"},{"score.engaged":{"$gte":2}},{"affinity.cat.top":"bikes"},{"$held":{"path":"profile.traits.plan","is":"trial","for":"14d"}}]}},
"same":{"when":{"$events":{"name":"Product Viewed","by":"properties.sku","count":{"$gte":2},"sum":{"of":"properties.price","$gte":10}}}}},
"scores":{"engaged":{"on":[{"type":"page","points":1.5}],"halfLife":"1d","cap":100}},
"affinities":{"cat":{"of":"properties.category","on":[{"type":"page"}],"halfLife":"7d"}},
"experiences":[{"id":"hero","pages":[{"path":"/"}],"segment":"reader","holdout":0.05,"group":"hero","variants":[{"id":"ride"}]},
{"id":"win-back","when":{"$or":[{"$segment":"abandoner"},{"profile.traits.plan":{"$in":["gold","pro"]}}]},"variants":[{"id":"a"},{"id":"b"}]}]}"#;
const EXPLAINED_LOG: &str = r#"{"type":"page","messageId":"1","anonymousId":"v","timestamp":"2026-11-21T10:00:00Z","properties":{"category":"bikes"},"context":{"page":{"path":"/bikes"}}}
{"type":"identify","messageId":"2","anonymousId":"v","userId":"ada","timestamp":"2026-11-21T10:01:00Z","traits":{"plan":"trial"}}
{"type":"track","event":"Product Added","messageId":"3","anonymousId":"v","timestamp":"2026-11-21T10:02:00Z","properties":{"sku":"a","price":5}}
{"type":"page","messageId":"4","anonymousId":"v","timestamp":"2026-11-21T10:20:00Z","properties":{"category":"bikes"},"context":{"page":{"path":"/"}}}"#;

#[test]
fn replay_says_what_became_of_values_that_are_too_old() {
    let log = r#"{"type":"identify","messageId":"1","anonymousId":"v","timestamp":"2026-11-20T10:00:00Z","traits":{"plan":"gold"}}
{"type":"page","messageId":"2","anonymousId":"v","timestamp":"2026-11-22T10:00:00Z","context":{"time":{"offset":60}}}"#;
    for (when_stale, reason, sentence) in [
        (
            r#""unknown""#,
            "nothing: a value is too old, and it would be decided otherwise if it were not",
            "✗ profile.traits.plan is not known (asked: \"gold\"), told 2 d ago: older than 1 d, taken as unknown",
        ),
        (
            r#"{"default":"gold"}"#,
            "`v`: assigned by the visitor's place",
            "✓ profile.traits.plan is \"gold\" (asked: \"gold\"), told 2 d ago: older than 1 d, its default is taken",
        ),
        (
            r#""use""#,
            "`v`: assigned by the visitor's place",
            "✓ profile.traits.plan is \"gold\" (asked: \"gold\"), told 2 d ago: older than 1 d, used all the same",
        ),
    ] {
        let manifest = format!(
            r#"{{"attributes":{{"profile.traits.plan":{{"maxAge":"1d","whenStale":{when_stale}}}}},
                "experiences":[{{"id":"e","when":{{"profile.traits.plan":"gold"}},"variants":[{{"id":"v"}}]}}]}}"#
        );
        let files = Files::new(&[("m.json", &manifest), ("log.jsonl", log)]);
        let (code, text, errors) = files.run(&["replay", "--manifest", "m.json", "--explain", "log.jsonl"]);
        assert_eq!((code, errors.as_str()), (0, ""));
        let last = &text[text.find("line 2").unwrap()..];
        for expected in [&format!("experience e gives {reason}"), sentence] {
            assert!(last.contains(expected), "{expected}\n{last}");
        }
    }
}

#[test]
fn replay_explains_in_words_and_as_data() {
    let files = Files::new(&[("m.json", EXPLAINED), ("log.jsonl", EXPLAINED_LOG)]);
    let (code, text, errors) = files.run(&["replay", "--manifest", "m.json", "--explain", "log.jsonl"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    let last = &text[text.find("line 4: v saw /, 2026-11-21T10:20:00.000Z").unwrap()..];
    for sentence in [
        "experience hero gives `ride`: assigned by the visitor's place",
        "✓ the visitor is in the segment reader",
        "✓ held out are places below 0.05; the visitor's is 0.7383",
        "✓ the sequence \"Product Added\" → no \"Order Completed\" for 15 min in this session was completed",
        "✓ the score engaged is 2.99 (asked: at least 2), last event now",
        "✗ profile.traits.plan has been what is asked for 19 min (needed: at least 14 d)",
        "✓ a page view with properties.category \"bikes\" within 7 d happened 2 times (asked: at least 2)",
        "✗ profile.traits.plan is \"trial\" (asked: one of \"gold\", \"pro\"), told 19 min ago",
    ] {
        assert!(last.contains(sentence), "{sentence}\n{last}");
    }
    let (_, plain, _) = files.run(&["replay", "--manifest", "m.json", "log.jsonl"]);
    let (code, data, _) = files.run(&["replay", "--manifest", "m.json", "--explain=json", "log.jsonl"]);
    assert_eq!(code, 0);
    for (explained, plain) in data.lines().zip(plain.lines()) {
        let mut explained: Value = serde_json::from_str(explained).unwrap();
        let explanation = explained.as_object_mut().unwrap().remove("explanation").unwrap();
        assert_eq!(explained, serde_json::from_str::<Value>(plain).unwrap());
        assert_eq!(explanation["experiences"][0]["experience"], "hero");
        assert_eq!(explanation["segments"].as_array().unwrap().len(), 4);
    }
}

#[test]
fn rewrite_prints_the_page() {
    let page = "<!doctype html><h1 id=x>Welcome</h1><p>stays";
    let files = Files::new(&[("m.json", GOOD), ("page.html", page)]);
    let expected = "<!doctype html><h1 id=x>Thanks &lt;3</h1><p>stays";
    for chunk in ["1", "7", "100000"] {
        let arguments = [
            "rewrite",
            "--manifest",
            "m.json",
            "--force",
            "hero=thanks",
            "--chunk",
            chunk,
            "page.html",
        ];
        assert_eq!(
            files.run(&arguments),
            (0, expected.into(), String::new()),
            "{chunk}"
        );
    }
    let (code, output, errors) = files.run(&[
        "rewrite",
        "--manifest",
        "m.json",
        "--force",
        "hero=x",
        "page.html",
    ]);
    assert_eq!((code, output.as_str()), (2, ""));
    assert!(errors.contains("`hero` has `thanks`"), "{errors}");
}

#[test]
fn serve_says_what_is_missing() {
    let files = Files::new(&[]);
    let cases: [(&[&str], &str); 5] = [
        (&["--store", "postgres://x"], "not supported by this version yet"),
        (&["--listen", "0.0.0.0:0"], "--edge-secret"),
        (&["--listen", "0.0.0.0:0", "--edge-secret", "x"], "--write-key"),
        (&["--listen", "nowhere"], "ADDRESS:PORT"),
        (&["--manifest", "absent.json"], "absent.json"),
    ];
    for (arguments, expected) in cases {
        let (code, output, errors) = files.run(&[&["serve"], arguments].concat());
        assert_eq!((code, output.as_str()), (2, ""), "{errors}");
        assert!(errors.contains(expected), "{errors}");
    }
    assert!(!files.path("nearside.db").exists());
}

#[test]
fn import_makes_a_manifest_that_has_no_mistakes() {
    let payload = r#"{"savedGroups":{"vip":["u_1","u_2"]},
        "features":{"banner":{"defaultValue":false,"rules":[
            {"condition":{"plan":"pro","id":{"$inGroup":"vip"}},"force":true,"coverage":0.5},
            {"key":"banner-test","variations":[false,true],"weights":[0.5,0.5],"hashVersion":2}]}},
        "experiments":[{"key":"hero","urlPatterns":[{"type":"simple","include":true,"pattern":"/home*"}],
            "variations":[{},{"domMutations":[{"selector":"h1","attribute":"html","action":"set","value":"Hi"}],
            "js":"alert(1)"}]}]}"#;
    let files = Files::new(&[("payload.json", payload)]);
    let (code, output, errors) = files.run(&[
        "import",
        "growthbook",
        "payload.json",
        "-o",
        "manifest.json",
        "--map",
        "plan=request.browser.name",
    ]);
    assert_eq!((code, output.as_str()), (0, ""), "{errors}");
    assert!(
        errors.starts_with("warning: $.experiments[0].variations[1].js: a variant runs no code of its own"),
        "{errors}"
    );
    assert!(
        errors.ends_with("1 features, 1 experiences; 1 warnings\n"),
        "{errors}"
    );
    assert_eq!(
        files.run(&["check", "manifest.json"]),
        (0, "0 errors, 0 warnings\n".into(), String::new())
    );
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(files.path("manifest.json")).unwrap()).unwrap();
    let when = &manifest["features"]["banner"]["rules"][0]["when"];
    assert_eq!(when["request.browser.name"], "pro");
    assert_eq!(when["visitor.id"]["$inGroup"], "vip");
    let (code, printed, _) = files.run(&["import", "growthbook", "payload.json"]);
    assert_eq!(code, 0);
    assert!(serde_json::from_str::<Value>(&printed).is_ok());
    let (code, _, errors) = files.run(&["import", "growthbook", "payload.json", "--map", "plan"]);
    assert_eq!(code, 2);
    assert!(errors.contains("expected NAME=PATH"), "{errors}");
}

#[test]
fn previews() {
    let files = Files::new(&[]);
    let secret = ["--edge-secret", "secret"];
    let (code, token, errors) = files.run(&[&["preview", "hero=ride"], &secret[..]].concat());
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(token.trim().len() > 43 && !token.contains('?'), "{token}");
    let with_page = [
        "preview",
        "hero=ride",
        "cart=bar",
        "--expires",
        "7d",
        "--url",
        "https://x/?a=1",
    ];
    let (_, address, _) = files.run(&[&with_page[..], &secret[..]].concat());
    assert!(address.starts_with("https://x/?a=1&ns_preview="), "{address}");
    for wrong in [
        &["preview", "hero=ride"][..],
        &["preview", "--edge-secret", "s"],
        &["preview", "hero", "--edge-secret", "s"],
        &["preview", "hero=ride", "--edge-secret", ""],
        &["preview", "hero=ride", "--edge-secret", "s", "--expires", "31d"],
    ] {
        assert_eq!(files.run(wrong).0, 2, "{wrong:?}");
    }
}

#[test]
fn schema_prints_the_committed_schema() {
    let (code, output, errors) = Files::new(&[]).run(&["schema"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(output, include_str!("../../manifest.schema.json"));
}
