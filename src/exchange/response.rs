//! The head of the response: what caches are told, and whether the body is edited.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::body::Edits;
use super::gate::{Untouched, gate};
use super::report::{BodyState, PatchReport, Report};
use super::{Answered, Body, DEBUG_HEADER, Forwarded};
use crate::cache::protection;
use crate::engine::Route;
use crate::headers::HeaderEdit;
use crate::html::charset::Charset;
use crate::html::editor::Editor;
use crate::html::locate::Bounds;
use crate::patch::{Action, Patch};

impl Forwarded {
    /// Takes the head of the response.
    #[must_use]
    pub fn answer(self, status: StatusCode, headers: &HeaderMap) -> Answered {
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
        let mut report =
            Report { route: Some(route.name.clone()), rewritten: self.rewritten, ..Report::default() };
        for patch in patches() {
            if let Action::Exchange(edit) = &patch.action {
                edits.extend(edit.response_headers.iter().cloned());
                report.patches.push(PatchReport::done(patch));
            }
        }
        let gate = gate(status, headers, &route.content_types);
        // A 304 seldom says of what type the stored page is.
        let may_be_page = status == StatusCode::NOT_MODIFIED && !self.is_subresource;
        let is_page = may_be_page || !matches!(gate, Err(Untouched::ContentType));
        edits.extend(route.cache.edits(is_page, is_success(status), headers));

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
            let text = format!("route={}; patches={}; body={body}", route.name, labels.join(","));
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
        let bounds = Bounds { max_tag_bytes: size(limits.max_tag_bytes), max_elements: limits.max_elements };
        let editor = Editor::new(rendered, charset.for_parser(), bounds, size(limits.max_held_bytes));
        Edits::new(editor, names, report)
    }
}

/// A policy for pages is not one for errors: what is not a success keeps what the origin says of it.
fn is_success(status: StatusCode) -> bool {
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

/// What was decided, for whoever asked and for no cache.
fn debug_headers(text: &str, origin: &HeaderMap) -> impl Iterator<Item = HeaderEdit> {
    let value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unprintable"));
    let no_store = HeaderEdit::Set(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    protection(origin).into_iter().chain([no_store, HeaderEdit::Set(DEBUG_HEADER, value)])
}
