//! The request of a trace, and the response that came, to be run again.

use std::time::{Duration, SystemTime};

use engraft::decisions::force::Forced;
use engraft::exchange::{DEBUG_HEADER, Overrides};
use engraft::explain::trace::{self, HIDDEN, Trace};
use engraft::request::RequestHead;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::args::Header;
use crate::exchange::rendering::Answer;
use crate::exchange::rules::InForce;
use crate::exchange::visit::{self, Visit};
use crate::trace::TraceError;

/// The request. What is hidden in it stands there as [`HIDDEN`], so that what only asks whether it is there finds it; the header that
/// asked for debug headers asks again.
///
/// # Errors
/// [`TraceError::LeftOut`].
pub(super) fn visit(trace: &Trace, by: InForce, given: &[Header]) -> Result<Visit, TraceError> {
    let trace::Request { method, url, headers, has_body, facts, peer, now_ms, random, attributes, choices } =
        &trace.request;
    let is_out = |what: &str| trace.left_out.iter().any(|out| out == what);
    if is_out("the end of request.url") {
        return Err(TraceError::LeftOut("the end of the URL did not fit into this trace"));
    }
    if is_out("cache, request.facts") && !by.engine.facts().is_empty() {
        return Err(TraceError::LeftOut("the facts of the request did not fit into this trace"));
    }
    if is_out("request.headers") && given.is_empty() {
        return Err(TraceError::LeftOut(
            "the headers of the request did not fit into this trace; give them with -H, or ask with fewer",
        ));
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let mut headers = map(headers);
    if let Some(secret) = by.engine.debug().and_then(|debug| debug.secret.as_ref())
        && let Some(asked) = headers.get_mut(DEBUG_HEADER)
        && let Ok(secret) = HeaderValue::try_from(secret)
    {
        *asked = secret;
    }
    given.iter().for_each(|line| drop(headers.remove(&line.name)));
    headers.extend(visit::lines(given));
    let head = RequestHead {
        method: method.clone(),
        scheme: scheme.to_owned(),
        authority: authority.to_owned(),
        path: path.to_owned(),
        headers,
        has_body: *has_body,
    };
    let is_chosen = !attributes.is_empty() || !choices.is_empty();
    let overrides = is_chosen.then(|| Overrides {
        attributes: attributes.clone(),
        choices: Forced::of_pairs(choices.iter().map(|(name, value)| (name.clone(), value.clone()))),
    });
    Ok(Visit {
        head,
        facts: by.engine.facts().iter().map(|fact| facts.get(&fact.name()).cloned()).collect(),
        peer: peer.as_ref().and_then(|peer| peer.parse().ok()),
        now: SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_millis(*now_ms))
            .unwrap_or(SystemTime::UNIX_EPOCH),
        random: u128::from_str_radix(random, 16).unwrap_or(0),
        live: by.live,
        overrides,
        explains: true,
    })
}

/// The response that came, with that page.
pub(super) fn answer(trace: &Trace, page: Vec<u8>) -> Answer {
    let response = trace.response.clone().unwrap_or_default();
    let status = StatusCode::from_u16(response.came_status.unwrap_or(response.status));
    Answer::as_is(status.unwrap_or(StatusCode::OK), map(&response.headers), page)
}

/// What of the request is hidden, and was not given again: the names of headers and cookies, and the number of chance.
pub(super) fn hidden(trace: &Trace, given: &[Header]) -> Vec<String> {
    let mut hidden = Vec::new();
    if trace.request.random == HIDDEN {
        hidden.push("the number that new ids are made of".to_owned());
    }
    let is_given = |name: &str| given.iter().any(|line| line.name == name);
    for header in trace.request.headers.iter().filter(|it| it.name != DEBUG_HEADER.as_str()) {
        if !header.value.contains(HIDDEN) || is_given(&header.name) {
            continue;
        }
        if header.name != "cookie" {
            hidden.push(format!("the header {}", header.name));
            continue;
        }
        let pairs = header.value.split(';').filter_map(|pair| pair.trim().split_once('='));
        let cookies = pairs.filter(|(_, value)| value.contains(HIDDEN));
        hidden.extend(cookies.map(|(name, _)| format!("the cookie {name}")));
    }
    hidden
}

fn map(lines: &[trace::Header]) -> HeaderMap {
    visit::map(lines.iter().filter_map(|line| {
        let name = HeaderName::try_from(&line.name).ok()?;
        Some((name, HeaderValue::from_bytes(line.value.as_bytes()).ok()?))
    }))
}
