//! An experiment of the configuration, and when it runs.

use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::period::{Period, Phase};
use crate::config::model;
use crate::decide::evaluation::Evaluation;
use crate::decide::experiment::Experiment;
use crate::decide::fields::Unreadable;
use crate::decide::payload::Payload;
use crate::decide::result::{ExperimentResult, Reason};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) experiment: Experiment,
    pub(super) period: Period,
    /// The variation that is shown once it is over.
    pub(super) winner: usize,
}

impl Trial {
    /// Runs it, if it is running.
    pub(super) fn run<'a>(
        &'a self,
        evaluation: &mut Evaluation<'a>,
        now: SystemTime,
    ) -> ExperimentResult<'a> {
        let is_forced = evaluation.forces(self.experiment.key());
        match self.period.phase(now) {
            Phase::Before if !is_forced => evaluation.not_run(&self.experiment, None, Reason::NotStarted),
            Phase::After if !is_forced => {
                evaluation.not_run(&self.experiment, Some(self.winner), Reason::Ended)
            }
            _ => evaluation.experiment(&self.experiment),
        }
    }

    /// The number of the variation of this key.
    pub(super) fn variation(&self, key: &str) -> Option<usize> {
        self.experiment.variations().iter().position(|variation| variation.as_str() == Some(key))
    }
}

/// The experiment in GrowthBook's own form, but for its condition, which is compiled strictly.
pub(super) fn experiment(
    name: &str,
    written: &model::Experiment,
    payload: &Payload,
) -> Result<Experiment, Unreadable> {
    let index = |key: &String| written.variations.iter().position(|variation| variation == key);
    let meta: Vec<Value> = written.variations.iter().map(|key| json!({ "key": key })).collect();
    let parents = written.parent_conditions.iter();
    let parents = parents.map(|parent| json!({ "id": parent.flag, "condition": parent.condition }));
    let namespace = written.namespace.as_ref();
    let namespace = namespace.map(|part| json!([part.name, part.range.0, part.range.1]));
    let members = [
        ("key", Some(json!(name))),
        ("variations", Some(json!(written.variations))),
        ("meta", Some(json!(meta))),
        ("weights", written.weights.as_ref().map(|weights| json!(weights))),
        ("coverage", written.coverage.map(|coverage| json!(coverage))),
        ("hashAttribute", written.hash_attribute.as_ref().map(|name| json!(name))),
        ("fallbackAttribute", written.fallback_attribute.as_ref().map(|name| json!(name))),
        ("hashVersion", Some(json!(written.hash_version.unwrap_or(2)))),
        ("seed", written.seed.as_ref().map(|seed| json!(seed))),
        ("namespace", namespace),
        ("parentConditions", Some(Value::Array(parents.collect()))),
        ("force", written.force.as_ref().and_then(index).map(|index| json!(index))),
        ("active", written.active.map(|active| json!(active))),
        ("disableStickyBucketing", Some(json!(written.disable_sticky_bucketing))),
        ("bucketVersion", written.bucket_version.map(|version| json!(version))),
        ("minBucketVersion", written.min_bucket_version.map(|version| json!(version))),
    ];
    let members = members.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?)));
    Experiment::compile(&Value::Object(members.collect::<Map<_, _>>()), payload)
}
