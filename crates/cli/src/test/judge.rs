//! Holds an exchange against what a scenario expects of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use engraft::config::node::Path;
use engraft::config::problem::suggest;
use engraft::engine::Engine;
use engraft::exchange::report::{PatchReport, Report};
use engraft::request::attributes::Values;
use http::HeaderMap;
use serde_json::Value;

use super::expect::{Body, Cacheable, Expect, Json, Keeps, PatchState, Redirect, Request, Text};
use super::outcome::Mismatch;
use super::staging::written;
use super::words::{Name, Wanted};
use crate::cacheability::Verdict;
use crate::exchange::rendering::{OriginRequest, Rendering};

mod page;
mod text;

use text::hold;

/// An exchange, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange<'e> {
    pub(super) engine: &'e Engine,
    pub(super) rendering: &'e Rendering,
    /// The origin's page.
    pub(super) page: &'e [u8],
    pub(super) verdicts: Verdicts,
}

/// What caches may do with the response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verdicts {
    pub(super) browser: Verdict,
    pub(super) shared: Verdict,
    /// None where the route is not stored.
    pub(super) store: Option<Verdict>,
}

/// What does not hold, and where that stands under `expect`.
pub(super) type Found = Vec<(Path, Mismatch)>;

/// Everything that does not hold, snapshots aside.
pub(super) fn judge(expect: &Expect, exchange: Exchange<'_>) -> Found {
    let mut found = Found::new();
    let Exchange { rendering, .. } = exchange;
    let at = |name: &str| Path::default().key(name);
    if let Some(status) = expect.status
        && status.0 != rendering.status
    {
        found.push((at("status"), differs(status.0.as_str(), rendering.status.as_str())));
    }
    if let Some(route) = &expect.route {
        hold_wanted(route, rendering.report.route.as_deref(), "no route matches", &at("route"), &mut found);
    }
    if let Some(redirect) = &expect.redirect {
        hold_redirect(redirect, rendering, &at("redirect"), &mut found);
    }
    for (name, wanted) in &expect.attributes {
        let value = attribute(rendering, name);
        let missing = "the request has no value of it that the route reads";
        hold_wanted(wanted, value.as_deref(), missing, &at("attributes").key(name), &mut found);
    }
    hold_decisions(expect, rendering, &mut found);
    hold_exposures(expect, exchange, &mut found);
    for (label, state) in &expect.patches {
        if let Some(mismatch) = hold_patch(label, state, exchange) {
            found.push((at("patches").key(label), mismatch));
        }
    }
    for (name, wanted) in &expect.headers {
        hold_header(name, wanted, &rendering.headers, &at("headers"), &mut found);
    }
    if let Some(request) = &expect.request {
        hold_request(request, rendering.request.as_ref(), &at("request"), &mut found);
    }
    hold_cacheable(&expect.cacheable, exchange.verdicts, &mut found);
    page::hold(expect, rendering, &mut found);
    if let Some(body) = &expect.body {
        hold_body(&body.0, exchange, &at("body"), &mut found);
    }
    found
}

fn differs(expected: impl Into<String>, found: impl Into<String>) -> Mismatch {
    Mismatch::Differs { expected: expected.into(), found: found.into() }
}

/// A text that may be there or not; `missing` says that it is not.
fn hold_wanted(wanted: &Wanted<Text>, value: Option<&str>, missing: &str, path: &Path, found: &mut Found) {
    match (wanted, value) {
        (Wanted::Absent, None) => {}
        (Wanted::Absent, Some(value)) => found.push((path.clone(), differs("absent", value))),
        (Wanted::Is(Text { equals: Some(text), .. }), None) => {
            found.push((path.clone(), Mismatch::says(format!("{missing}; expected {text}"))));
        }
        (Wanted::Is(_), None) => found.push((path.clone(), Mismatch::says(missing))),
        (Wanted::Is(text), Some(value)) => hold(text, value, path, found),
    }
}

/// What the exchange took for the value of an attribute; a secret one is not in its trace.
fn attribute(rendering: &Rendering, name: &str) -> Option<String> {
    let traced = rendering.report.trace.iter().flat_map(|trace| &trace.attributes);
    match traced.into_iter().find(|attribute| attribute.name == name && !attribute.hidden) {
        Some(attribute) if attribute.value.is_null() => None,
        Some(attribute) => {
            let mut values = Values::default();
            values.decide(name, attribute.value.clone());
            values.text(name)
        }
        None => rendering.attributes.text(name),
    }
}

/// What was chosen and is not seen: that is a slip, or the route does not ask for it.
pub(super) fn hold_choices(
    choices: impl Iterator<Item = (String, String)>,
    report: &Report,
) -> Option<Mismatch> {
    let unseen = |(name, value): (String, String)| {
        let notes = report.decisions.iter();
        let mut decided = notes.filter(|note| note.name.split_once('.').is_some_and(|(_, key)| key == name));
        match decided.next() {
            Some(note) if note.value == value => None,
            Some(note) => {
                Some(format!("{name} is {} ({}), as {value} is none of its values", note.value, note.because))
            }
            None => Some(format!("{name} was chosen to be {value}, and the route does not ask for it")),
        }
    };
    choices.into_iter().find_map(unseen).map(Mismatch::Says)
}

fn hold_redirect(wanted: &Wanted<Redirect>, rendering: &Rendering, path: &Path, found: &mut Found) {
    let location = rendering.headers.get(http::header::LOCATION).map(|location| lossy(location.as_bytes()));
    let Some(patch) = &rendering.report.redirected_by else {
        if let Wanted::Is(_) = wanted {
            found.push((path.clone(), Mismatch::says("nothing redirects; the origin was asked")));
        }
        return;
    };
    let location = location.unwrap_or_default();
    let Wanted::Is(redirect) = wanted else {
        let message = format!("patch {patch} redirects to {location}");
        return found.push((path.clone(), Mismatch::says(message)));
    };
    if let Some(text) = &redirect.location {
        hold(&text.0, &location, &path.clone().key("location"), found);
    }
    if let Some(status) = redirect.status
        && status.0 != rendering.status
    {
        found.push((path.clone().key("status"), differs(status.0.as_str(), rendering.status.as_str())));
    }
    if let Some(wanted) = &redirect.patch
        && wanted != patch
    {
        found.push((path.clone().key("patch"), differs(wanted, patch)));
    }
}

fn hold_decisions(expect: &Expect, rendering: &Rendering, found: &mut Found) {
    let notes = &rendering.report.decisions;
    let mut hold = |field: &str, group: &str, key: &str, wanted: Cow<'_, str>| {
        let path = Path::default().key(field).key(key);
        match notes.iter().find(|note| note.name.strip_prefix(group) == Some(key)) {
            Some(note) if note.value == wanted => {}
            Some(note) => {
                let decided = format!("{} ({})", note.value, note.because);
                found.push((path, differs(wanted, decided)));
            }
            None => {
                let decided: Vec<&str> = notes.iter().map(|note| note.name.as_str()).collect();
                let decided = if decided.is_empty() { "nothing".to_owned() } else { decided.join(", ") };
                let message = format!("the route does not ask for it; it asks for {decided}");
                found.push((path, Mismatch::says(message)));
            }
        }
    };
    for (key, variation) in &expect.decisions {
        hold("decisions", "variants.", key, variation.into());
    }
    for (key, value) in &expect.flags {
        hold("flags", "flags.", key, written(value));
    }
}

fn hold_exposures(expect: &Expect, Exchange { engine, rendering, .. }: Exchange<'_>, found: &mut Found) {
    let Some(wanted) = &expect.exposures else { return };
    if engine.exposures().is_empty() && !wanted.is_empty() {
        let message = "the configuration tells nobody of exposures; say who is told under \"exposures\"";
        return found.push((Path::default().key("exposures"), Mismatch::says(message)));
    }
    let exposures = rendering.report.exposures.iter();
    let exposures: BTreeMap<String, String> =
        exposures.map(|event| (event.experiment_id().to_owned(), event.variation_id().to_owned())).collect();
    if *wanted != exposures {
        found.push((Path::default().key("exposures"), differs(listed(wanted), listed(&exposures))));
    }
}

fn listed(pairs: &BTreeMap<String, String>) -> String {
    if pairs.is_empty() {
        return "none".to_owned();
    }
    pairs.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

fn hold_patch(label: &str, state: &PatchState, exchange: Exchange<'_>) -> Option<Mismatch> {
    let Exchange { engine, rendering, .. } = exchange;
    let whole = |patch: &PatchReport| patch.part.map(|part| format!("{}.{part}", patch.label));
    let reports = rendering.report.patches.iter();
    let reports: Vec<&PatchReport> =
        reports.filter(|patch| patch.label == label || whole(patch).as_deref() == Some(label)).collect();
    if reports.is_empty() {
        let route = rendering.report.route.as_deref().and_then(|name| engine.route_named(name));
        let known = route.map(|(_, route)| route.patches.iter().map(|patch| patch.label.as_str()));
        let known: Vec<&str> = known.into_iter().flatten().collect();
        let own = label.split('.').next().unwrap_or_default();
        if !known.contains(&label) && !known.contains(&own) {
            let meant = suggest(label, known.iter().copied());
            let meant = meant.map(|meant| format!("; did you mean \"{meant}\"?")).unwrap_or_default();
            return Some(Mismatch::says(format!("the route has no patch \"{label}\"{meant}")));
        }
        return match state {
            PatchState::NotEligible => None,
            _ => Some(differs(shown(state), "not_eligible")),
        };
    }
    reports.iter().find_map(|patch| {
        let summary = patch.to_string();
        let said = summary.rsplit_once('=').map_or("", |(_, said)| said);
        let holds = match state {
            PatchState::Applied => patch.is_applied(),
            PatchState::Times(times) => said.parse() == Ok(*times),
            PatchState::NotEligible => false,
            PatchState::Said(word) if word.contains(':') => said == word,
            PatchState::Said(word) => said.split(':').next() == Some(word),
        };
        (!holds).then(|| differs(shown(state), said))
    })
}

fn shown(state: &PatchState) -> Cow<'_, str> {
    match state {
        PatchState::Applied => "applied".into(),
        PatchState::Times(times) => times.to_string().into(),
        PatchState::Said(word) => word.into(),
        PatchState::NotEligible => "not_eligible".into(),
    }
}

/// All values of a header count as one, with commas, as HTTP has it.
fn hold_header(name: &Name, wanted: &Wanted<Text>, headers: &HeaderMap, path: &Path, found: &mut Found) {
    let values: Vec<String> =
        headers.get_all(&name.name).iter().map(|value| lossy(value.as_bytes())).collect();
    let value = (!values.is_empty()).then(|| values.join(", "));
    hold_wanted(wanted, value.as_deref(), "there is no such header", &path.clone().key(&name.written), found);
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn hold_request(wanted: &Wanted<Request>, asked: Option<&OriginRequest>, path: &Path, found: &mut Found) {
    let (wanted, asked) = match (wanted, asked) {
        (Wanted::Absent, None) => return,
        (Wanted::Absent, Some(asked)) => {
            let message = format!("the origin was asked: {} {}", asked.method, asked.url);
            return found.push((path.clone(), Mismatch::says(message)));
        }
        (Wanted::Is(_), None) => {
            return found.push((path.clone(), Mismatch::says("the origin was not asked")));
        }
        (Wanted::Is(wanted), Some(asked)) => (wanted, asked),
    };
    for (field, wanted, asked) in
        [("method", &wanted.method, &asked.method), ("host", &wanted.host, &asked.url.authority)]
    {
        if let Some(wanted) = wanted
            && wanted != asked
        {
            found.push((path.clone().key(field), differs(wanted, asked)));
        }
    }
    if let Some(text) = &wanted.path {
        hold(&text.0, &asked.url.path, &path.clone().key("path"), found);
    }
    for (name, wanted) in &wanted.headers {
        hold_header(name, wanted, &asked.headers, &path.clone().key("headers"), found);
    }
}

fn hold_cacheable(wanted: &Cacheable, verdicts: Verdicts, found: &mut Found) {
    let Verdicts { browser, shared, store } = verdicts;
    let audiences = [
        ("browser", wanted.browser, Some(browser)),
        ("shared", wanted.shared, Some(shared)),
        ("store", wanted.store, store),
    ];
    for (audience, wanted, verdict) in audiences {
        let Some(wanted) = wanted else { continue };
        let path = Path::default().key("cacheable").key(audience);
        let Some(verdict) = verdict else {
            if wanted != Keeps::No {
                found.push((
                    path,
                    Mismatch::says("the route has no cache behind it; add `cache: { store: … }`"),
                ));
            }
            continue;
        };
        let holds = match (wanted, verdict) {
            (Keeps::No, Verdict::No) | (Keeps::Yes, Verdict::For(_)) => true,
            (Keeps::For(wanted), Verdict::For(fresh)) => u64::from(wanted.seconds()) == fresh.as_secs(),
            _ => false,
        };
        if !holds {
            let wanted = match wanted {
                Keeps::No => "no".to_owned(),
                Keeps::Yes => "yes".to_owned(),
                Keeps::For(fresh) => fresh.to_string(),
            };
            found.push((path, differs(wanted, verdict.to_string())));
        }
    }
}

fn hold_body(body: &Body, exchange: Exchange<'_>, path: &Path, found: &mut Found) {
    let Exchange { rendering, page, .. } = exchange;
    let is_unchanged = rendering.body == page;
    if let Some(unchanged) = body.unchanged
        && unchanged != is_unchanged
    {
        let mismatch = if unchanged {
            differs(lossy(page), lossy(&rendering.body))
        } else {
            Mismatch::says("it is the origin's, byte for byte")
        };
        found.push((path.clone().key("unchanged"), mismatch));
    }
    let state = rendering.report.body.to_string();
    if let Some(wanted) = &body.state
        && *wanted != state
    {
        found.push((path.clone().key("state"), differs(wanted, state)));
    }
    hold(&body.text(), &lossy(&rendering.body), path, found);
}

/// A value of a document by its JSON Pointer.
fn hold_json(pointer: &str, wanted: &Wanted<Json>, document: &Value, path: &Path, found: &mut Found) {
    let path = path.clone().key(pointer);
    if !pointer.is_empty() && !pointer.starts_with('/') {
        let message = format!("\"{pointer}\" is no JSON Pointer; begin it with a slash");
        return found.push((path, Mismatch::says(message)));
    }
    match (wanted, document.pointer(pointer)) {
        (Wanted::Absent, None) => {}
        (Wanted::Absent, Some(value)) => found.push((path, differs("absent", pretty(value)))),
        (Wanted::Is(_), None) => found.push((path, Mismatch::says("there is no such value"))),
        (Wanted::Is(Json(wanted)), Some(value)) if wanted == value => {}
        (Wanted::Is(Json(wanted)), Some(value)) => found.push((path, differs(pretty(wanted), pretty(value)))),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
