//! A rendering as JSON, for scripts and tests.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use engraft::decisions::Note;
use engraft::exchange::report;
use engraft::exposure::Event;
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::exchange::rendering::{OriginRequest, Rendering};

#[derive(Serialize)]
pub(super) struct Exchange<'r> {
    /// What the origin was asked; null where it was not.
    request: Option<Request<'r>>,
    response: Response<'r>,
    route: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirected_by: Option<&'r str>,
    /// Those that the route reads, of which the request has a value.
    attributes: BTreeMap<&'r str, &'r Value>,
    body: String,
    /// Those that were carried out on the exchange, then those of elements whose conditions hold.
    patches: Vec<Patch>,
    /// What was decided about the visitor, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    decisions: BTreeMap<&'r str, Decision<'r>>,
    /// The assignments that the visitor saw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exposures: Vec<Exposure<'r>>,
    max_held_bytes: usize,
    counters: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Request<'r> {
    method: &'r str,
    url: String,
    headers: Vec<(&'r str, Cow<'r, str>)>,
}

#[derive(Serialize)]
struct Response<'r> {
    status: u16,
    headers: Vec<(&'r str, Cow<'r, str>)>,
    body: Cow<'r, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_encoding: Option<&'static str>,
}

#[derive(Serialize)]
struct Decision<'r> {
    value: &'r str,
    because: &'r str,
}

#[derive(Serialize)]
struct Exposure<'r> {
    experiment: &'r str,
    variation: &'r str,
}

#[derive(Serialize)]
struct Patch {
    label: String,
    required: bool,
    applied: u32,
    matched: u32,
    skipped: BTreeMap<String, u32>,
    search_ended: Option<String>,
    /// What logs say of it: a number of elements (1 for the exchange), `missed`, `skipped:…`, `search_ended:…` or
    /// `not_tried`.
    state: String,
}

impl<'r> From<&'r Rendering> for Exchange<'r> {
    fn from(rendering: &'r Rendering) -> Self {
        let Rendering { request, attributes, report, .. } = rendering;
        Self {
            request: request.as_ref().map(Request::from),
            response: Response::from(rendering),
            route: report.route.as_deref(),
            redirected_by: report.redirected_by.as_deref(),
            attributes: attributes.iter().collect(),
            body: report.body.to_string(),
            patches: report.patches.iter().map(Patch::from).collect(),
            decisions: report.decisions.iter().map(decision).collect(),
            exposures: report.exposures.iter().map(exposure).collect(),
            max_held_bytes: report.max_held_bytes,
            counters: report.counters().into_iter().map(|(counter, n)| (counter.to_string(), n)).collect(),
        }
    }
}

fn decision(note: &Note) -> (&str, Decision<'_>) {
    (&note.name, Decision { value: &note.value, because: note.because })
}

fn exposure(event: &Event) -> Exposure<'_> {
    Exposure { experiment: event.experiment_id(), variation: event.variation_id() }
}

impl<'r> From<&'r OriginRequest> for Request<'r> {
    fn from(request: &'r OriginRequest) -> Self {
        Self { method: &request.method, url: request.url.to_string(), headers: headers(&request.headers) }
    }
}

impl<'r> From<&'r Rendering> for Response<'r> {
    fn from(rendering: &'r Rendering) -> Self {
        let (body, body_encoding) = match std::str::from_utf8(&rendering.body) {
            Ok(text) => (text.into(), None),
            Err(_) => (BASE64.encode(&rendering.body).into(), Some("base64")),
        };
        Self { status: rendering.status.as_u16(), headers: headers(&rendering.headers), body, body_encoding }
    }
}

impl From<&report::PatchReport> for Patch {
    fn from(patch: &report::PatchReport) -> Self {
        let shown = patch.to_string();
        let state = shown.rsplit_once('=').map(|(_, state)| state);
        let outcome = patch.outcome.clone().unwrap_or_default();
        Self {
            label: patch.part.map_or_else(|| patch.label.clone(), |part| format!("{}.{part}", patch.label)),
            required: patch.required,
            applied: outcome.applied,
            matched: outcome.matched(),
            search_ended: outcome.search_ended.map(|reason| reason.to_string()),
            skipped: outcome.skipped.iter().map(|(reason, n)| (reason.to_string(), *n)).collect(),
            state: state.unwrap_or(&shown).to_owned(),
        }
    }
}

/// Sorted by name; the values of one name in their order. What is not UTF-8 in a value is replaced.
fn headers(headers: &HeaderMap) -> Vec<(&str, Cow<'_, str>)> {
    let headers =
        headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
    let mut headers: Vec<_> = headers.collect();
    headers.sort_by_key(|(name, _)| *name);
    headers
}
