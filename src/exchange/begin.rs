//! A visitor's request: which route, which patches, and what the cache behind, or the origin, is asked.

use std::borrow::Cow;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::intent::{asks_for_debug, asks_for_page, is_prefetch, is_subresource, view_number, without_force};
use super::patches::Patches;
use super::report::Report;
use super::variant::{Besides, Variant};
use super::watch::{View, Watch};
use super::{Begun, Forwarded, LocalResponse, Next, Peer, RequestEdits, Surroundings};
use crate::cache::key::CacheKey;
use crate::cache::mark::{self, Mark};
use crate::cache::origin_reads::Standing;
use crate::cache::validator::conditional::Remembered;
use crate::cache::{Asked, Keepers, PRIVATE};
use crate::coding::negotiation::accepts_gzip;
use crate::config::model::Stage;
use crate::csp;
use crate::decisions::force::Forced;
use crate::decisions::visitor::Standing as VisitorStanding;
use crate::decisions::{Asking, Exposed, Made, Note};
use crate::engine::{Engine, Route, internal_headers};
use crate::exposure::SeenBy;
use crate::headers::HeaderEdit;
use crate::patch::exchange::RedirectTemplate;
use crate::patch::{Action, ExchangeEdit, Patch, Redirect};
use crate::request::attributes::Values;
use crate::request::target::Target;
use crate::request::{RequestHead, authority};

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
}

/// What was decided about a visitor, besides values.
#[derive(Debug, Default)]
pub(super) struct Decided {
    pub(super) watch: Watch,
    pub(super) view: View,
    /// To be set where the response is for this visitor alone.
    pub(super) cookies: Vec<HeaderValue>,
    /// Somebody chose what they see: no cache may keep it.
    pub(super) forced: Option<Forced>,
    /// A page is asked for, and with its body.
    pub(super) is_view: bool,
    /// The page is fetched before it is looked at, if it ever is (`Sec-Purpose`).
    pub(super) is_prefetch: bool,
    pub(super) awaits_payload: bool,
    /// How many assignments have names or values that are too long to be told.
    pub(super) too_long: u32,
    /// For people who debug.
    pub(super) notes: Vec<Note>,
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
    let Surroundings { facts, peer, now, random, live, explains } = *surroundings;
    let live = live.or_else(|| engine.growthbook()?.live());
    let mut edits = RequestEdits::default();
    edits.headers.extend(internal_headers(&request.headers).map(HeaderEdit::Remove));
    let request = &*without_key(engine.stage(), request, &mut edits);
    let debug = asks_for_debug(engine, request, peer);
    let (request, forced) = without_force(engine, request, peer, &mut edits);
    let request = &*request;
    let is_head = request.method == "HEAD";
    let page = csp::Page::new(&request.scheme, &request.authority);

    let Some((index, route)) = engine.route(request) else {
        let visit = Visit {
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
        };
        edits.mark(engine, "", request, &visit.behind, Vec::new());
        return Begun { edits, next: Next::Forward(Forwarded(Peer::Visitor(Box::new(visit)))) };
    };
    let is_subresource = is_subresource(request);
    let sinks = engine.exposures();
    let asks_for_page = asks_for_page(request);
    let groups = engine.decisions().saved_groups();
    let mut values = engine.attributes().read(&route.reads, request, facts);
    let mut decided = Decided {
        forced,
        is_view: asks_for_page && !is_head,
        is_prefetch: is_prefetch(&request.headers),
        ..Decided::default()
    };
    let mut patches = Patches::of_route(Arc::clone(engine), index);
    let mut made = Made::default();
    if !route.decides.is_empty() {
        decided.view = View {
            route: route.name.clone(),
            path: Target::parse(&request.path).path().to_owned(),
            number: view_number(random),
        };
        let asking = Asking {
            names: &route.decides,
            request,
            live,
            forced: decided.forced.as_ref(),
            now,
            // Parts of a page come with its id, or before there is one to come with.
            random: (!route.decides_by_visitor.is_empty() && !is_subresource).then_some(random),
            asks_for_page,
            tells: !sinks.is_empty(),
            explains: explains || debug || decided.forced.is_some(),
        };
        made = engine.decisions().make(&asking, &mut values);
        decided.cookies = std::mem::take(&mut made.cookies);
        decided.awaits_payload = made.awaits_payload;
        decided.too_long = made.too_long;
        decided.notes = std::mem::take(&mut made.notes);
    }
    let is_left_alone = made.standing == VisitorStanding::LeftAlone;
    let eligible = patches.of_the_route().filter(|(_, patch)| {
        let is_left_out =
            is_left_alone && route.decides_by_visitor.iter().any(|name| patch.reads().contains(name));
        !is_left_out && patch.is_eligible(&values, groups)
    });
    let mut eligible: Vec<usize> = eligible.map(|(number, _)| number).collect();
    let is_sent = |redirect: &RedirectTemplate| {
        redirect.render(&values).is_some_and(|redirect| local_response(&redirect, route, request).is_some())
    };
    decided.watch = Watch::new(made.exposures, &patches, &eligible, &values, groups, is_sent);
    let mut leads_to = None;
    for auto in made.auto {
        let numbers = live.map(|live| patches.add(live, &auto)).unwrap_or_default();
        eligible.extend(&numbers.own);
        if let Some(location) = auto.location {
            leads_to = Some((location, auto.exposed));
        } else if let Some(exposed) = auto.exposed {
            decided.watch.add(exposed, numbers, auto.leads_away);
        }
    }
    let chosen = || patches.numbered(&eligible);

    let redirect = eligible.iter().find_map(|number| match patches.get(*number) {
        Some(patch) => match &patch.action {
            Action::Redirect(redirect) => {
                Some((*number, patch, local_response(&redirect.render(&values)?, route, request)?))
            }
            _ => None,
        },
        None => None,
    });
    if let Some((number, patch, mut response)) = redirect {
        let mut report = Report::redirected(&route.name, patch);
        let seen = std::mem::take(&mut decided.watch).redirected(number);
        decided.redirected(seen, &mut response, &mut report);
        return Begun { edits, next: Next::Respond(response, Box::new(report)) };
    }
    if let Some((location, exposed)) = leads_to {
        let headers = vec![(header::LOCATION, location), (header::CACHE_CONTROL, PRIVATE)];
        let mut response = LocalResponse { status: StatusCode::FOUND, headers };
        let mut report = Report::led_away(&route.name);
        decided.redirected(exposed.into_iter().collect(), &mut response, &mut report);
        return Begun { edits, next: Next::Respond(response, Box::new(report)) };
    }
    let asked = route.cache.asked(&request.headers);
    let is_covered = CacheKey::covers(request);
    let keepers = if is_covered { route.cache.keepers(&asked) } else { Keepers::default() };
    let is_limited = is_limited(engine.stage(), route, is_covered, keepers);
    // What is read of the request has been read; from here on it is the one that caches and the origin see.
    edits.headers.extend(route.key.header_edits(request, Standing::Visitor, is_limited));
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
            rewritten |= edit.path.is_some() || edit.host.is_some();
            edits.take(edit, &target);
        }
    }
    let looked_for = decided.watch.probes();
    let is_read = |patch: &Patch| patch.edits_elements() || patch.edits_json();
    let told = sinks.page.map(|page| decided.watch.told(&route.name, page.hash_value)).unwrap_or_default();
    if (!told.is_empty() || chosen().any(is_read) || patches.numbered(&looked_for).any(is_read))
        && !is_subresource
    {
        edits.headers.extend(for_whole_bodies(&request.headers));
    }
    let accepts_gzip = accepts_gzip(&request.headers);
    let live = live.filter(|_| made.uses_live).map(|live| live.digest());
    let besides = Besides { live, told: &told };
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
    if decided.forced.is_some() {
        edits.headers.extend(past_caches(&request.headers));
    }
    let told_apart_by = route.key.told_apart_by().collect();
    edits.mark(engine, &route.name, request, &behind, told_apart_by);
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
    };
    Begun { edits, next: Next::Forward(Forwarded(Peer::Visitor(Box::new(visit)))) }
}

impl Decided {
    /// The visitor is sent away, and that is what they see of these.
    fn redirected(mut self, seen: Vec<Exposed>, response: &mut LocalResponse, report: &mut Report) {
        let headers = &mut response.headers;
        report.awaits_payload = self.awaits_payload;
        report.too_long_exposures = self.too_long;
        report.forced = self.forced.is_some();
        report.decisions = std::mem::take(&mut self.notes);
        if self.forced.is_some() {
            headers.retain(|(name, _)| name != header::CACHE_CONTROL);
            headers.push((header::CACHE_CONTROL, PRIVATE_NO_STORE));
        } else if headers.iter().any(|(name, _)| name == header::CACHE_CONTROL) {
            headers.extend(std::mem::take(&mut self.cookies).into_iter().map(|it| (header::SET_COOKIE, it)));
        }
        if !self.is_prefetch && self.is_view {
            report.exposures = self.view.events(seen.iter().map(|exposed| (exposed, SeenBy::Redirect)));
        }
    }
}

/// Of what somebody chose to see.
pub(super) const PRIVATE_NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");

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

/// `None` where the visitor would be sent where they are: a condition that still holds there would never end.
fn local_response(redirect: &Redirect, route: &Route, request: &RequestHead) -> Option<LocalResponse> {
    let query = request.path.split_once('?').map(|(_, query)| query);
    // Beyond visible ASCII a header can't hold it.
    let query =
        query.filter(|query| redirect.keep_query && query.bytes().all(|byte| byte.is_ascii_graphic()));
    let location = match query {
        Some(query) => {
            let location = redirect.location.to_str().ok()?;
            let (location, fragment) = location.split_at(location.find('#').unwrap_or(location.len()));
            let separator = if location.contains('?') { '&' } else { '?' };
            HeaderValue::try_from(format!("{location}{separator}{query}{fragment}")).ok()?
        }
        None => redirect.location.clone(),
    };
    if leads_to(&location, request) {
        return None;
    }
    let mut headers = vec![(header::LOCATION, location)];
    if !route.cache.depends_on().is_empty() {
        headers.push((header::CACHE_CONTROL, PRIVATE));
    }
    Some(LocalResponse { status: redirect.status, headers })
}

/// Whether a location, a path or a whole URL, is the request's own.
fn leads_to(location: &HeaderValue, request: &RequestHead) -> bool {
    let Some(location) = location.to_str().ok().and_then(|text| text.split('#').next()) else { return false };
    let own = location.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case(&request.scheme));
    let path = match own {
        Some((_, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if authority::host(host) != authority::host(&request.authority) {
                return false;
            }
            if path.is_empty() { "/" } else { path }
        }
        None => location,
    };
    path == request.path
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
