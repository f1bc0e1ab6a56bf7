//! Features that depend on each other, in circles too.

use serde_json::{Map, Value, json};

use super::experiment::{Member, add, fields, filters, parents, range, variations, weights};
use super::{any, condition};
use crate::random::Random;

pub(super) fn features(random: &mut Random, count: usize) -> Value {
    let feature = |index: usize, random: &mut Random| {
        let rules = random.below(4);
        let mut feature = json!({ "rules": random.many(rules, |random| rule(random, count)) });
        if random.percent(90) {
            feature["defaultValue"] = any(random);
        }
        if random.percent(2) {
            feature = random.choose(&[
                json!(null),
                json!("text"),
                json!({}),
                json!({ "defaultValue": 1, "rules": null }),
            ]);
        }
        (format!("f{index}"), feature)
    };
    Value::Object((0..count).map(|index| feature(index, random)).collect::<Map<_, _>>())
}

fn rule(random: &mut Random, features: usize) -> Value {
    let mut rule = match random.below(5) {
        0 | 1 => force(random),
        2 | 3 => {
            let mut rule = fields(random);
            rule["variations"] = variations(random);
            if random.percent(15) {
                rule["contextualVariations"] = variations(random);
                rule["contextualBanditRef"] = json!(random.pick(&["bandit", "explore", "gone"]));
            }
            if random.percent(40) {
                rule["key"] = json!(random.pick(&["exp", "key-a", "auto0", ""]));
            }
            rule
        }
        _ => json!({}),
    };
    if random.percent(60) {
        rule["id"] = json!(format!("r{}", random.below(100)));
    }
    if random.percent(30) {
        rule["parentConditions"] = parents(random, features, true);
    }
    rule
}

pub(super) fn bandits(random: &mut Random) -> Value {
    let count = random.below(3);
    let contexts = random.many(count, |random| {
        let mut context = json!({ "leafId": random.below(9), "condition": condition::condition(random, 1) });
        let weights: [Member; 1] = [(80, "weights", weights)];
        add(random, &mut context, &weights);
        context
    });
    json!({ "bandit": { "banditVersion": 7, "contexts": contexts }, "explore": {} })
}

fn force(random: &mut Random) -> Value {
    let mut rule = json!({ "force": any(random) });
    let members: [Member; 9] = [
        (30, "condition", |random| condition::condition(random, 1)),
        (40, "coverage", |random| {
            random.choose(&[json!(1), json!(0.5), json!(0.1), json!(0), json!(null), json!("0.4")])
        }),
        (20, "range", range),
        (15, "filters", filters),
        (40, "hashVersion", |random| random.choose(&[json!(1), json!(2), json!(7)])),
        (30, "hashAttribute", |random| json!(random.pick(&["id", "company", "deviceId", "missing"]))),
        (30, "fallbackAttribute", |random| json!(random.pick(&["id", "deviceId"]))),
        (30, "seed", |random| json!(random.pick(&["rollout", ""]))),
        (10, "disableStickyBucketing", |_| json!(true)),
    ];
    add(random, &mut rule, &members);
    rule
}
