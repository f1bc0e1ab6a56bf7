//! The format of a trace: JSON with these members, described for people in docs/trace.md.
//!
//! It is versioned by [`Trace::trace`]. Members are added, never renamed or given another meaning; whoever reads one passes over
//! what they don't know. What is empty is left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the format.
pub const VERSION: u32 = 1;

/// What stands instead of a value that nobody is to see.
pub const HIDDEN: &str = "‹hidden›";

/// Everything that is known of one exchange.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format that shells fill in too, default by default")]
pub struct Trace {
    /// The version of this format.
    pub trace: u32,
    /// What it was run with.
    pub engine: Engine,
    /// What was asked, enough to run it again.
    pub request: Request,
    /// The routes that were considered, in order, up to the one that the request is on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteVerdict>,
    /// The route, if the request is on one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What the route reads of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// What was decided about the visitor, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
    /// The patches of the route, in order, and those of the payload's experiments: whether each was to be applied, and what became of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// What the origin, or the cache behind, was asked; none where the answer was given here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The head of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// What caches may do with the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// What became of the body; none where it was not over when the trace was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// The assignments that the visitor saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exposures: Vec<Exposure>,
    /// Where time went, by whoever has a clock, in microseconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub micros: BTreeMap<String, u64>,
    /// The members that were left out since there was no room for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

/// What an exchange was run with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Engine {
    /// The version of engraft.
    pub version: String,
    /// The digest of the configuration, as `engraft check --format json` says it.
    pub configuration: String,
    /// The digest of the payload in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

/// A request and all that decisions may depend on besides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Request {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// A body came with it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_body: bool,
    /// What the host knows besides, by name: `peer_address`, `filter_state.team`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// The address it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// When, in milliseconds since 1970.
    pub now_ms: u64,
    /// The number that new ids are made of, in hexadecimal.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub random: String,
    /// Attributes that somebody at the machine had overridden.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Value>,
    /// Variations and flags that somebody chose.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub choices: BTreeMap<String, String>,
}

/// A header line. Bytes that are not UTF-8 are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Header {
    /// In lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// Whether a request is on a route.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct RouteVerdict {
    /// Its name.
    pub name: String,
    /// What of its `match` the request does not satisfy: `method`, `host`, `path`, `header x-beta`, `query page`. None where it is on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails: Option<String>,
}

/// An attribute that the route reads.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value; null where the request has none.
    pub value: Value,
    /// Where it was read: `the cookie plan`.
    pub from: String,
    /// Its value is not to be seen.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// It was overridden.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overridden: bool,
}

/// A decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Decision {
    /// `variants.hero`, `flags.new-nav`.
    pub name: String,
    /// `bold`.
    pub value: String,
    /// `hash`, `forced`, `condition`, …; docs/decisions.md lists them.
    pub because: String,
}

/// A patch, whether it was to be applied, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Patch {
    /// Its name, or its number in the route.
    pub name: String,
    /// What it is for: `elements`, `json`, `redirect` or `exchange`.
    pub kind: String,
    /// Where on the page: its selector, or a landmark such as `the end of head`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub site: String,
    /// The conditions, each with whether it holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guard>,
    /// It was to be applied.
    pub eligible: bool,
    /// What became of it, part by part where it has several; nothing where that is not known, or not yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outcomes: Vec<Outcome>,
}

/// A condition of a patch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Guard {
    /// As it is written: `variant hero: bold`, `flag new-nav: true`, `when {"country":{"$ne":"other"}}`.
    pub written: String,
    /// It holds.
    pub holds: bool,
}

/// What became of a patch on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Outcome {
    /// Which part of it, where it has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What logs say: a number of elements (1 for the exchange), `missed`, `skipped:…`, `search_ended:…`, `stored` or `not_tried`.
    pub state: String,
    /// Elements that it was applied to.
    #[serde(skip_serializing_if = "is_zero")]
    pub applied: u32,
    /// Elements that it matches and was not applied to, by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<String, u32>,
    /// Why not the whole page was searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search_ended: Option<String>,
}

/// A request as it left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Origin {
    /// The whole URL.
    pub url: String,
    /// How its headers differ from those that came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<HeaderChange>,
}

/// The head of a response.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Response {
    /// The status that the visitor gets.
    pub status: u16,
    /// The status that came, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub came_status: Option<u16>,
    /// The headers as they came, or, where the answer was given here, as they were made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// How those that leave differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<HeaderChange>,
    /// The patch that answered with a redirect, or `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirected_by: Option<String>,
}

/// What became of the lines of one header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct HeaderChange {
    /// In lower case.
    pub name: String,
    /// The values that came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// The values that left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Who changed it, in order: see [`Cause`](super::trail::Cause).
    pub by: Vec<String>,
}

/// What caches may do with a response.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Cache {
    /// `Cache-Control`, as it leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// Shared caches in front are told that they may keep it.
    pub shared: bool,
    /// What of the visitor the response depends on, or those of others on the route: attributes, and `the header x-beta`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// Why the cache behind was told not to store it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_storable: Option<String>,
    /// What was found in the cache behind, where it said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// What became of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Body {
    /// `edited`, `not_wanted`, `untouched:…`; docs/logging.md lists them.
    pub state: String,
    /// The largest number of bytes that were held between two chunks.
    #[serde(skip_serializing_if = "is_zero_usize")]
    pub max_held_bytes: usize,
    /// The edits that went out, in the order of the page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// How many more there were.
    #[serde(skip_serializing_if = "is_zero_usize")]
    pub more_edits: usize,
}

/// One edit of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Edit {
    /// Where it begins in the page as it came, without content coding, in bytes.
    pub start: u64,
    /// Where it ends; the same as where it begins for an insertion.
    pub end: u64,
    /// What stood there. Bytes that are not UTF-8 are replaced.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub was: String,
    /// What stands there instead.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub with: String,
    /// How long that is in the page as it leaves, in bytes.
    pub with_bytes: u64,
    /// The patches that had a part in it.
    pub patches: Vec<String>,
}

/// An assignment that the visitor saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::exhaustive_structs, reason = "a format")]
pub struct Exposure {
    /// The experiment's key.
    pub experiment: String,
    /// The variation's key.
    pub variation: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero_usize(n: &usize) -> bool {
    *n == 0
}
