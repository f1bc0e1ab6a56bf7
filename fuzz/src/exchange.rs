//! A body through a whole exchange of a configuration.

use std::sync::Arc;

use engraft::engine::Engine;
use engraft::exchange::report::Report;
use engraft::exchange::{self, Body, Next, Surroundings};
use engraft::request::RequestHead;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// What leaves, and what is told of it.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Left {
    /// The body.
    pub body: Vec<u8>,
    /// Its patches and what became of them. How much was held depends on the cuts, and is left out.
    pub report: Report,
}

/// The configuration in `text`.
///
/// # Errors
/// What is wrong with it.
pub fn load(text: &str) -> Result<Arc<Engine>, String> {
    let loaded = Engine::load(text.as_bytes()).map_err(|problems| problems.to_string())?;
    Ok(Arc::new(loaded.engine))
}

/// The body of a response with these headers, in pieces. `None` where the origin is not asked, or its body passes.
///
/// # Errors
/// A bug that shows at once.
pub fn through(
    engine: &Arc<Engine>,
    headers: &[(&str, &str)],
    pieces: &[&[u8]],
) -> Result<Option<Left>, String> {
    let request = RequestHead {
        method: "GET".to_owned(),
        scheme: "https".to_owned(),
        authority: "shop.example".to_owned(),
        path: "/p/a?x=%3Cb%3E%22'%26javascript:1".to_owned(),
        ..RequestHead::default()
    };
    let facts = vec![None; engine.facts().len()];
    let Next::Forward(forwarded) =
        exchange::begin(engine, &request, &Surroundings { facts: &facts, ..Surroundings::default() }).next
    else {
        return Ok(None);
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).map_err(|error| error.to_string())?;
        map.append(name, HeaderValue::from_str(value).map_err(|error| error.to_string())?);
    }
    let Body::Edited(mut edits) = forwarded.answer(StatusCode::OK, &map).body else { return Ok(None) };
    let mut body = Vec::new();
    for piece in pieces {
        let kept = if edits.is_done() { piece.len() } else { edits.write(piece, &mut body) };
        let from = piece.len().checked_sub(kept).ok_or("more bytes are to follow than there are")?;
        body.extend_from_slice(piece.get(from..).unwrap_or_default());
    }
    edits.finish(&mut body);
    let mut report = edits.end(&mut body);
    report.max_held_bytes = 0;
    if report.counters().keys().any(|counter| counter.to_string().ends_with(".internal")) {
        return Err(format!("a bug of ours: {}", report.summary()));
    }
    Ok(Some(Left { body, report }))
}
