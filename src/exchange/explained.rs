//! What an exchange notes of itself while it goes on, where somebody wants to know: it becomes the [trace](crate::explain::trace)
//! of its report. Where nobody does, nothing here does anything.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use engraft_locate::offset::as_u64;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::choice::Choice;
use super::report::{PatchReport, Report};
use super::{LocalResponse, RequestEdits, Surroundings};
use crate::cache::lets_shared_caches_keep;
use crate::config::model::VisitorId;
use crate::decide::condition::Attributes as _;
use crate::engine::{Engine, Route};
use crate::explain::compact;
use crate::explain::hidden::Hidden;
use crate::explain::trace::{self, HIDDEN, Trace};
use crate::explain::trail::{Cause, Trail};
use crate::exposure::Event;
use crate::headers::{HeaderEdit, list};
use crate::html::editor::Recorded;
use crate::html::splice::Spliced;
use crate::patch::Patch;
use crate::request::RequestHead;
use crate::request::decided::ID;
use crate::request::input::Input;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Explained(Option<Box<Noted>>);

#[derive(Debug)]
struct Noted {
    trace: Trace,
    hidden: Hidden,
    /// Of the headers that are changed now: the request's, then the response's.
    trail: Trail,
    records: bool,
    /// The head of the response as it came, and its edits.
    answered: Option<(HeaderMap, Vec<HeaderEdit>)>,
    /// The patches that may show something that is hidden.
    showing: Vec<String>,
}

impl Explained {
    /// Begins to take notes. Edits of the body are recorded only for who can have the trace when the body is over.
    #[cold]
    pub(super) fn new(engine: &Engine, request: &RequestHead, surroundings: &Surroundings<'_>) -> Self {
        let of_debug = engine.debug().and_then(|debug| debug.secret.as_deref());
        let of_force = engine.decisions().force().and_then(|force| force.secret.as_deref());
        let own = of_debug.into_iter().chain(of_force);
        let hidden = Hidden::of(engine.secrets(), own, &request.headers);
        let now = surroundings.now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let overrides = surroundings.overrides.cloned().unwrap_or_default();
        let mut facts = BTreeMap::new();
        for (fact, value) in engine.facts().iter().zip(surroundings.facts) {
            if let Some(value) = value {
                facts.insert(fact.name(), value.clone());
            }
        }
        let trace = Trace {
            trace: trace::VERSION,
            engine: trace::Engine {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                configuration: format!("{:032x}", engine.digest()),
                payload: surroundings.live.map(|live| format!("{:032x}", live.digest())),
            },
            request: trace::Request {
                method: request.method.clone(),
                url: url(request),
                headers: hidden.headers(&request.headers),
                has_body: request.has_body,
                facts,
                peer: surroundings.peer.map(|peer| peer.to_string()),
                now_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
                random: format!("{:x}", surroundings.random),
                attributes: overrides.attributes,
                choices: overrides.choices.pairs().clone(),
            },
            routes: engine.considered(request),
            ..Trace::default()
        };
        Self(Some(Box::new(Noted {
            trace,
            hidden,
            trail: Trail::default(),
            records: surroundings.explains,
            answered: None,
            showing: Vec::new(),
        })))
    }

    /// Whether edits of the body are to be recorded.
    pub(super) fn records(&self) -> bool {
        self.0.as_ref().is_some_and(|noted| noted.records)
    }

    /// The header edits so far, those that no other cause has, have this one.
    pub(super) fn by(&mut self, cause: Cause<'_>, edits: &[HeaderEdit]) {
        if let Some(noted) = &mut self.0 {
            noted.trail.note(cause, edits.len());
        }
    }

    /// What is read and decided, and which patches come of it.
    pub(super) fn chosen(&mut self, engine: &Engine, route: &Route, choice: &Choice) {
        if let Some(noted) = &mut self.0 {
            noted.chosen(engine, route, choice);
        }
    }

    /// The request leaves.
    pub(super) fn forwarded(&mut self, request: &RequestHead, edits: &RequestEdits) {
        if let Some(noted) = &mut self.0 {
            noted.forwarded(request, edits);
        }
    }

    /// The answer is given here.
    pub(super) fn responded(&mut self, response: &LocalResponse, by: Option<&str>) {
        if let Some(noted) = &mut self.0 {
            noted.responded(response, by);
        }
    }

    /// The head of the response, `headers` as they came, leaves with these edits and with `status`.
    pub(super) fn answered(
        &mut self,
        (came, status): (StatusCode, StatusCode),
        headers: &HeaderMap,
        edits: &[HeaderEdit],
    ) {
        if let Some(noted) = &mut self.0 {
            noted.answered(came, status, headers, edits);
        }
    }

    /// The head, which was held, leaves with these edits besides: what it said of the body is not so.
    pub(super) fn restored(&mut self, edits: &[HeaderEdit]) {
        if let Some(noted) = &mut self.0 {
            noted.restored(edits);
        }
    }

    /// On what of visitors the response depends, and what the cache behind said.
    pub(super) fn depends(&mut self, route: &Route, found: Option<&str>) {
        if let Some(noted) = &mut self.0 {
            noted.depends(route, found);
        }
    }

    /// What there is so far, for a header.
    #[cold]
    pub(super) fn compact(&self) -> Option<String> {
        let noted = self.0.as_ref()?;
        compact::encode(noted.hide(noted.trace.clone()))
    }

    /// The exchange is over, and this is its report, but for the trace.
    pub(super) fn complete(self, report: &mut Report, recorded: LabelledRecord) {
        if let Some(noted) = self.0.filter(|noted| noted.records) {
            noted.complete(report, recorded);
        }
    }
}

/// Cold all of it: nearly no request is one of somebody who wants to know.
impl Noted {
    #[cold]
    fn chosen(&mut self, engine: &Engine, route: &Route, choice: &Choice) {
        let trace = &mut self.trace;
        trace.route = Some(route.name.clone());
        if let Some(forced) = &choice.decided.forced {
            trace.request.choices = forced.pairs().clone();
        }
        let set = choice.decided.cookies.iter().map(|cookie| (header::SET_COOKIE, cookie.clone()));
        if self.hidden.learn(&set.collect()) {
            // Whoever has the number has the id.
            HIDDEN.clone_into(&mut trace.request.random);
        }
        let read = route.reads.iter().filter(|name| !route.decides.contains(name));
        let overridden = &trace.request.attributes;
        trace.attributes = read
            .map(|name| {
                let hidden = match engine.attributes().input(name) {
                    Some(Input::Cookie(cookie)) => self.hidden.is_secret_cookie(cookie),
                    Some(Input::Header(header)) => self.hidden.is_secret(header),
                    _ => false,
                };
                let value = choice.values.attribute(name).cloned().unwrap_or_default();
                if let Value::String(text) = &value
                    && hidden
                {
                    self.hidden.learn_value(text);
                }
                trace::Attribute {
                    name: name.clone(),
                    value: if hidden && !value.is_null() { HIDDEN.into() } else { value },
                    from: engine.attributes().source(name).unwrap_or_default(),
                    hidden,
                    overridden: overridden.contains_key(name),
                }
            })
            .collect();
        let hidden = trace.attributes.iter().filter(|it| it.hidden && !it.value.is_null());
        let mut hidden: Vec<&str> = hidden.map(|it| it.name.as_str()).collect();
        let is_hidden = |id: &VisitorId| {
            let by_cookie = id.cookie.as_ref().is_some_and(|name| self.hidden.is_secret_cookie(name));
            by_cookie || id.from.iter().any(|name| hidden.contains(&name.as_str()))
        };
        if engine.decisions().id().is_some_and(is_hidden) {
            hidden.push(ID);
        }
        let shows = |patch: &Patch| hidden.iter().any(|name| patch.reads().contains(*name));
        let eligible = choice.patches.numbered(&choice.eligible);
        self.showing = eligible.filter(|patch| shows(patch)).map(|patch| patch.label.clone()).collect();
        let notes = choice.decided.notes.iter();
        trace.decisions = notes
            .map(|note| trace::Decision {
                name: note.name.clone(),
                value: note.value.clone(),
                because: note.because.to_owned(),
            })
            .collect();
        let groups = engine.decisions().saved_groups();
        let auto = choice.eligible.iter().filter(|number| **number >= route.patches.len());
        let of_route = choice.patches.of_the_route();
        let patches = of_route.chain(auto.filter_map(|number| Some((*number, choice.patches.get(*number)?))));
        trace.patches = patches
            .map(|(number, patch)| {
                let guards = patch.guards(&choice.values, groups);
                trace::Patch {
                    name: patch.label.clone(),
                    kind: patch.kind().to_owned(),
                    site: patch.site.clone(),
                    guards: guards
                        .map(|(written, holds)| trace::Guard { written: written.to_owned(), holds })
                        .collect(),
                    eligible: choice.eligible.contains(&number),
                    outcomes: Vec::new(),
                }
            })
            .collect();
    }

    #[cold]
    fn forwarded(&mut self, request: &RequestHead, edits: &RequestEdits) {
        let sent = RequestHead {
            method: String::new(),
            scheme: request.scheme.clone(),
            authority: edits.authority.clone().unwrap_or_else(|| request.authority.clone()),
            path: edits.path.clone().unwrap_or_else(|| request.path.clone()),
            ..RequestHead::default()
        };
        let trail = std::mem::take(&mut self.trail);
        let changes = trail.changes(&request.headers, &edits.headers, &self.hidden);
        self.trace.origin = Some(trace::Origin { url: url(&sent), changes });
    }

    #[cold]
    fn responded(&mut self, response: &LocalResponse, by: Option<&str>) {
        self.response(response.status, response.headers.iter().cloned().collect(), &[]);
        if let Some(response) = &mut self.trace.response {
            response.redirected_by = by.map(str::to_owned);
        }
    }

    #[cold]
    fn answered(&mut self, came: StatusCode, status: StatusCode, headers: &HeaderMap, edits: &[HeaderEdit]) {
        self.response(status, headers.clone(), edits);
        if let Some(response) = &mut self.trace.response {
            response.came_status = (came != status).then(|| came.as_u16());
        }
    }

    #[cold]
    fn restored(&mut self, edits: &[HeaderEdit]) {
        let (Some((headers, mut all)), Some(before)) = (self.answered.take(), self.trace.response.take())
        else {
            return;
        };
        all.extend_from_slice(edits);
        self.trail.note(Cause::EditedBody, all.len());
        self.response(StatusCode::OK, headers, &all);
        if let Some(response) = &mut self.trace.response {
            *response = trace::Response { changes: std::mem::take(&mut response.changes), ..before };
        }
    }

    #[cold]
    fn depends(&mut self, route: &Route, found: Option<&str>) {
        let cache = self.trace.cache.get_or_insert_default();
        cache.depends_on = route.cache.depends_on().iter().cloned().collect();
        cache.found = found.map(str::to_owned);
    }

    #[cold]
    fn complete(mut self, report: &mut Report, recorded: LabelledRecord) {
        let mut trace = std::mem::take(&mut self.trace);
        for done in &report.patches {
            let Some(patch) = trace.patches.iter_mut().find(|patch| patch.name == done.label) else {
                continue;
            };
            let shown = done.to_string();
            let outcome = done.outcome.as_ref();
            // One by one: to collect them would sort, which is 7 KB of the module for each type.
            let mut skipped = BTreeMap::new();
            for (reason, n) in outcome.into_iter().flat_map(|outcome| &outcome.skipped) {
                skipped.insert(reason.to_string(), *n);
            }
            patch.outcomes.push(trace::Outcome {
                part: done.part.map(str::to_owned),
                state: shown.rsplit_once('=').map_or(shown.as_str(), |(_, state)| state).to_owned(),
                applied: outcome.map_or(0, |outcome| outcome.applied),
                skipped,
                search_ended: outcome
                    .and_then(|outcome| outcome.search_ended)
                    .map(|reason| reason.to_string()),
            });
        }
        trace.body = Some(trace::Body {
            state: report.body.to_string(),
            max_held_bytes: report.max_held_bytes,
            edits: recorded.edits,
            more_edits: recorded.more,
        });
        if let (Some(reason), Some(cache)) = (report.not_storable, &mut trace.cache) {
            cache.not_storable = Some(reason.name().to_owned());
        }
        let exposed = |event: &Event| trace::Exposure {
            experiment: event.experiment_id().to_owned(),
            variation: event.variation_id().to_owned(),
        };
        trace.exposures = report.exposures.iter().map(exposed).collect();
        report.trace = Some(Box::new(self.hide(trace)));
        report.hidden = Some(Box::new(self.hidden));
    }

    /// Takes out of a trace what nobody is to see. Filters make of a value what nobody recognises: where nothing of it is found in
    /// what a patch wrote, all of that is hidden.
    #[cold]
    fn hide(&self, mut trace: Trace) -> Trace {
        self.hidden.hide(&mut trace);
        let shows = |patch: &String| self.showing.contains(patch);
        let hide = |text: &mut String| {
            if !text.is_empty() && !text.contains(HIDDEN) {
                HIDDEN.clone_into(text);
            }
        };
        let edits = trace.body.iter_mut().flat_map(|body| &mut body.edits);
        edits.filter(|edit| edit.patches.iter().any(shows)).for_each(|edit| hide(&mut edit.with));
        let of_origin = trace.origin.iter_mut().flat_map(|origin| &mut origin.changes);
        let of_response = trace.response.iter_mut().flat_map(|response| &mut response.changes);
        for change in of_origin.chain(of_response) {
            let by = |patch: &String| change.by.iter().any(|by| by.strip_prefix("patch ") == Some(patch));
            if self.showing.iter().any(by) {
                change.after.iter_mut().for_each(hide);
            }
        }
        let redirects = trace.response.as_ref().and_then(|it| it.redirected_by.as_ref()).is_some_and(shows);
        let headers = trace.response.iter_mut().flat_map(|response| &mut response.headers);
        headers.filter(|it| redirects && it.name == "location").for_each(|it| hide(&mut it.value));
        let rewrites = trace.patches.iter().any(|it| it.kind == "exchange" && shows(&it.name));
        let origin = trace.origin.iter_mut().filter(|it| rewrites && it.url != trace.request.url);
        origin.for_each(|origin| hide(&mut origin.url));
        trace
    }

    #[cold]
    fn response(&mut self, status: StatusCode, headers: HeaderMap, edits: &[HeaderEdit]) {
        self.hidden.learn(&headers);
        let mut leaving = headers.clone();
        edits.iter().for_each(|edit| edit.apply(&mut leaving));
        let forbids =
            |word: &[u8]| list(&leaving, &header::CACHE_CONTROL).any(|it| it.eq_ignore_ascii_case(word));
        let cache = self.trace.cache.get_or_insert_default();
        cache.shared = lets_shared_caches_keep(&leaving) || !(forbids(b"private") || forbids(b"no-store"));
        let said: Vec<String> =
            leaving.get_all(header::CACHE_CONTROL).iter().map(|value| lossy(value.as_bytes())).collect();
        cache.cache_control = (!said.is_empty()).then(|| said.join(", "));
        self.trace.response = Some(trace::Response {
            status: status.as_u16(),
            headers: self.hidden.headers(&headers),
            changes: self.trail.changes(&headers, edits, &self.hidden),
            ..trace::Response::default()
        });
        self.answered = Some((headers, edits.to_vec()));
    }
}

fn url(request: &RequestHead) -> String {
    format!("{}://{}{}", request.scheme, request.authority, request.path)
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The edits of a body that have left, with the names of the patches.
#[derive(Debug, Default)]
pub(super) struct LabelledRecord {
    pub(super) edits: Vec<trace::Edit>,
    /// How many more there were.
    pub(super) more: usize,
}

impl LabelledRecord {
    /// `reports` are those of the patches with the numbers that the record has.
    pub(super) fn new(recorded: Recorded, reports: &[&PatchReport]) -> Self {
        let name = |number: &usize| Some(reports.get(*number)?.label.clone());
        let edit = |(patches, spliced): (Vec<usize>, Spliced)| {
            let mut names: Vec<String> = patches.iter().filter_map(name).collect();
            names.dedup();
            trace::Edit {
                start: spliced.edit.range.start,
                end: spliced.edit.range.end,
                was: lossy(&spliced.was),
                with: lossy(&spliced.edit.with),
                with_bytes: as_u64(spliced.edit.with.len()),
                patches: names,
            }
        };
        Self { edits: recorded.edits.into_iter().map(edit).collect(), more: recorded.more }
    }
}
