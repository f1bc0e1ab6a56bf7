//! An exchange with an origin whose answer is known, driven as the filter drives it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use engraft::engine::Engine;
use engraft::exchange::report::Report;
use engraft::exchange::{self, Body, Edits, Next, RequestEdits, Surroundings};
use engraft::request::RequestHead;
use engraft::request::attributes::Values;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::visit::{self, Visit};
use crate::args::Url;
use crate::time;

/// What the origin answers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    page: Vec<u8>,
    chunk: Option<NonZeroUsize>,
}

impl Answer {
    /// An answer in which the page is HTML in UTF-8 and as long as it is, unless the headers say otherwise.
    pub(crate) fn new(status: StatusCode, mut headers: HeaderMap, page: Vec<u8>) -> Self {
        let has_content = has_content(status);
        if has_content && !headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        }
        let is_framed =
            headers.contains_key(header::CONTENT_LENGTH) || headers.contains_key(header::TRANSFER_ENCODING);
        if has_content && !is_framed {
            headers.insert(header::CONTENT_LENGTH, page.len().into());
        }
        Self { status, headers, page, chunk: None }
    }

    /// An answer whose headers are all that there are.
    pub(crate) const fn as_is(status: StatusCode, headers: HeaderMap, page: Vec<u8>) -> Self {
        Self { status, headers, page, chunk: None }
    }

    /// The page as the origin has it, without regard to what is asked.
    pub(crate) fn page(&self) -> &[u8] {
        &self.page
    }

    /// The page comes in chunks of that many bytes.
    pub(crate) fn in_chunks(self, chunk: Option<NonZeroUsize>) -> Self {
        Self { chunk, ..self }
    }

    /// What of the page is sent: nothing in answer to HEAD, though its headers are those of GET.
    fn body(&self, is_head: bool) -> &[u8] {
        if is_head || !has_content(self.status) { &[] } else { &self.page }
    }
}

/// Whether responses with this status have a body (RFC 9110 § 6.4.1).
fn has_content(status: StatusCode) -> bool {
    !status.is_informational()
        && !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// What the visitor and the origin saw of an exchange, and what came of it.
#[derive(Debug)]
pub(crate) struct Rendering {
    /// What the origin was asked; `None` where it was not.
    pub(crate) request: Option<OriginRequest>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// What the route reads of the request.
    pub(crate) attributes: Values,
    pub(crate) report: Report,
}

/// A request as the origin gets it.
#[derive(Debug)]
pub(crate) struct OriginRequest {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
}

impl Rendering {
    pub(crate) fn of(engine: &Arc<Engine>, visit: Visit, answer: &Answer) -> Self {
        let mut micros = BTreeMap::new();
        let mut rendering = Self::measured(engine, visit, answer, &mut micros);
        if let Some(trace) = &mut rendering.report.trace {
            trace.micros = micros;
        }
        rendering
    }

    /// Notes how long each step takes the core.
    fn measured(
        engine: &Arc<Engine>,
        visit: Visit,
        answer: &Answer,
        micros: &mut BTreeMap<String, u64>,
    ) -> Self {
        let mut note = |step: &str, took: Duration| {
            micros.insert(step.to_owned(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        };
        let Visit { head, facts, peer, now, random, live, overrides, explains } = visit;
        let route = engine.route(&head);
        let attributes = route.map(|(_, route)| engine.attributes().read(&route.reads, &head, &facts));
        let attributes = attributes.unwrap_or_default();

        let surroundings = Surroundings {
            facts: &facts,
            peer,
            now,
            random,
            live: live.as_ref(),
            overrides: overrides.as_ref(),
            explains,
        };
        let (begun, took) = time::measured(|| exchange::begin(engine, &head, &surroundings));
        note("request", took);
        let forwarded = match begun.next {
            Next::Respond(response, report) => {
                let headers = visit::map(response.headers);
                let status = response.status;
                return Self {
                    request: None,
                    status,
                    headers,
                    body: Vec::new(),
                    attributes,
                    report: *report,
                };
            }
            Next::Forward(forwarded) => forwarded,
        };
        let is_head = head.method == "HEAD";
        let request = OriginRequest::new(head, begun.edits);
        let (answered, took) = time::measured(|| forwarded.answer(answer.status, &answer.headers));
        note("response", took);
        if let Body::NotModified(response, report) = answered.body {
            let (status, headers) = (response.status, visit::map(response.headers));
            return Self { request: Some(request), status, headers, body: Vec::new(), attributes, report };
        }
        let mut headers = answer.headers.clone();
        answered.headers.iter().for_each(|edit| edit.apply(&mut headers));
        let body = answer.body(is_head);
        let (body, report) = match answered.body {
            Body::NotModified(_, report) => (Vec::new(), report),
            Body::Passes(report) => (body.to_vec(), report),
            Body::Edited(edits) => {
                let edit = || edited(*edits, body, answer.chunk, &mut headers);
                let (edited, took) = time::measured(edit);
                note("body", took);
                edited
            }
        };
        Self { request: Some(request), status: answer.status, headers, body, attributes, report }
    }
}

impl OriginRequest {
    /// As the filter behind a cache would get it.
    pub(crate) fn into_head(self) -> RequestHead {
        let Self { method, url: Url { scheme, authority, path }, headers } = self;
        RequestHead { method, scheme, authority, path, headers, has_body: false }
    }

    /// The request after its changes.
    pub(crate) fn new(head: RequestHead, edits: RequestEdits) -> Self {
        let RequestHead { method, scheme, authority, path, mut headers, .. } = head;
        for edit in &edits.headers {
            edit.apply(&mut headers);
        }
        let url =
            Url { scheme, authority: edits.authority.unwrap_or(authority), path: edits.path.unwrap_or(path) };
        Self { method, url, headers }
    }
}

/// The page after its edits, fed to them in chunks. The head waits for the body as long as it may still change.
fn edited(
    mut edits: Edits,
    page: &[u8],
    chunk: Option<NonZeroUsize>,
    headers: &mut HeaderMap,
) -> (Vec<u8>, Report) {
    let mut out = Vec::with_capacity(page.len());
    let mut restored_head = None;
    for chunk in page.chunks(chunk.map_or_else(|| page.len().max(1), NonZeroUsize::get)) {
        let unchanged = if edits.is_done() { chunk.len() } else { edits.write(chunk, &mut out) };
        let (_, tail) = chunk.split_at(chunk.len().saturating_sub(unchanged));
        out.extend_from_slice(tail);
        restored_head = restored_head.or_else(|| edits.take_restored_head());
    }
    edits.finish(&mut out);
    let restored_head = restored_head.or_else(|| edits.take_restored_head());
    restored_head.iter().flatten().for_each(|edit| edit.apply(headers));
    let report = edits.end(&mut out);
    (out, report)
}
