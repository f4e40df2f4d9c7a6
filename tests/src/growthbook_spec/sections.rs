//! The sections: how a case of each is asked, and what is compared.

use super::outcome;
use super::visit::{Extra, Visit, remembered};
use nearside_engine::assign::{choose, equal_weights, fraction};
use nearside_engine::decide::Reason;
use nearside_engine::mutation::Operation;
use nearside_engine::program::Assignment;
use nearside_engine::value::{Object, Value};

/// Runs a case: the members of its list.
type Run = fn(&[Value]) -> Result<(), String>;

pub(super) fn runner(section: &str) -> Option<Run> {
    Some(match section {
        "evalCondition" => condition,
        "hash" => hash,
        "getBucketRange" => bucket_range,
        "chooseVariation" => choose_variation,
        "getQueryStringOverride" => query_string,
        "inNamespace" => namespace,
        "getEqualWeights" => weights,
        "run" => experiment,
        "feature" | "contextualBandit" => feature,
        "stickyBucket" => sticky,
        "urlRedirect" => redirect,
        _ => return None,
    })
}

/// An object of some members.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().collect())
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(items.into_iter().collect())
}

fn same(found: &Value, expected: &Value) -> Result<(), String> {
    let text = |value: &Value| serde_json::to_string(value).unwrap();
    if found == expected {
        Ok(())
    } else {
        Err(format!("expected {}, found {}", text(expected), text(found)))
    }
}

/// As GrowthBook's own runner does it: the cases have eight places.
fn rounded(value: f64) -> Value {
    Value::from((value * 1e8).floor() / 1e8)
}

/// A context with one feature of one rule.
fn one_rule(name: &str, attributes: &Value, rule: Value) -> Value {
    let feature = object([("defaultValue", Value::Null), ("rules", list([rule]))]);
    object([
        ("attributes", attributes.clone()),
        ("features", object([(name, feature)])),
    ])
}

fn variations(count: usize) -> Value {
    list((0..count).map(|place| Value::from(place as f64)))
}

/// `[name, condition, attributes, expected, savedGroups?]`
fn condition(case: &[Value]) -> Result<(), String> {
    let [_, condition, attributes, expected, groups @ ..] = case else {
        return Err("not a case".into());
    };
    let rule = object([("condition", condition.clone()), ("force", Value::Bool(true))]);
    let context = one_rule("f", attributes, rule);
    let mut context = context.as_object().cloned().unwrap();
    if let Some(groups) = groups.first() {
        context.insert("savedGroups", groups.clone());
    }
    let visit = Visit::new(&Value::Object(context), &Extra::default());
    let decision = visit.decisions.features[0];
    if decision.reason == Reason::Invalid {
        return Err("the condition does not compile".into());
    }
    same(&Value::Bool(decision.reason == Reason::Assigned), expected)
}

/// `[seed, value, version, expected]`
fn hash(case: &[Value]) -> Result<(), String> {
    let [seed, value, version, expected] = case else {
        return Err("not a case".into());
    };
    // The seed is what the rule is known by, so that an empty one is one.
    let rule = object([("variations", variations(2)), ("hashVersion", version.clone())]);
    let context = one_rule(seed.as_str().unwrap(), &object([("id", value.clone())]), rule);
    let visit = Visit::new(&context, &Extra::default());
    let bucket = visit.decisions.features[0].bucket.map(fraction);
    same(&bucket.map_or(Value::Null, Value::from), expected)
}

/// How a rule gives its variants.
fn assignment(rule: Value) -> Result<Assignment, String> {
    let visit = Visit::new(&one_rule("f", &Value::Null, rule), &Extra::default());
    let rule = visit.program.features[0].rules.first();
    rule.map(|rule| rule.assignment.clone())
        .ok_or_else(|| "the rule does not compile".into())
}

/// `[name, [variations, coverage, weights], expected]`
fn bucket_range(case: &[Value]) -> Result<(), String> {
    let [_, Value::Array(given), Value::Array(expected)] = case else {
        return Err("not a case".into());
    };
    let assignment = assignment(object([
        ("variations", variations(given[0].as_f64().unwrap() as usize)),
        ("coverage", given[1].clone()),
        ("weights", given[2].clone()),
    ]))?;
    let traffic = assignment.traffic_at(0);
    let found = assignment.shares.iter().map(|share| {
        let (start, end) = share.range(traffic);
        list([rounded(start), rounded(end)])
    });
    let expected = expected.iter().map(|range| {
        let ends = range.as_array().unwrap().iter();
        list(ends.map(|end| rounded(end.as_f64().unwrap())))
    });
    same(&list(found), &list(expected))
}

/// `[name, bucket, ranges, expected]`
fn choose_variation(case: &[Value]) -> Result<(), String> {
    let [_, Value::Number(bucket), Value::Array(ranges), expected] = case else {
        return Err("not a case".into());
    };
    let assignment = assignment(object([
        ("variations", variations(ranges.len())),
        ("ranges", Value::Array(ranges.clone())),
    ]))?;
    let found = choose(*bucket, assignment.traffic_at(0), &assignment.shares);
    same(&Value::from(found.map_or(-1.0, |place| place as f64)), expected)
}

/// `[name, key, url, variations, expected]`
fn query_string(case: &[Value]) -> Result<(), String> {
    let [_, key, url, Value::Number(count), expected] = case else {
        return Err("not a case".into());
    };
    let experiment = object([("key", key.clone()), ("variations", variations(*count as usize))]);
    let extra = Extra {
        experiments: Some(list([experiment])),
        ..Extra::default()
    };
    let visit = Visit::new(&object([("url", url.clone())]), &extra);
    let decision = visit.decisions.decisions[0];
    let forced = decision.variant.filter(|_| decision.reason == Reason::Forced);
    same(
        &forced.map_or(Value::Null, |place| Value::from(f64::from(place))),
        expected,
    )
}

/// `[name, id, namespace, expected]`
fn namespace(case: &[Value]) -> Result<(), String> {
    let [_, id, namespace, expected] = case else {
        return Err("not a case".into());
    };
    let rule = object([("variations", variations(2)), ("namespace", namespace.clone())]);
    let context = one_rule("f", &object([("id", id.clone())]), rule);
    let visit = Visit::new(&context, &Extra::default());
    same(&Value::Bool(visit.decisions.features[0].rule.is_some()), expected)
}

/// `[variations, expected]`
fn weights(case: &[Value]) -> Result<(), String> {
    let [Value::Number(count), Value::Array(expected)] = case else {
        return Err("not a case".into());
    };
    // With less than two there is no experiment that could be compiled.
    let found = if *count < 2.0 {
        equal_weights(count.max(0.0) as usize)
    } else {
        let assignment = assignment(object([("variations", variations(*count as usize))]))?;
        assignment.shares.iter().map(|share| share.weight).collect()
    };
    same(
        &list(found.into_iter().map(rounded)),
        &list(expected.iter().map(|weight| rounded(weight.as_f64().unwrap()))),
    )
}

/// `[name, context, experiment, value, inExperiment, hashUsed]`
fn experiment(case: &[Value]) -> Result<(), String> {
    let [_, context, experiment, value, in_experiment, hash_used] = case else {
        return Err("not a case".into());
    };
    let extra = Extra {
        experiments: Some(list([experiment.clone()])),
        ..Extra::default()
    };
    let visit = Visit::new(context, &extra);
    // An experiment with less than two variations is none.
    let decision = visit.decisions.decisions.first();
    let variant = decision.and_then(|decision| decision.variant);
    let assigned = decision.is_some_and(|d| matches!(d.reason, Reason::Assigned | Reason::Sticky));
    let variations = experiment.get("variations").as_array().unwrap_or_default();
    let found = list([
        variations[variant.map_or(0, usize::from)].clone(),
        Value::Bool(variant.is_some()),
        Value::Bool(assigned),
    ]);
    same(
        &found,
        &list([value.clone(), in_experiment.clone(), hash_used.clone()]),
    )
}

/// `[name, context, feature, expected]`
fn feature(case: &[Value]) -> Result<(), String> {
    let [_, context, Value::String(name), expected] = case else {
        return Err("not a case".into());
    };
    let visit = Visit::new(context, &Extra::default());
    let found = outcome::of_feature(context, name, &visit);
    same(&Value::Object(found), expected)
}

/// `[name, context, documents, feature, expected result of the experiment, expected documents]`
fn sticky(case: &[Value]) -> Result<(), String> {
    let [
        _,
        context,
        Value::Array(documents),
        Value::String(name),
        expected,
        expected_documents,
    ] = case
    else {
        return Err("not a case".into());
    };
    let extra = Extra {
        documents: Some(documents),
        ..Extra::default()
    };
    let visit = Visit::new(context, &extra);
    let found = outcome::of_feature(context, name, &visit);
    same(found.get("experimentResult").unwrap_or(&Value::Null), expected)?;
    let expected = expected_documents.as_object().into_iter();
    let mut expected = remembered(expected.flat_map(Object::iter).map(|(_, document)| document));
    // Documents of others are in the service, and also in the memory.
    expected.extend(remembered(documents));
    let sorted = |mut entries: Vec<_>| {
        entries.sort_by_key(|entry: &nearside_engine::sticky::Remembered| (entry.key, entry.version));
        entries.dedup();
        entries
    };
    let kept = sorted(visit.state.remembered().to_vec());
    let expected = sorted(expected);
    if kept == expected {
        Ok(())
    } else {
        Err(format!("expected to keep {expected:?}, kept {kept:?}"))
    }
}

/// `[name, context, expected results]`
fn redirect(case: &[Value]) -> Result<(), String> {
    let [_, context, expected] = case else {
        return Err("not a case".into());
    };
    let visit = Visit::new(context, &Extra::default());
    let mut experiences = visit.program.experiences.iter().zip(&visit.decisions.decisions);
    let decided = experiences.find_map(|(experience, decision)| {
        let place = usize::from(decision.variant?);
        let mut mutations = experience.variants.get(place)?.mutations.iter();
        let redirects = mutations.any(|mutation| mutation.operation == Operation::Redirect);
        redirects.then_some((experience.id.as_str(), place))
    });
    let found = match (decided, &visit.redirect) {
        (Some((key, place)), Some(address)) => {
            // The redirect as it was written, without the parameters that were merged in.
            let mut experiments = context.get("experiments").as_array().unwrap_or_default().iter();
            let experiment = experiments.find(|experiment| experiment.get("key").as_str() == Some(key));
            let variation = &experiment.unwrap().get("variations").as_array().unwrap()[place];
            list([object([
                ("inExperiment", Value::Bool(true)),
                ("urlRedirect", variation.get("urlRedirect").clone()),
                ("urlWithParams", Value::from(address.as_str())),
            ])])
        }
        _ => list([]),
    };
    same(&found, expected)
}
