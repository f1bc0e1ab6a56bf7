//! What caches outside are told about a route.
//!
//! The attack that this prevents: a page with one visitor's data in it, kept by a cache that serves it to the next one.
//! A route whose output depends on the visitor can't be declared public, and says so itself where nothing is declared.

pub mod inputs;
pub mod key;
pub mod names;
pub mod origin_reads;
pub mod set_cookie;
pub mod vary;

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::model::{Cache, CacheControl, Directives, Duration};
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::headers::{HeaderEdit, list};

/// `CDN-Cache-Control` (RFC 9213).
pub const CDN_CACHE_CONTROL: HeaderName = HeaderName::from_static("cdn-cache-control");

/// What a response says that is for one visitor.
pub const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Headers that speak to shared caches past `Cache-Control`, besides those that end in `cdn-cache-control`: Edge Architecture,
/// Akamai, nginx, LiteSpeed.
const FOR_SHARED_CACHES: [&str; 4] =
    ["surrogate-control", "edge-control", "x-accel-expires", "x-litespeed-cache-control"];

/// What keeps a response for one visitor out of shared caches. What the origin forbids stays forbidden.
pub fn protection(origin: &HeaderMap) -> Vec<HeaderEdit> {
    let says = |word: &[u8]| list(origin, &header::CACHE_CONTROL).any(|it| it.eq_ignore_ascii_case(word));
    let value = match (says(b"no-store"), says(b"no-transform")) {
        (false, false) => PRIVATE,
        (true, false) => HeaderValue::from_static("private, no-cache, no-store"),
        (false, true) => HeaderValue::from_static("private, no-cache, no-transform"),
        (true, true) => HeaderValue::from_static("private, no-cache, no-store, no-transform"),
    };
    let shared = |name: &&HeaderName| {
        name.as_str().ends_with("cdn-cache-control")
            || FOR_SHARED_CACHES.contains(&name.as_str())
            || **name == header::EXPIRES
    };
    let removed = origin.keys().filter(shared).cloned().map(HeaderEdit::Remove);
    [HeaderEdit::Set(header::CACHE_CONTROL, value)].into_iter().chain(removed).collect()
}

/// The cache headers of a route, compiled.
#[derive(Debug, Default)]
pub struct CacheHeaders {
    /// The policy, for successes.
    policy: Vec<HeaderEdit>,
    /// Whether every response depends on the visitor, not just pages.
    beyond_pages: bool,
    depends_on: BTreeSet<String>,
}

/// The attributes of the visitor that a route's output depends on.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "there are these two ways to depend")]
pub struct Dependence<'a> {
    /// Through what is done to the exchange: every response of the route depends on them.
    pub exchange: BTreeSet<&'a str>,
    /// Through edits of pages.
    pub pages: BTreeSet<&'a str>,
}

impl CacheHeaders {
    /// Compiles the policy of a route whose output depends on `dependence`.
    #[must_use]
    pub fn compile(
        cache: Option<&Cache>,
        dependence: &Dependence<'_>,
        path: &Path,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let depends_on: BTreeSet<&str> = dependence.exchange.union(&dependence.pages).copied().collect();
        let audiences = [
            ("browser", header::CACHE_CONTROL, cache.and_then(|cache| cache.browser.as_ref())),
            ("cdn", CDN_CACHE_CONTROL, cache.and_then(|cache| cache.cdn.as_ref())),
        ];
        let mut policy = Vec::new();
        for (key, name, control) in audiences {
            let path = path.clone().key(key);
            let Some(CacheControl(directives)) = control else { continue };
            let mut report =
                |message: String| problems.push(Problem::new(Kind::InvalidValue, path.clone(), message));
            contradictions(directives, &mut report);
            let mut directives = directives.clone();
            if !depends_on.is_empty() {
                leaks(key, &directives, &depends_on, &mut report);
                directives.private |= !directives.no_store;
            }
            policy.extend(value(&directives).map(|value| HeaderEdit::Set(name, value)));
        }
        // What else speaks of lifetimes must not defeat the new ones (RFC 9111 § 5.1, 5.3).
        if !policy.is_empty() {
            policy.extend([HeaderEdit::Remove(header::EXPIRES), HeaderEdit::Remove(header::AGE)]);
        }
        Self {
            policy,
            beyond_pages: !dependence.exchange.is_empty(),
            depends_on: depends_on.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The changes of a response's headers, in order; `origin` are those that it has. `is_page` says whether patches of pages
    /// may apply to it. The policy is one for successes, so what is not one keeps what the origin says; but whatever depends
    /// on the visitor is kept out of shared caches, whatever its status.
    #[must_use]
    pub fn edits(&self, is_page: bool, is_success: bool, origin: &HeaderMap) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        if !self.depends_on.is_empty() && (is_page || self.beyond_pages) {
            edits.extend(protection(origin));
        }
        if is_success {
            edits.extend(self.policy.iter().cloned());
        }
        edits
    }

    /// The attributes of the visitor that the route's output depends on.
    #[must_use]
    pub const fn depends_on(&self) -> &BTreeSet<String> {
        &self.depends_on
    }
}

fn leaks(key: &str, directives: &Directives, depends_on: &BTreeSet<&str>, report: &mut impl FnMut(String)) {
    let names: Vec<&str> = depends_on.iter().copied().collect();
    let names = names.join("\", \"");
    let shared = directives.public || directives.s_maxage.is_some();
    if shared || (key == "cdn" && !directives.private && !directives.no_store) {
        let fix = if key == "cdn" { "write `cdn: private`" } else { "leave `public` and `s_maxage` out" };
        report(format!(
            "the page depends on \"{names}\", so a cache that visitors share must not keep it; {fix}"
        ));
    }
}

fn contradictions(directives: &Directives, report: &mut impl FnMut(String)) {
    let lifetimes = directives.max_age.is_some()
        || directives.s_maxage.is_some()
        || directives.stale_while_revalidate.is_some()
        || directives.stale_if_error.is_some();
    if directives.no_store && (lifetimes || directives.immutable || directives.public) {
        report("`no_store` says that nobody keeps it, so a lifetime has no meaning; keep one of them".into());
    }
    if directives.public && directives.private {
        report("`public` and `private` contradict each other; keep one".into());
    }
    if directives.private && (directives.s_maxage.is_some() || directives.proxy_revalidate) {
        report(
            "`private` keeps it out of shared caches, so `s_maxage` and `proxy_revalidate` have no meaning"
                .into(),
        );
    }
    if directives.must_revalidate
        && (directives.stale_while_revalidate.is_some() || directives.stale_if_error.is_some())
    {
        report(
            "`must_revalidate` forbids to use it stale; keep it or the `stale_…` directives (RFC 5861 § 4)"
                .into(),
        );
    }
}

/// The header's value; `None` when nothing is said.
fn value(directives: &Directives) -> Option<HeaderValue> {
    let flags = [
        ("public", directives.public),
        ("private", directives.private),
        ("no-cache", directives.no_cache),
        ("no-store", directives.no_store),
        ("must-revalidate", directives.must_revalidate),
        ("proxy-revalidate", directives.proxy_revalidate),
        ("immutable", directives.immutable),
    ];
    let lifetimes: [(&str, Option<Duration>); 4] = [
        ("max-age", directives.max_age),
        ("s-maxage", directives.s_maxage),
        ("stale-while-revalidate", directives.stale_while_revalidate),
        ("stale-if-error", directives.stale_if_error),
    ];
    let flags = flags.iter().filter(|(_, set)| *set).map(|(name, _)| (*name).to_owned());
    let lifetimes =
        lifetimes.iter().filter_map(|(name, length)| Some(format!("{name}={}", length.as_ref()?.seconds())));
    let all: Vec<String> = flags.chain(lifetimes).collect();
    HeaderValue::try_from(all.join(", ")).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source;

    fn compile(yaml: &str, depends_on: &[&str]) -> (Vec<String>, Vec<String>) {
        let cache: Cache = source::read(yaml.as_bytes()).unwrap().decode().unwrap();
        let mut problems = Vec::new();
        let dependence = Dependence { pages: depends_on.iter().copied().collect(), ..Dependence::default() };
        let headers = CacheHeaders::compile(Some(&cache), &dependence, &Path::default(), &mut problems);
        let shown = headers.edits(true, true, &HeaderMap::new()).into_iter().map(|edit| match edit {
            HeaderEdit::Set(name, value) => format!("{name}: {}", value.to_str().unwrap()),
            HeaderEdit::Add(..) => "add".to_owned(),
            HeaderEdit::Remove(name) => format!("-{name}"),
        });
        (shown.collect(), problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn policies_become_headers() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "{ browser: { max_age: 1m }, cdn: { max_age: 1h, stale_while_revalidate: 1d } }",
                &[],
                &[
                    "cache-control: max-age=60",
                    "cdn-cache-control: max-age=3600, stale-while-revalidate=86400",
                    "-expires",
                    "-age",
                ],
            ),
            ("{ browser: no_store }", &[], &["cache-control: no-store", "-expires", "-age"]),
            ("{}", &[], &[]),
        ];
        for (yaml, depends_on, expected) in cases {
            let (headers, problems) = compile(yaml, depends_on);
            assert_eq!(
                (headers, problems),
                (expected.iter().map(|s| (*s).to_owned()).collect(), vec![]),
                "{yaml}"
            );
        }
    }

    #[test]
    fn what_depends_on_the_visitor_is_kept_out_of_shared_caches() {
        let protection = ["cache-control: private, no-cache"];
        let cases: &[(&str, &[&str])] = &[
            ("{}", &[]),
            ("{ browser: { max_age: 1m } }", &["cache-control: private, max-age=60", "-expires", "-age"]),
            (
                "{ browser: no_store, cdn: private }",
                &["cache-control: no-store", "cdn-cache-control: private", "-expires", "-age"],
            ),
        ];
        for (yaml, policy) in cases {
            let (headers, problems) = compile(yaml, &["country"]);
            let expected: Vec<&str> = protection.iter().chain(*policy).copied().collect();
            assert_eq!(
                (headers, problems),
                (expected.iter().map(|s| (*s).to_owned()).collect(), vec![]),
                "{yaml}"
            );
        }
    }

    #[test]
    fn what_the_origin_tells_shared_caches_is_taken_back() {
        let origin = [
            ("cache-control", "public, No-Store, max-age=9"),
            ("cloudflare-cdn-cache-control", "max-age=9"),
            ("surrogate-control", "max-age=9"),
            ("x-accel-expires", "9"),
            ("x-kept", "1"),
        ];
        let mut headers: HeaderMap = origin
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        for edit in protection(&headers.clone()) {
            edit.apply(&mut headers);
        }
        assert_eq!(headers.len(), 2);
        assert_eq!(headers[header::CACHE_CONTROL], "private, no-cache, no-store");
    }

    #[test]
    fn what_leaks_or_contradicts_is_refused() {
        let cases: &[(&str, &[&str], &str)] = &[
            ("{ cdn: { max_age: 1h } }", &["country"], "the page depends on \"country\""),
            ("{ browser: { public: true, max_age: 1h } }", &["country", "plan"], "\"country\", \"plan\""),
            ("{ browser: { s_maxage: 1h } }", &["country"], "leave `public` and `s_maxage` out"),
            ("{ browser: { no_store: true, max_age: 1h } }", &[], "keep one of them"),
            ("{ cdn: { public: true, private: true } }", &[], "contradict"),
            ("{ cdn: { private: true, s_maxage: 1h } }", &[], "no meaning"),
            ("{ cdn: { must_revalidate: true, stale_if_error: 1h } }", &[], "RFC 5861"),
        ];
        for (yaml, depends_on, message) in cases {
            let (_, problems) = compile(yaml, depends_on);
            assert!(problems.iter().any(|problem| problem.contains(message)), "{yaml}: {problems:?}");
        }
    }
}
