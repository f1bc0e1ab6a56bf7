//! Reading cookies.
//!
//! Answers for: finding the value that an origin would see, in every `Cookie` header of the request (HTTP/2
//! may split them, RFC 9113 §8.2.3). It changes nothing and remembers nothing.
//!
//! - Pairs are separated by `;` and named up to the first `=`, white space around both falls away, and one
//!   pair of quotes around the value does too: the reading of RFC 6265 §4.2.1 that servers share. A piece
//!   without `=` is skipped.
//! - The first pair of a name wins. Browsers send the one with the longer path first (RFC 6265 §5.4), so it
//!   is the more specific one.
//! - Names are compared byte by byte, case included; a value that isn't UTF-8 is read with replacement
//!   characters, so that a cookie which the origin sees is never missing here.
//! - Values are opaque (RFC 6265 §4.1.1): percent signs are not decoded.
//!
//! The crate `cookie` 0.18 would parse every pair into a structure before one can be looked up, wants UTF-8,
//! and brings `time`; this is a scan that is linear in the header's length and allocates for replacement
//! characters only.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::COOKIE;

/// The value of the cookie `name`.
///
/// ```
/// # use engraft::request::cookies::cookie;
/// let headers = http::Request::get("/").header("cookie", "theme=dark; plan=\"pro\"").body(()).unwrap();
/// assert_eq!(cookie(headers.headers(), "plan").as_deref(), Some("pro"));
/// assert_eq!(cookie(headers.headers(), "Plan"), None);
/// ```
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    pairs(headers)
        .find(|(found, _)| *found == name.as_bytes())
        .map(|(_, value)| String::from_utf8_lossy(value))
}

/// Every cookie of the request, name and value as bytes, in the order of the headers.
pub fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pieces =
        headers.get_all(COOKIE).iter().flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    pieces.filter_map(|piece| {
        let equals = piece.iter().position(|byte| *byte == b'=')?;
        let (name, value) = piece.split_at_checked(equals)?;
        Some((name.trim_ascii(), unquoted(value.strip_prefix(b"=")?.trim_ascii())))
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;
    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;

    use super::{cookie, pairs};

    fn headers(values: &[&[u8]]) -> HeaderMap {
        values.iter().map(|value| (COOKIE, HeaderValue::from_bytes(value).unwrap())).collect()
    }

    #[test]
    fn finds_what_an_origin_would_see() {
        let cases: &[(&[&[u8]], Option<&str>)] = &[
            (&[b"a=1"], Some("1")),
            (&[b"b=2; a=1; c=3"], Some("1")),
            (&[b"b=2;a=1"], Some("1")),
            (&[b" \t a = 1 \t; b=2"], Some("1")),
            (&[b"b=2", b"a=1"], Some("1")),
            (&[b"a=first; a=second"], Some("first")),
            (&[b"a=first", b"a=second"], Some("first")),
            (&[b"a=\"quoted\""], Some("quoted")),
            (&[b"a=\" spaced \""], Some(" spaced ")),
            (&[b"a=\"open"], Some("\"open")),
            (&[b"a=\""], Some("\"")),
            (&[b"a=\"\""], Some("")),
            (&[b"a="], Some("")),
            (&[b"a=x=y=="], Some("x=y==")),
            (&[b"a=%20%3B"], Some("%20%3B")),
            (&[b"a=caf\xC3\xA9"], Some("café")),
            (&[b"a=caf\xE9"], Some("caf\u{FFFD}")),
            (&[b"a"], None),
            (&[b"A=1"], None),
            (&[b"aa=1; ba=2"], None),
            (&[b"b=a=1"], None),
            (&[b";;=;=a;"], None),
            (&[b""], None),
            (&[], None),
        ];
        for (values, expected) in cases {
            let headers = headers(values);
            assert_eq!(cookie(&headers, "a").as_deref(), *expected, "{values:?}");
        }
    }

    #[test]
    fn a_long_header_is_read_to_its_end() {
        let long = format!("{}a=1", "=;".repeat(32 * 1024));
        assert_eq!(cookie(&headers(&[long.as_bytes()]), "a").as_deref(), Some("1"));
        assert_eq!(cookie(&headers(&["a".repeat(64 * 1024).as_bytes()]), "a"), None);
    }

    proptest! {
        #[test]
        fn any_header_can_be_read(value in prop::collection::vec(any::<u8>(), 0..200), name in ".{0,3}") {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let headers = HeaderMap::from_iter([(COOKIE, value)]);
                let _ = cookie(&headers, &name);
                for (name, value) in pairs(&headers) {
                    prop_assert!(!name.contains(&b';') && !name.contains(&b'=') && !value.contains(&b';'));
                }
            }
        }
    }
}
