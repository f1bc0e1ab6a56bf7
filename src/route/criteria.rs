//! The `match` of one route, compiled.
//!
//! Answers for whether one request is as one route asks, and for compiling what it asks. Which routes are worth
//! asking is the [index](super::index)'s business.

use std::fmt;

use http::HeaderName;

use super::matcher::Matcher;
use super::parameters::Parameters;
use super::{RouteInput, syntax};
use crate::config::model::RequestMatch;
use crate::config::node::Path;
use crate::config::problem::Problem;

/// Everything a route asks of a request; all of it must hold.
#[derive(Debug, Clone, Default)]
pub(super) struct Criteria {
    methods: Vec<Box<str>>,
    host: Option<Matcher>,
    path: Option<Matcher>,
    headers: Vec<(HeaderName, Matcher)>,
    query: Vec<(Box<str>, Matcher)>,
}

/// What of a `match` a request does not satisfy. Shown as in docs/trace.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmet<'c> {
    /// The method.
    Method,
    /// The host.
    Host,
    /// The path.
    Path,
    /// A header.
    Header(&'c HeaderName),
    /// A parameter of the query.
    Parameter(&'c str),
}

impl fmt::Display for Unmet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method => f.write_str("method"),
            Self::Host => f.write_str("host"),
            Self::Path => f.write_str("path"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::Parameter(name) => write!(f, "query {name}"),
        }
    }
}

impl Criteria {
    /// Compiles the `match` that stands at `at`, or would stand there.
    pub(super) fn compile(
        definition: Option<&RequestMatch>,
        at: &Path,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let Some(definition) = definition else { return Some(Self::default()) };
        let RequestMatch { host, path, methods, headers, query } = definition;
        let known = problems.len();
        let host = host.as_ref().and_then(|host| {
            let at = at.clone().key("host");
            syntax::check_host(host, &at, problems);
            Matcher::compile_folded(host, &at, problems)
        });
        let path = path.as_ref().and_then(|path| {
            let at = at.clone().key("path");
            syntax::check_path(path, &at, problems);
            Matcher::compile(path, &at, problems)
        });
        for (position, method) in methods.iter().enumerate() {
            syntax::check_method(method, || at.clone().key("methods").index(position), problems);
        }
        let mut compiled = Self { host, path, ..Self::default() };
        compiled.methods = methods.iter().map(|method| Box::from(method.as_str())).collect();
        for (name, matcher) in headers {
            let at = at.clone().key("headers").key(name);
            let header = syntax::header_name(name, &at, problems);
            let matcher = Matcher::compile(matcher, &at, problems);
            compiled.headers.extend(header.zip(matcher));
        }
        for (name, matcher) in query {
            let matcher = Matcher::compile(matcher, &at.clone().key("query").key(name), problems);
            compiled.query.extend(matcher.map(|matcher| (Box::from(name.as_str()), matcher)));
        }
        (problems.len() == known).then_some(compiled)
    }

    /// True when the request is on this route.
    pub(super) fn hold(&self, request: &RouteInput<'_>, parameters: &Parameters<'_>) -> bool {
        self.unmet(request, parameters).is_none()
    }

    /// What of it does not hold, the first of several. A header or parameter that isn't there is not as anything asks.
    pub(super) fn unmet(&self, request: &RouteInput<'_>, parameters: &Parameters<'_>) -> Option<Unmet<'_>> {
        if !self.methods.is_empty() && !self.methods.iter().any(|method| **method == *request.method) {
            return Some(Unmet::Method);
        }
        if self.host.as_ref().is_some_and(|host| !host.matches(request.host)) {
            return Some(Unmet::Host);
        }
        if self.path.as_ref().is_some_and(|path| !path.matches(request.target.path())) {
            return Some(Unmet::Path);
        }
        let header = self.headers.iter().find(|(name, matcher)| {
            let value = request.headers.get(name);
            !value.is_some_and(|value| matcher.matches(&String::from_utf8_lossy(value.as_bytes())))
        });
        if let Some((name, _)) = header {
            return Some(Unmet::Header(name));
        }
        let is_met = |name, matcher: &Matcher| parameters.value(name).is_some_and(|it| matcher.matches(&it));
        let query = self.query.iter().find(|(name, matcher)| !is_met(name, matcher));
        query.map(|(name, _)| Unmet::Parameter(name))
    }

    /// Whether every request that is as `other` asks is as this asks, too. `false` where that takes more than a look.
    #[cfg(feature = "lint")]
    pub(super) fn covers(&self, other: &Self) -> bool {
        let methods = self.methods.is_empty()
            || (!other.methods.is_empty() && other.methods.iter().all(|it| self.methods.contains(it)));
        let host = self.host.as_ref().is_none_or(|own| other.host.as_ref().is_some_and(|it| own.covers(it)));
        // Paths start with a slash, all but the one of `OPTIONS *`.
        let path = self.path.as_ref().is_none_or(|own| {
            other.path.as_ref().map_or_else(|| own.takes_all_from("/"), |it| own.covers(it))
        });
        let headers = self
            .headers
            .iter()
            .all(|(name, own)| other.headers.iter().any(|(other, it)| other == name && own.covers(it)));
        let query = self
            .query
            .iter()
            .all(|(name, own)| other.query.iter().any(|(other, it)| other == name && own.covers(it)));
        methods && host && path && headers && query
    }

    pub(super) const fn host(&self) -> Option<&Matcher> {
        self.host.as_ref()
    }

    pub(super) const fn path(&self) -> Option<&Matcher> {
        self.path.as_ref()
    }
}
