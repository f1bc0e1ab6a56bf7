//! One request and its response, from head to end, as a chain of states: each is consumed by the step that follows it.
//!
//! ```text
//! Exchange::begin ─┬─► Next::Respond                     a redirect; the origin is not asked
//!                  └─► Next::Forward(Forwarded)          headers of the request changed
//!                        └─► Forwarded::answer ─┬─► Body::Passes        the body is not touched
//!                                               └─► Body::Edited(Edits) write each chunk, then end, or abort
//! ```
//!
//! Nothing here waits, reads a clock or fails: whatever can't be done is left undone, the origin's bytes go out, and the
//! [`Report`] says why. Every path ends in exactly one report.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::engine::{Engine, Route, internal_headers};
use crate::headers::{HeaderEdit, list};
use crate::html::charset::Charset;
use crate::html::editor::Editor;
use crate::html::locate::Bounds;
use crate::html::outcome::Outcome;
use crate::patch::{Action, ExchangeEdit, Patch, Redirect};
use crate::request::RequestHead;
use crate::request::attributes::Values;

pub mod gate;
pub mod report;

use gate::{Untouched, gate};
use report::{BodyState, PatchReport, Report};

/// The request header that asks for debug headers, and the response header that answers.
pub const DEBUG_HEADER: HeaderName = HeaderName::from_static("x-engraft-debug");

/// What a request head became.
#[derive(Debug)]
#[non_exhaustive]
pub struct Begun {
    /// Changes of the request.
    pub edits: RequestEdits,
    /// What to do.
    pub next: Next,
}

/// Changes of a request head. What is `None` stays.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestEdits {
    /// The new `:path`, with the query.
    pub path: Option<String>,
    /// The new `:authority`.
    pub authority: Option<String>,
    /// Changes of the other headers, in order.
    pub headers: Vec<HeaderEdit>,
}

/// What to do with a request.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shell must do one or the other")]
pub enum Next {
    /// Answer it.
    Respond(LocalResponse, Report),
    /// Send it on, and hand the response to [`Forwarded::answer`].
    Forward(Forwarded),
}

/// An answer that does not come from the origin. It has no body.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers, in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// A request that is with the origin.
#[derive(Debug)]
pub struct Forwarded {
    engine: Arc<Engine>,
    /// Index of the route in the engine.
    route: Option<usize>,
    values: Values,
    /// Indexes of the patches whose guards hold.
    eligible: Vec<usize>,
    is_head: bool,
    rewritten: bool,
    debug: bool,
}

/// What a response head became.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answered {
    /// Changes of the response's headers, in order.
    pub headers: Vec<HeaderEdit>,
    /// What to do with the body.
    pub body: Body,
}

/// What to do with a body.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shell must do one or the other")]
pub enum Body {
    /// Let it pass.
    Passes(Report),
    /// Feed it to the edits.
    Edited(Box<Edits>),
}

/// Begins an exchange. `facts` are those that [`Engine::facts`] lists, in that order; `peer` is the address that the
/// request comes from, where it is known.
#[must_use]
pub fn begin(
    engine: &Arc<Engine>,
    request: &RequestHead,
    facts: &[Option<String>],
    peer: Option<IpAddr>,
) -> Begun {
    let mut edits = RequestEdits::default();
    edits.headers.extend(internal_headers(&request.headers).map(HeaderEdit::Remove));
    let debug = asks_for_debug(engine, request, peer);
    let is_head = request.method == "HEAD";

    let Some((index, route)) = engine.route(request) else {
        let next = Forwarded {
            engine: Arc::clone(engine),
            route: None,
            values: Values::default(),
            eligible: Vec::new(),
            is_head,
            rewritten: false,
            debug,
        };
        return Begun { edits, next: Next::Forward(next) };
    };
    let values = engine.attributes().read(&route.reads, request, facts);
    let eligible = route.patches.iter().enumerate().filter(|(_, patch)| patch.is_eligible(&values));
    let eligible: Vec<usize> = eligible.map(|(index, _)| index).collect();
    let patches = || eligible.iter().filter_map(|index| route.patches.get(*index));

    let redirect = patches().find_map(|patch| match &patch.action {
        Action::Redirect(redirect) => Some((patch, local_response(redirect, route, request)?)),
        _ => None,
    });
    if let Some((patch, response)) = redirect {
        let report = Report::redirected(&route.name, patch);
        return Begun { edits, next: Next::Respond(response, report) };
    }
    let mut rewritten = false;
    for patch in patches() {
        if let Action::Exchange(edit) = &patch.action {
            rewritten |= edit.path.is_some() || edit.host.is_some();
            edits.take(edit, request);
        }
    }
    if patches().any(Patch::edits_elements) && !is_subresource(request) {
        edits.headers.extend(for_whole_bodies(&request.headers));
    }
    let next = Forwarded {
        engine: Arc::clone(engine),
        route: Some(index),
        values,
        eligible,
        is_head,
        rewritten,
        debug,
    };
    Begun { edits, next: Next::Forward(next) }
}

/// Debug headers tell what others must not know: a secret must be shown, or the request must come from this machine.
fn asks_for_debug(engine: &Engine, request: &RequestHead, peer: Option<IpAddr>) -> bool {
    let (Some(debug), Some(shown)) = (engine.debug(), request.headers.get(DEBUG_HEADER)) else {
        return false;
    };
    match &debug.secret {
        Some(secret) => same_bytes(secret.as_bytes(), shown.as_bytes()),
        None => peer.is_some_and(|peer| peer.is_loopback()) && !is_forwarded(&request.headers),
    }
}

/// Whether a proxy passed the request on for somebody else: one on this machine speaks from a loopback address for
/// requests from anywhere.
fn is_forwarded(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::FORWARDED) {
        return true;
    }
    list(headers, &HeaderName::from_static("x-forwarded-for")).any(|address| {
        let address = std::str::from_utf8(address).ok().and_then(|text| text.parse::<IpAddr>().ok());
        !address.is_some_and(|address| address.is_loopback())
    })
}

/// Compares in a time that depends on the lengths only.
fn same_bytes(secret: &[u8], shown: &[u8]) -> bool {
    let different = secret.iter().zip(shown).fold(0, |sum, (a, b)| sum | (a ^ b));
    secret.len() == shown.len() && different == 0
}

/// `None` where the visitor would be sent where they are: a condition that still holds there would never end.
fn local_response(redirect: &Redirect, route: &Route, request: &RequestHead) -> Option<LocalResponse> {
    let query = request.path.split_once('?').map(|(_, query)| query).filter(|_| redirect.keep_query);
    let location = match query {
        Some(query) => {
            let location = redirect.location.to_str().ok()?;
            let separator = if location.contains('?') { '&' } else { '?' };
            HeaderValue::try_from(format!("{location}{separator}{query}")).ok()?
        }
        None => redirect.location.clone(),
    };
    if location.as_bytes() == request.path.as_bytes() {
        return None;
    }
    let mut headers = vec![(header::LOCATION, location)];
    if !route.cache.depends_on().is_empty() {
        headers.push((header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")));
    }
    Some(LocalResponse { status: redirect.status, headers })
}

/// Whether the browser says that this is part of a page (Fetch Metadata, `Sec-Fetch-Dest`). It only spares such requests
/// the changes that a page's request needs; whether a response is edited does not depend on it.
fn is_subresource(request: &RequestHead) -> bool {
    const PARTS: [&[u8]; 12] = [
        b"audio",
        b"audioworklet",
        b"font",
        b"image",
        b"manifest",
        b"paintworklet",
        b"script",
        b"serviceworker",
        b"style",
        b"track",
        b"video",
        b"worker",
    ];
    request.headers.get("sec-fetch-dest").is_some_and(|dest| PARTS.contains(&dest.as_bytes()))
}

/// What the request must not ask for when the body is to be edited: a coding that can't be read, a part of the body,
/// nothing at all because an earlier body is known, or trailers.
fn for_whole_bodies(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> {
    let unwanted =
        [header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::TE];
    let present: Vec<HeaderName> = unwanted.into_iter().filter(|name| headers.contains_key(name)).collect();
    let identity = HeaderEdit::Set(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    present.into_iter().map(HeaderEdit::Remove).chain([identity])
}

impl RequestEdits {
    fn take(&mut self, edit: &ExchangeEdit, request: &RequestHead) {
        if let Some(path) = &edit.path {
            let query = request.path.split_once('?').map(|(_, query)| query);
            self.path = Some(query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")));
        }
        if let Some(host) = &edit.host {
            self.authority = Some(host.clone());
        }
        self.headers.extend(edit.request_headers.iter().cloned());
    }
}

impl Forwarded {
    /// Takes the head of the response.
    #[must_use]
    pub fn answer(self, status: StatusCode, headers: &HeaderMap) -> Answered {
        let engine = Arc::clone(&self.engine);
        let Some(route) = self.route.and_then(|index| engine.routes().get(index)) else {
            let mut edits = Vec::new();
            if self.debug {
                edits.push(debug_header("route=none"));
            }
            return Answered { headers: edits, body: Body::Passes(Report::default()) };
        };
        let patches = || self.eligible.iter().filter_map(|index| route.patches.get(*index));
        let mut edits = Vec::new();
        let mut report =
            Report { route: Some(route.name.clone()), rewritten: self.rewritten, ..Report::default() };
        for patch in patches() {
            if let Action::Exchange(edit) = &patch.action {
                edits.extend(edit.response_headers.iter().cloned());
                report.patches.push(PatchReport::done(patch));
            }
        }
        let gate = gate(status, headers, &route.content_types);
        let is_page = !matches!(gate, Err(Untouched::ContentType));
        if is_cacheable(status) {
            edits.extend(route.cache.edits(is_page).cloned());
        }

        let elements = patches().any(Patch::edits_elements);
        let not_tried = || patches().filter(|patch| patch.edits_elements()).map(PatchReport::not_tried);
        let body = match gate {
            _ if !elements => Body::Passes(report),
            Err(reason) => {
                report.body = BodyState::Untouched(reason);
                report.patches.extend(not_tried());
                Body::Passes(report)
            }
            Ok(charset) => {
                edits.extend(for_changed_body(headers));
                if self.is_head {
                    report.body = BodyState::Untouched(Untouched::Head);
                    report.patches.extend(not_tried());
                    Body::Passes(report)
                } else {
                    Body::Edited(Box::new(self.edits(route, charset, report)))
                }
            }
        };
        if self.debug {
            let labels: Vec<&str> = patches().map(|patch| patch.label.as_str()).collect();
            let body = match &body {
                Body::Edited(_) => "edited".to_owned(),
                Body::Passes(report) => report.body.to_string(),
            };
            edits.push(debug_header(&format!(
                "route={}; patches={}; body={body}",
                route.name,
                labels.join(",")
            )));
        }
        Answered { headers: edits, body }
    }

    /// The exchange ended before a response came.
    #[must_use]
    pub fn abort(self) -> Report {
        let route = self.route.and_then(|index| self.engine.routes().get(index));
        Report {
            route: route.map(|route| route.name.clone()),
            rewritten: self.rewritten,
            body: BodyState::Aborted,
            ..Report::default()
        }
    }

    fn edits(&self, route: &Route, charset: Charset, report: Report) -> Edits {
        let limits = &self.engine.limits();
        let size = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
        let patches = self.eligible.iter().filter_map(|index| route.patches.get(*index));
        let (names, rendered) = patches
            .filter_map(|patch| match &patch.action {
                Action::Elements(edit) => {
                    Some(((patch.label.clone(), patch.required), edit.render(&self.values, charset)))
                }
                _ => None,
            })
            .unzip();
        let bounds = Bounds {
            max_tag_bytes: size(limits.max_tag_bytes),
            max_parser_bytes: size(limits.max_parser_bytes),
            max_elements: limits.max_elements,
        };
        let editor = Editor::new(rendered, charset.for_parser(), bounds, size(limits.max_held_bytes));
        Edits { editor, names, report }
    }
}

/// A policy for pages is not one for errors: what is not a success keeps what the origin says of it.
fn is_cacheable(status: StatusCode) -> bool {
    status.is_success() || status == StatusCode::NOT_MODIFIED
}

/// What a changed body makes untrue (RFC 9110 § 8.6, 8.8, 14.3; RFC 9530; RFC 3230).
fn for_changed_body(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> {
    const UNTRUE: [HeaderName; 4] =
        [header::CONTENT_LENGTH, header::ETAG, header::LAST_MODIFIED, header::ACCEPT_RANGES];
    const DIGESTS: [&str; 4] = ["content-md5", "digest", "repr-digest", "content-digest"];
    let digests = DIGESTS.into_iter().map(HeaderName::from_static);
    let present: Vec<HeaderName> =
        UNTRUE.into_iter().chain(digests).filter(|name| headers.contains_key(name)).collect();
    present.into_iter().map(HeaderEdit::Remove)
}

fn debug_header(text: &str) -> HeaderEdit {
    let value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unprintable"));
    HeaderEdit::Set(DEBUG_HEADER, value)
}

/// The edits of one body. [`write`](Self::write) each chunk, then [`end`](Self::end); if the exchange breaks off, call
/// [`abort`](Self::abort) instead.
#[derive(Debug)]
pub struct Edits {
    editor: Editor,
    names: Vec<(String, bool)>,
    report: Report,
}

impl Edits {
    /// Whether the rest of the body passes as it is: chunks need not be written any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.editor.is_done()
    }

    /// Takes the next chunk and adds to `out` what may leave. Returns how many bytes at the end of `chunk` follow `out`
    /// unchanged; they are not copied.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        self.editor.write(chunk, out)
    }

    /// The body has ended: adds to `out` all that is left.
    #[must_use]
    pub fn end(mut self, out: &mut Vec<u8>) -> Report {
        self.editor.end(out);
        self.report.body = BodyState::Edited;
        self.finish()
    }

    /// The exchange broke off.
    #[must_use]
    pub fn abort(mut self) -> Report {
        self.report.body = BodyState::Aborted;
        self.finish()
    }

    fn finish(self) -> Report {
        let Self { editor, names, mut report } = self;
        report.max_held_bytes = editor.max_held();
        let outcomes: Vec<Outcome> = editor.outcomes();
        let reports = names.into_iter().zip(outcomes).map(|((label, required), outcome)| PatchReport {
            label,
            required,
            outcome: Some(outcome),
        });
        report.patches.extend(reports);
        report
    }
}

#[cfg(test)]
mod tests;
