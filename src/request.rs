//! What can be read from a request.

use http::HeaderMap;

pub mod attributes;
pub mod authority;
pub mod cookies;
pub mod decided;
pub mod google_analytics;
pub mod input;
pub mod jwt;
pub mod language;
pub mod target;
pub mod user_agent;

/// The head of a request, its pseudo-headers apart from the others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RequestHead {
    /// `:method`.
    pub method: String,
    /// `:scheme`.
    pub scheme: String,
    /// `:authority`, as it came.
    pub authority: String,
    /// `:path`, with the query; what is not UTF-8 in it replaced.
    pub path: String,
    /// The other headers.
    pub headers: HeaderMap,
    /// A body follows.
    pub has_body: bool,
}
