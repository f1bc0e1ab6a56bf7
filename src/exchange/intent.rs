//! What a request is after, besides what it names: a page or a part of one, debug headers, a variation of somebody's choosing.
//!
//! The attack that this prevents: anybody asking for what only who knows the secret, or sits at this machine, may have.

use std::borrow::Cow;
use std::hash::Hasher as _;
use std::net::IpAddr;

use http::{HeaderMap, HeaderName, header};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use super::{DEBUG_HEADER, RequestEdits};
use crate::decisions::force::{Forced, parameters};
use crate::engine::Engine;
use crate::headers::list;
use crate::request::RequestHead;

/// The number of a view. Of the same chance ids are made, which nobody is to learn from it.
pub(super) fn view_number(random: u128) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(&random.to_le_bytes());
    hasher.finish128().as_u128()
}

/// Whether the browser asks for a page that nobody looks at yet.
pub(super) fn is_prefetch(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose", "x-moz"]
        .into_iter()
        .any(|name| headers.get(name).is_some_and(|purpose| purpose.as_bytes().starts_with(b"prefetch")))
}

/// The request without the parameters by which people choose what they see, and what they chose, if they may.
pub(super) fn without_force<'r>(
    engine: &Engine,
    request: &'r RequestHead,
    peer: Option<IpAddr>,
    edits: &mut RequestEdits,
) -> (Cow<'r, RequestHead>, Option<Forced>) {
    let Some(force) = engine.decisions().force() else { return (Cow::Borrowed(request), None) };
    let found = parameters(force, &request.path);
    if found.rest == request.path {
        return (Cow::Borrowed(request), None);
    }
    let is_allowed = match (&force.secret, &found.secret) {
        (Some(secret), Some(shown)) => same_bytes(secret.as_bytes(), shown.as_bytes()),
        (Some(_), None) => false,
        (None, _) => is_local(request, peer),
    };
    let forced = found.choices.filter(|_| is_allowed).map(|choices| Forced::parse(&choices));
    let path = found.rest.into_owned();
    edits.path = Some(path.clone());
    (Cow::Owned(RequestHead { path, ..request.clone() }), forced)
}

/// Debug headers tell what others must not know: a secret must be shown, or the request must come from this machine.
pub(super) fn asks_for_debug(engine: &Engine, request: &RequestHead, peer: Option<IpAddr>) -> bool {
    let (Some(debug), Some(shown)) = (engine.debug(), request.headers.get(DEBUG_HEADER)) else {
        return false;
    };
    match &debug.secret {
        Some(secret) => same_bytes(secret.as_bytes(), shown.as_bytes()),
        None => is_local(request, peer),
    }
}

/// Whether a request comes from this machine.
fn is_local(request: &RequestHead, peer: Option<IpAddr>) -> bool {
    peer.is_some_and(|peer| peer.is_loopback()) && !is_forwarded(&request.headers)
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

/// Whether the browser says that this is part of a page (Fetch Metadata, `Sec-Fetch-Dest`). It only spares such requests
/// the changes that a page's request needs; whether a response is edited does not depend on it.
pub(super) fn is_subresource(request: &RequestHead) -> bool {
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

/// Whether a request is for a page: the browser says that it goes there, or, where it says nothing, takes HTML.
pub(super) fn asks_for_page(request: &RequestHead) -> bool {
    let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
    let headers = &request.headers;
    is_read
        && match headers.get("sec-fetch-dest") {
            Some(dest) => matches!(dest.as_bytes(), b"document" | b"iframe" | b"frame"),
            None => list(headers, &header::ACCEPT).any(|taken| {
                let name = taken.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
                [&b"text/html"[..], b"application/xhtml+xml"].iter().any(|it| it.eq_ignore_ascii_case(name))
            }),
        }
}
