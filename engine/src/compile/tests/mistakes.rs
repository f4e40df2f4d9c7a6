use super::*;

#[test]
fn manifests() {
    let check = |manifest: &str, expected: &[&str]| {
        let (_, warnings) = compiled(manifest);
        assert_eq!(warnings, expected, "{manifest}");
    };
    check("{}", &[]);
    check(r#"{"$schema":"x","description":"y"}"#, &[]);
    check("[]", &["error: $: a manifest is a JSON object"]);
    check(
        r#"{"segmets":{}}"#,
        &["warning: $.segmets: `segmets` is not known here: did you mean `segments`?"],
    );
    check(
        r#"{"segments":[]}"#,
        &["error: $.segments: expected an object of segments by name"],
    );
    check(
        r#"{"experiences":{}}"#,
        &["error: $.experiences: expected a list of experiences"],
    );
    check(r#"{"scores":{},"affinities":{}}"#, &[]);
    check(r#"{"site":7}"#, &["error: $.site: expected an object"]);
    check(
        r#"{"site":{"consent":"maybe","exclude":[{"path":"raw"}],"exlude":[]}}"#,
        &[
            "warning: $.site.exlude: `exlude` is not known here: did you mean `exclude`?",
            "error: $.site.exclude[0]: a path starts with `/`: did you mean `/raw`?",
            "error: $.site.consent: expected `granted` or `required`",
        ],
    );
}

#[test]
fn sites() {
    let program = valid(r#"{"site":{"consent":"required","exclude":[{"path":"/raw/*"}]}}"#);
    assert!(program.site.consent_required);
    assert!(program.site.exclude[0].matches("https://x/raw/a", "/raw/a"));
    assert!(!valid(r#"{"site":{"consent":"granted"}}"#).site.consent_required);
}

#[test]
fn conditions() {
    mistake("7", "@: expected a condition: a JSON object");
    mistake(r#"{"$and":{}}"#, "@.$and: expected a list of conditions");
    mistake(r#"{"$or":[7]}"#, "@.$or[0]: expected a condition: a JSON object");
    mistake(
        r#"{"$nor":[{"$nope":1}]}"#,
        "@.$nor[0].$nope: `$nope` is no operator: did you mean `$nor`?",
    );
    mistake(r#"{"$not":[]}"#, "@.$not: expected a condition: a JSON object");
    mistake(
        r#"{"$segment":"fin"}"#,
        "@.$segment: there is no segment `fin`: did you mean `fine`?",
    );
    mistake(r#"{"$segment":7}"#, "@.$segment: there is no segment ``");
    mistake(
        r#"{"$xyzzyplugh":1}"#,
        "@.$xyzzyplugh: `$xyzzyplugh` is no operator",
    );
}

#[test]
fn attributes() {
    mistake(
        r#"{"reqest.path":"/"}"#,
        "@[\"reqest.path\"]: no attribute begins with `reqest`: did you mean `request`?",
    );
    mistake(
        r#"{"plan":"pro"}"#,
        "@.plan: no attribute begins with `plan`: there are `visitor`, `request`, `session`, `profile`, `score`, \
         `affinity`, `data`",
    );
    mistake(
        r#"{"session.pageviews":1}"#,
        "@[\"session.pageviews\"]: there is no `session.pageviews`: did you mean `session.pageViews`?",
    );
    mistake(
        r#"{"session":1}"#,
        "@.session: there is no `session`: there are `session.number`, `session.isNew`, \
         `session.pageViews`, `session.duration`, `session.landingPage`, `session.referrer`, `session.campaign`",
    );
    mistake(
        r#"{"session.number.x":1}"#,
        "@[\"session.number.x\"]: there is no `session.number.x`: did you mean `session.number`?",
    );
    mistake(
        r#"{"profile.trait.plan":1}"#,
        "@[\"profile.trait.plan\"]: there is no `profile.trait.plan`: there are `profile.traits`, `profile.userId`, `profile.identified`, `profile.firstSeenAt`, `profile.sessions`, `profile.consent`",
    );
    mistake(
        r#"{"profile.traits":1}"#,
        "@[\"profile.traits\"]: `profile.traits` needs the name of a trait: `profile.traits.plan`",
    );
    mistake(
        r#"{"request..x":1}"#,
        "@[\"request..x\"]: a path has a name before and after each `.`",
    );
    mistake(
        &format!(r#"{{"request{}":1}}"#, ".a".repeat(100_000)),
        &format!(
            "@[\"request{}\"]: a path has at most 32 names",
            ".a".repeat(100_000)
        ),
    );
    mistake(
        r#"{"data.x":1}"#,
        "@[\"data.x\"]: `data` is not supported by this version",
    );
    mistake(
        r#"{"score.engaged":1}"#,
        "@[\"score.engaged\"]: there is no score `engaged`",
    );
    mistake(
        r#"{"score":1}"#,
        "@.score: expected `score.` and the score's name",
    );
    mistake(
        r#"{"affinity.category.third":1}"#,
        "@[\"affinity.category.third\"]: expected `affinity.category.top`, `affinity.category.second` or \
         `affinity.category.weight.` and a value",
    );
    mistake(
        r#"{"affinity.category.top":1}"#,
        "@[\"affinity.category.top\"]: there is no affinity `category`",
    );
    mistake(
        r#"{"session.duration":{"$regex":"1"}}"#,
        "@[\"session.duration\"].$regex: `$regex` does not compare numbers",
    );
    mistake(
        r#"{"profile.consent":true}"#,
        "@[\"profile.consent\"]: `profile.consent` needs the name of a purpose: `profile.consent.analytics`",
    );
    mistake(
        r#"{"profile.sessions.x":1}"#,
        "@[\"profile.sessions.x\"]: there is no `profile.sessions.x`: did you mean `profile.sessions`?",
    );
    mistake(
        r#"{"request.time.hour":{"$in":["9"]}}"#,
        "@[\"request.time.hour\"].$in[0]: expected a number",
    );
    for unwatched in ["profile.sessions", "profile.consent.ads"] {
        mistake(
            &format!(r#"{{"$held":{{"path":"{unwatched}","is":1,"for":"1d"}}}}"#),
            "@.$held.path: this attribute of the profile is not watched over time",
        );
    }
}

#[test]
fn operators() {
    let check = |test: &str, expected: &str| {
        mistake(
            &format!(r#"{{"request.path":{test}}}"#),
            &expected.replace('@', "@[\"request.path\"]"),
        );
    };
    check(
        r#"{"$eqq":1}"#,
        "@.$eqq: `$eqq` is no operator: did you mean `$eq`?",
    );
    check(
        r#"{"$startswith":"/"}"#,
        "@.$startswith: `$startswith` is no operator: did you mean `$startsWith`?",
    );
    check(r#"{"$in":"x"}"#, "@.$in: expected a list of values");
    check(r#"{"$nin":7}"#, "@.$nin: expected a list of values");
    check(r#"{"$exists":1}"#, "@.$exists: expected `true` or `false`");
    check(
        r#"{"$type":"nubmer"}"#,
        "@.$type: expected one of string, number, boolean, array, object, null, undefined: did you mean `number`?",
    );
    check(r#"{"$gt":[1]}"#, "@.$gt: expected a number or text");
    check(r#"{"$lte":{"a":1}}"#, "@.$lte: expected a number or text");
    check(
        r#"{"$between":[1]}"#,
        "@.$between: expected a list of the lowest and the highest value",
    );
    check(r#"{"$contains":7}"#, "@.$contains: expected text");
    check(r#"{"$and":7}"#, "@.$and: expected a list of conditions");
    check(
        r#"{"$size":{"$gtt":1}}"#,
        "@.$size.$gtt: `$gtt` is no operator: did you mean `$gt`?",
    );
    check(
        r#"{"$elemMatch":{"$gtt":1}}"#,
        "@.$elemMatch.$gtt: `$gtt` is no operator: did you mean `$gt`?",
    );
    check(
        r#"{"$all":[1,{"$gtt":1}]}"#,
        "@.$all[1].$gtt: `$gtt` is no operator: did you mean `$gt`?",
    );
    check(
        r#"{"$not":{"$gtt":1}}"#,
        "@.$not.$gtt: `$gtt` is no operator: did you mean `$gt`?",
    );
    for (operator, operand, expected) in [
        ("$ini", "7", ": expected a list of values"),
        ("$nini", r#""x""#, ": expected a list of values"),
        ("$alli", "{}", ": expected a list of values"),
        ("$veq", "true", ": expected a version such as `1.4.0`"),
        ("$vgte", "[]", ": expected a version such as `1.4.0`"),
        ("$gt", "true", ": expected a number or text"),
        ("$regex", "5", ": expected a regular expression as text"),
        (
            "$regexi",
            r#""[""#,
            ": at character 1: the class has no end: add `]`, or write `\\[` for the character itself",
        ),
        ("$inGroup", "[]", ": expected the name of a group"),
        ("$notInGroup", r#""x""#, ": there is no group `x`"),
        (
            "$near",
            "7",
            ": expected a place and a distance: {\"lat\": 48.86, \"lon\": 2.35, \"km\": 20}",
        ),
        (
            "$near",
            r#"{"lat":91,"lon":0,"km":1}"#,
            ".lat: expected a number between -90 and 90",
        ),
    ] {
        check(
            &format!(r#"{{"{operator}":{operand}}}"#),
            &format!("@.{operator}{expected}"),
        );
    }
}

#[test]
fn tests_that_never_hold_are_warned_of() {
    for (test, expected) in [
        (
            r#"{"$eq":[1]}"#,
            ".$eq: no list or object equals another here: to compare what it holds, write it without an operator",
        ),
        (
            r#"{"$in":[1,[2]]}"#,
            ".$in[1]: a list or an object is equal to nothing",
        ),
    ] {
        let (program, warnings) = compiled(&format!(
            r#"{{"segments":{{"a":{{"when":{{"request.path":{test}}}}}}}}}"#
        ));
        let place = "warning: $.segments.a.when[\"request.path\"]";
        assert_eq!(warnings, [format!("{place}{expected}")]);
        assert_eq!(segment_names(&program), ["a"]);
    }
}

#[test]
fn a_number_in_an_address_is_text() {
    let (_, warnings) = compiled(r#"{"segments":{"a":{"when":{"request.query.page":{"$gt":3}}}}}"#);
    assert_eq!(
        warnings,
        [
            "warning: $.segments.a.when[\"request.query.page\"]: what stands in an address is text: write the number in quotes"
        ]
    );
}

#[test]
fn what_no_request_has() {
    for (path, expected) in [
        ("request.devise.type", "did you mean `request.device`?"),
        ("request.device.system", "did you mean `request.device.type`?"),
        ("request.geo.contry", "did you mean `request.geo.country`?"),
        ("request.time", "did you mean `request.time.hour`?"),
        (
            "request.xyzzyplugh",
            "there are `request.url`, `request.host`, `request.path`, `request.search`, `request.target`, \
             `request.query`, `request.utm`, `request.referrer`, `request.language`, `request.geo`, `request.gpc`, \
             `request.device`, `request.browser`, `request.bot`, `request.nothing`",
        ),
    ] {
        let (program, warnings) =
            compiled(&format!(r#"{{"segments":{{"a":{{"when":{{"{path}":null}}}}}}}}"#));
        let place = format!("warning: $.segments.a.when[\"{path}\"]");
        let message = format!("{place}: there is no `{path}`: {expected}");
        let shown = warnings.first().map_or("", String::as_str);
        assert_eq!(shown, message);
        assert_eq!(segment_names(&program), ["a"]);
    }
    for path in [
        "request.query.page",
        "request.utm.source",
        "request.geo",
        "request.browser.version",
    ] {
        let (_, warnings) = compiled(&format!(r#"{{"segments":{{"a":{{"when":{{"{path}":"1"}}}}}}}}"#));
        assert_eq!(warnings, [] as [&str; 0], "{path}");
    }
}

#[test]
fn groups() {
    let check = |manifest: &str, expected: &[&str]| {
        let (_, warnings) = compiled(manifest);
        assert_eq!(warnings, expected, "{manifest}");
    };
    check(
        r#"{"groups":[]}"#,
        &["error: $.groups: expected an object of groups by name: lists of values"],
    );
    check(
        r#"{"groups":{"a":{},"b":[1,[2]],"c":[]},"segments":{
            "x":{"when":{"profile.traits.v":{"$inGroup":"a"}}},"y":{"when":{"profile.traits.v":{"$inGroup":"cc"}}}}}"#,
        &[
            "error: $.groups.a: expected a list of values",
            "error: $.groups.b[1]: a group holds texts, numbers, `true`, `false` and `null`",
            "error: $.segments.x.when[\"profile.traits.v\"].$inGroup: the group `a` has a mistake of its own",
            "error: $.segments.y.when[\"profile.traits.v\"].$inGroup: there is no group `cc`: did you mean `c`?",
        ],
    );
}

#[test]
fn event_conditions() {
    let check = |events: &str, expected: &str| {
        mistake(
            &format!(r#"{{"$events":{events}}}"#),
            &expected.replace('@', "@.$events"),
        );
    };
    check(
        "[]",
        r#"@: expected an object such as {"name": "Product Viewed", "count": {"$gte": 3}}"#,
    );
    check(
        r#"{"nmae":"A"}"#,
        "@.nmae: `nmae` is not known in `$events`: did you mean `name`?",
    );
    check(r#"{"name":7}"#, "@.name: expected the name of an event");
    check(
        r#"{"type":"pages"}"#,
        "@.type: expected one of page, track, identify, screen, group, alias: did you mean `page`?",
    );
    check(r#"{"in":"device"}"#, "@.in: expected `session` or `visitor`");
    for wrong in [r#""7""#, r#""0s""#, r#""-1d""#, r#""9999d""#, "7", r#""1w""#] {
        check(
            &format!(r#"{{"within":{wrong}}}"#),
            "@.within: expected a duration such as `30s`, `15m`, `2h` or `7d`, of at most ten years",
        );
    }
    for wrong in ["{}", r#""many""#, "[3]", "true", r#"{"a":1}"#] {
        check(
            &format!(r#"{{"count":{wrong}}}"#),
            r#"@.count: expected a number, or operators such as {"$gte": 3}"#,
        );
    }
    check(
        r#"{"count":{"$gtee":1}}"#,
        "@.count.$gtee: `$gtee` does not compare numbers: did you mean `$gte`?",
    );
    check(r#"{"where":7}"#, "@.where: expected a condition: a JSON object");
    check(
        r#"{"where":{"propertys.a":1}}"#,
        "@.where[\"propertys.a\"]: no attribute begins with `propertys`: did you mean `properties`?",
    );
    check(
        r#"{"where":{"name.x":1}}"#,
        "@.where[\"name.x\"]: `name` is text: it has no members",
    );
    for inner in ["$events", "$segment", "$sequence", "$held"] {
        check(
            &format!(r#"{{"where":{{"{inner}":{{}}}}}}"#),
            &format!("@.where.{inner}: `{inner}` may stand only in a condition of a segment or experience"),
        );
    }
    check(
        r#"{"by":7}"#,
        "@.by: expected the path of a value such as `properties.category`",
    );
    check(
        r#"{"by":"color"}"#,
        "@.by: no attribute begins with `color`: there are `type`, `name`, `properties`, `context`, `traits`",
    );
    for name in ["sum", "min", "max", "avg", "distinct"] {
        check(
            &format!(r#"{{"{name}":{{"$gte":1}}}}"#),
            &format!(r#"@.{name}: expected an object such as {{"of": "properties.price", "$gte": 100}}"#),
        );
        check(
            &format!(r#"{{"{name}":{{"of":"properties.a"}}}}"#),
            &format!(r#"@.{name}: expected a number, or operators such as {{"$gte": 3}}"#),
        );
    }
    check(
        r#"{"last":{"ago":"1h"}}"#,
        r#"@.last.ago: expected operators with durations, such as {"$lt": "30m"}"#,
    );
    check(
        r#"{"last":{"ago":{"$lt":3}}}"#,
        "@.last.ago.$lt: expected a duration such as `30s`, `15m`, `2h` or `7d`",
    );
    for name in ["first", "last", "mostFrequent"] {
        check(
            &format!(r#"{{"{name}":{{"of":"properties.a"}}}}"#),
            &format!(
                r#"@.{name}: expected an object such as {{"of": "properties.category", "is": "bikes"}}"#
            ),
        );
        check(
            &format!(r#"{{"{name}":{{"of":"properties.a","is":{{"$gtt":1}}}}}}"#),
            &format!("@.{name}.is.$gtt: `$gtt` is no operator: did you mean `$gt`?"),
        );
    }
}

#[test]
fn sequences() {
    let check = |sequence: &str, expected: &str| {
        mistake(
            &format!(r#"{{"$sequence":{sequence}}}"#),
            &expected.replace('@', "@.$sequence"),
        );
    };
    check("{}", "@.steps: expected a list of 1 to 16 steps");
    check(
        r#"{"steps":[{"nam":"A"}]}"#,
        "@.steps[0].nam: `nam` is not known in `a step`: did you mean `name`?",
    );
    check(
        r#"{"steps":[{"not":{"name":"A"},"for":"1h"}]}"#,
        "@.steps[0]: a sequence begins with a step, not with `not`",
    );
    check(
        r#"{"steps":[{"name":"A","within":"1h"}]}"#,
        "@.steps[0].within: the first step has none before it: `within` beside `steps` is for the whole sequence",
    );
    check(
        r#"{"steps":[{"name":"A"},{"not":{"name":"B"}}]}"#,
        "@.steps[1]: a last `not` needs `for`: for how long, such as `15m`",
    );
    check(
        r#"{"steps":[{"name":"A"},{"not":{"name":"B"},"for":"1h"},{"name":"C"}]}"#,
        "@.steps[1].for: `for` may stand only in the last step",
    );
    check(
        r#"{"steps":[{"name":"A"}],"completed":"1h"}"#,
        r#"@.completed: expected an object such as {"ago": {"$lt": "1h"}}"#,
    );
}

#[test]
fn held() {
    let check = |held: &str, expected: &str| {
        mistake(
            &format!(r#"{{"$held":{held}}}"#),
            &expected.replace('@', "@.$held"),
        );
    };
    check(
        r#"{"path":"profile.traits.plan"}"#,
        r#"@: expected an object such as {"path": "profile.traits.plan", "is": "trial", "for": "14d"}"#,
    );
    check(
        r#"{"path":"request.path","is":"/","for":"1h"}"#,
        "@.path: only attributes of the profile are watched over time",
    );
    check(
        r#"{"path":"profile.userId","is":"u","for":"long"}"#,
        "@.for: expected a duration such as `30s`, `15m`, `2h` or `7d`, of at most ten years",
    );
}

#[test]
fn scores_and_affinities() {
    let check = |manifest: &str, expected: &str| {
        let (program, warnings) = compiled(manifest);
        assert_eq!(warnings, [format!("error: {expected}")], "{manifest}");
        assert!(program.cells.is_empty(), "what is broken costs no state");
    };
    check(
        r#"{"scores":[]}"#,
        "$.scores: expected an object of scores by name",
    );
    check(
        r#"{"scores":{"a b":{}}}"#,
        "$.scores[\"a b\"]: a name has 1 to 64 letters, digits, `-` and `_`",
    );
    check(
        r#"{"scores":{"a":{"on":[{"name":"A"}]}}}"#,
        "$.scores.a: `halfLife` is missing: after how long is half of the points left, such as `7d`?",
    );
    check(
        r#"{"scores":{"a":{"halfLife":"1d"}}}"#,
        "$.scores.a.on: expected a list of 1 to 16 events such as {\"name\": \"Product Viewed\", \"points\": 1}",
    );
    check(
        r#"{"scores":{"a":{"halfLife":"1d","on":[{"name":"A","points":"many"}]}}}"#,
        "$.scores.a.on[0].points: expected a number",
    );
    check(
        r#"{"affinities":{"a":{"halfLife":"1d","on":[{"name":"A"}]}}}"#,
        "$.affinities.a.of: expected the path of a value such as `properties.category`",
    );
    check(
        r#"{"affinities":{"a":{"of":"properties.x","keep":99,"halfLife":"1d","on":[{"name":"A"}]}}}"#,
        "$.affinities.a.keep: expected a whole number from 1 to 32",
    );
    let (_, warnings) = compiled(
        r#"{"scores":{"engaged":{"halfLife":"1d"}},"segments":{"a":{"when":{"score.engaged":{"$gte":1}}}}}"#,
    );
    assert_eq!(
        warnings[1],
        "error: $.segments.a.when[\"score.engaged\"]: the score `engaged` has a mistake of its own"
    );
}

#[test]
fn segments_without_a_condition() {
    let (program, warnings) = compiled(
        r#"{"segments":{"a":7,"b":{},"c c":{"whne":{}},"d":{"when":{},"desciption":""},"":{"when":7}}}"#,
    );
    assert_eq!(
        warnings,
        [
            r#"error: $.segments[""].when: expected a condition: a JSON object"#,
            "error: $.segments.a: expected an object with `when`",
            "error: $.segments.b: `when` is missing: who is in this segment?",
            r#"warning: $.segments["c c"].whne: `whne` is not known here: did you mean `when`?"#,
            r#"error: $.segments["c c"]: `when` is missing: who is in this segment?"#,
            "warning: $.segments.d.desciption: `desciption` is not known here: did you mean `description`?",
        ]
    );
    assert_eq!(segment_names(&program), ["d"]);
}

#[test]
fn several_mistakes_of_one_condition_are_all_named() {
    let (_, warnings) =
        compiled(r#"{"segments":{"a":{"when":{"$and":[{"$x":1}],"reqest.a":1,"request.path":{"$in":7}}}}}"#);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
}

/// What the compiler used to pass over in silence.
#[test]
fn nothing_is_passed_over_in_silence() {
    let experience = |members: &str, expected: &str| {
        let manifest = format!(r#"{{"experiences":[{{"id":"e","variants":[{{"id":"v"}}],{members}}}]}}"#);
        let (_, warnings) = compiled(&manifest);
        assert_eq!(warnings, [expected.replace('@', "$.experiences[0]")], "{members}");
    };
    experience(
        r#""pages":[{"path":"/","exclude":true}]"#,
        "warning: @.pages[0].exclude: `exclude` is not known here",
    );
    experience(
        r#""pages":[{"path":"/","url":7}]"#,
        "error: @.pages[0]: expected {\"path\": …} or {\"url\": …}",
    );
    experience(
        r#""goal":{"nam":"A"}"#,
        "error: @.goal.nam: `nam` is not known in `an event`: did you mean `name`?",
    );
    experience(
        r#""goal":{"where":{"propertie.a":1}}"#,
        "error: @.goal.where[\"propertie.a\"]: no attribute begins with `propertie`: did you mean `properties`?",
    );
    experience(r#""description":7"#, "warning: @.description: expected text");
    experience(r#""name":[]"#, "warning: @.name: expected text");
    let mutation = r#"{"experiences":[{"id":"e","variants":[{"id":"v","mutations":[
        {"op":"text","selector":"p","value":"x","name":7}]}]}]}"#;
    assert_eq!(
        compiled(mutation).1,
        ["warning: $.experiences[0].variants[0].mutations[0].name: `text` takes no name"]
    );
    mistake(
        r#"{"$sequence":{"steps":[{"name":"A"}],"completed":{"ago":{"$lt":"1h"},"of":"x"}}}"#,
        "@.$sequence.completed.of: `of` is not known in `how long ago`",
    );
    mistake(
        r#"{"request.query.a":{"$between":[[],1]}}"#,
        "@[\"request.query.a\"].$between: expected a list of the lowest and the highest value",
    );
}

/// The lists of the vocabulary and what is compiled go together: no word is twice in a list.
#[test]
fn the_vocabulary_has_each_word_once() {
    for list in vocabulary() {
        let mut words = list.words.to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), list.words.len(), "{}", list.of);
    }
}

/// An operator that is listed is compiled, or refused for its operand.
#[test]
fn each_operator_of_the_vocabulary_is_one() {
    let refused = |condition: String| {
        let (_, warnings) = compiled(&format!(r#"{{"segments":{{"s":{{"when":{condition}}}}}}}"#));
        let mut warnings = warnings.into_iter();
        warnings.find(|warning| warning.contains("no operator") || warning.contains("does not compare"))
    };
    for operator in vocabulary::CONDITION.words {
        assert_eq!(refused(format!(r#"{{"{operator}":7}}"#)), None);
    }
    for operator in vocabulary::VALUE_OPERATOR.words {
        assert_eq!(
            refused(format!(r#"{{"request.query.a":{{"{operator}":{{}}}}}}"#)),
            None
        );
    }
    for operator in vocabulary::NUMBER_OPERATOR.words {
        assert_eq!(
            refused(format!(r#"{{"session.duration":{{"{operator}":{{}}}}}}"#)),
            None
        );
    }
}
