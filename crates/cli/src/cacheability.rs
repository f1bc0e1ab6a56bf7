//! Whether a cache may keep a response, and for how long, by the rules of RFC 9111.
//!
//! The judge is a library that knows nothing of engraft: what the core writes into headers is held against what a cache reads there.

use std::fmt;
use std::time::{Duration, SystemTime};

use engraft::cache::CDN_CACHE_CONTROL;
use engraft::request::RequestHead;
use http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use http_cache_semantics::{CacheOptions, CachePolicy};

/// Whose cache it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The visitor's own.
    Browser,
    /// One that many visitors share, and that reads `CDN-Cache-Control` (RFC 9213).
    Shared,
}

/// What such a cache may do with a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not keep it.
    No,
    /// Keep it, and use it for that long without asking; not at all where it is zero.
    For(Duration),
}

impl Verdict {
    /// Judges the response to a request that came at `now`.
    pub(crate) fn of(
        audience: Audience,
        request: &RequestHead,
        (status, headers): (StatusCode, &HeaderMap),
        now: SystemTime,
    ) -> Self {
        let mut headers = headers.clone();
        if audience == Audience::Shared && headers.contains_key(CDN_CACHE_CONTROL) {
            // It goes before the two (RFC 9213 § 2.1).
            headers.remove(header::CACHE_CONTROL);
            headers.remove(header::EXPIRES);
            let targeted: Vec<_> = headers.get_all(CDN_CACHE_CONTROL).iter().cloned().collect();
            for value in targeted {
                // Fails above 32768 headers only.
                let _ = headers.try_append(header::CACHE_CONTROL, value);
            }
        }
        let url = format!("{}://{}{}", request.scheme, request.authority, request.path);
        let mut asked = Request::new(());
        *asked.uri_mut() = url.parse().unwrap_or_else(|_| Uri::from_static("/"));
        *asked.method_mut() = request.method.parse().unwrap_or_default();
        *asked.headers_mut() = request.headers.clone();
        let mut answer = Response::new(());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        let options = CacheOptions { shared: audience == Audience::Shared, ..CacheOptions::default() };
        let policy = CachePolicy::new_options(&asked, &answer, now, options);
        if policy.is_storable() { Self::For(policy.time_to_live(now)) } else { Self::No }
    }
}

impl fmt::Display for Verdict {
    /// `no`, `1h`, or `asks each time`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::For(Duration::ZERO) => f.write_str("asks each time"),
            Self::For(fresh) => match engraft::config::model::Duration::from_seconds(fresh.as_secs()) {
                Some(fresh) => fresh.fmt(f),
                None => write!(f, "{}s", fresh.as_secs()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Header;

    fn verdicts(lines: &[&str]) -> [String; 2] {
        let request = RequestHead {
            method: "GET".to_owned(),
            scheme: "https".to_owned(),
            authority: "shop.example".to_owned(),
            path: "/".to_owned(),
            headers: HeaderMap::new(),
            has_body: false,
        };
        let mut headers = HeaderMap::new();
        for line in lines {
            let Header { name, value } = line.parse().unwrap();
            headers.append(name, value);
        }
        [Audience::Browser, Audience::Shared].map(|audience| {
            Verdict::of(audience, &request, (StatusCode::OK, &headers), SystemTime::UNIX_EPOCH).to_string()
        })
    }

    #[test]
    fn browsers_and_shared_caches_read_different_headers() {
        for (lines, expected) in [
            (&["cache-control: no-store"][..], ["no", "no"]),
            (&["cache-control: private, no-cache"], ["asks each time", "no"]),
            (&["cache-control: public, max-age=60, s-maxage=7200"], ["1m", "2h"]),
            (&["cache-control: private, max-age=60", "cdn-cache-control: max-age=3600"], ["1m", "1h"]),
            (&["cache-control: max-age=60", "cdn-cache-control: private"], ["1m", "no"]),
            (&["cache-control: max-age=60", "age: 59"], ["1s", "1s"]),
            (&["cache-control: max-age=60", "set-cookie: a=1"], ["1m", "asks each time"]),
            (&[], ["asks each time", "asks each time"]),
        ] {
            assert_eq!(verdicts(lines), expected, "{lines:?}");
        }
    }
}
