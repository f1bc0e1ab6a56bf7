//! `engraft decide`: what a visitor sees of a GrowthBook payload.
//!
//! It is there to be compared with another implementation, case by case, so it prints what that one calls its results, and
//! a batch costs one process.

pub(crate) mod args;
mod batch;
mod text;

use std::collections::BTreeMap;
use std::time::SystemTime;

use engraft::decide::evaluation::Evaluation;
use engraft::decide::payload::Payload;
use engraft::decide::result::{ExperimentResult, FeatureResult};
use engraft::decide::sticky::{StickyBuckets, StickyDocument};
use engraft::decide::visitor::Visitor;
use engraft::engine::Engine;
use serde::Serialize;
use serde_json::Value;

use crate::exchange::rules;
use crate::failure::{Failure, Verdict};
use crate::input::Input;
use crate::{input, output, time};
use args::Decide;

/// What decisions are made by: a configuration's own experiments and flags, and behind them a payload.
#[derive(Debug)]
struct Rules {
    engine: Option<Engine>,
    payload: Payload,
}

pub(crate) fn run(args: &Decide) -> Result<Verdict, Failure> {
    let requests = args.batch.then_some(&Input::Stdin);
    input::check(&[
        ("--config", args.config.as_ref()),
        ("--payload", args.payload.as_ref()),
        ("--batch", requests),
    ])?;
    let Some(rules) = Rules::read(args)? else { return Ok(Verdict::Problems) };
    if args.batch {
        return batch::run(&rules, args.decryption_key.as_ref());
    }
    let name = args.payload.as_ref().map(Input::name).unwrap_or_default();
    output::to_stderr(|out, palette| text::write_switched_off(out, palette, &name, &rules.payload))?;
    let attributes = args.attributes.clone().unwrap_or_default();
    let mut visitor = Visitor::new(&attributes, &args.url);
    visitor.query_override = true;
    let now = args.now.unwrap_or_else(time::now);
    let decisions = rules.decide(&rules.payload, now, |payload| Evaluation::new(payload, visitor.clone()));
    output::to_stdout(|out, palette| {
        if args.json {
            output::json(out, &decisions.explained())
        } else {
            text::write(out, palette, &rules.payload, &decisions)
        }
    })?;
    Ok(Verdict::Fine)
}

impl Rules {
    /// Reads what is named; `None`, with what is wrong on standard error, where that can't be used.
    fn read(args: &Decide) -> Result<Option<Self>, Failure> {
        let engine = match &args.config {
            None => None,
            Some(input) => match rules::engine(&input.name(), &input.read()?)? {
                None => return Ok(None),
                engine => engine,
            },
        };
        let Some(input) = &args.payload else {
            let own = engine.as_ref().and_then(|engine| engine.growthbook()?.live());
            let payload = own.map(|live| live.payload().clone()).unwrap_or_default();
            return Ok(Some(Self { engine, payload }));
        };
        match Payload::read(&input.read()?, args.decryption_key.as_ref()) {
            Ok(payload) => Ok(Some(Self { engine, payload })),
            Err(error) => {
                output::to_stderr(|out, palette| output::refused(out, palette, &input.name(), &error))?;
                Ok(None)
            }
        }
    }

    /// Decides everything; what the configuration and the payload both have is the configuration's.
    fn decide<'a>(
        &'a self,
        payload: &'a Payload,
        now: SystemTime,
        evaluation: impl Fn(&'a Payload) -> Evaluation<'a>,
    ) -> Decisions<'a> {
        let mut decisions = Decisions::of(payload, &mut evaluation(payload));
        let Some(own) = self.engine.as_ref().map(Engine::decisions) else { return decisions };
        let mut evaluation = evaluation(own.payload());
        let Decisions { features, .. } = Decisions::of(own.payload(), &mut evaluation);
        decisions.features.extend(features);
        decisions.experiments.extend(own.run(&mut evaluation, now));
        decisions
    }
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
