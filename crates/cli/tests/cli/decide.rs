//! `engraft decide`, with the payload of `tests/data/decide`.

use std::error::Error;

use serde_json::{Value, json};

use crate::command::{Run, Tested, data, engraft, engraft_with};

const ADA: [&str; 4] = ["--attributes", r#"{"id":"u-1"}"#, "--url", "https://shop.example/"];

fn decide(args: &[&str]) -> Result<Run, Box<dyn Error>> {
    engraft(&data("decide"), ["decide", "--payload", "payload.json"].iter().chain(args))
}

/// The answers to a batch, and the exit code.
fn batch(args: &[&str], requests: &[Value]) -> Result<(Vec<Value>, Option<i32>), Box<dyn Error>> {
    let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
    let run = engraft_with(&data("decide"), ["decide", "--batch"].iter().chain(args), lines.as_bytes())?;
    let answers: Result<Vec<Value>, _> = run.text()?.lines().map(serde_json::from_str).collect();
    Ok((answers?, run.code))
}

fn express(id: &str) -> Value {
    json!({
        "key": "1", "featureId": "layout", "inExperiment": true, "hashUsed": true, "variationId": 1, "value": "express",
        "hashAttribute": "id", "hashValue": id, "stickyBucketUsed": false, "name": "Express", "bucket": 0.9749,
    })
}

#[test]
fn people_get_a_line_for_each_feature_and_experiment() -> Tested {
    let run = decide(&ADA)?;
    let lines = [
        "feature dark-mode: true (force, rule beta)",
        "feature layout: \"express\" (experiment, rule exp; variation 1 \"Express\", hash 0.9749 of id)",
        "experiment hero: variation 1, hash 0.7939 of id",
    ];
    assert_eq!(run.text()?.lines().collect::<Vec<_>>(), lines);
    assert_eq!(
        run.stderr,
        "payload.json: warning: /features/layout/rules/0 is off: `namespace` is not a list\n"
    );
    assert_eq!(run.code, Some(0));

    let run = decide(&[
        "--attributes",
        "{}",
        "--url",
        "https://shop.example/other",
        "--now",
        "2026-01-31T12:00:00Z",
    ])?;
    assert_eq!(run.text()?.lines().last(), Some("experiment hero: not in it, not for this URL"));
    Ok(())
}

#[test]
fn json_has_the_names_of_the_sdks_and_the_reasons() -> Tested {
    let json = decide(&[&ADA[..], &["--json"]].concat())?.json()?;
    let mut layout = express("u-1");
    layout["reason"] = json!("hash");
    assert_eq!(
        json["features"],
        json!({
            "dark-mode": { "value": true, "source": "force", "ruleId": "beta" },
            "layout": { "value": "express", "source": "experiment", "ruleId": "exp", "experimentResult": layout },
        })
    );
    assert_eq!(json["experiments"]["hero"]["reason"], "hash");
    assert_eq!(json["experiments"]["hero"]["featureId"], Value::Null);
    Ok(())
}

#[test]
fn the_query_chooses_variations_as_in_the_sdks() -> Tested {
    let json = decide(&["-a", r#"{"id":"u-1"}"#, "-u", "https://shop.example/?hero=0", "--json"])?.json()?;
    assert_eq!(json["experiments"]["hero"]["variationId"], 0);
    assert_eq!(json["experiments"]["hero"]["reason"], "forced by the URL's query");
    Ok(())
}

#[test]
fn a_batch_answers_each_line_with_one() -> Tested {
    let document = json!({ "attributeName": "id", "attributeValue": "u-1", "assignments": { "e__0": "1" } });
    let experiment =
        json!({ "key": "e", "variations": ["a", "b"], "meta": [{ "key": "0" }, { "key": "1" }] });
    let requests = [
        json!({ "attributes": { "id": "u-1" }, "url": "https://shop.example/", "now": 0 }),
        json!({ "condition": { "id": { "$inGroup": "beta" } }, "attributes": { "id": "u-1" } }),
        json!({ "condition": { "id": { "$inGroup": "beta" } }, "attributes": { "id": "u-1" }, "savedGroups": {} }),
        json!({ "payload": {}, "experiment": experiment, "attributes": { "id": "u-1" } }),
        json!({ "payload": {}, "experiment": experiment, "attributes": { "id": "u-1" }, "qaMode": true }),
        json!({ "payload": {}, "experiment": experiment, "attributes": { "id": "u-1" }, "forcedVariations": { "e": 1 } }),
        json!({
            "payload": {}, "experiment": experiment, "attributes": { "id": "u-1" },
            "stickyBucketAssignmentDocs": { "id||u-1": document },
        }),
    ];
    let (answers, code) = batch(&["--payload", "payload.json"], &requests)?;
    assert_eq!((answers.len(), code), (requests.len(), Some(0)));
    assert_eq!(answers[0]["features"]["layout"]["experimentResult"], express("u-1"));
    assert_eq!(answers[0]["experiments"]["hero"]["variationId"], 1);
    assert_eq!(answers[0].get("stickyBucketAssignmentDocs"), None);
    assert_eq!(answers[1..3], [json!({ "match": true }), json!({ "match": false })]);
    let results = answers[3..].iter().map(|answer| &answer["experiments"]["e"]);
    let results: Vec<_> = results
        .map(|e| (e["inExperiment"] == true, e["variationId"].as_u64(), e["stickyBucketUsed"] == true))
        .collect();
    assert_eq!(
        results,
        [(true, Some(0), false), (false, Some(0), false), (true, Some(1), false), (true, Some(1), true)]
    );
    assert_eq!(answers[6]["stickyBucketAssignmentDocs"], json!({ "id||u-1": document }));
    Ok(())
}

#[test]
fn a_request_that_cannot_be_answered_is_answered_with_an_error() -> Tested {
    let requests =
        [json!([]), json!({ "payload": [] }), json!({ "experiment": {} }), json!({ "attributes": {} })];
    let (answers, code) = batch(&[], &requests)?;
    assert_eq!(answers[1]["error"], "the payload is not an object");
    assert_eq!(answers[2]["error"], "`key` is not text");
    assert_eq!(answers[3], json!({ "features": {}, "experiments": {} }));
    assert!(answers[0]["error"].is_string());
    assert_eq!(code, Some(1));
    Ok(())
}

#[test]
fn what_is_no_payload_is_said() -> Tested {
    let run = engraft_with(&data("decide"), ["decide", "-p", "-", "-a", "{}"], b"{\"features\": {")?;
    assert_eq!(
        run.stderr,
        "<stdin>: error: the payload is no JSON: line 1, column 14: EOF while parsing an object\n"
    );
    assert_eq!((run.code, run.text()?), (Some(1), ""));
    Ok(())
}

#[test]
fn no_terminal_obeys_a_payload() -> Tested {
    let payload = r#"{"features": {"a\u001b[31m": {"defaultValue": "\u009b2J", "rules": [{"id": "\u009bx", "force": "\u007f"}]}}}"#;
    let run = engraft_with(&data("decide"), ["decide", "-p", "-", "-a", "{}"], payload.as_bytes())?;
    assert_eq!(run.text()?, "feature a\\u{1b}[31m: \"\\u{7f}\" (force, rule \\u{9b}x)\n");
    Ok(())
}

#[test]
fn wrong_usage_exits_with_2() -> Tested {
    let wrong: [&[&str]; 6] = [
        &["decide"],
        &["decide", "-p", "payload.json"],
        &["decide", "-p", "payload.json", "-a", "[]"],
        &["decide", "-p", "payload.json", "-a", "{}", "--now", "tomorrow"],
        &["decide", "-p", "payload.json", "-a", "{}", "--decryption-key", "secret"],
        &["decide", "--batch", "-p", "-"],
    ];
    for args in wrong {
        let run = engraft(&data("decide"), args)?;
        assert_eq!((run.code, run.text()?), (Some(2), ""), "{args:?}");
        assert!(!run.stderr.is_empty(), "{args:?}");
    }
    Ok(())
}

#[test]
fn a_configuration_decides_by_its_own_experiments_and_when_they_run() -> Tested {
    let decide = |more: &[&str]| {
        let args = ["decide", "--config", "shop.yaml", "--attributes", r#"{"id":"3","country":"US"}"#];
        engraft(&data("decide"), args.iter().chain(more))
    };
    let hero = "experiment hero: variation";
    for (now, last) in [
        ("2025-12-31T23:59:59Z", "experiment hero: not in it, it has not started".to_owned()),
        ("2026-01-01T00:00:00Z", format!("{hero} 0, hash 0.4458 of id")),
        ("1798761600", format!("{hero} 1, it has ended")),
    ] {
        let run = decide(&["--now", now])?;
        assert_eq!(run.text()?, format!("feature nav: \"new\" (force)\n{last}\n"), "{now}");
    }
    // Beside those of a payload.
    let both =
        decide(&["--payload", "payload.json", "--json", "--now", "2026-06-01T00:00:00+02:00"])?.json()?;
    let keys = |of: &str| both[of].as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
    assert_eq!(keys("features"), Some(["dark-mode", "layout", "nav"].map(str::to_owned).to_vec()));
    assert_eq!(both["experiments"]["hero"]["value"], "control", "the configuration's own one");
    Ok(())
}

#[test]
fn a_batch_knows_the_time_of_each_request() -> Tested {
    let request = |now: Value| json!({ "attributes": { "id": "3" }, "now": now });
    let requests =
        [request(json!("2025-01-01T00:00:00Z")), request(json!(1_780_000_000)), request(json!("soon"))];
    let (answers, code) = batch(&["--config", "shop.yaml"], &requests)?;
    let hero = |answer: &Value| answer["experiments"]["hero"]["inExperiment"].clone();
    assert_eq!((hero(&answers[0]), hero(&answers[1]), code), (json!(false), json!(true), Some(1)));
    assert_eq!(answers[2]["error"], "now: write a time such as 2026-01-31T12:00:00Z, or seconds since 1970");
    Ok(())
}

#[test]
fn a_payload_in_the_configuration_is_decided_by_as_well() -> Tested {
    let config = r#"{"version":1,"growthbook":{"payload":{"features":{"f":{"defaultValue":7}}}}}"#;
    let args = ["decide", "--config", "-", "--attributes", "{}"];
    let run = engraft_with(&data("decide"), args, config.as_bytes())?;
    assert_eq!(run.text()?, "feature f: 7 (defaultValue)\n");
    Ok(())
}
