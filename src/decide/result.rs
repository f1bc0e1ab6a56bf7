//! What comes out of a decision, in the words of GrowthBook's SDKs (`docs/lib/build-your-own.mdx`, "Experiment Result" and
//! "Feature Result"). Serialised, the names are those of the JavaScript SDK.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::bandit::Leaf;
use super::condition::coercion;

/// Which variation of an experiment a visitor sees.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExperimentResult<'a> {
    /// The variation's key: of its meta data, or its number.
    pub key: Cow<'a, str>,
    /// The feature whose rule the experiment is.
    pub feature_id: Option<&'a str>,
    /// Whether the visitor takes part. If not, what is shown is the first variation.
    pub in_experiment: bool,
    /// Whether the hash (or what was stored of it) decided, rather than somebody. Only then is there an exposure.
    pub hash_used: bool,
    /// The variation's number.
    pub variation_id: usize,
    /// The variation's value; null for an experiment without variations.
    pub value: &'a Value,
    /// The attribute that was hashed.
    pub hash_attribute: &'a str,
    /// Its value; empty text for none.
    pub hash_value: &'a Value,
    /// Whether the variation is what the visitor had before.
    pub sticky_bucket_used: bool,
    /// The variation's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    /// The hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<f64>,
    /// Whether a feature goes on to its next rule: the visitor is in a holdout.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub passthrough: bool,
    /// Of a contextual bandit: whose weights counted.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<Leaf<'a>>,
    /// Why. Not one of GrowthBook's fields.
    #[serde(skip)]
    pub reason: Reason,
}

/// What decided about an experiment, in the order in which it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There are less than two variations.
    TooFewVariations,
    /// Decisions are switched off.
    Disabled,
    /// The page is not one of those that it is for.
    UrlTargeting,
    /// The page's query says so.
    QueryOverride,
    /// The visitor was forced into the variation.
    ForcedForVisitor,
    /// It is a draft, or not active.
    Inactive,
    /// The visitor lacks the attribute that is hashed.
    NoHashAttribute,
    /// A filter leaves the visitor out.
    Filters,
    /// The visitor is in another part of the namespace.
    Namespace,
    /// The condition doesn't hold.
    Condition,
    /// A feature that it depends on isn't as it must be.
    Prerequisite,
    /// The visitor is in none of the groups that it is for. Groups are not part of payloads any more.
    Groups,
    /// The old kind of URL pattern leaves the page out.
    Url,
    /// A version of the hash that we don't know.
    HashVersion,
    /// The visitor was assigned by a version that may not take part any more.
    StickyBlocked,
    /// The hash is in no variation's range.
    Coverage,
    /// The experiment says which variation.
    ForcedByExperiment,
    /// Only what is forced is shown.
    QaMode,
    /// It has not started. Of experiments of a configuration only, as payloads hold no times.
    NotStarted,
    /// It has ended, likewise.
    Ended,
    /// It is over.
    Stopped,
    /// What the visitor had before.
    StickyBucket,
    /// The hash.
    Hash,
}

impl Reason {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooFewVariations => "fewer than two variations",
            Self::Disabled => "disabled",
            Self::UrlTargeting => "not for this URL",
            Self::QueryOverride => "forced by the URL's query",
            Self::ForcedForVisitor => "forced for the visitor",
            Self::Inactive => "draft or inactive",
            Self::NoHashAttribute => "no hash attribute",
            Self::Filters => "filtered out",
            Self::Namespace => "not in its part of the namespace",
            Self::Condition => "condition does not hold",
            Self::Prerequisite => "prerequisite not met",
            Self::Groups => "in none of its groups",
            Self::Url => "not for this URL (old style)",
            Self::HashVersion => "unknown hash version",
            Self::StickyBlocked => "sticky bucket of a blocked version",
            Self::Coverage => "not covered",
            Self::ForcedByExperiment => "forced by the experiment",
            Self::QaMode => "QA mode",
            Self::NotStarted => "it has not started",
            Self::Ended => "it has ended",
            Self::Stopped => "stopped",
            Self::StickyBucket => "sticky bucket",
            Self::Hash => "hash",
        }
    }
}

/// The value of a feature, and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FeatureResult<'a> {
    /// The value; null for none.
    pub value: &'a Value,
    /// What gave it.
    pub source: Source,
    /// The rule that gave it; empty where none did, or where it has no id.
    pub rule_id: &'a str,
    /// Of a rule that is an experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment_result: Option<ExperimentResult<'a>>,
    /// The key of that experiment.
    #[serde(skip)]
    pub experiment_key: Option<&'a str>,
}

impl FeatureResult<'_> {
    /// Whether the value is true, as JavaScript sees it.
    #[must_use]
    pub fn is_on(&self) -> bool {
        coercion::truthy(self.value)
    }
}

/// What gave a feature its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// No rule did.
    DefaultValue,
    /// A rule's forced value.
    Force,
    /// A rule's experiment.
    Experiment,
    /// A feature that has to be on first isn't.
    Prerequisite,
    /// Features that wait for each other, or for too many others.
    CyclicPrerequisite,
    /// There is no such feature.
    UnknownFeature,
}

impl Source {
    /// As the SDKs call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DefaultValue => "defaultValue",
            Self::Force => "force",
            Self::Experiment => "experiment",
            Self::Prerequisite => "prerequisite",
            Self::CyclicPrerequisite => "cyclicPrerequisite",
            Self::UnknownFeature => "unknownFeature",
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
