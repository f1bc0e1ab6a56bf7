//! `rules`: policies for some responses of a route.

use std::fmt;
use std::str::FromStr;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{CacheControl, CacheMode};

/// A policy for the responses that fit all that is named.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct CacheRule {
    /// One of these statuses: `404`, or `5xx` for all that begin with 5. Without it, successes (2xx) and 304.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub status: Vec<StatusPattern>,
    /// One of these content types: `text/css`, or `image/*`. Without it, any or none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content_types: Vec<String>,
    /// The request has one of these cookies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookies: Option<RequestCookies>,
    /// The browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<CacheControl>,
    /// Shared caches in front.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdn: Option<CacheControl>,
    /// The cache behind the personal edits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<CacheControl>,
    /// How this and what the origin says become one; without it, as the route's policy says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<CacheMode>,
}

/// A status, or all statuses of a class.
///
/// ```
/// use engraft::config::model::StatusPattern;
///
/// assert!("5xx".parse::<StatusPattern>().unwrap().fits(503));
/// assert!(!"404".parse::<StatusPattern>().unwrap().fits(410));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are these two ways to name statuses")]
pub enum StatusPattern {
    /// This status.
    Status(u16),
    /// All statuses with this first digit.
    Class(u16),
}

impl StatusPattern {
    /// Whether the status is one of them.
    #[must_use]
    pub const fn fits(self, status: u16) -> bool {
        match self {
            Self::Status(named) => status == named,
            Self::Class(digit) => status / 100 == digit,
        }
    }
}

impl FromStr for StatusPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let class = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
        let pattern = match class {
            Some(digit) => digit.parse().ok().filter(|digit| (2..=5).contains(digit)).map(Self::Class),
            None => text.parse().ok().filter(|status| (200..=599).contains(status)).map(Self::Status),
        };
        pattern.ok_or_else(|| {
            format!("\"{text}\" is not a status; write a number from 200 to 599, or a class such as 5xx")
        })
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Class(digit) => write!(f, "{digit}xx"),
        }
    }
}

impl Serialize for StatusPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StatusPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FromText;
        impl Visitor<'_> for FromText {
            type Value = StatusPattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status such as 404, or a class such as 5xx")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<StatusPattern, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(FromText)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for StatusPattern {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StatusPattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A status, or all statuses of a class.",
            "anyOf": [
                { "type": "integer", "minimum": 200, "maximum": 599 },
                { "type": "string", "pattern": "^([2-5]xx|[2-5]XX|[2-5][0-9][0-9])$" }
            ],
            "examples": [404, "5xx"]
        })
    }
}

/// Cookies of a request: `any`, or some by name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever looks for cookies must handle both")]
pub enum RequestCookies {
    /// Any cookie at all.
    Any,
    /// One of these.
    Named(Vec<String>),
}

impl Serialize for RequestCookies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_str("any"),
            Self::Named(names) => names.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RequestCookies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrNames;
        impl<'de> Visitor<'de> for WordOrNames {
            type Value = RequestCookies;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`any`, or a list of names such as [session]")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<RequestCookies, E> {
                match word {
                    "any" => Ok(RequestCookies::Any),
                    _ => Err(E::unknown_variant(word, &["any"])),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, names: A) -> Result<RequestCookies, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(names)).map(RequestCookies::Named)
            }
        }
        deserializer.deserialize_any(WordOrNames)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RequestCookies {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RequestCookies".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Cookies of a request: `any`, or some by name.",
            "anyOf": [{ "const": "any" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }]
        })
    }
}
