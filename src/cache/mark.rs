//! What the client stage tells the origin stage of a request: on which route it is, by which configuration, and its URL.
//!
//! ```text
//! :path: /p/shoes?page=2&x-engraft-key=89abcdef0123456789abcdef01234567
//! x-engraft-route: 0123456789abcdef0123456789abcdef;product             (;passing or ;unstored where no key is)
//! x-engraft-url: https://shop.example/p/shoes?page=2
//! ```
//!
//! The parameter puts into the cache's key what is not in the URL: the configuration, so that a new one never meets what an
//! old one made, and the headers by which stored responses differ. `Vary` can't: Envoy's cache filters crash on it, or never
//! find such a response again (envoyproxy/envoy#40469; seen on 1.36.4, 1.38.2 and 1.40.0). The URL is told as well because
//! Envoy's routes may rewrite what the origin stage sees of it.
//!
//! All of it comes from the client stage only: it removes what a visitor sends under these names, and the origin stage takes
//! it off before the origin is asked.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::headers::{HeaderEdit, values_after};
use crate::request::RequestHead;

/// Which configuration and which route.
const ROUTE: HeaderName = HeaderName::from_static("x-engraft-route");
/// The URL without the parameter.
const URL: HeaderName = HeaderName::from_static("x-engraft-url");
/// The parameter.
const PARAMETER: &str = "x-engraft-key=";

/// What stands behind the route of a request whose response is not to be stored.
pub const PASSING: &str = "passing";
/// And of one that is left to the origin's word.
const UNSTORED: &str = "unstored";

/// What a request says of the client stage that it came through.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads it must handle each")]
pub enum Mark {
    /// It came through none.
    None,
    /// It came through one with the same configuration.
    Ours {
        /// The name of the route.
        route: String,
        /// What may become of the response.
        standing: Standing,
    },
    /// It came through one with another configuration, or another version of engraft.
    Foreign {
        /// The digest of that configuration, where it can be read.
        configuration: Option<u128>,
    },
}

/// What tells stored responses of one URL apart, and those of one path at several sites, for caches that do not: of the headers of a request, after their changes, those with these names. In 32 hexadecimal digits. A visitor may choose some of these values, and
/// must not find two that are one; hence no faster hash.
#[must_use]
pub fn key(
    configuration: u128,
    route: &str,
    site: &str,
    (headers, edits): (&HeaderMap, &[HeaderEdit]),
    names: impl IntoIterator<Item = HeaderName>,
) -> String {
    let mut hash = Sha256::new();
    let mut field = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(bytes);
    };
    field(&configuration.to_le_bytes());
    field(route.as_bytes());
    field(site.as_bytes());
    for name in names {
        field(name.as_str().as_bytes());
        let values = values_after(headers, edits, &name);
        field(&u64::try_from(values.len()).unwrap_or(u64::MAX).to_le_bytes());
        values.into_iter().map(HeaderValue::as_bytes).for_each(&mut field);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A path with a key.
#[must_use]
pub fn with_key(path: &str, key: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}{PARAMETER}{key}")
}

/// A path without one, whoever wrote it.
#[must_use]
pub fn without_key(path: &str) -> Cow<'_, str> {
    let Some((before, query)) = path.split_once('?').filter(|(_, query)| query.contains(PARAMETER)) else {
        return Cow::Borrowed(path);
    };
    let kept: Vec<&str> = query.split('&').filter(|piece| !piece.starts_with(PARAMETER)).collect();
    Cow::Owned(if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) })
}

/// What may become of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever reads it must handle each")]
pub enum Standing {
    /// It may be stored: nothing of the request is in it that is not in the key.
    Keyed,
    /// It is not to be stored.
    Passing,
    /// Nothing of ours is stored here; what the origin says of it counts, but for what it sets for one visitor.
    Unstored,
}

impl Mark {
    /// The changes that mark a request with a key, which is sent on to `scheme`, `authority` and `path`.
    #[must_use]
    pub fn keyed(configuration: u128, route: &str, [scheme, authority, path]: [&str; 3]) -> Vec<HeaderEdit> {
        let route = HeaderValue::try_from(format!("{configuration:032x};{route}")).ok();
        let url = HeaderValue::try_from(format!("{scheme}://{authority}{path}")).ok();
        let marks = [(ROUTE, route), (URL, url)];
        marks.into_iter().filter_map(|(name, value)| Some(HeaderEdit::Set(name, value?))).collect()
    }

    /// The change that marks a request without a key; `route` is empty where it is on none.
    #[must_use]
    pub fn unkeyed(configuration: u128, route: &str, is_passing: bool) -> Option<HeaderEdit> {
        let word = if is_passing { PASSING } else { UNSTORED };
        let value = HeaderValue::try_from(format!("{configuration:032x};{route};{word}")).ok()?;
        Some(HeaderEdit::Set(ROUTE, value))
    }

    /// Reads it.
    #[must_use]
    pub fn of(headers: &HeaderMap, configuration: u128) -> Self {
        let mut lines = headers.get_all(ROUTE).into_iter();
        let Some(line) = lines.next() else { return Self::None };
        let told =
            line.to_str().ok().and_then(|text| text.split_once(';')).filter(|_| lines.next().is_none());
        let Some((digest, rest)) = told else { return Self::Foreign { configuration: None } };
        let digest = Some(digest).filter(|digest| digest.len() == 32);
        let digest = digest.and_then(|digest| u128::from_str_radix(digest, 16).ok());
        if digest != Some(configuration) {
            return Self::Foreign { configuration: digest };
        }
        match rest.split_once(';') {
            None => Self::Ours { route: rest.to_owned(), standing: Standing::Keyed },
            Some((route, word)) => {
                let standing = if word == UNSTORED { Standing::Unstored } else { Standing::Passing };
                Self::Ours { route: route.to_owned(), standing }
            }
        }
    }
}

/// The request as the client stage sent it, in its URL.
#[must_use]
pub fn with_marked_url(mut request: RequestHead) -> RequestHead {
    request.path = without_key(&request.path).into_owned();
    let url = request.headers.get(URL).map(|url| String::from_utf8_lossy(url.as_bytes()).into_owned());
    let url = url.as_deref().and_then(|url| {
        let (scheme, rest) = url.split_once("://")?;
        let (authority, path) = rest.split_at_checked(rest.find('/')?)?;
        Some([scheme, authority, path].map(str::to_owned))
    });
    if let Some([scheme, authority, path]) = url {
        request = RequestHead { scheme, authority, path, ..request };
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(edits: &[HeaderEdit]) -> RequestHead {
        let mut request = RequestHead { path: "/rewritten".into(), ..RequestHead::default() };
        edits.iter().for_each(|edit| edit.apply(&mut request.headers));
        request
    }

    #[test]
    fn only_the_same_configuration_is_ours() {
        let edits = Mark::keyed(7, "product", ["https", "shop.example:8443", "/p/1?a=b"]);
        let request = marked(&edits);
        assert_eq!(
            Mark::of(&request.headers, 7),
            Mark::Ours { route: "product".into(), standing: Standing::Keyed }
        );
        assert_eq!(Mark::of(&request.headers, 8), Mark::Foreign { configuration: Some(7) });
        assert_eq!(Mark::of(&HeaderMap::new(), 7), Mark::None);
        let told = with_marked_url(request);
        let passing = marked(&[Mark::unkeyed(7, "product", true).unwrap()]);
        assert_eq!(
            Mark::of(&passing.headers, 7),
            Mark::Ours { route: "product".into(), standing: Standing::Passing }
        );
        assert_eq!(
            [told.scheme, told.authority, told.path].map(|part| part),
            ["https", "shop.example:8443", "/p/1?a=b"]
        );
    }

    #[test]
    fn what_is_no_mark_is_foreign() {
        let unreadable = Mark::Foreign { configuration: None };
        let mut twice = marked(&Mark::keyed(7, "product", ["https", "a", "/"])).headers;
        twice.append(ROUTE, HeaderValue::from_static("anything"));
        assert_eq!(Mark::of(&twice, 7), unreadable);
        for value in ["", "7;product", "00000000000000000000000000000007", "\u{e9}"] {
            let line = (ROUTE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            assert_eq!(Mark::of(&HeaderMap::from_iter([line]), 7), unreadable, "{value:?}");
        }
    }

    #[test]
    fn a_key_is_put_on_and_taken_off() {
        for (path, marked) in [
            ("/p", "/p?x-engraft-key=k"),
            ("/p?a=b", "/p?a=b&x-engraft-key=k"),
            ("/p?a=b&", "/p?a=b&&x-engraft-key=k"),
            ("/p?not-x-engraft-key=1", "/p?not-x-engraft-key=1&x-engraft-key=k"),
        ] {
            assert_eq!(with_key(path, "k"), marked);
            assert_eq!(without_key(marked), path);
            assert_eq!(without_key(path), path);
        }
        assert_eq!(without_key("/p?x-engraft-key=1&a&x-engraft-key="), "/p?a");
    }

    #[test]
    fn keys_differ_by_all_that_is_in_them() {
        let names = || ["accept-language", "cookie"].map(HeaderName::from_static);
        let map = |lines: &[(&'static str, &'static str)]| -> HeaderMap {
            let lines = lines.iter();
            lines
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect()
        };
        let one = map(&[("accept-language", "en"), ("x-other", "1")]);
        let keys = [
            key(1, "r", "https://a", (&one, &[]), names()),
            key(2, "r", "https://a", (&one, &[]), names()),
            key(1, "s", "https://a", (&one, &[]), names()),
            key(1, "r", "https://a", (&HeaderMap::new(), &[]), names()),
            key(1, "r", "https://a", (&map(&[("accept-language", "")]), &[]), names()),
            key(
                1,
                "r",
                "https://a",
                (&map(&[("accept-language", "e"), ("accept-language", "n")]), &[]),
                names(),
            ),
            key(1, "r", "https://a", (&map(&[("cookie", "en")]), &[]), names()),
        ];
        let different: std::collections::BTreeSet<&String> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(
            keys[0],
            key(1, "r", "https://a", (&map(&[("accept-language", "en"), ("x-other", "2")]), &[]), names())
        );
        assert!(keys[0].len() == 32);
    }

    #[test]
    fn without_a_url_the_request_has_its_own() {
        assert_eq!(with_marked_url(marked(&[])).path, "/rewritten");
        let odd = HeaderEdit::Set(URL, HeaderValue::from_static("nothing"));
        assert_eq!(with_marked_url(marked(&[odd])).path, "/rewritten");
    }
}
