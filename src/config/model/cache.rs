//! `cache`: what the caches outside are told.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{Duration, KeyHeaders, KeyQuery};

mod dialect;
mod rule;

pub use dialect::CdnDialect;
pub use rule::{CacheRule, RequestCookies, StatusPattern};

/// What each audience may keep. An audience that is not named is told what the origin says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Cache {
    /// The browser: `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<CacheControl>,
    /// Shared caches in front: the headers of `cdn_dialects`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdn: Option<CacheControl>,
    /// The cache behind the personal edits: it holds the page before it is personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<CacheControl>,
    /// How this and what the origin says become one.
    #[serde(skip_serializing_if = "CacheMode::is_default")]
    pub mode: CacheMode,
    /// Other policies for some responses: the first one that fits counts instead of this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<CacheRule>,
    /// Which headers speak to the caches in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdn_dialects: Option<Vec<CdnDialect>>,
    /// Names by which caches in front find a response again to purge it; templates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
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

/// How a policy and what the origin says become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever merges must handle every mode")]
pub enum CacheMode {
    /// The policy replaces what the origin says to the audiences that it names.
    #[default]
    Override,
    /// The policy says what the origin does not.
    RespectOrigin,
    /// The origin's lifetimes become no longer than those of the policy.
    AtMost,
}

impl CacheMode {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
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

/// The directives of RFC 9111 § 5.2.2, RFC 5861 and RFC 8246; those with lists of fields are the origin's to write.
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
    /// Nobody on the way changes it.
    pub no_transform: bool,
    /// Only caches that know what its status means store it; comes with `no_store`, which the others follow.
    pub must_understand: bool,
    /// How long it may be used stale while it is asked for again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_while_revalidate: Option<Duration>,
    /// How long it may be used stale when asking fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_if_error: Option<Duration>,
    /// For `cdn` only: the request headers that the caches in front tell responses apart by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
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
