//! `growthbook`: where features and auto experiments come from.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Duration;

/// Features and experiments of a GrowthBook payload: fetched, or written here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct GrowthBook {
    /// Asks a service for it, again and again: GrowthBook's own, one of yours, or GrowthBook Proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetch: Option<Fetch>,
    /// The payload itself, as `GET /api/features/{client_key}` answers it: an object, or its text.
    #[serde(deserialize_with = "super::written::payload", skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
    /// The key of an SDK connection with encryption, as GrowthBook shows it: 128 bits in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decryption_key: Option<Secret>,
}

/// From where, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Fetch {
    /// Envoy's cluster of the service.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub cluster: String,
    /// The host that the service is asked for.
    pub authority: String,
    /// The client key of the SDK connection: letters, digits, `_`, `-`, `.` and `~`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9_.~-]{1,128}$")))]
    pub client_key: Option<String>,
    /// The path that is asked for; `{client_key}` stands for the key. Without it, `/api/features/{client_key}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often. A tenth more or less, by chance.
    #[serde(default = "Fetch::default_interval")]
    pub interval: Duration,
    /// How long an answer may take, at most a minute.
    #[serde(default = "Fetch::default_timeout")]
    pub timeout: Duration,
}

impl Fetch {
    fn default_interval() -> Duration {
        Duration::from_seconds(60).unwrap_or(Duration::ZERO)
    }

    fn default_timeout() -> Duration {
        Duration::from_seconds(5).unwrap_or(Duration::ZERO)
    }
}

/// Text that is not shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
