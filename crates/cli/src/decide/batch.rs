//! Requests from standard input, one a line.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _};
use std::time::SystemTime;

use engraft::decide::condition::{Condition, SavedGroups};
use engraft::decide::decrypt::DecryptionKey;
use engraft::decide::evaluation::Evaluation;
use engraft::decide::experiment::Experiment;
use engraft::decide::payload::Payload;
use engraft::decide::sticky::{StickyBuckets, StickyDocument};
use engraft::decide::visitor::Visitor;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Rules;
use crate::failure::{Failure, Verdict};
use crate::input::Input;
use crate::{output, time};

/// One line. Other members are passed over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Request {
    payload: Option<Value>,
    attributes: Map<String, Value>,
    url: String,
    now: Option<Value>,
    forced_variations: Map<String, Value>,
    qa_mode: bool,
    enabled: bool,
    saved_groups: Option<Map<String, Value>>,
    sticky_bucket_assignment_docs: Option<BTreeMap<String, StickyDocument>>,
    decryption_key: Option<String>,
    condition: Option<Value>,
    experiment: Option<Value>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            payload: None,
            attributes: Map::new(),
            url: String::new(),
            now: None,
            forced_variations: Map::new(),
            qa_mode: false,
            enabled: true,
            saved_groups: None,
            sticky_bucket_assignment_docs: None,
            decryption_key: None,
            condition: None,
            experiment: None,
        }
    }
}

/// Answers each line as it comes. A request that can't be answered is answered with `{"error": …}`.
pub(super) fn run(rules: &Rules, key: Option<&DecryptionKey>) -> Result<Verdict, Failure> {
    let mut verdict = Verdict::Fine;
    let mut unread = None;
    output::to_stdout(|out, _| {
        for line in io::stdin().lock().lines() {
            let line = match line {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => line,
                Err(error) => {
                    unread = Some(error);
                    return Ok(());
                }
            };
            let answer = answer(&line, rules, key).unwrap_or_else(|error| {
                verdict = Verdict::Problems;
                json!({ "error": error }).to_string()
            });
            writeln!(out, "{answer}")?;
        }
        Ok(())
    })?;
    match unread {
        Some(source) => Err(Failure::Read { name: Input::Stdin.name(), source }),
        None => Ok(verdict),
    }
}

fn answer(line: &str, rules: &Rules, key: Option<&DecryptionKey>) -> Result<String, String> {
    let object: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let request: Request = serde_json::from_value(object.into()).map_err(|error| error.to_string())?;
    let groups = request.saved_groups.as_ref().map(SavedGroups::new);
    let attributes = Value::Object(request.attributes);
    if let Some(condition) = &request.condition {
        let condition = Condition::compile_lenient(condition);
        let groups = groups.as_ref().unwrap_or_else(|| rules.payload.saved_groups());
        let matches = condition.eval(&attributes, groups);
        return Ok(json!({ "match": matches }).to_string());
    }
    let own_key = request.decryption_key.as_deref().map(DecryptionKey::parse).transpose();
    let own_key = own_key.map_err(|error| error.to_string())?;
    let own = request.payload.map(|payload| Payload::decrypt(payload, own_key.as_ref().or(key)));
    let own = own.transpose().map_err(|error| error.to_string())?;
    let payload = own.as_ref().unwrap_or(&rules.payload);
    let now = request.now.as_ref().map(moment).transpose()?.unwrap_or_else(time::now);

    let forced: BTreeMap<String, i64> =
        request.forced_variations.into_iter().map(|(key, value)| (key, variation(&value))).collect();
    let mut visitor = Visitor::new(&attributes, &request.url);
    visitor.forced_variations = Some(&forced);
    visitor.qa_mode = request.qa_mode;
    visitor.enabled = request.enabled;
    visitor.query_override = true;
    let documents = request.sticky_bucket_assignment_docs;
    let evaluation = |payload| {
        let mut evaluation = Evaluation::new(payload, visitor.clone());
        if let Some(groups) = &groups {
            evaluation = evaluation.with_saved_groups(groups);
        }
        match &documents {
            Some(documents) => evaluation.with_sticky_buckets(documents.values().cloned().collect()),
            None => evaluation,
        }
    };
    let experiment = request.experiment.as_ref().map(|experiment| Experiment::compile(experiment, payload));
    let experiment = experiment.transpose().map_err(|error| error.to_string())?;
    let mut decisions = rules.decide(payload, now, evaluation);
    if let Some(experiment) = &experiment {
        // By itself: what the payload's own experiments assign must not show in it.
        let mut evaluation = evaluation(payload);
        decisions.experiments.insert(experiment.key(), evaluation.experiment(experiment));
        let buckets = evaluation.sticky_buckets().map(StickyBuckets::documents);
        decisions.sticky_bucket_assignment_docs = buckets.cloned();
    }
    serde_json::to_string(&decisions).map_err(|error| error.to_string())
}

/// A time, as text or as seconds since 1970.
fn moment(value: &Value) -> Result<SystemTime, String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    time::parse(&text).map_err(|error| format!("now: {error}"))
}

/// A variation's number; what isn't one is no variation.
fn variation(value: &Value) -> i64 {
    value.as_i64().unwrap_or(-1)
}
