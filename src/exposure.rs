//! Exposures: that a visitor sees a variation of an experiment, told to whoever analyses it.
//!
//! An exposure is a decision that reached a page: the variation was assigned by the hash, and its patches were applied (or the
//! redirect was sent, or a 304 confirmed the page that has them). Of the control, which has no patches, the same is asked of
//! those of its counterpart: whether they would have been applied. [`Event`] is the one shape in which it is told, here in
//! three ways: to the access log ([`List`]), to the page's own scripts ([`page`]), and to an HTTP service ([`collector`]).
//!
//! What is told may be wrong in one way that nobody notices, and that is a wrong name. So nothing that names something is
//! ever cut: an event with a longer name than [`MAX_NAME_BYTES`] or a longer value than [`MAX_VALUE_BYTES`] is not made, and
//! whoever wanted it counts that.

use std::fmt;

use serde::Serialize;

use crate::decisions::Exposed;

pub mod collector;
mod list;
pub mod page;
pub mod sinks;
mod timestamp;

pub use list::{List, MAX_LIST_BYTES};
use timestamp::Timestamp;

/// The longest name of an experiment, a variation, an attribute or a feature.
pub const MAX_NAME_BYTES: usize = 256;

/// The longest value that is hashed: a visitor's id, most of the time.
pub const MAX_VALUE_BYTES: usize = 1024;

/// The longest path that is told; a longer one is left out.
pub const MAX_PATH_BYTES: usize = 1024;

/// What every event is called, as GrowthBook's own scripts call theirs.
pub const NAME: &str = "experiment_viewed";

/// A visitor has seen a variation. Its fields are told in `docs/exposures.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    experiment_id: String,
    variation_id: String,
    variation_index: usize,
    hash_attribute: String,
    hash_value: String,
    feature_id: Option<String>,
    route: String,
    seen_by: SeenBy,
    url_path: Option<String>,
    view_id: Option<String>,
}

/// By what it is known that the visitor sees the variation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SeenBy {
    /// The variation's patches were applied to the response.
    Edit,
    /// The variation is the control, and what its counterpart would have edited is there.
    Control,
    /// The redirect was sent.
    Redirect,
    /// The visitor had the page, and was told that it is still the one.
    NotModified,
    /// The page ran.
    Page,
}

impl SeenBy {
    /// Its name in events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Control => "control",
            Self::Redirect => "redirect",
            Self::NotModified => "not_modified",
            Self::Page => "page",
        }
    }
}

/// A name or a value is longer than an event may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooLong {
    /// Of the field.
    pub field: &'static str,
    /// How long it is.
    pub bytes: usize,
    /// How long it may be.
    pub max_bytes: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} has {} bytes, and an event takes {}", self.field, self.bytes, self.max_bytes)
    }
}

impl std::error::Error for TooLong {}

impl Event {
    /// The event for an assignment. Whether it is an exposure is known to who asks.
    ///
    /// # Errors
    /// A name or the value is too long.
    pub fn of(exposed: &Exposed, route: &str, seen_by: SeenBy) -> Result<Self, TooLong> {
        let (attribute, value) = &exposed.hash;
        let feature = exposed.feature.as_ref().map(|id| bounded("feature_id", id, MAX_NAME_BYTES));
        Ok(Self {
            experiment_id: bounded("experiment_id", &exposed.experiment, MAX_NAME_BYTES)?,
            variation_id: bounded("variation_id", &exposed.variation, MAX_NAME_BYTES)?,
            variation_index: exposed.index,
            hash_attribute: bounded("hash_attribute", attribute, MAX_NAME_BYTES)?,
            hash_value: bounded("hash_value", value, MAX_VALUE_BYTES)?,
            feature_id: feature.transpose()?,
            route: route.to_owned(),
            seen_by,
            url_path: None,
            view_id: None,
        })
    }

    /// Whether there can be an event for an assignment: what names something is never cut.
    #[must_use]
    pub fn fits(exposed: &Exposed) -> bool {
        Self::of(exposed, "", SeenBy::Page).is_ok()
    }

    /// The same, on the page with this path, in the view of it that `view` names: a number by chance, the same for all events
    /// of one response. A query in `path` is left out, and so is a path that is too long.
    #[must_use]
    pub fn on(mut self, path: &str, view: u128) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        self.url_path = (path.len() <= MAX_PATH_BYTES).then(|| path.to_owned());
        self.view_id = Some(format!("{view:032x}"));
        self
    }

    /// The same, known in another way.
    #[must_use]
    pub fn seen_by(self, seen_by: SeenBy) -> Self {
        Self { seen_by, ..self }
    }

    /// The experiment.
    #[must_use]
    pub fn experiment_id(&self) -> &str {
        &self.experiment_id
    }

    /// The variation.
    #[must_use]
    pub fn variation_id(&self) -> &str {
        &self.variation_id
    }

    /// The attribute that was hashed.
    #[must_use]
    pub fn hash_attribute(&self) -> &str {
        &self.hash_attribute
    }

    /// As JSON, for what is behind the visitor's back: with the time, in milliseconds since 1970.
    #[must_use]
    pub fn for_server(&self, now: u64) -> String {
        let context = Context {
            url_path: self.url_path.as_deref(),
            view_id: self.view_id.as_deref(),
            timestamp: Timestamp(now),
        };
        self.json(self.seen_by, Some(&self.hash_value), Some(context))
    }

    /// As JSON, for the scripts of the page. It is the same each time that the page is, so that caches may keep it; the value that was
    /// hashed is null unless it is asked for.
    #[must_use]
    pub fn for_page(&self, with_hash_value: bool) -> String {
        self.json(SeenBy::Page, Some(self.hash_value.as_str()).filter(|_| with_hash_value), None)
    }

    fn json(&self, seen_by: SeenBy, hash_value: Option<&str>, context: Option<Context<'_>>) -> String {
        let shape = Shape {
            event: NAME,
            experiment_id: &self.experiment_id,
            variation_id: &self.variation_id,
            variation_index: self.variation_index,
            hash_attribute: &self.hash_attribute,
            hash_value,
            feature_id: self.feature_id.as_deref(),
            route: &self.route,
            seen_by: seen_by.name(),
            context,
        };
        // Serialising plain data can't fail.
        serde_json::to_string(&shape).unwrap_or_default()
    }
}

/// What is written, in this order. A field without a value is null, not missing: a tag manager would go on to show what the
/// event before had there.
#[derive(Serialize)]
struct Shape<'e> {
    event: &'static str,
    experiment_id: &'e str,
    variation_id: &'e str,
    variation_index: usize,
    hash_attribute: &'e str,
    hash_value: Option<&'e str>,
    feature_id: Option<&'e str>,
    route: &'e str,
    seen_by: &'static str,
    #[serde(flatten)]
    context: Option<Context<'e>>,
}

/// What the page knows by itself.
#[derive(Serialize)]
struct Context<'e> {
    url_path: Option<&'e str>,
    view_id: Option<&'e str>,
    timestamp: Timestamp,
}

fn bounded(field: &'static str, text: &str, max_bytes: usize) -> Result<String, TooLong> {
    let bytes = text.len();
    if bytes > max_bytes { Err(TooLong { field, bytes, max_bytes }) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::{Event, SeenBy};
    use crate::decisions::Exposed;

    pub(crate) fn exposed(experiment: &str, variation: &str, hash_value: &str) -> Exposed {
        Exposed::new(experiment, (variation, 1), ("id", hash_value))
    }

    pub(crate) fn event(experiment: &str, hash_value: &str) -> Event {
        Event::of(&exposed(experiment, "bold", hash_value), "product", SeenBy::Edit).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{event, exposed};
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn the_shape_is_the_documented_one() {
        let event = event("hero", "u-1").on("/p/1?utm_source=mail#top", 0xabc);
        let server: Value = serde_json::from_str(&event.for_server(1_700_000_000_123)).unwrap();
        assert_eq!(
            server,
            json!({
                "event": "experiment_viewed",
                "experiment_id": "hero",
                "variation_id": "bold",
                "variation_index": 1,
                "hash_attribute": "id",
                "hash_value": "u-1",
                "feature_id": null,
                "route": "product",
                "seen_by": "edit",
                "url_path": "/p/1",
                "view_id": "00000000000000000000000000000abc",
                "timestamp": "2023-11-14T22:13:20.123Z",
            })
        );
        assert_eq!(
            event.for_page(false),
            "{\"event\":\"experiment_viewed\",\"experiment_id\":\"hero\",\"variation_id\":\"bold\",\"variation_index\":1,\
             \"hash_attribute\":\"id\",\"hash_value\":null,\"feature_id\":null,\"route\":\"product\",\"seen_by\":\"page\"}"
        );
        assert!(event.for_page(true).contains("\"hash_value\":\"u-1\""));
    }

    #[test]
    fn the_documentation_has_these_fields() {
        let docs = include_str!("../docs/exposures.md");
        let written = event("hero", "u-1").for_server(0);
        let fields: serde_json::Map<String, Value> = serde_json::from_str(&written).unwrap();
        for field in fields.keys() {
            assert!(docs.contains(&format!("| `{field}` |")), "{field}");
        }
        for seen_by in [SeenBy::Edit, SeenBy::Control, SeenBy::Redirect, SeenBy::NotModified, SeenBy::Page] {
            assert!(docs.contains(&format!("`{}`", seen_by.name())), "{seen_by:?}");
        }
    }

    #[test]
    fn names_are_never_cut() {
        let long = "x".repeat(MAX_VALUE_BYTES + 1);
        let of = |exposed: &Exposed| Event::of(exposed, "r", SeenBy::Edit);
        let told = of(&exposed("e", "0", &long)).unwrap_err();
        assert_eq!(told.to_string(), "the hash_value has 1025 bytes, and an event takes 1024");
        let name = "x".repeat(MAX_NAME_BYTES + 1);
        assert!(of(&exposed(&name, "0", "u")).is_err() && of(&exposed("e", &name, "u")).is_err());
        let path = "/".repeat(MAX_PATH_BYTES + 1);
        assert!(event("e", "u").on(&path, 1).for_server(0).contains("\"url_path\":null"));
    }
}
