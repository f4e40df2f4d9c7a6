use super::*;
use crate::program::Status;
use crate::time::parse_timestamp;

/// An experience with these members has exactly these mistakes, is `invalid` if one is an error, and the one beside
/// it is not touched.
#[track_caller]
fn check(members: &str, expected: &[&str]) {
    let (program, warnings) = compiled(&format!(
        r#"{{"experiences":[{{"id":"a",{members}}},{{"id":"fine","variants":[{{"id":"v"}}]}}]}}"#
    ));
    let expected: Vec<String> = expected
        .iter()
        .map(|line| match line.strip_prefix('!') {
            Some(line) => format!("warning: $.experiences[0]{line}"),
            None => format!("error: $.experiences[0]{line}"),
        })
        .collect();
    assert_eq!(warnings, expected, "{members}");
    let [broken, fine] = program.experiences.as_slice() else {
        panic!("{program:?}")
    };
    let has_error = expected.iter().any(|line| line.starts_with("error"));
    assert_eq!(broken.status == Status::Invalid, has_error, "{members}");
    assert_eq!(fine.status, Status::Running);
}

#[track_caller]
fn in_variant(members: &str, expected: &[&str]) {
    let expected: Vec<String> = expected
        .iter()
        .map(|line| match line.strip_prefix('!') {
            Some(line) => format!("!.variants[0]{line}"),
            None => format!(".variants[0]{line}"),
        })
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    check(&format!(r#""variants":[{{"id":"v",{members}}}]"#), &expected);
}

#[track_caller]
fn in_mutation(mutation: &str, expected: &[&str]) {
    let expected: Vec<String> = expected
        .iter()
        .map(|line| match line.strip_prefix('!') {
            Some(line) => format!("!.mutations[0]{line}"),
            None => format!(".mutations[0]{line}"),
        })
        .collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    in_variant(&format!(r#""mutations":[{mutation}]"#), &expected);
}

#[test]
fn a_redirect_to_one_of_its_own_pages() {
    let to = |address: &str, expected: &[&str]| {
        check(
            &format!(
                r#""kind":"redirect","pages":[{{"path":"/a*"}}],
                "variants":[{{"id":"control"}},{{"id":"v","redirect":"{address}"}}]"#
            ),
            expected,
        );
    };
    to("/b", &[]);
    to("https://x.example/a", &[]);
    to(
        "/ab?c",
        &["!.pages: a redirect leads to one of these pages itself: who was sent there is not sent on"],
    );
}

#[test]
fn members() {
    let variants = r#""variants":[{"id":"v"}]"#;
    let with = |members: &str, expected: &[&str]| check(&format!("{members},{variants}"), expected);
    with(
        r#""pages":[{"path":"/"}],"goal":{"name":"A"},"kind":"experiment","sticky":false"#,
        &[],
    );
    with(
        r#""holdut":0.1"#,
        &["!.holdut: `holdut` is not known here: did you mean `holdout`?"],
    );
    with(r#""holdout":2"#, &[".holdout: expected a share between 0 and 1"]);
    with(
        r#""traffic":"50%""#,
        &[".traffic: expected a share between 0 and 1"],
    );
    with(r#""priority":"high""#, &[".priority: expected a number"]);
    with(r#""group":7"#, &[".group: expected text"]);
    with(r#""seed":7"#, &[".seed: expected text"]);
    with(
        r#""status":"pausd""#,
        &[".status: expected `running`, `paused`, `draft` or `stopped`: did you mean `paused`?"],
    );
    with(
        r#""kind":"experimnt""#,
        &[".kind: expected one of personalization, experiment, redirect: did you mean `experiment`?"],
    );
    with(r#""keepQuery":1"#, &[".keepQuery: expected `true` or `false`"]);
    with(
        r#""kind":"redirect""#,
        &[".variants: a redirect needs a variant with one: {\"id\": …, \"redirect\": \"https://…\"}"],
    );
    with(
        r#""sticky":{"version":1.5,"min":1}"#,
        &[
            "!.sticky.min: `min` is not known here",
            ".sticky.version: expected a whole number of at least 0",
        ],
    );
    with(
        r#""sticky":1"#,
        &[r#".sticky: expected `true`, or {"version": 1, "minVersion": 1}"#],
    );
    with(r#""hashVersion":3"#, &[".hashVersion: expected 1 or 2"]);
    with(
        r#""hashAttribute":"company""#,
        &[
            ".hashAttribute: no attribute begins with `company`: there are `visitor`, `request`, `session`, `profile`, `score`, `affinity`, `data`",
        ],
    );
    with(r#""release":"w""#, &[".release: there is no variant `w`"]);
    with(
        r#""filters":[{"ranges":[[0,1]]},{"seed":"s","ranges":[[0]]}]"#,
        &[
            ".filters[0].seed: a filter needs the `seed` that it shares with others",
            ".filters[1].ranges[0]: expected a range such as [0, 0.5]",
        ],
    );
    with(
        r#""traffic":[{"from":"2026-11-22T00:00:00Z","share":0.1},{"from":"2026-11-21T00:00:00Z","share":1}]"#,
        &[".traffic[1].from: each step begins after the one before it"],
    );
    with(r#""traffic":[]"#, &[".traffic: a ramp has 1 to 100 steps"]);
    with(
        r#""purpose":"a.b""#,
        &[".purpose: expected the name of a purpose: 1 to 64 letters, digits, `-` and `_`"],
    );
    with(
        r#""purpose":"all""#,
        &[".purpose: `all` is no purpose of its own"],
    );
    with(
        r#""hashAttribute":"request.time.hour""#,
        &[".hashAttribute: this changes by itself, so that nobody would keep a variant"],
    );
    with(
        r#""goal":"Order Completed""#,
        &[r#".goal: expected an event such as {"name": "Order Completed"}"#],
    );
    with(r#""segment":"b""#, &[".segment: there is no segment `b`"]);
    with(r#""segment":7"#, &[".segment: expected the name of a segment"]);
    with(
        r#""segment":"b","when":{}"#,
        &[": `segment` and `when` exclude each other: put the segment into `when` as `$segment`"],
    );
    with(r#""when":[]"#, &[".when: expected a condition: a JSON object"]);
}

#[test]
fn a_broken_segment_breaks_only_what_it_is_for() {
    let (program, warnings) = compiled(
        r#"{"segments":{"readers":{"when":{"$hold":{}}},"buyers":{"when":{}}},
            "experiences":[
            {"id":"a","segment":"readers","variants":[{"id":"v"}]},
            {"id":"b","segment":"buyers","variants":[{"id":"v"}]},
            {"id":"c","segment":"buyer","variants":[{"id":"v"}]}]}"#,
    );
    assert_eq!(
        warnings,
        [
            "error: $.segments.readers.when.$hold: `$hold` is no operator: did you mean `$held`?",
            "error: $.experiences[0].segment: the segment `readers` has a mistake of its own",
            "error: $.experiences[2].segment: there is no segment `buyer`: did you mean `buyers`?",
        ]
    );
    let statuses: Vec<Status> = program.experiences.iter().map(|e| e.status).collect();
    assert_eq!(statuses, [Status::Invalid, Status::Running, Status::Invalid]);
}

#[test]
fn ids() {
    let (program, warnings) = compiled(
        r#"{"experiences":[7,{},{"id":""},{"id":"a","variants":[{"id":"v"}]},{"id":"a","variants":[]}]}"#,
    );
    assert_eq!(
        warnings,
        [
            "error: $.experiences[0]: expected an experience: a JSON object",
            "error: $.experiences[1].id: an experience needs an `id` of at most 200 bytes",
            "error: $.experiences[2].id: an experience needs an `id` of at most 200 bytes",
            "error: $.experiences[4].id: there are two experiences `a`: give each its own id",
        ]
    );
    assert_eq!(program.experiences.len(), 1);
    assert_eq!(program.experiences[0].status, Status::Running);
}

#[test]
fn pages() {
    let with = |pages: &str, expected: &[&str]| {
        check(&format!(r#""pages":{pages},"variants":[{{"id":"v"}}]"#), expected);
    };
    with(r#"[{"path":"/a/*"},{"url":"https://x/*"}]"#, &[]);
    with(
        r#""/a""#,
        &[".pages: expected a list of at most 200 page patterns"],
    );
    with(r#"["/a"]"#, &[r#".pages[0]: expected {"path": …} or {"url": …}"#]);
    with(
        r#"[{"path":"/","url":"/"}]"#,
        &[r#".pages[0]: expected {"path": …} or {"url": …}"#],
    );
    with(
        r#"[{"path":"/"},{"path":"about"}]"#,
        &[".pages[1]: a path starts with `/`: did you mean `/about`?"],
    );
    with(
        r#"[{"path":"/(a|b)"}]"#,
        &[".pages[0]: `(` is not supported: use `*`, `:name` and plain text"],
    );
    with(
        r#"[{"path":"/a?b=1"}]"#,
        &[r#".pages[0]: a path has no `?`: match the whole address by {"url": …}"#],
    );
    with(
        &format!(r#"[{{"path":"/{}"}}]"#, "a".repeat(500)),
        &[".pages[0]: the pattern is longer than 500 characters"],
    );
}

#[test]
fn schedules() {
    let with = |schedule: &str, expected: &[&str]| {
        check(
            &format!(r#""schedule":{schedule},"variants":[{{"id":"v"}}]"#),
            expected,
        );
    };
    with(r#"{"from":"2026-11-21","to":"2026-11-22T10:00:00+01:00"}"#, &[]);
    with("7", &[".schedule: expected an object with `from` and `to`"]);
    with(
        r#"{"form":"2026-11-21"}"#,
        &["!.schedule.form: `form` is not known here: did you mean `from`?"],
    );
    with(
        r#"{"from":"tomorrow"}"#,
        &[".schedule.from: expected an instant such as `2026-11-21T10:00:00Z`"],
    );
    with(
        r#"{"from":"2026-11-22","to":"2026-11-22"}"#,
        &["!.schedule: it ends before it begins: the experience never runs"],
    );
    let program = valid(
        r#"{"experiences":[{"id":"a","schedule":{"to":"2026-11-22T10:00:00+01:00"},"variants":[{"id":"v"}]}]}"#,
    );
    assert_eq!(program.experiences[0].starts_at, None);
    assert_eq!(
        program.experiences[0].ends_at,
        parse_timestamp("2026-11-22T09:00:00Z")
    );
}

#[test]
fn variants() {
    check(
        r#""variants":[]"#,
        &[".variants: expected a list of 1 to 100 variants"],
    );
    check(
        r#""variants":{}"#,
        &[".variants: expected a list of 1 to 100 variants"],
    );
    check(
        r#""x":1"#,
        &[
            "!.x: `x` is not known here",
            ".variants: expected a list of 1 to 100 variants",
        ],
    );
    check(
        r#""variants":[7]"#,
        &[".variants[0]: expected a variant: a JSON object"],
    );
    check(
        r#""variants":[{}]"#,
        &[".variants[0].id: a variant needs an `id` of at most 200 bytes"],
    );
    check(
        r#""variants":[{"id":"v"},{"id":"v"}]"#,
        &[".variants[1].id: there are two variants `v`"],
    );
    in_variant(
        r#""weigth":2"#,
        &["!.weigth: `weigth` is not known here: did you mean `weight`?"],
    );
    in_variant(r#""weight":-1"#, &[".weight: expected a number of at least 0"]);
    check(
        r#""variants":[{"id":"v","weight":0},{"id":"w","weight":0}]"#,
        &[".variants: the variants' weights add up to nothing: give at least one a weight above 0"],
    );
}

#[test]
fn weights_become_shares() {
    let shares = |weights: &str| -> Vec<f64> {
        let variants = serde_json::from_str::<Vec<Option<f64>>>(weights).unwrap();
        let variants = variants.iter().enumerate().map(|(index, weight)| match weight {
            Some(weight) => format!(r#"{{"id":"v{index}","weight":{weight}}}"#),
            None => format!(r#"{{"id":"v{index}"}}"#),
        });
        let variants = variants.collect::<Vec<_>>().join(",");
        let program = valid(&format!(
            r#"{{"experiences":[{{"id":"a","variants":[{variants}]}}]}}"#
        ));
        program.experiences[0]
            .assignment
            .shares
            .iter()
            .map(|s| s.weight)
            .collect()
    };
    assert_eq!(shares("[null]"), [1.0]);
    assert_eq!(shares("[null,null]"), [0.5, 0.5]);
    assert_eq!(shares("[1,3]"), [0.25, 0.75]);
    assert_eq!(shares("[0,7]"), [0.0, 1.0]);
    // Shares stay as they are written, so that boundaries are those of other SDKs.
    assert_eq!(shares("[0.1,0.2,0.7]"), [0.1, 0.2, 0.7]);
    assert_eq!(shares("[0.3333,0.3333,0.3334]"), [0.3333, 0.3333, 0.3334]);
}

#[test]
fn mutations() {
    in_variant(
        r#""mutations":{}"#,
        &[".mutations: expected a list of at most 500 mutations"],
    );
    in_mutation("7", &[": expected a mutation: a JSON object"]);
    in_mutation(r#"{"op":"text","selector":"h1","value":"x"}"#, &[]);
    in_mutation(r#"{"op":"remove","selector":"h1"}"#, &[]);
    in_mutation(
        r#"{"op":"txt","selector":"h1","value":"x"}"#,
        &[".op: `txt` is no operation: did you mean `text`?"],
    );
    in_mutation(
        r#"{"selector":"h1","value":"x"}"#,
        &[
            ".op: `` is no operation: there are text, html, attribute, removeAttribute, style, addClass, removeClass, \
           remove, before, after, prepend, append, replace, unwrap, move, image, link, title, meta, redirect",
        ],
    );
    for good in [
        r#"{"op":"unwrap","selector":"h1"}"#,
        r##"{"op":"move","selector":"h1","to":"#b","position":"after"}"##,
        r#"{"op":"image","selector":"img","value":"/a.png"}"#,
        r#"{"op":"image","selector":"img","value":"{{profile.traits.picture|/a.png}}","alt":"of {{profile.traits.name}}"}"#,
        r#"{"op":"link","selector":"a","value":"/s?q={{profile.traits.plan}}"}"#,
        r#"{"op":"title","value":"For {{profile.traits.name|you}}"}"#,
        r#"{"op":"meta","name":"description","value":"x"}"#,
        r#"{"op":"meta","property":"og:title","value":"x"}"#,
    ] {
        in_mutation(good, &[]);
    }
    let which = ": `meta` needs a `name` such as `description`, or a `property` such as `og:title`";
    for (bad, message) in [
        (
            r#""op":"move","selector":"h1","to":"p""#,
            ".position: expected one of before, after, prepend, append",
        ),
        (
            r#""op":"move","selector":"h1","to":"p","position":"afer""#,
            ".position: expected one of before, after, prepend, append: did you mean `after`?",
        ),
        (
            r#""op":"move","selector":"h1","position":"after""#,
            ".to: expected a CSS selector of at most 1000 bytes",
        ),
        (
            r#""op":"move","selector":"h1","to":"a.{{request.path}}","position":"after""#,
            ".to: a placeholder may not stand in a selector",
        ),
        (
            r#""op":"link","selector":"a","value":" Java\tscript:{{request.path}}""#,
            ".value: an address may not be a script (`javascript:`)",
        ),
        (
            r#""op":"image","selector":"img","value":"/a.png","alt":7"#,
            ".alt: expected text of at most 100000 bytes",
        ),
        (
            r#""op":"image","value":"/a.png""#,
            ".selector: expected a CSS selector of at most 1000 bytes",
        ),
        (r#""op":"title""#, ".value: expected text of at most 100000 bytes"),
        (r#""op":"meta","value":"x""#, which),
        (r#""op":"meta","name":"a","property":"b","value":"x""#, which),
        (
            r#""op":"meta","name":"a\"]","value":"x""#,
            ".name: expected 1 to 100 letters, digits, `-`, `_`, `:` and `.`",
        ),
    ] {
        in_mutation(&format!("{{{bad}}}"), &[message]);
    }
    for good in [
        r#"{"op":"redirect","value":"/b?from={{request.path|nowhere}}","keepQuery":true}"#,
        r#"{"op":"redirect","value":"https://x.example/{{profile.traits.plan}}","keepQuery":false}"#,
    ] {
        in_mutation(good, &[]);
    }
    let in_host = ".value: a placeholder may not stand in the scheme or the host of an address: anybody could send \
                   the site's visitors anywhere";
    let to_scheme = ".value: a redirect leads to an http, https or relative address";
    let with_space = ".value: an address has no spaces or control characters: write `%20` for a space";
    for (address, message) in [
        ("https://{{request.host}}/", in_host),
        ("//x.{{request.host}}", in_host),
        ("https:{{request.host}}", in_host),
        ("{{request.host}}:x", to_scheme),
        ("javascript:alert(1)", to_scheme),
        ("/a b", with_space),
        ("", ".value: a redirect needs an address"),
    ] {
        in_mutation(&format!(r#"{{"op":"redirect","value":"{address}"}}"#), &[message]);
        // As a member of the variant it is the same.
        let message = message.replace(".value", ".redirect");
        in_variant(&format!(r#""redirect":"{address}""#), &[&message]);
    }
    in_mutation(
        r#"{"op":"redirect"}"#,
        &[".value: expected an address of at most 4000 bytes"],
    );
    in_mutation(
        r#"{"op":"redirect","value":"/b","selector":"h1"}"#,
        &["!.selector: `selector` is not known here"],
    );
    in_mutation(
        r#"{"op":"redirect","value":"/b","keepQuery":1}"#,
        &[".keepQuery: expected `true` or `false`"],
    );
    in_mutation(
        r#"{"op":"text","selector":" ","value":"x"}"#,
        &[".selector: expected a CSS selector of at most 1000 bytes"],
    );
    in_mutation(
        r#"{"op":"text","selector":"h1"}"#,
        &[".value: expected text of at most 100000 bytes"],
    );
    in_mutation(
        r#"{"op":"attribute","selector":"h1","value":"x"}"#,
        &[".name: `attribute` needs the name of the attribute or style property"],
    );
    in_mutation(
        r#"{"op":"attribute","selector":"h1","name":"a b","value":"x"}"#,
        &[".name: `attribute` needs the name of the attribute or style property"],
    );
    in_mutation(
        r#"{"op":"text","selector":"h1","name":"a","value":"x"}"#,
        &["!.name: `text` takes no name"],
    );
    in_mutation(
        r#"{"op":"remove","selector":"h1","value":"x"}"#,
        &["!.value: `remove` takes no value"],
    );
    in_mutation(
        r#"{"op":"text","selctor":"h1","selector":"h1","value":"x"}"#,
        &["!.selctor: `selctor` is not known here: did you mean `selector`?"],
    );
}

#[test]
fn templates() {
    let with = |op: &str, value: &str, expected: &[&str]| {
        in_mutation(
            &format!(r#"{{"op":"{op}","selector":"a","name":"href","value":"{value}"}}"#),
            expected,
        );
    };
    with("attribute", "/hi/{{profile.traits.plan|free}}", &[]);
    with(
        "attribute",
        "{{profile.traits.plan",
        &[".value: `{{` without `}}`"],
    );
    with(
        "attribute",
        "{{profile.trait.plan}}",
        &[
            ".value: there is no `profile.trait.plan`: there are `profile.traits`, `profile.userId`, `profile.identified`, `profile.firstSeenAt`, `profile.sessions`, `profile.consent`",
        ],
    );
    with(
        "attribute",
        "{{plan}}",
        &[
            ".value: no attribute begins with `plan`: there are `visitor`, `request`, `session`, `profile`, `score`, `affinity`, \
           `data`",
        ],
    );
    in_mutation(
        r#"{"op":"html","selector":"a","value":"<script>{{request.path}}</script>"}"#,
        &[".value: a placeholder may not stand inside `<script>`"],
    );
    in_mutation(
        r#"{"op":"attribute","selector":"a","name":"onClick","value":"{{request.path}}"}"#,
        &[".value: a placeholder may not stand in the attribute `onClick`"],
    );
    let program = valid(
        r#"{"experiences":[{"id":"a","variants":[{"id":"v","mutations":[
            {"op":"text","selector":"a","value":"{{profile.traits.b.c}} {{ profile.traits.b | x }}"}]}]}]}"#,
    );
    // The outer one first: it must not overwrite the inner one.
    assert_eq!(program.trait_paths, [vec!["b"], vec!["b", "c"]]);
}

#[test]
fn experiences_are_decided_by_priority_and_then_in_their_order() {
    let program = valid(
        r#"{"experiences":[
            {"id":"a","variants":[{"id":"v"}]},
            {"id":"b","priority":-1,"variants":[{"id":"v"}]},
            {"id":"c","priority":2.5,"variants":[{"id":"v"}]},
            {"id":"d","variants":[{"id":"v"}]}]}"#,
    );
    assert_eq!(program.by_priority, [2, 0, 3, 1]);
}
