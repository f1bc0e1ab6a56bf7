//! The exchange with a cache, at the origin stage: what it may store, and what that is made from.
//!
//! The attack that this prevents: a cache that stores one visitor's page for all. The origin gets what is in the key and what
//! the route declares; the response is storable only where nothing else can be in it.
//!
//! The client stage has said on which route a request is ([`Mark`]). A request without that is none of ours and passes. One that
//! another configuration has marked passes as well, and its response is not stored: the key was made by other rules.

use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use httpdate::fmt_http_date;

use super::begin::for_whole_bodies;
use super::gate::{Readable, Untouched, gate};
use super::page::Plan;
use super::patches::Patches;
use super::report::{BodyState, NotStorable, PatchReport, Report};
use super::response::{body_edits, for_edited_body, restored};
use super::variant::Stored;
use super::watch::Seeing;
use super::watched::Watched;
use super::{Answered, Begun, Body, Forwarded, Next, Peer, RequestEdits};
use crate::cache::key::CacheKey;
use crate::cache::mark::{self, Mark};
use crate::cache::origin_reads::Standing;
use crate::cache::record::{self, Arrived, Made};
use crate::cache::set_cookie::{Storable, is_storable};
use crate::cache::validator::digest::Digest;
use crate::cache::{Answer, Asked, not_storable};
use crate::config::model::ContentCoding;
use crate::csp;
use crate::engine::{Engine, Route, internal_headers};
use crate::headers::{HeaderEdit, list};
use crate::patch::Patch;
use crate::patch::admission::Admission;
use crate::patch::split::Place;
use crate::request::RequestHead;
use crate::request::attributes::Values;

/// A cache's request that was sent on.
#[derive(Debug)]
pub(super) struct Fetch {
    engine: Arc<Engine>,
    standing: Marked,
    /// When the origin was asked. Caches count the age of what they store from its `Date`; a later one would make it younger.
    now: SystemTime,
    is_head: bool,
    page: csp::Page,
}

/// What is known of a request.
#[derive(Debug)]
enum Marked {
    /// Nothing.
    No,
    /// That the origin's word counts, but for what it sets for one visitor.
    Unstored,
    /// That the response is not to be stored, and what to tell the client stage, if it can be told anything.
    Passing { configuration: Option<u128>, route: Option<usize> },
    /// All that is in its key.
    Keyed(Keyed),
}

/// A request of which all that the origin got is in the key.
#[derive(Debug)]
struct Keyed {
    /// Index of the route in the engine.
    route: usize,
    values: Values,
    /// What cache policies ask of the request.
    asked: Asked,
    /// Indexes of the patches of this stage whose guards hold.
    eligible: Vec<usize>,
    stored: Stored,
}

/// Begins the exchange with a cache; see [`begin`](super::begin).
pub(super) fn begin(engine: &Arc<Engine>, request: &RequestHead, now: SystemTime) -> Begun {
    let mut edits = RequestEdits::default();
    edits.headers.extend(internal_headers(&request.headers).map(HeaderEdit::Remove));
    let mark = Mark::of(&request.headers, engine.digest());
    if mark != Mark::None {
        let path = mark::without_key(&request.path);
        edits.path = (path != request.path).then(|| path.into_owned());
    }
    let standing = match mark {
        Mark::None => Marked::No,
        Mark::Foreign { configuration } => {
            // What the cache has stored may have edits of that configuration: a 304 would bring it this one's record.
            let conditions = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE].into_iter();
            let conditions = conditions.filter(|name| request.headers.contains_key(name));
            edits.headers.extend(conditions.map(HeaderEdit::Remove));
            Marked::Passing { configuration, route: None }
        }
        Mark::Ours { standing: mark::Standing::Unstored, .. } => Marked::Unstored,
        Mark::Ours { route, standing } => match engine.route_named(&route) {
            Some((index, route)) if standing == mark::Standing::Keyed && CacheKey::covers(request) => {
                Marked::Keyed(keyed(engine, (index, route), request, &mut edits))
            }
            named => {
                Marked::Passing { configuration: Some(engine.digest()), route: named.map(|(index, _)| index) }
            }
        },
    };
    let fetch = Fetch {
        engine: Arc::clone(engine),
        standing,
        now,
        is_head: request.method == "HEAD",
        page: csp::Page::new(&request.scheme, &request.authority),
    };
    Begun { edits, next: Next::Forward(Forwarded(Peer::Cache(Box::new(fetch)))) }
}

fn keyed(
    engine: &Arc<Engine>,
    (index, route): (usize, &Route),
    request: &RequestHead,
    edits: &mut RequestEdits,
) -> Keyed {
    edits.headers.extend(route.key.header_edits(request, Standing::Patched, true));
    // What is read is what the key has: the request as the origin gets it, with the URL that the client stage knew.
    let mut seen = mark::with_marked_url(request.clone());
    edits.headers.iter().for_each(|edit| edit.apply(&mut seen.headers));
    let values = engine.attributes().read(&route.reads, &seen, &[]);
    let of_this_stage = |index: usize| route.places.get(index) == Some(&Place::Origin);
    let eligible = route.patches.iter().enumerate();
    let eligible = eligible.filter(|(index, patch)| {
        of_this_stage(*index) && patch.is_eligible(&values, engine.decisions().saved_groups())
    });
    let eligible: Vec<usize> = eligible.map(|(index, _)| index).collect();
    edits.headers.extend(for_storage(route, &seen.headers, eligible.is_empty()));
    let mut stored = Stored::of(&Patches::of_route(Arc::clone(engine), index), route, &eligible, &values);
    edits.headers.extend(stored.towards_origin(&seen.headers));
    Keyed { route: index, asked: route.cache.asked(&seen.headers), values, eligible, stored }
}

/// What is stored has no coding, since not all visitors take the same; where the origin is declared to read `Accept-Encoding`, it
/// is in the key. A page that is edited is asked for as a whole.
fn for_storage<'h>(
    route: &Route,
    headers: &'h HeaderMap,
    passes: bool,
) -> impl Iterator<Item = HeaderEdit> + use<'h> {
    let is_declared = route.key.told_apart_by().any(|name| name == header::ACCEPT_ENCODING);
    let is_of_coding = |edit: &HeaderEdit| matches!(edit, HeaderEdit::Set(header::ACCEPT_ENCODING, _));
    for_whole_bodies(headers).filter(move |edit| !passes || (is_of_coding(edit) && !is_declared))
}

impl Fetch {
    /// Takes the head of the origin's response, on its way into the cache; see [`Forwarded::answer`].
    pub(super) fn answer(self, status: StatusCode, headers: &HeaderMap) -> Answered {
        let Arrived { headers: came, mut edits, .. } = Arrived::without_record(headers);
        let Self { engine, standing, now, is_head, page } = self;
        match standing {
            Marked::No => Answered { headers: edits, body: Body::Passes(Report::default()) },
            Marked::Unstored if !came.contains_key(header::SET_COOKIE) => {
                Answered { headers: edits, body: Body::Passes(Report::default()) }
            }
            Marked::Unstored => {
                edits.extend(record::written(&came, engine.digest(), &Made::default(), None));
                edits.extend(not_storable(&came));
                let report = Report { not_storable: Some(NotStorable::SetCookie), ..Report::default() };
                Answered { headers: edits, body: Body::Passes(report) }
            }
            Marked::Passing { configuration, route } => {
                let route = route.and_then(|index| engine.routes().get(index));
                if let Some(configuration) = configuration {
                    edits.extend(record::written(&came, configuration, &Made::default(), None));
                }
                edits.extend(not_storable(&came));
                let reason =
                    if route.is_some() { NotStorable::Passing } else { NotStorable::OtherConfiguration };
                let report = Report {
                    route: route.map(|route| route.name.clone()),
                    not_storable: Some(reason),
                    ..Report::default()
                };
                Answered { headers: edits, body: Body::Passes(report) }
            }
            Marked::Keyed(keyed) => match engine.routes().get(keyed.route) {
                Some(route) => {
                    let head = Head { status, arrived: headers, came: &came, now, is_head, page: &page };
                    keyed.answer(&engine, route, &head, edits)
                }
                None => Answered { headers: edits, body: Body::Passes(Report::default()) },
            },
        }
    }

    /// The exchange ended before a response came.
    pub(super) fn abort(self) -> Report {
        let route = match self.standing {
            Marked::Keyed(Keyed { route, .. }) => Some(route),
            Marked::Passing { route, .. } => route,
            Marked::No | Marked::Unstored => None,
        };
        let route = route.and_then(|index| self.engine.routes().get(index));
        Report { route: route.map(|route| route.name.clone()), body: BodyState::Aborted, ..Report::default() }
    }

    pub(super) const fn variant(&self) -> Option<Digest> {
        match &self.standing {
            Marked::Keyed(keyed) => keyed.stored.digest(),
            Marked::No | Marked::Unstored | Marked::Passing { .. } => None,
        }
    }
}

/// The head of the origin's response.
#[derive(Clone, Copy)]
struct Head<'h> {
    status: StatusCode,
    /// As it came here.
    arrived: &'h HeaderMap,
    /// Without what an origin has no business to send.
    came: &'h HeaderMap,
    now: SystemTime,
    is_head: bool,
    page: &'h csp::Page,
}

impl Keyed {
    fn answer(
        mut self,
        engine: &Arc<Engine>,
        route: &Route,
        head: &Head<'_>,
        mut edits: Vec<HeaderEdit>,
    ) -> Answered {
        let Head { status, came, .. } = *head;
        let mut report = Report { route: Some(route.name.clone()), ..Report::default() };
        let patches: Vec<&Patch> =
            self.eligible.iter().filter_map(|index| route.patches.get(*index)).collect();
        let judged = judge(&patches, route, status, came);
        let is_revalidated = status == StatusCode::NOT_MODIFIED;

        let cookies = is_storable(came, route.key.droppable_cookies());
        report.not_storable = if cookies == Storable::No {
            Some(NotStorable::SetCookie)
        } else if status == StatusCode::PARTIAL_CONTENT {
            Some(NotStorable::Partial)
        } else if !route.key.tells_apart(came) {
            Some(NotStorable::Vary)
        } else if judged.is_err() && is_coded(route, came) {
            Some(NotStorable::ContentCoding)
        } else {
            None
        };
        let of_caches = route.cache.store_edits(&Answer {
            status,
            headers: came,
            vary: None,
            is_page: judged.is_ok(),
            asked: &self.asked,
            values: &self.values,
            is_of_visitor: report.not_storable.is_some(),
            cookies: &cookies,
        });
        report.dropped_tags = of_caches.dropped_tags;
        report.drops_cookies = of_caches.drops_cookies;

        let mut verdicts = Vec::new();
        let mut of_head = Vec::new();
        if judged.is_ok() || (is_revalidated && self.stored.is_asked(came)) {
            let mut seen = came.clone();
            for patch in &patches {
                let of_patch = patch.head.edits(&self.values, &seen, true);
                of_patch.iter().for_each(|edit| edit.apply(&mut seen));
                of_head.extend(of_patch);
            }
            let admission = Admission::judge(patches.iter().copied(), came, &of_head, head.page);
            of_head.extend(admission.header_edits);
            verdicts = admission.verdicts;
        }
        let made = match &judged {
            Ok(_) => Made::of(&self.eligible),
            Err(_) => Made::default(),
        };
        self.eligible.retain(|index| made.has(*index));
        if is_revalidated {
            // What is stored has its record; here is no body to say anything of.
            edits.extend(record::saved(came));
            edits.extend(record::not_aged(came));
            edits.extend(joined(came));
            if cookies == Storable::No {
                // The cache would hand it to everybody who gets the stored page from now on.
                edits.push(HeaderEdit::Remove(header::SET_COOKIE));
                report.drops_cookies = true;
            }
        } else {
            let skipped = judged.as_ref().err().filter(|_| !patches.is_empty()).map(|reason| reason.name());
            edits.extend(record::written(came, engine.digest(), &made, skipped));
        }
        edits.extend(of_caches.headers);
        edits.extend(
            HeaderValue::try_from(fmt_http_date(head.now)).map(|date| HeaderEdit::Set(header::DATE, date)),
        );
        match judged {
            Ok(readable) if !self.eligible.is_empty() => {
                edits.extend(of_head);
                let mut changes = for_edited_body(came, &readable, ContentCoding::default(), false);
                changes.extend(self.stored.of_edited(came, &verdicts));
                let body = if head.is_head {
                    report.body = BodyState::Untouched(Untouched::Head);
                    edits.extend(changes);
                    Body::Passes(report)
                } else {
                    // A body that is not what its coding says goes out as it came, and must be no page of everybody's.
                    let mut own_head = restored(head.arrived, &edits, &changes);
                    let corrupt = Untouched::CorruptCoding.name();
                    own_head.extend(record::written(came, engine.digest(), &Made::default(), Some(corrupt)));
                    own_head.extend(not_storable(came));
                    edits.extend(changes);
                    let plan = Plan {
                        patches: Patches::of_route(Arc::clone(engine), self.route),
                        values: self.values,
                        eligible: self.eligible,
                        sniffer: readable.sniffer,
                        kind: readable.kind,
                        verdicts,
                        page: head.page.clone(),
                        watched: Watched::default(),
                        records: false,
                    };
                    Body::Edited(Box::new(body_edits(
                        plan,
                        Seeing::default(),
                        &readable.codings,
                        own_head,
                        report,
                    )))
                };
                Answered { headers: edits, body }
            }
            judged => {
                if let Err(reason) = judged
                    && !patches.is_empty()
                {
                    report.body = BodyState::Untouched(reason);
                    report.patches.extend(patches.iter().copied().map(PatchReport::not_tried));
                }
                if is_revalidated {
                    edits.extend(of_head);
                    edits.extend(self.stored.of_revalidated(came));
                }
                Answered { headers: edits, body: Body::Passes(report) }
            }
        }
    }
}

/// Whether the patches of this stage can be done to a response. Where its charset is not in its head and patches of the client stage
/// look for it in the first bytes of the page, these must be the origin's.
fn judge(
    patches: &[&Patch],
    route: &Route,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Readable, Untouched> {
    let readable = gate(status, headers, &route.content_types)?;
    if !patches.iter().any(|patch| patch.edits(readable.kind)) {
        return Err(Untouched::ContentType);
    }
    let mut places = route.patches.iter().zip(&route.places);
    let others = places.any(|(patch, place)| *place != Place::Origin && patch.edits(readable.kind));
    if others && !readable.sniffer.is_told() {
        return Err(Untouched::UntoldCharset);
    }
    Ok(readable)
}

/// Repeated headers as one line each (RFC 9110 § 5.3): of those that a 304 brings, Envoy's cache keeps the first line only (1.36 to
/// 1.40), and of policies that would be a looser one.
fn joined(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> + '_ {
    let names = headers.keys().filter(|name| **name != header::SET_COOKIE);
    names.filter_map(|name| {
        let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        let value = HeaderValue::from_bytes(&lines.join(&b", "[..])).ok().filter(|_| lines.len() > 1)?;
        Some(HeaderEdit::Set(name.clone(), value))
    })
}

/// Whether a body has a coding that not all visitors may take.
fn is_coded(route: &Route, headers: &HeaderMap) -> bool {
    let is_declared = route.key.told_apart_by().any(|name| name == header::ACCEPT_ENCODING);
    !is_declared
        && list(headers, &header::CONTENT_ENCODING).any(|coding| !coding.eq_ignore_ascii_case(b"identity"))
}
