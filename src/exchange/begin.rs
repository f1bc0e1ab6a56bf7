//! A visitor's request: which route, which patches, and what the cache behind, or the origin, is asked.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::choice::{Choice, Decided, Wish};
use super::explained::{Explained, LabelledRecord};
use super::intent::{asks_for_debug, asks_for_page, is_prefetch, is_subresource, without_force};
use super::patches::Patches;
use super::variant::{Besides, Variant};
use super::{Begun, Forwarded, Next, Peer, RequestEdits, Surroundings};
use crate::cache::key::CacheKey;
use crate::cache::mark::{self, Mark};
use crate::cache::origin_reads::Standing;
use crate::cache::validator::conditional::Remembered;
use crate::cache::{Asked, Keepers};
use crate::coding::negotiation::accepts_gzip;
use crate::config::model::Stage;
use crate::csp;
use crate::engine::{Engine, Route, internal_headers};
use crate::explain::trail::Cause;
use crate::headers::HeaderEdit;
use crate::patch::{Action, ExchangeEdit, Patch};
use crate::request::RequestHead;
use crate::request::attributes::Values;
use crate::request::decided::ID;

/// A visitor's request that was sent on.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) engine: Arc<Engine>,
    /// None where the request is on no route.
    pub(super) patches: Option<Patches>,
    pub(super) values: Values,
    pub(super) decided: Decided,
    /// What cache policies ask of the request.
    pub(super) asked: Asked,
    /// Indexes of the patches whose guards hold.
    pub(super) eligible: Vec<usize>,
    pub(super) variant: Variant,
    pub(super) is_head: bool,
    /// The page that the visitor asks for, as policies name it.
    pub(super) page: csp::Page,
    /// The browser says that it is part of a page.
    pub(super) is_subresource: bool,
    /// A page is asked for, as far as the request says.
    pub(super) asks_for_page: bool,
    /// The visitor takes gzip.
    pub(super) accepts_gzip: bool,
    pub(super) rewritten: bool,
    /// A cache may answer such requests.
    pub(super) is_covered: bool,
    /// The origin got no more of it than the route declares.
    pub(super) is_limited: bool,
    pub(super) behind: Behind,
    pub(super) debug: bool,
    pub(super) explained: Explained,
}

/// What stands between here and the origin.
#[derive(Debug)]
pub(super) enum Behind {
    /// No other stage.
    Origin,
    /// A cache that goes by the origin's word, and the origin stage, which keeps from it what is set for one visitor.
    Unstored,
    /// A cache that is not to keep the response, and the origin stage, which tells it so.
    Passing,
    /// A cache that may answer, to which the visitor's conditions mean nothing.
    Cache(Remembered),
}

/// Begins the exchange with a visitor; see [`begin`](super::begin).
pub(super) fn begin(engine: &Arc<Engine>, request: &RequestHead, surroundings: &Surroundings<'_>) -> Begun {
    let Surroundings { facts, peer, live, overrides, explains, .. } = *surroundings;
    let live = live.or_else(|| engine.growthbook()?.live());
    let mut edits = RequestEdits::default();
    edits.headers.extend(internal_headers(&request.headers).map(HeaderEdit::Remove));
    let request = &*without_key(engine.stage(), request, &mut edits);
    let debug = asks_for_debug(engine, request, peer);
    let (request, forced) = without_force(engine, request, peer, &mut edits);
    let mut explained = if explains || debug {
        Explained::new(engine, &request, &Surroundings { live, ..*surroundings })
    } else {
        Explained::default()
    };
    explained.by(Cause::Internal, &edits.headers);
    let forced = overrides.map(|overrides| overrides.choices.clone()).or(forced);
    let request = &*request;
    let is_head = request.method == "HEAD";
    let page = csp::Page::new(&request.scheme, &request.authority);

    let Some((index, route)) = engine.route(request) else {
        let mut visit = Visit {
            engine: Arc::clone(engine),
            patches: None,
            values: Values::default(),
            decided: Decided::default(),
            asked: Asked::default(),
            eligible: Vec::new(),
            variant: Variant::of_no_route(),
            is_head,
            page,
            is_subresource: false,
            asks_for_page: false,
            accepts_gzip: false,
            rewritten: false,
            is_covered: false,
            is_limited: false,
            behind: if engine.stage() == Stage::Client { Behind::Unstored } else { Behind::Origin },
            debug,
            explained,
        };
        edits.mark(engine, "", request, &visit.behind, Vec::new());
        visit.explained.by(Cause::Stages, &edits.headers);
        visit.explained.forwarded(request, &edits);
        return Begun { edits, next: Next::Forward(Forwarded(Peer::Visitor(Box::new(visit)))) };
    };
    let is_subresource = is_subresource(request);
    let sinks = engine.exposures();
    let asks_for_page = asks_for_page(request);
    let mut values = engine.attributes().read(&route.reads, request, facts);
    if let Some(overrides) = overrides {
        overrides.apply(|name| name == ID || route.reads.contains(name), &mut values);
    }
    let wish = Wish {
        forced,
        asks_for_page,
        is_subresource,
        is_prefetch: is_prefetch(&request.headers),
        explains: explains || debug,
    };
    let surroundings = Surroundings { live, ..*surroundings };
    let mut choice = Choice::make(engine, (index, route), request, values, wish, &surroundings);
    explained.chosen(engine, route, &choice);
    if let Some((mut response, mut report)) = choice.redirect(route, request) {
        if debug {
            response.keep_nowhere();
        }
        explained.depends(route, None);
        explained.responded(&response, report.redirected_by.as_deref());
        if debug {
            response.explain(&explained);
        }
        explained.complete(&mut report, LabelledRecord::default());
        return Begun { edits, next: Next::Respond(response, Box::new(report)) };
    }
    let Choice { values, decided, patches, eligible, payload, .. } = choice;
    let chosen = || patches.numbered(&eligible);
    let asked = route.cache.asked(&request.headers);
    let is_covered = CacheKey::covers(request);
    let keepers = if is_covered { route.cache.keepers(&asked) } else { Keepers::default() };
    let is_limited = is_limited(engine.stage(), route, is_covered, keepers);
    // What is read of the request has been read; from here on it is the one that caches and the origin see.
    edits.headers.extend(route.key.header_edits(request, Standing::Visitor, is_limited));
    explained.by(Cause::Key, &edits.headers);
    let target = route.key.target(request);
    if target != request.path {
        edits.path = Some(target.clone().into_owned());
    }
    let mut rewritten = false;
    for patch in chosen() {
        if let Action::Exchange(template) = &patch.action {
            let edit = template.render(&values);
            if let Some(reads) = route.key.reads().filter(|_| edit.host.is_some() && is_limited) {
                edits.headers.extend(reads.of_rewritten_host(&request.headers));
            }
            explained.by(Cause::Key, &edits.headers);
            rewritten |= edit.path.is_some() || edit.host.is_some();
            edits.take(edit, &target);
            explained.by(Cause::Patch(&patch.label), &edits.headers);
        }
    }
    let looked_for = decided.watch.probes();
    let is_read = |patch: &Patch| patch.edits_elements() || patch.edits_json();
    let told = sinks.page.map(|page| decided.watch.told(&route.name, page.hash_value)).unwrap_or_default();
    if (!told.is_empty() || chosen().any(is_read) || patches.numbered(&looked_for).any(is_read))
        && !is_subresource
    {
        edits.headers.extend(for_whole_bodies(&request.headers));
        explained.by(Cause::WholeBodies, &edits.headers);
    }
    let accepts_gzip = accepts_gzip(&request.headers);
    let besides = Besides { live: payload, told: &told };
    let mut variant =
        Variant::of(&patches, route, &eligible, &values, besides, &request.method, accepts_gzip);
    // Caches answer from what they have stored, whatever these say (Envoy's, 1.36 to 1.40); only the origin can judge them.
    let mut guards = [header::IF_MATCH, header::IF_UNMODIFIED_SINCE].into_iter();
    let is_guarded = guards.any(|name| request.headers.contains_key(name));
    let behind = match engine.stage() {
        Stage::Both | Stage::Origin => Behind::Origin,
        Stage::Client if decided.forced.is_some() => Behind::Passing,
        Stage::Client if route.key.is_stored() => {
            // What is not UTF-8 in a path would become another path by being written.
            let is_writable = !request.path.contains(char::REPLACEMENT_CHARACTER);
            if keepers.store && !is_guarded && is_writable {
                Behind::Cache(Remembered::of(&request.method, &request.headers))
            } else {
                Behind::Passing
            }
        }
        // The origin was told more of the visitor than it may know of, or is declared to read, without a key that says so.
        Stage::Client if route.key.reads().is_some() || route.cache.is_beyond_pages() => Behind::Passing,
        Stage::Client => Behind::Unstored,
    };
    let conditions = match &behind {
        Behind::Cache(remembered) => {
            edits.headers.extend(remembered.edits());
            Cow::Owned(Remembered::others(&request.headers))
        }
        Behind::Origin | Behind::Unstored | Behind::Passing => Cow::Borrowed(&request.headers),
    };
    edits.headers.extend(variant.towards_origin(&request.method, &conditions, is_subresource));
    explained.by(Cause::Validators, &edits.headers);
    if decided.forced.is_some() {
        edits.headers.extend(past_caches(&request.headers));
        explained.by(Cause::PastCaches, &edits.headers);
    }
    let told_apart_by = route.key.told_apart_by().collect();
    edits.mark(engine, &route.name, request, &behind, told_apart_by);
    explained.by(Cause::Stages, &edits.headers);
    explained.forwarded(request, &edits);
    let visit = Visit {
        engine: Arc::clone(engine),
        patches: Some(patches),
        values,
        decided,
        asked,
        eligible,
        variant,
        is_head,
        page,
        is_subresource,
        asks_for_page,
        accepts_gzip,
        rewritten,
        is_covered,
        is_limited,
        behind,
        debug,
        explained,
    };
    Begun { edits, next: Next::Forward(Forwarded(Peer::Visitor(Box::new(visit)))) }
}

/// Has the caches behind, whoever's they are, ask the origin, and the origin answer in full.
fn past_caches(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> {
    let conditions = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE];
    let present: Vec<HeaderName> = conditions.into_iter().filter(|name| headers.contains_key(name)).collect();
    let no_cache = || HeaderValue::from_static("no-cache");
    let asks =
        [HeaderEdit::Set(header::CACHE_CONTROL, no_cache()), HeaderEdit::Set(header::PRAGMA, no_cache())];
    present.into_iter().map(HeaderEdit::Remove).chain(asks)
}

/// Whether the origin is to get no more of a request than the route declares. Only an origin stage can tell the cache behind not
/// to keep what was made from more; without one, everything that might be kept there is limited.
fn is_limited(stage: Stage, route: &Route, is_covered: bool, keepers: Keepers) -> bool {
    let by_store = match stage {
        Stage::Client | Stage::Origin => keepers.store,
        Stage::Both => route.key.is_stored(),
    };
    is_covered && (by_store || keepers.front)
}

/// The request without the parameter that only a client stage may write.
fn without_key<'r>(stage: Stage, request: &'r RequestHead, edits: &mut RequestEdits) -> Cow<'r, RequestHead> {
    let path =
        if stage == Stage::Client { mark::without_key(&request.path) } else { request.path.as_str().into() };
    if path == request.path {
        return Cow::Borrowed(request);
    }
    edits.path = Some(path.clone().into_owned());
    Cow::Owned(RequestHead { path: path.into_owned(), ..request.clone() })
}

/// What the request must not ask for when the body is to be edited: a coding that can't be read, a part of the body, or
/// trailers.
pub(super) fn for_whole_bodies(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> {
    let unwanted = [header::RANGE, header::IF_RANGE, header::TE];
    let present: Vec<HeaderName> = unwanted.into_iter().filter(|name| headers.contains_key(name)).collect();
    let identity = HeaderEdit::Set(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    present.into_iter().map(HeaderEdit::Remove).chain([identity])
}

impl RequestEdits {
    fn take(&mut self, edit: ExchangeEdit, target: &str) {
        if let Some(path) = edit.path {
            let query = target.split_once('?').map(|(_, query)| query);
            self.path = Some(query.map_or_else(|| path.clone(), |query| format!("{path}?{query}")));
        }
        if let Some(host) = edit.host {
            self.authority = Some(host);
        }
        self.headers.extend(edit.request_headers);
    }

    /// Tells the origin stage behind a cache what it has to know, and the cache what tells stored responses apart.
    fn mark(
        &mut self,
        engine: &Engine,
        route: &str,
        request: &RequestHead,
        behind: &Behind,
        told_apart_by: Vec<HeaderName>,
    ) {
        let configuration = engine.digest();
        let path = self.path.as_deref().unwrap_or(&request.path);
        match behind {
            Behind::Origin => {}
            Behind::Unstored => self.headers.extend(Mark::unkeyed(configuration, route, false)),
            Behind::Passing => {
                self.headers.extend(Mark::unkeyed(configuration, route, true));
                // Whatever was stored under the URL itself is not for these visitors.
                let is_looked_up = matches!(request.method.as_str(), "GET" | "HEAD");
                if is_looked_up && !path.contains(char::REPLACEMENT_CHARACTER) {
                    self.path = Some(mark::with_key(path, mark::PASSING));
                }
            }
            Behind::Cache(_) => {
                let authority = self.authority.as_deref().unwrap_or(&request.authority);
                let site = format!("{}://{authority}", request.scheme);
                let sent = (&request.headers, self.headers.as_slice());
                let key = mark::key(configuration, route, &site, sent, told_apart_by);
                let url = [request.scheme.as_str(), authority, path];
                let keyed = mark::with_key(path, &key);
                self.headers.extend(Mark::keyed(configuration, route, url));
                self.path = Some(keyed);
            }
        }
    }
}
