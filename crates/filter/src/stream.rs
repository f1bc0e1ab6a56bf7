//! The stream context: one request and its response.

use std::sync::Arc;

use engraft::engine::Engine;
use engraft::exchange::report::Report;
use engraft::exchange::{self, Body, Edits, Forwarded, Next};
use http::{HeaderMap, StatusCode, header};
use log::error;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host;
use crate::metrics::Metrics;

/// See the [module](self).
#[derive(Default)]
pub(crate) struct Stream {
    engine: Option<Arc<Engine>>,
    metrics: Metrics,
    phase: Phase,
    /// Kept between chunks to spare allocations.
    out: Vec<u8>,
    /// How much of the body is still to come, where the origin said how long it is.
    remaining: Option<u64>,
}

/// How far the exchange has come; each step takes the phase and leaves the next one.
#[derive(Default)]
enum Phase {
    #[default]
    Idle,
    AwaitingResponse(Forwarded),
    Editing(Box<Edits>),
}

impl Stream {
    pub(crate) fn new(engine: Arc<Engine>, metrics: Metrics) -> Self {
        Self { engine: Some(engine), metrics, ..Self::default() }
    }

    fn report(&self, report: &Report) {
        self.metrics.count(report);
        if let Some(route) = &report.route {
            host::set_filter_state("engraft.route", route);
            host::set_filter_state("engraft.body", &report.body.to_string());
            if !report.patches.is_empty() {
                host::set_filter_state("engraft.patches", &report.summary());
                host::set_filter_state("engraft.max_held_bytes", &report.max_held_bytes.to_string());
            }
            if let Some(patch) = &report.redirected_by {
                host::set_filter_state("engraft.redirected_by", patch);
            }
        }
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(engine) = &self.engine else { return Action::Continue };
        let request = host::request_head();
        let facts: Vec<Option<String>> = engine.facts().iter().map(host::fact).collect();
        let peer = engine.debug().and_then(|_| host::peer());
        let begun = exchange::begin(engine, &request, &facts, peer);
        match begun.next {
            Next::Respond(response, report) => {
                self.report(&report);
                host::respond(&response);
                Action::Pause
            }
            Next::Forward(forwarded) => {
                host::edit_request(&begun.edits);
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
        host::edit_response(&answered.headers);
        match answered.body {
            Body::Passes(report) => self.report(&report),
            Body::Edited(edits) if end_of_stream => self.report(&edits.end(&mut Vec::new())),
            Body::Edited(edits) => self.phase = Phase::Editing(edits),
        }
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        let Phase::Editing(edits) = &mut self.phase else { return Action::Continue };
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
        let before_tail = self.out.len();
        if is_last && let Phase::Editing(edits) = std::mem::take(&mut self.phase) {
            let report = edits.end(&mut self.out);
            self.report(&report);
        }
        let (front, back) = self.out.split_at(before_tail);
        host::replace_body_front(replaced, front);
        host::append_body(back);
        Action::Continue
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        if let Phase::Editing(edits) = std::mem::take(&mut self.phase) {
            self.out.clear();
            let report = edits.end(&mut self.out);
            self.report(&report);
            if !self.out.is_empty() {
                // A page of unknown length that ends inside a tag or an element that is held back, with trailers that
                // nobody announced: Envoy takes no body any more. A broken response is not mistaken for a whole one, by
                // visitors or caches.
                error!("trailers after {} held bytes of a body of unknown length", self.out.len());
                host::break_off_response();
            }
        }
        Action::Continue
    }

    /// The stream is over, however it ended.
    fn on_log(&mut self) {
        let report = match std::mem::take(&mut self.phase) {
            Phase::Idle => return,
            Phase::AwaitingResponse(forwarded) => forwarded.abort(),
            Phase::Editing(edits) => edits.abort(),
        };
        self.report(&report);
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
