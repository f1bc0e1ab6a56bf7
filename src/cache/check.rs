//! What can't be meant: directives that contradict each other, and policies that would share one visitor's page.

use std::collections::BTreeSet;

use http::HeaderName;

use super::{OF_MATCH, Subject};
use crate::config::model::Directives;
use crate::config::node::Path;
use crate::config::problem::{Code, Kind, Problem};

/// Directives that contradict each other, each with the reason.
pub(super) fn contradictions(directives: &Directives, report: &mut impl FnMut(String)) {
    let is_stale_used = directives.stale_while_revalidate.is_some() || directives.stale_if_error.is_some();
    let is_kept = directives.max_age.is_some() || directives.s_maxage.is_some() || is_stale_used;
    if directives.no_store
        && !directives.must_understand
        && (is_kept || directives.immutable || directives.public)
    {
        report("`no_store` says that nobody keeps it, so a lifetime has no meaning; keep one of them".into());
    }
    if directives.must_understand && !directives.no_store {
        report(
            "`must_understand` comes with `no_store: true`, for the caches that do not know it (RFC 9111 § 5.2.2.3)"
                .into(),
        );
    }
    if directives.must_understand && directives.no_store && !is_kept {
        report(
            "`must_understand` lets caches that know the status keep it, and says not how long; add `max_age`"
                .into(),
        );
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
    if (directives.must_revalidate || directives.proxy_revalidate) && is_stale_used {
        let word = if directives.must_revalidate { "must_revalidate" } else { "proxy_revalidate" };
        report(format!(
            "`{word}` forbids to use it stale; keep it or the `stale_…` directives (RFC 5861 § 4)"
        ));
    }
    if directives.immutable && directives.max_age.is_none() && !directives.no_store {
        report(
            "`immutable` says that it stays as it is for its lifetime; add `max_age` (RFC 8246 § 2)".into(),
        );
    }
    let lives = |length: Option<crate::config::model::Duration>| length.is_some_and(|it| it.seconds() > 0);
    let is_fresh = lives(directives.max_age) || lives(directives.s_maxage);
    if directives.no_cache && (is_fresh || is_stale_used || directives.immutable) {
        report(
            "`no_cache` has it asked for each time, so a lifetime has no meaning; keep one of them (RFC 9111 § 5.2.2.4)"
                .into(),
        );
    }
}

/// Whether shared caches may keep what these directives are said of.
pub(super) fn is_shared(directives: &Directives) -> bool {
    !directives.private && (!directives.no_store || directives.must_understand)
}

/// Whether a policy that says this to the browser and to the caches in front lets shared caches keep a response that the origin
/// said nothing of.
pub(super) fn lets_front_keep(browser: Option<&Directives>, cdn: Option<&Directives>) -> bool {
    cdn.is_some_and(is_shared) || browser.is_some_and(says_shared)
}

/// Whether `Cache-Control` itself says that shared caches may keep it.
pub(super) fn says_shared(browser: &Directives) -> bool {
    browser.public || browser.s_maxage.is_some()
}

/// The request headers of a key; what can be none is a problem.
pub(super) fn key(names: &[String], report: &mut impl FnMut(usize, String)) -> Vec<HeaderName> {
    let mut key = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match HeaderName::try_from(name.as_str()) {
            Ok(name) if name == http::header::COOKIE || name == http::header::AUTHORIZATION => report(
                index,
                format!(
                    "the values of \"{name}\" are without number, so the cache would keep a page for each visitor; have the edge copy \
                     what the page needs of it into a header of its own, and name that"
                ),
            ),
            Ok(name) => {
                key.push(name);
            }
            Err(_) => report(index, format!("\"{name}\" is not a header name")),
        }
    }
    key
}

/// Those of `names` that differ between visitors to whom a cache with this key serves the same response.
pub(super) fn unkeyed<'n>(
    names: impl IntoIterator<Item = &'n str>,
    key: &[HeaderName],
    subject: &Subject<'_>,
) -> Vec<&'n str> {
    let is_keyed = |name: &&str| match name.strip_prefix(OF_MATCH) {
        Some(header) => key.iter().any(|key| key.as_str().eq_ignore_ascii_case(header)),
        None => subject
            .attributes
            .request_headers(name)
            .is_some_and(|headers| headers.iter().all(|header| key.contains(header))),
    };
    names.into_iter().filter(|name| !is_keyed(name)).collect()
}

/// The origin reads something that the caches in front do not tell apart.
pub(super) fn unkeyed_read(name: &HeaderName, path: &Path) -> Problem {
    let fix = if *name == http::header::COOKIE {
        "no cache in front can have a cookie in its key; write `cdn: private`, or leave the cookie out of `origin_reads`".to_owned()
    } else {
        format!(
            "write `cdn: {{ key: [{name}] }}` where those caches tell responses apart by it, or `cdn: private`"
        )
    };
    let message = format!(
        "the origin's page depends on \"{name}\", so caches in front must not keep it for everybody; {fix}"
    );
    Problem::new(Kind::InvalidValue, path.clone().key("cdn"), message).coded(Code::SharedPersonalPage)
}

/// A rule lets something be stored by a cookie that the origin stage does not get to see.
pub(super) fn unseen_cookie(name: &str, path: &Path) -> Problem {
    let message = format!(
        "a rule stores responses by the cookie \"{name}\", which is taken from requests before they are stored; add `cookie: {name}` to \
         `origin_reads`, or leave `store` out of the rule: such requests then pass the cache"
    );
    Problem::new(Kind::InvalidValue, path.clone().key("rules"), message)
}

/// What a page depends on and where it is read, and what a key would have to name.
pub(super) fn leak(depends_on: &[&str], key: &str, is_tag: bool, subject: &Subject<'_>) -> String {
    let sources: Vec<String> = depends_on
        .iter()
        .filter_map(|name| Some(format!("{name} is {}", subject.attributes.source(name)?)))
        .collect();
    let sources = if sources.is_empty() { String::new() } else { format!(" ({})", sources.join("; ")) };
    let names = depends_on.join("\", \"");
    let headers: Option<Vec<Vec<HeaderName>>> = depends_on
        .iter()
        .map(|name| match name.strip_prefix(OF_MATCH) {
            Some(header) => HeaderName::try_from(header).ok().map(|header| vec![header]),
            None => subject.attributes.request_headers(name),
        })
        .collect();
    let headers: BTreeSet<String> =
        headers.into_iter().flatten().flatten().map(|header| header.to_string()).collect();
    let is_keyable = !headers.is_empty() && !headers.contains("cookie");
    let by_key = if (key == "cdn" || is_tag) && is_keyable {
        let headers: Vec<String> = headers.into_iter().collect();
        format!(", or, where that cache tells them apart, `key: [{}]`", headers.join(", "))
    } else {
        String::new()
    };
    if is_tag {
        return format!(
            "the tag depends on \"{names}\"{sources}, and whoever gets the stored page gets its tags; leave it out{by_key}"
        );
    }
    let fix = if key == "cdn" { "write `cdn: private`" } else { "leave `public` and `s_maxage` out" };
    format!(
        "the page depends on \"{names}\"{sources}, so a cache that visitors share must not keep it; {fix}{by_key}"
    )
}
