//! Everything that is known of an exchange, but for its page: the trace of the core, and what the server did besides.

use engraft::explain::hidden::Hidden;
use engraft::explain::trace::{Header, Trace};
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use super::{listing, sides};
use crate::serve::recent::{Capture, Exchange};

#[derive(Debug, Serialize)]
struct Details {
    /// As the list has it.
    row: Value,
    /// With how long the core was at work.
    trace: Option<Trace>,
    /// In which lines of the page as it came the edits of the trace begin, from 1; null where that is not kept.
    lines: Vec<Option<usize>>,
    /// What the origin was asked; null where it was not.
    sent: Option<Sent>,
    /// The headers of the answer, as they left.
    left: Vec<Header>,
    times: Times,
    bytes: Bytes,
    /// The bodies are kept.
    has_page: bool,
}

#[derive(Debug, Serialize)]
struct Sent {
    url: String,
    headers: Vec<Header>,
}

/// Milliseconds since the request came.
#[derive(Debug, Serialize)]
struct Times {
    /// The head of the origin's answer was there.
    origin_head: Option<f64>,
    /// The head of the answer left.
    head: f64,
    end: f64,
}

#[derive(Debug, Serialize)]
struct Bytes {
    /// Of the body as it came, where it is kept as a whole.
    came: Option<usize>,
    left: u64,
}

/// The list's row with all the rest, without what nobody is to see.
pub(super) fn of(exchange: &Exchange) -> Value {
    let report = &exchange.report;
    let nothing = Hidden::default();
    let hidden = report.hidden.as_deref().unwrap_or(&nothing);
    let headers = |headers: &HeaderMap| match &report.hidden {
        Some(hidden) => hidden.headers(headers),
        None => Vec::new(),
    };
    let millis = |duration: std::time::Duration| duration.as_secs_f64() * 1000.0;
    let whole = |body: &Capture| (!body.is_cut).then_some(body.bytes.len());
    let micros = exchange.worked.iter().map(|(on, worked)| {
        let micros = u64::try_from(worked.as_micros()).unwrap_or(u64::MAX);
        ((*on).to_owned(), micros)
    });
    let micros = micros.collect();
    let details = Details {
        row: listing::row(exchange),
        trace: report.trace.as_deref().map(|trace| Trace { micros, ..trace.clone() }),
        lines: sides::lines(exchange),
        sent: exchange
            .to_origin
            .as_ref()
            .map(|asked| Sent { url: asked.url.to_string(), headers: headers(&asked.headers) }),
        left: headers(&exchange.headers),
        times: Times {
            origin_head: exchange.origin_head_after.map(millis),
            head: millis(exchange.head_after),
            end: millis(exchange.took),
        },
        bytes: Bytes { came: exchange.before.as_ref().and_then(whole), left: exchange.bytes },
        has_page: exchange.before.is_some(),
    };
    let mut details = serde_json::to_value(details).unwrap_or_default();
    hidden.scrub_value(&mut details);
    details
}
