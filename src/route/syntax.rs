//! What no request can be, and a route must not ask for.
//!
//! Answers for methods, header names, hosts and paths which are well formed as text and yet in no request: a route
//! that asks for one would never count, and nobody would be told.

use http::HeaderName;

use crate::config::model::StringMatcher;
use crate::config::node::{Path, quote};
use crate::config::problem::{Kind, Problem, suggest};
use crate::request::authority;

/// RFC 9110 §9.3 and RFC 5789; for suggestions only, since there may be others.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// A method is a token. Letters in lower case would be legal (methods are compared as they are) and are a slip.
pub(super) fn check_method(method: &str, at: impl FnOnce() -> Path, problems: &mut Vec<Problem>) {
    if http::Method::from_bytes(method.as_bytes()).is_err() {
        problems.push(refusal(at(), quote(method), "a method, such as GET"));
    } else if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        let mut problem = refusal(at(), format!("method {}", quote(method)), "a method in upper case");
        let meant = suggest(method, METHODS).map_or_else(|| method.to_ascii_uppercase(), str::to_owned);
        problem.suggestion = Some(meant);
        problems.push(problem);
    }
}

/// The name of a header, in lower case.
pub(super) fn header_name(name: &str, at: &Path, problems: &mut Vec<Problem>) -> Option<HeaderName> {
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
    if parsed.is_none() {
        let expected = if name.starts_with(':') {
            "a header name; what is in :path, :method and :authority is asked for by path, methods and host"
        } else {
            "a header name: letters, digits and -, without a colon"
        };
        problems.push(refusal(at.clone(), quote(name), expected));
    }
    parsed
}

/// Hosts come without port and final dot, and a `*` in them stands for nothing.
pub(super) fn check_host(host: &StringMatcher, at: &Path, problems: &mut Vec<Problem>) {
    let Some(exact) = &host.exact else { return };
    let at = at.clone().key("exact");
    if let Some(parent) = exact.strip_prefix('*') {
        let expected = if parent.is_empty() {
            "a host; without host, every one matches".to_owned()
        } else {
            format!("a host, or suffix {} for every host that ends so", quote(parent))
        };
        problems.push(refusal(at, quote(exact), &expected));
    } else if !authority::host(exact).eq_ignore_ascii_case(exact) {
        let mut problem = refusal(at, quote(exact), "a host without port and without final dot");
        problem.suggestion = Some(authority::host(exact).into_owned());
        problems.push(problem);
    }
}

/// Paths come without query, and start with a slash but for the `*` of `OPTIONS`.
pub(super) fn check_path(path: &StringMatcher, at: &Path, problems: &mut Vec<Problem>) {
    let StringMatcher { exact, prefix, suffix, contains, .. } = path;
    let ways = [("exact", exact), ("prefix", prefix), ("suffix", suffix), ("contains", contains)];
    for (way, text) in ways {
        let Some(text) = text else { continue };
        let at = at.clone().key(way);
        let is_start = way == "exact" || (way == "prefix" && !text.is_empty());
        if text.contains(['?', '#']) {
            let expected = "a path without query and fragment; query has the parameters";
            problems.push(refusal(at, quote(text), expected));
        } else if is_start && text != "*" && !text.starts_with('/') {
            let mut problem = refusal(at, quote(text), "a path that starts with a slash");
            problem.suggestion = Some(format!("/{text}"));
            problems.push(problem);
        }
    }
}

fn refusal(at: Path, found: impl Into<String>, expected: &str) -> Problem {
    Problem::new(Kind::InvalidValue, at, "").mismatch(found, expected)
}
