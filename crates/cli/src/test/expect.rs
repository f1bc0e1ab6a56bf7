//! What a scenario expects of an exchange.

use std::collections::BTreeMap;

use engraft::config::model::Duration;
use regex_lite::Regex;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::scenario::Status;
use super::words::{Brief, Many, Name, Parsed, Short, Wanted};

/// See the [module](self). What is not said is not looked at.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Expect {
    pub(super) status: Option<Status>,
    /// The name of the route.
    pub(super) route: Option<Wanted<Text>>,
    /// The answer in place of the origin's.
    pub(super) redirect: Option<Wanted<Redirect>>,
    /// What the route reads of the request, by name.
    pub(super) attributes: BTreeMap<String, Wanted<Text>>,
    /// Variations, by experiment.
    pub(super) decisions: BTreeMap<String, String>,
    /// Values of flags, by key.
    pub(super) flags: BTreeMap<String, Value>,
    /// All that is reported as seen: variations, by experiment.
    pub(super) exposures: Option<BTreeMap<String, String>>,
    /// What became of patches, by name or number.
    pub(super) patches: BTreeMap<String, PatchState>,
    /// Elements of the page as it leaves, by selector.
    pub(super) select: BTreeMap<String, Selected>,
    /// Values of a JSON body as it leaves, by JSON Pointer.
    pub(super) json: BTreeMap<String, Wanted<Json>>,
    /// Headers of the response.
    pub(super) headers: BTreeMap<Name, Wanted<Text>>,
    /// What the origin gets.
    pub(super) request: Option<Wanted<Request>>,
    /// What caches may do with the response.
    pub(super) cacheable: Cacheable,
    pub(super) body: Option<Brief<Body>>,
}

impl Expect {
    /// Whether nothing is expected.
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            status,
            route,
            redirect,
            attributes,
            decisions,
            flags,
            exposures,
            patches,
            select,
            json,
            headers,
            request,
            cacheable,
            body,
        } = self;
        let Cacheable { browser, shared, store } = cacheable;
        let maps = attributes.is_empty() && decisions.is_empty() && flags.is_empty() && patches.is_empty();
        let page = select.is_empty() && json.is_empty() && headers.is_empty() && body.is_none();
        let caches = browser.is_none() && shared.is_none() && store.is_none();
        let head = status.is_none() && route.is_none() && redirect.is_none() && request.is_none();
        maps && page && caches && head && exposures.is_none()
    }
}

/// What is said of a text. Short: all of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Text {
    pub(super) equals: Option<String>,
    pub(super) contains: Many,
    pub(super) not_contains: Many,
    /// A regular expression, found somewhere in it.
    pub(super) matches: Option<Parsed<Regex>>,
}

impl Short for Text {
    const FORMS: &'static str = "text or a map of equals, contains, not_contains, matches";

    fn short(text: &str) -> Result<Self, String> {
        Ok(Self { equals: Some(text.to_owned()), ..Self::default() })
    }
}

/// A redirect. Short: its location.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Redirect {
    pub(super) location: Option<Brief<Text>>,
    pub(super) status: Option<Status>,
    /// The patch that answers.
    pub(super) patch: Option<String>,
}

impl Short for Redirect {
    const FORMS: &'static str = "absent, a location, or a map of location, status, patch";

    fn short(text: &str) -> Result<Self, String> {
        Ok(Self { location: Some(Brief(Text::short(text)?)), ..Self::default() })
    }
}

/// What became of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PatchState {
    /// To one element at least, or to the exchange.
    Applied,
    /// To so many elements.
    Times(u32),
    /// As the report says it: `missed`, `skipped:…`, `search_ended:…`, `not_tried`, `stored`.
    Said(String),
    /// Its guards do not hold.
    NotEligible,
}

impl<'de> Deserialize<'de> for PatchState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "applied" => Self::Applied,
            "not_eligible" => Self::NotEligible,
            "missed" | "skipped" | "search_ended" | "not_tried" | "stored" => Self::Said(text),
            _ if text.starts_with("skipped:") || text.starts_with("search_ended:") => Self::Said(text),
            _ => match text.parse() {
                Ok(times) => Self::Times(times),
                Err(_) => {
                    let message = format!(
                        "\"{text}\" is nothing that becomes of a patch; accepted: applied, a number of elements, missed, skipped, \
                         skipped:<reason>, search_ended, not_tried, stored, not_eligible"
                    );
                    return Err(serde::de::Error::custom(message));
                }
            },
        })
    }
}

/// Elements that match a selector. Short: `absent`, `present`, or the text of the first.
#[derive(Debug, Clone)]
pub(super) enum Selected {
    Absent,
    Present,
    Elements(Box<Element>),
}

impl<'de> Deserialize<'de> for Selected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Wanted::deserialize(deserializer)? {
            Wanted::Absent => Self::Absent,
            Wanted::Is(Element { is_present: true, .. }) => Self::Present,
            Wanted::Is(element) => Self::Elements(Box::new(element)),
        })
    }
}

/// What is said of the first element, or of all.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Element {
    /// How many there are.
    pub(super) count: Option<usize>,
    /// It is said of every one, not of the first.
    pub(super) all: bool,
    /// Its text, in which runs of white space count as one space.
    pub(super) text: Option<Brief<Text>>,
    /// The markup in it.
    pub(super) html: Option<Brief<Text>>,
    pub(super) attributes: BTreeMap<String, Wanted<Text>>,
    /// Values in its text, which is JSON, by JSON Pointer.
    pub(super) json: BTreeMap<String, Wanted<Json>>,
    #[serde(skip)]
    is_present: bool,
}

impl Short for Element {
    const FORMS: &'static str =
        "absent, present, a text, or a map of count, all, text, html, attributes, json";

    fn short(text: &str) -> Result<Self, String> {
        if text == "present" {
            return Ok(Self { is_present: true, ..Self::default() });
        }
        Ok(Self { text: Some(Brief(Text::short(text)?)), ..Self::default() })
    }
}

/// A value of JSON. Short: text, a number, true or false.
#[derive(Debug, Clone)]
pub(super) struct Json(pub(super) Value);

impl<'de> Deserialize<'de> for Wanted<Json> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::String(word) if word == "absent" => Self::Absent,
            value => Self::Is(Json(value)),
        })
    }
}

/// A request as the origin gets it. Short: its path.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Request {
    pub(super) method: Option<String>,
    pub(super) host: Option<String>,
    /// With the query.
    pub(super) path: Option<Brief<Text>>,
    pub(super) headers: BTreeMap<Name, Wanted<Text>>,
}

impl Short for Request {
    const FORMS: &'static str = "absent, a path, or a map of method, host, path, headers";

    fn short(text: &str) -> Result<Self, String> {
        Ok(Self { path: Some(Brief(Text::short(text)?)), ..Self::default() })
    }
}

/// What caches may do.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Cacheable {
    /// The visitor's own.
    pub(super) browser: Option<Keeps>,
    /// Those in front that many visitors share.
    pub(super) shared: Option<Keeps>,
    /// The one behind the personal edits.
    pub(super) store: Option<Keeps>,
}

/// What a cache may do with a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    No,
    Yes,
    /// And use it for that long without asking.
    For(Duration),
}

impl<'de> Deserialize<'de> for Keeps {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "false" | "no" => Ok(Self::No),
            "true" | "yes" => Ok(Self::Yes),
            _ => text.parse().map(Self::For).map_err(|_| {
                let message =
                    format!("\"{text}\" is neither yes, no nor how long it may be used, such as 90s or 1h");
                serde::de::Error::custom(message)
            }),
        }
    }
}

/// The body as it leaves. Short: `unchanged`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Body {
    /// Byte for byte the origin's.
    pub(super) unchanged: Option<bool>,
    /// What the report says became of it: `edited`, `not_wanted`, `untouched:…`.
    pub(super) state: Option<String>,
    pub(super) equals: Option<String>,
    pub(super) contains: Many,
    pub(super) not_contains: Many,
    pub(super) matches: Option<Parsed<Regex>>,
    /// It is that of the snapshot, which has the scenario's name unless another is given.
    pub(super) snapshot: Option<Snapshot>,
}

impl Body {
    /// What is said of its text.
    pub(super) fn text(&self) -> Text {
        Text {
            equals: self.equals.clone(),
            contains: self.contains.clone(),
            not_contains: self.not_contains.clone(),
            matches: self.matches.clone(),
        }
    }
}

impl Short for Body {
    const FORMS: &'static str =
        "unchanged, or a map of unchanged, state, equals, contains, not_contains, matches, snapshot";

    fn short(text: &str) -> Result<Self, String> {
        if text == "unchanged" {
            return Ok(Self { unchanged: Some(true), ..Self::default() });
        }
        Err(format!("\"{text}\" is not understood; write unchanged, or a map such as {{ contains: … }}"))
    }
}

/// A snapshot: `true`, or a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Snapshot {
    OfScenario,
    Named(String),
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let is_name = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
        match name.as_str() {
            "true" => Ok(Self::OfScenario),
            _ if !name.is_empty() && name.len() <= 64 && name.chars().all(is_name) => Ok(Self::Named(name)),
            _ => Err(serde::de::Error::custom(format!(
                "\"{name}\" is not a name; use letters, digits, - and _, from 1 to 64, or write true"
            ))),
        }
    }
}
