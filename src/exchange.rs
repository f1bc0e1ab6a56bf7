//! One request and its response, from head to end, as a chain of states: each is consumed by the step that follows it.
//!
//! ```text
//! begin ─┬─► Next::Respond                     a redirect; the origin is not asked
//!        └─► Next::Forward(Forwarded)          headers of the request changed
//!              └─► Forwarded::answer ─┬─► Body::Passes        the body is not touched
//!                                     └─► Body::Edited(Edits) write each chunk, then end, or abort;
//!                                                             the head is held while it may still change
//! ```
//!
//! Nothing here waits, reads a clock or fails: whatever can't be done is left undone, the origin's bytes go out, and the
//! [`Report`] says why. Every path ends in exactly one report.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::cache::Asked;
use crate::csp;
use crate::engine::Engine;
use crate::headers::HeaderEdit;
use crate::request::attributes::Values;

mod begin;
mod body;
mod document;
pub mod gate;
mod page;
pub mod report;
mod response;
mod variant;

pub use begin::begin;
pub use body::Edits;
use report::Report;

/// The request header that asks for debug headers, and the response header that answers.
pub const DEBUG_HEADER: HeaderName = HeaderName::from_static("x-engraft-debug");

/// What a request head became.
#[derive(Debug)]
#[non_exhaustive]
pub struct Begun {
    /// Changes of the request.
    pub edits: RequestEdits,
    /// What to do.
    pub next: Next,
}

/// Changes of a request head. What is `None` stays.
#[derive(Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestEdits {
    /// The new `:path`, with the query.
    pub path: Option<String>,
    /// The new `:authority`.
    pub authority: Option<String>,
    /// Changes of the other headers, in order.
    pub headers: Vec<HeaderEdit>,
}

/// What to do with a request.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shell must do one or the other")]
pub enum Next {
    /// Answer it.
    Respond(LocalResponse, Report),
    /// Send it on, and hand the response to [`Forwarded::answer`].
    Forward(Forwarded),
}

/// An answer that does not come from the origin. It has no body.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers, in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// A request that is with the origin.
#[derive(Debug)]
pub struct Forwarded {
    engine: Arc<Engine>,
    /// Index of the route in the engine.
    route: Option<usize>,
    values: Values,
    /// What cache policies ask of the request.
    asked: Asked,
    /// Indexes of the patches whose guards hold.
    eligible: Vec<usize>,
    variant: variant::Variant,
    is_head: bool,
    /// The page that the visitor asks for, as policies name it.
    page: csp::Page,
    /// The browser says that it is part of a page.
    is_subresource: bool,
    /// The visitor takes gzip.
    accepts_gzip: bool,
    rewritten: bool,
    /// The key of its route says what the origin got of it.
    is_keyed: bool,
    debug: bool,
}

/// What a response head became.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answered {
    /// Changes of the response's headers, in order.
    pub headers: Vec<HeaderEdit>,
    /// What to do with the body.
    pub body: Body,
}

/// What to do with a body.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a shell must do one or the other")]
pub enum Body {
    /// Let it pass.
    Passes(Report),
    /// Feed it to the edits.
    Edited(Box<Edits>),
}

#[cfg(test)]
mod tests;
