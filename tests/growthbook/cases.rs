//! `cases.json`: the specification that every SDK is held against.

use std::path::Path;

use engraft::decide::bucket::{self, Range};
use engraft::decide::condition::{Condition, SavedGroups};
use engraft::decide::decrypt::DecryptionKey;
use engraft::decide::hash::HashVersion;
use engraft::decide::namespace::Namespace;
use engraft::decide::query_override::query_override;
use serde_json::{Map, Value, json};

use crate::Tested;
use crate::payloads;
use crate::section::{Case, Section};

type Check = fn(&Value) -> Tested;

/// What each section of the file is checked by, and whether its cases have names.
const SECTIONS: [(&str, Check, bool); 13] = [
    ("evalCondition", condition, true),
    ("hash", hash, false),
    ("getBucketRange", bucket_range, true),
    ("feature", payloads::feature, true),
    ("run", payloads::run, true),
    ("chooseVariation", choose_variation, true),
    ("getQueryStringOverride", query_string_override, true),
    ("inNamespace", in_namespace, true),
    ("getEqualWeights", equal_weights, false),
    ("decrypt", decrypt, true),
    ("stickyBucket", payloads::sticky_bucket, true),
    ("urlRedirect", payloads::url_redirect, true),
    ("contextualBandit", payloads::feature, true),
];

pub(crate) fn sections(data: &Path) -> Result<Vec<Section>, String> {
    let file = crate::json(&data.join("cases.json"))?;
    let known = |name: &String| SECTIONS.iter().any(|(known, ..)| known == name);
    let members = file.as_object().ok_or("cases.json is not an object")?;
    if let Some((name, _)) = members.iter().find(|(name, value)| value.is_array() && !known(name)) {
        return Err(format!("cases.json has a section that nothing checks: {name}"));
    }
    let section = |(name, check, named): (&str, Check, bool)| {
        let cases = file[name].as_array().ok_or_else(|| format!("cases.json lacks {name}"))?;
        let case = |case: &Value| {
            let title =
                if named { case[0].as_str().unwrap_or_default().to_owned() } else { case.to_string() };
            let case = case.clone();
            Case::new(title, move || check(&case))
        };
        Ok(Section { name: name.to_owned(), cases: cases.iter().map(case).collect() })
    };
    SECTIONS.into_iter().map(section).collect()
}

fn condition(case: &Value) -> Tested {
    let groups = case[4].as_object().map_or_else(|| SavedGroups::new(&Map::new()), SavedGroups::new);
    same(json!(Condition::compile_lenient(&case[1]).eval(&case[2], &groups)), &case[3])
}

fn hash(case: &Value) -> Tested {
    let version = HashVersion::numbered(number(&case[2])?);
    same(json!(version.map(|version| version.hash(text(&case[0]), text(&case[1])))), &case[3])
}

fn bucket_range(case: &Value) -> Tested {
    let weights: Option<Vec<f64>> = match &case[1][2] {
        Value::Null => None,
        weights => Some(numbers(weights)?),
    };
    let ranges = bucket::ranges(count(&case[1][0]), number(&case[1][1])?, weights.as_deref());
    let ranges = ranges.iter().map(|range| json!([rounded(range.start), rounded(range.end)]));
    same(ranges.collect(), &case[2])
}

fn choose_variation(case: &Value) -> Tested {
    let ranges: Result<Vec<_>, _> = case[2].as_array().into_iter().flatten().map(range).collect();
    let chosen = bucket::choose(number(&case[1])?, &ranges?);
    same(chosen.map_or_else(|| json!(-1), |variation| json!(variation)), &case[3])
}

fn query_string_override(case: &Value) -> Tested {
    same(json!(query_override(text(&case[1]), text(&case[2]), count(&case[3]))), &case[4])
}

fn in_namespace(case: &Value) -> Tested {
    let range = Range { start: number(&case[2][1])?, end: number(&case[2][2])? };
    same(json!(Namespace::new(text(&case[2][0]), range).includes(text(&case[1]))), &case[3])
}

fn equal_weights(case: &Value) -> Tested {
    // Less than no variations are none.
    let weights = bucket::equal_weights(count(&case[0]));
    same(weights.into_iter().map(|weight| json!(rounded(weight))).collect(), &case[1])
}

fn decrypt(case: &Value) -> Tested {
    let key = DecryptionKey::parse(text(&case[2]));
    let plain = key.and_then(|key| key.decrypt(text(&case[1])));
    match (plain, &case[3]) {
        (Err(_), Value::Null) => Ok(()),
        (plain, expected) => same(json!(plain.map_err(|error| error.to_string())?), expected),
    }
}

fn range(value: &Value) -> Result<Range, String> {
    Ok(Range { start: number(&value[0])?, end: number(&value[1])? })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> Result<f64, String> {
    value.as_f64().ok_or_else(|| format!("{value} is no number"))
}

fn numbers(value: &Value) -> Result<Vec<f64>, String> {
    value.as_array().into_iter().flatten().map(number).collect()
}

fn count(value: &Value) -> usize {
    value.as_u64().and_then(|count| count.try_into().ok()).unwrap_or_default()
}

/// Down to eight decimals, as the specification compares.
fn rounded(number: f64) -> f64 {
    (number * 1e8).floor() / 1e8
}

/// Compares what came out with what should have, numbers as numbers: `1` is `1.0`.
pub(crate) fn same(got: Value, expected: &Value) -> Tested {
    if equal(&got, expected) { Ok(()) } else { Err(format!("expected {expected}\n     got {got}")) }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}
