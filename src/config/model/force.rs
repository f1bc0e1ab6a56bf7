//! `force`: seeing a variation without being assigned to it.

use serde::{Deserialize, Serialize};

/// Who may choose what they see, in the query of a URL: `?engraft-force=hero:bold,new-nav:true`. Such a request passes every
/// cache, its response is stored nowhere, and nothing is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Force {
    /// The name of the parameter.
    pub parameter: String,
    /// What a second parameter, of that name and `-secret`, must say, at least 16 characters. Without it only requests from a
    /// loopback address may choose.
    #[cfg_attr(feature = "schema", schemars(length(min = 16)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl Default for Force {
    fn default() -> Self {
        Self { parameter: "engraft-force".to_owned(), secret: None }
    }
}
