//! Running an experiment: the steps of the SDK's `runExperiment`, in its order.

use std::borrow::Cow;

use super::Experiment;
use crate::decide::bandit::{BanditLeaf, Leaf};
use crate::decide::bucket;
use crate::decide::evaluation::{Evaluation, Exposure};
use crate::decide::filter;
use crate::decide::identity::{self, Identity};
use crate::decide::query_override::query_override;
use crate::decide::result::{ExperimentResult, Reason};
use crate::decide::sticky::Stored;

/// What the steps before the hash have found out.
enum Decided {
    /// Out, or forced.
    Early(Option<usize>, Reason),
    Go,
}

impl<'a> Evaluation<'a> {
    /// Runs an experiment, as the SDK's `run` does.
    pub fn experiment(&mut self, experiment: &'a Experiment) -> ExperimentResult<'a> {
        self.start();
        self.run(experiment, None)
    }

    /// What an experiment shows that is not run now: a variation for everybody, or the first one.
    pub(crate) fn not_run(
        &self,
        experiment: &'a Experiment,
        variation: Option<usize>,
        reason: Reason,
    ) -> ExperimentResult<'a> {
        let identity = Identity::of(self.visitor.attributes, &experiment.hash_attribute, None);
        Outcome { experiment, identity, feature: None }.without_hash(variation, reason)
    }

    pub(in crate::decide) fn run(
        &mut self,
        experiment: &'a Experiment,
        feature: Option<&'a str>,
    ) -> ExperimentResult<'a> {
        let sticky = self.sticky.is_some() && !experiment.sticky.disabled;
        let fallback = experiment.fallback_attribute.as_deref().filter(|_| sticky);
        let identity = Identity::of(self.visitor.attributes, &experiment.hash_attribute, fallback);
        let of = Outcome { experiment, identity, feature };

        if let Decided::Early(variation, reason) = self.forced(experiment) {
            return of.without_hash(variation, reason);
        }
        let Some(value) = identity.text() else { return of.without_hash(None, Reason::NoHashAttribute) };
        let stored = match &self.sticky {
            Some(buckets) if sticky => buckets.stored(experiment, self.visitor.attributes),
            _ => Stored::Nothing,
        };
        if !matches!(stored, Stored::Variation(_))
            && let Some(reason) = self.excluded(experiment, &value)
        {
            return of.without_hash(None, reason);
        }
        if let Some(pattern) = &experiment.url {
            let url = self.visitor.url.text();
            let found = pattern.as_ref().is_some_and(|pattern| {
                !url.is_empty() && (pattern.is_match(url) || pattern.is_match(path_only(url)))
            });
            if !found {
                return of.without_hash(None, Reason::Url);
            }
        }
        let Some(version) = experiment.hash_version else {
            return of.without_hash(None, Reason::HashVersion);
        };
        let hash = version.hash(&experiment.seed, &value);
        let leaf = experiment.bandit.as_ref().map(|bandit| bandit.leaf(self.visitor.attributes, self.groups));
        let assigned = match stored {
            Stored::Variation(variation) => Some(variation),
            Stored::Nothing | Stored::Blocked => {
                bucket::choose(hash, leaf.map_or(&experiment.ranges, |leaf| &leaf.ranges))
            }
        };
        let early = if stored == Stored::Blocked {
            Some((None, Reason::StickyBlocked))
        } else if assigned.is_none() {
            Some((None, Reason::Coverage))
        } else if let Some(variation) = experiment.force {
            Some((variation, Reason::ForcedByExperiment))
        } else if self.visitor.qa_mode {
            Some((None, Reason::QaMode))
        } else if experiment.stopped {
            Some((None, Reason::Stopped))
        } else {
            None
        };
        if let Some((variation, reason)) = early {
            let blocked = reason == Reason::StickyBlocked;
            return ExperimentResult { sticky_bucket_used: blocked, ..of.without_hash(variation, reason) };
        }
        let result = of.with_hash(assigned, hash, matches!(stored, Stored::Variation(_)), leaf);
        if let Some(buckets) = self.sticky.as_mut().filter(|_| sticky)
            && buckets.assign(identity, &experiment.sticky.assignment, &result.key)
        {
            self.forget_parents();
        }
        self.expose(Exposure { experiment, result: result.clone() });
        result
    }

    /// Steps 1 to 5: what is looked at before the visitor is.
    fn forced(&self, experiment: &Experiment) -> Decided {
        let count = experiment.variations.len();
        if count < 2 {
            return Decided::Early(None, Reason::TooFewVariations);
        }
        if !self.visitor.enabled {
            return Decided::Early(None, Reason::Disabled);
        }
        if experiment.targets.as_ref().is_some_and(|targets| !targets.include(&self.visitor.url)) {
            return Decided::Early(None, Reason::UrlTargeting);
        }
        let query = self.visitor.url.text();
        let chosen = self.visitor.query_override.then(|| query_override(&experiment.key, query, count));
        if let Some(variation) = chosen.flatten() {
            return Decided::Early(Some(variation), Reason::QueryOverride);
        }
        let forced = self.visitor.forced_variations.and_then(|forced| forced.get(&*experiment.key));
        if let Some(variation) = forced {
            return Decided::Early(usize::try_from(*variation).ok(), Reason::ForcedForVisitor);
        }
        if experiment.inactive {
            return Decided::Early(None, Reason::Inactive);
        }
        Decided::Go
    }

    /// Steps 7 and 8, which those are spared who have a sticky bucket.
    fn excluded(&mut self, experiment: &'a Experiment, value: &str) -> Option<Reason> {
        let attributes = self.visitor.attributes;
        match (&experiment.filters, &experiment.namespace) {
            (Some(filters), _) if !filter::pass(filters, attributes) => return Some(Reason::Filters),
            (None, Some(namespace)) if !namespace.includes(value) => return Some(Reason::Namespace),
            _ => {}
        }
        if experiment.condition.as_ref().is_some_and(|condition| !condition.eval(attributes, self.groups)) {
            return Some(Reason::Condition);
        }
        for parent in &experiment.parents {
            let feature = self.parent(parent.feature);
            if feature.cyclic || !parent.holds(feature.value) {
                return Some(Reason::Prerequisite);
            }
        }
        experiment.groups.then_some(Reason::Groups)
    }
}

/// What a result is made of besides what was decided.
struct Outcome<'a> {
    experiment: &'a Experiment,
    identity: Identity<'a>,
    feature: Option<&'a str>,
}

impl<'a> Outcome<'a> {
    fn without_hash(&self, variation: Option<usize>, reason: Reason) -> ExperimentResult<'a> {
        let experiment = self.experiment;
        // A variation that there isn't is the first one, of which the visitor is no part.
        let variation = variation.filter(|variation| *variation < experiment.variations.len());
        let index = variation.unwrap_or(0);
        let meta = experiment.meta.get(index);
        ExperimentResult {
            key: experiment.key_of(index),
            feature_id: self.feature,
            in_experiment: variation.is_some(),
            hash_used: false,
            variation_id: index,
            value: experiment.variations.get(index).unwrap_or(&identity::NULL),
            hash_attribute: self.identity.attribute,
            hash_value: self.identity.value(),
            sticky_bucket_used: false,
            name: meta.and_then(|meta| meta.name.as_deref()),
            bucket: None,
            passthrough: meta.is_some_and(|meta| meta.passthrough),
            leaf: None,
            reason,
        }
    }

    fn with_hash(
        &self,
        variation: Option<usize>,
        hash: f64,
        sticky: bool,
        leaf: Option<&'a BanditLeaf>,
    ) -> ExperimentResult<'a> {
        let reason = if sticky { Reason::StickyBucket } else { Reason::Hash };
        let result = self.without_hash(variation, reason);
        let version = self.experiment.bandit.as_ref().and_then(|bandit| bandit.version.as_ref());
        let leaf = leaf.filter(|_| result.in_experiment).map(|leaf| Leaf {
            leaf_id: &leaf.id,
            variation_weights: Cow::Borrowed(&leaf.weights),
            bandit_version: version,
        });
        ExperimentResult { hash_used: true, bucket: Some(hash), sticky_bucket_used: sticky, leaf, ..result }
    }
}

/// A URL without scheme and host, as the SDK cuts them off: `https?://` and what comes before the next slash.
fn path_only(url: &str) -> &str {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url);
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or(rest)
}
