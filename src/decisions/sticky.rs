//! Sticky buckets in cookies, in the form of GrowthBook's cookie services (`packages/sdk-js/src/sticky-bucket-service.ts`): one
//! cookie a document, named by its key, holding it as JSON, percent-encoded.
//!
//! Visitors can write these cookies: they choose a variation for themselves and nobody else. What is read is bounded.

use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::set_cookie::{MAX_AGE_SECONDS, SetCookie};
use crate::config::model;
use crate::decide::sticky::{StickyBuckets, StickyDocument};
use crate::request::cookies;

/// How the names of these cookies begin.
const PREFIX: &str = "gbStickyBuckets__";
/// How many of them are read; more than one or two there are only where somebody puts them.
const MAX_COOKIES: usize = 16;
/// The longest cookie that browsers keep (RFC 6265 § 6.1), name and attributes included, with some room.
const MAX_COOKIE_BYTES: usize = 3800;
const DEFAULT_MAX_AGE_SECONDS: u32 = 180 * 24 * 60 * 60;

/// What `encodeURIComponent` encodes, and the brackets that no cookie's name may have.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'');

/// The documents that a request brings.
pub(super) fn read(headers: &HeaderMap) -> StickyBuckets {
    let named = cookies::pairs(headers).filter(|(name, _)| name.starts_with(PREFIX.as_bytes()));
    // No browser keeps a longer one.
    let named = named.filter(|(_, value)| value.len() <= MAX_COOKIE_BYTES);
    let documents = named.take(MAX_COOKIES).filter_map(|(_, value)| {
        let json: Vec<u8> = percent_decode(value).collect();
        serde_json::from_slice::<StickyDocument>(&json).ok()
    });
    documents.collect()
}

/// What keeps the documents that decisions changed. In one that got too long for a cookie, other experiments' assignments give way.
pub(super) fn set(
    buckets: &StickyBuckets,
    cookies: &model::StickyCookies,
    is_current: impl Fn(&str) -> bool,
) -> Vec<HeaderValue> {
    let max_age_seconds =
        cookies.max_age.map_or(DEFAULT_MAX_AGE_SECONDS, |age| age.seconds().min(MAX_AGE_SECONDS));
    let set = |document: &StickyDocument| {
        let key = document.key();
        let name = format!("{PREFIX}{}", utf8_percent_encode(&key, COMPONENT));
        let mut document = document.clone();
        let value = loop {
            let json = serde_json::to_string(&document).ok()?;
            let value = utf8_percent_encode(&json, COMPONENT).to_string();
            if name.len().saturating_add(value.len()) <= MAX_COOKIE_BYTES {
                break value;
            }
            let old = document.assignments.keys().find(|assignment| {
                let experiment = assignment.rsplit_once("__").map_or(assignment.as_str(), |(key, _)| key);
                !is_current(experiment)
            });
            let old = old?.clone();
            document.assignments.remove(&old);
        };
        let domain = cookies.domain.as_deref();
        // Scripts of the page decide by them, too.
        SetCookie { name: &name, value: &value, max_age_seconds, domain, http_only: false }.value()
    };
    buckets.changed().filter_map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &str) -> HeaderMap {
        let value = HeaderValue::try_from(cookie).unwrap();
        [(http::header::COOKIE, value)].into_iter().collect()
    }

    #[test]
    fn cookies_of_browsers_and_servers_are_read() {
        // As js-cookie writes it, and as Express does.
        for cookie in [
            "a=b; gbStickyBuckets__id||1={%22attributeName%22:%22id%22%2C%22attributeValue%22:%221%22%2C%22assignments%22:{%22exp__0%22:%22v1%22}}",
            "gbStickyBuckets__id%7C%7C1=%7B%22attributeName%22%3A%22id%22%2C%22attributeValue%22%3A%221%22%2C%22assignments%22%3A%7B%22exp__0%22%3A%22v1%22%7D%7D",
        ] {
            let buckets = read(&headers(cookie));
            let document = buckets.documents().get("id||1").unwrap();
            assert_eq!(document.assignments.get("exp__0").map(String::as_str), Some("v1"), "{cookie}");
        }
        for cookie in
            ["gbStickyBuckets__id||1=x", "gbStickyBuckets__={}", "gbStickyBuckets__id||1=%7B%22a%22"]
        {
            assert!(read(&headers(cookie)).documents().is_empty(), "{cookie}");
        }
    }
}
