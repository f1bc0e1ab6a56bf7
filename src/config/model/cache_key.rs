//! `cache.query`, `cache.headers`: what of a request tells stored responses apart.

use serde::{Deserialize, Serialize};

/// Which query parameters a cache and the origin see. Names are compared decoded; a `*` at the end of one stands for any
/// rest. Without `keep` and `drop` all stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct KeyQuery {
    /// Only these; an empty list drops the whole query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<Vec<String>>,
    /// All but these. `tracking` names the parameters that advertisers and mailers add to links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop: Option<Vec<String>>,
    /// Orders what is kept by name; parameters of one name keep their order.
    pub sort: bool,
}

/// Request headers that are replaced by one of a few values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct KeyHeaders {
    /// `Accept-Language` becomes the one of these tags that suits the visitor best; the first where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_language: Option<Vec<String>>,
    /// `User-Agent` becomes a class, and the client hints that it is read from are taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<KeyUserAgent>,
}

/// What `User-Agent` becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyUserAgent {
    /// `desktop`, `mobile` or `tablet`.
    Device,
}
