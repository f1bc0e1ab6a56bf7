//! `optimize`: hints and orders that make a page load faster, each by itself.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::{CrossOrigin, FetchPriority};

/// Each option works by itself and is undone by leaving it out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Optimize {
    /// `loading="lazy"` and `decoding="async"` on images that don't say how they load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lazy_images: Option<LazyLoading>,
    /// `loading="lazy"` on frames that don't say how they load.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lazy_frames: Option<LazyLoading>,
    /// `fetchpriority` of elements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fetchpriority: Vec<PriorityHint>,
    /// `async` on these scripts: run when they are there, in any order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub async_scripts: Vec<UrlMatcher>,
    /// `defer` on these scripts: run when the page is parsed, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub defer_scripts: Vec<UrlMatcher>,
    /// Origins to connect to early: `https://cdn.example`, or `{ href: …, crossorigin: anonymous }` for fonts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preconnect: Vec<Preconnect>,
    /// What to fetch early.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preload: Vec<Preload>,
    /// Says `preconnect` and `preload` in the `Link` header as well.
    pub link_header: bool,
    /// Scripts of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub third_party_scripts: Option<ThirdPartyScripts>,
    /// `font-display` in `@font-face` rules of `style` elements that have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font_display: Option<FontDisplay>,
}

/// Which elements load as they did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct LazyLoading {
    /// How many, from the start of the page, stay as they are: those that are seen at once.
    pub except_first: u32,
}

/// How urgent the fetch of an element is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PriorityHint {
    /// Which elements: a CSS selector.
    pub select: String,
    /// How urgent.
    pub priority: FetchPriority,
}

/// Which URLs. Exactly one way is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct UrlMatcher {
    /// A host, with its port if it has one: `tags.example`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The start of a path on the page's own site, or of a URL with a host: `/assets/`, `https://tags.example/a/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// An origin to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
#[cfg_attr(feature = "schema", schemars(transform = or_text))]
pub struct Preconnect {
    /// The origin: `https://cdn.example`.
    pub href: String,
    /// For what is fetched in CORS mode, such as fonts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crossorigin: Option<CrossOrigin>,
}

/// A resource to fetch early (WHATWG HTML § 4.6.7.19).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Preload {
    /// Its URL.
    pub href: String,
    /// What it is for.
    #[serde(rename = "as")]
    pub destination: Destination,
    /// Its MIME type; browsers that don't know it pass it over.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// A media query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// As on the element that will use it. Fonts always need `anonymous`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossorigin: Option<CrossOrigin>,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetchpriority: Option<FetchPriority>,
    /// The candidates of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imagesrcset: Option<String>,
    /// The sizes of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imagesizes: Option<String>,
    /// The hash that it must have (SRI).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
}

/// What a preload is for: the destinations that browsers preload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Destination {
    /// `fetch()` and XMLHttpRequest.
    Fetch,
    /// A font.
    Font,
    /// An image.
    Image,
    /// A classic script.
    Script,
    /// A style sheet.
    Style,
    /// Subtitles.
    Track,
}

/// What is done to scripts of others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ThirdPartyScripts {
    /// Run at the first interaction, or when the loaded page is idle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delay: Vec<UrlMatcher>,
    /// Removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<UrlMatcher>,
}

/// A `font-display` (CSS Fonts 4 § 4.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FontDisplay {
    /// Text is shown at once, and again when the font is there.
    Swap,
    /// Text waits for a moment; a font that comes late is used on the next page.
    Optional,
    /// Text waits for a moment; a font that comes soon is used.
    Fallback,
    /// Text waits for the font.
    Block,
}

impl<'de> Deserialize<'de> for Preconnect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrMap;
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Map {
            href: String,
            #[serde(default)]
            crossorigin: Option<CrossOrigin>,
        }
        impl<'de> Visitor<'de> for TextOrMap {
            type Value = Preconnect;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an origin such as https://cdn.example, or a map such as { href: https://cdn.example, crossorigin: anonymous }")
            }

            fn visit_str<E: de::Error>(self, href: &str) -> Result<Preconnect, E> {
                Ok(Preconnect { href: href.to_owned(), crossorigin: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Preconnect, A::Error> {
                let Map { href, crossorigin } = Map::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Preconnect { href, crossorigin })
            }
        }
        deserializer.deserialize_any(TextOrMap)
    }
}

#[cfg(feature = "schema")]
fn or_text(schema: &mut schemars::Schema) {
    schema.insert("additionalProperties".into(), false.into());
    let map = std::mem::take(schema);
    *schema = schemars::json_schema!({ "anyOf": [{ "type": "string" }, map] });
}
