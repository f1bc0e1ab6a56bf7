//! One exchange as the filter makes it, from the request's head to the report.

use std::borrow::Cow;
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
    /// From the visitor to the origin.
    stages: Vec<Arc<Engine>>,
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
        let stages = operation.stages.iter().map(|stage| {
            let configuration =
                json!({ "version": 1, "stage": stage, "attributes": attributes, "routes": [route] });
            Ok(Arc::new(Engine::load(configuration.to_string().as_bytes())?.engine))
        });
        let stages = stages.collect::<Outcome<Vec<_>>>()?;
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
        Ok(Self { operation, stages, request, response })
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.operation.name
    }

    pub(crate) const fn len(&self) -> usize {
        self.operation.body.len()
    }

    /// What leaves, and what came of it; `None` where the exchange took another way.
    pub(crate) fn run(&self) -> Option<(Vec<u8>, Report)> {
        let mut edits = match self.answered()? {
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

    /// The heads, through all stages: what one changes, the next one sees.
    fn answered(&self) -> Option<Body> {
        let mut request = Cow::Borrowed(&self.request);
        let mut forwarded = Vec::new();
        for (nth, engine) in self.stages.iter().enumerate() {
            let begun = exchange::begin(engine, &request, &Default::default());
            if nth + 1 < self.stages.len() {
                let request = request.to_mut();
                begun.edits.headers.iter().for_each(|edit| edit.apply(&mut request.headers));
                request.path = begun.edits.path.unwrap_or_else(|| std::mem::take(&mut request.path));
            }
            let Next::Forward(next) = begun.next else { return None };
            forwarded.push(next);
        }
        let mut response = Cow::Borrowed(&self.response);
        let mut body = None;
        while let Some(next) = forwarded.pop() {
            let answered = next.answer(StatusCode::OK, &response);
            if !forwarded.is_empty() {
                let response = response.to_mut();
                answered.headers.iter().for_each(|edit| edit.apply(response));
            }
            body = Some(answered.body);
        }
        body
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
