//! `experiments`: what is tried out, and on whom.

#[cfg(feature = "schema")]
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An experiment. The words are GrowthBook's, in snake case, and so is what they do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Experiment {
    /// The keys of the variations; the first one is the control.
    #[cfg_attr(feature = "schema", schemars(length(min = 2)))]
    pub variations: Vec<String>,
    /// What part of the visitors each variation gets; together 1. Without it all get the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f64>>,
    /// Which part of the visitors takes part at all, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0.0, max = 1.0)))]
    pub coverage: Option<f64>,
    /// Who takes part: a condition over attributes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<BTreeMap<String, Value>>"))]
    pub condition: Option<Value>,
    /// What visitors are told apart by; `id` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_attribute: Option<String>,
    /// What they are told apart by where that is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback_attribute: Option<String>,
    /// 1 or 2; 2 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 2)))]
    pub hash_version: Option<u8>,
    /// What the hash starts from; the experiment's name unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// Only visitors in a part of a namespace take part, so that experiments on other parts never meet this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Namespace>,
    /// Flags that must have certain values first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_conditions: Vec<ParentCondition>,
    /// Nobody takes part before: RFC 3339, `2026-03-01T09:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<String>,
    /// Nobody takes part from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// The variation that everybody sees who takes part; nothing is reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<String>,
    /// The variation that everybody sees once it has ended; the first one unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<String>,
    /// `false` switches it off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// Whether visitors keep the variation that they had does not count here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_sticky_bucketing: bool,
    /// A higher number assigns visitors anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_version: Option<u32>,
    /// Who was assigned by an earlier version does not take part any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_bucket_version: Option<u32>,
}

/// A part of a namespace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// From where to where, between 0 and 1; the end is not part of it.
    pub range: (f64, f64),
}

/// A flag that must have a certain value before an experiment is run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ParentCondition {
    /// Its key under `features`.
    pub flag: String,
    /// A condition over `value`: `{ value: true }`.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, Value>"))]
    pub condition: Value,
}
