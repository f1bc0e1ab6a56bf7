//! What the server answers itself: everything under `/__engraft/`. None of it reaches the origin.
//!
//! ```text
//! /__engraft/                         the panel, and its files beside it
//! /__engraft/live, live.js            what pages are told when the configuration was saved
//! /__engraft/api/events               the same and exchanges as they end, as server-sent events
//! /__engraft/api/exchanges            those of late; …/<id> one, …/<id>/sides its page before and after, …/<id>/copies it as
//!                                     commands, …/<id>/before the page as it came
//! /__engraft/api/controls             what can be chosen; POST /__engraft/api/views chooses it for a frame
//! ```
//!
//! The attack that is prevented: a header, a URL or a page that becomes markup or script of the panel, and secrets that it shows. So everything
//! leaves as data with a type that is never rendered, the panel's own pages run no script but their own, and what is told of an exchange
//! has been through what [hides](engraft::explain::hidden) the secrets of its configuration.

mod assets;
mod controls;
mod copies;
mod details;
mod events;
mod listing;
mod scenario;
mod sides;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde::Serialize;

use super::guard;
use super::live;
use super::outgoing::Outgoing;
use super::recent::Exchange;
use super::source::Source;
use super::state::State;

const PREFIX: &str = "/__engraft";

/// The path below the prefix, of a request that is for the panel.
pub(crate) fn path_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(PREFIX)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Answers a request for `path`, which came for `host` at the address `listener`.
pub(crate) async fn answer(
    state: &Arc<State>,
    request: Request<Incoming>,
    path: &str,
    host: &str,
    listener: SocketAddr,
) -> Response<Outgoing> {
    if let Err(refusal) = guard::check(request.method(), host, request.headers(), listener) {
        return text(StatusCode::FORBIDDEN, refusal.why());
    }
    match (request.method(), path) {
        (&Method::GET | &Method::HEAD, _) => get(state, path, host),
        (&Method::POST, "/api/views") => match controls::choose(state, request.into_body()).await {
            Ok(view) => json(&view),
            Err(why) => text(StatusCode::BAD_REQUEST, format!("{why}\n")),
        },
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "there is nothing to change here\n"),
    }
}

fn get(state: &Arc<State>, path: &str, host: &str) -> Response<Outgoing> {
    match path {
        "" => {
            let mut response = text(StatusCode::PERMANENT_REDIRECT, "");
            response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/__engraft/"));
            response
        }
        "/live" => typed("text/event-stream", Outgoing::Events(live::events(state))),
        "/live.js" => typed("text/javascript; charset=utf-8", written(live::SCRIPT)),
        "/api/events" => typed("text/event-stream", Outgoing::Events(events::events(state))),
        "/api/controls" => json(&controls::Controls::of(&state.setup.borrow())),
        "/api/exchanges" => {
            let list: Vec<_> = state.recent.all().iter().map(|exchange| listing::row(exchange)).collect();
            json(&list)
        }
        _ => {
            let exchange =
                path.strip_prefix("/api/exchanges/").and_then(|rest| of_exchange(state, rest, host));
            exchange.or_else(|| assets::find(path)).unwrap_or_else(|| {
                text(StatusCode::NOT_FOUND, "there is no such page; exchanges are kept for a while only\n")
            })
        }
    }
}

/// `12`, or a part of it: `12/sides`.
fn of_exchange(state: &State, rest: &str, host: &str) -> Option<Response<Outgoing>> {
    let (id, part) = rest.split_once('/').unwrap_or((rest, ""));
    let exchange: &Exchange = &*state.recent.find(id.parse().ok()?)?;
    Some(match part {
        "" => json(&details::of(exchange)),
        "sides" => json(&sides::Sides::of(exchange)?),
        "copies" => json(&copies::Copies::of(state, exchange, host)?),
        // Plain text that is saved: a page must not become one of the panel's origin.
        "before" => {
            let mut response = text(StatusCode::OK, sides::before(exchange)?);
            let saved = HeaderValue::from_static("attachment; filename=\"page.html\"");
            response.headers_mut().insert(header::CONTENT_DISPOSITION, saved);
            response
        }
        _ => return None,
    })
}

fn written(bytes: impl Into<Bytes>) -> Outgoing {
    Outgoing::Written(Source::from(bytes.into()))
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Outgoing> {
    let mut response = typed("text/plain; charset=utf-8", written(text));
    *response.status_mut() = status;
    response
}

fn json(value: &impl Serialize) -> Response<Outgoing> {
    // Plain data.
    typed("application/json", written(serde_json::to_vec(value).unwrap_or_default()))
}

/// What is shown here is of this moment and of nobody else, and nothing in it runs.
fn typed(content_type: &'static str, body: Outgoing) -> Response<Outgoing> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
