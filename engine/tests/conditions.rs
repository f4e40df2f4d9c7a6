//! What a condition says about a value: the semantics of GrowthBook's SDKs.

#![expect(clippy::unwrap_used, reason = "a test's helper fails its test by a panic")]

use nearside_engine::compile::{Warning, compile};
use nearside_engine::decide::{Context, decide};
use nearside_engine::program::Program;
use nearside_engine::request::Request;
use nearside_engine::state::State;
use nearside_engine::value::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Whether the compiler warned of more than attributes of the request that only a host of its own has.
fn has_mistakes(warnings: &[Warning]) -> bool {
    let of_host = |warning: &Warning| warning.message.starts_with("there is no `request.");
    !warnings.iter().all(of_host)
}

/// Whether the condition holds where `request` has these members.
#[track_caller]
fn holds(condition: &str, members: &str) -> bool {
    let (program, warnings) = compile(&json(&format!(
        r#"{{"segments":{{"s":{{"when":{condition}}}}}}}"#
    )));
    assert!(!has_mistakes(&warnings), "{warnings:?}");
    // Through its bytes, as the edge has it.
    let program = Program::from_bytes(&program.to_bytes()).unwrap();
    let members = json(members).as_object().cloned().unwrap();
    let context = Context {
        visitor_id: "v",
        request: &Request::new("https://x.example/a?q=1", members),
        consent: true,
        forced: &[],
    };
    decide(&program, &State::new(&program), &context, 0).segments[0]
}

/// Whether a test of `request.v` holds for each of the values; `"-"` stands for no value.
#[track_caller]
fn check(test: &str, holding: &[&str], failing: &[&str]) {
    for (values, expected) in [(holding, true), (failing, false)] {
        for value in values {
            let members = match *value {
                "-" => "{}".to_owned(),
                value => format!(r#"{{"v":{value}}}"#),
            };
            let condition = format!(r#"{{"request.v":{test}}}"#);
            assert_eq!(holds(&condition, &members), expected, "{test} on {value}");
            // A test and its opposite never agree.
            let opposite = format!(r#"{{"$not":{condition}}}"#);
            assert_eq!(holds(&opposite, &members), !expected, "not {test} on {value}");
        }
    }
}

#[test]
fn bare_constants_are_of_the_value_s_type() {
    check(r#""7""#, &[r#""7""#], &["7", r#""07""#, "-", "null", r#"["7"]"#]);
    check(r#""true""#, &[r#""true""#], &["true", "1"]);
    check(r#""null""#, &[r#""null""#], &["null", "-", "0"]);
    check("7", &["7", "7.0"], &[r#""7""#, "-", "null", "true", "[7]", "{}"]);
    check("0", &["0", "-0"], &["-", "null", r#""""#, "false"]);
    check("true", &["true"], &["1", r#""x""#, r#""true""#, "[]", "{}", "-"]);
    check("false", &["false"], &["0", r#""""#, "null", "-"]);
    check("null", &["null", "-"], &["0", "false", r#""""#]);
    check("[1,2]", &["[1,2]"], &["[2,1]", "[1]", "1", "-"]);
    check(
        r#"{"a":{"b":1},"c":2}"#,
        &[r#"{"c":2,"a":{"b":1}}"#],
        &[r#"{"c":2}"#, "-"],
    );
    // An object without operators asks for nothing.
    check("{}", &["{}", "-", "7"], &[]);
}

#[test]
fn operators_that_compare() {
    check(r#"{"$eq":7}"#, &["7"], &[r#""7""#, "-", "8"]);
    check(r#"{"$eq":null}"#, &["null", "-"], &["0"]);
    check(r#"{"$ne":7}"#, &["8", "-", r#""7""#], &["7"]);
    check(
        r#"{"$gt":5}"#,
        &["6", "5.01"],
        &["5", r#""6""#, "-", r#""x""#, "null", "[]", "true"],
    );
    check(r#"{"$gte":5}"#, &["5", "6"], &["4", "-"]);
    check(r#"{"$lt":5}"#, &["4"], &["5", "-", "null", "false", r#""4""#]);
    check(r#"{"$lte":5}"#, &["5"], &["6", "-"]);
    check(
        r#"{"$gt":"b"}"#,
        &[r#""c""#, r#""ba""#],
        &[r#""b""#, r#""a""#, r#""Z""#, "7", "-"],
    );
    check(r#"{"$lt":"10"}"#, &[r#""1""#, r#""0x""#], &[r#""9""#, "9"]);
    check(
        r#"{"$between":[2,4]}"#,
        &["2", "3", "4"],
        &["1", "5", "-", r#""3""#],
    );
    check(r#"{"$gt":2,"$lt":4,"$ne":3.5}"#, &["3"], &["2", "3.5", "4"]);
}

#[test]
fn operators_that_ignore_the_case() {
    check(
        r#"{"$ini":["US","É",7]}"#,
        &[r#""us""#, r#""é""#, "7", r#"["x","Us"]"#],
        &[r#""7""#, "-", "[]"],
    );
    check(r#"{"$nini":["US"]}"#, &[r#""uk""#, "-"], &[r#""us""#]);
    check(
        r#"{"$alli":["One",{"$gt":2}]}"#,
        &[r#"["ONE",3]"#],
        &[r#"["one"]"#, r#""one""#, "-"],
    );
}

#[test]
fn operators_over_versions() {
    check(
        r#"{"$vgt":"9.99.8","$vlt":"11.0.1"}"#,
        &[r#""10.12.13""#, r#""v11.0.1-rc.1""#],
        &[r#""9.99.8""#, r#""11.0.1""#, "10", "-", "null"],
    );
    check(r#"{"$vgte":"1.0.0","$vlte":"1.0.0"}"#, &[r#""v1.0.0+b""#], &["1"]);
    check(r#"{"$veq":2}"#, &["2"], &[r#""2""#]);
    check(r#"{"$vne":"2"}"#, &["2", "-", r#""3""#], &[r#""2""#]);
}

#[test]
fn patterns() {
    check(
        r#"{"$regex":"-12-25$"}"#,
        &[r#""1980-12-25""#],
        &[r#""1980-12-20""#, "-", "5", r#"["-12-25"]"#],
    );
    check(
        r#"{"$regexi":"(mobile|tablet)"}"#,
        &[r#""Android Mobile""#],
        &[r#""desk""#],
    );
}

#[test]
fn operators_over_places() {
    check(
        r#"{"$near":{"lat":48.86,"lon":2.35,"km":20}}"#,
        &[
            r#"{"lat":48.8,"lon":2.13}"#,
            r#"{"latitude":"48.80","longitude":"2.13"}"#,
        ],
        &[r#"{"lat":51.5,"lon":0}"#, r#"{"lat":48.86}"#, "[48.86,2.35]", "-"],
    );
}

#[test]
fn groups() {
    let values: Vec<String> = (0..10_000)
        .map(|number| format!(r#""u_{number}",{number}"#))
        .collect();
    for (test, value, expected) in [
        (r#"{"$inGroup":"many"}"#, r#""u_9999""#, true),
        (r#"{"$inGroup":"many"}"#, r#""9999""#, false),
        (r#"{"$inGroup":"many"}"#, r#"["x",77]"#, true),
        (r#"{"$notInGroup":"many"}"#, "-1", true),
        (r#"{"$notInGroup":"many"}"#, "0", false),
        (
            r#"{"$elemMatch":{"id":{"$inGroup":"many"}}}"#,
            r#"[{"id":3}]"#,
            true,
        ),
        (
            r#"{"$elemMatch":{"id":{"$inGroup":"many"}}}"#,
            r#"[{"id":"3"}]"#,
            false,
        ),
    ] {
        let (program, warnings) = compile(&json(&format!(
            r#"{{"groups":{{"many":[{}]}},"segments":{{"s":{{"when":{{"request.v":{test}}}}}}}}}"#,
            values.join(",")
        )));
        assert!(!has_mistakes(&warnings), "{warnings:?}");
        let program = Program::from_bytes(&program.to_bytes()).unwrap();
        let members = json(&format!(r#"{{"v":{value}}}"#)).as_object().cloned().unwrap();
        let context = Context {
            visitor_id: "v",
            request: &Request::new("/", members),
            consent: true,
            forced: &[],
        };
        let decisions = decide(&program, &State::new(&program), &context, 0);
        assert_eq!(decisions.segments, [expected], "{test} on {value}");
    }
}

#[test]
fn operators_over_lists() {
    check(
        r#"{"$in":["a",1,null]}"#,
        &[r#""a""#, "1", "null", "-", r#"["x","a"]"#],
        &[r#""1""#, "[]", "2"],
    );
    check(r#"{"$in":[]}"#, &[], &["-", "[]", "1"]);
    check(
        r#"{"$nin":["a"]}"#,
        &[r#""b""#, "-", "[]"],
        &[r#""a""#, r#"["a"]"#],
    );
    check(
        r#"{"$all":["a","b"]}"#,
        &[r#"["b","x","a"]"#],
        &[r#"["a"]"#, r#""a""#, "-"],
    );
    check(
        r#"{"$all":[{"$gt":3},{"$lt":2}]}"#,
        &["[1,4]"],
        &["[2,3]", "[4]", "[]"],
    );
    check(r#"{"$all":[]}"#, &["[]", "[1]"], &["-", "1"]);
    check(r#"{"$size":2}"#, &["[1,2]"], &["[]", "2", r#""ab""#, "-"]);
    check(r#"{"$size":{"$gte":1}}"#, &["[1]", "[1,2]"], &["[]", "-"]);
    check(
        r#"{"$elemMatch":{"$gt":2,"$lt":4}}"#,
        &["[1,3]"],
        &["[1,5]", "3", "-"],
    );
    check(
        r#"{"$elemMatch":{"sku":"a","n":{"$gte":2}}}"#,
        &[r#"[{"sku":"b"},{"sku":"a","n":2}]"#],
        &[r#"[{"sku":"a","n":1},{"sku":"b","n":2}]"#, r#"["a"]"#],
    );
    check(r#"{"$elemMatch":{"$ne":1}}"#, &["[null,2]"], &["[null]", "[1]"]);
    // Conditions over an item's members may be joined, and tests of the item itself.
    check(
        r#"{"$elemMatch":{"$and":[{"a":1},{"$or":[{"b":2},{"c":3}]}]}}"#,
        &[r#"[{"a":1,"b":2}]"#, r#"[{"a":1,"c":3}]"#],
        &[r#"[{"a":1},{"b":2}]"#],
    );
    check(
        r#"{"$elemMatch":{"$or":[{"$gt":5},{"$lt":2}]}}"#,
        &["[3,6]", "[1]"],
        &["[3]"],
    );
    check(
        r#"{"$elemMatch":{"$not":{"$eq":1}}}"#,
        &["[1,2]"],
        &["[1,1]", "[]"],
    );
}

#[test]
fn operators_over_texts() {
    check(
        r#"{"$startsWith":"Ab"}"#,
        &[r#""Abc""#, r#""Ab""#],
        &[r#""abc""#, r#""xAb""#, "-", "7"],
    );
    check(r#"{"$endsWith":"bc"}"#, &[r#""abc""#], &[r#""aBC""#, r#""bcd""#]);
    check(
        r#"{"$contains":"b"}"#,
        &[r#""abc""#],
        &[r#""aBc""#, r#"["b"]"#, "-"],
    );
    check(
        r#"{"$startsWithi":"Éa"}"#,
        &[r#""éab""#, r#""ÉAB""#],
        &[r#""ea""#],
    );
    check(r#"{"$endsWithi":"BC"}"#, &[r#""abc""#], &[r#""abcd""#]);
    check(r#"{"$containsi":"B"}"#, &[r#""abc""#, r#""ABC""#], &[r#""ac""#]);
    check(r#"{"$contains":""}"#, &[r#""""#, r#""x""#], &["-"]);
}

#[test]
fn operators_over_existence_and_type() {
    check(
        r#"{"$exists":true}"#,
        &["0", "false", r#""""#, "[]"],
        &["-", "null"],
    );
    check(r#"{"$exists":false}"#, &["-", "null"], &["0"]);
    for (name, value) in [
        ("string", r#""""#),
        ("number", "0"),
        ("boolean", "false"),
        ("array", "[]"),
        ("object", "{}"),
    ] {
        let test = format!(r#"{{"$type":"{name}"}}"#);
        let (same, others): (Vec<&str>, Vec<&str>) = [r#""""#, "0", "false", "[]", "{}", "null", "-"]
            .into_iter()
            .partition(|other| *other == value);
        check(&test, &same, &others);
    }
    check(r#"{"$type":"null"}"#, &["null", "-"], &["0"]);
    // What is missing is nothing, so that nothing is `undefined`.
    check(r#"{"$type":"undefined"}"#, &[], &["null", "-", "0"]);
}

#[test]
fn operators_that_join() {
    check(r#"{"$not":{"$gt":5}}"#, &["5", "-"], &["6"]);
    check(r#"{"$or":[{"$lt":2},{"$gt":5}]}"#, &["1", "6"], &["3"]);
    check(r#"{"$and":[{"$gt":2},{"$lt":5}]}"#, &["3"], &["1", "6"]);
    check(r#"{"$nor":[{"$lt":2},{"$gt":5}]}"#, &["3"], &["1", "6"]);
    let (yes, no) = (r#"{"request.v":1}"#, r#"{"request.v":2}"#);
    let members = r#"{"v":1}"#;
    for (condition, expected) in [
        ("{}".to_owned(), true),
        (format!(r#"{{"$and":[{yes},{no}]}}"#), false),
        (format!(r#"{{"$and":[{yes},{yes}]}}"#), true),
        (r#"{"$and":[]}"#.to_owned(), true),
        (format!(r#"{{"$or":[{yes},{no}]}}"#), true),
        (format!(r#"{{"$or":[{no}]}}"#), false),
        // An empty `$or` asks for nothing.
        (r#"{"$or":[]}"#.to_owned(), true),
        (r#"{"$nor":[]}"#.to_owned(), false),
        (format!(r#"{{"$nor":[{no},{no}]}}"#), true),
        (format!(r#"{{"$nor":[{no},{yes}]}}"#), false),
        (format!(r#"{{"request.v":1,"$not":{yes}}}"#), false),
        (
            format!(r#"{{"request.v":1,"$not":{no},"$or":[{no},{yes}]}}"#),
            true,
        ),
    ] {
        assert_eq!(holds(&condition, members), expected, "{condition}");
    }
}

#[test]
fn paths() {
    let members = r#"{"a":{"b":[{"c":1},{"c":2}],"":3},"geo":{"country":"FR"}}"#;
    for (condition, expected) in [
        (r#"{"request.a.b.1.c":2}"#, true),
        (r#"{"request.a.b.2.c":{"$exists":true}}"#, false),
        (r#"{"request.a.b.x":{"$exists":true}}"#, false),
        (r#"{"request.a.b.1.c.d":{"$exists":true}}"#, false),
        (r#"{"request.geo.country":"FR"}"#, true),
        (r#"{"request.path":"/a"}"#, true),
        (r#"{"request.host":"x.example"}"#, true),
        (r#"{"request.query.q":"1"}"#, true),
        (
            r#"{"session.number":1,"session.isNew":true,"session.pageViews":0,"session.duration":0}"#,
            true,
        ),
        (
            r#"{"profile.identified":false,"profile.userId":{"$exists":false}}"#,
            true,
        ),
        (r#"{"profile.firstSeenAt":{"$exists":false}}"#, true),
        (r#"{"profile.traits.x":{"$type":"null"}}"#, true),
    ] {
        assert_eq!(holds(condition, members), expected, "{condition}");
    }
}
