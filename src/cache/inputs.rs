//! What the responses of a route are made from, for people: the key, and what each patch reads besides.

use std::fmt;

use crate::engine::Route;
use crate::patch::split::Place;
use crate::request::attributes::Catalogue;

use super::key::Keyed;

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Inputs {
    /// What tells stored responses apart, in the order of its weight: the URL, then headers and cookies.
    pub key: Vec<String>,
    /// Whether a cache between the stages may store the origin's pages.
    pub stored: bool,
    /// What is read, by which patch, in the order of the patches.
    pub reads: Vec<Reading>,
    /// In which stage each patch runs where a cache stands between two; nothing where the route is not stored.
    pub stages: Vec<Staged>,
}

/// A patch and its stage.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Staged {
    /// The name of the patch, or its number.
    pub patch: String,
    /// `origin`: once, and the result is stored; `client`: on every response.
    pub stage: &'static str,
    /// Why it does not run once for all.
    pub because: Option<String>,
}

/// One attribute that a patch reads.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Reading {
    /// The name of the patch, or its number.
    pub patch: String,
    /// The attribute.
    pub attribute: String,
    /// What it is read from.
    pub from: String,
    /// Whether visitors who ask for the same URL may differ in it.
    pub of_visitor: bool,
    /// Whether all requests of one key have the same value.
    pub keyed: bool,
    /// Whether its values are few.
    pub bounded: bool,
}

impl Inputs {
    /// Those of a route.
    #[must_use]
    pub fn of(route: &Route, catalogue: &Catalogue) -> Self {
        let key = &route.key;
        let query = key.query().map_or("query", |query| query.shown());
        let mut parts: Vec<String> =
            ["method", "scheme", "host", "path", query].into_iter().map(str::to_owned).collect();
        if !key.headers().languages().is_empty() {
            parts.push(format!("accept-language: one of {}", key.headers().languages().join(", ")));
        }
        if key.headers().has_device() {
            parts.push("user-agent: desktop, mobile or tablet".to_owned());
        }
        if let Some(reads) = key.reads() {
            parts.extend(reads.shown());
        }
        let reads = route.patches.iter().flat_map(|patch| {
            patch.reads().iter().filter_map(|attribute| {
                Some(Reading {
                    patch: patch.label.clone(),
                    attribute: attribute.clone(),
                    from: catalogue.input(attribute)?.to_string(),
                    of_visitor: catalogue.depends_on_visitor(attribute),
                    keyed: key.keyed(catalogue, attribute) != Keyed::No,
                    bounded: catalogue.is_bounded(attribute),
                })
            })
        });
        let staged = route.patches.iter().zip(&route.places).map(|(patch, place)| {
            let (stage, because) = match place {
                Place::Origin => ("origin", None),
                Place::Client(why) => ("client", Some(why.to_string())),
            };
            Staged { patch: patch.label.clone(), stage, because }
        });
        let stages = if key.is_stored() { staged.collect() } else { Vec::new() };
        Self { key: parts, stored: key.is_stored(), reads: reads.collect(), stages }
    }

    /// Whether there is nothing to tell: the route stores nothing, and its output is the same for everybody.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.stored && !self.reads.iter().any(|reading| reading.of_visitor || !reading.keyed)
    }
}

impl fmt::Display for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.because {
            None => write!(f, "patch {} once, before the page is stored", self.patch),
            Some(why) => write!(f, "patch {} on every response: {why}", self.patch),
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}), read by patch {}", self.attribute, self.from, self.patch)?;
        if self.keyed { f.write_str(", in the key") } else { Ok(()) }
    }
}
