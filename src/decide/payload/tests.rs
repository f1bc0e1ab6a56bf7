use serde_json::json;

use super::*;
use crate::decide::evaluation::Evaluation;
use crate::decide::prerequisite::MAX_DEPTH;
use crate::decide::result::Source;
use crate::decide::visitor::Visitor;

fn compiled(payload: &Value) -> Payload {
    Payload::compile(payload).unwrap()
}

/// The value of a feature for the visitor `u-1`, and its source.
fn decided(payload: &Payload, key: &str) -> (Value, Source) {
    let attributes = json!({ "id": "u-1" });
    let mut evaluation = Evaluation::new(payload, Visitor::new(&attributes, "https://shop.example/"));
    let result = evaluation.feature(key);
    (result.value.clone(), result.source)
}

/// A payload whose features `f0`, `f1`, … each wait for those listed.
fn chain(count: usize, parents: impl Fn(usize) -> Vec<usize>) -> Payload {
    let features = (0..count).map(|index| {
        let rule = |parent| {
            json!({ "parentConditions": [{ "id": format!("f{parent}"), "condition": { "value": 0 } }], "force": 1 })
        };
        let rules: Vec<Value> = parents(index).into_iter().map(rule).collect();
        (format!("f{index}"), json!({ "defaultValue": 2, "rules": rules }))
    });
    let features: Map<String, Value> = features.collect();
    compiled(&json!({ "features": features }))
}

#[test]
fn what_is_no_payload_is_told_apart() {
    let read = |text: &str| Payload::read(text.as_bytes(), None).map(|_| ()).unwrap_err().to_string();
    for (text, says) in [
        ("", "the payload is no JSON: line 1, column 0: EOF while parsing a value"),
        ("{\"features\": {\"a\":", "the payload is no JSON: line 1, column 18: EOF while parsing a value"),
        ("<html>", "the payload is no JSON: line 1, column 1: expected value"),
        ("[]", "the payload is not an object"),
        (r#"{"features":[1]}"#, "`features` of the payload is not an object"),
        (r#"{"experiments":{"a":1}}"#, "`experiments` of the payload is not a list"),
        (
            r#"{"encryptedFeatures":"a.b"}"#,
            "`encryptedFeatures` of the payload is encrypted, and there is no decryption key",
        ),
    ] {
        assert_eq!(read(text), says);
    }
    let long = vec![b' '; MAX_PAYLOAD_BYTES + 1];
    assert_eq!(
        Payload::read(&long, None).map(|_| ()),
        Err(PayloadError::TooLong { bytes: MAX_PAYLOAD_BYTES + 1 })
    );
    let key = DecryptionKey::parse("Zvwv/+uhpFDznZ6SX28Yjg==").unwrap();
    let text = r#"{"encryptedFeatures":"a.b"}"#;
    let failed = Payload::read(text.as_bytes(), Some(&key)).map(|_| ());
    assert_eq!(failed, Err(PayloadError::Encrypted { member: "encryptedFeatures", why: DecryptError::Form }));
}

#[test]
fn a_rule_of_a_wrong_type_is_off_and_the_rest_stays() {
    let broken = [
        json!(7),
        json!({ "force": 1, "hashAttribute": 7, "coverage": 1 }),
        json!({ "force": 1, "parentConditions": "all" }),
        json!({ "force": 1, "filters": [{ "seed": "s" }] }),
        json!({ "variations": "ab" }),
        json!({ "variations": [1, 2], "weights": ["a", "b"] }),
        json!({ "variations": [1, 2], "namespace": "all" }),
        json!({ "variations": [1, 2], "ranges": [0, 1] }),
    ];
    let mut rules = broken.to_vec();
    rules.push(json!({ "force": "last", "newer": true }));
    let payload = compiled(&json!({
        "features": { "a/b": { "rules": rules }, "no rules": { "defaultValue": 3, "rules": "none" }, "null": null, "text": "x" },
        "experiments": [{}, { "key": "e", "variations": [1, 2] }, null],
    }));
    assert_eq!(decided(&payload, "a/b"), (json!("last"), Source::Force));
    assert_eq!(decided(&payload, "no rules"), (json!(3), Source::DefaultValue));
    assert_eq!(decided(&payload, "null"), (json!(null), Source::UnknownFeature));
    assert_eq!(decided(&payload, "text"), (json!(null), Source::DefaultValue));
    assert_eq!(payload.experiments().len(), 1);
    let (off, count) = payload.switched_off();
    assert_eq!((off.len(), count), (broken.len() + 2, broken.len() + 2));
    assert_eq!(off[1].to_string(), "/features/a~1b/rules/1 is off: `hashAttribute` is not text");
}

#[test]
fn falsy_members_are_absent() {
    let nothing = json!({
        "force": 1, "condition": null, "parentConditions": null, "filters": null, "range": null, "hashAttribute": "",
        "hashVersion": 0, "seed": null, "tracks": null,
    });
    let experiment = json!({ "variations": [4, 4], "weights": null, "ranges": null, "meta": null, "namespace": null, "key": null });
    let payload = compiled(&json!({ "features": {
        "force": { "rules": [nothing] },
        "experiment": { "rules": [experiment] },
        "nobody": { "rules": [{ "force": 1, "coverage": 0 }, { "variations": [5, 5], "coverage": null }] },
    } }));
    assert_eq!(decided(&payload, "force"), (json!(1), Source::Force));
    assert_eq!(decided(&payload, "experiment"), (json!(4), Source::Experiment));
    assert_eq!(decided(&payload, "nobody"), (json!(null), Source::DefaultValue));
    assert_eq!(payload.switched_off().1, 0);
}

#[test]
fn features_that_share_parents_are_decided_once() {
    // Each asks twice for the one before: without a memory, 2^60 decisions.
    let payload = chain(MAX_DEPTH, |index| match index.checked_sub(1) {
        Some(parent) => vec![parent, parent],
        None => Vec::new(),
    });
    assert_eq!(decided(&payload, &format!("f{}", MAX_DEPTH - 1)), (json!(2), Source::DefaultValue));
}

#[test]
fn chains_end_somewhere() {
    let payload = chain(MAX_DEPTH + 1, |index| index.checked_sub(1).into_iter().collect());
    assert_eq!(decided(&payload, &format!("f{}", MAX_DEPTH - 1)).1, Source::DefaultValue);
    assert_eq!(decided(&payload, &format!("f{MAX_DEPTH}")).1, Source::CyclicPrerequisite);
}

#[test]
fn cycles_end_in_time() {
    // Everybody waits for everybody: paths without number.
    let payload = chain(40, |_| (0..40).collect());
    assert_eq!(decided(&payload, "f7").1, Source::CyclicPrerequisite);
    let itself = chain(1, |index| vec![index]);
    assert_eq!(decided(&itself, "f0"), (json!(null), Source::CyclicPrerequisite));
    // Who only meets a cycle in a rule that is never reached is not part of it.
    let payload = compiled(&json!({ "features": {
        "a": { "rules": [{ "force": 1 }, { "parentConditions": [{ "id": "a" }], "force": 2 }] },
    } }));
    assert_eq!(decided(&payload, "a"), (json!(1), Source::Force));
}

#[test]
fn weights_that_make_no_sense_are_equal_ones() {
    let ranges = |weights: Value| {
        let payload = json!({ "experiments": [{ "key": "e", "variations": [1, 2], "weights": weights }] });
        compiled(&payload).experiments()[0].ranges().to_vec()
    };
    let equal = ranges(json!(null));
    for weights in [json!([0.5]), json!([2, 2]), json!([0, 0]), json!([-1, 1])] {
        assert_eq!(ranges(weights), equal);
    }
}

/// Every place of a payload in turn holds something of another type: nothing breaks, and what stands elsewhere is decided as
/// before.
#[test]
fn whatever_stands_anywhere_the_rest_is_decided() {
    let sound = json!({
        "features": {
            "broken": { "defaultValue": 1, "rules": [
                { "id": "r", "parentConditions": [{ "id": "base", "condition": { "value": 1 }, "gate": true }] },
                { "force": 1, "condition": { "id": { "$inGroup": "g" } }, "coverage": 0.5, "range": [0, 1], "seed": "s",
                  "hashVersion": 2, "hashAttribute": "id", "tracks": [{ "experiment": {}, "result": {} }] },
                { "key": "k", "variations": [1, 2], "weights": [0.5, 0.5], "ranges": [[0, 0.5], [0.5, 1]], "coverage": 1,
                  "meta": [{ "key": "0", "name": "n" }, { "passthrough": true }], "namespace": ["n", 0, 1],
                  "filters": [{ "seed": "s", "ranges": [[0, 1]], "attribute": "id", "hashVersion": 2 }],
                  "bucketVersion": 1, "minBucketVersion": 1, "fallbackAttribute": "anonymous", "contextualBanditRef": "b" },
            ] },
            "base": { "defaultValue": 1 },
            "sound": { "defaultValue": "sound" },
        },
        "experiments": [{ "key": "e", "status": "running", "force": 1, "variations": [{ "css": "" }, { "urlRedirect": "https://b.example/" }],
            "urlPatterns": [{ "type": "simple", "pattern": "*", "include": true }, { "type": "regex", "pattern": ".", "include": true }],
            "url": "shop", "persistQueryString": true }],
        "savedGroups": { "g": ["u-1"] },
        "contextualBandits": { "b": { "banditVersion": 1, "contexts": [{ "leafId": 1, "condition": {}, "weights": [1, 0] }] } },
    });
    let mut pointers = vec![String::new()];
    let mut at = 0;
    while let Some(pointer) = pointers.get(at).cloned() {
        let children: Vec<String> = match sound.pointer(&pointer) {
            Some(Value::Object(members)) => members.keys().cloned().collect(),
            Some(Value::Array(items)) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => Vec::new(),
        };
        pointers.extend(children.iter().map(|child| format!("{pointer}/{child}")));
        at += 1;
    }
    let others = [
        json!(null),
        json!(true),
        json!(-7),
        json!(1e300),
        json!("x"),
        json!([]),
        json!({}),
        json!([null]),
        json!([[]]),
    ];
    let attributes = json!({ "id": "u-1" });
    for (pointer, other) in
        pointers.iter().flat_map(|pointer| others.iter().map(move |other| (pointer, other)))
    {
        let mut payload = sound.clone();
        *payload.pointer_mut(pointer).unwrap() = other.clone();
        let Ok(payload) = Payload::compile(&payload) else { continue };
        let mut evaluation =
            Evaluation::new(&payload, Visitor::new(&attributes, "https://shop.example/?x=1"))
                .with_sticky_buckets(Default::default());
        evaluation.feature("broken");
        evaluation.auto_experiments();
        if pointer.starts_with("/features/broken/") || pointer.starts_with("/experiments") {
            assert_eq!(evaluation.feature("sound").value, "sound", "{pointer}: {other}");
        }
    }
}

/// What is read in pieces, and in how many.
fn in_pieces(bytes: &[u8], key: Option<&DecryptionKey>) -> (Result<Payload, PayloadError>, usize) {
    let mut reading = Reading::new(bytes.to_vec(), key.cloned());
    let mut steps = 1;
    loop {
        match reading.step() {
            Ok(Step::Working(next)) => reading = next,
            Ok(Step::Done(payload)) => return (Ok(payload), steps),
            Err(error) => return (Err(error), steps),
        }
        steps += 1;
    }
}

#[test]
fn what_is_read_in_pieces_is_the_whole() {
    let feature = |index: usize| {
        json!({ "defaultValue": index, "rules": [
            { "force": "x".repeat(index % 7 * 100), "condition": { "id": { "$inGroup": "g" } }, "parentConditions": [
                { "id": format!("f{}", index / 2), "condition": { "value": { "$gt": 1 } } },
            ] },
            { "variations": ["a", "b"], "weights": if index.is_multiple_of(5) { json!("equal") } else { json!([0.5, 0.5]) },
              "contextualBanditRef": "b" },
            { "variations": [1, 2], "namespace": if index.is_multiple_of(3) { json!("all") } else { json!(["n", 0, 1]) } },
        ] })
    };
    for count in [0, 1, 40, 1000] {
        let mut features: Map<String, Value> =
            (0..count).map(|index| (format!("f{index}"), feature(index))).collect();
        features.insert("null/~".to_owned(), Value::Null);
        features.insert("zero".to_owned(), json!(0));
        features.insert("text".to_owned(), json!("x"));
        features.insert("\u{e9}\"\n".to_owned(), json!({ "rules": [7] }));
        let experiments: Vec<Value> = (0..count)
            .map(|index| match index % 4 {
                0 => json!({ "key": index }),
                1 => Value::Null,
                _ => json!({ "key": format!("e{index}"), "variations": [{}, { "domMutations": [] }] }),
            })
            .collect();
        let payload = json!({
            "features": features, "experiments": experiments, "dateUpdated": "2026-01-01",
            "savedGroups": { "g": ["u-1", 2, null], "none": 7 },
            "contextualBandits": { "b": { "contexts": [{ "leafId": 1, "condition": { "id": "u-1" }, "weights": [0, 1] }] } },
        });
        for text in [payload.to_string(), serde_json::to_string_pretty(&payload).unwrap()] {
            let (read, steps) = in_pieces(text.as_bytes(), None);
            assert_eq!(format!("{:?}", read.unwrap()), format!("{:?}", compiled(&payload)));
            assert!(steps >= text.len() / (64 * 1024), "{steps} steps for {} bytes", text.len());
        }
    }
}

#[test]
fn what_is_found_late_is_told_with_its_place() {
    let key = DecryptionKey::parse("Zvwv/+uhpFDznZ6SX28Yjg==").unwrap();
    for (text, says) in [
        (
            r#"{"features":{"a/b":{"defaultValue":1e999}}}"#,
            "/features/a~1b of the payload is no JSON: number out of range",
        ),
        (
            r#"{"experiments":[1,"\ud800"]}"#,
            "/experiments/1 of the payload is no JSON: unexpected end of hex escape",
        ),
        (r#"{"features":"x"}"#, "`features` of the payload is not an object"),
        (
            r#"{"features":{},"encryptedSavedGroups":"x"}"#,
            "`encryptedSavedGroups` of the payload can't be decrypted: expected base64, a dot and base64",
        ),
    ] {
        assert_eq!(in_pieces(text.as_bytes(), Some(&key)).0.unwrap_err().to_string(), says);
    }
    let falsy = r#"{"features":0,"experiments":"","savedGroups":null,"contextualBandits":false,"encryptedFeatures":7}"#;
    assert!(in_pieces(falsy.as_bytes(), None).0.unwrap().features().is_empty());
}
