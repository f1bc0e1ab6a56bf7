//! `exposures`: who is told that a visitor has seen a variation.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::Duration;

/// Who is told of exposures. Nobody is unless written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Exposures {
    /// Envoy's access log: as filter state `wasm.engraft.exposures`, a JSON list.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub access_log: bool,
    /// The page's own scripts: `dataLayer` and the event `engraft:exposure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<ExposurePage>,
    /// A service that takes events by HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collector: Option<ExposureCollector>,
}

/// What the page's scripts are told: `true`, or a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = or_bool))]
#[non_exhaustive]
pub struct ExposurePage {
    /// Whether they are told at all.
    #[cfg_attr(feature = "schema", schemars(default = "enabled"))]
    pub enabled: bool,
    /// The value that was hashed, too: the visitor's id, most of the time. Every visitor then gets another page, and
    /// scripts of the page read an id that they could not read in a cookie.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub hash_value: bool,
}

/// A service that takes events by HTTP. The queue is that of one of Envoy's workers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExposureCollector {
    /// Envoy's cluster of the service.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub cluster: String,
    /// The host that is asked for.
    pub authority: String,
    /// The path, which begins with `/`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^/")))]
    pub path: String,
    /// How long an answer may take, at most a minute.
    #[serde(default = "ExposureCollector::default_timeout")]
    pub timeout: Duration,
    /// So many events may wait; what comes then is dropped.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000000)))]
    #[serde(default = "ExposureCollector::default_max_queue_events")]
    pub max_queue_events: u32,
    /// So many bytes of them.
    #[cfg_attr(feature = "schema", schemars(range(min = 65536, max = 268435456)))]
    #[serde(default = "ExposureCollector::default_max_queue_bytes")]
    pub max_queue_bytes: u32,
    /// So many events are sent at once.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 10000)))]
    #[serde(default = "ExposureCollector::default_batch_events")]
    pub batch_events: u32,
    /// So many bytes of them at most.
    #[cfg_attr(feature = "schema", schemars(range(min = 1024, max = 4194304)))]
    #[serde(default = "ExposureCollector::default_batch_bytes")]
    pub batch_bytes: u32,
    /// After so long, fewer are sent.
    #[serde(default = "ExposureCollector::default_batch_age")]
    pub batch_age: Duration,
}

impl ExposureCollector {
    fn default_timeout() -> Duration {
        Duration::from_seconds(5).unwrap_or(Duration::ZERO)
    }

    const fn default_max_queue_events() -> u32 {
        10_000
    }

    const fn default_max_queue_bytes() -> u32 {
        4 * 1024 * 1024
    }

    const fn default_batch_events() -> u32 {
        500
    }

    const fn default_batch_bytes() -> u32 {
        256 * 1024
    }

    fn default_batch_age() -> Duration {
        Duration::from_seconds(5).unwrap_or(Duration::ZERO)
    }
}

impl<'de> Deserialize<'de> for ExposurePage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BoolOrMap;
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Map {
            #[serde(default = "enabled")]
            enabled: bool,
            #[serde(default)]
            hash_value: bool,
        }
        impl<'de> Visitor<'de> for BoolOrMap {
            type Value = ExposurePage;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a map such as { hash_value: true }")
            }

            fn visit_bool<E: de::Error>(self, enabled: bool) -> Result<ExposurePage, E> {
                Ok(ExposurePage { enabled, hash_value: false })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ExposurePage, A::Error> {
                let Map { enabled, hash_value } = Map::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ExposurePage { enabled, hash_value })
            }
        }
        deserializer.deserialize_any(BoolOrMap)
    }
}

const fn enabled() -> bool {
    true
}

#[cfg(feature = "schema")]
fn or_bool(schema: &mut schemars::Schema) {
    schema.insert("additionalProperties".into(), false.into());
    let map = std::mem::take(schema);
    *schema = schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, map] });
}
