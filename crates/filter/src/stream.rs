//! The stream context: one request and its response.

use std::sync::Arc;

use engraft::config::model::Stage;
use engraft::engine::Engine;
use engraft::exchange::report::Report;
use engraft::exchange::{self, Body, Edits, Forwarded, Next, Surroundings};
use engraft::exposure::sinks::FILTER_STATE;
use http::{HeaderMap, StatusCode, header};
use log::error;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::exposures::Exposures;
use crate::heads::Heads;
use crate::host;
use crate::metrics::{self, Metrics};
use crate::payload::Payload;

/// See the [module](self).
#[derive(Default)]
pub(crate) struct Stream {
    id: u32,
    engine: Option<Arc<Engine>>,
    parts: Parts,
    phase: Phase,
    /// The head of the response was paused, and no body has come.
    is_head_held: bool,
    /// Kept between chunks to spare allocations.
    out: Vec<u8>,
    /// How much of the body is still to come, where the origin said how long it is.
    remaining: Option<u64>,
}

/// What streams share with the root context.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) metrics: Metrics,
    pub(crate) heads: Heads,
    pub(crate) payload: Payload,
    pub(crate) exposures: Exposures,
}

/// How far the exchange has come; each step takes the phase and leaves the next one.
#[derive(Default)]
enum Phase {
    #[default]
    Idle,
    AwaitingResponse(Forwarded),
    Editing(Box<Edits>),
    /// What could be decoded is out. The response is broken off in the next callback, as Envoy would throw away what is
    /// handed over in the same one.
    Breaking,
}

impl Stream {
    pub(crate) fn new(id: u32, engine: Arc<Engine>, parts: Parts) -> Self {
        Self { id, engine: Some(engine), parts, ..Self::default() }
    }

    /// The body has ended: reports, and leaves the next phase.
    fn end(&mut self, edits: Edits) {
        if edits.is_broken() {
            self.phase = Phase::Breaking;
        }
        let report = edits.end(&mut self.out);
        self.report(&report);
    }

    fn report(&self, report: &Report) {
        self.parts.metrics.count(report);
        if let Some(route) = &report.route {
            let prefix =
                self.engine.as_ref().map(|engine| metrics::prefix(engine.stage())).unwrap_or_default();
            let set = |key: &str, value: &str| host::set_filter_state(&format!("{prefix}.{key}"), value);
            set("route", route);
            set("body", &report.body.to_string());
            if !report.patches.is_empty() {
                set("patches", &report.summary());
                set("max_held_bytes", &report.max_held_bytes.to_string());
            }
            if let Some(patch) = &report.redirected_by {
                set("redirected_by", patch);
            }
            if let Some(exposures) = self.parts.exposures.tell(&report.exposures) {
                set(FILTER_STATE, &exposures);
            }
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let Some(engine) = &self.engine else { return Action::Continue };
        let request = host::request_head(!end_of_stream);
        // A cache's own request has no connection of a visitor, and Envoy ends with a segmentation fault when it is asked about that
        // one (1.40.0). The origin stage reads what is in the key, and of the connection nothing is.
        let (facts, peer) = match engine.stage() {
            Stage::Both | Stage::Client => (
                engine.facts().iter().map(host::fact).collect(),
                if engine.asks_for_peer() { host::peer() } else { None },
            ),
            Stage::Origin => (Vec::new(), None),
        };
        let now = host::now();
        let live = self.parts.payload.live(now);
        // A host call: a generator of our own would be one more thing that has to be kept secret.
        let asks_for_chance = engine.stage() != Stage::Origin && engine.asks_for_chance();
        let random = if asks_for_chance { host::random() } else { 0 };
        let surroundings = Surroundings {
            facts: &facts,
            peer,
            now,
            random,
            live: live.as_ref(),
            overrides: None,
            explains: false,
        };
        let begun = exchange::begin(engine, &request, &surroundings);
        match begun.next {
            Next::Respond(response, report) => {
                self.report(&report);
                host::respond(&response);
                Action::Pause
            }
            Next::Forward(forwarded) => {
                host::edit_request(&begun.edits);
                let is_moved = begun.edits.path.is_some() || begun.edits.authority.is_some();
                if is_moved && engine.stage() != Stage::Origin {
                    host::clear_route_cache();
                }
                self.phase = Phase::AwaitingResponse(forwarded);
                Action::Continue
            }
        }
    }

    fn on_http_response_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let Phase::AwaitingResponse(forwarded) = std::mem::take(&mut self.phase) else {
            return Action::Continue;
        };
        let (status, headers) = host::response_head();
        self.remaining = content_length(&headers);
        let answered =
            forwarded.answer(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), &headers);
        if let Body::NotModified(response, report) = answered.body {
            self.report(&report);
            // Envoy drops what comes of the response that this replaces.
            host::respond(&response);
            return Action::Pause;
        }
        host::edit_response(&answered.headers);
        match answered.body {
            Body::NotModified(..) => {}
            Body::Passes(report) => self.report(&report),
            Body::Edited(edits) if end_of_stream => self.report(&edits.end(&mut Vec::new())),
            Body::Edited(edits) => {
                self.is_head_held = edits.holds_head() && self.parts.heads.hold(self.id);
                self.phase = Phase::Editing(edits);
                if self.is_head_held {
                    return Action::Pause;
                }
            }
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let mut edits = match std::mem::take(&mut self.phase) {
            Phase::Editing(edits) => edits,
            Phase::Breaking => {
                host::break_off_response();
                return Action::Continue;
            }
            other => {
                self.phase = other;
                return Action::Continue;
            }
        };
        let is_head_held = std::mem::take(&mut self.is_head_held) && self.parts.heads.body_came(self.id);
        if !is_head_held {
            edits.release_head();
        }
        self.remaining =
            self.remaining.map(|left| left.saturating_sub(u64::try_from(size).unwrap_or(u64::MAX)));
        // Trailers may follow the last byte, and then nothing can be sent any more.
        let is_last = end_of_stream || self.remaining == Some(0);
        let mut replaced = 0;
        self.out.clear();
        if size > 0 && !edits.is_done() {
            let chunk = host::response_body(size);
            let tail = edits.write(&chunk, &mut self.out);
            replaced = chunk.len().saturating_sub(tail);
        }
        let mut before_tail = self.out.len();
        if is_last {
            edits.finish(&mut self.out);
        }
        if is_head_held {
            if edits.is_broken() {
                // All of it is still here.
                edits.take_back();
                self.out.clear();
                (replaced, before_tail) = (0, 0);
            }
            if let Some(head) = edits.take_restored_head() {
                host::edit_response(&head);
            }
        }
        // The head leaves with this callback: pausing here would make Envoy buffer, and hide a chunk.
        edits.release_head();
        if is_last || edits.is_broken() {
            self.end(*edits);
        } else {
            self.phase = Phase::Editing(edits);
        }
        if end_of_stream && matches!(self.phase, Phase::Breaking) {
            // There will be no other callback.
            self.phase = Phase::Idle;
            host::break_off_response();
        }
        let (front, back) = self.out.split_at(before_tail);
        host::replace_body_front(replaced, front);
        host::append_body(back);
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        match std::mem::take(&mut self.phase) {
            Phase::Editing(mut edits) => {
                // There was no body to tell anything else of the head.
                edits.release_head();
                if std::mem::take(&mut self.is_head_held) {
                    self.parts.heads.forget(self.id);
                }
                self.out.clear();
                edits.finish(&mut self.out);
                self.end(*edits);
                if !self.out.is_empty() {
                    // A page of unknown length that ends inside a tag or an element that is held back, with trailers that
                    // nobody announced: Envoy takes no body any more. A broken response is not mistaken for a whole one,
                    // by visitors or caches.
                    error!("trailers after {} held bytes of a body of unknown length", self.out.len());
                    self.phase = Phase::Breaking;
                }
            }
            other => self.phase = other,
        }
        if matches!(self.phase, Phase::Breaking) {
            self.phase = Phase::Idle;
            host::break_off_response();
        }
        Action::Continue
    }

    /// The stream is over, however it ended.
    fn on_log(&mut self) {
        self.parts.heads.forget(self.id);
        let report = match std::mem::take(&mut self.phase) {
            Phase::Idle | Phase::Breaking => return,
            Phase::AwaitingResponse(forwarded) => forwarded.abort(),
            Phase::Editing(edits) => edits.abort(),
        };
        self.report(&report);
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
