//! Conditions: all operators, with operands that are mostly right.

use serde_json::{Map, Value, json};

use super::{any, scalar, text, version};
use crate::random::Random;

pub(super) fn condition(random: &mut Random, depth: usize) -> Value {
    let mut members = Map::new();
    for _ in 0..1 + random.below(2) {
        let (key, value) = member(random, depth);
        members.insert(key, value);
    }
    members.into()
}

fn member(random: &mut Random, depth: usize) -> (String, Value) {
    if depth > 0 && random.percent(30) {
        let key = random.pick(&["$and", "$or", "$nor", "$not"]);
        let count = random.below(3);
        let operand = match key {
            "$not" => condition(random, depth - 1),
            _ => random.many(count, |random| condition(random, depth - 1)).into(),
        };
        return (key.to_owned(), operand);
    }
    let path = random.pick(&[
        "id", "country", "age", "plan", "version", "tags", "flag", "a.b", "a.c.d", "tags.0", "tags.01",
        "missing", "a", "a.b.c",
    ]);
    (path.to_owned(), predicate(random, depth))
}

fn predicate(random: &mut Random, depth: usize) -> Value {
    if random.percent(25) {
        return any(random);
    }
    let mut operators = Map::new();
    for _ in 0..1 + random.below(2) {
        let operator = random.pick(&[
            "$eq",
            "$ne",
            "$lt",
            "$lte",
            "$gt",
            "$gte",
            "$exists",
            "$in",
            "$nin",
            "$ini",
            "$nini",
            "$inGroup",
            "$notInGroup",
            "$all",
            "$alli",
            "$size",
            "$elemMatch",
            "$regex",
            "$regexi",
            "$type",
            "$not",
            "$veq",
            "$vne",
            "$vgt",
            "$vgte",
            "$vlt",
            "$vlte",
            "$unknown",
        ]);
        let operand = operand(random, operator, depth);
        operators.insert(operator.to_owned(), operand);
    }
    operators.into()
}

fn operand(random: &mut Random, operator: &str, depth: usize) -> Value {
    let count = random.below(4);
    match operator {
        // Of a wrong type, sometimes.
        "$in" | "$nin" | "$ini" | "$nini" | "$all" | "$alli" | "$exists" | "$type" | "$inGroup"
            if random.percent(5) =>
        {
            scalar(random)
        }
        "$in" | "$nin" | "$ini" | "$nini" => json!(random.many(count, any)),
        "$all" | "$alli" => json!(random.many(count, |random| match random.below(3) {
            0 if depth > 0 => predicate(random, depth - 1),
            _ => scalar(random),
        })),
        "$exists" => json!(random.percent(50)),
        "$inGroup" | "$notInGroup" => json!(random.pick(&["g1", "g2", "g3"])),
        "$size" => match random.below(3) {
            0 => json!({ "$gt": random.below(3) }),
            _ => json!(random.below(4)),
        },
        "$elemMatch" if random.percent(30) => condition(random, 0),
        "$elemMatch" => json!({ "$eq": scalar(random) }),
        "$regex" | "$regexi" => json!(random.pick(&[
            "^U", "S$", "[0-9]+", "a.b", "u-(1|2)", "^$", "\\d", "(", "a/b", "\\/", "e", "pro|free",
            "^\\w+$", "null", "u{2}",
        ])),
        "$type" => json!(random.pick(&[
            "string",
            "number",
            "boolean",
            "array",
            "object",
            "null",
            "undefined",
            "date"
        ])),
        "$not" => match random.below(2) {
            0 if depth > 0 => predicate(random, depth - 1),
            _ => scalar(random),
        },
        _ if operator.starts_with("$v") => version(random),
        "$lt" | "$lte" | "$gt" | "$gte" => match random.below(6) {
            0 => any(random),
            1 => json!(text(random)),
            _ => scalar(random),
        },
        _ => any(random),
    }
}
