//! An exchange while it runs. However it ends, it is told of once: whoever lets go of it before its end has aborted it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use engraft::exchange::report::Report;
use engraft::exchange::{Edits, Forwarded};
use engraft::request::RequestHead;
use http::{HeaderMap, StatusCode};

use super::recent::{Capture, End, Exchange};
use super::state::State;
use crate::exchange::rendering::OriginRequest;
use crate::time;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Ongoing {
    state: Arc<State>,
    started: Instant,
    pub(crate) phase: Phase,
    /// Until it is told of.
    exchange: Option<Box<Exchange>>,
}

/// How far the core has come with it.
#[derive(Debug, Default)]
pub(crate) enum Phase {
    /// The core was not asked yet, or is done.
    #[default]
    Idle,
    AwaitingResponse(Forwarded),
    Editing(Box<Edits>),
    /// The body passes; the report waits for its end.
    Passing(Box<Report>),
}

impl Ongoing {
    /// A request came, from a page in that view if it is in one.
    pub(crate) fn new(state: &Arc<State>, request: RequestHead, view: Option<String>) -> Self {
        let exchange = Exchange {
            id: state.next_id(),
            at: time::now(),
            request,
            view,
            to_origin: None,
            from_origin: None,
            origin_head_after: None,
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            head_after: std::time::Duration::ZERO,
            took: std::time::Duration::ZERO,
            worked: BTreeMap::new(),
            bytes: 0,
            before: None,
            after: None,
            end: End::Aborted,
            report: Report::default(),
        };
        Self {
            state: Arc::clone(state),
            started: time::instant(),
            phase: Phase::Idle,
            exchange: Some(Box::new(exchange)),
        }
    }

    /// The core was at work on the `request`, the `response` or its `body` since then.
    pub(crate) fn worked(&mut self, on: &'static str, since: Instant) {
        if let Some(exchange) = &mut self.exchange {
            let worked = exchange.worked.entry(on).or_default();
            *worked = worked.saturating_add(since.elapsed());
        }
    }

    pub(crate) fn asked(&mut self, request: OriginRequest) {
        if let Some(exchange) = &mut self.exchange {
            exchange.to_origin = Some(request);
        }
    }

    pub(crate) fn origin_answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        if let Some(exchange) = &mut self.exchange {
            exchange.from_origin = Some((status, headers.clone()));
            exchange.origin_head_after = Some(self.started.elapsed());
        }
    }

    /// The head of the answer leaves.
    pub(crate) fn answers(&mut self, status: StatusCode, headers: &HeaderMap) {
        if let Some(exchange) = &mut self.exchange {
            exchange.head_after = self.started.elapsed();
            exchange.status = status;
            exchange.headers = headers.clone();
        }
    }

    /// Keeps the body before its edits, and the one after where there are some.
    pub(crate) fn capture(&mut self) {
        let edits = matches!(self.phase, Phase::Editing(_));
        if let Some(exchange) = &mut self.exchange {
            exchange.before = Some(Capture::default());
            exchange.after = edits.then(Capture::default);
        }
    }

    /// A part of the body came.
    pub(crate) fn came(&mut self, bytes: &[u8]) {
        if let Some(before) = self.exchange.as_mut().and_then(|exchange| exchange.before.as_mut()) {
            before.add(bytes);
        }
    }

    /// A part of the body leaves.
    pub(crate) fn leaves(&mut self, bytes: &[u8]) {
        if let Some(exchange) = &mut self.exchange {
            exchange.bytes = exchange.bytes.saturating_add(bytes.len() as u64);
            if let Some(after) = &mut exchange.after {
                after.add(bytes);
            }
        }
    }

    /// So many bytes went to the visitor after the connection stopped being HTTP.
    pub(crate) fn tunnelled(&mut self, bytes: u64) {
        if let Some(exchange) = &mut self.exchange {
            exchange.bytes = bytes;
        }
    }

    /// It is over. Nothing that follows changes that.
    pub(crate) fn end(&mut self, end: End) {
        let Some(mut exchange) = self.exchange.take() else { return };
        exchange.report = match std::mem::take(&mut self.phase) {
            Phase::Idle => Report::default(),
            Phase::AwaitingResponse(forwarded) => forwarded.abort(),
            Phase::Editing(edits) if end == End::Whole || edits.is_broken() => edits.end(&mut Vec::new()),
            Phase::Editing(edits) => edits.abort(),
            Phase::Passing(report) => *report,
        };
        exchange.end = end;
        exchange.took = self.started.elapsed();
        self.state.ended(*exchange);
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.end(End::Aborted);
    }
}
