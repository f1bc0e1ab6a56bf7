//! Contextual bandits: weights by what is known of the visitor (`buildContextualBanditExperiment` of the JavaScript SDK).

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use super::bucket::Range;
use super::condition::{Attributes, Condition, SavedGroups};

/// The leaves of an experiment's bandit, the first whose condition holds being the visitor's.
#[derive(Debug, Clone)]
pub(crate) struct Bandit {
    pub(crate) leaves: Box<[BanditLeaf]>,
    /// For whom none is: the weights of the rule itself.
    pub(crate) otherwise: BanditLeaf,
    pub(crate) version: Option<Value>,
}

#[derive(Debug, Clone)]
pub(crate) struct BanditLeaf {
    pub(crate) id: Value,
    pub(crate) condition: Option<Condition>,
    pub(crate) weights: Box<[f64]>,
    pub(crate) ranges: Box<[Range]>,
}

impl Bandit {
    pub(crate) fn leaf(&self, attributes: &dyn Attributes, groups: &SavedGroups) -> &BanditLeaf {
        let holds = |leaf: &&BanditLeaf| {
            leaf.condition.as_ref().is_none_or(|condition| condition.eval(attributes, groups))
        };
        self.leaves.iter().find(holds).unwrap_or(&self.otherwise)
    }
}

/// The leaf by whose weights a variation was assigned.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Leaf<'a> {
    /// Its number; -1 where no leaf was the visitor's.
    pub leaf_id: &'a Value,
    /// The weights of the variations.
    pub variation_weights: Cow<'a, [f64]>,
    /// The version of the bandit, where the payload has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandit_version: Option<&'a Value>,
}
