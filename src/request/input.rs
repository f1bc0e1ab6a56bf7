//! Where an attribute comes from, to be shown and reasoned about.

use std::fmt;

use http::HeaderName;

use crate::config::model::Connection;

/// The part of a request that an attribute is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A header.
    Header(&'a HeaderName),
    /// A cookie.
    Cookie(&'a str),
    /// A parameter of the query.
    Parameter(&'a str),
    /// A segment of the path.
    PathSegment(usize),
    /// `Accept-Language`, negotiated against these.
    Language(&'a [String]),
    /// The device that `User-Agent` and its hints tell.
    Device,
    /// Whether `User-Agent` says that it is a program.
    Bot,
    /// What the proxy knows of the connection.
    Connection(Connection),
    /// An object of Envoy's filter state.
    FilterState(&'a str),
    /// The visitor's id, wherever that is from.
    VisitorId,
    /// Which variation of an experiment the visitor sees.
    Experiment,
    /// The value of a flag.
    Flag,
    /// The host.
    Host,
    /// The path.
    Path,
    /// The whole query.
    Query,
    /// The method.
    Method,
    /// The scheme.
    Scheme,
}

impl fmt::Display for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header {name}"),
            Self::Cookie(name) => write!(f, "cookie {name}"),
            Self::Parameter(name) => write!(f, "query {name}"),
            Self::PathSegment(index) => write!(f, "path segment {index}"),
            Self::Language(tags) => write!(f, "header accept-language: {}", tags.join(", ")),
            Self::Device => f.write_str("header user-agent: device"),
            Self::Bot => f.write_str("header user-agent: bot"),
            Self::Connection(_) => f.write_str("connection"),
            Self::FilterState(key) => write!(f, "filter state {key}"),
            Self::VisitorId => f.write_str("visitor"),
            Self::Experiment => f.write_str("experiment"),
            Self::Flag => f.write_str("flag"),
            Self::Host => f.write_str("host"),
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::Method => f.write_str("method"),
            Self::Scheme => f.write_str("scheme"),
        }
    }
}
