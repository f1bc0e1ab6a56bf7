//! A shared cache, and the topologies that it can stand in: the specification of promise 5.
//!
//! The cache is what RFC 9111 allows a shared cache to be, at its worst: it keeps for ever whatever it may keep for a second, it
//! asks for everything that it may not use without asking, and it believes what it is answered.

use std::sync::Arc;

use engraft::engine::Engine;
use engraft::exchange::{Body, Next, Surroundings, begin};
use engraft::headers::list;
use engraft::request::RequestHead;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

/// A response, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Who answers requests.
pub(crate) type Answerer<'n> = &'n mut dyn FnMut(&RequestHead) -> Response;

/// One shared cache.
#[derive(Debug)]
pub(crate) struct SharedCache {
    /// The request headers in its key, besides the method and the URL.
    pub(crate) key: Vec<HeaderName>,
    /// The header that it reads before `Cache-Control`, if any (RFC 9213 § 2.2).
    pub(crate) own_header: Option<HeaderName>,
    pub(crate) vary: Vary,
    /// Whether it stores what sets a cookie.
    pub(crate) stores_cookies: bool,
    pub(crate) hits: usize,
    pub(crate) entries: Vec<Entry>,
}

/// What a cache makes of `Vary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vary {
    /// It tells responses apart by what it names.
    TellsApart,
    /// It stores nothing that has one.
    KeepsOut,
    /// It does not read it, which no cache may: to see that the model finds what comes of it.
    Neglects,
}

/// What is stored, and for which requests.
#[derive(Debug)]
pub(crate) struct Entry {
    url: String,
    key: Vec<Option<HeaderValue>>,
    /// What the request had of the headers that `Vary` names.
    varied: Vec<(HeaderName, Option<HeaderValue>)>,
    response: Response,
    is_fresh: bool,
}

impl SharedCache {
    pub(crate) const fn new(key: Vec<HeaderName>, own_header: Option<HeaderName>) -> Self {
        Self { key, own_header, vary: Vary::TellsApart, stores_cookies: true, hits: 0, entries: Vec::new() }
    }

    /// Answers from what is stored, or asks and stores.
    pub(crate) fn fetch(&mut self, request: &RequestHead, next: Answerer<'_>) -> Response {
        let url = format!("{}{}", request.authority, request.path);
        let key: Vec<_> = self.key.iter().map(|name| request.headers.get(name).cloned()).collect();
        let is_same = |entry: &Entry| {
            let varied = entry.varied.iter().all(|(name, value)| request.headers.get(name) == value.as_ref());
            entry.url == url && entry.key == key && varied
        };
        let found = self.entries.iter().position(is_same);
        // RFC 9110 § 13.1: what a visitor asks by is compared with what is stored.
        let asks = request.headers.get(header::IF_NONE_MATCH).cloned();
        if let Some(entry) = found.and_then(|at| self.entries.get(at)).filter(|entry| entry.is_fresh) {
            self.hits += 1;
            return conditional(aged(entry.response.clone()), asks.as_ref());
        }
        let mut asked = request.clone();
        let stored_tag = found.and_then(|at| self.entries[at].response.headers.get(header::ETAG).cloned());
        if let Some(tag) = &stored_tag {
            asked.headers.insert(header::IF_NONE_MATCH, tag.clone());
        }
        let mut response = next(&asked);
        if response.status == 304 && stored_tag.is_some() && stored_tag != asks {
            let Some(at) = found else { return response };
            // RFC 9111 § 3.2: the stored response with the new headers.
            let entry = self.entries.remove(at);
            let mut headers = entry.response.headers;
            for name in response.headers.keys() {
                headers.remove(name);
            }
            headers.extend(response.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
            response = aged(Response { headers, ..entry.response });
            self.hits += 1;
        }
        if response.status != 304 && self.may_store(request, &response) {
            self.entries.retain(|entry| !is_same(entry));
            let varied = list(&response.headers, &header::VARY).filter(|_| self.vary != Vary::Neglects);
            let varied = varied.filter_map(|name| HeaderName::try_from(name).ok());
            let varied = varied.map(|name| (name.clone(), request.headers.get(&name).cloned())).collect();
            let is_fresh = self.is_fresh(&response.headers);
            self.entries.push(Entry { url, key, varied, response: response.clone(), is_fresh });
        }
        conditional(response, asks.as_ref())
    }

    /// The directives that are for it.
    fn directives<'r>(&self, headers: &'r HeaderMap) -> Vec<&'r [u8]> {
        let own = self.own_header.as_ref().filter(|name| headers.contains_key(*name));
        list(headers, own.unwrap_or(&header::CACHE_CONTROL)).collect()
    }

    /// RFC 9111 § 3, 3.5.
    fn may_store(&self, request: &RequestHead, response: &Response) -> bool {
        let said = self.directives(&response.headers);
        let says = |word: &[u8]| said.iter().any(|it| it.split(|byte| *byte == b'=').next() == Some(word));
        let varies: Vec<&[u8]> = list(&response.headers, &header::VARY).collect();
        let can_tell = match self.vary {
            Vary::TellsApart => !varies.contains(&&b"*"[..]),
            Vary::KeepsOut => varies.is_empty(),
            Vary::Neglects => true,
        };
        let is_let = says(b"public") || says(b"max-age") || says(b"s-maxage") || says(b"no-cache");
        let is_let = is_let || response.headers.contains_key(header::EXPIRES);
        let is_authorized = request.headers.contains_key(header::AUTHORIZATION);
        let may_for_all = says(b"public") || says(b"s-maxage") || says(b"must-revalidate");
        let is_barred = says(b"no-store") || says(b"private") || (is_authorized && !may_for_all);
        let is_barred =
            is_barred || (!self.stores_cookies && response.headers.contains_key(header::SET_COOKIE));
        request.method == "GET" && can_tell && is_let && !is_barred
    }

    fn is_fresh(&self, headers: &HeaderMap) -> bool {
        let said = self.directives(headers);
        let is_over = |it: &&[u8]| matches!(*it, b"no-cache" | b"s-maxage=0");
        let zero = said.contains(&&b"max-age=0"[..]) && !said.iter().any(|it| it.starts_with(b"s-maxage="));
        !said.iter().any(is_over) && !zero
    }
}

/// What is stored, as it is served.
fn aged(mut response: Response) -> Response {
    response.headers.insert(header::AGE, HeaderValue::from_static("1"));
    response
}

/// What a visitor gets who asks by a tag (RFC 9110 § 13.1.2).
fn conditional(response: Response, asks: Option<&HeaderValue>) -> Response {
    let opaque = |tag: &HeaderValue| tag.to_str().map(|it| it.trim_start_matches("W/").to_owned()).ok();
    let tag = response.headers.get(header::ETAG).and_then(opaque);
    if response.status == 200 && tag.is_some() && asks.and_then(opaque) == tag {
        return Response { status: 304, body: String::new(), ..response };
    }
    response
}

/// One filter: a request goes through it to `next`, and the response comes back.
pub(crate) fn stage(engine: &Arc<Engine>, request: &RequestHead, next: Answerer<'_>) -> Response {
    let facts: Vec<Option<String>> = engine.facts().iter().map(|_| None).collect();
    let begun = begin(engine, request, &Surroundings { facts: &facts, ..Surroundings::default() });
    let forwarded = match begun.next {
        Next::Respond(local, _) => return local_response(local.status, local.headers),
        Next::Forward(forwarded) => forwarded,
    };
    let mut sent = request.clone();
    begun.edits.headers.iter().for_each(|edit| edit.apply(&mut sent.headers));
    sent.path = begun.edits.path.unwrap_or(sent.path);
    sent.authority = begun.edits.authority.unwrap_or(sent.authority);
    let mut response = next(&sent);
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let answered = forwarded.answer(status, &response.headers);
    match answered.body {
        Body::NotModified(local, _) => return local_response(local.status, local.headers),
        Body::Passes(_) => {}
        Body::Edited(mut edits) => {
            let mut out = Vec::new();
            let tail = edits.write(response.body.as_bytes(), &mut out);
            let kept = response.body.len().saturating_sub(tail);
            out.extend_from_slice(&response.body.as_bytes()[kept..]);
            let _ = edits.end(&mut out);
            response.body = String::from_utf8_lossy(&out).into_owned();
        }
    }
    answered.headers.iter().for_each(|edit| edit.apply(&mut response.headers));
    response
}

fn local_response(status: StatusCode, headers: Vec<(HeaderName, HeaderValue)>) -> Response {
    Response { status: status.as_u16(), headers: headers.into_iter().collect(), body: String::new() }
}
