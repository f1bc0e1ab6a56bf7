//! The rules of a feature.

use serde_json::Value;

use super::{Depth, Feature};
use crate::decide::bucket::Range;
use crate::decide::condition::{Condition, coercion};
use crate::decide::experiment::Experiment;
use crate::decide::fields::{Fields, Unreadable, range};
use crate::decide::filter::Filter;
use crate::decide::hash::HashVersion;
use crate::decide::identity;
use crate::decide::payload::Scope;
use crate::decide::prerequisite::Prerequisite;

#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) id: Box<str>,
    pub(super) parents: Box<[Prerequisite]>,
    pub(super) filters: Option<Box<[Filter]>>,
    pub(super) action: Action,
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    Force(Box<Force>),
    Experiment(Box<Experiment>),
    /// A rule that only asks for other features.
    Nothing,
}

/// A value for everybody, or a part of them.
#[derive(Debug, Clone)]
pub(super) struct Force {
    pub(super) value: Value,
    pub(super) condition: Option<Condition>,
    pub(super) rollout: Option<Rollout>,
    pub(super) tracks: Box<[Value]>,
}

/// Which part of them.
#[derive(Debug, Clone)]
pub(super) struct Rollout {
    pub(super) hash_attribute: Box<str>,
    pub(super) fallback_attribute: Option<Box<str>>,
    pub(super) sticky_disabled: bool,
    seed: Box<str>,
    hash_version: Option<HashVersion>,
    part: Part,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Range(Range),
    /// From zero on, this one included.
    Coverage(f64),
    Nobody,
}

impl Force {
    fn reads(&self) -> impl Iterator<Item = &str> {
        let hash = self.rollout.iter().map(|rollout| &*rollout.hash_attribute);
        let fallback = self.rollout.iter().filter_map(|rollout| rollout.fallback_attribute.as_deref());
        hash.chain(fallback).chain(self.condition.iter().flat_map(Condition::attributes))
    }
}

impl Rollout {
    pub(super) fn includes(&self, value: &str) -> bool {
        let Some(version) = self.hash_version else { return false };
        let hash = version.hash(&self.seed, value);
        match self.part {
            Part::Range(range) => range.contains(hash),
            Part::Coverage(coverage) => hash <= coverage,
            Part::Nobody => false,
        }
    }

    fn read(fields: Fields<'_>, feature: &str) -> Result<Option<Self>, Unreadable> {
        let part = match (fields.truthy("range"), fields.any("coverage")) {
            // What isn't a range has no numbers in it.
            (Some(value), _) => range(value).map_or(Part::Nobody, Part::Range),
            (None, Some(Value::Number(coverage))) if coercion::float(coverage) == 0.0 => Part::Nobody,
            (None, Some(coverage)) => Part::Coverage(coercion::number(coverage)),
            (None, None) => return Ok(None),
        };
        Ok(Some(Self {
            hash_attribute: fields.text("hashAttribute")?.unwrap_or(identity::DEFAULT).into(),
            fallback_attribute: fields.owned("fallbackAttribute")?,
            sticky_disabled: fields.is("disableStickyBucketing"),
            seed: fields.text("seed")?.unwrap_or(feature).into(),
            hash_version: fields.hash_version(HashVersion::V1),
            part,
        }))
    }
}

impl Rule {
    /// The attributes that it reads, apart from those of the features that it depends on.
    pub(super) fn reads(&self) -> impl Iterator<Item = &str> {
        let filters = self.filters.iter().flatten().map(|filter| &*filter.attribute);
        let (force, experiment) = match &self.action {
            Action::Force(force) => (Some(force), None),
            Action::Experiment(experiment) => (None, Some(experiment)),
            Action::Nothing => (None, None),
        };
        let force = force.into_iter().flat_map(|force| force.reads());
        let experiment = experiment.into_iter().flat_map(|experiment| experiment.reads());
        filters.chain(force).chain(experiment)
    }

    fn read(value: &Value, feature: &str, scope: &Scope<'_>) -> Result<Self, Unreadable> {
        let fields = Fields::of(value, "rules")?;
        Ok(Self {
            id: fields.any("id").and_then(Value::as_str).unwrap_or_default().into(),
            parents: Prerequisite::read(fields, scope)?,
            filters: fields.filters()?,
            action: Action::read(fields, feature, scope)?,
        })
    }
}

impl Action {
    fn read(fields: Fields<'_>, feature: &str, scope: &Scope<'_>) -> Result<Self, Unreadable> {
        if let Some(value) = fields.any("force") {
            return Ok(Self::Force(Box::new(Force {
                value: value.clone(),
                condition: fields.condition(),
                rollout: Rollout::read(fields, feature)?,
                tracks: fields.list("tracks")?.unwrap_or_default().into(),
            })));
        }
        // Those of contextual bandits have another name, so that SDKs that don't know them pass over the rule.
        let contextual = fields.any("contextualVariations").is_some_and(|value| !value.is_null());
        let variations = fields.list(if contextual { "contextualVariations" } else { "variations" })?;
        let Some(variations) = variations else { return Ok(Self::Nothing) };
        Ok(Self::Experiment(Box::new(Experiment::of_rule(fields, feature, variations, scope)?)))
    }
}

impl Feature {
    /// Reads a feature. A rule that can't be read is left out, and `report` told its number and why.
    pub(crate) fn read(
        key: &str,
        value: &Value,
        scope: &Scope<'_>,
        report: &mut dyn FnMut(usize, Unreadable),
    ) -> Self {
        let rules = value.get("rules").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let read = rules.iter().enumerate().filter_map(|(index, rule)| {
            Rule::read(rule, key, scope).map_err(|unreadable| report(index, unreadable)).ok()
        });
        Self {
            key: key.into(),
            default: value.get("defaultValue").cloned().unwrap_or_default(),
            rules: read.collect(),
            depth: Depth::Cyclic,
        }
    }
}
