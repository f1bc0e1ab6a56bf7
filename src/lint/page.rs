//! The patches of a route on one page: what each selects there, and what would become of it, whoever asks.
//!
//! Elements are found by the [locator](crate::html::locate) and judged by the [editor](crate::html::editor), as in an exchange;
//! values of the request are taken as missing, and guards as holding.

use http::{HeaderMap, StatusCode};

use crate::config::model::Limits;
use crate::config::node::Location;
use crate::engine::Route;
use crate::exchange::gate::{Kind, Untouched, gate};
use crate::html::charset::Charset;
use crate::html::editor::Editor;
use crate::html::locate::{Bounds, Locator, Place, Sighting, Target};
use crate::html::operation::{ElementPatch, Site};
use crate::html::outcome::Outcome;
use crate::json::{self, BodyEditor};
use crate::patch::Action;
use crate::request::attributes::Values;

/// How many places are told of each patch.
pub const MAX_PLACES: usize = 3;

/// The pieces in which a page is taken to come. What leaves a piece late by less than that is not seen.
pub const PIECE_BYTES: usize = 1024;

/// An edit of a patch on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sight {
    /// The patch's number in the route.
    pub patch: usize,
    /// Its name, with that of its part where it has several.
    pub label: String,
    /// What it looks for.
    pub aim: Aim,
    /// How many elements match.
    pub matches: usize,
    /// Where the first of them begin.
    pub places: Vec<Location>,
    /// Every match is meant, not just the first.
    pub all: bool,
    /// What would become of it, if it were alone.
    pub outcome: Outcome,
    /// So many bytes would be held back at most, where the page comes in pieces of [`PIECE_BYTES`].
    pub held_bytes: usize,
}

/// What an edit looks for on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever shows sights must show each")]
pub enum Aim {
    /// Elements, by a selector.
    Elements(String),
    /// Places in a body that is JSON.
    Json,
    /// A place that every page has, or one that is made where it is missing.
    Anywhere,
}

/// Looks for what the patches of a route that edit bodies are for, in `page`, which came without content coding in a response with
/// this status and these headers.
///
/// # Errors
/// Why the page stays as it is.
pub fn look(
    route: &Route,
    limits: &Limits,
    status: StatusCode,
    headers: &HeaderMap,
    page: &[u8],
) -> Result<Vec<Sight>, Untouched> {
    let readable = gate(status, headers, &route.content_types)?;
    if !readable.codings.is_empty() {
        return Err(Untouched::ContentCoding);
    }
    match readable.kind {
        Kind::Json => Ok(in_json(route, limits, page)),
        Kind::Html => {
            let charset = readable.sniffer.judge(page, true).unwrap_or(Ok(Charset::Undeclared));
            Ok(in_html(route, limits, charset.map_err(|_| Untouched::Charset)?, page))
        }
    }
}

fn in_json(route: &Route, limits: &Limits, page: &[u8]) -> Vec<Sight> {
    let edits = route.patches.iter().enumerate().filter_map(|(number, patch)| match &patch.action {
        Action::Json(edit) => Some((number, patch, edit)),
        _ => None,
    });
    let edits: Vec<_> = edits.collect();
    let bounds = json::Bounds::holding(usize::try_from(limits.max_held_bytes).unwrap_or(usize::MAX));
    let sights = edits.iter().map(|(number, patch, edit)| {
        let mut editor = BodyEditor::new([edit.for_body(&Values::default())], bounds);
        let mut out = Vec::new();
        for piece in page.chunks(PIECE_BYTES) {
            editor.write(piece, &mut out);
        }
        editor.end(&mut out);
        let held_bytes = editor.max_held();
        let outcome = editor.outcomes().into_iter().next().unwrap_or_default();
        Sight {
            patch: *number,
            label: patch.label.clone(),
            aim: Aim::Json,
            matches: usize::try_from(outcome.matched()).unwrap_or(usize::MAX),
            places: Vec::new(),
            all: false,
            outcome,
            held_bytes,
        }
    });
    sights.collect()
}

fn in_html(route: &Route, limits: &Limits, charset: Charset, page: &[u8]) -> Vec<Sight> {
    let bounds = Bounds {
        max_tag_bytes: usize::try_from(limits.max_tag_bytes).unwrap_or(usize::MAX),
        max_elements: limits.max_elements,
        max_undecided_bytes: limits.max_held_bytes.into(),
    };
    let max_held_bytes = usize::try_from(limits.max_held_bytes).unwrap_or(usize::MAX);
    let mut sights = Vec::new();
    let mut patches = Vec::new();
    for (number, patch) in route.patches.iter().enumerate() {
        let Action::Elements(edits) = &patch.action else { continue };
        for edit in edits {
            let rendered = edit.render(&Values::default(), charset);
            let (aim, all) = (aim(&rendered), matches!(rendered.site, Site::Elements { all: true, .. }));
            patches.push(rendered.clone());
            let (outcome, held_bytes) = match edit.refusal {
                Some(reason) => (Outcome::skipped(reason), 0),
                None => alone(rendered, charset, bounds, max_held_bytes, page),
            };
            sights.push(Sight {
                patch: number,
                label: edit
                    .part
                    .map_or_else(|| patch.label.clone(), |part| format!("{}.{part}", patch.label)),
                aim,
                matches: 0,
                places: Vec::new(),
                all,
                outcome,
                held_bytes,
            });
        }
    }
    let lines = Lines::of(page, charset);
    for (sight, starts) in sights.iter_mut().zip(starts(&patches, charset, bounds, page)) {
        sight.matches = starts.len();
        sight.places = starts.iter().take(MAX_PLACES).map(|at| lines.locate(*at)).collect();
    }
    sights
}

/// What becomes of a patch that is the only one, and how much is held for it.
fn alone(
    patch: ElementPatch,
    charset: Charset,
    bounds: Bounds,
    max_held_bytes: usize,
    page: &[u8],
) -> (Outcome, usize) {
    let mut editor = Editor::new(vec![patch], charset, bounds, max_held_bytes);
    let mut out = Vec::new();
    for piece in page.chunks(PIECE_BYTES) {
        editor.write(piece, &mut out);
    }
    editor.end(&mut out);
    let held_bytes = editor.max_held();
    (editor.outcomes().into_iter().next().unwrap_or_default(), held_bytes)
}

/// A patch that adds what it doesn't find is at home on every page.
fn aim(patch: &ElementPatch) -> Aim {
    match &patch.site {
        Site::Elements { selector, .. } if patch.fallback.is_none() => {
            Aim::Elements(selector.as_str().to_owned())
        }
        _ => Aim::Anywhere,
    }
}

/// Where the elements begin that each patch matches: all of them, whichever it takes.
fn starts(patches: &[ElementPatch], charset: Charset, bounds: Bounds, page: &[u8]) -> Vec<Vec<u64>> {
    let mut found = vec![Vec::new(); patches.len()];
    let (numbers, targets): (Vec<usize>, Vec<Target>) = patches
        .iter()
        .enumerate()
        .filter_map(|(number, patch)| match &patch.site {
            Site::Elements { selector, .. } => Some((number, every(std::sync::Arc::clone(selector)))),
            Site::Landmark(_) => None,
        })
        .unzip();
    let mut locator = Locator::new(targets, charset.encoding(), bounds);
    locator.write(page);
    locator.end();
    for sighting in locator.take_sightings() {
        let Sighting::Start(tag) = sighting else { continue };
        for target in &tag.targets {
            let number = numbers.get(target.target).copied();
            if let Some(starts) = number.and_then(|number| found.get_mut(number)) {
                starts.push(tag.tag.start);
            }
        }
    }
    found
}

fn every(selector: std::sync::Arc<crate::html::selector::Selector>) -> Target {
    Target::at(Place::Elements { selector, all: true, skip_first: 0 })
}

/// Where the lines of a page begin.
struct Lines<'p> {
    page: &'p [u8],
    starts: Vec<usize>,
    is_utf8: bool,
}

impl<'p> Lines<'p> {
    fn of(page: &'p [u8], charset: Charset) -> Self {
        let feeds = page.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = [0].into_iter().chain(feeds.map(|(at, _)| at.saturating_add(1))).collect();
        Self { page, starts, is_utf8: charset.is_utf8() }
    }

    /// The column counts characters where the page is UTF-8, and bytes where it is not.
    fn locate(&self, at: u64) -> Location {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let line = self.starts.partition_point(|start| *start <= at);
        let start =
            line.checked_sub(1).and_then(|before| self.starts.get(before)).copied().unwrap_or_default();
        let before = self.page.get(start..at).unwrap_or_default();
        // All bytes but those that continue a character.
        let columns = before.iter().filter(|byte| !self.is_utf8 || **byte & 0xc0 != 0x80).count();
        Location { line, column: columns.saturating_add(1) }
    }
}
