//! Requests.

mod condition;
mod experiment;
mod feature;
mod url;

use serde_json::{Map, Value, json};

use crate::random::Random;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Whether a condition holds.
    Conditions,
    /// One experiment, run by itself.
    Experiments,
    /// A payload with features and experiments.
    Payloads,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Conditions, Self::Experiments, Self::Payloads];

    pub(crate) fn request(self, random: &mut Random) -> Value {
        match self {
            Self::Conditions => json!({
                "attributes": attributes(random),
                "condition": condition::condition(random, 3),
                "savedGroups": groups(random),
            }),
            Self::Experiments => {
                let mut request = context(random);
                request["experiment"] = experiment::alone(random, "exp", 2);
                if random.percent(40) {
                    request["payload"] = json!({ "features": feature::features(random, 2) });
                }
                request
            }
            Self::Payloads => {
                let mut request = context(random);
                let count = 1 + random.below(5);
                let experiments = random.below(3);
                request["payload"] = json!({
                    "features": feature::features(random, count),
                    "experiments": (0..experiments)
                        .map(|index| experiment::alone(random, &format!("auto{index}"), count))
                        .collect::<Vec<_>>(),
                    "savedGroups": groups(random),
                    "contextualBandits": feature::bandits(random),
                });
                request
            }
        }
    }
}

/// Who asks, and how.
fn context(random: &mut Random) -> Value {
    let mut context = json!({ "attributes": attributes(random), "url": url::url(random) });
    let mut set = |chance, name: &str, value: &mut dyn FnMut(&mut Random) -> Value, random: &mut Random| {
        if random.percent(chance) {
            context[name] = value(random);
        }
    };
    set(10, "qaMode", &mut |_| json!(true), random);
    set(3, "enabled", &mut |_| json!(false), random);
    set(10, "savedGroups", &mut groups, random);
    set(40, "stickyBucketAssignmentDocs", &mut documents, random);
    let mut forced = |random: &mut Random| {
        let key = random.pick(&["exp", "auto0", "f0", "f1", "key-a"]);
        json!({ key: random.choose(&[json!(0), json!(1), json!(2), json!(-1), json!(9)]) })
    };
    set(10, "forcedVariations", &mut forced, random);
    context
}

pub(crate) fn attributes(random: &mut Random) -> Value {
    let mut attributes = Map::new();
    for name in ["id", "company", "deviceId", "country", "age", "plan", "version", "tags", "flag", "a"] {
        if random.percent(if name == "id" { 90 } else { 60 }) {
            let value = match name {
                "id" | "company" | "deviceId" => id(random),
                "a" => json!({ "b": scalar(random), "c": { "d": scalar(random) } }),
                "tags" => {
                    let count = random.below(4);
                    json!(random.many(count, scalar))
                }
                "version" => version(random),
                _ => any(random),
            };
            attributes.insert(name.to_owned(), value);
        }
    }
    attributes.into()
}

fn id(random: &mut Random) -> Value {
    match random.below(12) {
        0 => random.choose(&[json!(""), json!(0), json!(null), json!(true), json!(["u-1", 2]), json!(1.5)]),
        1 => json!(random.below(100_000)),
        2 => json!(format!("Ünï-😀-{}", random.below(1_000))),
        3 => json!(random.pick(&["u-1", "u-2", "u-3", "123"])),
        _ => json!(format!("u-{}", random.below(100_000))),
    }
}

fn groups(random: &mut Random) -> Value {
    let count = random.below(5);
    json!({ "g1": random.many(count, scalar), "g2": ["u-1", "u-2", 123, "DE"] })
}

/// What a visitor was assigned before.
fn documents(random: &mut Random) -> Value {
    let mut documents = Map::new();
    for attribute in ["id", "company", "deviceId"] {
        if random.percent(50) {
            let value = random.pick(&["u-1", "u-2", "u-3", "123"]);
            let count = random.below(4);
            let assignments = random.many(count, |random| {
                let key = random.pick(&["exp", "auto0", "f0", "f1", "key-a"]);
                (
                    format!("{key}__{}", random.below(4)),
                    json!(random.pick(&["0", "1", "2", "a", "b", "gone"])),
                )
            });
            documents.insert(
                format!("{attribute}||{value}"),
                json!({
                    "attributeName": attribute, "attributeValue": value,
                    "assignments": assignments.into_iter().collect::<Map<_, _>>(),
                }),
            );
        }
    }
    documents.into()
}

pub(crate) fn text(random: &mut Random) -> &'static str {
    random.pick(&[
        "",
        "US",
        "DE",
        "de",
        "pro",
        "free",
        "10",
        "9",
        "1.5",
        " 7 ",
        "0x1F",
        "true",
        "null",
        "é",
        "É",
        "😀",
        "a.b",
        "u-1",
        "u-2",
        "Infinity",
        "1e3",
        "[object Object]",
        "U",
        "-0",
        "ß",
    ])
}

fn number(random: &mut Random) -> Value {
    match random.below(4) {
        0 => json!(random.below(12)),
        1 => random.choose(&[
            json!(-1),
            json!(1.5),
            json!(0.1),
            json!(1e21),
            json!(1e-7),
            json!(-0.5),
            json!(31),
        ]),
        2 => json!(random.below(1_000) as f64 / 8.0),
        _ => json!(10),
    }
}

pub(crate) fn scalar(random: &mut Random) -> Value {
    match random.below(8) {
        0 => json!(null),
        1 => json!(random.percent(50)),
        2 | 3 => number(random),
        _ => json!(text(random)),
    }
}

pub(crate) fn any(random: &mut Random) -> Value {
    match random.below(12) {
        0 => json!([scalar(random), scalar(random)]),
        1 => json!([]),
        2 => json!({ "x": scalar(random) }),
        _ => scalar(random),
    }
}

fn version(random: &mut Random) -> Value {
    match random.below(8) {
        0 => any(random),
        _ => json!(random.pick(&[
            "1.0.0",
            "v1.0.0",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.10.0",
            "1.9.0",
            "2",
            "1.2",
            "1.0.0+build5",
            "01.0.0",
            "1.0.0-rc.1+x",
        ])),
    }
}
