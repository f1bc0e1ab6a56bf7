//! `--page`: what the patches of a configuration select on real pages.

use std::collections::BTreeMap;

use engraft::config::node::Location;
use engraft::engine::{Engine, Route};
use engraft::lint::page::{Aim, Sight, look};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;

use crate::args::Url;
use crate::exchange::visit;
use crate::failure::Failure;
use crate::fetch;
use crate::input::Input;

mod remarks;
mod table;

pub(super) use remarks::remarks;

/// Where a page is from.
#[derive(Debug, Clone)]
pub(crate) enum Page {
    File(Input),
    Web(Url),
}

/// The patches of a route on a page.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    page: String,
    /// What it was asked for by, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// None where no route is for that URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<String>,
    /// Why it would pass as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    untouched: Option<&'static str>,
    patches: Vec<PatchSeen>,
    #[serde(skip)]
    number: usize,
    /// The page is known to be one of the route.
    #[serde(skip)]
    is_certain: bool,
}

/// A patch, or a part of one, on a page.
#[derive(Debug, Serialize)]
struct PatchSeen {
    patch: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    select: Option<String>,
    matches: usize,
    /// Where the first of them begin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    places: Vec<Location>,
    /// To how many elements it would be applied.
    applied: u32,
    /// Why not to others that it matches, and to how many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    skipped: BTreeMap<&'static str, u32>,
    /// Why not the whole page was searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    search_ended: Option<&'static str>,
    /// So many bytes would be held back for it at most.
    held_bytes: usize,
    #[serde(skip)]
    all: bool,
    /// It may go in wherever there is nothing that it looks for.
    #[serde(skip)]
    is_anywhere: bool,
    #[serde(skip)]
    number: usize,
}

impl From<Sight> for PatchSeen {
    fn from(sight: Sight) -> Self {
        let Sight { patch, label, aim, matches, places, all, outcome, held_bytes, .. } = sight;
        Self {
            patch: label,
            is_anywhere: aim == Aim::Anywhere,
            select: match aim {
                Aim::Elements(selector) => Some(selector),
                Aim::Json | Aim::Anywhere => None,
            },
            matches,
            places,
            applied: outcome.applied,
            skipped: outcome.skipped.iter().map(|(reason, count)| (reason.name(), *count)).collect(),
            search_ended: outcome.search_ended.map(|reason| reason.name()),
            held_bytes,
            all,
            number: patch,
        }
    }
}

/// Looks at each page: one of the web with the route of its URL, a file with that of `url`, or with every route.
///
/// # Errors
/// A page that can't be had.
pub(super) fn see(engine: &Engine, pages: &[Page], url: Option<&Url>) -> Result<Vec<Seen>, Failure> {
    let mut seen = Vec::new();
    for page in pages {
        let (name, url, status, headers, body) = match page {
            Page::File(file) => {
                let content_type = file.content_type();
                let headers =
                    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
                (file.name(), url.cloned(), StatusCode::OK, headers, file.read()?)
            }
            Page::Web(url) => {
                let fetch::Fetched { status, headers, body } = fetch::fetch(url)?;
                (url.to_string(), Some(url.clone()), status, headers, body)
            }
        };
        let on = |number: usize, route: &Route, is_certain: bool| {
            let (sights, untouched) = match look(route, engine.limits(), status, &headers, &body) {
                Ok(sights) => (sights, None),
                Err(reason) => (Vec::new(), Some(reason.name())),
            };
            Seen {
                page: name.clone(),
                url: url.as_ref().map(Url::to_string),
                route: Some(route.name.clone()),
                untouched,
                patches: sights.into_iter().map(PatchSeen::from).collect(),
                number,
                is_certain,
            }
        };
        match &url {
            Some(url) => {
                let head = visit::head(&Method::GET, url.clone(), HeaderMap::new());
                seen.push(match engine.route(&head) {
                    Some((number, route)) => on(number, route, true),
                    None => nowhere(&name, url),
                });
            }
            None => {
                let routes = engine.routes();
                seen.extend(
                    routes.iter().enumerate().map(|(number, route)| on(number, route, routes.len() == 1)),
                );
            }
        }
    }
    Ok(seen)
}

fn nowhere(name: &str, url: &Url) -> Seen {
    let (page, url) = (name.to_owned(), Some(url.to_string()));
    Seen { page, url, route: None, untouched: None, patches: Vec::new(), number: 0, is_certain: false }
}
