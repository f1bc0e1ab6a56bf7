//! One exchange: from the browser's request through the core to the origin, and back.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use engraft::config::model::Connection;
use engraft::exchange::{self, Answered, Body, LocalResponse, Next, Surroundings};
use engraft::json::script::is_json;
use engraft::request::RequestHead;
use engraft::request::attributes::Fact;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::{Body as _, Incoming};
use tokio::sync::watch;

use super::heads::{self, Homecoming};
use super::live;
use super::ongoing::{Ongoing, Phase};
use super::outgoing::{Outgoing, Page};
use super::panel;
use super::recent::End;
use super::refusal;
use super::reload::Setup;
use super::source::Source;
use super::state::State;
use super::upgrade;
use super::upstream::Upstream;
use super::views::{self, Seen, Standing};
use crate::args::Url;
use crate::content_type::{essence, is_html};
use crate::exchange::rendering::OriginRequest;
use crate::exchange::visit;
use crate::time;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
}

/// See the [module](self). Each thread has its own.
#[derive(Debug)]
pub(crate) struct Proxy {
    state: Arc<State>,
    upstream: Upstream,
}

impl Proxy {
    pub(crate) const fn new(state: Arc<State>, upstream: Upstream) -> Self {
        Self { state, upstream }
    }

    pub(crate) fn ending(&self) -> watch::Receiver<bool> {
        self.state.ending.clone()
    }

    /// Answers a request that came over a connection between `ends`.
    pub(crate) async fn answer(
        self: Rc<Self>,
        ends: Ends,
        mut request: Request<Incoming>,
    ) -> Response<Outgoing> {
        let host = host(&request);
        if let Some(path) = panel::path_of(request.uri().path()) {
            let path = path.to_owned();
            return panel::answer(&self.state, request, &path, &host, ends.local).await;
        }
        if request.method() == Method::CONNECT {
            let advice = "Set the browser to use no proxy, and open the listener's address instead.";
            let page = refusal::page(StatusCode::NOT_IMPLEMENTED, "this is no forward proxy", &host, advice);
            return page.map(Outgoing::Written);
        }
        let protocol = heads::of_connection(request.headers_mut());
        let upgraded = protocol.map(|protocol| (protocol, hyper::upgrade::on(&mut request)));
        let (mut head, body) = self.head(&host, request);
        let seen = match views::enter(&self.state.views, &mut head, &host, ends.local) {
            Standing::Outside => None,
            Standing::In(seen) => Some(seen),
            Standing::Elsewhere(path) => return elsewhere(&host, &path),
            Standing::Gone => {
                let advice = "Press Show in the panel again. Views are kept until the server ends, the last hundred of them.";
                let page =
                    refusal::page(StatusCode::GONE, "this view is not kept any more", &head.path, advice);
                return page.map(Outgoing::Written);
            }
        };
        self.run(Visitor { ends, host: &host, seen }, head, body, upgraded).await
    }

    /// The request as the core sees it.
    fn head(&self, host: &str, request: Request<Incoming>) -> (RequestHead, Incoming) {
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        heads::join_cookies(&mut headers);
        headers.remove(header::HOST);
        // The origin is asked over another connection, on which nobody waits for that.
        headers.remove(header::EXPECT);
        for name in self.state.edge_headers.keys() {
            if !headers.contains_key(name) {
                let values = self.state.edge_headers.get_all(name).iter().cloned();
                headers.extend(values.map(|value| (name.clone(), value)));
            }
        }
        let seen_as = self.state.seen_as.as_ref();
        let url = Url {
            scheme: seen_as.map_or("http", |url| &url.scheme).to_owned(),
            authority: seen_as.map_or(host, |url| &url.authority).to_owned(),
            path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        };
        let mut head = visit::head(&parts.method, url, headers);
        head.has_body = !body.is_end_stream();
        (head, body)
    }

    async fn run(
        &self,
        visitor: Visitor<'_>,
        head: RequestHead,
        body: Incoming,
        upgraded: Option<(HeaderValue, hyper::upgrade::OnUpgrade)>,
    ) -> Response<Outgoing> {
        let setup = self.state.setup.borrow().clone();
        let seen = visitor.seen.as_ref().map(|seen| seen.id.clone());
        let mut ongoing = Ongoing::new(&self.state, head.clone(), seen);
        let since = time::instant();
        let begun = begin(&setup, &head, &visitor);
        ongoing.worked("request", since);
        let Visitor { ends, host, seen } = visitor;
        let home = (!self.state.preserves_host).then(|| Homecoming {
            host,
            origin: self.state.origin.as_ref(),
            seen_as: self.state.seen_as.as_ref(),
        });
        let way = &Way { home, seen, host };
        let edits = match begun.next {
            Next::Respond(response, report) => {
                ongoing.phase = Phase::Passing(report);
                return respond(response, ongoing, way);
            }
            Next::Forward(forwarded) => {
                ongoing.phase = Phase::AwaitingResponse(forwarded);
                begun.edits
            }
        };
        let is_elsewhere = edits.authority.is_some();
        let request = head.clone();
        let mut asked = OriginRequest::new(head, edits);
        self.address(&mut asked, ends, host, is_elsewhere);
        if let Some((protocol, _)) = &upgraded {
            asked.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
            asked.headers.insert(header::UPGRADE, protocol.clone());
        }
        let answered = self.upstream.ask(&asked, upgraded.is_some(), body).await;
        let mut response = match answered {
            Ok(response) => response,
            Err(refused) => {
                let (why, page) = refusal::unanswered(&refused, &asked);
                ongoing.asked(asked);
                ongoing.answers(page.status(), page.headers());
                ongoing.end(End::Failed(why));
                return page.map(Outgoing::Written);
            }
        };
        ongoing.asked(asked);
        if let (Some((protocol, visitor)), StatusCode::SWITCHING_PROTOCOLS) = (upgraded, response.status()) {
            let origin = hyper::upgrade::on(&mut response);
            return switch(protocol, (visitor, origin), response.headers().clone(), ongoing);
        }
        self.pass(response, &request, ongoing, way).await
    }

    /// Has the request name the origin, and say for whom it is asked.
    fn address(&self, asked: &mut OriginRequest, ends: Ends, host: &str, is_elsewhere: bool) {
        let Some(origin) = &self.state.origin else { return };
        asked.url.scheme = origin.scheme.to_string();
        if !is_elsewhere {
            let kept = if self.state.preserves_host { host } else { origin.authority.as_str() };
            asked.url.authority = kept.to_owned();
        }
        heads::forward_for(&mut asked.headers, ends.peer.ip(), host);
    }

    /// Has the answer of the origin pass through the core.
    async fn pass(
        &self,
        response: Response<Source>,
        request: &RequestHead,
        mut ongoing: Ongoing,
        way: &Way<'_>,
    ) -> Response<Outgoing> {
        let (parts, source) = response.into_parts();
        let (status, mut headers) = (parts.status, parts.headers);
        heads::of_connection(&mut headers);
        ongoing.origin_answered(status, &headers);
        let Phase::AwaitingResponse(forwarded) = std::mem::take(&mut ongoing.phase) else {
            // Nobody takes it before.
            return assemble(status, headers, Outgoing::Written(source));
        };
        let content_length = content_length(&headers);
        let since = time::instant();
        let Answered { headers: edits, body, .. } = forwarded.answer(status, &headers);
        ongoing.worked("response", since);
        ongoing.phase = match body {
            Body::NotModified(response, report) => {
                ongoing.phase = Phase::Passing(Box::new(report));
                return respond(response, ongoing, way);
            }
            Body::Passes(report) => Phase::Passing(Box::new(report)),
            Body::Edited(edits) => Phase::Editing(edits),
        };
        let is_shown = is_shown(&headers);
        edits.iter().for_each(|edit| edit.apply(&mut headers));
        if is_shown {
            ongoing.capture();
        }
        let mut page = Page::new(source, ongoing, content_length);
        let restored = page.hold_head().await;
        restored.iter().for_each(|edit| edit.apply(&mut headers));
        way.home(&mut headers);
        page.ongoing().answers(status, &headers);
        way.frame(&mut headers);
        if let Some(live) = self.state.live.as_ref().filter(|_| live::navigates(request))
            && let Some(injected) = live.inject(request, status, &mut headers)
        {
            page.inject(injected);
        }
        assemble(status, headers, page.begin())
    }
}

/// Who asks, under which name, and what they chose to see.
#[derive(Debug)]
struct Visitor<'a> {
    ends: Ends,
    /// The listener, as the browser calls it.
    host: &'a str,
    seen: Option<Seen>,
}

/// What the head of an answer becomes on its way to the browser, behind the core.
#[derive(Debug)]
struct Way<'a> {
    home: Option<Homecoming<'a>>,
    seen: Option<Seen>,
    host: &'a str,
}

impl Way<'_> {
    fn home(&self, headers: &mut HeaderMap) {
        if let Some(home) = &self.home {
            home.apply(headers);
        }
    }

    /// What a frame of the panel needs: no part of what the exchange came to.
    fn frame(&self, headers: &mut HeaderMap) {
        if let Some(seen) = &self.seen {
            seen.apply(headers, self.host);
        }
    }
}

/// Answers without the origin.
fn respond(response: LocalResponse, mut ongoing: Ongoing, way: &Way<'_>) -> Response<Outgoing> {
    let mut headers = visit::map(response.headers);
    way.home(&mut headers);
    ongoing.answers(response.status, &headers);
    way.frame(&mut headers);
    assemble(response.status, headers, Page::new(Source::EMPTY, ongoing, Some(0)).begin())
}

/// Begins the exchange.
fn begin(setup: &Setup, head: &RequestHead, visitor: &Visitor<'_>) -> exchange::Begun {
    let view = visitor.seen.as_ref().map(|seen| &*seen.view);
    let peer = visitor.ends.peer.ip().to_canonical();
    let fact = |fact: &Fact| match fact {
        Fact::Connection(Connection::PeerAddress) => Some(peer.to_string()),
        _ => None,
    };
    let facts: Vec<Option<String>> = setup.engine.facts().iter().map(fact).collect();
    let surroundings = Surroundings {
        facts: &facts,
        peer: Some(peer),
        now: view.and_then(|view| view.now).unwrap_or_else(time::now),
        random: if setup.engine.asks_for_chance() { time::random() } else { 0 },
        live: setup.payload.as_ref(),
        overrides: view.map(|view| &view.overrides),
        explains: true,
    };
    exchange::begin(&setup.engine, head, &surroundings)
}

/// What the request is for: `:authority`, or else the Host.
fn host(request: &Request<Incoming>) -> String {
    match request.uri().authority() {
        Some(authority) => authority.to_string(),
        None => {
            let host = request.headers().get(header::HOST);
            host.map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned()).unwrap_or_default()
        }
    }
}

/// The connection is the visitor's and the origin's from here on.
fn switch(
    protocol: HeaderValue,
    (visitor, origin): (hyper::upgrade::OnUpgrade, hyper::upgrade::OnUpgrade),
    mut headers: HeaderMap,
    mut ongoing: Ongoing,
) -> Response<Outgoing> {
    let agreed = headers.get(header::UPGRADE).cloned().unwrap_or(protocol);
    heads::of_connection(&mut headers);
    let status = StatusCode::SWITCHING_PROTOCOLS;
    ongoing.origin_answered(status, &headers);
    if let Phase::AwaitingResponse(forwarded) = std::mem::take(&mut ongoing.phase) {
        let answered = forwarded.answer(status, &headers);
        answered.headers.iter().for_each(|edit| edit.apply(&mut headers));
        if let Body::Passes(report) = answered.body {
            ongoing.phase = Phase::Passing(Box::new(report));
        }
    }
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, agreed);
    ongoing.answers(status, &headers);
    upgrade::tunnel(visitor, origin, ongoing);
    assemble(status, headers, Outgoing::Written(Source::EMPTY))
}

/// Sends the browser to where the view that it is in is named.
fn elsewhere(host: &str, path: &str) -> Response<Outgoing> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // With the host, as a path may begin with what would be another one; both came in a head, so both can be written in one.
    let there = HeaderValue::try_from(format!("http://{host}{path}"));
    headers.extend(there.ok().map(|there| (header::LOCATION, there)));
    assemble(StatusCode::TEMPORARY_REDIRECT, headers, Outgoing::Written(Source::EMPTY))
}

fn assemble(status: StatusCode, headers: HeaderMap, body: Outgoing) -> Response<Outgoing> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Whether people look at such a body.
fn is_shown(headers: &HeaderMap) -> bool {
    let essence = essence(headers);
    is_html(&essence) || is_json(&essence)
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
