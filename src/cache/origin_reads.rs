//! What the origin gets of a request whose response is stored.
//!
//! The attack that this prevents: a page that the origin made from one visitor's cookie, address or odd header, stored
//! under a key in which that is not, and served to the next one.
//!
//! The origin can only depend on what it gets, so it gets what is in the key, what the route declares, and a list of
//! headers that are about the message and not about the visitor. Everything else is taken away, whatever it is called: an
//! origin may read any name. Declared headers go into `Vary`, and `Cookie` where a cookie is declared.
//!
//! What is declared has a bounded number of values: what is not listed becomes one value, so that nobody can fill the cache by
//! making values up. Whoever wants any value has to say so.
//!
//! - `Cookie` keeps the declared cookies, in one line (RFC 6265 § 5.4): those with listed values first and once, the others byte for
//!   byte and in their order.
//! - `User-Agent` becomes a constant, since firewalls refuse requests without one.
//! - `X-Forwarded-Proto` and `X-Forwarded-Host` become the scheme and the host, which are in the key.
//!
//! The work is linear in what the proxy lets in, times the number of declared names, which is bounded.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::key::headers::Headers;
use crate::config::model::OriginRead;
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::headers::HeaderEdit;
use crate::request::user_agent::DEVICE_HEADERS;
use crate::request::{RequestHead, cookies};

mod few;

pub use few::Few;

/// How many cookies and headers a route declares; each multiplies what is stored.
const MAX_DECLARED: usize = 64;

/// How many values one of them has.
const MAX_VALUES: usize = 256;

/// What the origin gets in place of a `User-Agent` that is not declared.
pub const USER_AGENT: HeaderValue = HeaderValue::from_static("engraft");

const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";

/// Headers that always pass, sorted: framing and connection (RFC 9110 § 7, 10.1.1; RFC 9112), preconditions and ranges, of
/// which a cache knows the answers (RFC 9110 § 13, 14), what is said to caches and intermediaries (RFC 9111 § 5.2; RFC 8586;
/// RFC 8470), the coding, which the response names, and the marks of tracing.
const PASSED: [&str; 43] = [
    "accept-encoding",
    "b3",
    "cache-control",
    "cdn-loop",
    "connection",
    "content-length",
    "early-data",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "pragma",
    "proxy-connection",
    "range",
    "sentry-trace",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "uber-trace-id",
    "user-agent",
    "via",
    "x-amzn-trace-id",
    "x-b3-flags",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-spanid",
    "x-b3-traceid",
    "x-client-trace-id",
    "x-cloud-trace-context",
    "x-datadog-origin",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-trace-id",
    FORWARDED_HOST,
    FORWARDED_PROTO,
    "x-ot-span-context",
    "x-request-id",
];

/// Of `x-envoy-`, which speak to Envoy's router and to the next Envoy, those that tell something of the visitor.
const OF_VISITOR: [&str; 7] = [
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-original-host",
    "x-envoy-original-path",
];

/// Compiled `origin_reads` of a route that is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OriginReads {
    cookies: Vec<String>,
    headers: Vec<HeaderName>,
    /// Those of `headers` that have one of a few values.
    few: Vec<HeaderName>,
    /// What the declared headers and cookies may say, where that is bounded.
    bounds: Vec<(Source, Few)>,
    /// Set by patches.
    set: Vec<HeaderName>,
    /// Those of `headers` that come from patches only: what a visitor sends under such a name is taken away.
    of_patches: Vec<HeaderName>,
}

/// A declared header or cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Header(HeaderName),
    Cookie(String),
}

impl Source {
    fn can_say(&self, text: &str) -> bool {
        match self {
            // RFC 6265 § 4.1.1, cookie-octet.
            Self::Cookie(_) => text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)),
            Self::Header(_) => HeaderValue::try_from(text).is_ok(),
        }
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is before the patches of the route or after them")]
pub enum Standing {
    /// As the visitor sent it.
    Visitor,
    /// The patches have changed it: at the origin stage.
    Patched,
}

impl OriginReads {
    /// Compiles what a route declares; `headers` are those that it normalises, `set` those that its patches set. What is
    /// wrong goes to `problems`.
    #[must_use]
    pub fn compile(
        reads: &[OriginRead],
        headers: &Headers,
        set: Vec<HeaderName>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let few: Vec<HeaderName> = headers.names().collect();
        let mut compiled = Self { headers: few.clone(), few, set, ..Self::default() };
        let mut declared: Vec<HeaderName> = Vec::new();
        let mut report =
            |path: Path, message: String| problems.push(Problem::new(Kind::InvalidValue, path, message));
        if reads.len() > MAX_DECLARED {
            report(path.clone(), format!("{} cookies and headers; at most {MAX_DECLARED} do", reads.len()));
        }
        for (index, read) in reads.iter().enumerate().take(MAX_DECLARED) {
            let path = path.clone().index(index);
            match (&read.cookie, &read.header) {
                (Some(cookie), None) if !is_cookie_name(cookie) => {
                    report(path, format!("\"{cookie}\" is not a cookie's name; write it as Set-Cookie does"));
                }
                (Some(cookie), None) if compiled.cookies.contains(cookie) => {
                    report(path, format!("the cookie \"{cookie}\" is declared already; leave one out"));
                }
                (Some(cookie), None) => {
                    compiled.cookies.push(cookie.clone());
                    match compiled.bound(read, Source::Cookie(cookie.clone())) {
                        Ok(bound) => compiled.bounds.extend(bound),
                        Err(message) => report(path, message),
                    }
                }
                (None, Some(name)) => match header_name(name) {
                    Ok(name) if declared.contains(&name) => {
                        report(path, format!("the header \"{name}\" is declared already; leave one out"));
                    }
                    Ok(name) => {
                        declared.push(name.clone());
                        match compiled.bound(read, Source::Header(name)) {
                            Ok(bound) => compiled.bounds.extend(bound),
                            Err(message) => report(path, message),
                        }
                    }
                    Err(message) => report(path, message),
                },
                _ => report(path, "one of the two is named: write `cookie: name` or `header: name`".into()),
            }
        }
        declared.retain(|name| !compiled.headers.contains(name));
        compiled.headers.extend(declared);
        compiled
    }

    /// The cookies that the origin reads.
    #[must_use]
    pub fn cookies(&self) -> &[String] {
        &self.cookies
    }

    /// The headers that the origin reads, those that are normalised among them.
    #[must_use]
    pub fn headers(&self) -> &[HeaderName] {
        &self.headers
    }

    /// What a declared header may say, where that is bounded by `values`.
    #[must_use]
    pub fn values_of_header(&self, name: &HeaderName) -> Option<&Few> {
        self.bounds.iter().find_map(|(source, few)| (*source == Source::Header(name.clone())).then_some(few))
    }

    /// The same of a declared cookie.
    #[must_use]
    pub fn values_of_cookie(&self, name: &str) -> Option<&Few> {
        self.bounds
            .iter()
            .find_map(|(source, few)| matches!(source, Source::Cookie(known) if known == name).then_some(few))
    }

    /// What is declared, and not normalised by `cache.headers`, in words: `header x-geo-country: US, CA or other`.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let shown = |kind: &str, name: &str, few: Option<&Few>| {
            let values = few.map_or_else(|| "any value".to_owned(), ToString::to_string);
            format!("{kind} {name}: {values}")
        };
        let headers = self.headers.iter().filter(|name| !self.few.contains(name) && !self.set.contains(name));
        let headers = headers.map(|name| shown("header", name.as_str(), self.values_of_header(name)));
        let set = self.headers.iter().filter(|name| self.set.contains(name));
        let set = set.map(|name| format!("header {name}, set by patches"));
        let cookies = self.cookies.iter().map(|name| shown("cookie", name, self.values_of_cookie(name)));
        headers.chain(set).chain(cookies).collect()
    }

    /// Whether the origin's page is made from a header of the request as the origin gets it: only then can it differ by it.
    #[must_use]
    pub fn may_vary(&self, name: &str) -> bool {
        match name {
            "cookie" => !self.cookies.is_empty(),
            // Constants, and what is in the key.
            "user-agent" | FORWARDED_HOST | FORWARDED_PROTO | "host" => self.declares(name),
            _ => passes(name) || self.declares(name) || self.set.iter().any(|known| known == name),
        }
    }

    /// The names that a response differs by.
    pub fn vary(&self) -> impl Iterator<Item = HeaderName> {
        let cookie = (!self.cookies.is_empty()).then_some(header::COOKIE);
        self.headers.iter().cloned().chain(cookie)
    }

    /// Those of them that come from the visitor, and not from a patch.
    pub fn read_of_visitor(&self) -> impl Iterator<Item = HeaderName> {
        // Browsers say in other headers, too, what device they are on.
        let hints: &[&str] = if self.few.contains(&header::USER_AGENT) { &DEVICE_HEADERS } else { &[] };
        let hints = hints.iter().copied().map(HeaderName::from_static);
        self.vary().filter(|name| !self.of_patches.contains(name)).chain(hints)
    }

    /// What a declaration lets a header or a cookie say.
    fn bound(&mut self, read: &OriginRead, source: Source) -> Result<Option<(Source, Few)>, String> {
        let (what, name) = match &source {
            Source::Cookie(name) => ("cookie", name.as_str()),
            Source::Header(name) => ("header", name.as_str()),
        };
        let is_in = |list: &[HeaderName]| matches!(&source, Source::Header(name) if list.contains(name));
        let is_few = is_in(&self.few);
        match (&read.values, &read.otherwise, read.any_value) {
            (None, None, false) if is_few => Ok(None),
            (None, None, false) if is_in(&self.set) => {
                self.of_patches.extend(HeaderName::try_from(name));
                Ok(None)
            }
            (None, None, false) => Err(format!(
                "the {what} \"{name}\" has as many values as visitors send, and there would be a stored page for each; write \
                 `values: […]`, and `otherwise` for all others, or `any_value: true` where that is meant"
            )),
            (None, None, true) => Ok(None),
            (Some(_), _, true) => Err("`values` and `any_value` contradict each other; keep one".into()),
            (None, Some(_), _) => {
                Err("`otherwise` is what a value that is not listed becomes; add `values`".into())
            }
            (Some(_), _, false) if is_few => {
                Err(format!("\"{name}\" has few values already, by `cache.headers`; leave `values` out"))
            }
            (Some(values), _, false) if values.is_empty() || values.len() > MAX_VALUES => {
                Err(format!("{} values; from 1 to {MAX_VALUES} do", values.len()))
            }
            (Some(values), otherwise, false) => {
                match values.iter().chain(otherwise).find(|it| !source.can_say(it)) {
                    Some(text) => Err(format!("\"{text}\" can't be the value of a {what}")),
                    None => Ok(Some((source, Few::new(values.clone(), otherwise.clone())))),
                }
            }
        }
    }

    fn declares(&self, name: &str) -> bool {
        self.headers.iter().any(|known| known == name)
    }

    /// What is taken from a request, and what is put in its place. `headers` are the request's after what is normalised.
    #[must_use]
    pub fn edits(&self, request: &RequestHead, headers: &HeaderMap, standing: Standing) -> Vec<HeaderEdit> {
        let mut edits: Vec<HeaderEdit> = Vec::new();
        for name in headers.keys() {
            let text = name.as_str();
            let is_set = standing == Standing::Patched && self.set.contains(name);
            // Of engraft itself; those that came with a request are gone before.
            if is_set || text.starts_with("x-engraft-") {
                continue;
            }
            if self.declares(text) {
                let is_forged = self.of_patches.contains(name);
                edits.extend(is_forged.then(|| HeaderEdit::Remove(name.clone())));
                continue;
            }
            if *name == header::COOKIE {
                edits.extend(self.cookie_edit(headers));
            } else if text == FORWARDED_PROTO {
                edits.extend(only(headers, name, &request.scheme));
            } else if text == FORWARDED_HOST {
                edits.extend(only(headers, name, &request.authority));
            } else if !passes(text) {
                edits.push(HeaderEdit::Remove(name.clone()));
            }
        }
        edits.extend(self.bounded_headers(headers, standing));
        if !headers.contains_key(header::COOKIE) {
            edits.extend(self.cookie_edit(headers));
        }
        let is_set = standing == Standing::Patched && self.set.contains(&header::USER_AGENT);
        if !is_set && !self.declares("user-agent") && !is_only(headers, &header::USER_AGENT, &USER_AGENT) {
            edits.push(HeaderEdit::Set(header::USER_AGENT, USER_AGENT));
        }
        edits
    }

    /// What is taken once a patch has changed the host: two hosts that become one are one key.
    #[must_use]
    pub fn of_rewritten_host(&self, headers: &HeaderMap) -> Option<HeaderEdit> {
        let name = HeaderName::from_static(FORWARDED_HOST);
        (headers.contains_key(&name) && !self.declares(FORWARDED_HOST)).then_some(HeaderEdit::Remove(name))
    }

    /// Declared headers as one of their values.
    fn bounded_headers(&self, headers: &HeaderMap, standing: Standing) -> Vec<HeaderEdit> {
        let edit = |(source, few): &(Source, Few)| {
            let Source::Header(name) = source else { return None };
            if standing == Standing::Patched && self.set.contains(name) {
                return None;
            }
            match few.settle(headers.get(name).map(HeaderValue::as_bytes)) {
                Some(value) => only(headers, name, value),
                None => headers.contains_key(name).then(|| HeaderEdit::Remove(name.clone())),
            }
        };
        self.bounds.iter().filter_map(edit).collect()
    }

    /// The declared cookies that have one of a few values.
    fn bounded_cookies(&self, headers: &HeaderMap) -> Vec<Vec<u8>> {
        let piece = |(source, few): &(Source, Few)| {
            let Source::Cookie(name) = source else { return None };
            let value = cookies::cookie(headers, name);
            let value = few.settle(value.as_deref().map(str::as_bytes))?;
            Some(format!("{name}={value}").into_bytes())
        };
        self.bounds.iter().filter_map(piece).collect()
    }

    fn cookie_edit(&self, headers: &HeaderMap) -> Option<HeaderEdit> {
        let lines = headers.get_all(header::COOKIE);
        let bounded = self.bounded_cookies(headers);
        let is_open = |name: &[u8]| {
            let mut declared = self.cookies.iter().filter(|known| known.as_bytes() == name);
            declared.any(|known| self.values_of_cookie(known).is_none())
        };
        let mut kept: Vec<&[u8]> = bounded.iter().map(Vec::as_slice).collect();
        for piece in lines.iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';')) {
            let piece = piece.trim_ascii();
            let name = piece.iter().position(|byte| *byte == b'=').and_then(|end| piece.get(..end));
            let name = name.unwrap_or_default().trim_ascii();
            if !name.is_empty() && is_open(name) {
                kept.push(piece);
            }
        }
        // Joined from pieces of values, so it is one; were it not, nothing is the safe answer.
        match HeaderValue::from_bytes(&kept.join(&b"; "[..])) {
            Ok(value) if !kept.is_empty() => {
                (!is_only(headers, &header::COOKIE, &value)).then(|| HeaderEdit::Set(header::COOKIE, value))
            }
            _ => headers.contains_key(header::COOKIE).then_some(HeaderEdit::Remove(header::COOKIE)),
        }
    }
}

/// Whether a header always passes. Caches and Envoy itself add some of them.
#[must_use]
pub fn passes(name: &str) -> bool {
    PASSED.binary_search(&name).is_ok() || (name.starts_with("x-envoy-") && !OF_VISITOR.contains(&name))
}

/// Makes `value` the only value of a header.
fn only(headers: &HeaderMap, name: &HeaderName, value: &str) -> Option<HeaderEdit> {
    let value = HeaderValue::try_from(value).ok();
    match value {
        Some(value) if is_only(headers, name, &value) => None,
        Some(value) => Some(HeaderEdit::Set(name.clone(), value)),
        None => Some(HeaderEdit::Remove(name.clone())),
    }
}

fn is_only(headers: &HeaderMap, name: &HeaderName, value: &HeaderValue) -> bool {
    let mut values = headers.get_all(name).into_iter();
    values.next() == Some(value) && values.next().is_none()
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    let name = HeaderName::try_from(name).map_err(|_| format!("\"{name}\" is not a header name"))?;
    match name.as_str() {
        "cookie" => Err("a cookie is declared by its name: write `cookie: name`".into()),
        "host" => Err("the host is in every key; leave it out".into()),
        text if text.starts_with("x-engraft-") => {
            Err(format!("\"{text}\" is engraft's own and never comes from a visitor; leave it out"))
        }
        text if passes(text)
            && !matches!(text, "accept-encoding" | "user-agent" | FORWARDED_HOST | FORWARDED_PROTO) =>
        {
            Err(format!("\"{text}\" always passes and is about the message, not the page; leave it out"))
        }
        _ => Ok(name),
    }
}

/// A token (RFC 6265 § 4.1.1).
fn is_cookie_name(name: &str) -> bool {
    let is_separator = |byte: u8| b"()<>@,;:\\\"/[]?={} \t".contains(&byte);
    (1..=256).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && !is_separator(byte))
}

#[cfg(test)]
mod tests;
