//! The head of the response on its way to the visitor: what caches are told, and whether the body is edited.

use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::begin::{Behind, Visit};
use super::body::Edits;
use super::choice::PRIVATE_NO_STORE;
use super::explained::{Explained, LabelledRecord};
use super::gate::{Kind, Readable, Untouched, gate};
use super::page::Plan;
use super::patches::Patches;
use super::report::{BodyState, PatchReport, Report};
use super::watch::{PageEvents, Seeing};
use super::watched::{LateEdit, Watched};
use super::{Answered, Body, DEBUG_HEADER, LocalResponse, TRACE_HEADER};
use crate::cache::record::{Arrived, Record};
use crate::cache::set_cookie::{NOT_STORABLE, is_storable};
use crate::cache::validator::conditional;
use crate::cache::validator::digest::Digest;
use crate::cache::{Answer, lets_shared_caches_keep, protection};
use crate::coding::{Bounds, Coding, Decoder};
use crate::config::model::{ContentCoding, Limits};
use crate::csp::{Need, Verdict};
use crate::engine::Route;
use crate::explain::trail::Cause;
use crate::exposure::page::{PageReport, script_needs};
use crate::exposure::{Event, SeenBy};
use crate::headers::{HeaderEdit, list, values_after};
use crate::patch::admission::Admission;
use crate::patch::{Action, Patch};
use crate::request::attributes::Values;

impl Visit {
    /// Takes the head of the response; see [`Forwarded::answer`](super::Forwarded::answer).
    pub(super) fn answer(mut self, status: StatusCode, headers: &HeaderMap) -> Answered {
        let engine = Arc::clone(&self.engine);
        let patches = self.patches.take();
        let Some((patches, route)) = patches.as_ref().and_then(|patches| Some((patches, patches.route()?)))
        else {
            let mut edits = match self.behind {
                Behind::Origin => Arrived::without_record(headers).edits,
                Behind::Unstored | Behind::Passing | Behind::Cache(_) => {
                    Arrived::with_record(headers, engine.digest(), 0).edits
                }
            };
            self.explained.by(Cause::Stages, &edits);
            if self.debug {
                edits.extend(debug_headers("route=none", headers));
                self.explained.by(Cause::Debug, &edits);
            }
            let body = Body::Passes(Report::default());
            return self.explained(status, headers, Answered { headers: edits, body });
        };
        let Arrived { headers: came, edits, record } = match self.behind {
            Behind::Origin => Arrived::without_record(headers),
            Behind::Unstored | Behind::Passing | Behind::Cache(_) => {
                Arrived::with_record(headers, engine.digest(), route.patches.len())
            }
        };
        let head = Head { status, arrived: headers, came: &came, record: &record };
        self.explained.by(Cause::Stages, &edits);
        self.explained.depends(route, record.cache_status());
        let mut answered = self.answer_with(patches, route, &head, edits);
        self.keep_forced(headers, &mut answered);
        self.set_cookies(status, headers, &mut answered);
        let Behind::Cache(remembered) = &self.behind else {
            return self.explained(status, headers, answered);
        };
        let mut validators = HeaderMap::new();
        for name in [header::ETAG, header::LAST_MODIFIED] {
            for value in values_after(headers, &answered.headers, &name) {
                validators.append(name.clone(), value.clone());
            }
        }
        if !self.debug && remembered.answers(status, &validators) {
            let mut leaving = headers.clone();
            answered.headers.iter().for_each(|edit| edit.apply(&mut leaving));
            let of_the_body = conditional::not_modified(&leaving);
            of_the_body.iter().for_each(|edit| edit.apply(&mut leaving));
            answered.headers.extend(of_the_body);
            self.explained.by(Cause::Validators, &answered.headers);
            answered.body = Self::not_modified(&leaving, answered.body);
        }
        self.explained(status, headers, answered)
    }

    /// Notes what leaves, and tells whoever asked for it as much as is known by now.
    fn explained(mut self, status: StatusCode, headers: &HeaderMap, mut answered: Answered) -> Answered {
        let leaves = match &answered.body {
            Body::NotModified(response, _) => response.status,
            Body::Passes(_) | Body::Edited(_) => status,
        };
        self.explained.answered((status, leaves), headers, &answered.headers);
        if self.debug {
            let trace = self.explained.compact().and_then(|trace| HeaderValue::try_from(trace).ok());
            answered.headers.extend(trace.map(|trace| HeaderEdit::Set(TRACE_HEADER, trace)));
        }
        match &mut answered.body {
            Body::Passes(report) | Body::NotModified(_, report) => {
                self.explained.complete(report, LabelledRecord::default());
            }
            Body::Edited(edits) => edits.explain(self.explained),
        }
        answered
    }

    /// What somebody chose to see is kept nowhere.
    fn keep_forced(&mut self, headers: &HeaderMap, answered: &mut Answered) {
        let Some(forced) = &self.decided.forced else { return };
        answered.headers.extend(protection(headers));
        answered.headers.push(HeaderEdit::Set(header::CACHE_CONTROL, PRIVATE_NO_STORE));
        answered.headers.extend([header::ETAG, header::LAST_MODIFIED].map(HeaderEdit::Remove));
        let text = format!("forced={}", forced.shown());
        if !self.debug {
            answered.headers.extend(debug_headers(&text, headers));
        }
        self.explained.by(Cause::Forced, &answered.headers);
    }

    /// Sets cookies, but never on a response that a shared cache may keep and give to others.
    fn set_cookies(&mut self, status: StatusCode, headers: &HeaderMap, answered: &mut Answered) {
        if self.decided.cookies.is_empty() || status == StatusCode::NOT_MODIFIED {
            // What a 304 says is merged into what is stored, which others may get.
            return;
        }
        let mut leaving = headers.clone();
        answered.headers.iter().for_each(|edit| edit.apply(&mut leaving));
        let is_private = list(&leaving, &header::CACHE_CONTROL).any(|directive| {
            directive.eq_ignore_ascii_case(b"private") || directive.eq_ignore_ascii_case(b"no-store")
        });
        if is_private && !lets_shared_caches_keep(&leaving) {
            let cookies = std::mem::take(&mut self.decided.cookies).into_iter();
            answered.headers.extend(cookies.map(|cookie| HeaderEdit::Add(header::SET_COOKIE, cookie)));
            self.explained.by(Cause::Visitor, &answered.headers);
        }
    }

    fn answer_with(
        &mut self,
        all: &Patches,
        route: &Route,
        head: &Head<'_>,
        mut edits: Vec<HeaderEdit>,
    ) -> Answered {
        let Head { status, came: headers, .. } = *head;
        let (stored, eligible): (Vec<usize>, Vec<usize>) =
            std::mem::take(&mut self.eligible).into_iter().partition(|index| head.record.has(*index));
        self.eligible = eligible;
        let stored: Vec<&Patch> = all.numbered(&stored).collect();
        let patches: Vec<&Patch> = all.numbered(&self.eligible).collect();
        let patches = || patches.iter().copied();
        let watch = std::mem::take(&mut self.decided.watch);
        let looked_for = watch.probes();
        let in_page = Seeing::new(watch, all, std::mem::take(&mut self.decided.view));
        // Nobody looks yet. When they do, the page itself says so.
        let seeing = if self.decided.is_prefetch { Seeing::default() } else { in_page.clone() };
        let page_sink = self.engine.exposures().page.filter(|_| !in_page.is_idle());
        let probes = || all.numbered(&looked_for);
        // Before patches: what they say of `Vary` is about what they change.
        let vary = route.key.vary(headers, self.is_limited).filter(|_| self.is_covered);
        edits.extend(vary.clone());
        self.explained.by(Cause::Key, &edits);
        let mut report =
            Report { route: Some(route.name.clone()), rewritten: self.rewritten, ..Report::default() };
        report.forced = self.decided.forced.is_some();
        report.awaits_payload = self.decided.awaits_payload;
        report.too_long_exposures = self.decided.too_long;
        report.decisions = self.decided.notes.clone();
        for patch in patches() {
            if let Action::Exchange(edit) = &patch.action {
                edits.extend(edit.response_headers(&self.values));
                self.explained.by(Cause::Patch(&patch.label), &edits);
                report.patches.push(PatchReport::done(patch));
            }
        }
        report.patches.extend(stored.iter().copied().map(PatchReport::stored));
        let gate = gate(status, headers, &route.content_types).and_then(|readable| match head.record {
            Record::Foreign => Err(Untouched::ForeignRecord),
            Record::None | Record::Ours { .. } => Ok(readable),
        });
        // A 304 seldom says of what type the stored page is.
        let may_be_page = status == StatusCode::NOT_MODIFIED && !self.is_subresource;
        let kind = gate.as_ref().map(|readable| readable.kind).map_err(|reason| *reason);
        let leads_away = route.auto_experiments && self.asks_for_page;
        let is_page = match kind {
            // JSON is like a page where the route has patches for it, for this visitor or for others.
            Ok(Kind::Json) => route.patches.iter().any(Patch::edits_json),
            // Of those who ask for a page some may have been led away.
            _ => may_be_page || leads_away || !matches!(gate, Err(Untouched::ContentType)),
        };
        let of_caches = route.cache.edits(&Answer {
            status,
            headers,
            vary: vary.as_ref(),
            is_page,
            asked: &self.asked,
            values: &self.values,
            is_of_visitor: !self.is_limited,
            cookies: &is_storable(headers, route.key.droppable_cookies()),
        });
        report.dropped_tags = of_caches.dropped_tags;
        report.drops_cookies = of_caches.drops_cookies;
        if of_caches.is_kept_in_front {
            self.decided.cookies.clear();
        }
        edits.extend(of_caches.headers);
        if *head.record == Record::Foreign {
            edits.extend(protection(headers));
            edits.push(HeaderEdit::Set(header::CACHE_CONTROL, NOT_STORABLE));
        }
        self.explained.by(Cause::CachePolicy, &edits);
        let done_in_head =
            Self::edit_head((&self.values, &mut self.explained), patches(), head, is_page, &mut edits);
        // JSON, and patches of pages only.
        let gate = gate.and_then(|readable| {
            let fits = patches().chain(stored.iter().copied()).chain(probes());
            let fits = fits.into_iter().any(|patch| patch.edits(readable.kind));
            let others = patches().any(|patch| patch.edits_elements() || patch.edits_json());
            if fits || !others { Ok(readable) } else { Err(Untouched::ContentType) }
        });
        let (mut verdicts, mut late) = (Vec::new(), None);
        if kind == Ok(Kind::Html) || may_be_page {
            let needs = page_sink.map(|_| script_needs());
            let others: Vec<&[Need]> = needs.iter().map(Vec::as_slice).collect();
            let admission = Admission::judge_with(patches(), &others, headers, &edits, &self.page);
            edits.extend(admission.header_edits);
            self.explained.by(Cause::ContentSecurityPolicy, &edits);
            verdicts = admission.verdicts;
            late = admission.others.into_iter().next().zip(needs).zip(page_sink);
        }
        let late = late.and_then(|((verdict, needs), sink)| {
            let report = PageReport::new(&verdict, sink.hash_value)?;
            let nonce = report.nonce().map(str::to_owned);
            let content = Rc::new(PageEvents { seeing: in_page.clone(), report });
            Some((LateEdit { content, needs, nonce }, verdict))
        });
        let (late, of_late) = late.unzip();

        let kind = gate.as_ref().map(|readable| readable.kind).map_err(|reason| *reason);
        let wanted = |patch: &Patch| match kind {
            Ok(kind) => patch.edits(kind),
            Err(_) => patch.edits_elements() || patch.edits_json(),
        };
        let is_wanted = patches().any(wanted) || (late.is_some() && kind == Ok(Kind::Html));
        let looks = !is_wanted && !self.is_head && probes().any(wanted);
        let is_made = stored.iter().any(|patch| wanted(patch));
        let labels = || patches().chain(stored.iter().copied()).map(|patch| patch.label.as_str());
        let labels = self.debug.then(|| labels().collect::<Vec<_>>().join(","));
        let not_tried = || {
            patches().filter(|patch| wanted(patch)).map(|patch| {
                let done = done_in_head.contains(&patch.label);
                if done { PatchReport::done(patch) } else { PatchReport::not_tried(patch) }
            })
        };
        let validators = || {
            let stored = Admission::judge(stored.iter().copied(), headers, &[], &self.page).verdicts;
            let verdicts: Vec<Verdict> = verdicts.iter().chain(&stored).chain(&of_late).cloned().collect();
            self.variant.of_edited(headers, &verdicts)
        };
        let passing = || self.variant.of_passing(status, headers, self.is_subresource);
        let body = match gate {
            Ok(readable) if looks => {
                edits.extend(if is_made { validators() } else { passing() });
                if is_made {
                    report.body = BodyState::Stored;
                }
                let plan = self.plan(all, &readable, &looked_for, (head.arrived, &edits), Vec::new(), None);
                let mut body = body_edits(plan, seeing, &readable.codings, Vec::new(), report);
                body.look_only();
                Body::Edited(Box::new(body))
            }
            _ if !is_wanted && is_made => {
                edits.extend(validators());
                report.body = BodyState::Stored;
                report.exposures = self.seen_in_head(&seeing, status, kind);
                Body::Passes(report)
            }
            _ if !is_wanted => {
                edits.extend(passing());
                report.exposures = self.seen_in_head(&seeing, status, kind);
                Body::Passes(report)
            }
            Err(reason) => {
                edits.extend(if is_made { validators() } else { passing() });
                report.body = BodyState::Untouched(reason);
                report.patches.extend(not_tried());
                report.exposures = self.seen_in_head(&seeing, status, kind);
                Body::Passes(report)
            }
            Ok(readable) => {
                let mut changes =
                    for_edited_body(headers, &readable, route.content_coding, self.accepts_gzip);
                changes.extend(validators());
                if self.is_head {
                    edits.extend(changes);
                    report.body = BodyState::Untouched(Untouched::Head);
                    report.patches.extend(not_tried());
                    Body::Passes(report)
                } else {
                    let restored = restored(head.arrived, &edits, &changes);
                    let to_gzip = route.content_coding == ContentCoding::Gzip && self.accepts_gzip;
                    edits.extend(changes);
                    let plan = self.plan(all, &readable, &looked_for, (head.arrived, &edits), verdicts, late);
                    let mut body = body_edits(plan, seeing, &readable.codings, restored, report);
                    if to_gzip {
                        body.encode();
                    }
                    Body::Edited(Box::new(body))
                }
            }
        };
        let of_body = if matches!(body, Body::Edited(_)) { Cause::EditedBody } else { Cause::Validators };
        self.explained.by(of_body, &edits);
        if let Some(labels) = labels {
            let body = match &body {
                Body::Edited(_) => "edited".to_owned(),
                Body::Passes(report) | Body::NotModified(_, report) => report.body.to_string(),
            };
            let cache = head.record.cache_status().map(|status| format!("; cache={status}"));
            let cache = cache.unwrap_or_default();
            let notes = self.decided.notes.iter();
            let notes: String =
                notes.map(|it| format!("; {}={} ({})", it.name, it.value, it.because)).collect();
            let forced = self.decided.forced.as_ref().map(|forced| format!("; forced={}", forced.shown()));
            let forced = forced.unwrap_or_default();
            let text = format!("route={}; patches={labels}; body={body}{cache}{notes}{forced}", route.name);
            edits.extend(debug_headers(&text, headers));
            self.explained.by(Cause::Debug, &edits);
        }
        Answered { headers: edits, body }
    }

    /// What is to be done to a body, of whose head `decided` are changed.
    fn plan(
        &mut self,
        all: &Patches,
        readable: &Readable,
        probes: &[usize],
        (headers, decided): (&HeaderMap, &[HeaderEdit]),
        verdicts: Vec<Verdict>,
        late: Option<LateEdit>,
    ) -> Plan {
        // Policies are parsed for nobody where nothing is looked for.
        let verdicts_of_probes = if probes.is_empty() {
            Vec::new()
        } else {
            Admission::judge(all.numbered(probes), headers, decided, &self.page).verdicts
        };
        Plan {
            patches: all.clone(),
            values: std::mem::take(&mut self.values),
            eligible: std::mem::take(&mut self.eligible),
            sniffer: readable.sniffer,
            kind: readable.kind,
            verdicts,
            page: self.page.clone(),
            watched: Watched {
                probed: probes.to_vec(),
                verdicts: verdicts_of_probes,
                late: late.into_iter().collect(),
            },
            records: self.explained.records(),
        }
    }

    /// The assignments that are seen in a page whose body nobody edits: those of patches of the exchange.
    fn seen_in_head(&self, seeing: &Seeing, status: StatusCode, kind: Result<Kind, Untouched>) -> Vec<Event> {
        if self.is_head {
            return Vec::new();
        }
        if status == StatusCode::NOT_MODIFIED {
            return if self.asks_for_page { seeing.confirmed() } else { Vec::new() };
        }
        if kind == Ok(Kind::Html) && !self.is_subresource { seeing.seen(None, &[]) } else { Vec::new() }
    }

    /// Makes the edits of patches in the head; the names of those that made some.
    fn edit_head<'p>(
        (values, explained): (&Values, &mut Explained),
        patches: impl Iterator<Item = &'p Patch> + Clone,
        head: &Head<'_>,
        is_page: bool,
        edits: &mut Vec<HeaderEdit>,
    ) -> Vec<String> {
        let mut done = Vec::new();
        if patches.clone().all(|patch| patch.head.is_empty()) {
            return done;
        }
        let mut seen = head.arrived.clone();
        edits.iter().for_each(|edit| edit.apply(&mut seen));
        for patch in patches {
            let of_patch = patch.head.edits(values, &seen, is_page);
            of_patch.iter().for_each(|edit| edit.apply(&mut seen));
            if !of_patch.is_empty() {
                done.push(patch.label.clone());
            }
            edits.extend(of_patch);
            explained.by(Cause::Patch(&patch.label), edits);
        }
        done
    }

    /// The answer, with the headers `leaving`, to a visitor who has what the response holds.
    fn not_modified(leaving: &HeaderMap, body: Body) -> Body {
        let (mut report, confirmed) = match body {
            Body::Passes(mut report) | Body::NotModified(_, mut report) => {
                let seen = std::mem::take(&mut report.exposures).into_iter();
                (report, seen.map(|event| event.seen_by(SeenBy::NotModified)).collect())
            }
            Body::Edited(edits) => edits.not_modified(),
        };
        report.body = BodyState::NotModified;
        report.exposures = confirmed;
        let headers = leaving.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Body::NotModified(LocalResponse { status: StatusCode::NOT_MODIFIED, headers }, report)
    }

    /// The exchange ended before a response came.
    pub(super) fn abort(self) -> Report {
        let route = self.patches.as_ref().and_then(Patches::route);
        let mut report = Report {
            route: route.map(|route| route.name.clone()),
            rewritten: self.rewritten,
            body: BodyState::Aborted,
            ..Report::default()
        };
        self.explained.complete(&mut report, LabelledRecord::default());
        report
    }

    pub(super) const fn variant(&self) -> Option<Digest> {
        self.variant.digest()
    }
}

/// The head of a response.
#[derive(Clone, Copy)]
struct Head<'h> {
    status: StatusCode,
    /// As it came here.
    arrived: &'h HeaderMap,
    /// As it left the origin.
    came: &'h HeaderMap,
    record: &'h Record,
}

/// The edits of a body with `codings`. `own_head` is what takes back that the head says that it has none.
pub(super) fn body_edits(
    plan: Plan,
    seeing: Seeing,
    codings: &[Coding],
    own_head: Vec<HeaderEdit>,
    report: Report,
) -> Edits {
    let decoder = match codings {
        [] => None,
        codings => Decoder::for_codings(codings, decoder_bounds(plan.patches.engine().limits())),
    };
    let mut edits = Edits::new(plan, seeing, report);
    if let Some(decoder) = decoder {
        edits.decode(decoder, own_head);
    }
    edits
}

/// Pages shrink to a fifth or a tenth; deflate could make 1,032 bytes of one, br and zstd any number.
fn decoder_bounds(limits: &Limits) -> Bounds {
    let max = limits.max_decoded_bytes.into();
    Bounds { allowance_bytes: max, max_ratio: 100, max_bytes_per_write: max }
}

/// What a changed body makes untrue (RFC 9110 § 8.4, 8.6, 14.3; RFC 9530; RFC 3230), and what is true of it. Of its validators
/// speaks the [variant](super::variant).
pub(super) fn for_edited_body(
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
pub(super) fn restored(
    headers: &HeaderMap,
    before: &[HeaderEdit],
    changes: &[HeaderEdit],
) -> Vec<HeaderEdit> {
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

impl LocalResponse {
    /// No cache is to keep it.
    pub(super) fn keep_nowhere(&mut self) {
        self.headers.retain(|(name, _)| name != header::CACHE_CONTROL);
        self.headers.push((header::CACHE_CONTROL, PRIVATE_NO_STORE));
    }

    /// Tells whoever asked for it why.
    pub(super) fn explain(&mut self, explained: &Explained) {
        let trace = explained.compact().and_then(|trace| HeaderValue::try_from(trace).ok());
        self.headers.extend(trace.map(|trace| (TRACE_HEADER, trace)));
    }
}

/// What was decided, for whoever asked and for no cache.
fn debug_headers(text: &str, origin: &HeaderMap) -> impl Iterator<Item = HeaderEdit> {
    let value = HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unprintable"));
    let no_store = HeaderEdit::Set(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    protection(origin).into_iter().chain([no_store, HeaderEdit::Set(DEBUG_HEADER, value)])
}
