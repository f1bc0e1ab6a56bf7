//! Features: what a payload says of them, compiled, and how their rules are gone through (`evalFeature` of the
//! JavaScript SDK).

mod rule;

use serde_json::Value;

use super::evaluation::{Evaluation, Parent};
#[cfg(doc)]
use super::experiment::Experiment;
use super::filter;
use super::identity::{self, Identity};
use super::prerequisite::{MAX_CYCLIC_EVALUATIONS, MAX_DEPTH};
use super::result::{FeatureResult, Source};
use rule::{Action, Force, Rule};

/// A feature and its rules.
#[derive(Debug, Clone)]
pub struct Feature {
    pub(crate) key: Box<str>,
    default: Value,
    rules: Box<[Rule]>,
    /// What it waits for.
    pub(crate) depth: Depth,
}

/// How many features have to be decided before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// As many, one after the other.
    Steps(usize),
    /// Some of them wait for themselves.
    Cyclic,
}

impl Feature {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The features whose values its rules ask for, by their places in the payload.
    pub(crate) fn parents(&self) -> impl Iterator<Item = usize> {
        self.rules.iter().flat_map(|rule| rule.parents.iter().filter_map(|parent| parent.feature))
    }

    /// The attributes that its own rules read, as [`Experiment::reads`].
    pub fn reads(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(Rule::reads)
    }

    /// The attributes that its experiments hash by.
    pub(crate) fn hash_attributes(&self) -> impl Iterator<Item = &str> {
        self.rules
            .iter()
            .filter_map(|rule| match &rule.action {
                Action::Experiment(experiment) => Some(experiment.hash_attributes()),
                Action::Force(_) | Action::Nothing => None,
            })
            .flatten()
    }
}

impl<'a> Evaluation<'a> {
    /// Decides about a feature.
    pub fn feature(&mut self, key: &str) -> FeatureResult<'a> {
        self.start();
        match self.payload.feature_index(key) {
            Some(index) => self.decide(index),
            None => result(&identity::NULL, Source::UnknownFeature),
        }
    }

    /// A feature that something depends on.
    pub(in crate::decide) fn parent(&mut self, feature: Option<usize>) -> Parent<'a> {
        let Some(index) = feature else { return Parent { value: &identity::NULL, cyclic: false } };
        if let Some(known) = self.parents.get(&index) {
            return *known;
        }
        let before = self.assignments;
        let result = self.decide(index);
        let parent = Parent { value: result.value, cyclic: result.source == Source::CyclicPrerequisite };
        // In a cycle the value depends on where one came in.
        let feature = self.payload.features.get(index);
        if feature.is_some_and(|feature| feature.depth != Depth::Cyclic) && self.still_knows(before) {
            self.parents.insert(index, parent);
        }
        parent
    }

    fn decide(&mut self, index: usize) -> FeatureResult<'a> {
        let cyclic = result(&identity::NULL, Source::CyclicPrerequisite);
        let Some(feature) = self.payload.features.get(index) else {
            return result(&identity::NULL, Source::UnknownFeature);
        };
        match feature.depth {
            Depth::Steps(steps) if steps > MAX_DEPTH => return cyclic,
            Depth::Steps(_) => {}
            Depth::Cyclic => {
                self.cyclic_evaluations = self.cyclic_evaluations.saturating_add(1);
                if self.path.contains(&index)
                    || self.path.len() >= MAX_DEPTH
                    || self.cyclic_evaluations > MAX_CYCLIC_EVALUATIONS
                {
                    return cyclic;
                }
            }
        }
        self.path.push(index);
        let mut decided = None;
        for rule in &feature.rules {
            decided = self.rule(feature, rule);
            if decided.is_some() {
                break;
            }
        }
        self.path.pop();
        decided.unwrap_or_else(|| result(&feature.default, Source::DefaultValue))
    }

    /// `None` where the next rule is to be looked at.
    fn rule(&mut self, feature: &'a Feature, rule: &'a Rule) -> Option<FeatureResult<'a>> {
        for prerequisite in &rule.parents {
            let parent = self.parent(prerequisite.feature);
            if parent.cyclic {
                return Some(result(&identity::NULL, Source::CyclicPrerequisite));
            }
            if !prerequisite.holds(parent.value) {
                if prerequisite.gate {
                    return Some(result(&identity::NULL, Source::Prerequisite));
                }
                return None;
            }
        }
        let attributes = self.visitor.attributes;
        if rule.filters.as_ref().is_some_and(|filters| !filter::pass(filters, attributes)) {
            return None;
        }
        match &rule.action {
            Action::Force(force) if self.applies(force) => {
                self.track(&force.tracks);
                Some(FeatureResult { rule_id: &rule.id, ..result(&force.value, Source::Force) })
            }
            Action::Experiment(experiment) => {
                let run = self.run(experiment, Some(&feature.key));
                if !run.in_experiment || run.passthrough {
                    return None;
                }
                let value = result(run.value, Source::Experiment);
                Some(FeatureResult {
                    rule_id: &rule.id,
                    experiment_result: Some(run),
                    experiment_key: Some(&experiment.key),
                    ..value
                })
            }
            Action::Force(_) | Action::Nothing => None,
        }
    }

    fn applies(&self, force: &Force) -> bool {
        let attributes = self.visitor.attributes;
        if force.condition.as_ref().is_some_and(|condition| !condition.eval(attributes, self.groups)) {
            return false;
        }
        let Some(rollout) = &force.rollout else { return true };
        let sticky = self.sticky.is_some() && !rollout.sticky_disabled;
        let fallback = rollout.fallback_attribute.as_deref().filter(|_| sticky);
        let identity = Identity::of(attributes, &rollout.hash_attribute, fallback);
        identity.text().is_some_and(|value| rollout.includes(&value))
    }
}

fn result<'a>(value: &'a Value, source: Source) -> FeatureResult<'a> {
    FeatureResult { value, source, rule_id: "", experiment_result: None, experiment_key: None }
}
