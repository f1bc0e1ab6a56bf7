//! What the caches are told of the pages of a route, and what those pages are made from.

use std::io::{self, Write};

use engraft::cache::Answer;
use engraft::cache::inputs::Inputs;
use engraft::cache::set_cookie::Storable;
use engraft::engine::{Engine, Route};
use engraft::request::attributes::Values;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use crate::output::Palette;

/// How much room labels have.
const LABEL: usize = 12;

/// See the [module](self).
#[derive(Debug, Serialize)]
pub(super) struct Policy<'f> {
    route: &'f str,
    /// `Cache-Control`; none where it is the origin's.
    browser: Option<String>,
    /// What shared caches in front are told besides, header by header.
    cdn: Vec<String>,
    /// `Cache-Control` for the cache behind the personal edits, where there is one; none where it is the origin's.
    store: Option<String>,
    inputs: Inputs,
}

impl<'f> Policy<'f> {
    pub(super) fn of(route: &'f Route, engine: &Engine) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        let answer = Answer {
            status: StatusCode::OK,
            headers: &headers,
            vary: None,
            is_page: true,
            asked: &route.cache.asked(&HeaderMap::new()),
            values: &Values::default(),
            is_of_visitor: false,
            cookies: &Storable::Yes,
        };
        let (edits, of_store) = (route.cache.edits(&answer), route.cache.store_edits(&answer));
        let mut stored = HeaderMap::new();
        of_store.headers.iter().for_each(|edit| edit.apply(&mut stored));
        headers.clear();
        edits.headers.iter().for_each(|edit| edit.apply(&mut headers));
        let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let browser = headers.remove(CACHE_CONTROL).as_ref().map(shown);
        let cdn: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", shown(value))).collect();
        let inputs = Inputs::of(route, engine.attributes());
        let store = stored.get(CACHE_CONTROL).filter(|_| inputs.stored).map(shown);
        Self { route: &route.name, browser, cdn, store, inputs }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.browser.is_none() && self.cdn.is_empty() && self.inputs.is_plain()
    }

    pub(super) fn write(&self, out: &mut dyn Write, palette: &Palette) -> io::Result<()> {
        let place = palette.place;
        writeln!(out, "\n{place}route {}{place:#}", self.route)?;
        let store = match (&self.store, self.inputs.stored) {
            (_, false) => "nothing",
            (None, true) => "as the origin says",
            (Some(store), true) => store,
        };
        let browser = self.browser.as_deref().unwrap_or("as the origin says");
        let cdn = if self.cdn.is_empty() { vec!["as the browser".to_owned()] } else { self.cdn.clone() };
        for (label, lines) in [
            ("browser", vec![browser.to_owned()]),
            ("cdn", cdn),
            ("store", vec![store.to_owned()]),
            ("key", vec![self.inputs.key.join("; ")]),
            ("depends on", self.inputs.reads.iter().map(ToString::to_string).collect()),
            ("patches", self.inputs.stages.iter().map(ToString::to_string).collect()),
        ] {
            rows(out, palette.columns, label, &lines)?;
        }
        Ok(())
    }
}

/// Lines with their label in front of the first one, broken where a terminal ends.
fn rows(out: &mut dyn Write, columns: Option<usize>, label: &str, lines: &[String]) -> io::Result<()> {
    let mut label = label;
    for line in lines {
        let indent = "  ".len().saturating_add(LABEL);
        let width = columns.map_or(usize::MAX, |columns| columns.saturating_sub(indent).max(20));
        for part in textwrap::wrap(line, width) {
            writeln!(out, "  {label:LABEL$}{part}")?;
            label = "";
        }
    }
    Ok(())
}
