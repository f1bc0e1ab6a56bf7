//! `match`: which requests a route is for, in the names of Envoy's `StringMatcher`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a request must be like. Everything that is named must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct RequestMatch {
    /// The host: lower case, without port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<StringMatcher>,
    /// The path: as it came, without the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<StringMatcher>,
    /// The methods; without it, all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Request headers, by name; the first value of each is compared.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, StringMatcher>,
    /// Query parameters, by name; the first value of each is compared, decoded.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, StringMatcher>,
}

/// How a text is compared (`envoy.type.matcher.v3.StringMatcher`). Exactly one way is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct StringMatcher {
    /// The whole text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// Its start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// A part of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// A regular expression for the whole text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safe_regex: Option<SafeRegex>,
    /// ASCII letters match in either case; not with `safe_regex`, where `(?i)` says it.
    pub ignore_case: bool,
}

/// A regular expression that runs in linear time (`envoy.type.matcher.v3.RegexMatcher`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SafeRegex {
    /// The expression, without look-around and backreferences; it must match the whole text.
    pub regex: String,
}
