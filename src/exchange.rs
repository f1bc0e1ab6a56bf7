//! One request and its response, from head to end, as a chain of states: each is consumed by the step that follows it.
//!
//! ```text
//! begin ─┬─► Next::Respond                     a redirect; the origin is not asked
//!        └─► Next::Forward(Forwarded)          headers of the request changed
//!              └─► Forwarded::answer ─┬─► Body::Passes        the body is not touched
//!                                     ├─► Body::NotModified   answered in its place: the visitor has it
//!                                     └─► Body::Edited(Edits) write each chunk, then end, or abort;
//!                                                             the head is held while it may still change
//! ```
//!
//! Between visitors and a cache, or with no cache at all, an exchange is one with a visitor; between a cache and the origin it
//! is one with the cache. [`begin`] knows from the configuration which it is.
//!
//! Nothing here waits, reads a clock or fails: whatever can't be done is left undone, the origin's bytes go out, and the
//! [`Report`] says why. Every path ends in exactly one report.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::cache::validator::digest::Digest;
use crate::config::model::Stage;
use crate::engine::Engine;
use crate::headers::HeaderEdit;
use crate::live::Live;
use crate::request::RequestHead;

mod begin;
mod body;
mod choice;
mod document;
mod explained;
pub mod gate;
mod intent;
mod origin;
mod overrides;
mod page;
mod patches;
pub mod report;
mod response;
mod variant;
mod watch;
mod watched;

use begin::Visit;
pub use body::Edits;
use origin::Fetch;
pub use overrides::Overrides;
use report::Report;

/// The request header that asks for debug headers, and the response header that answers.
pub const DEBUG_HEADER: HeaderName = HeaderName::from_static("x-engraft-debug");

/// The response header in which, beside that, a [trace](crate::explain) comes.
pub const TRACE_HEADER: HeaderName = HeaderName::from_static("x-engraft-trace");

/// What a host knows besides a request.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a host must say all of it")]
pub struct Surroundings<'a> {
    /// What [`Engine::facts`] asks for, in that order; nothing at the origin stage.
    pub facts: &'a [Option<String>],
    /// The address that the request comes from, where it is known.
    pub peer: Option<IpAddr>,
    /// What time it is; the origin stage dates what is stored.
    pub now: SystemTime,
    /// A number that nobody can foresee, another one for each request; visitors' ids are made of it.
    pub random: u128,
    /// The payload that is in force, where one is fetched and has come. One that stands in the configuration is known without.
    pub live: Option<&'a Arc<Live>>,
    /// What is seen instead of what the request says.
    pub overrides: Option<&'a Overrides>,
    /// Reports are to say what was decided, and why: for people.
    pub explains: bool,
}

/// Nothing is known, not even the time.
impl Default for Surroundings<'_> {
    fn default() -> Self {
        Self {
            facts: &[],
            peer: None,
            now: SystemTime::UNIX_EPOCH,
            random: 0,
            live: None,
            overrides: None,
            explains: false,
        }
    }
}

/// Begins an exchange.
#[must_use]
pub fn begin(engine: &Arc<Engine>, request: &RequestHead, surroundings: &Surroundings<'_>) -> Begun {
    match engine.stage() {
        Stage::Both | Stage::Client => begin::begin(engine, request, surroundings),
        Stage::Origin => origin::begin(engine, request, surroundings.now),
    }
}

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
    Respond(LocalResponse, Box<Report>),
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

/// A request that was sent on.
#[derive(Debug)]
pub struct Forwarded(Peer);

/// For whom the response is.
#[derive(Debug)]
enum Peer {
    Visitor(Box<Visit>),
    Cache(Box<Fetch>),
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
    /// Throw the response away, head and body, and answer this.
    NotModified(LocalResponse, Report),
    /// Feed it to the edits.
    Edited(Box<Edits>),
}

impl Forwarded {
    /// Takes the head of the response.
    #[must_use]
    pub fn answer(self, status: StatusCode, headers: &HeaderMap) -> Answered {
        match self.0 {
            Peer::Visitor(visit) => visit.answer(status, headers),
            Peer::Cache(fetch) => fetch.answer(status, headers),
        }
    }

    /// The exchange ended before a response came.
    #[must_use]
    pub fn abort(self) -> Report {
        match self.0 {
            Peer::Visitor(visit) => visit.abort(),
            Peer::Cache(fetch) => fetch.abort(),
        }
    }

    /// The digest of what the patches make of the page; `None` where they leave it as it is.
    #[must_use]
    pub fn variant(&self) -> Option<Digest> {
        match &self.0 {
            Peer::Visitor(visit) => visit.variant(),
            Peer::Cache(fetch) => fetch.variant(),
        }
    }
}

#[cfg(test)]
mod tests;
