//! `engraft decide`: what a visitor sees of a GrowthBook payload.
//!
//! It is there to be compared with another implementation, case by case, so it prints what that one calls its results, and
//! a batch costs one process.

pub(crate) mod args;
mod batch;
mod text;

use std::collections::BTreeMap;

use engraft::decide::evaluation::Evaluation;
use engraft::decide::payload::Payload;
use engraft::decide::result::{ExperimentResult, FeatureResult};
use engraft::decide::sticky::{StickyBuckets, StickyDocument};
use engraft::decide::visitor::Visitor;
use serde::Serialize;
use serde_json::Value;

use crate::failure::{Failure, Verdict};
use crate::input::Input;
use crate::output;
use args::Decide;

pub(crate) fn run(args: &Decide) -> Result<Verdict, Failure> {
    if args.batch && args.payload == Some(Input::Stdin) {
        return Err(Failure::StdinTwice { first: "--payload", second: "--batch" });
    }
    let payload = match &args.payload {
        Some(input) => match Payload::read(&input.read()?, args.decryption_key.as_ref()) {
            Ok(payload) => payload,
            Err(error) => {
                let name = input.name();
                output::to_stderr(|out, palette| {
                    let style = palette.error;
                    writeln!(out, "{name}: {style}error:{style:#} {error}")
                })?;
                return Ok(Verdict::Problems);
            }
        },
        None => Payload::default(),
    };
    if args.batch {
        return batch::run(&payload, args.decryption_key.as_ref());
    }
    let name = args.payload.as_ref().map(Input::name).unwrap_or_default();
    output::to_stderr(|out, palette| text::write_switched_off(out, palette, &name, &payload))?;
    let attributes = args.attributes.clone().unwrap_or_default();
    let mut visitor = Visitor::new(&attributes, &args.url);
    visitor.query_override = true;
    let mut evaluation = Evaluation::new(&payload, visitor);
    let decisions = Decisions::of(&payload, &mut evaluation);
    output::to_stdout(|out, palette| {
        if args.json {
            output::json(out, &decisions.explained())
        } else {
            text::write(out, palette, &payload, &decisions)
        }
    })?;
    Ok(Verdict::Fine)
}

/// Everything that is decided for a visitor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Decisions<'a> {
    features: BTreeMap<&'a str, FeatureResult<'a>>,
    experiments: BTreeMap<&'a str, ExperimentResult<'a>>,
    /// Of a visitor who has sticky buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    sticky_bucket_assignment_docs: Option<BTreeMap<String, StickyDocument>>,
}

impl<'a> Decisions<'a> {
    /// Each of the payload's, by key. Experiments are run by themselves, not as a page runs them, where a redirect ends it.
    fn of(payload: &'a Payload, evaluation: &mut Evaluation<'a>) -> Self {
        let features = payload.features().iter();
        let features = features.map(|feature| (feature.key(), evaluation.feature(feature.key()))).collect();
        let experiments = payload.experiments().iter();
        let experiments =
            experiments.map(|experiment| (experiment.key(), evaluation.experiment(experiment))).collect();
        let documents = evaluation.sticky_buckets().map(StickyBuckets::documents).cloned();
        Self { features, experiments, sticky_bucket_assignment_docs: documents }
    }

    /// With the reasons, which are not among GrowthBook's fields.
    fn explained(&self) -> Value {
        let mut json = serde_json::to_value(self).unwrap_or_default();
        let mut explain = |at: &str, result: &ExperimentResult<'_>| {
            if let Some(Value::Object(members)) = json.pointer_mut(at) {
                members.insert("reason".to_owned(), result.reason.name().into());
            }
        };
        for (key, result) in &self.experiments {
            explain(&format!("/experiments/{}", pointer(key)), result);
        }
        for (key, result) in &self.features {
            if let Some(result) = &result.experiment_result {
                explain(&format!("/features/{}/experimentResult", pointer(key)), result);
            }
        }
        json
    }
}

fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
