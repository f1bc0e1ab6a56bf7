//! The shapes of a configuration document: what may be written, field by field.
//!
//! These types only say what is well formed. What the fields mean together is decided when a document is
//! [compiled](crate::engine). The JSON Schema in `envoy/engraft.schema.json` is generated from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

mod attribute;
mod cache;
mod cache_key;
mod delivery;
mod duration;
mod experiment;
mod exposures;
mod find;
mod force;
mod growthbook;
mod injection;
mod matcher;
mod optimize;
mod origin_reads;
mod patch;
mod stage;
mod urls;
mod visitor;
mod written;

pub use attribute::{Attribute, AttributeKind, Connection, Jwt, UserAgent};
pub use cache::{
    Cache, CacheControl, CacheMode, CacheRule, CdnDialect, Directives, RequestCookies, StatusPattern,
};
pub use cache_key::{KeyHeaders, KeyQuery, KeyUserAgent};
pub use delivery::{ContentCoding, Delivery};
pub use duration::{Duration, DurationError};
pub use experiment::{Experiment, Namespace, ParentCondition};
pub use exposures::{ExposureCollector, ExposurePage, Exposures};
pub use find::{Find, FindRegex};
pub use force::Force;
pub use growthbook::{Fetch, GrowthBook, Secret};
pub use injection::{
    CrossOrigin, FetchPriority, LinkElement, MetaElement, Place, ScriptElement, StyleElement,
};
pub use matcher::{RequestMatch, SafeRegex, StringMatcher};
pub use optimize::{
    Destination, FontDisplay, LazyLoading, Optimize, Preconnect, Preload, PriorityHint, ThirdPartyScripts,
    UrlMatcher,
};
pub use origin_reads::OriginRead;
pub use patch::{AttributeChanges, ClassChanges, HeaderChanges, Patch, Redirect, Removal, Rewrite};
pub use stage::Stage;
pub use urls::{ImageUrls, UrlPrefix, Urls};
pub use visitor::{Bots, Consent, StickyCookies, Visitor, VisitorId};

/// A configuration document, version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// The version of the configuration language; `1`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = 1)))]
    pub version: u32,
    /// On which side of a cache the filter stands.
    #[serde(default, skip_serializing_if = "Stage::is_default")]
    pub stage: Stage,
    /// Who is decided for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<Visitor>,
    /// What conditions and templates may read of a request, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// Experiments, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub experiments: BTreeMap<String, Experiment>,
    /// Flags, by key, as GrowthBook's payloads have them: `{ defaultValue: false, rules: [{ condition: …, force: true }] }`.
    #[serde(default, deserialize_with = "written::features", skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, Value>,
    /// Lists of values that conditions name by `$inGroup`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub saved_groups: BTreeMap<String, Vec<Value>>,
    /// Who may choose what they see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<Force>,
    /// Features and experiments of a GrowthBook payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growthbook: Option<GrowthBook>,
    /// Who is told that a visitor has seen a variation of an experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposures: Option<Exposures>,
    /// What is done to which requests. The first route that matches counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// How much of what a visitor or an origin sends is held or followed.
    #[serde(default)]
    pub limits: Limits,
    /// Answers a request that asks for it with headers that say what was decided. Off unless written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug: Option<Debug>,
    /// What traces, the local panel and debug headers never show.
    #[serde(default, skip_serializing_if = "Secrets::is_default")]
    pub secrets: Secrets,
}

/// One route: which requests, and what is done to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Route {
    /// The name in metrics, logs and the debug header: letters, digits, `_` and `-`, at most 64.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$")))]
    pub name: String,
    /// Which requests; without it, all.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<RequestMatch>,
    /// What browsers and shared caches in front are told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// Which cookies and headers the origin's page depends on. Where it is stored, the origin gets no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origin_reads: Vec<OriginRead>,
    /// Content types besides `text/html` and `application/xhtml+xml` whose bodies are read as HTML.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_types: Vec<String>,
    /// Whether pages are edited while they pass, or wholly or not at all.
    #[serde(default, skip_serializing_if = "Delivery::is_default")]
    pub delivery: Delivery,
    /// The content coding of edited pages.
    #[serde(default, skip_serializing_if = "ContentCoding::is_default")]
    pub content_coding: ContentCoding,
    /// Runs the experiments of GrowthBook's visual editor and its URL redirects, where a payload has some for a page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auto_experiments: bool,
    /// What is changed, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
}

/// Bounds, in bytes unless said otherwise. A page that meets one is delivered whole; what could not be done is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// The longest element that is held back while its end is not known.
    #[cfg_attr(feature = "schema", schemars(range(min = 1024, max = 16777216)))]
    pub max_held_bytes: u32,
    /// The longest start or end tag that is understood; so much memory is taken for each page that is edited.
    #[cfg_attr(feature = "schema", schemars(range(min = 1024, max = 1048576)))]
    pub max_tag_bytes: u32,
    /// How many elements of one page are edited.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100000)))]
    pub max_elements: u32,
    /// The longest value that an attribute takes over from a request; a longer one counts as missing.
    #[cfg_attr(feature = "schema", schemars(range(min = 16, max = 65536)))]
    pub max_value_bytes: u32,
    /// What a compressed page may expand to, whatever it is compressed from; beyond that, at most a hundred times what
    /// has come. One piece from the network never expands to more than this. A page that does is broken off.
    #[cfg_attr(feature = "schema", schemars(range(min = 65536, max = 268435456)))]
    pub max_decoded_bytes: u32,
    /// The longest page that `delivery: whole` holds; a longer one stays as it is.
    #[cfg_attr(feature = "schema", schemars(range(min = 1024, max = 16777216)))]
    pub max_whole_bytes: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_held_bytes: 128 * 1024,
            max_tag_bytes: 128 * 1024,
            max_elements: 20_000,
            max_value_bytes: 4096,
            max_decoded_bytes: 16 * 1024 * 1024,
            max_whole_bytes: 1024 * 1024,
        }
    }
}

/// Who may ask for debug headers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Debug {
    /// What the request header `x-engraft-debug` must say, at least 16 characters. Without it only requests from a
    /// loopback address are answered.
    #[cfg_attr(feature = "schema", schemars(length(min = 16)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What nobody is shown, whoever asks: `‹hidden›` stands in its place. `Authorization` and `Proxy-Authorization` always are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Secrets {
    /// Cookies, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<String>,
    /// Headers of requests and responses, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
}

impl Secrets {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
