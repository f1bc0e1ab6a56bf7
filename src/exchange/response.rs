//! The head of the response: what caches are told, and whether the body is edited.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::body::Edits;
use super::gate::{Kind, Readable, Untouched, gate};
use super::page::Plan;
use super::report::{BodyState, PatchReport, Report};
use super::{Answered, Body, DEBUG_HEADER, Forwarded};
use crate::cache::{Answer, protection};
use crate::coding::{Bounds, Decoder};
use crate::config::model::{ContentCoding, Limits};
use crate::csp::Verdict;
use crate::headers::{HeaderEdit, list};
use crate::patch::admission::Admission;
use crate::patch::{Action, Patch};

impl Forwarded {
    /// Takes the head of the response.
    #[must_use]
    pub fn answer(mut self, status: StatusCode, headers: &HeaderMap) -> Answered {
        let engine = Arc::clone(&self.engine);
        let Some(route) = self.route.and_then(|index| engine.routes().get(index)) else {
            let mut edits = Vec::new();
            if self.debug {
                edits.extend(debug_headers("route=none", headers));
            }
            return Answered { headers: edits, body: Body::Passes(Report::default()) };
        };
        let patches = || self.eligible.iter().filter_map(|index| route.patches.get(*index));
        let mut edits = Vec::new();
        // Before patches: what they say of `Vary` is about what they change.
        edits.extend(route.key.vary(headers).filter(|_| self.is_keyed));
        let mut report =
            Report { route: Some(route.name.clone()), rewritten: self.rewritten, ..Report::default() };
        for patch in patches() {
            if let Action::Exchange(edit) = &patch.action {
                edits.extend(edit.response_headers(&self.values));
                report.patches.push(PatchReport::done(patch));
            }
        }
        let gate = gate(status, headers, &route.content_types);
        // A 304 seldom says of what type the stored page is.
        let may_be_page = status == StatusCode::NOT_MODIFIED && !self.is_subresource;
        let kind = gate.as_ref().map(|readable| readable.kind).map_err(|reason| *reason);
        let is_page = match kind {
            // JSON is like a page where the route has patches for it, for this visitor or for others.
            Ok(Kind::Json) => route.patches.iter().any(Patch::edits_json),
            _ => may_be_page || !matches!(gate, Err(Untouched::ContentType)),
        };
        let of_caches =
            route.cache.edits(&Answer { status, headers, is_page, asked: &self.asked, values: &self.values });
        report.dropped_tags = of_caches.dropped_tags;
        edits.extend(of_caches.headers);
        let mut seen = headers.clone();
        edits.iter().for_each(|edit| edit.apply(&mut seen));
        let mut done_in_head = Vec::new();
        for patch in patches() {
            let head = patch.head.edits(&self.values, &seen, is_page);
            head.iter().for_each(|edit| edit.apply(&mut seen));
            if !head.is_empty() {
                done_in_head.push(patch.label.clone());
            }
            edits.extend(head);
        }
        // JSON, and patches of pages only.
        let gate = gate.and_then(|readable| {
            let fits = patches().any(|patch| patch.edits(readable.kind));
            let others = patches().any(|patch| patch.edits_elements() || patch.edits_json());
            if fits || !others { Ok(readable) } else { Err(Untouched::ContentType) }
        });
        let mut verdicts = Vec::new();
        if kind == Ok(Kind::Html) || may_be_page {
            let admission = Admission::judge(patches(), headers, &edits, &self.page);
            edits.extend(admission.header_edits);
            verdicts = admission.verdicts;
        }

        let kind = gate.as_ref().map(|readable| readable.kind).map_err(|reason| *reason);
        let wanted = |patch: &Patch| match kind {
            Ok(kind) => patch.edits(kind),
            Err(_) => patch.edits_elements() || patch.edits_json(),
        };
        let is_wanted = patches().any(wanted);
        let labels: Option<Vec<&str>> =
            self.debug.then(|| patches().map(|patch| patch.label.as_str()).collect());
        let labels = labels.map(|labels| labels.join(","));
        let not_tried = || {
            patches().filter(|patch| wanted(patch)).map(|patch| {
                let done = done_in_head.contains(&patch.label);
                if done { PatchReport::done(patch) } else { PatchReport::not_tried(patch) }
            })
        };
        let passing = || self.variant.of_passing(status, headers, self.is_subresource);
        let body = match gate {
            _ if !is_wanted => {
                edits.extend(passing());
                Body::Passes(report)
            }
            Err(reason) => {
                edits.extend(passing());
                report.body = BodyState::Untouched(reason);
                report.patches.extend(not_tried());
                Body::Passes(report)
            }
            Ok(readable) => {
                let mut changes =
                    for_edited_body(headers, &readable, route.content_coding, self.accepts_gzip);
                changes.extend(self.variant.of_edited(headers, &verdicts));
                if self.is_head {
                    edits.extend(changes);
                    report.body = BodyState::Untouched(Untouched::Head);
                    report.patches.extend(not_tried());
                    Body::Passes(report)
                } else {
                    let to_gzip = route.content_coding == ContentCoding::Gzip && self.accepts_gzip;
                    let restored = restored(headers, &edits, &changes);
                    edits.extend(changes);
                    Body::Edited(Box::new(self.edits(readable, restored, to_gzip, verdicts, report)))
                }
            }
        };
        if let Some(labels) = labels {
            let body = match &body {
                Body::Edited(_) => "edited".to_owned(),
                Body::Passes(report) => report.body.to_string(),
            };
            let text = format!("route={}; patches={labels}; body={body}", route.name);
            edits.extend(debug_headers(&text, headers));
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

    fn edits(
        &mut self,
        readable: Readable,
        restored: Vec<HeaderEdit>,
        to_gzip: bool,
        verdicts: Vec<Verdict>,
        report: Report,
    ) -> Edits {
        let decoder = match readable.codings.as_slice() {
            [] => None,
            codings => Decoder::for_codings(codings, decoder_bounds(self.engine.limits())),
        };
        let plan = Plan {
            engine: Arc::clone(&self.engine),
            route: self.route.unwrap_or_default(),
            values: std::mem::take(&mut self.values),
            eligible: std::mem::take(&mut self.eligible),
            sniffer: readable.sniffer,
            kind: readable.kind,
            verdicts,
            page: self.page.clone(),
        };
        let mut edits = Edits::new(plan, report);
        if let Some(decoder) = decoder {
            edits.decode(decoder, restored);
        }
        if to_gzip {
            edits.encode();
        }
        edits
    }
}

/// Pages shrink to a fifth or a tenth; deflate could make 1,032 bytes of one, br and zstd any number.
fn decoder_bounds(limits: &Limits) -> Bounds {
    let max = limits.max_decoded_bytes.into();
    Bounds { allowance_bytes: max, max_ratio: 100, max_bytes_per_write: max }
}

/// What a changed body makes untrue (RFC 9110 § 8.4, 8.6, 14.3; RFC 9530; RFC 3230), and what is true of it. Of its validators
/// speaks the [variant](super::variant).
fn for_edited_body(
    headers: &HeaderMap,
    readable: &Readable,
    coding: ContentCoding,
    accepts_gzip: bool,
) -> Vec<HeaderEdit> {
    const UNTRUE: [HeaderName; 2] = [header::CONTENT_LENGTH, header::ACCEPT_RANGES];
    const DIGESTS: [&str; 4] = ["content-md5", "digest", "repr-digest", "content-digest"];
    let digests = DIGESTS.into_iter().map(HeaderName::from_static);
    let coded = (!readable.codings.is_empty()).then_some(header::CONTENT_ENCODING);
    let untrue = UNTRUE.into_iter().chain(digests).chain(coded);
    let mut edits: Vec<HeaderEdit> =
        untrue.filter(|name| headers.contains_key(name)).map(HeaderEdit::Remove).collect();
    if coding == ContentCoding::Gzip {
        if accepts_gzip {
            edits.push(HeaderEdit::Set(header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        }
        // Who does not take gzip gets another page from the same URL (RFC 9110 § 12.5.5).
        let varies = |name: &[u8]| name == b"*" || name.eq_ignore_ascii_case(b"accept-encoding");
        if !list(headers, &header::VARY).any(varies) {
            edits.push(HeaderEdit::Add(header::VARY, HeaderValue::from_static("Accept-Encoding")));
        }
    }
    edits
}

/// What takes back `changes` that are made after `before`.
fn restored(headers: &HeaderMap, before: &[HeaderEdit], changes: &[HeaderEdit]) -> Vec<HeaderEdit> {
    let mut told = headers.clone();
    before.iter().for_each(|edit| edit.apply(&mut told));
    let names = changes.iter().map(|edit| match edit {
        HeaderEdit::Set(name, _) | HeaderEdit::Add(name, _) | HeaderEdit::Remove(name) => name,
    });
    names
        .flat_map(|name| {
            let values = told.get_all(name).into_iter();
            let again = values.map(|value| HeaderEdit::Add(name.clone(), value.clone()));
            [HeaderEdit::Remove(name.clone())].into_iter().chain(again)
        })
        .collect()
}

/// What was decided, for whoever asked and for no cache.
fn debug_headers(text: &str, origin: &HeaderMap) -> impl Iterator<Item = HeaderEdit> {
    let value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unprintable"));
    let no_store = HeaderEdit::Set(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    protection(origin).into_iter().chain([no_store, HeaderEdit::Set(DEBUG_HEADER, value)])
}
