//! `find`: words in text.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// What is looked for in text: a text, or a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[expect(clippy::exhaustive_enums, reason = "whoever compiles it must handle both")]
pub enum Find {
    /// This text, exactly: upper and lower case, spaces and all.
    Text(#[cfg_attr(feature = "schema", schemars(length(min = 1, max = 1024)))] String),
    /// What matches a regular expression.
    Regex(FindRegex),
}

/// A regular expression for a part of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FindRegex {
    /// The expression, without look-around and backreferences. `^` and `$` are the ends of a text node.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub regex: String,
    /// How many characters a match may have; a longer one is left as it is. Twice as many are held back.
    #[serde(default = "default_max_match")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1024)))]
    pub max_match: u16,
}

const fn default_max_match() -> u16 {
    crate::find::DEFAULT_MAX_MATCH
}

impl<'de> Deserialize<'de> for Find {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrRegex;
        impl<'de> Visitor<'de> for TextOrRegex {
            type Value = Find;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text in quotes, or a map such as { regex: \"[0-9]+ days\" }")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Find, E> {
                Ok(Find::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Find, A::Error> {
                FindRegex::deserialize(MapAccessDeserializer::new(map)).map(Find::Regex)
            }
        }
        deserializer.deserialize_any(TextOrRegex)
    }
}
