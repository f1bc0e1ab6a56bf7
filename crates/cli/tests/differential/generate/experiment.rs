//! Experiments, by themselves and as rules.

use serde_json::{Value, json};

use super::{any, condition, url};
use crate::random::Random;

/// The chance of a member in a hundred objects, its name, and what makes its value.
pub(super) type Member = (usize, &'static str, fn(&mut Random) -> Value);

/// One that stands by itself.
pub(super) fn alone(random: &mut Random, key: &str, features: usize) -> Value {
    let mut experiment = fields(random);
    experiment["key"] = json!(key);
    experiment["variations"] = variations(random);
    let own: [Member; 6] = [
        (15, "status", |random| json!(random.pick(&["draft", "running", "stopped", "other"]))),
        (10, "active", |random| random.choose(&[json!(true), json!(false), json!(null)])),
        (10, "force", |random| random.choose(&[json!(0), json!(1), json!(-8), json!(25)])),
        (30, "urlPatterns", url::targets),
        (5, "url", |random| json!(random.pick(&["^/women", "shop", "^https://shop", "\\?page=\\d", "/de/"]))),
        (3, "groups", |random| random.choose(&[json!(null), json!([]), json!(["staff"])])),
    ];
    add(random, &mut experiment, &own);
    if random.percent(20) {
        experiment["parentConditions"] = parents(random, features, false);
    }
    experiment
}

/// What rules have, too.
pub(super) fn fields(random: &mut Random) -> Value {
    let common: [Member; 15] = [
        (40, "coverage", |random| {
            random.choose(&[
                json!(1),
                json!(0.5),
                json!(0.1),
                json!(0),
                json!(1.5),
                json!(-1),
                json!(null),
                json!("0.4"),
            ])
        }),
        (40, "weights", weights),
        (60, "hashVersion", |random| {
            random.choose(&[json!(1), json!(2), json!(2), json!(3), json!(null), json!("2")])
        }),
        (30, "hashAttribute", |random| json!(random.pick(&["id", "company", "deviceId", "missing", ""]))),
        (30, "fallbackAttribute", |random| json!(random.pick(&["id", "deviceId", "missing"]))),
        (30, "seed", |random| json!(random.pick(&["seed", "ßeed-😀", "", "2"]))),
        (15, "namespace", |random| {
            json!([
                random.pick(&["ns", "other"]),
                part(random),
                random.choose(&[json!(1), json!(0.5), json!("0.7")])
            ])
        }),
        (15, "ranges", ranges),
        (15, "filters", filters),
        (25, "condition", |random| condition::condition(random, 1)),
        (50, "meta", |random| {
            let keys: &[&str] =
                if random.percent(50) { &["0", "1", "2", "3", "4"] } else { &["a", "b", "a", "", "c"] };
            keys.iter()
                .map(|key| match random.below(6) {
                    0 => json!({ "key": key, "passthrough": true }),
                    1 => json!({ "key": key, "name": "Named" }),
                    2 => json!({}),
                    _ => json!({ "key": key }),
                })
                .collect()
        }),
        (30, "bucketVersion", |random| random.choose(&[json!(0), json!(1), json!(2), json!(3), json!(null)])),
        (20, "minBucketVersion", |random| random.choose(&[json!(0), json!(1), json!(2), json!(1.5)])),
        (10, "disableStickyBucketing", |random| json!(random.percent(70))),
        (10, "name", |_| json!("Name")),
    ];
    let mut fields = json!({});
    add(random, &mut fields, &common);
    fields
}

pub(super) fn variations(random: &mut Random) -> Value {
    let count = if random.percent(5) { random.below(2) } else { 2 + random.below(3) };
    json!(random.many(count, any))
}

pub(super) fn parents(random: &mut Random, features: usize, gates: bool) -> Value {
    let count = 1 + random.below(2);
    let parents = random.many(count, |random| {
        let mut parent = json!({ "id": format!("f{}", random.below(features + 1)) });
        let conditions = [
            json!({ "value": true }),
            json!({ "value": { "$exists": true } }),
            json!({ "value": { "$ne": 1 } }),
            json!({ "value.x": "US" }),
            json!({ "$not": { "value": "never" } }),
        ];
        if random.percent(90) {
            parent["condition"] = random.choose(&conditions);
        }
        if gates && random.percent(40) {
            parent["gate"] = json!(true);
        }
        parent
    });
    json!(parents)
}

pub(super) fn part(random: &mut Random) -> Value {
    random.choose(&[
        json!(0),
        json!(0.1),
        json!(0.25),
        json!(0.3),
        json!(0.1 + 0.2),
        json!(0.5),
        json!(0.75),
        json!(-0.1),
    ])
}

pub(super) fn range(random: &mut Random) -> Value {
    match random.below(20) {
        0 => random.choose(&[json!([]), json!([0.5]), json!([null, 1]), json!(["0.2", "0.9"])]),
        _ => json!([
            part(random),
            random.choose(&[json!(1), json!(0.9), json!(0.7 + 0.1), json!(0.5), json!(0.2)])
        ]),
    }
}

fn ranges(random: &mut Random) -> Value {
    let count = random.below(5);
    json!(random.many(count, range))
}

pub(super) fn filters(random: &mut Random) -> Value {
    let count = random.below(3);
    json!(random.many(count, |random| {
        let mut filter = json!({ "seed": random.pick(&["layer", "x"]), "ranges": ranges(random) });
        if random.percent(40) {
            filter["attribute"] = json!(random.pick(&["id", "deviceId", "missing"]));
        }
        if random.percent(40) {
            filter["hashVersion"] = random.choose(&[json!(1), json!(2), json!(5)]);
        }
        filter
    }))
}

pub(super) fn weights(random: &mut Random) -> Value {
    random.choose(&[
        json!([0.5, 0.5]),
        json!([0.1, 0.9]),
        json!([0.3334, 0.3333, 0.3333]),
        json!([1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]),
        json!([0.2, 0.3, 0.1 + 0.4]),
        json!([0.1, 0.2, 0.3, 0.4]),
        json!([0.4, 0.1]),
        json!([0.7, 0.6]),
        json!([-0.5, 1.5]),
        json!([0, 1]),
        json!([]),
        json!(null),
        json!("half"),
    ])
}

/// Some of these members, each with its chance.
pub(super) fn add(random: &mut Random, object: &mut Value, members: &[Member]) {
    if let Some(object) = object.as_object_mut() {
        for (chance, name, make) in members {
            if random.percent(*chance) {
                object.insert((*name).to_owned(), make(random));
            }
        }
    }
}
