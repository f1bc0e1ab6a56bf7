//! `visitor`: who is decided for.

use serde::{Deserialize, Serialize};

use super::Duration;

/// Who visitors are, and for whom nothing is tried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Visitor {
    /// The attribute `id`, by which experiments tell visitors apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<VisitorId>,
    /// Without it, no id is minted and nothing is reported; experiments show their first variation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// What crawlers and tools get that say what they are.
    pub bots: Bots,
    /// Visitors keep the variations that they had, in cookies of GrowthBook's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky_buckets: Option<StickyCookies>,
}

/// Where ids come from: the first attribute of `from` that has a value, or the cookie, or a new UUID in that cookie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct VisitorId {
    /// Attributes that may hold an id that the visitor has anyway, the best one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// The cookie. Without it nobody gets an id who has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// How long a new cookie lives, at most 400 days, which is all that browsers allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
    /// `Domain` of a new cookie; without it, the host alone gets it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Scripts of the page may read it, as GrowthBook's own does with `gbuuid`.
    pub readable_by_scripts: bool,
    /// Only ids that are there already.
    pub never_mint: bool,
}

/// What a cookie says of visitors who agree to be part of experiments. Exactly one of `equals` and `contains` is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Consent {
    /// The cookie.
    pub cookie: String,
    /// All that it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// Somewhere in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
}

/// What becomes of bots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever decides must handle each")]
pub enum Bots {
    /// Experiments show them their first variation; nothing is reported.
    #[default]
    Control,
    /// Patches that read an experiment or a flag leave the page alone, too.
    Skip,
    /// They are like everybody else.
    TreatAsVisitor,
}

/// Cookies named `gbStickyBuckets__<attribute>||<value>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StickyCookies {
    /// How long they live, at most 400 days; 180 days unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
    /// `Domain`; without it, the host alone gets them back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
}
