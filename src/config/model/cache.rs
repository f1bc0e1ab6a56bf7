//! `cache`: what the caches outside are told.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{Duration, KeyHeaders, KeyQuery};

/// What each audience may keep. An audience that is not named is told what the origin says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Cache {
    /// The browser: `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<CacheControl>,
    /// Shared caches in front: `CDN-Cache-Control` (RFC 9213).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdn: Option<CacheControl>,
    /// The cache behind the personal edits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<CacheControl>,
    /// Which query parameters caches and the origin see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<KeyQuery>,
    /// Request headers that become one of a few values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<KeyHeaders>,
    /// Cookies that a response to be stored may lose; `name` or `prefix*`. With any other it is not stored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub droppable_cookies: Vec<String>,
}

/// Cache directives: a word (`private`, `no_store`), or the directives one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct CacheControl(
    /// The directives.
    #[cfg_attr(feature = "schema", schemars(schema_with = "word_or_directives"))]
    pub Directives,
);

/// The directives of RFC 9111 § 5.2.2, RFC 5861 and RFC 8246.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Directives {
    /// Any cache may store it.
    pub public: bool,
    /// Only the visitor's own cache may store it.
    pub private: bool,
    /// It is asked for again each time.
    pub no_cache: bool,
    /// Nobody stores it.
    pub no_store: bool,
    /// How long it is fresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Duration>,
    /// How long it is fresh in shared caches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub s_maxage: Option<Duration>,
    /// Once stale, it is not used without asking.
    pub must_revalidate: bool,
    /// The same, in shared caches.
    pub proxy_revalidate: bool,
    /// It stays as it is for its lifetime.
    pub immutable: bool,
    /// How long it may be used stale while it is asked for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_while_revalidate: Option<Duration>,
    /// How long it may be used stale when asking fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_if_error: Option<Duration>,
}

impl<'de> Deserialize<'de> for CacheControl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrDirectives;
        impl<'de> Visitor<'de> for WordOrDirectives {
            type Value = CacheControl;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`private`, `no_store`, or a map of directives such as { max_age: 5m }")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<CacheControl, E> {
                let directives = match word {
                    "private" => Directives { private: true, ..Directives::default() },
                    "no_store" => Directives { no_store: true, ..Directives::default() },
                    _ => return Err(E::unknown_variant(word, &["private", "no_store"])),
                };
                Ok(CacheControl(directives))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CacheControl, A::Error> {
                Directives::deserialize(MapAccessDeserializer::new(map)).map(CacheControl)
            }
        }
        deserializer.deserialize_any(WordOrDirectives)
    }
}

#[cfg(feature = "schema")]
fn word_or_directives(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let directives = generator.subschema_for::<Directives>();
    schemars::json_schema!({ "anyOf": [{ "enum": ["private", "no_store"] }, directives] })
}
