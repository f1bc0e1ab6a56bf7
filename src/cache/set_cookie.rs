//! Whether a response that sets cookies may be stored.
//!
//! The attack that this prevents: a session that is handed to everybody who gets the stored response. And its opposite: a
//! login or a CSRF token that is taken away from the response that needs it. So a cookie is only ever dropped where the
//! configuration names it; with any other, the response is as the origin made it, for one visitor, and is not stored.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use super::names::Names;

/// What the cache between the stages is told of a response that it must not store.
pub const NOT_STORABLE: HeaderValue = HeaderValue::from_static("private, no-store");

/// How many names of cookies are told.
const MAX_TOLD: usize = 32;

/// Whether a response may be stored, as far as its cookies are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever asks must do one of these")]
pub enum Storable {
    /// It sets none.
    Yes,
    /// Once `Set-Cookie` is removed: these, the first 32 of them, may all be dropped.
    Without(Vec<String>),
    /// It sets one that must arrive.
    No,
}

/// Judges a response. A `Set-Cookie` without a name (RFC 6265 § 5.2) can't be named, so it can't be dropped.
///
/// ```
/// use engraft::cache::{names::Names, set_cookie::{is_storable, Storable}};
/// use engraft::config::node::Path;
///
/// let droppable = Names::compile(&["_ga*".to_owned()], &Path::default(), &mut Vec::new());
/// let response = http::Response::builder().header("set-cookie", "_ga_1=x; Path=/").body(()).unwrap();
/// assert_eq!(is_storable(response.headers(), &droppable), Storable::Without(vec!["_ga_1".to_owned()]));
/// ```
#[must_use]
pub fn is_storable(headers: &HeaderMap, droppable: &Names) -> Storable {
    let mut told = Vec::new();
    for line in headers.get_all(SET_COOKIE) {
        match name(line).filter(|name| droppable.has(name)) {
            None => return Storable::No,
            Some(name) if told.len() < MAX_TOLD => told.push(name.to_owned()),
            Some(_) => {}
        }
    }
    if told.is_empty() { Storable::Yes } else { Storable::Without(told) }
}

fn name(line: &HeaderValue) -> Option<&str> {
    let pair = line.as_bytes().split(|byte| *byte == b';').next()?;
    let end = pair.iter().position(|byte| *byte == b'=')?;
    let name = std::str::from_utf8(pair.get(..end)?).ok()?.trim_matches([' ', '\t']);
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::node::Path;

    #[test]
    fn only_named_cookies_are_dropped() {
        let list = ["seen", "_ga*"].map(str::to_owned);
        let droppable = Names::compile(&list, &Path::default(), &mut Vec::new());
        let without =
            |names: &[&str]| Storable::Without(names.iter().map(|name| (*name).to_owned()).collect());
        for (lines, expected) in [
            (&[][..], Storable::Yes),
            (&["seen=1"], without(&["seen"])),
            (&["seen=1; Path=/; HttpOnly", "_ga_X=\"a;b\""], without(&["seen", "_ga_X"])),
            (&[" seen = 1"], without(&["seen"])),
            (&["seen="], without(&["seen"])),
            (&["seen=1", "session=2"], Storable::No),
            (&["session=2", "seen=1"], Storable::No),
            (&["Seen=1"], Storable::No),
            (&["seen"], Storable::No),
            (&["=seen"], Storable::No),
            (&[""], Storable::No),
            (&["; seen=1"], Storable::No),
            (&["session=1, seen=2"], Storable::No),
            (&["se\u{e9}n=1"], Storable::No),
        ] {
            let headers: HeaderMap = lines
                .iter()
                .map(|line| (SET_COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap()))
                .collect();
            assert_eq!(is_storable(&headers, &droppable), expected, "{lines:?}");
            if !lines.is_empty() {
                assert_eq!(is_storable(&headers, &Names::default()), Storable::No, "{lines:?}");
            }
        }
    }

    #[test]
    fn a_hundred_cookies_are_judged() {
        let droppable = Names::compile(&["a*".to_owned()], &Path::default(), &mut Vec::new());
        let mut headers: HeaderMap =
            (0..100).map(|n| (SET_COOKIE, HeaderValue::try_from(format!("a{n}=1")).unwrap())).collect();
        assert!(matches!(is_storable(&headers, &droppable), Storable::Without(told) if told.len() == 32));
        headers.append(SET_COOKIE, HeaderValue::from_static("b=1"));
        assert_eq!(is_storable(&headers, &droppable), Storable::No);
    }
}
