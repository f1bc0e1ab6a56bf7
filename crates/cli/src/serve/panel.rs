//! What the server answers itself: everything under `/__engraft/`. None of it reaches the origin.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde::Serialize;

use super::guard;
use super::live;
use super::log;
use super::outgoing::Outgoing;
use super::recent::{Capture, Exchange};
use super::source::Source;
use super::state::State;

const PREFIX: &str = "/__engraft";

/// The path below the prefix, of a request that is for the panel.
pub(crate) fn path_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(PREFIX)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Answers a request for `path`, which came for `host` at the address `listener`.
pub(crate) fn answer(
    state: &Arc<State>,
    request: &Request<Incoming>,
    path: &str,
    host: &str,
    listener: SocketAddr,
) -> Response<Outgoing> {
    if let Err(refusal) = guard::check(request.method(), host, request.headers(), listener) {
        return text(StatusCode::FORBIDDEN, refusal.why());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "there is nothing to change here\n");
    }
    match path {
        "/live" => typed("text/event-stream", Outgoing::Events(live::events(state))),
        "/live.js" => {
            typed("text/javascript; charset=utf-8", written(Bytes::from_static(live::SCRIPT.as_bytes())))
        }
        "/api/exchanges" => {
            let exchanges = state.recent.all();
            let list: Vec<_> = exchanges.iter().map(|exchange| log::summary(exchange)).collect();
            json(&list)
        }
        _ => {
            let id = path.strip_prefix("/api/exchanges/").and_then(|id| id.parse().ok());
            match id.and_then(|id| state.recent.find(id)) {
                Some(exchange) => json(&Details::of(&exchange)),
                None => text(
                    StatusCode::NOT_FOUND,
                    "there is no such page; exchanges are kept for a while only\n",
                ),
            }
        }
    }
}

fn written(bytes: Bytes) -> Outgoing {
    Outgoing::Written(Source::from(bytes))
}

fn text(status: StatusCode, text: &'static str) -> Response<Outgoing> {
    let mut response = typed("text/plain; charset=utf-8", written(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}

fn json(value: &impl Serialize) -> Response<Outgoing> {
    // Plain data.
    typed("application/json", written(serde_json::to_vec(value).unwrap_or_default().into()))
}

/// What is shown here is of this moment and of nobody else.
fn typed(content_type: &'static str, body: Outgoing) -> Response<Outgoing> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers_mut().insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// Everything that is kept of an exchange.
#[derive(Serialize)]
struct Details<'e, S: Serialize> {
    summary: S,
    request: Head<'e>,
    /// What the origin was asked; null where it was not.
    to_origin: Option<Head<'e>>,
    /// The origin's answer as it came; null where none did.
    from_origin: Option<Answer<'e>>,
    response: Answer<'e>,
    /// What became of each patch, as logs say it.
    patches: Vec<String>,
    decisions: Vec<Decision<'e>>,
    before: Option<Text<'e>>,
    /// Null where it is the body before.
    after: Option<Text<'e>>,
}

#[derive(Serialize)]
struct Head<'e> {
    method: &'e str,
    url: String,
    headers: Vec<(&'e str, Cow<'e, str>)>,
}

#[derive(Serialize)]
struct Answer<'e> {
    status: u16,
    headers: Vec<(&'e str, Cow<'e, str>)>,
}

#[derive(Serialize)]
struct Decision<'e> {
    name: &'e str,
    value: &'e str,
    because: &'e str,
}

#[derive(Serialize)]
struct Text<'e> {
    text: Cow<'e, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    is_cut: bool,
}

impl<'e> Details<'e, ()> {
    fn of(exchange: &'e Exchange) -> Details<'e, impl Serialize + 'e> {
        let Exchange { request, to_origin, from_origin, report, .. } = exchange;
        Details {
            summary: log::summary(exchange),
            request: Head {
                method: &request.method,
                url: format!("{}://{}{}", request.scheme, request.authority, request.path),
                headers: lines(&request.headers),
            },
            to_origin: to_origin.as_ref().map(|asked| Head {
                method: &asked.method,
                url: asked.url.to_string(),
                headers: lines(&asked.headers),
            }),
            from_origin: from_origin
                .as_ref()
                .map(|(status, headers)| Answer { status: status.as_u16(), headers: lines(headers) }),
            response: Answer { status: exchange.status.as_u16(), headers: lines(&exchange.headers) },
            patches: report.patches.iter().map(ToString::to_string).collect(),
            decisions: report
                .decisions
                .iter()
                .map(|note| Decision { name: &note.name, value: &note.value, because: note.because })
                .collect(),
            before: exchange.before.as_ref().map(Text::of),
            after: exchange.after.as_ref().map(Text::of),
        }
    }
}

impl<'e> Text<'e> {
    fn of(capture: &'e Capture) -> Self {
        let (text, encoding) = match std::str::from_utf8(&capture.bytes) {
            Ok(text) => (text.into(), None),
            Err(_) => (BASE64.encode(&capture.bytes).into(), Some("base64")),
        };
        Self { text, encoding, is_cut: capture.is_cut }
    }
}

fn lines(headers: &HeaderMap) -> Vec<(&str, Cow<'_, str>)> {
    headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()))).collect()
}
