//! `origin_reads`: what the origin's page depends on, besides its URL.

use serde::{Deserialize, Serialize};

/// One cookie or one header that the origin reads. Exactly one is named; what it may say is bounded by `values`, as each value has
/// a stored page of its own, or is not, by `any_value`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct OriginRead {
    /// A cookie, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// A request header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The values that the origin gets; any other becomes `otherwise`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// What the origin gets in place of a value that is not listed, and of none; nothing where this is not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
    /// The origin gets whatever comes, and there is a stored page for each.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub any_value: bool,
}
