//! Cases that decide about features and experiments.

use std::collections::BTreeMap;

use engraft::decide::decrypt::DecryptionKey;
use engraft::decide::evaluation::Evaluation;
use engraft::decide::experiment::Experiment;
use engraft::decide::payload::Payload;
use engraft::decide::sticky::{StickyBuckets, StickyDocument};
use engraft::decide::visitor::Visitor;
use serde_json::{Map, Value, json};

use crate::Tested;
use crate::cases::same;

/// A payload: read as it comes over the network, in pieces, and compiled at once, which must be the same.
pub(crate) fn payload(value: &Value, key: Option<&DecryptionKey>) -> Result<Payload, String> {
    let read = Payload::read(value.to_string().as_bytes(), key).map_err(|error| error.to_string())?;
    let whole = Payload::decrypt(value.clone(), key).map_err(|error| error.to_string())?;
    same(json!(format!("{read:?}")), &json!(format!("{whole:?}")))?;
    Ok(read)
}

/// A case's context: what an SDK is created with.
struct Context {
    payload: Payload,
    attributes: Value,
    url: String,
    forced: BTreeMap<String, i64>,
    qa_mode: bool,
    enabled: bool,
}

impl Context {
    fn of(context: &Value) -> Result<Self, String> {
        let forced = context["forcedVariations"].as_object().into_iter().flatten();
        Ok(Self {
            payload: payload(context, None)?,
            attributes: context.get("attributes").cloned().unwrap_or_else(|| json!({})),
            url: context["url"].as_str().unwrap_or_default().to_owned(),
            forced: forced.filter_map(|(key, value)| Some((key.clone(), value.as_i64()?))).collect(),
            qa_mode: context["qaMode"] == true,
            enabled: context["enabled"] != false,
        })
    }

    fn evaluation(&self) -> Evaluation<'_> {
        let mut visitor = Visitor::new(&self.attributes, &self.url);
        visitor.forced_variations = Some(&self.forced);
        visitor.qa_mode = self.qa_mode;
        visitor.enabled = self.enabled;
        visitor.query_override = true;
        Evaluation::new(&self.payload, visitor)
    }
}

/// `[name, context, key, result]`. The result's experiment is what the rule says; what was made of it shows in what it
/// decides, so of the experiment itself only the key is compared.
pub(crate) fn feature(case: &Value) -> Tested {
    let context = Context::of(&case[1])?;
    let mut evaluation = context.evaluation();
    let result = evaluation.feature(case[2].as_str().unwrap_or_default());
    let mut got = json!(result);
    got["on"] = json!(result.is_on());
    got["off"] = json!(!result.is_on());
    let mut expected = case[3].clone();
    let experiment = expected.as_object_mut().and_then(|expected| expected.remove("experiment"));
    same(got, &expected)?;
    match (experiment, evaluation.exposures().last()) {
        (Some(experiment), Some(exposure)) => same(json!(exposure.experiment.key()), &experiment["key"]),
        _ => Ok(()),
    }
}

/// `[name, context, experiment, value, in experiment, hash used]`
pub(crate) fn run(case: &Value) -> Tested {
    let context = Context::of(&case[1])?;
    let experiment = Experiment::compile(&case[2], &context.payload).map_err(|error| error.to_string())?;
    let mut evaluation = context.evaluation();
    let result = evaluation.experiment(&experiment);
    same(json!([result.value, result.in_experiment, result.hash_used]), &json!([case[3], case[4], case[5]]))
}

/// `[name, context, stored documents, feature key, experiment result or null, documents]`. Of what is stored an SDK loads the
/// documents of the visitor's own attributes.
pub(crate) fn sticky_bucket(case: &Value) -> Tested {
    let context = Context::of(&case[1])?;
    let stored: Vec<StickyDocument> =
        serde_json::from_value(case[2].clone()).map_err(|error| error.to_string())?;
    let wanted = context.payload.sticky_attributes();
    let own = stored.into_iter().filter(|document| {
        wanted.contains(document.attribute_name.as_str())
            && context.attributes[&document.attribute_name] == document.attribute_value
    });
    let given = case[1]["stickyBucketAssignmentDocs"].as_object().into_iter().flatten();
    let given = given.filter_map(|(_, document)| serde_json::from_value(document.clone()).ok());
    let buckets: StickyBuckets = given.chain(own).collect();
    let mut evaluation = context.evaluation().with_sticky_buckets(buckets);
    let result = evaluation.feature(case[3].as_str().unwrap_or_default());
    same(json!(result.experiment_result), &case[4])?;
    let documents = evaluation.sticky_buckets().map(StickyBuckets::documents);
    same(json!(documents), &case[5])
}

/// `[name, context, redirects]`: of the experiments that a page runs by itself, those that lead somewhere.
pub(crate) fn url_redirect(case: &Value) -> Tested {
    let context = Context::of(&case[1])?;
    let mut evaluation = context.evaluation();
    let ran = evaluation.auto_experiments();
    let redirects = ran.iter().filter(|ran| ran.redirect.is_some()).map(|ran| {
        let mut members = Map::new();
        members.insert("inExperiment".to_owned(), json!(ran.result.in_experiment));
        members.insert("urlRedirect".to_owned(), ran.result.value["urlRedirect"].clone());
        members.insert("urlWithParams".to_owned(), json!(ran.redirect));
        Value::Object(members)
    });
    same(redirects.collect(), &case[2])
}
