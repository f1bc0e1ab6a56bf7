//! One exchange as the filter makes it, from the request's head to the report.

use std::fmt;
use std::sync::Arc;

use engraft::engine::Engine;
use engraft::exchange::report::Report;
use engraft::exchange::{self, Body, Next};
use engraft::request::RequestHead;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::Outcome;
use crate::operation::Operation;

/// What Envoy reads at a time.
pub(crate) const CHUNK: usize = 16 * 1024;

/// See the [module](self).
pub(crate) struct Exchange<'o> {
    operation: &'o Operation,
    engine: Arc<Engine>,
    request: RequestHead,
    response: HeaderMap,
}

impl<'o> Exchange<'o> {
    pub(crate) fn new(operation: &'o Operation) -> Outcome<Self> {
        let mut route = json!({ "name": "bench", "patches": operation.patches });
        if let (Some(route), Some(more)) = (route.as_object_mut(), operation.route.as_object()) {
            route.extend(more.clone());
        }
        let attributes = json!({
            "country": { "header": "x-geo-country", "values": ["US", "CA", "DE"], "otherwise": "other" },
            "slug": { "path_segment": 1 },
        });
        let configuration = json!({ "version": 1, "attributes": attributes, "routes": [route] }).to_string();
        let engine = Engine::load(configuration.as_bytes())?.engine;
        let mut response = HeaderMap::new();
        response.insert(header::CONTENT_TYPE, HeaderValue::from_static(operation.content_type));
        if let Some(coding) = operation.coding {
            response.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        for (name, value) in operation.answer {
            response.append(*name, HeaderValue::from_static(value));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in operation.request.1 {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let request = RequestHead {
            method: "GET".into(),
            scheme: "https".into(),
            authority: "shop.example".into(),
            path: operation.request.0.into(),
            headers,
            has_body: false,
        };
        Ok(Self { operation, engine: Arc::new(engine), request, response })
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.operation.name
    }

    pub(crate) const fn len(&self) -> usize {
        self.operation.body.len()
    }

    /// What leaves, and what came of it; `None` where the exchange took another way.
    pub(crate) fn run(&self) -> Option<(Vec<u8>, Report)> {
        let Next::Forward(forwarded) = exchange::begin(&self.engine, &self.request, &Default::default()).next
        else {
            return None;
        };
        let mut edits = match forwarded.answer(StatusCode::OK, &self.response).body {
            Body::Edited(edits) => edits,
            Body::Passes(report) | Body::NotModified(_, report) => return Some((Vec::new(), report)),
        };
        // As in the filter, where chunks that change nothing stay where they are.
        let mut out = Vec::new();
        for chunk in self.operation.body.chunks(CHUNK) {
            if edits.is_done() {
                break;
            }
            let tail = edits.write(chunk, &mut out);
            if !out.is_empty() {
                out.extend_from_slice(chunk.get(chunk.len().saturating_sub(tail)..).unwrap_or_default());
            }
        }
        let report = edits.end(&mut out);
        Some((out, report))
    }

    /// How often the operation is done on the page. What is measured must do what it is measured for.
    pub(crate) fn check(&self) -> Outcome<u32> {
        let report = self.run().map(|(_, report)| report).unwrap_or_default();
        let applied = report.patches.iter().filter_map(|patch| patch.outcome.as_ref()).map(|it| it.applied);
        let applied = applied.sum();
        if (applied > 0) == self.operation.is_done {
            Ok(applied)
        } else {
            Err(NotDone { name: self.name(), body: report.body.to_string(), patches: report.summary() }
                .into())
        }
    }
}

/// An operation is done that should not be, or the other way round.
#[derive(Debug)]
struct NotDone {
    name: &'static str,
    body: String,
    patches: String,
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} does not do what it is measured for: body {}, patches {}",
            self.name, self.body, self.patches
        )
    }
}

impl std::error::Error for NotDone {}
