//! The request: which route, which patches, and what the origin is asked.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::report::Report;
use super::variant::Variant;
use super::{Begun, DEBUG_HEADER, Forwarded, LocalResponse, Next, RequestEdits};
use crate::cache::key::CacheKey;
use crate::cache::origin_reads::Standing;
use crate::cache::{Asked, PRIVATE};
use crate::coding::negotiation::accepts_gzip;
use crate::csp;
use crate::engine::{Engine, Route, internal_headers};
use crate::headers::{HeaderEdit, list};
use crate::patch::{Action, ExchangeEdit, Redirect};
use crate::request::attributes::Values;
use crate::request::{RequestHead, authority};

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
    let page = csp::Page::new(&request.scheme, &request.authority);

    let Some((index, route)) = engine.route(request) else {
        let next = Forwarded {
            engine: Arc::clone(engine),
            route: None,
            values: Values::default(),
            asked: Asked::default(),
            eligible: Vec::new(),
            variant: Variant::of_no_route(),
            is_head,
            page,
            is_subresource: false,
            accepts_gzip: false,
            rewritten: false,
            is_keyed: false,
            debug,
        };
        return Begun { edits, next: Next::Forward(next) };
    };
    let values = engine.attributes().read(&route.reads, request, facts);
    let eligible = route.patches.iter().enumerate().filter(|(_, patch)| patch.is_eligible(&values));
    let eligible: Vec<usize> = eligible.map(|(index, _)| index).collect();
    let patches = || eligible.iter().filter_map(|index| route.patches.get(*index));

    let redirect = patches().find_map(|patch| match &patch.action {
        Action::Redirect(redirect) => {
            Some((patch, local_response(&redirect.render(&values)?, route, request)?))
        }
        _ => None,
    });
    if let Some((patch, response)) = redirect {
        let report = Report::redirected(&route.name, patch);
        return Begun { edits, next: Next::Respond(response, report) };
    }
    let is_subresource = is_subresource(request);
    // What is read of the request has been read; from here on it is the one that caches and the origin see.
    edits.headers.extend(route.key.header_edits(request, Standing::Visitor));
    let target = route.key.target(request);
    if target != request.path {
        edits.path = Some(target.clone().into_owned());
    }
    let mut rewritten = false;
    for patch in patches() {
        if let Action::Exchange(template) = &patch.action {
            let edit = template.render(&values);
            if let Some(reads) =
                route.key.reads().filter(|_| edit.host.is_some() && CacheKey::covers(request))
            {
                edits.headers.extend(reads.of_rewritten_host(&request.headers));
            }
            rewritten |= edit.path.is_some() || edit.host.is_some();
            edits.take(edit, &target);
        }
    }
    if patches().any(|patch| patch.edits_elements() || patch.edits_json()) && !is_subresource {
        edits.headers.extend(for_whole_bodies(&request.headers));
    }
    let accepts_gzip = accepts_gzip(&request.headers);
    let mut variant = Variant::of(engine, route, &eligible, &values, &request.method, accepts_gzip);
    edits.headers.extend(variant.towards_origin(request, is_subresource));
    let next = Forwarded {
        engine: Arc::clone(engine),
        route: Some(index),
        values,
        asked: route.cache.asked(&request.headers),
        eligible,
        variant,
        is_head,
        page,
        is_subresource,
        accepts_gzip,
        rewritten,
        is_keyed: CacheKey::covers(request),
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

/// What the request must not ask for when the body is to be edited: a coding that can't be read, a part of the body, or
/// trailers.
fn for_whole_bodies(headers: &HeaderMap) -> impl Iterator<Item = HeaderEdit> {
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
}
