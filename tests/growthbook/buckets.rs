use engraft::decide::bucket::{Range, choose, equal_weights, ranges};
use engraft::decide::hash::{Version, hash};
use engraft::decide::namespace::Namespace;
use serde_json::Value;

use crate::{Outcome, section};

/// Compared as the specification does: rounded down to eight decimals.
fn rounded(number: f64) -> f64 {
    (number * 1e8 + 1e-9).floor() / 1e8
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

fn range(value: &Value) -> Range {
    let of = |index: usize| value[index].as_f64().unwrap_or(f64::NAN);
    Range { start: of(0), end: of(1) }
}

fn all(value: &Value) -> Vec<Range> {
    value.as_array().into_iter().flatten().map(range).collect()
}

fn length(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

#[test]
fn hashes_are_those_of_every_sdk() -> Outcome {
    section("hash", |case| {
        let text = |index: usize| case[index].as_str().unwrap_or_default();
        let version = case[2].as_u64().and_then(Version::from_number);
        let got = version.map(|version| hash(text(0), text(1), version));
        (case[3].as_f64() != got).then(|| format!("it is {got:?}"))
    })
}

#[test]
fn variations_have_the_ranges_of_every_sdk() -> Outcome {
    section("getBucketRange", |case| {
        let weights = case[1][2].as_array().map(|_| numbers(&case[1][2]));
        let coverage = case[1][1].as_f64().unwrap_or(1.0);
        let got = ranges(length(&case[1][0]), coverage, weights.as_deref());
        let same = |(one, other): (&Range, &Range)| {
            rounded(one.start) == rounded(other.start) && rounded(one.end) == rounded(other.end)
        };
        let expected = all(&case[2]);
        let is_same = got.len() == expected.len() && got.iter().zip(&expected).all(same);
        (!is_same).then(|| format!("they are {got:?}"))
    })
}

#[test]
fn numbers_choose_the_variation_of_every_sdk() -> Outcome {
    section("chooseVariation", |case| {
        let got = choose(case[1].as_f64().unwrap_or(f64::NAN), &all(&case[2]));
        let expected = case[3].as_u64().and_then(|index| usize::try_from(index).ok());
        (got != expected).then(|| format!("it is {got:?}"))
    })
}

#[test]
fn namespaces_have_the_visitors_of_every_sdk() -> Outcome {
    section("inNamespace", |case| {
        let of = |index: usize| case[2][index].as_f64().unwrap_or(f64::NAN);
        let name = case[2][0].as_str().unwrap_or_default().to_owned();
        let namespace = Namespace { name, range: Range { start: of(1), end: of(2) } };
        let got = namespace.has(case[1].as_str().unwrap_or_default());
        (case[3] != got).then(|| format!("it is {got}"))
    })
}

#[test]
fn weights_are_equal_where_nothing_is_said() -> Outcome {
    section("getEqualWeights", |case| {
        let got = equal_weights(length(&case[0]));
        let expected = numbers(&case[1]);
        let same = |(one, other): (&f64, &f64)| rounded(*one) == rounded(*other);
        let is_same = got.len() == expected.len() && got.iter().zip(&expected).all(same);
        (!is_same).then(|| format!("they are {got:?}"))
    })
}
